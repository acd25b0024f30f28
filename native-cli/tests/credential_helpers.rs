//! The protocols of docker and kubectl, and the plainest one: a command that prints a token.
#![cfg(feature = "tls")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hallpass::authorization_server::Serving;
use hallpass_core::Timestamp;
use serde_json::{Value, json};
use support::{Home, Ran, Way, is_accepted, server, sign_in, with_input};

const HOSTS: &str = "[hallpass.docker]\nhosts = [\"registry.example.com\", \"registry.example.com:5000\"]\n";
const NOT_FOUND: &str = "credentials not found in native keychain\n";
const VERSION: &str = "client.authentication.k8s.io/v1";

fn signed_in() -> (Home, Serving) {
    let (home, serving) = (Home::new(), server());
    let line = format!("login --json --provider local --issuer {} --no-browser", serving.issuer);
    sign_in(home.command(&line), &serving, Way::Redirected, "").expect(0);
    fs::write(home.file("config.toml"), HOSTS).unwrap();
    (home, serving)
}

fn stored(home: &Home) -> String {
    home.run("token").expect(0).stdout.trim_end().to_owned()
}

fn docker(home: &Home, action: &str, input: &str) -> Ran {
    home.run_with_input(&format!("credential docker {action}"), input.as_bytes())
}

fn kubectl(home: &Home, information: &str) -> Ran {
    let mut command = home.command("credential kubectl");
    command.env("KUBERNETES_EXEC_INFO", information);
    with_input(command, b"")
}

#[track_caller]
fn says_no_token(text: &str, serving: &Serving) {
    for spelling in serving.lock().options().canary_spellings() {
        assert!(!text.contains(&spelling), "{text}");
    }
}

#[test]
fn docker_is_given_the_token_for_the_hosts_that_are_named() {
    let (home, serving) = signed_in();
    for server in ["registry.example.com", "https://registry.example.com/v2/\n", "registry.example.com:5000"] {
        let ran = docker(&home, "get", server).expect(0);
        let expected = json!({"ServerURL": server.trim(), "Username": "oauth2", "Secret": stored(&home)});
        assert_eq!(ran.json(), expected);
        assert_eq!(ran.stderr, "");
    }
    let loud = docker(&home, "get --verbose", "registry.example.com").expect(0);
    says_no_token(&loud.stderr, &serving);
    let hosts = json!({"registry.example.com": "oauth2", "registry.example.com:5000": "oauth2"});
    assert_eq!(docker(&home, "list", "").expect(0).json(), hosts);
    fs::write(home.file("config.toml"), format!("{HOSTS}username = \"<token>\"\n")).unwrap();
    assert_eq!(docker(&home, "get", "registry.example.com").expect(0).json()["Username"], "<token>");
}

#[test]
fn docker_is_given_nothing_for_any_other_host() {
    let (home, _serving) = signed_in();
    for server in [
        "",
        "evil.example",
        "registry.example.com.evil.example",
        "https://registry.example.com@evil.example/",
        "http://registry.example.com",
        "registry.example.com\nevil.example",
        "registry.example.com\0",
    ] {
        let ran = docker(&home, "get", server).expect(1);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (NOT_FOUND, ""), "{server:?}");
    }
    for input in [b"registry.example.com\xff".to_vec(), vec![b'x'; 70_000]] {
        let ran = home.run_with_input("credential docker get", &input).expect(1);
        assert!(ran.stdout.starts_with("the request of docker cannot be understood"), "{ran:?}");
    }
    fs::remove_file(home.file("config.toml")).unwrap();
    assert_eq!(docker(&home, "get", "registry.example.com").expect(1).stdout, NOT_FOUND);
    assert_eq!(docker(&home, "list", "").expect(0).json(), json!({}));
}

#[test]
fn docker_asks_elsewhere_where_a_login_is_needed() {
    let home = Home::new();
    fs::write(home.file("config.toml"), HOSTS).unwrap();
    let ran = docker(&home, "get", "registry.example.com").expect(1);
    assert_eq!(ran.stdout, NOT_FOUND);
    assert_eq!(ran.stderr, "error: not logged in\nhelp: run `hallpass login`\n");
}

#[test]
fn docker_stores_and_erases_nothing_and_is_told_so() {
    let (home, _serving) = signed_in();
    let before = home.record();
    let login = |server: &str| json!({"ServerURL": server, "Username": "ada", "Secret": "canary-1"}).to_string();
    let ran = docker(&home, "store", &login("https://registry.example.com")).expect(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.contains("Nothing is stored")), ("", true), "{ran:?}");
    for input in [login("evil.example"), "{".to_owned(), "{}".to_owned(), "canary-1".to_owned()] {
        let ran = docker(&home, "store", &input).expect(1);
        assert!(!ran.stdout.is_empty() && !format!("{ran:?}").contains("canary-1"), "{ran:?}");
    }
    for server in ["registry.example.com", "evil.example"] {
        assert_eq!(docker(&home, "erase", server).expect(0).stdout, "");
    }
    assert_eq!(home.record(), before);
}

#[cfg(unix)]
#[test]
fn docker_finds_the_helper_by_its_name() {
    let home = Home::new();
    fs::write(home.file("config.toml"), HOSTS).unwrap();
    let name = home.file("docker-credential-hallpass");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_hallpass"), &name).unwrap();
    let mut command = Command::new(name);
    command.arg("list").env_clear().env("CODEX_HOME", &home.path);
    assert_eq!(with_input(command, b"").expect(0).json()["registry.example.com"], "oauth2");
}

#[test]
fn kubectl_is_given_an_exec_credential() {
    let (home, serving) = signed_in();
    let ran = home.run("credential kubectl").expect(0);
    let answer = ran.json();
    let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members(&answer), ["apiVersion", "kind", "status"]);
    assert_eq!(members(&answer["status"]), ["expirationTimestamp", "token"]);
    assert_eq!((&answer["apiVersion"], &answer["kind"]), (&json!(VERSION), &json!("ExecCredential")));
    assert!(is_accepted(&serving, answer["status"]["token"].as_str().unwrap()));
    let at = Timestamp::parse(answer["status"]["expirationTimestamp"].as_str().unwrap()).unwrap();
    assert!(at.since(hallpass::now()) > 300_000, "{ran:?}");
    says_no_token(&home.run("credential kubectl --verbose").expect(0).stderr, &serving);
}

#[test]
fn kubectl_reads_the_version_that_it_asked_for() {
    let (home, _serving) = signed_in();
    for version in [VERSION, "client.authentication.k8s.io/v1beta1"] {
        let information = json!({"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": true}});
        assert_eq!(kubectl(&home, &information.to_string()).expect(0).json()["apiVersion"], version);
    }
    for information in ["{", "[]", "{\"apiVersion\": \"client.authentication.k8s.io/v9\"}"] {
        let ran = kubectl(&home, information).expect(2);
        assert_eq!(ran.stdout, "");
        assert!(ran.stderr.starts_with("error: KUBERNETES_EXEC_INFO "), "{ran:?}");
    }
}

#[test]
fn kubectl_signs_nobody_in() {
    let home = Home::new();
    for interactive in [true, false] {
        let information = json!({"apiVersion": VERSION, "spec": {"interactive": interactive}});
        let ran = kubectl(&home, &information.to_string()).expect(1);
        let said = (ran.stdout.as_str(), ran.stderr.as_str());
        assert_eq!(said, ("", "error: not logged in\nhelp: run `hallpass login`\n"));
    }
}

/// What Codex makes of the `auth` table of a model provider: the program is started without a shell, without stdin, in
/// the folder of the session; a bare name is looked for in `PATH`; it has `timeout_ms`, and all that it prints, trimmed,
/// is the token.
fn auth_command(home: &Home, program: &str, arguments: &[&str], folder: &Path) -> Result<String, String> {
    const TIMEOUT: Duration = Duration::from_secs(5);
    let program = if program.contains('/') { folder.join(program) } else { program.into() };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().env("CODEX_HOME", &home.path).env("HOME", &home.path);
    let binary = Path::new(env!("CARGO_BIN_EXE_hallpass"));
    command.env("PATH", binary.parent().unwrap()).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let start = Instant::now();
    let output = command.spawn().and_then(std::process::Child::wait_with_output).map_err(|error| error.to_string())?;
    if start.elapsed() > TIMEOUT {
        return Err("timed out".to_owned());
    }
    if !output.status.success() {
        return Err(format!("exited with {}: {}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    let token = String::from_utf8(output.stdout).map_err(|_| "wrote non-UTF-8 data")?.trim().to_owned();
    if token.is_empty() { Err("produced an empty token".to_owned()) } else { Ok(token) }
}

#[cfg(unix)]
#[test]
fn codex_is_given_the_token_by_an_auth_command() {
    let (home, serving) = signed_in();
    let elsewhere = Home::new();
    let binary = Path::new(env!("CARGO_BIN_EXE_hallpass"));
    std::os::unix::fs::symlink(binary, elsewhere.file("hallpass")).unwrap();
    for program in ["hallpass", "./hallpass", binary.to_str().unwrap()] {
        let token = auth_command(&home, program, &["token"], &elsewhere.path).unwrap();
        assert!(is_accepted(&serving, &token) && !token.contains(char::is_whitespace), "{program}");
    }
    // What has expired, and what a 401 made worthless, is renewed in the same call.
    let old = stored(&home);
    let now = hallpass::now().milliseconds();
    serving.lock().expire_access_tokens(now);
    assert!(!serving.lock().is_live_access_token(now, &old));
    let new = auth_command(&home, "hallpass", &["token", "--refresh"], &elsewhere.path).unwrap();
    assert!(new != old && is_accepted(&serving, &new));
    // It is called for every request: what goes wrong is said where Codex looks for it, and nothing is the token.
    let failed = auth_command(&Home::new(), "hallpass", &["token"], &elsewhere.path).unwrap_err();
    assert!(failed.ends_with("error: not logged in\nhelp: run `hallpass login`\n"), "{failed}");
}
