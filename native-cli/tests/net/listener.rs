//! What the callback listener hands in, and what it answers.

use std::io::{Read, Write};
use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use hallpass::listener::Listener;
use hallpass_core::{Call, Event, Listen, Page};

pub(crate) const SOON: Duration = Duration::from_secs(1);

pub(crate) fn open() -> (Listener, Receiver<Event>, u16) {
    let (events, received) = mpsc::channel();
    let listener = Listener::open(&Listen { ports: vec![0], path: "/auth/callback".into() }, events).expect("a port");
    let rest = listener.redirect_uri().strip_prefix("http://127.0.0.1:").expect("an IPv4 redirect").to_owned();
    let port = rest.strip_suffix("/auth/callback").expect("the path").parse().expect("a port");
    (listener, received, port)
}

pub(crate) fn send(port: u16, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    let _ = stream.write_all(bytes);
    stream
}

pub(crate) fn answer(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(Duration::from_secs(8))).expect("a timeout");
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8(bytes).expect("text")
}

pub(crate) fn called(received: &Receiver<Event>) -> Call {
    match received.recv_timeout(SOON) {
        Ok(Event::Called(call)) => call,
        other => panic!("{other:?}"),
    }
}

fn request(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").into_bytes()
}

#[test]
fn a_call_is_handed_in_and_answered() {
    let (mut listener, received, port) = open();
    let mut browser = send(port, &request("/auth/callback?code=a&state=b%20c"));
    let call = called(&received);
    assert_eq!((call.method.as_str(), call.target.expose()), ("GET", "/auth/callback?code=a&state=b%20c"));
    assert_eq!(call.host.as_deref(), Some("127.0.0.1"));
    listener.reply(Page::SignedIn);
    let answer = answer(&mut browser);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\r\ncache-control: no-store\r\n") && answer.contains("You are signed in."), "{answer}");
    assert!(!answer.contains("code=a") && !answer.contains("/auth/callback"), "{answer}");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "the last page ends it");
}

#[test]
fn both_loopback_addresses_lead_to_it() {
    let (mut listener, received, port) = open();
    let Ok(mut browser) = TcpStream::connect((Ipv6Addr::LOCALHOST, port)) else {
        return assert!(TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err(), "there is IPv6 here");
    };
    browser.write_all(&request("/x")).expect("sent");
    assert_eq!(called(&received).target.expose(), "/x");
    listener.reply(Page::NotFound);
    assert!(answer(&mut browser).starts_with("HTTP/1.1 404 "));
}

#[test]
fn well_formed_requests_of_any_kind_are_left_to_the_machine() {
    let (mut listener, received, port) = open();
    for (bytes, method, target, host) in [
        ("GET /favicon.ico HTTP/1.1\r\nHost: localhost:1\r\n\r\n", "GET", "/favicon.ico", Some("localhost:1")),
        ("HEAD /auth/callback?code=a HTTP/1.1\r\nHost: x\r\n\r\n", "HEAD", "/auth/callback?code=a", Some("x")),
        ("POST / HTTP/1.1\r\nHost: evil.com\r\nContent-Length: 3\r\n\r\na=b", "POST", "/", Some("evil.com")),
        ("GET /../../etc/passwd HTTP/1.0\r\n\r\n", "GET", "/../../etc/passwd", None),
        ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS", "*", Some("x")),
    ] {
        let mut browser = send(port, bytes.as_bytes());
        let call = called(&received);
        assert_eq!((call.method.as_str(), call.target.expose(), call.host.as_deref()), (method, target, host));
        listener.reply(Page::BadRequest);
        let answer = answer(&mut browser);
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
        assert_eq!(answer.ends_with("\r\n\r\n"), method == "HEAD", "{answer}");
    }
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let (mut listener, received, port) = open();
    let mut browser = send(port, b"");
    for byte in request("/slow") {
        browser.write_all(&[byte]).expect("sent");
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(called(&received).target.expose(), "/slow");
    listener.reply(Page::NotFound);
    assert!(answer(&mut browser).starts_with("HTTP/1.1 404 "));
}

#[test]
fn requests_are_handed_in_one_by_one() {
    let (mut listener, received, port) = open();
    let mut first = send(port, &request("/first"));
    assert_eq!(called(&received).target.expose(), "/first");
    let mut second = send(port, &request("/second"));
    assert_eq!(received.recv_timeout(Duration::from_millis(200)), Err(RecvTimeoutError::Timeout));
    listener.reply(Page::BadRequest);
    assert!(answer(&mut first).starts_with("HTTP/1.1 400 "));
    assert_eq!(called(&received).target.expose(), "/second");
    listener.reply(Page::Declined);
    assert!(answer(&mut second).contains("declined"));
}

#[test]
fn more_than_it_holds_wait_in_the_backlog() {
    let (mut listener, received, port) = open();
    let mut browsers: Vec<TcpStream> = (0..60).map(|number| send(port, &request(&format!("/{number}")))).collect();
    for _ in 0..60 {
        called(&received);
        listener.reply(Page::BadRequest);
    }
    assert!(browsers.iter_mut().all(|browser| answer(browser).starts_with("HTTP/1.1 400 ")));
}

#[test]
fn a_thousand_bad_calls_do_not_keep_a_good_one_out() {
    let (mut listener, received, port) = open();
    for number in 0..1000 {
        let mut browser = send(port, &request(&format!("/auth/callback?state={number}")));
        called(&received);
        listener.reply(Page::BadRequest);
        assert!(answer(&mut browser).starts_with("HTTP/1.1 400 "));
    }
    let mut browser = send(port, &request("/good"));
    assert_eq!(called(&received).target.expose(), "/good");
    listener.reply(Page::SignedIn);
    assert!(answer(&mut browser).contains("You are signed in."));
}

#[test]
fn with_the_last_page_everybody_is_answered() {
    let (mut listener, received, port) = open();
    let mut first = send(port, &request("/auth/callback?code=a"));
    called(&received);
    let mut twice = send(port, &request("/auth/callback?code=a"));
    let mut other = send(port, &request("/auth/callback?code=b"));
    std::thread::sleep(Duration::from_millis(100));
    listener.reply(Page::Failed);
    for browser in [&mut first, &mut twice] {
        assert!(answer(browser).contains("Sign-in did not work"));
    }
    assert!(answer(&mut other).starts_with("HTTP/1.1 404 "));
    assert!(received.try_recv().is_err(), "nothing more is handed in");
}

#[test]
fn a_browser_that_has_gone_is_no_trouble() {
    let (mut listener, received, port) = open();
    drop(send(port, &request("/gone")));
    assert_eq!(called(&received).target.expose(), "/gone");
    listener.reply(Page::BadRequest);
    listener.reply(Page::NotFound);
    let mut browser = send(port, &request("/here"));
    assert_eq!(called(&received).target.expose(), "/here");
    listener.reply(Page::SignedIn);
    listener.reply(Page::SignedIn);
    assert!(answer(&mut browser).contains("You are signed in."));
}

#[test]
fn dropping_it_frees_the_port_at_once() {
    let (listener, _received, port) = open();
    let _waiting = send(port, &request("/waiting"));
    let _slow = send(port, b"GET / HT");
    let begin = Instant::now();
    drop(listener);
    assert!(begin.elapsed() < Duration::from_millis(500));
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    let (events, _received) = mpsc::channel();
    let again = Listener::open(&Listen { ports: vec![port], path: "/".into() }, events).expect("the same port");
    assert_eq!(again.redirect_uri(), format!("http://127.0.0.1:{port}/"));
}
