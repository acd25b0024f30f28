//! Logins against the embedded server, over real sockets: in a browser, by paste, with a device code.
#![cfg(feature = "tls")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Stdio};

use hallpass::authorization_server::{Decision, Serving};
use serde_json::Value;
use support::{Home, Ran, is_accepted, server, server_with, visit};

/// A login that waits for its person, and what it has said so far.
struct Waiting {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
    prompt: Value,
}

impl Waiting {
    fn start(home: &Home, line: &str) -> Self {
        let mut child = home
            .command(&format!("login --json {line}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut waiting = Self { child, lines, prompt: Value::Null };
        waiting.prompt = waiting.next();
        assert_eq!(waiting.prompt["event"], "prompt", "{}", waiting.prompt);
        assert_eq!(waiting.next()["event"], "waiting");
        waiting
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    fn type_in(&mut self, line: &str) {
        let stdin = self.child.stdin.as_mut().unwrap();
        writeln!(stdin, "{line}").unwrap();
    }

    /// Goes to the authorization URL: where the server sends the browser back to.
    fn consent(&self) -> String {
        let (status, location) = visit(self.prompt["authorization_url"].as_str().unwrap());
        assert_eq!(status, 302);
        location.unwrap()
    }

    fn end(mut self, code: i32) -> Value {
        let last = self.next();
        let ran = Ran::of(self.child.wait_with_output().unwrap()).expect(code);
        assert_eq!(ran.stderr, "");
        last
    }
}

fn standard(serving: &Serving) -> String {
    format!("--provider local --issuer {} --no-browser", serving.issuer)
}

fn openai(serving: &Serving) -> String {
    format!("--provider openai --issuer {} --no-browser --port 0", serving.issuer)
}

#[test]
fn a_browser_login_ends_in_a_home_that_works() {
    for provider in [standard, openai] {
        let (home, serving) = (Home::new(), server());
        let waiting = Waiting::start(&home, &provider(&serving));
        let (status, _) = visit(&waiting.consent());
        assert_eq!(status, 200);
        let done = waiting.end(0);
        assert_eq!(done["event"], "done");
        assert_eq!(done["status"]["account"]["email"], "ada@example.com");
        let token = home.run("token").expect(0).stdout;
        assert!(is_accepted(&serving, token.trim_end()));
        let fresh = home.run("token --refresh").expect(0).stdout;
        assert_ne!(fresh, token);
        assert_eq!(home.run("token").expect(0).stdout, fresh);
        home.run("status --check").expect(0);
        let answer = home.run("logout --json").expect(0).json();
        assert_eq!(answer["revocation"], "revoked", "{answer}");
        assert!(serving.lock().families().all(|family| family.revoked.is_some()));
    }
}

#[test]
fn a_forged_callback_and_other_requests_do_not_end_the_wait() {
    let (home, serving) = (Home::new(), server());
    let waiting = Waiting::start(&home, &standard(&serving));
    let redirect_uri = waiting.prompt["redirect_uri"].as_str().unwrap().to_owned();
    let origin = redirect_uri.rsplit_once('/').unwrap().0;
    assert_eq!(visit(&format!("{origin}/favicon.ico")).0, 404);
    assert_eq!(visit(&format!("{redirect_uri}?code=stolen&state=guessed")).0, 400);
    assert_eq!(visit(&waiting.consent()).0, 200);
    assert_eq!(waiting.end(0)["event"], "done");
}

#[test]
fn the_redirect_url_can_be_pasted() {
    let (home, serving) = (Home::new(), server());
    let mut waiting = Waiting::start(&home, &openai(&serving));
    let location = waiting.consent();
    waiting.type_in("");
    waiting.type_in(&location);
    assert_eq!(waiting.end(0)["event"], "done");
    home.run("token").expect(0);
}

#[test]
fn the_person_can_turn_to_a_device_code_on_the_way() {
    let (home, serving) = (Home::new(), server());
    let mut waiting = Waiting::start(&home, &standard(&serving));
    assert_eq!(waiting.prompt["can_switch"], true);
    waiting.type_in("d");
    let prompt = waiting.next();
    let code = prompt["user_code"].as_str().unwrap().to_owned();
    assert_eq!(waiting.next()["event"], "waiting");
    assert!(serving.lock().approve_device(&code, "grace@example.com"));
    assert_eq!(waiting.end(0)["status"]["account"]["email"], "grace@example.com");
}

#[test]
fn a_device_login_in_both_dialects() {
    for provider in ["local", "openai"] {
        let (home, serving) = (Home::new(), server());
        let line = format!("--device-auth --provider {provider} --issuer {}", serving.issuer);
        let waiting = Waiting::start(&home, &line);
        let code = waiting.prompt["user_code"].as_str().unwrap();
        assert!(waiting.prompt["verification_uri"].as_str().unwrap().starts_with(&serving.issuer));
        assert!(waiting.prompt["expires_at"].as_str().unwrap().ends_with('Z'));
        assert!(serving.lock().approve_device(code, "ada@example.com"));
        assert_eq!(waiting.end(0)["event"], "done");
        assert_eq!(home.run("status --json").expect(0).json()["provider"], provider);
    }
}

#[test]
fn who_says_no_keeps_the_old_session() {
    let home = Home::new();
    let serving = server_with(|options| options.auto_consent = Some(Decision::Deny));
    fs::write(home.file("auth.json"), include_str!("vectors/auth.apikey.json")).unwrap();
    let waiting = Waiting::start(&home, &standard(&serving));
    visit(&waiting.consent());
    let error = waiting.end(6);
    assert_eq!((&error["event"], &error["error"]["code"]), (&"error".into(), &"access_denied".into()));

    let line = format!("--device-auth --provider local --issuer {}", serving.issuer);
    let waiting = Waiting::start(&home, &line);
    assert!(serving.lock().deny_device(waiting.prompt["user_code"].as_str().unwrap()));
    assert_eq!(waiting.end(6)["error"]["code"], "access_denied");
    assert_eq!(home.record(), include_str!("vectors/auth.apikey.json"));
}

#[test]
#[cfg(unix)]
fn an_interrupt_ends_with_130_and_keeps_the_old_session() {
    let (home, serving) = (Home::new(), server());
    fs::write(home.file("auth.json"), include_str!("vectors/auth.apikey.json")).unwrap();
    for signal in ["INT", "TERM"] {
        let waiting = Waiting::start(&home, &standard(&serving));
        let id = waiting.child.id().to_string();
        assert!(std::process::Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success());
        assert_eq!(waiting.end(130)["error"]["code"], "cancelled");
    }
    assert_eq!(home.record(), include_str!("vectors/auth.apikey.json"));
}

#[test]
fn a_second_login_revokes_the_first_session_once_it_is_saved() {
    let (home, serving) = (Home::new(), server());
    for expected in [Value::Null, "revoked".into()] {
        let waiting = Waiting::start(&home, &standard(&serving));
        visit(&waiting.consent());
        assert_eq!(waiting.end(0)["previous"], expected);
    }
    let revoked: Vec<_> = serving.lock().families().map(|family| family.revoked.is_some()).collect();
    assert_eq!(revoked, [true, false]);
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_display_a_device_code_is_chosen_and_makes_way_where_there_is_none() {
    let home = Home::new();
    for (device_enabled, expected) in [(true, "user_code"), (false, "authorization_url")] {
        let serving = server_with(|options| options.device_enabled = device_enabled);
        for provider in ["local", "openai"] {
            let line = format!("--port 0 --provider {provider} --issuer {}", serving.issuer);
            let mut waiting = Waiting::start(&home, &line);
            assert!(waiting.prompt[expected].is_string(), "{}", waiting.prompt);
            waiting.child.kill().unwrap();
            waiting.child.wait().unwrap();
        }
    }
    // Who asks for it is told that there is none.
    let serving = server_with(|options| options.device_enabled = false);
    let line = format!("login --json --device-auth --provider openai --issuer {}", serving.issuer);
    assert_eq!(home.run(&line).expect(6).json()["error"]["code"], "device_login_disabled");
}

#[test]
#[cfg(unix)]
fn a_browser_is_started_with_the_url_and_without_secrets() {
    use std::os::unix::fs::PermissionsExt as _;
    let (home, serving) = (Home::new(), server());
    let script = home.file("browser");
    let text = format!("#!/bin/sh\nprintf '%s' \"$1 $CODEX_API_KEY\" > {}\n", home.file("opened").display());
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
    let mut command = home.command(&format!("login --provider local --issuer {}", serving.issuer));
    command.env("BROWSER", &script).env("CODEX_API_KEY", "sk-secret").stdin(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().unwrap(), "Signing in to local with your browser.");
    assert_eq!(lines.next().unwrap(), "Opening your browser to sign in. If nothing opens, go to:");
    let url = lines.nth(1).unwrap();
    let opened = (0..200).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::read_to_string(home.file("opened")).ok().filter(|text| !text.is_empty())
    });
    assert_eq!(opened.unwrap(), format!("{url} "));
    assert_eq!(visit(&visit(&url).1.unwrap()).0, 200);
    assert!(child.wait().unwrap().success());
}

#[test]
fn an_override_is_announced() {
    let (home, serving) = (Home::new(), server());
    let waiting = Waiting::start(&home, &openai(&serving));
    visit(&waiting.consent());
    waiting.end(0);
    let mut command = home.command("token --refresh");
    let url = format!("{}/oauth/token", serving.issuer);
    command.env("CODEX_REFRESH_TOKEN_URL_OVERRIDE", &url);
    let ran = support::with_input(command, b"").expect(0);
    assert!(
        ran.stderr.contains(&format!("warning: CODEX_REFRESH_TOKEN_URL_OVERRIDE sends tokens to {url}")),
        "{ran:?}"
    );
    for line in ["status", "token", "logout"] {
        let mut command = home.command(line);
        command.env("CODEX_REVOKE_TOKEN_URL_OVERRIDE", "https://elsewhere.example/revoke?canary");
        let ran = support::with_input(command, b"").expect(0);
        assert!(ran.stderr.contains("warning: CODEX_REVOKE_TOKEN_URL_OVERRIDE is not used: "), "{ran:?}");
        assert!(ran.stderr.contains("never to elsewhere.example") && !ran.stderr.contains("canary"), "{ran:?}");
    }
}

#[test]
fn a_server_that_is_not_there_is_4() {
    let home = Home::new();
    let serving = server();
    let issuer = serving.issuer.clone();
    serving.stop();
    let ran = home.run(&format!("login --no-browser --provider local --issuer {issuer}")).expect(4);
    assert!(ran.stderr.contains("\nerror: 127.0.0.1:"), "{ran:?}");
}

#[test]
fn no_output_holds_a_secret() {
    let (home, serving) = (Home::new(), server());
    let device = format!("login --verbose --device-auth --provider openai --issuer {}", serving.issuer);
    let child = home.command(&device).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.unwrap();
    let code = loop {
        let code = serving.lock().pending_user_codes().next().map(ToOwned::to_owned);
        match code {
            Some(code) => break code,
            None => std::thread::sleep(std::time::Duration::from_millis(20)),
        }
    };
    assert!(serving.lock().approve_device(&code, "ada@example.com"));
    let login = Ran::of(child.wait_with_output().unwrap()).expect(0);
    assert!(login.stderr.contains(&code), "{login:?}");
    let others = ["status --verbose", "status --json", "status --check --verbose", "logout --verbose"];
    let spellings = serving.lock().options().canary_spellings();
    for ran in std::iter::once(login).chain(others.map(|line| home.run(line).expect(0))) {
        for spelling in &spellings {
            assert!(!ran.stdout.contains(spelling) && !ran.stderr.contains(spelling), "{ran:?}");
        }
    }
}
