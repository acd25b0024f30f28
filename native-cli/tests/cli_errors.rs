//! How commands fail: what they say, where, and with which exit code.
#![cfg(feature = "tls")]

mod support;

use std::fs;
use std::process::Stdio;

use support::{Home, Ran, bare, with_input};

const RECORD: &str = include_str!("vectors/auth.apikey.json");

#[test]
fn codex_home_must_be_a_folder_when_it_is_set() {
    let home = Home::new();
    fs::write(home.file("file"), "x").unwrap();
    for (value, expected) in [("missing", "does not exist"), ("file", "is not a folder")] {
        let mut command = home.command("status");
        command.env("CODEX_HOME", home.file(value));
        let ran = with_input(command, b"").expect(5);
        assert!(ran.stderr.starts_with("error: the home cannot be used: "), "{ran:?}");
        assert!(ran.stderr.contains(expected), "{ran:?}");
        assert!(ran.stderr.contains("\nhelp: create the folder"), "{ran:?}");
    }
}

#[test]
fn without_codex_home_it_is_the_folder_of_the_person() {
    let home = Home::new();
    for value in [None, Some("")] {
        let mut command = bare("status --json");
        command.env("HOME", &home.path);
        value.map(|value| command.env("CODEX_HOME", value));
        assert_eq!(with_input(command, b"").expect(1).json()["logged_in"], false);
    }
    fs::create_dir(home.file(".codex")).unwrap();
    fs::write(home.file(".codex/auth.json"), RECORD).unwrap();
    let mut command = bare("status --json");
    command.env("HOME", &home.path);
    let location = with_input(command, b"").expect(0).json()["location"].clone();
    assert_eq!(location, home.file(".codex/auth.json").display().to_string());
}

#[test]
fn a_relative_codex_home_is_made_absolute() {
    let home = Home::new();
    fs::create_dir(home.file("here")).unwrap();
    fs::write(home.file("here/auth.json"), RECORD).unwrap();
    let mut command = home.command("status --json");
    command.env("CODEX_HOME", "./here/../here").current_dir(&home.path);
    let location = with_input(command, b"").expect(0).json()["location"].clone();
    assert_eq!(location, home.file("here/auth.json").display().to_string());
}

#[test]
fn a_login_makes_the_home_that_was_named() {
    let home = Home::new();
    let mut command = home.command("login --with-api-key --home new");
    command.current_dir(&home.path);
    with_input(command, b"sk-1").expect(0);
    assert!(home.file("new/auth.json").exists());
}

#[test]
fn what_cannot_be_read_as_a_record_is_said_without_quoting_it() {
    let home = Home::new();
    for text in ["{\"OPENAI_API_KEY\": \"sk-secret", "[]", "null", "", "<html>sk-secret</html>", "{\"tokens\": 1}"] {
        fs::write(home.file("auth.json"), text).unwrap();
        for command in ["status", "token"] {
            let ran = home.run(command);
            assert!(matches!(ran.code, Some(1 | 5)), "{text} {ran:?}");
            assert!(ran.stderr.starts_with("error: "), "{ran:?}");
            assert!(!ran.stderr.contains("sk-secret"), "{ran:?}");
            assert_eq!(ran.stdout, "");
        }
    }
    fs::write(home.file("auth.json"), "{\"OPENAI_API_KEY\": \"sk-secret").unwrap();
    let ran = home.run("status --json").expect(5);
    assert_eq!(ran.json()["error"]["code"], "corrupt_credentials");
    home.run_with_input("login --with-api-key", b"sk-1").expect(0);
    assert_eq!(home.run("token").expect(0).stdout, "sk-1\n");
}

#[test]
fn a_reader_that_has_gone_is_no_panic() {
    let home = Home::new();
    fs::write(home.file("auth.json"), RECORD).unwrap();
    for line in ["token", "status", "status --json", "completions bash", "--help"] {
        let mut child =
            home.command(line).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{line}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_token_that_cannot_be_written_is_an_error() {
    let home = Home::new();
    fs::write(home.file("auth.json"), RECORD).unwrap();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = home.command("token").stdin(Stdio::null()).stdout(full).output().unwrap();
    let ran = Ran::of(output).expect(5);
    assert!(ran.stderr.starts_with("error: cannot write to standard output"), "{ran:?}");
}

#[test]
fn wrong_usage_is_2_in_words_and_in_json() {
    let home = Home::new();
    for line in ["", "frobnicate", "login --api-key sk-1", "token --min-ttl soon", "login --provider nobody"] {
        let ran = home.run(line).expect(2);
        assert_eq!(ran.stdout, "", "{ran:?}");
    }
    for line in ["status --json --frobnicate", "login --json --issuer https://id.example.com"] {
        let ran = home.run(line).expect(2);
        assert_eq!(ran.json()["error"]["code"], "usage", "{ran:?}");
    }
}

#[test]
fn config_toml_chooses_the_store_and_a_mistake_in_it_is_named() {
    let home = Home::new();
    fs::write(home.file("config.toml"), "cli_auth_credentials_store = \"ephemeral\"\n").unwrap();
    home.run_with_input("login --with-api-key", b"sk-1").expect(0);
    assert!(!home.file("auth.json").exists());
    home.run_with_input("login --with-api-key -c cli_auth_credentials_store=file", b"sk-1").expect(0);
    assert!(home.file("auth.json").exists());
    fs::write(home.file("config.toml"), "cli_auth_credentials_store = \"drawer\"\n").unwrap();
    let ran = home.run("status").expect(2);
    assert!(ran.stderr.contains("config.toml:1: cli_auth_credentials_store: it is none of"), "{ran:?}");
    fs::write(home.file("config.toml"), "a = [").unwrap();
    let ran = home.run("status").expect(2);
    assert!(ran.stderr.contains("config.toml"), "{ran:?}");
}

#[test]
fn completions_and_help_go_to_stdout() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let ran = home.run(&format!("completions {shell}")).expect(0);
        assert!(ran.stdout.contains("hallpass") && ran.stderr.is_empty(), "{ran:?}");
    }
    for command in ["", "login", "status", "token", "logout", "demo", "completions"] {
        let ran = home.run(&format!("{command} --help")).expect(0);
        assert!(ran.stdout.contains("Example"), "{ran:?}");
    }
    assert!(home.run("--version").expect(0).stdout.starts_with("hallpass "));
}
