//! How far a request got, and that it is sent once.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use hallpass::http::{Client, Settings};
use hallpass_core::{Event, Reach};

use crate::servers::{BODY, Server, failed, get, never, post, read_request, responded};

fn client() -> Client {
    Client::new(Settings::default())
}

fn client_with(variables: &'static [(&'static str, String)]) -> Client {
    let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
    Client::new(Settings::from_variables(&lookup))
}

#[test]
fn a_whole_answer_is_handed_over() {
    let mut answer = b"HTTP/1.1 400 Bad Request\r\nX-One: a\r\nContent-Length: 4\r\n\r\nbo".to_vec();
    answer.extend_from_slice(b"\xffy");
    let server = Server::answering(answer);
    let response = responded(client().send(&post(&server.url()), &never));
    assert_eq!(response.status, 400);
    assert_eq!(response.body.expose(), "bo\u{fffd}y");
    assert!(response.headers.iter().any(|(name, value)| name.eq_ignore_ascii_case("x-one") && value.expose() == "a"));
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    let request = requests[0].to_ascii_lowercase();
    assert!(request.starts_with("post /token?code=canary http/1.1\r\n"), "{request}");
    assert!(request.ends_with(&format!("\r\n\r\n{BODY}")), "{request}");
    assert!(request.contains(&format!("content-length: {}\r\n", BODY.len())), "{request}");
    assert!(!request.contains("user-agent"), "{request}");
    assert!(!request.contains("transfer-encoding"), "{request}");
}

#[test]
fn the_user_agent_is_sent_when_there_is_one() {
    let server = Server::answering("HTTP/1.1 204 No Content\r\n\r\n");
    let client = Client::new(Settings { user_agent: Some("hallpass/1".into()), ..Settings::default() });
    assert_eq!(responded(client.send(&get(&server.url()), &never)).status, 204);
    assert!(server.requests()[0].to_ascii_lowercase().contains("user-agent: hallpass/1\r\n"));
}

#[test]
fn statuses_of_trouble_are_answers() {
    for status in [401, 407, 429, 500, 502, 503, 504] {
        let server = Server::answering(format!("HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!(responded(client().send(&post(&server.url()), &never)).status, status);
        assert_eq!(server.seen(), 1);
    }
}

#[test]
fn redirects_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let canary = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        let location = canary.url();
        let server = Server::answering(format!(
            "HTTP/1.1 {status} Over there\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
        ));
        for request in [post(&server.url()), get(&server.url())] {
            assert_eq!(responded(client().send(&request, &never)).status, status);
        }
        assert_eq!((server.seen(), canary.seen()), (2, 0));
    }
}

#[test]
fn what_never_left_is_not_sent() {
    let closed = TcpListener::bind(("127.0.0.1", 0)).expect("a port").local_addr().expect("an address").port();
    for (url, words) in [
        (format!("http://127.0.0.1:{closed}/?canary"), "refused"),
        ("https://name.invalid/?canary".to_owned(), "name.invalid cannot be resolved"),
        ("http://example.com/?canary".to_owned(), "must be https"),
        ("ftp://example.com/?canary".to_owned(), "neither https nor http"),
        ("https://canary@example.com/".to_owned(), "user name"),
    ] {
        for request in [post(&url), get(&url)] {
            let (reach, detail) = failed(client().send(&request, &never));
            assert_eq!(reach, Reach::NotSent, "{url}: {detail}");
            assert!(detail.contains(words), "{url}: {detail}");
        }
    }
}

#[test]
fn a_header_that_could_smuggle_another_is_not_sent() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    for (name, value) in
        [("authorization", "Bearer a\r\nx: canary"), ("a b", "canary"), ("x\r\ny", "canary"), ("x", "\0")]
    {
        let mut request = post(&server.url());
        request.headers.push((name.into(), value.into()));
        assert_eq!(failed(client().send(&request, &never)).0, Reach::NotSent);
    }
    assert_eq!(server.seen(), 0);
}

#[test]
fn a_connection_that_hangs_is_not_sent() {
    let mut request = post("https://192.0.2.1/token?canary");
    request.deadline = 600;
    let begin = Instant::now();
    let (reach, detail) = failed(client().send(&request, &never));
    assert_eq!(reach, Reach::NotSent, "{detail}");
    assert!(begin.elapsed() < Duration::from_secs(2));
}

#[test]
fn what_may_have_arrived_is_unanswered() {
    let servers = [
        Server::start(|stream, _| drop(stream)),
        Server::start(|mut stream, note| note(read_request(&mut stream))),
        Server::start(|mut stream, _| drop(stream.read(&mut [0; 10]))),
        Server::start(|mut stream, note| {
            note(read_request(&mut stream));
            thread::sleep(Duration::from_secs(5));
        }),
        Server::answering("HTTP/1.1 20"),
        Server::answering("no HTTP at all, canary\r\n\r\n"),
    ];
    for (index, server) in servers.iter().enumerate() {
        for mut request in [post(&server.url()), get(&server.url())] {
            request.deadline = 500;
            let begin = Instant::now();
            let (reach, detail) = failed(client().send(&request, &never));
            assert_eq!(reach, Reach::Unanswered, "{index}: {detail}");
            assert!(begin.elapsed() < Duration::from_millis(1500), "{index}");
        }
        assert_eq!(server.seen(), 2, "{index}: sent once each");
    }
}

#[test]
fn an_answer_that_breaks_off_is_broken() {
    let whole = "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{\"refresh_token\":\"canary";
    let head = whole.find("\r\n\r\n").expect("a head") + 4;
    for end in head..=whole.len() {
        let server = Server::answering(&whole.as_bytes()[..end]);
        let (reach, detail) = failed(client().send(&post(&server.url()), &never));
        assert_eq!(reach, Reach::Broken(200), "{end}: {detail}");
    }
    let chunked = "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nff\r\ncanary";
    let server = Server::answering(chunked);
    assert_eq!(failed(client().send(&post(&server.url()), &never)).0, Reach::Broken(201));
    let liar = Server::answering("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\ncanary\r\n0\r\n\r\n");
    assert_eq!(failed(client().send(&post(&liar.url()), &never)).0, Reach::Broken(201));
}

#[test]
fn bodies_end_at_one_mebibyte() {
    for (length, fits) in [(1024 * 1024, true), (1024 * 1024 + 1, false)] {
        for framing in [format!("Content-Length: {length}\r\n"), String::new()] {
            let mut answer = format!("HTTP/1.1 200 OK\r\n{framing}Connection: close\r\n\r\n").into_bytes();
            answer.resize(answer.len() + length, b'x');
            let server = Server::answering(answer);
            let event = client().send(&post(&server.url()), &never);
            if fits {
                assert_eq!(responded(event).body.len(), length);
            } else {
                let (reach, detail) = failed(event);
                assert_eq!(reach, Reach::Broken(200));
                assert!(detail.contains("1 MiB"), "{detail}");
            }
        }
    }
}

#[test]
fn a_body_that_drips_ends_at_the_deadline() {
    let server = Server::start(|mut stream, note| {
        note(read_request(&mut stream));
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    let mut request = post(&server.url());
    request.deadline = 700;
    let begin = Instant::now();
    assert_eq!(failed(client().send(&request, &never)).0, Reach::Broken(200));
    assert!(begin.elapsed() < Duration::from_millis(1500));
}

#[test]
fn only_what_may_be_interrupted_is_cancelled() {
    let server = Server::start(|mut stream, note| {
        note(read_request(&mut stream));
        thread::sleep(Duration::from_millis(800));
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    let mut request = post(&server.url());
    let begin = Instant::now();
    let after = || begin.elapsed() > Duration::from_millis(150);
    assert_eq!(responded(client().send(&request, &after)).status, 200);
    request.interruptible = true;
    let begin = Instant::now();
    let after = || begin.elapsed() > Duration::from_millis(150);
    assert_eq!(client().send(&request, &after), Event::Cancelled);
    assert!(begin.elapsed() < Duration::from_millis(500));
    assert_eq!(client().send(&request, &|| true), Event::Cancelled);
    assert_eq!(responded(client().send(&request, &never)).status, 200);
    assert_eq!(server.seen(), 3, "what is cancelled beforehand is not sent");
}

#[test]
fn loopback_goes_past_every_proxy() {
    let proxy = Server::answering("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let address = format!("http://127.0.0.1:{}", proxy.port);
    let variables = vec![("ALL_PROXY", address.clone()), ("HTTPS_PROXY", address.clone()), ("http_proxy", address)];
    let client = client_with(variables.leak());
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/", server.port);
        assert_eq!(responded(client.send(&post(&url), &never)).status, 200);
    }
    assert_eq!(proxy.seen(), 0);
}

#[cfg(feature = "tls")]
#[test]
fn what_a_proxy_does_not_let_through_is_not_sent() {
    for (answer, words) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "407"),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "403"),
        ("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "502"),
        ("", "proxy"),
        ("HTTP/1.1 200 OK\r\n\r\n", "proxy"),
        ("HTTP/1.1 200 OK\r\n\r\nthis is no TLS", "proxy"),
    ] {
        let proxy = Server::answering(answer);
        let variables = vec![("HTTPS_PROXY", format!("http://who:canary@127.0.0.1:{}", proxy.port))];
        let mut request = post("https://auth.example.com/token?canary");
        request.deadline = 1000;
        let (reach, detail) = failed(client_with(variables.leak()).send(&request, &never));
        assert_eq!(reach, Reach::NotSent, "{answer}: {detail}");
        let shown = format!("127.0.0.1:{} (HTTPS_PROXY)", proxy.port);
        assert!(detail.contains(words) && detail.contains(&shown), "{detail}");
        assert!(proxy.requests()[0].starts_with("CONNECT auth.example.com:443 HTTP/1.1\r\n"));
        assert!(proxy.requests().iter().all(|request| !request.contains(BODY)));
    }
}

#[cfg(feature = "tls")]
#[test]
fn a_proxy_that_hangs_ends_at_the_deadline() {
    let proxy = Server::start(|mut stream, _| {
        let _ = stream.read(&mut [0; 1000]);
        thread::sleep(Duration::from_millis(800));
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        thread::sleep(Duration::from_secs(5));
    });
    let variables = vec![("all_proxy", format!("127.0.0.1:{}", proxy.port))];
    let mut request = post("https://auth.example.com/token?canary");
    request.deadline = 1000;
    let begin = Instant::now();
    let (reach, detail) = failed(client_with(variables.leak()).send(&request, &never));
    assert_eq!(reach, Reach::NotSent, "{detail}");
    assert!(begin.elapsed() < Duration::from_millis(1500), "{:?}", begin.elapsed());
}

#[test]
fn exceptions_go_past_the_proxy_and_unusable_ones_are_named() {
    let proxy = Server::answering("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    let address = format!("http://127.0.0.1:{}", proxy.port);
    let direct = client_with(vec![("HTTPS_PROXY", address), ("NO_PROXY", ".invalid".to_owned())].leak());
    let (reach, detail) = failed(direct.send(&post("https://name.invalid/?canary"), &never));
    assert_eq!((reach, proxy.seen()), (Reach::NotSent, 0), "{detail}");
    let unusable = client_with(vec![("ALL_PROXY", "socks5://canary@127.0.0.1:1".to_owned())].leak());
    let (reach, detail) = failed(unusable.send(&post("https://name.invalid/?canary"), &never));
    assert_eq!(reach, Reach::NotSent);
    assert!(detail.contains("ALL_PROXY") && detail.contains("socks5"), "{detail}");
}
