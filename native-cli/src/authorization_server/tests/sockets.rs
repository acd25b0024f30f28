use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::*;

fn send(serving: &Serving, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", serving.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    // A connection that ends early has answered what it has answered.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(serving: &Serving, target: &str) -> String {
    let head = format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", serving.port());
    send(serving, head.as_bytes())
}

fn post(serving: &Serving, request: &Request) -> String {
    let kind = request.header("Content-Type").unwrap();
    let (port, length) = (serving.port(), request.body.len());
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n",
        request.target
    );
    send(serving, &[head.as_bytes(), &request.body].concat())
}

#[test]
fn a_sign_in_over_real_sockets() {
    let serving = serve(options(), 0).unwrap();
    let metadata = get(&serving, "/.well-known/openid-configuration");
    assert!(metadata.starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(metadata.contains(&format!("\"issuer\":\"{}\"", serving.issuer)));
    let redirection = get(&serving, &authorize_target("hallpass", &[]));
    let (_, after) = redirection.split_once("code=").unwrap();
    let (code, _) = after.split_once('&').unwrap();
    let answer = post(&serving, &exchange("hallpass", code));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("Connection: close") && head.contains("Cache-Control: no-store"));
    let tokens: Value = serde_json::from_str(body).unwrap();
    text(&tokens, "access_token");
    assert_eq!(serving.lock().token_requests(), 1);
    assert_eq!(serving.lock().families().count(), 1);
    let port = serving.port();
    serving.stop();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn faults_reach_the_wire() {
    let serving = serve(options(), 0).unwrap();
    let inject = |fault| serving.lock().inject(Endpoint::Keys, fault);
    inject(Fault::LoseAnswer);
    assert_eq!(get(&serving, "/jwks.json"), "");
    inject(Fault::LoseRequest);
    assert_eq!(get(&serving, "/jwks.json"), "");
    inject(Fault::BreakBody);
    let broken = get(&serving, "/jwks.json");
    let (head, body) = broken.split_once("\r\n\r\n").unwrap();
    let (_, length) = head.split_once("Content-Length: ").unwrap();
    let length: usize = length.lines().next().unwrap().parse().unwrap();
    assert!(!body.is_empty() && body.len() < length);
    inject(Fault::Latency { ms: 150 });
    let before = Instant::now();
    assert!(get(&serving, "/jwks.json").starts_with("HTTP/1.1 200"));
    assert!(before.elapsed() >= Duration::from_millis(150));
}

#[test]
fn what_is_not_a_request_to_us_is_refused() {
    let serving = serve(options(), 0).unwrap();
    let status = |bytes: &str| send(&serving, bytes.as_bytes()).split(' ').nth(1).unwrap_or("none").to_owned();
    let host = format!("Host: 127.0.0.1:{}", serving.port());
    assert_eq!(status("GET / HTTP/1.1\r\nHost: rebound.example\r\n\r\n"), "421");
    assert_eq!(status("GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n"), "421");
    assert_eq!(status("GET / HTTP/1.1\r\n\r\n"), "421");
    assert_eq!(status("nonsense\r\n\r\n"), "400");
    assert_eq!(status(&format!("POST /token HTTP/1.1\r\n{host}\r\nContent-Length: 9999999\r\n\r\n")), "413");
    assert_eq!(status(&format!("POST /token HTTP/1.1\r\n{host}\r\nContent-Length: -1\r\n\r\n")), "400");
    assert_eq!(
        status(&format!("POST /token HTTP/1.1\r\n{host}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")),
        "400"
    );
    assert_eq!(
        status(&format!("POST /token HTTP/1.1\r\n{host}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
        "411"
    );
    assert_eq!(status(&format!("GET / HTTP/1.1\r\n{host}\r\nX: {}\r\n\r\n", "x".repeat(17_000))), "431");
    assert_eq!(status(&format!("GET / HTTP/1.1\r\n{host}\r\n\r\n")), "200");
}
