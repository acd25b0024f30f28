//! Whom TLS trusts.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hallpass::http::{Client, Proxies, Settings};
use hallpass_core::Reach;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::servers::{BODY, Server, failed, never, post, read_request, responded, scratch};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

fn configuration(
    authority: &Authority,
    names: &[&str],
    adjust: impl FnOnce(&mut CertificateParams),
) -> Arc<ServerConfig> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("parameters");
    adjust(&mut params);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .expect("a configuration");
    Arc::new(config)
}

fn server(authority: &Authority, names: &[&str], adjust: impl FnOnce(&mut CertificateParams)) -> Server {
    let config = configuration(authority, names, adjust);
    Server::start(move |tcp, note| {
        let connection = ServerConnection::new(config.clone()).expect("a connection");
        let mut stream = StreamOwned::new(connection, tcp);
        note(read_request(&mut stream));
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        stream.conn.send_close_notify();
        let _ = stream.flush();
    })
}

fn bundle(name: &str, contents: &str) -> PathBuf {
    let path = scratch(name);
    std::fs::write(&path, contents).expect("a file");
    path
}

fn trusting(path: &Path) -> Client {
    let ca_certificates = Some(("CODEX_CA_CERTIFICATE".to_owned(), path.to_owned()));
    Client::new(Settings { ca_certificates, ..Settings::default() })
}

fn url(server: &Server) -> String {
    format!("https://127.0.0.1:{}/token?canary", server.port)
}

#[test]
fn an_added_authority_is_trusted_and_no_other() {
    let (ours, others) = (authority("ours"), authority("others"));
    let server = server(&ours, &["127.0.0.1", "localhost"], |_| ());
    let path = bundle("ours.pem", &ours.pem());
    let client = trusting(&path);
    assert_eq!(responded(client.send(&post(&url(&server)), &never)).body.expose(), "ok");
    let by_name = format!("https://localhost:{}/", server.port);
    assert_eq!(responded(client.send(&post(&by_name), &never)).status, 200);
    for client in [Client::new(Settings::default()), trusting(&bundle("others.pem", &others.pem()))] {
        let (reach, detail) = failed(client.send(&post(&url(&server)), &never));
        assert_eq!(reach, Reach::NotSent);
        assert!(detail.contains("unknown issuer") && detail.contains("CODEX_CA_CERTIFICATE"), "{detail}");
    }
    assert_eq!(server.requests().iter().filter(|request| request.contains(BODY)).count(), 2);
}

#[test]
fn wrong_certificates_are_named() {
    let ours = authority("ours");
    let path = bundle("wrong.pem", &ours.pem());
    let expired = |params: &mut CertificateParams| params.not_after = date_time_ymd(2001, 1, 1);
    let future = |params: &mut CertificateParams| params.not_before = date_time_ymd(4000, 1, 1);
    for (server, words) in [
        (server(&ours, &["127.0.0.1"], expired), "expired"),
        (server(&ours, &["127.0.0.1"], future), "not valid yet"),
        (server(&ours, &["example.com"], |_| ()), "another host"),
        (Server::start(|stream, _| drop(stream)), "closed"),
        (Server::start(|mut stream, _| drop(stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n"))), "TLS"),
        (Server::start(|mut stream, _| while stream.read(&mut [0; 500]).is_ok_and(|read| read > 0) {}), "no answer"),
    ] {
        let mut request = post(&url(&server));
        request.deadline = 800;
        let (reach, detail) = failed(trusting(&path).send(&request, &never));
        assert_eq!(reach, Reach::NotSent, "{detail}");
        assert!(detail.contains(words) || (words == "closed" && detail.contains("reset")), "{words}: {detail}");
        assert!(server.requests().iter().all(|request| !request.contains(BODY)));
    }
}

#[test]
fn bundles_may_hold_several_and_trusted_ones() {
    let (ours, other) = (authority("ours"), authority("other"));
    let server = server(&ours, &["127.0.0.1"], |_| ());
    let mut trusted = ours.der().to_vec();
    trusted.extend_from_slice(&[0x30, 0x0c, 0x30, 0x0a, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1]);
    let trusted = format!(
        "-----BEGIN TRUSTED CERTIFICATE-----\n{}\n-----END TRUSTED CERTIFICATE-----\n",
        STANDARD.encode(trusted).as_bytes().chunks(64).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\n")
    );
    for contents in
        [format!("# a comment\n{}\n{}", other.pem(), ours.pem()), format!("{}{trusted}", other.pem()), trusted]
    {
        let path = bundle("several.pem", &contents);
        assert_eq!(responded(trusting(&path).send(&post(&url(&server)), &never)).status, 200);
    }
}

#[test]
fn an_unusable_bundle_is_named_and_can_be_mended() {
    let ours = authority("ours");
    let server = server(&ours, &["127.0.0.1"], |_| ());
    for contents in [
        "",
        "no PEM",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n",
    ] {
        let path = bundle("unusable.pem", contents);
        let client = trusting(&path);
        let (reach, detail) = failed(client.send(&post(&url(&server)), &never));
        assert_eq!((reach, server.seen()), (Reach::NotSent, 0));
        assert!(detail.contains("unusable.pem") && detail.contains("CODEX_CA_CERTIFICATE"), "{detail}");
    }
    let folder = scratch("folder.pem");
    std::fs::create_dir_all(&folder).expect("a folder");
    let (reach, detail) = failed(trusting(&folder).send(&post(&url(&server)), &never));
    assert_eq!((reach, server.seen()), (Reach::NotSent, 0));
    assert!(detail.contains("folder.pem") && detail.contains("CODEX_CA_CERTIFICATE"), "{detail}");
    let path = scratch("missing.pem");
    let client = trusting(&path);
    let (_, detail) = failed(client.send(&post(&url(&server)), &never));
    assert!(detail.contains("missing.pem"), "{detail}");
    std::fs::write(&path, ours.pem()).expect("a file");
    assert_eq!(responded(client.send(&post(&url(&server)), &never)).status, 200);
    std::fs::remove_file(&path).expect("it was there");
}

#[test]
fn a_bad_bundle_does_not_matter_to_plain_loopback() {
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let client = trusting(Path::new("/nowhere/at/all.pem"));
    assert_eq!(responded(client.send(&post(&server.url()), &never)).status, 200);
}

/// Joins two connections until either ends.
fn join(mut one: TcpStream, mut other: TcpStream) {
    let (mut from, mut to) = (one.try_clone().expect("a handle"), other.try_clone().expect("a handle"));
    let back = thread::spawn(move || drop(std::io::copy(&mut to, &mut from)));
    let _ = std::io::copy(&mut one, &mut other);
    let _ = other.shutdown(std::net::Shutdown::Both);
    let _ = one.shutdown(std::net::Shutdown::Both);
    let _ = back.join();
}

fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// A CONNECT proxy that leads everywhere to this port of this machine, and asks for these credentials where there
/// are any.
fn proxy(port: u16, credentials: Option<&str>) -> Server {
    let wanted = credentials.map(|pair| format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(pair)));
    Server::start(move |mut stream, note| {
        let head = read_head(&mut stream);
        let admits = wanted.as_ref().is_none_or(|wanted| head.contains(wanted));
        note(head);
        if !admits {
            let _ = stream.write_all(
                b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
            );
            return;
        }
        let _ = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
        join(stream, TcpStream::connect(("127.0.0.1", port)).expect("the server"));
    })
}

fn by_way_of(address: &str, path: &Path) -> Client {
    let proxies = Proxies::from_variables(&|name| (name == "https_proxy").then(|| address.into()));
    let ca_certificates = Some(("SSL_CERT_FILE".to_owned(), path.to_owned()));
    Client::new(Settings { ca_certificates, proxies, ..Settings::default() })
}

const BEHIND: &str = "https://auth.example.com/token?canary";

#[test]
fn a_proxy_carries_tls_to_the_server_and_sees_nothing_of_it() {
    let ours = authority("ours");
    let server = server(&ours, &["auth.example.com"], |_| ());
    let path = bundle("proxied.pem", &ours.pem());
    let open = proxy(server.port, None);
    let client = by_way_of(&format!("http://127.0.0.1:{}", open.port), &path);
    assert_eq!(responded(client.send(&post(BEHIND), &never)).body.expose(), "ok");
    let heads = open.requests();
    assert_eq!(heads.len(), 1);
    assert!(heads[0].starts_with("CONNECT auth.example.com:443 HTTP/1.1\r\n"), "{heads:?}");
    assert!(!heads[0].contains("canary") && !heads[0].to_ascii_lowercase().contains("authorization"), "{heads:?}");
}

#[test]
fn a_proxy_is_told_its_name_and_password_as_they_are_meant() {
    let ours = authority("ours");
    let server = server(&ours, &["auth.example.com"], |_| ());
    let path = bundle("credentials.pem", &ours.pem());
    let closed = proxy(server.port, Some("who@corp:p a:s%+s"));
    for (userinfo, reason) in
        [("who%40corp:p%20a%3As%25+s@", None), ("", Some("407")), ("who%40corp:canary@", Some("407"))]
    {
        let client = by_way_of(&format!("http://{userinfo}127.0.0.1:{}", closed.port), &path);
        match reason {
            None => assert_eq!(responded(client.send(&post(BEHIND), &never)).body.expose(), "ok"),
            Some(reason) => {
                let (reach, detail) = failed(client.send(&post(BEHIND), &never));
                assert_eq!(reach, Reach::NotSent);
                assert!(detail.contains(reason) && detail.contains("NAME:PASSWORD"), "{detail}");
            }
        }
    }
    assert_eq!(server.requests().iter().filter(|request| request.contains(BODY)).count(), 1);
}

/// A CONNECT proxy that is itself spoken to over TLS: what it decrypts is TLS again.
#[test]
fn behind_a_proxy_with_tls_the_server_has_tls_of_its_own() {
    let ours = authority("ours");
    let server = server(&ours, &["auth.example.com"], |_| ());
    let port = server.port;
    let config = configuration(&ours, &["127.0.0.1"], |_| ());
    let proxy = Server::start(move |tcp, note| {
        let connection = ServerConnection::new(config.clone()).expect("a connection");
        let mut stream = StreamOwned::new(connection, tcp);
        note(read_head(&mut stream));
        let _ = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
        let mut inner = TcpStream::connect(("127.0.0.1", port)).expect("the server");
        // One after the other, as TLS speaks: what came is passed on, and the answer is waited for.
        let pause = Some(std::time::Duration::from_millis(50));
        stream.sock.set_read_timeout(pause).expect("a timeout");
        inner.set_read_timeout(pause).expect("a timeout");
        let mut buffer = [0; 16 * 1024];
        for _ in 0..100 {
            if let Ok(read @ 1..) = stream.read(&mut buffer) {
                note(String::from_utf8_lossy(&buffer[..read]).into_owned());
                let _ = inner.write_all(&buffer[..read]);
            }
            if let Ok(read @ 1..) = inner.read(&mut buffer) {
                let _ = stream.write_all(&buffer[..read]);
                let _ = stream.flush();
            }
        }
    });
    let path = bundle("inner.pem", &ours.pem());
    let client = by_way_of(&format!("https://127.0.0.1:{}", proxy.port), &path);
    assert_eq!(responded(client.send(&post(BEHIND), &never)).body.expose(), "ok");
    let seen = proxy.requests();
    assert!(seen[0].starts_with("CONNECT auth.example.com:443 HTTP/1.1\r\n") && seen.len() > 1, "{seen:?}");
    assert!(seen.iter().all(|bytes| !bytes.contains("canary")), "the proxy must not see the request");
}
