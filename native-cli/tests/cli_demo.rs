//! The demo: it tells its story, leaves nothing behind, and its server serves.

#![cfg(feature = "tls")]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

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
