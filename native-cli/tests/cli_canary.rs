//! Every secret carries a canary, and no output, no argument and no environment of a child has it: not when all goes
//! well, not when it does not, and not for those who ask to see everything.
#![cfg(feature = "tls")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use hallpass::authorization_server::{Client, ClientAuthentication, Endpoint, Fault, PlannedFault, Serving};
use support::{Home, Ran, Way, server, server_with, sign_in, with_input};

const API_KEY: &str = "sk-canary-0123456789";
const CLIENT_SECRET: &str = "canary: of a+client/&=";

/// The program, told to say all it can.
fn loud(home: &Home, line: &str) -> Command {
    let mut command = home.command(&format!("{line} --verbose"));
    command.env("RUST_BACKTRACE", "1");
    command
}

fn run(home: &Home, line: &str) -> Ran {
    with_input(loud(home, line), b"")
}

#[track_caller]
fn is_silent(text: &str, serving: &Serving) {
    for spelling in serving.lock().options().canary_spellings() {
        assert!(!text.contains(&spelling), "`{spelling}` shows: {text}");
    }
}

#[track_caller]
fn shows_nothing(ran: &Ran, serving: &Serving) {
    is_silent(&ran.stdout, serving);
    is_silent(&ran.stderr, serving);
}

/// Prints a token by contract: on stdout, and nowhere else.
#[track_caller]
fn shows_a_token_to_programs_only(ran: &Ran, serving: &Serving) {
    assert!(
        serving.lock().options().canary_spellings().iter().any(|spelling| ran.stdout.contains(spelling)),
        "{ran:?}"
    );
    is_silent(&ran.stderr, serving);
}

/// Every way to sign in with a server: arguments, how the browser's answer comes back, and what is piped in.
fn ways(serving: &Serving) -> Vec<(String, Way, &'static str)> {
    let issuer = &serving.issuer;
    vec![
        (format!("--provider openai --issuer {issuer} --no-browser --port 0"), Way::Redirected, ""),
        (format!("--provider openai --issuer {issuer} --no-browser --port 0"), Way::Pasted, ""),
        (format!("--provider local --issuer {issuer} --no-browser"), Way::Redirected, ""),
        (format!("--provider local --issuer {issuer} --device-auth"), Way::Redirected, ""),
        (format!("--provider openai --issuer {issuer} --device-auth"), Way::Redirected, ""),
        (
            format!("--issuer {issuer} --client-id confidential --with-client-secret --no-browser"),
            Way::Redirected,
            CLIENT_SECRET,
        ),
        (
            format!(
                "--issuer {issuer} --client-id confidential --with-client-secret --device-auth \
                 --client-authentication client_secret_post"
            ),
            Way::Redirected,
            CLIENT_SECRET,
        ),
    ]
}

fn with_confidential_client() -> Serving {
    server_with(|options| {
        let authentication = ClientAuthentication::Secret(CLIENT_SECRET.to_owned());
        options.clients.push(Client { id: "confidential".to_owned(), authentication, ..Client::hallpass() });
    })
}

#[test]
fn nothing_shows_when_all_goes_well() {
    let serving = with_confidential_client();
    for (line, way, input) in ways(&serving) {
        let home = Home::new();
        let ran = sign_in(loud(&home, &format!("login --json {line}")), &serving, way, input).expect(0);
        shows_nothing(&ran, &serving);
        assert!(ran.stderr.contains("POST "), "it was asked for every step: {ran:?}");
        for command in
            ["status", "status --json", "status --check", "status --check --json", "explain", "explain --json"]
        {
            shows_nothing(&run(&home, command).expect(0), &serving);
        }
        for command in ["token", "token --json", "token --refresh", "token --min-ttl 86400"] {
            shows_a_token_to_programs_only(&run(&home, command).expect(0), &serving);
        }
        shows_a_token_to_programs_only(&run(&home, "export").expect(0), &serving);
        // A second login revokes the session of the first.
        let again = sign_in(loud(&home, &format!("login --json {line}")), &serving, way, input).expect(0);
        shows_nothing(&again, &serving);
        shows_nothing(&run(&home, "logout").expect(0), &serving);
        let log = fs::read_to_string(home.file("log/codex-login.log")).unwrap();
        is_silent(&log, &serving);
        for flow in ["login", "status", "token", "export", "logout"] {
            assert!(log.contains(&format!(" INFO hallpass: {flow} ")), "{flow}: {log}");
        }
    }
}

#[test]
fn nothing_shows_of_a_seed() {
    let (home, serving) = (Home::new(), server());
    let line = format!("login --json --provider local --issuer {} --no-browser", serving.issuer);
    sign_in(loud(&home, &line), &serving, Way::Redirected, "").expect(0);
    let seed = run(&home, "export").expect(0).stdout;
    for (input, code) in [
        (seed.as_str(), 0),
        (seed.as_str(), 0),
        (r#"{"auth_mode":"apikey","OPENAI_API_KEY":"sk-canary"}"#, 5),
        (&seed[..seed.len() / 2], 2),
        (r#"{"auth_mode":"canary"}"#, 2),
        ("canary", 2),
    ] {
        shows_nothing(&with_input(loud(&home, "seed"), input.as_bytes()).expect(code), &serving);
        let mut command = loud(&home, "seed");
        command.env("CODEX_AUTH_JSON", input);
        shows_nothing(&with_input(command, b"").expect(code), &serving);
    }
    shows_nothing(&run(&home, "export --if-changed").expect(0), &serving);
}

#[test]
fn nothing_shows_of_what_is_handed_in() {
    let (home, serving) = (Home::new(), server());
    let token = serving.lock().issue_personal_access_token("ada@example.com").unwrap();
    assert!(token.contains("canary"));
    let line = format!("login --with-access-token --provider openai --issuer {}", serving.issuer);
    for (line, input) in [("login --with-api-key", API_KEY), (&line, &token)] {
        shows_nothing(&with_input(loud(&home, line), input.as_bytes()).expect(0), &serving);
        for command in ["status", "status --json", "logout --json"] {
            shows_nothing(&run(&home, command).expect(0), &serving);
        }
        let ran = with_input(loud(&home, line), input.as_bytes()).expect(0);
        shows_nothing(&ran, &serving);
        shows_a_token_to_programs_only(&run(&home, "token").expect(0), &serving);
        // What cannot be is said without what it was about.
        for input in [format!("{input} {input}"), format!("{input}\u{1b}"), input.repeat(5000)] {
            let ran = with_input(loud(&home, line), input.as_bytes());
            assert_ne!(ran.code, Some(0));
            shows_nothing(&ran, &serving);
        }
        shows_nothing(&run(&home, "token --refresh").expect(2), &serving);
    }
}

#[test]
fn nothing_shows_when_the_server_errs() {
    let faults = [
        Fault::Html,
        Fault::WrongShape,
        Fault::OmitAccessToken,
        Fault::OtherAccount,
        Fault::BreakBody,
        Fault::LoseAnswer,
        Fault::Status { status: 400, retry_after: None, processed: false },
        Fault::Status { status: 503, retry_after: Some(1), processed: false },
        Fault::Redirect { status: 307, location: "https://evil.example/?canary=1".to_owned() },
    ];
    let serving = with_confidential_client();
    for fault in faults {
        let home = Home::new();
        let line = format!("login --json --provider openai --issuer {} --no-browser --port 0", serving.issuer);
        // Without a token that is left, and with one.
        serving.lock().options_mut().access_token_lifetime_ms = 240_000;
        shows_nothing(&sign_in(loud(&home, &line), &serving, Way::Redirected, "").expect(0), &serving);
        let fail = |endpoint| PlannedFault { endpoint, fault: fault.clone(), times: None };
        for endpoint in [Endpoint::Token, Endpoint::Revocation, Endpoint::Whoami, Endpoint::Resource] {
            serving.lock().plan(fail(endpoint));
        }
        for command in ["token --json", "status --check", "status --json"] {
            let ran = run(&home, command);
            is_silent(&ran.stderr, &serving);
        }
        if fault != Fault::OtherAccount {
            let again = sign_in_badly(&home, &line);
            shows_nothing(&again, &serving);
        }
        shows_nothing(&run(&home, "logout"), &serving);
        serving.lock().clear_faults();
    }
}

/// A login whose code cannot be exchanged: the browser is told so, with a page.
fn sign_in_badly(home: &Home, line: &str) -> Ran {
    let child = loud(home, line).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let prompt = lines.next().unwrap().unwrap();
    let url = serde_json::from_str::<serde_json::Value>(&prompt).unwrap()["authorization_url"].clone();
    support::visit(&support::visit(url.as_str().unwrap()).1.unwrap());
    let mut ran = Ran::of(child.wait_with_output().unwrap());
    ran.stdout = lines.map(Result::unwrap).collect::<Vec<_>>().join("\n");
    assert_ne!(ran.code, Some(0));
    assert!(ran.stdout.contains(r#""event":"error""#), "{ran:?}");
    ran
}

#[test]
fn nothing_shows_of_a_session_that_is_over() {
    let (home, serving) = (Home::new(), server());
    let line = format!("login --json --provider local --issuer {} --no-browser", serving.issuer);
    sign_in(loud(&home, &line), &serving, Way::Redirected, "").expect(0);
    let families: Vec<_> = serving.lock().families().map(|family| family.id).collect();
    assert!(families.into_iter().all(|family| serving.lock().revoke_family(family)));
    serving.lock().expire_access_tokens(hallpass::now().milliseconds());
    for command in ["token --refresh --json", "token --refresh", "status --check", "status"] {
        let ran = run(&home, command);
        is_silent(&ran.stderr, &serving);
        assert!(!ran.stdout.contains("canary") || command.starts_with("token"), "{ran:?}");
    }
}

#[test]
fn nothing_shows_of_a_file_that_cannot_be_read() {
    let (home, serving) = (Home::new(), server());
    for text in [
        r#"{"OPENAI_API_KEY": "sk-canary"#,
        r#"{"auth_mode":"chatgpt","tokens":{"access_token":["canary"],"refresh_token":"canary","id_token":"canary"}}"#,
        r#"{"auth_mode":"canary"}"#,
        r#"{"canary":1,"tokens":"canary"}"#,
        "canary",
        "<canary/>",
    ] {
        fs::write(home.file("auth.json"), text).unwrap();
        for command in ["status", "status --json", "token", "token --json", "logout"] {
            shows_nothing(&run(&home, command), &serving);
        }
        fs::write(home.file("hallpass.json"), text).unwrap();
        shows_nothing(&run(&home, "status"), &serving);
        fs::remove_file(home.file("hallpass.json")).unwrap();
    }
}

#[test]
fn the_demo_shows_nothing() {
    let home = Home::new();
    let mut command = loud(&home, "demo");
    command.env("TMPDIR", &home.path).env("CODEX_API_KEY", API_KEY).env("OPENAI_API_KEY", API_KEY);
    let ran = with_input(command, b"").expect(0);
    for secret in ["canary", "eyJ", "sk-", "code=", "state=", "at-", "Bearer "] {
        assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{secret}: {ran:?}");
    }
}

/// A browser that writes down what it was started with.
#[test]
#[cfg(target_os = "linux")]
fn a_child_sees_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let (home, serving) = (Home::new(), server());
    // There is a session already, and there are keys in the environment.
    let line = format!("login --json --provider local --issuer {}", serving.issuer);
    sign_in(loud(&home, &format!("{line} --no-browser")), &serving, Way::Redirected, "").expect(0);
    let (script, seen) = (home.file("browser"), home.file("seen"));
    let text = "#!/bin/sh\ncat /proc/$$/cmdline /proc/$$/environ | tr '\\0' '\\n' > \"$SEEN.part\"\n\
                mv \"$SEEN.part\" \"$SEEN\"\n";
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
    let mut command = loud(&home, &line);
    command.env("BROWSER", &script).env("SEEN", &seen);
    for name in ["CODEX_API_KEY", "CODEX_ACCESS_TOKEN", "CODEX_AUTH_JSON", "OPENAI_API_KEY"] {
        command.env(name, "canary");
    }
    let ran = sign_in(command, &serving, Way::Redirected, "").expect(0);
    shows_nothing(&ran, &serving);
    let seen = fs::read_to_string(seen).unwrap();
    assert!(seen.contains("code_challenge=") && seen.contains("RUST_BACKTRACE=1"), "{seen}");
    is_silent(&seen, &serving);
}

/// Secrets in every variable that may hold one, and in a proxy's address.
const VARIABLES: [(&str, &str); 6] = [
    ("CODEX_API_KEY", API_KEY),
    ("CODEX_ACCESS_TOKEN", "at-canary"),
    ("OPENAI_API_KEY", API_KEY),
    ("CODEX_AUTH_JSON", r#"{"OPENAI_API_KEY":"sk-canary"}"#),
    ("HTTPS_PROXY", "http://user:canary@127.0.0.1:9"),
    ("PX_KEY", "canary"),
];

#[test]
#[cfg(unix)]
fn nothing_shows_of_what_is_looked_at_moved_and_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let (home, serving) = (Home::new(), server());
    let line = format!("login --json --provider local --issuer {} --no-browser", serving.issuer);
    sign_in(loud(&home, &line), &serving, Way::Redirected, "").expect(0);
    let script = |name: &str, text: &str| {
        fs::write(home.file(name), format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(home.file(name), fs::Permissions::from_mode(0o700)).unwrap();
        home.file(name).display().to_string()
    };
    let printer = script("printer", "echo canary-printed");
    let failing = script("failing", "echo canary; echo canary >&2; exit 1");
    let tool = script("tool", "tr '\\0' ' ' < /proc/$PPID/cmdline; test -n \"$TOK\" && test -z \"$CODEX_AUTH_JSON\"");
    let elsewhere = home.file("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::copy(home.file("auth.json"), elsewhere.join("auth.json")).unwrap();
    let config = format!(
        "[model_providers.px]\nbase_url = \"https://user:canary@px.example/v1\"\nenv_key = \"PX_KEY\"\n\
         [model_providers.held]\nbase_url = \"https://px.example/v1\"\nexperimental_bearer_token = \"canary\"\n\
         [model_providers.printing.auth]\ncommand = \"{printer}\"\n\
         [model_providers.failing.auth]\ncommand = \"{failing}\"\n\
         [hallpass.exec.variables]\nTOK = \"access_token\"\n\
         [hallpass.aws]\nrole_arn = \"arn:aws:iam::123456789012:role/dev\"\nendpoint = \"http://127.0.0.1:9/\"\n"
    );
    fs::write(home.file("config.toml"), &config).unwrap();
    let run = |line: &str, with_variables: bool| {
        let mut command = loud(&home, line);
        command.env("HALLPASS_HOME", home.file("data")).envs(VARIABLES.into_iter().filter(|_| with_variables));
        with_input(command, b"")
    };
    let elsewhere = elsewhere.display();
    let lines = [
        ("doctor --offline".to_owned(), None),
        ("doctor --offline --json".to_owned(), None),
        ("explain --json".to_owned(), Some(0)),
        ("explain -c model_providers.px.experimental_bearer_token=canary".to_owned(), Some(0)),
        ("status -c canary".to_owned(), Some(2)),
        ("token --provider failing".to_owned(), None),
        ("token --provider nobody --json".to_owned(), Some(2)),
        ("credential aws".to_owned(), Some(4)),
        (format!("import {elsewhere} --as other"), None),
        ("profiles".to_owned(), Some(0)),
        ("profiles --json".to_owned(), Some(0)),
        ("profiles rename other another".to_owned(), None),
        ("profiles remove other --yes".to_owned(), None),
        (format!("exec -- {tool}"), Some(0)),
        ("exec -- /nowhere/tool".to_owned(), Some(127)),
    ];
    for with_variables in [false, true] {
        for (line, code) in &lines {
            let ran = run(line, with_variables);
            assert!(code.is_none_or(|code| ran.code == Some(code)), "{line}: {ran:?}");
            shows_nothing(&ran, &serving);
        }
        for line in ["token --provider printing", "token --provider held --json", "credential kubectl"] {
            shows_a_token_to_programs_only(&run(line, with_variables).expect(0), &serving);
        }
    }
    shows_a_token_to_programs_only(&run("token --provider px", true).expect(0), &serving);
    fs::write(home.file("config.toml"), config + "[hallpass]\nkey = \"canary\n").unwrap();
    for line in ["doctor --offline", "explain", "logout --all --json"] {
        shows_nothing(&run(line, true), &serving);
    }
    fs::remove_file(home.file("config.toml")).unwrap();
    shows_nothing(&run("logout --all", true).expect(0), &serving);
}

/// A server between the program and the authorization server, which keeps what the program sends.
struct Tap {
    issuer: String,
    heard: Arc<Mutex<String>>,
}

impl Tap {
    fn before(serving: &Serving) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (near, far) = (listener.local_addr().unwrap().to_string(), format!("127.0.0.1:{}", serving.port()));
        let issuer = format!("http://{near}");
        let heard = Arc::<Mutex<String>>::default();
        let ear = heard.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(&far) else { return };
                let (mut back, mut forth) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || {
                    let _ = std::io::copy(&mut forth, &mut back);
                    let _ = back.shutdown(Shutdown::Both);
                });
                let (ear, near, far) = (ear.clone(), near.clone(), far.clone());
                thread::spawn(move || {
                    // The server answers to its own name only.
                    relay(client, server, |text| {
                        ear.lock().unwrap().push_str(&text);
                        text.replace(&near, &far)
                    });
                });
            }
        });
        Self { issuer, heard }
    }

    /// The values of this parameter in all that was sent.
    fn values(&self, name: &str) -> Vec<String> {
        let text = self.heard.lock().unwrap();
        let name = format!("{name}=");
        let after = text.match_indices(&name).map(|(at, found)| &text[at + found.len()..]);
        after.map(|rest| rest.split(['&', ' ', '\r', '\n', '"']).next().unwrap().to_owned()).collect()
    }
}

fn relay(mut client: TcpStream, mut server: TcpStream, through: impl Fn(String) -> String) {
    let mut bytes = [0; 16_384];
    while let Ok(length @ 1..) = client.read(&mut bytes) {
        let text = through(String::from_utf8_lossy(&bytes[..length]).into_owned());
        if server.write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}

#[test]
fn the_verifier_and_the_code_are_shown_to_the_server_alone() {
    let (home, serving) = (Home::new(), server());
    let tap = Tap::before(&serving);
    serving.lock().options_mut().issuer.clone_from(&tap.issuer);
    let line = format!("login --json --provider openai --issuer {} --no-browser --port 0", tap.issuer);
    let login = sign_in(loud(&home, &line), &serving, Way::Redirected, "").expect(0);
    let (verifiers, states, codes) = (tap.values("code_verifier"), tap.values("state"), tap.values("code"));
    assert!(!verifiers.is_empty() && !states.is_empty() && !codes.is_empty());
    for ran in [login, run(&home, "status"), run(&home, "token"), run(&home, "logout")] {
        for secret in verifiers.iter().chain(&codes) {
            assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{secret}: {ran:?}");
        }
        // The state is in the address that the person is shown, and nowhere else.
        for state in &states {
            let shown = ran.stdout.lines().filter(|line| !line.contains("authorization_url")).chain(ran.stderr.lines());
            assert!(shown.into_iter().all(|line| !line.contains(state)), "{ran:?}");
        }
    }
}
