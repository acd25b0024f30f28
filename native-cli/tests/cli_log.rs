//! The log: what somebody who needs help sends by mail.
#![cfg(feature = "tls")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;

use hallpass::authorization_server::{Endpoint, Fault, PlannedFault, Serving};
use support::{Home, Way, server, sign_in};

const LOG: &str = "log/codex-login.log";

fn signed_in() -> (Home, Serving) {
    let (home, serving) = (Home::new(), server());
    let line = format!("login --json --provider openai --issuer {} --no-browser --port 0", serving.issuer);
    sign_in(home.command(&line), &serving, Way::Redirected, "").expect(0);
    (home, serving)
}

fn log(home: &Home) -> String {
    fs::read_to_string(home.file(LOG)).unwrap()
}

#[test]
fn a_login_can_be_followed_from_its_begin_to_its_end() {
    let (home, serving) = signed_in();
    let log = log(&home);
    let mut rest = log.as_str();
    for expected in [
        "INFO hallpass: login ",
        " begins: hallpass ",
        " listen on [0] -> listening, as http://127.0.0.1:",
        " present a page to sign in -> presented (",
        " await -> called: GET /auth/callback with [code ",
        &format!(" POST {}/oauth/token -> 200 (", serving.issuer),
        " lock Transaction -> locked (",
        " save Record(File) -> saved (",
        " save Sidecar -> saved (",
        " reply SignedIn -> replied (",
        " ended well (",
    ] {
        let at = rest.find(expected).unwrap_or_else(|| panic!("`{expected}` is not in its place: {log}"));
        rest = &rest[at + expected.len()..];
    }
    let runs: std::collections::BTreeSet<_> = log.lines().map(|line| line.split(' ').nth(4).unwrap()).collect();
    assert_eq!(runs.len(), 1, "one run, one number: {log}");
}

#[test]
fn a_token_that_is_good_is_not_worth_a_line() {
    let (home, _serving) = signed_in();
    fs::remove_dir_all(home.file("log")).unwrap();
    for line in ["token", "token --json", "status", "status --json"] {
        home.run(line).expect(0);
    }
    assert!(!home.file("log").exists());
    home.run("token --refresh").expect(0);
    assert!(log(&home).contains(" ended well ("));
}

#[test]
fn a_failure_is_there_with_its_reason() {
    let (home, serving) = signed_in();
    let fault = Fault::Status { status: 503, retry_after: None, processed: false };
    serving.lock().plan(PlannedFault { endpoint: Endpoint::Token, fault, times: None });
    home.run("token --refresh").expect(4);
    let log = log(&home);
    let last: Vec<_> = log.lines().rev().take(8).collect();
    assert!(
        last[0].contains("ERROR hallpass: token ") && last[0].contains(" ended with server_unavailable: "),
        "{log}"
    );
    assert!(last.iter().any(|line| line.contains(" WARN ") && line.contains("/oauth/token -> 503 (")), "{log}");
}

#[test]
fn config_toml_says_where_it_is() {
    let (home, _serving) = signed_in();
    fs::remove_dir_all(home.file("log")).unwrap();
    fs::write(home.file("config.toml"), "log_dir = \"logs\"\n").unwrap();
    home.run("token --refresh").expect(0);
    assert!(home.file("logs/codex-login.log").exists() && !home.file("log").exists());
}

#[test]
fn a_log_that_cannot_be_written_is_nobodys_concern() {
    let (home, _serving) = signed_in();
    fs::remove_dir_all(home.file("log")).unwrap();
    fs::write(home.file("log"), "in its place").unwrap();
    let ran = home.run("token --refresh").expect(0);
    assert_eq!(ran.stderr, "");
    fs::remove_file(home.file("log")).unwrap();
    fs::create_dir_all(home.file(LOG)).unwrap();
    assert_eq!(home.run("token --refresh").expect(0).stderr, "");
}
