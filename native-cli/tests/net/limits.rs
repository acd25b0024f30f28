//! What the callback listener turns away by itself.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use hallpass_core::Page;

use crate::listener::{SOON, answer, called, open, send};

#[test]
fn what_is_no_http_is_turned_away() {
    let (_listener, received, port) = open();
    for bytes in [
        &b"GET /\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0\0\0\0\0\0\0\0\0\0",
        b"GET /a b c HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n",
    ] {
        let answer = answer(&mut send(port, bytes));
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{:?}: {answer}", String::from_utf8_lossy(bytes));
        assert!(answer.contains("content-security-policy: default-src 'none'"));
    }
    assert!(received.try_recv().is_err());
}

#[test]
fn heads_that_are_too_large_are_turned_away() {
    let (_listener, received, port) = open();
    let huge = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(1024 * 1024));
    let long = format!("GET /?code={} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(8 * 1024));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(100));
    for bytes in [huge, long, many] {
        let answer = answer(&mut send(port, bytes.as_bytes()));
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    assert!(received.try_recv().is_err());
}

#[test]
fn a_head_that_never_ends_is_given_up() {
    let (_listener, received, port) = open();
    let begin = Instant::now();
    let answer = answer(&mut send(port, b"GET /auth/callback?code="));
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!((4..7).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
    assert!(received.try_recv().is_err());
}

#[test]
fn dawdlers_do_not_keep_a_browser_out() {
    let (mut listener, received, port) = open();
    let mut dawdlers: Vec<TcpStream> = (0..250).map(|_| send(port, b"GET /auth/callback?state=")).collect();
    dawdlers.extend((0..250).map(|_| send(port, b"")));
    let begin = Instant::now();
    let mut browser = send(port, b"GET /auth/callback?code=real HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    assert_eq!(called(&received).target.expose(), "/auth/callback?code=real");
    for dawdler in &mut dawdlers {
        let _ = dawdler.write_all(b"x");
    }
    listener.reply(Page::SignedIn);
    assert!(answer(&mut browser).contains("You are signed in."));
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
}

#[test]
fn one_who_sends_without_end_does_not_hold_up_the_others() {
    let (mut listener, received, port) = open();
    let flood = std::thread::spawn(move || {
        let mut stream = send(port, b"POST / HTTP/0.1\r\n\r\n");
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(3) && stream.write_all(&vec![b'x'; 65536]).is_ok() {}
        begin.elapsed()
    });
    std::thread::sleep(Duration::from_millis(100));
    let mut browser = send(port, b"GET /real HTTP/1.1\r\n\r\n");
    assert_eq!(called(&received).target.expose(), "/real");
    listener.reply(Page::BadRequest);
    assert!(answer(&mut browser).starts_with("HTTP/1.1 400 "));
    assert!(flood.join().expect("no panic") < Duration::from_secs(2), "it is cut off");
}
