//! The demo: it tells its story, leaves nothing behind, and its server serves.

#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use support::{Home, visit, with_input};

#[test]
fn the_cycle_is_told_and_nothing_is_left() {
    let home = Home::new();
    let mut command = home.command("demo");
    command.env("TMPDIR", &home.path).env("TEMP", &home.path);
    // What a person's environment says about their own sessions is nothing to the demo.
    command.env("CODEX_REFRESH_TOKEN_URL_OVERRIDE", "http://127.0.0.1:1/oauth/token");
    let ran = with_input(command, b"").expect(0);
    for chapter in 1..=7 {
        assert!(ran.stdout.contains(&format!("\n{chapter}. ")), "{ran:?}");
    }
    assert!(ran.stdout.contains("What to try next"), "{ran:?}");
    assert_eq!(ran.stderr, "");
    for secret in ["eyJ", "sk-", "code=", "state="] {
        assert!(!ran.stdout.contains(secret), "{secret} {ran:?}");
    }
    // One story: what is left of the token, and the record as Codex orders it.
    assert!(ran.stdout.contains("expires       in 3 minutes"), "{ran:?}");
    assert!(ran.stdout.contains("The stored one has 3 left"), "{ran:?}");
    let order = "bytes: auth_mode, OPENAI_API_KEY, tokens (id_token, access_token, refresh_token, ";
    assert!(ran.stdout.contains(order), "{ran:?}");
    assert_eq!(fs::read_dir(&home.path).unwrap().count(), 0);
}

#[test]
fn the_server_says_where_it_is_and_serves() {
    let home = Home::new();
    let mut child = home
        .command("demo --serve --port 0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let issuer = line.trim_end().strip_prefix("issuer ").unwrap();
    assert_eq!(visit(&format!("{issuer}/.well-known/openid-configuration")).0, 200);
    let port = issuer.rsplit_once(':').unwrap().1;
    let ran = home.run(&format!("demo --serve --port {port}")).expect(5);
    assert!(ran.stderr.contains("\nhelp: choose another with `--port`\n"), "{ran:?}");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// `hallpass demo --serve` on a port of its own, with a page of this text.
struct Demo {
    child: std::process::Child,
    port: String,
    _home: Home,
}

impl Demo {
    fn start() -> Self {
        let home = Home::new();
        let page = home.file("page");
        fs::create_dir(&page).unwrap();
        fs::write(page.join("index.html"), "<h1>the page</h1>").unwrap();
        fs::write(page.join("hallpass.wasm"), "module").unwrap();
        fs::write(home.file("outside.txt"), "outside").unwrap();
        let mut command = home.command("demo --serve --port 0");
        command.env("HALLPASS_PLAYGROUND", &page).stderr(Stdio::null());
        Self::of(command, home)
    }

    fn of(mut command: Command, home: Home) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let issuer = lines.next().unwrap();
        let port = issuer.rsplit_once(':').unwrap().1.to_owned();
        assert_eq!(lines.next().unwrap(), format!("playground http://127.0.0.1:{port}/playground/"));
        Self { child, port, _home: home }
    }

    /// The status line, the header fields and the body.
    fn ask(&self, line: &str, fields: &str) -> String {
        self.ask_at("127.0.0.1", line, fields)
    }

    /// As `ask`, by another name of this machine.
    fn ask_at(&self, name: &str, line: &str, fields: &str) -> String {
        let mut stream = TcpStream::connect(format!("127.0.0.1:{}", self.port)).unwrap();
        write!(stream, "{line} HTTP/1.1\r\nHost: {name}:{}\r\n{fields}\r\n", self.port).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_playground_is_served_and_nothing_beside_it() {
    let demo = Demo::start();
    let page = demo.ask("GET /playground/", "");
    assert!(page.starts_with("HTTP/1.1 200 ") && page.ends_with("<h1>the page</h1>"), "{page}");
    assert!(
        page.contains("Content-Security-Policy: default-src 'none'; script-src 'self' 'wasm-unsafe-eval';"),
        "{page}"
    );
    assert!(demo.ask("GET /playground/hallpass.wasm", "").contains("Content-Type: application/wasm"));
    assert!(demo.ask("GET /playground", "").contains("Location: /playground/"));
    for hidden in ["../outside.txt", "%2e%2e/outside.txt", "..%2foutside.txt", "/etc/passwd", "nothing.js", ".env"] {
        let answer = demo.ask(&format!("GET /playground/{hidden}"), "");
        assert!(answer.starts_with("HTTP/1.1 404 ") && !answer.contains("outside"), "{hidden}: {answer}");
    }
    assert!(demo.ask("POST /playground/", "").starts_with("HTTP/1.1 405 "));
}

#[test]
fn the_playground_is_shown_where_its_issuer_is() {
    let demo = Demo::start();
    for target in ["/playground", "/playground/", "/playground/assets/page.js?a=b"] {
        for name in ["localhost", "LOCALHOST"] {
            let answer = demo.ask_at(name, &format!("GET {target}"), "");
            let location = format!("\r\nLocation: http://127.0.0.1:{}{target}\r\n", demo.port);
            assert!(answer.starts_with("HTTP/1.1 308 ") && answer.contains(&location), "{target}: {answer}");
        }
    }
    assert!(demo.ask_at("localhost", "GET /.well-known/openid-configuration", "").starts_with("HTTP/1.1 200 "));
}

#[test]
fn a_playground_that_is_not_there_says_how_to_get_it() {
    let home = Home::new();
    let mut command = home.command("demo --serve --port 0");
    let page = home.file("page");
    command.env("HALLPASS_PLAYGROUND", &page).stderr(Stdio::piped());
    let mut demo = Demo::of(command, home);
    let words =
        [&format!("there is no index.html in {}.", page.display()), "wasm/playground/build", "HALLPASS_PLAYGROUND="];
    let shown = demo.ask("GET /playground/", "");
    assert!(shown.starts_with("HTTP/1.1 404 ") && words.iter().all(|word| shown.contains(word)), "{shown}");
    demo.child.kill().unwrap();
    let mut told = String::new();
    demo.child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(words.iter().all(|word| told.contains(word)) && !told.contains("Open the playground"), "{told}");
}

#[test]
fn only_the_page_has_the_controls() {
    let demo = Demo::start();
    let ours = format!("Hallpass-Demo: 1\r\nOrigin: http://127.0.0.1:{}\r\nSec-Fetch-Site: same-origin\r\n", demo.port);
    let others = [
        String::new(),
        format!("Origin: http://127.0.0.1:{}\r\nSec-Fetch-Site: same-origin\r\n", demo.port),
        "Hallpass-Demo: 1\r\nOrigin: https://evil.example\r\n".to_owned(),
        "Hallpass-Demo: 1\r\nOrigin: null\r\n".to_owned(),
        format!("Hallpass-Demo: 1\r\nOrigin: http://localhost:{}\r\n", demo.port),
        "Hallpass-Demo: 1\r\nSec-Fetch-Site: cross-site\r\n".to_owned(),
        "Hallpass-Demo: 1\r\nSec-Fetch-Site: same-site\r\n".to_owned(),
    ];
    for line in ["POST /demo/revoke", "POST /demo/lifetime?value=60", "GET /demo/journal?since=0"] {
        for fields in &others {
            let answer = demo.ask(line, fields);
            assert!(
                answer.starts_with("HTTP/1.1 403 ") && !answer.contains("Allow-Origin"),
                "{line} {fields}: {answer}"
            );
        }
        assert!(demo.ask(line, &ours).starts_with("HTTP/1.1 200 "), "{line}");
    }
    // Who asks for permission first is given none.
    let asked = "Origin: https://evil.example\r\nAccess-Control-Request-Headers: hallpass-demo\r\n";
    assert!(!demo.ask("OPTIONS /demo/revoke", asked).contains("Access-Control-Allow"));
    let journal = demo.ask("GET /demo/journal?since=0", &ours);
    assert!(journal.contains("\"lifetime\":60") && journal.contains("\"token_requests\":0"), "{journal}");
    assert!(demo.ask("POST /demo/nothing", &ours).starts_with("HTTP/1.1 404 "));
    assert!(demo.ask("GET /demo/revoke", &ours).starts_with("HTTP/1.1 405 "));
}

#[test]
fn a_lost_answer_was_processed_all_the_same() {
    let demo = Demo::start();
    let ours = "Hallpass-Demo: 1\r\n";
    assert!(demo.ask("POST /demo/lose", ours).starts_with("HTTP/1.1 200 "));
    assert_eq!(demo.ask("POST /token", ""), "");
    let journal = demo.ask("GET /demo/journal?since=0", ours);
    assert!(journal.contains("\"token_requests\":1") && journal.contains("fault at Token: lost answer"), "{journal}");
    assert!(demo.ask("POST /token", "").starts_with("HTTP/1.1 400 "));
}
