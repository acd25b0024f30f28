//! The server on a loopback port: HTTP/1.1, one thread and one request per connection.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::message::{Delivery, Request, Response, Served};
use super::{AuthorizationServer, Options};

const HEAD_LIMIT: usize = 16 * 1024;
const BODY_LIMIT: usize = 1024 * 1024;
const CONNECTION_LIMIT: usize = 64;
/// How long a client may take to send its whole request, and to read the whole answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server that listens.
pub struct Serving {
    /// The issuer identifier, such as `http://127.0.0.1:49152`.
    pub issuer: String,
    /// The server itself: lock it to approve devices, plan faults or read the journal.
    pub shared: Arc<Mutex<AuthorizationServer>>,
    port: u16,
    stopping: Arc<AtomicBool>,
    listener: Option<JoinHandle<()>>,
}

/// What answers before the server does, where it answers at all.
pub type Aside = dyn Fn(&Request, &Mutex<AuthorizationServer>) -> Option<Response> + Send + Sync;

/// Serves on `127.0.0.1:port`; port 0 takes a free one. The issuer follows from the port,
/// whatever `options` say.
pub fn serve(options: Options, port: u16) -> io::Result<Serving> {
    serve_beside(options, port, Arc::new(|_, _| None))
}

/// As [`serve()`]; every request that names this server is shown to `aside` first.
pub fn serve_beside(options: Options, port: u16, aside: Arc<Aside>) -> io::Result<Serving> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let port = listener.local_addr()?.port();
    let issuer = format!("http://127.0.0.1:{port}");
    let options = Options { issuer: issuer.clone(), ..options };
    let shared = Arc::new(Mutex::new(AuthorizationServer::new(options)));
    let stopping = Arc::new(AtomicBool::new(false));
    let door = Door { shared: Arc::clone(&shared), stopping: Arc::clone(&stopping), port, aside };
    let listener =
        thread::Builder::new().name("authorization server".to_owned()).spawn(move || door.accept(&listener))?;
    Ok(Serving { issuer, shared, port, stopping, listener: Some(listener) })
}

impl Serving {
    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server, locked. A thread that panicked while it held the lock does not spoil it.
    pub fn lock(&self) -> MutexGuard<'_, AuthorizationServer> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops listening and frees the port. Dropping the handle does the same.
    pub fn stop(self) {
        drop(self);
    }

    /// Serves until the process ends.
    pub fn wait(mut self) {
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let Some(listener) = self.listener.take() else {
            return;
        };
        self.stopping.store(true, Ordering::SeqCst);
        // Accepting blocks; a connection of our own wakes it.
        if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
            let _ = listener.join();
        }
    }
}

/// What each connection's thread needs.
#[derive(Clone)]
struct Door {
    shared: Arc<Mutex<AuthorizationServer>>,
    stopping: Arc<AtomicBool>,
    port: u16,
    aside: Arc<Aside>,
}

impl Door {
    fn accept(self, listener: &TcpListener) {
        let open = Arc::new(AtomicUsize::new(0));
        for stream in listener.incoming() {
            if self.stopping.load(Ordering::SeqCst) {
                return;
            }
            let Ok(stream) = stream else {
                thread::sleep(Duration::from_millis(20));
                continue;
            };
            if open.fetch_add(1, Ordering::SeqCst) >= CONNECTION_LIMIT {
                open.fetch_sub(1, Ordering::SeqCst);
                continue;
            }
            let door = self.clone();
            let count = Arc::clone(&open);
            let spawned = thread::Builder::new().spawn(move || {
                // A connection that breaks is its client's affair.
                let _ = door.converse(stream);
                count.fetch_sub(1, Ordering::SeqCst);
            });
            if spawned.is_err() {
                open.fetch_sub(1, Ordering::SeqCst);
            }
        }
    }

    fn converse(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_write_timeout(Some(PATIENCE))?;
        let served = match read_request(&mut stream)? {
            Ok(request) if !self.is_named_by(&request) => {
                // A page of another site that had its name resolved to this address.
                refused(421, "This server answers to its loopback address only.\n")
            }
            Ok(request) => {
                let is_head = request.method == "HEAD";
                let mut served = self.respond(&request);
                if is_head {
                    served.response.body.clear();
                }
                served
            }
            Err(status) => refused(status, "The request cannot be read.\n"),
        };
        thread::sleep(Duration::from_millis(served.delay_ms));
        match served.delivery {
            Delivery::AnswerLost | Delivery::RequestLost => {}
            Delivery::Whole => write_response(&mut stream, &served.response, usize::MAX)?,
            Delivery::Broken { after } => write_response(&mut stream, &served.response, after)?,
        }
        stream.shutdown(Shutdown::Write)?;
        drain(&mut stream);
        Ok(())
    }

    fn respond(&self, request: &Request) -> Served {
        if let Some(response) = (self.aside)(request, &self.shared) {
            return Served { response, delay_ms: 0, delivery: Delivery::Whole };
        }
        let mut server = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        server.respond(now(), request)
    }

    fn is_named_by(&self, request: &Request) -> bool {
        let Some(host) = request.header("Host") else {
            return false;
        };
        let (name, port) = host.rsplit_once(':').unwrap_or((host, "80"));
        let is_loopback = name == "127.0.0.1" || name.eq_ignore_ascii_case("localhost");
        is_loopback && port.parse() == Ok(self.port)
    }
}

/// Milliseconds since the Unix epoch.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A request, or the status that refuses what came.
fn read_request(stream: &mut TcpStream) -> io::Result<Result<Request, u16>> {
    let deadline = Instant::now() + PATIENCE;
    let mut received = Vec::new();
    let head_end = loop {
        if let Some(start) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            break start + 4;
        }
        if received.len() > HEAD_LIMIT {
            return Ok(Err(431));
        }
        receive(stream, &mut received, deadline)?;
    };
    if head_end > HEAD_LIMIT {
        return Ok(Err(431));
    }
    let mut body = received.split_off(head_end);
    let (mut request, length) = match parse_head(&received) {
        Ok(parsed) => parsed,
        Err(status) => return Ok(Err(status)),
    };
    let waits = request.header("Expect");
    if waits.is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    while body.len() < length {
        receive(stream, &mut body, deadline)?;
    }
    body.truncate(length);
    request.body = body;
    Ok(Ok(request))
}

fn receive(stream: &mut TcpStream, received: &mut Vec<u8>, deadline: Instant) -> io::Result<()> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    stream.set_read_timeout(Some(left))?;
    let mut chunk = [0; 4096];
    let count = stream.read(&mut chunk)?;
    if count == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    received.extend_from_slice(chunk.get(..count).unwrap_or_default());
    Ok(())
}

/// The request without its body, and the length of the body.
fn parse_head(head: &[u8]) -> Result<(Request, usize), u16> {
    let mut fields = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Request::new(&mut fields);
    match parsed.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => return Err(431),
        Ok(httparse::Status::Partial) | Err(_) => return Err(400),
    }
    let (Some(method), Some(target)) = (parsed.method, parsed.path) else {
        return Err(400);
    };
    let mut request = Request::new(method, target);
    let mut length = None;
    for field in parsed.headers.iter() {
        let value = String::from_utf8_lossy(field.value).into_owned();
        if field.name.eq_ignore_ascii_case("Transfer-Encoding") {
            return Err(411);
        }
        if field.name.eq_ignore_ascii_case("Content-Length") {
            let is_digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
            if length.is_some() || !is_digits {
                return Err(400);
            }
            length = Some(value.parse::<usize>().map_err(|_| 413_u16)?);
        }
        request.headers.push((field.name.to_owned(), value));
    }
    match length.unwrap_or(0) {
        length if length > BODY_LIMIT => Err(413),
        length => Ok((request, length)),
    }
}

/// Writes the response, of the body at most `limit` bytes. `Content-Length` names the whole body, so
/// that the client can see what is missing.
fn write_response(stream: &mut TcpStream, response: &Response, limit: usize) -> io::Result<()> {
    let mut bytes = format!("HTTP/1.1 {} {}\r\n", response.status, reason(response.status));
    for (name, value) in &response.headers {
        // No value may begin a line of its own.
        let value: String = value.chars().filter(|c| !c.is_control()).collect();
        bytes.push_str(name);
        bytes.push_str(": ");
        bytes.push_str(&value);
        bytes.push_str("\r\n");
    }
    if response.status != 204 {
        bytes.push_str("Content-Length: ");
        bytes.push_str(&response.body.len().to_string());
        bytes.push_str("\r\n");
    }
    bytes.push_str("Connection: close\r\n\r\n");
    let mut bytes = bytes.into_bytes();
    bytes.extend(response.body.iter().take(limit));
    stream.write_all(&bytes)
}

/// Reads what the client still sends, for a moment: closing on unread bytes would reset the
/// connection and could take the answer with it.
fn drain(stream: &mut TcpStream) {
    let deadline = Instant::now() + Duration::from_millis(500);
    let mut rest = Vec::new();
    while rest.len() <= BODY_LIMIT && receive(stream, &mut rest, deadline).is_ok() {}
}

fn refused(status: u16, text: &str) -> Served {
    Served {
        response: Response { body: text.as_bytes().to_vec(), ..Response::empty(status) }
            .with_header("Content-Type", "text/plain; charset=utf-8"),
        delay_ms: 0,
        delivery: Delivery::Whole,
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        302 => "Found",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        411 => "Length Required",
        413 => "Content Too Large",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
