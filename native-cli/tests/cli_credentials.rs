//! Credentials that a person hands in: stored as Codex stores them, shown, printed, deleted.
#![cfg(feature = "tls")]

mod support;

use std::fs;

use serde_json::json;
use support::{Home, server};

const KEY: &str = "sk-test-0123456789abcdefXYZ";
const RECORD: &str = include_str!("vectors/auth.apikey.json");

#[test]
fn an_api_key_is_stored_byte_for_byte_as_codex_stores_it() {
    let home = Home::new();
    let ran = home.run_with_input("login --with-api-key", format!("  {KEY}\n").as_bytes()).expect(0);
    assert_eq!(ran.stdout, "");
    assert!(!ran.stderr.contains(KEY), "{ran:?}");
    assert_eq!(home.record(), RECORD);
}

#[test]
fn an_api_key_of_codex_is_read() {
    let home = Home::new();
    fs::write(home.file("auth.json"), RECORD).unwrap();

    let status = home.run("status").expect(0);
    assert!(status.stdout.starts_with("Logged in with an API key\n"), "{status:?}");
    assert!(status.stdout.contains(&home.file("auth.json").display().to_string()), "{status:?}");
    assert!(!status.stdout.contains(KEY), "{status:?}");
    assert_eq!(home.run("login status").expect(0).stdout, status.stdout);

    let answer = home.run("status --json").expect(0).json();
    let names: Vec<_> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "account",
        "capabilities",
        "expires_at",
        "last_refresh",
        "location",
        "logged_in",
        "method",
        "profile",
        "provider",
        "stale",
        "store",
        "warnings",
    ];
    assert_eq!(names, expected);
    assert_eq!(answer["method"], "apikey");
    assert_eq!(answer["store"], "file");

    assert_eq!(home.run("token").expect(0).stdout, format!("{KEY}\n"));
    let token = home.run("token --json").expect(0).json();
    let expected = json!({"access_token": KEY, "token_type": "Bearer", "expires_at": null, "account_id": null});
    assert_eq!(token, expected);
}

#[test]
fn a_logout_deletes_it_and_a_second_one_finds_nobody() {
    let home = Home::new();
    fs::write(home.file("auth.json"), RECORD).unwrap();
    let ran = home.run("logout --json").expect(0);
    let expected = json!({"logged_out": true, "was_logged_in": true, "revocation": "not_needed", "warnings": []});
    assert_eq!(ran.json(), expected);
    assert!(!home.file("auth.json").exists());

    let again = home.run("logout").expect(0);
    assert_eq!((again.stdout.as_str(), again.stderr.as_str()), ("", "Nobody was logged in.\n"));
    let status = home.run("status").expect(1);
    assert_eq!(status.stderr, "error: not logged in\nhelp: run `hallpass login`\n");
    assert_eq!(home.run("status --json").expect(1).json()["logged_in"], false);
    let token = home.run("token --json").expect(1).json();
    assert_eq!(token["error"]["code"], "not_logged_in");
}

#[test]
fn a_personal_access_token_is_checked_and_stored() {
    let (home, serving) = (Home::new(), server());
    let token = serving.lock().issue_personal_access_token("grace@example.com").unwrap();
    let line = format!("login --with-access-token --provider openai --issuer {}", serving.issuer);
    let ran = home.run_with_input(&line, token.as_bytes()).expect(0);
    assert!(ran.stderr.contains("Logged in with an access token"), "{ran:?}");
    assert!(!ran.stderr.contains(&token), "{ran:?}");
    assert_eq!(home.run("token").expect(0).stdout.trim_end(), token);

    let before = home.record();
    home.run_with_input(&line, b"at-nobody-knows-this").expect(6);
    assert_eq!(home.record(), before);
}

#[test]
fn what_is_no_secret_is_wrong_usage_and_changes_nothing() {
    let home = Home::new();
    fs::write(home.file("auth.json"), RECORD).unwrap();
    for input in [b"".to_vec(), b" \r\n".to_vec(), b"\xff\xfe".to_vec(), vec![b'x'; 70_000]] {
        let ran = home.run_with_input("login --with-api-key", &input).expect(2);
        assert!(ran.stderr.contains("\nerror: "), "{ran:?}");
    }
    assert_eq!(home.record(), RECORD);
}
