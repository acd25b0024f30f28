//! A whole session through a CONNECT proxy that wants a password, with a server whose certificate is of a private
//! authority; and what no variable and no argument can turn off.
#![cfg(feature = "tls")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hallpass::authorization_server::Serving;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use support::{Home, Ran, Way, bare, server_with, sign_in};

/// Where the server is, as far as anybody outside of the proxy can tell.
const ISSUER: &str = "https://id.example.test";

/// What a connection is handed to, on a port of this machine.
fn listen(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let socket = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = socket.local_addr().unwrap().port();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in socket.incoming().map_while(Result::ok) {
            let serve = serve.clone();
            thread::spawn(move || serve(stream));
        }
    });
    port
}

/// One request as it came, up to the end of its body.
fn read_request(stream: &mut impl Read) -> String {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let fields = head.lines().filter_map(|line| line.split_once(": "));
            let length = fields.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
            if body.len() >= length.map(|(_, length)| length.parse().unwrap()).next().unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut buffer) {
            Ok(amount @ 1..) => bytes.extend_from_slice(&buffer[..amount]),
            _ => return text,
        }
    }
}

/// A server behind TLS, behind a CONNECT proxy.
struct Network {
    serving: Serving,
    proxy: String,
    /// The PEM of the authority that has signed the server's certificate.
    authority: String,
    /// What the proxy was asked for.
    connects: Arc<Mutex<Vec<String>>>,
}

impl Network {
    fn new(name: &str, adjust: impl FnOnce(&mut CertificateParams)) -> Self {
        let serving = server_with(|_| {});
        ISSUER.clone_into(&mut serving.lock().options_mut().issuer);
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "private authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        adjust(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        let (config, plain) = (Arc::new(config), serving.port());
        let secure = listen(move |tcp| {
            let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), tcp);
            let request = read_request(&mut stream);
            if request.is_empty() {
                return;
            }
            let mut server = TcpStream::connect(("127.0.0.1", plain)).unwrap();
            let named = request.replacen("id.example.test\r\n", &format!("127.0.0.1:{plain}\r\n"), 1);
            server.write_all(named.as_bytes()).unwrap();
            let mut answer = Vec::new();
            server.read_to_end(&mut answer).unwrap();
            let _ = stream.write_all(&answer);
            stream.conn.send_close_notify();
            let _ = stream.flush();
        });
        let connects = Arc::new(Mutex::new(Vec::new()));
        let (notes, wanted) = (connects.clone(), format!("Basic {}\r\n", STANDARD.encode("who:pass word")));
        let proxy = listen(move |mut stream| {
            let head = read_request(&mut stream);
            notes.lock().unwrap().push(head.lines().next().unwrap_or_default().to_owned());
            if !head.contains(&wanted) {
                let _ = stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
                return;
            }
            let _ = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
            let mut server = TcpStream::connect(("127.0.0.1", secure)).unwrap();
            let (mut from, mut to) = (server.try_clone().unwrap(), stream.try_clone().unwrap());
            thread::spawn(move || drop(std::io::copy(&mut from, &mut to)));
            let _ = std::io::copy(&mut stream, &mut server);
        });
        let proxy = format!("http://who:pass%20word@127.0.0.1:{proxy}");
        Self { serving, proxy, authority: authority.pem(), connects }
    }

    fn command(&self, home: &Home, line: &str, authority: Option<&Path>) -> Command {
        let mut command = home.command(line);
        command.env("HTTPS_PROXY", &self.proxy);
        if let Some(authority) = authority {
            command.env("CODEX_CA_CERTIFICATE", authority);
        }
        command
    }
}

fn log_in() -> String {
    format!("login --json --issuer {ISSUER} --client-id hallpass")
}

#[test]
fn a_whole_session_goes_through_the_proxy_to_a_private_authority_s_server() {
    let network = Network::new("id.example.test", |_| ());
    let home = Home::new();
    let authority = home.file("authority.pem");
    std::fs::write(&authority, &network.authority).unwrap();
    let command = |line: &str| network.command(&home, line, Some(&authority));

    let mut login = command(&format!("{} --device-auth", log_in()));
    login.env("SSL_CERT_FILE", "/nowhere.pem");
    sign_in(login, &network.serving, Way::Redirected, "").expect(0);
    let first = Ran::of(command("token").output().unwrap()).expect(0).stdout;
    let second = Ran::of(command("token --refresh").output().unwrap()).expect(0).stdout;
    assert_ne!(first, second);
    Ran::of(command("logout").output().unwrap()).expect(0);
    assert!(network.serving.lock().families().all(|family| family.revoked.is_some()));

    let connects = network.connects.lock().unwrap();
    assert!(connects.iter().all(|line| line == "CONNECT id.example.test:443 HTTP/1.1"), "{connects:?}");
    assert!(connects.len() >= 5, "discovery, the device's requests, the refresh, the revocation: {connects:?}");
}

#[test]
fn without_the_authority_nobody_is_believed_and_nothing_turns_that_off() {
    let network = Network::new("id.example.test", |_| ());
    let home = Home::new();
    let mut login = network.command(&home, &log_in(), None);
    for (name, value) in [
        ("NODE_TLS_REJECT_UNAUTHORIZED", "0"),
        ("PYTHONHTTPSVERIFY", "0"),
        ("GIT_SSL_NO_VERIFY", "1"),
        ("SSL_NO_VERIFY", "1"),
        ("CURL_INSECURE", "1"),
        ("CODEX_INSECURE", "1"),
        ("HALLPASS_INSECURE", "1"),
    ] {
        login.env(name, value);
    }
    let ran = Ran::of(login.output().unwrap()).expect(4);
    let said = ran.json()["error"]["message"].to_string();
    assert!(said.contains("unknown issuer") && said.contains("CODEX_CA_CERTIFICATE"), "{said}");
    assert!(said.contains("127.0.0.1") && !said.contains("pass"), "it names the proxy without its password: {said}");
    for flag in ["--insecure", "-k", "--no-verify", "--no-check-certificate", "--skip-tls-verify"] {
        Ran::of(bare(&format!("status {flag}")).output().unwrap()).expect(2);
    }
    assert_eq!(network.serving.lock().token_requests(), 0);
}

#[test]
fn expired_and_foreign_certificates_are_named_and_nothing_is_sent() {
    let expired = |params: &mut CertificateParams| params.not_after = date_time_ymd(2001, 1, 1);
    for (network, words) in [
        (Network::new("id.example.test", expired), "expired"),
        (Network::new("other.example.test", |_| ()), "another host"),
    ] {
        let home = Home::new();
        let authority = home.file("authority.pem");
        std::fs::write(&authority, &network.authority).unwrap();
        let ran = Ran::of(network.command(&home, &log_in(), Some(&authority)).output().unwrap()).expect(4);
        let said = ran.json()["error"]["message"].to_string();
        assert!(said.contains(words), "{said}");
        assert_eq!(network.serving.lock().journal().len(), 0);
    }
}

#[test]
fn a_bundle_that_cannot_be_used_is_named_with_its_variable() {
    let network = Network::new("id.example.test", |_| ());
    let home = Home::new();
    let garbage = home.file("garbage.pem");
    std::fs::write(&garbage, "-----BEGIN CERTIFICATE-----\nno base64\n-----END CERTIFICATE-----\n").unwrap();
    for (variable, path) in
        [("CODEX_CA_CERTIFICATE", garbage.as_path()), ("SSL_CERT_FILE", &home.path), ("SSL_CERT_FILE", &garbage)]
    {
        let mut login = network.command(&home, &log_in(), None);
        login.env(variable, path);
        let error = Ran::of(login.output().unwrap()).expect(2).json()["error"].clone();
        assert_eq!(error["code"], "invalid_variable", "{error}");
        let said = error["message"].to_string();
        assert!(said.contains(variable) && said.contains(path.to_str().unwrap()), "{said}");
        assert!(!said.contains("no base64") && error["help"].to_string().contains("PEM file"), "{error}");
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_the_variable_s_fault() {
    let network = Network::new("id.example.test", |_| ());
    let home = Home::new();
    for (proxy, words) in [
        (network.proxy.replace("http://", "socks5://"), "socks5"),
        ("http://who:pass%20word@".to_owned(), "proper proxy address"),
    ] {
        let mut login = network.command(&home, &log_in(), None);
        login.env("HTTPS_PROXY", &proxy);
        let error = Ran::of(login.output().unwrap()).expect(2).json()["error"].clone();
        assert_eq!(error["code"], "invalid_variable", "{error}");
        let said = error["message"].to_string();
        assert!(said.contains(words) && said.contains("`HTTPS_PROXY`"), "{said}");
        assert!(
            error["help"].to_string().contains("NO_PROXY") && !error.to_string().contains("pass%20word"),
            "{error}"
        );
    }
    assert!(network.connects.lock().unwrap().is_empty());
}

#[test]
fn the_proxy_s_own_errors_are_told() {
    let network = Network::new("id.example.test", |_| ());
    let home = Home::new();
    for (proxy, words) in
        [(network.proxy.replace("who:pass%20word@", ""), "407"), (network.proxy.replace("pass%20word", "other"), "407")]
    {
        let mut login = network.command(&home, &log_in(), None);
        login.env("HTTPS_PROXY", &proxy);
        let said = Ran::of(login.output().unwrap()).expect(4).json()["error"]["message"].to_string();
        assert!(said.contains(words) && said.contains("HTTPS_PROXY"), "{said}");
        assert!(!said.contains("pass%20word") && !said.contains("other@"), "{said}");
    }
}
