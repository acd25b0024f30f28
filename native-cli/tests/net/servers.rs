//! Small servers that behave and misbehave on command.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use hallpass_core::{Event, HttpMethod, HttpRequest, HttpResponse, Reach, RequestFailure, Secret};

/// A server on 127.0.0.1 that hands each connection to a function.
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) connections: Arc<AtomicUsize>,
    /// Everything that [`read_request`] read here.
    pub(crate) received: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn start(serve: impl Fn(TcpStream, &dyn Fn(String)) + Send + Sync + 'static) -> Self {
        let socket = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = socket.local_addr().expect("an address").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let received = Arc::new(Mutex::new(Vec::new()));
        let (count, notes, serve) = (connections.clone(), received.clone(), Arc::new(serve));
        thread::spawn(move || {
            for stream in socket.incoming().map_while(Result::ok) {
                count.fetch_add(1, Ordering::SeqCst);
                let (notes, serve) = (notes.clone(), serve.clone());
                thread::spawn(move || serve(stream, &|note| notes.lock().expect("notes").push(note)));
            }
        });
        Self { port, connections, received }
    }

    /// A server that reads a request and answers with these bytes.
    pub(crate) fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |mut stream, note| {
            note(read_request(&mut stream));
            let _ = stream.write_all(&answer);
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/token?code=canary", self.port)
    }

    pub(crate) fn seen(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.received.lock().expect("notes").clone()
    }
}

/// Reads a request with its body.
pub(crate) fn read_request(stream: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(amount @ 1..) = stream.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..amount]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, length)| length.parse().expect("a length"));
            if body.len() >= length {
                return text;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(crate) const BODY: &str = "grant_type=refresh_token&refresh_token=canary";

pub(crate) fn post(url: &str) -> HttpRequest {
    HttpRequest {
        method: HttpMethod::Post,
        url: url.to_owned(),
        headers: vec![("content-type".into(), Secret::from("application/x-www-form-urlencoded"))],
        body: Some(Secret::from(BODY)),
        deadline: 2000,
        interruptible: false,
    }
}

pub(crate) fn get(url: &str) -> HttpRequest {
    HttpRequest { method: HttpMethod::Get, headers: Vec::new(), body: None, ..post(url) }
}

pub(crate) fn never() -> bool {
    false
}

pub(crate) fn responded(event: Event) -> HttpResponse {
    match event {
        Event::Responded(response) => response,
        other => panic!("{other:?}"),
    }
}

/// The failure, which must not tell the URL's query or the body.
pub(crate) fn failed(event: Event) -> (Reach, String) {
    match event {
        Event::RequestFailed(RequestFailure { reach, detail, variable }) => {
            let detail = variable.map(|variable| format!("{variable} {detail}")).unwrap_or(detail);
            assert!(!detail.contains("canary"), "{detail}");
            assert!(!detail.is_empty());
            (reach, detail)
        }
        other => panic!("{other:?}"),
    }
}

/// A path for a file of this test.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("net-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder.join(name)
}
