//! Credentials that need no login, through the program and the library: variables, providers for programs, providers of
//! models, and commands that print a token.
#![cfg(all(feature = "tls", unix))]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use hallpass::authorization_server::{Account, Client, ClientAuthentication, Identities, Serving};
use hallpass::{Hallpass, ModelProvider, TokenCommand, now};
use support::{Home, Ran, is_accepted, server_with};

const KEY: &str = "sk-canary-0123456789";
const CLIENT_SECRET: &str = "canary: of a+client/&=";

fn trusting_server() -> Serving {
    server_with(|options| {
        options.identities = Some(Identities {
            request_token: "canary-runner".to_owned(),
            audience: Some("us".to_owned()),
            rule_id: "rule-1".to_owned(),
            account_id: Account::ada().id,
        });
        let authentication = ClientAuthentication::Secret(CLIENT_SECRET.to_owned());
        options.clients.push(Client { id: "ci".to_owned(), authentication, ..Client::hallpass() });
    })
}

fn run(command: &mut Command) -> Ran {
    Ran::of(command.stdin(Stdio::null()).output().unwrap())
}

fn configure(home: &Home, text: &str) {
    fs::write(home.file("config.toml"), text).unwrap();
}

/// An executable file with this script.
fn script(home: &Home, name: &str, text: &str) -> PathBuf {
    let path = home.file(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn count(path: &std::path::Path) -> usize {
    fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

fn with_command(home: &Home, text: &str, more: &str) {
    let path = script(home, "printer", text);
    configure(home, &format!("[model_providers.px.auth]\ncommand = \"{}\"\n{more}", path.display()));
}

/// Nothing but the token, and nothing kept.
#[track_caller]
fn is_minted(home: &Home, ran: &Ran, serving: &Serving) {
    let token = ran.stdout.trim_end();
    assert!(is_accepted(serving, token), "{ran:?}");
    for spelling in serving.lock().options().canary_spellings() {
        assert!(!ran.stderr.contains(&spelling), "`{spelling}` shows: {ran:?}");
    }
    let mut folders = vec![home.path.clone()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                assert!(
                    !fs::read_to_string(&path).unwrap_or_default().contains(token),
                    "it lies in {}",
                    path.display()
                );
            }
        }
    }
    for name in ["auth.json", "hallpass.json", "hallpass.parked", "hallpass.client.json", "hallpass.lock"] {
        assert!(!home.file(name).exists(), "{name}");
    }
}

#[test]
fn variables_come_before_a_login_in_the_order_of_codex() {
    let home = Home::new();
    home.run_with_input("login --with-api-key", b"sk-stored").expect(0);
    assert_eq!(home.run("token").expect(0).stdout, "sk-stored\n");
    let with = |line: &str, variables: &[(&str, &str)]| run(home.command(line).envs(variables.iter().copied()));
    let access = ("CODEX_ACCESS_TOKEN", "at-canary");
    let both = [("CODEX_API_KEY", KEY), access];
    assert_eq!(with("token", &[access]).expect(0).stdout, "at-canary\n");
    assert_eq!(with("token", &both).expect(0).stdout, format!("{KEY}\n"));
    assert_eq!(with("token", &[("CODEX_API_KEY", "")]).expect(0).stdout, "sk-stored\n", "empty is not set");

    let status = with("status --json", &both).expect(0).json();
    assert_eq!((status["store"].as_str(), status["location"].as_str()), (Some("env"), Some("CODEX_API_KEY")));
    assert_eq!(status["warnings"][0]["code"], "shadowed");
    let told = with("status", &both).expect(0);
    assert!(
        told.stdout.contains("CODEX_API_KEY") && told.stderr.contains("warning: CODEX_API_KEY is used"),
        "{told:?}"
    );
    assert!(!told.stdout.contains(KEY) && !told.stderr.contains(KEY), "{told:?}");

    for (line, variables) in [
        ("token", &[("CODEX_API_KEY", "canary two")][..]),
        ("token", &[("OPENAI_FEDERATION_RULE_ID", "rule-1"), access]),
        ("token", &[("OPENAI_IDENTITY_TOKEN_FILE", "/canary"), access]),
        ("status", &[("OPENAI_FEDERATION_RULE_ID", "rule-1")]),
    ] {
        let ran = with(line, variables).expect(2);
        assert!(ran.stderr.contains("help: ") && !ran.stderr.contains("canary"), "{ran:?}");
    }
    let login = support::with_input(
        {
            let mut command = home.command("login --with-api-key");
            command.env("CODEX_API_KEY", KEY);
            command
        },
        b"sk-2",
    );
    assert!(login.expect(0).stderr.contains("CODEX_API_KEY is used"));
    let logout = with("logout", &both).expect(0);
    assert!(logout.stderr.contains("CODEX_API_KEY is set, and goes on to give a credential"), "{logout:?}");
    assert_eq!(with("token", &both).expect(0).stdout, format!("{KEY}\n"));
}

#[test]
fn a_workload_identity_is_exchanged_and_leaves_no_trace() {
    let (home, serving) = (Home::new(), trusting_server());
    let file = home.file("identity");
    fs::write(&file, serving.lock().issue_identity_token(now().milliseconds(), "us")).unwrap();
    let command = |line: &str| {
        let mut command = home.command(line);
        command.env("OPENAI_FEDERATION_RULE_ID", "rule-1").env("OPENAI_IDENTITY_TOKEN_FILE", &file);
        command.env("CODEX_API_KEY", KEY);
        command.env("CODEX_REFRESH_TOKEN_URL_OVERRIDE", format!("{}/oauth/token", serving.issuer));
        command
    };
    let ran = run(&mut command("token --verbose")).expect(0);
    is_minted(&home, &ran, &serving);
    assert_eq!(run(&mut command("token --json")).expect(0).json()["account_id"], "ws-analytical");
    assert_eq!(run(&mut command("status --json")).expect(0).json()["location"], "OPENAI_FEDERATION_RULE_ID");
    run(command("token").env("OPENAI_FEDERATION_RULE_ID", "rule-2")).expect(6);
    run(command("token").env("OPENAI_IDENTITY_TOKEN_FILE", "relative")).expect(2);
    for contents in [&b""[..], b"two words", b"\xff\xfe"] {
        fs::write(&file, contents).unwrap();
        let ran = run(&mut command("token")).expect(5);
        assert!(ran.stderr.contains("identity token") && ran.stdout.is_empty(), "{ran:?}");
    }
    fs::remove_file(&file).unwrap();
    assert!(run(&mut command("token")).expect(5).stderr.contains("does not exist"));
}

#[test]
fn a_job_has_a_token_without_a_login() {
    let (home, serving) = (Home::new(), trusting_server());
    let issuer = &serving.issuer;
    let provider = |name: &str, grant: &str, more: &str| {
        format!(
            "[hallpass.providers.{name}]\nissuer = \"{issuer}\"\nclient_id = \"ci\"\ngrant = \"{grant}\"\n\
             client_authentication = \"client_secret_post\"\nclient_secret_variable = \"CI_SECRET\"\n{more}\n"
        )
    };
    let subject = |text: &str| format!("subject_token = {text}\naudience = \"api\"");
    configure(
        &home,
        &[
            provider("client", "client_credentials", "scopes = [\"deploy\"]"),
            provider("github", "token_exchange", &subject("{ github_actions = { audience = \"us\" } }")),
            provider("gitlab", "jwt_bearer", &subject("{ variable = \"JOB_TOKEN\" }")),
            provider("detected", "token_exchange", ""),
            provider("other", "token_exchange", "requested_token_type = \"urn:ietf:params:oauth:token-type:jwt\""),
        ]
        .concat(),
    );
    let identity = serving.lock().issue_identity_token(now().milliseconds(), "us");
    let command = |line: &str| {
        let mut command = home.command(line);
        command.env("CI_SECRET", CLIENT_SECRET).env("JOB_TOKEN", &identity).env("HALLPASS_ID_TOKEN", &identity);
        command.env("CODEX_API_KEY", KEY);
        command
    };
    let github = |line: &str| {
        let mut command = command(line);
        command.env("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{issuer}/identity?api-version=2.0"));
        command.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "canary-runner");
        command
    };
    for mut command in [
        command("token --verbose --provider client"),
        github("token --verbose --provider github"),
        command("token --verbose --provider gitlab"),
        command("token --verbose --provider detected"),
    ] {
        is_minted(&home, &run(&mut command).expect(0), &serving);
    }
    let ran = run(&mut command("token --provider other")).expect(4);
    assert!(ran.stderr.contains("`N_A`") && ran.stdout.is_empty(), "{ran:?}");
    assert!(run(&mut command("token --provider github")).expect(5).stderr.contains("id-token: write"));
    run(github("token --provider github").env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "canary-other")).expect(4);
    run(command("token --provider client").env("CI_SECRET", "canary-wrong")).expect(6);
    run(command("token --provider client").env_remove("CI_SECRET")).expect(5);
    assert!(run(&mut command("login --provider client")).expect(2).stderr.contains("signs nobody in"));
}

#[test]
fn a_command_prints_the_token_of_a_model_provider() {
    let home = Home::new();
    with_command(&home, "cat; printf ' %s|%s \\n' \"$1\" \"$PWD\"", "args = [\"$(id);x\"]\ncwd = \"/\"\n");
    assert_eq!(home.run("token --provider px").expect(0).stdout, "$(id);x|/\n");
    let json = home.run("token --provider px --json").expect(0).json();
    assert_eq!((json["token_type"].as_str(), json["expires_at"].is_null()), (Some("Bearer"), true));
    // A name is looked up, and a value of this run counts like one of the file.
    configure(&home, "");
    let line =
        "token --provider py -c model_providers.py.auth.command=printf -c model_providers.py.auth.args=[\"tok-1\"]";
    assert_eq!(home.run(line).expect(0).stdout, "tok-1\n");
    assert!(!home.file("hallpass.lock").exists() && !home.file("auth.json").exists());
}

#[test]
fn a_command_that_misbehaves_is_an_error_and_shows_nothing() {
    let home = Home::new();
    let late = home.file("late");
    for (text, more, expected) in [
        ("echo canary-1; echo canary-2 >&2; exit 3".to_owned(), "", "status 3"),
        ("echo canary >&2".to_owned(), "", "no token"),
        (format!("(sleep 2; touch '{}') & sleep 60", late.display()), "timeout_ms = 300", "300 ms"),
        ("head -c 100000000 /dev/zero | tr '\\0' c".to_owned(), "", "64 KiB"),
        ("printf 'canary\\0x'".to_owned(), "", "no token: it has a space or a control character"),
        ("printf 'canary\\nx: y\\n'".to_owned(), "", "control character"),
        ("printf '\\033[1mcanary'".to_owned(), "", "control character"),
        ("printf 'canary\\377'".to_owned(), "", "not text"),
        ("kill -9 $$".to_owned(), "", "signal"),
    ] {
        with_command(&home, &text, more);
        let begin = Instant::now();
        let ran = home.run("token --provider px --verbose").expect(5);
        assert!(ran.stderr.contains(expected) && !ran.stderr.contains("canary"), "{text}: {ran:?}");
        assert!(ran.stdout.is_empty() && begin.elapsed() < Duration::from_secs(4), "{text}: {ran:?}");
        let error = home.run("token --provider px --json").expect(5).json();
        assert_eq!(error["error"]["code"], "token_command");
    }
    thread::sleep(Duration::from_secs(2));
    assert!(!late.exists(), "what the command has started is gone with it");
    configure(&home, "[model_providers.px.auth]\ncommand = \"no-such-program\"");
    assert!(home.run("token --provider px").expect(5).stderr.contains("not found in PATH"));
}

#[test]
fn a_command_that_anybody_could_have_written_is_not_run() {
    let home = Home::new();
    with_command(&home, "echo tok-1", "");
    home.run("token --provider px").expect(0);
    fs::set_permissions(home.file("printer"), fs::Permissions::from_mode(0o757)).unwrap();
    let ran = home.run("token --provider px").expect(5);
    assert!(ran.stderr.contains("everybody may change") && ran.stdout.is_empty(), "{ran:?}");
    // A folder that somebody works in names no command, whatever lies in it.
    let project = home.file("project");
    fs::create_dir_all(project.join(".codex")).unwrap();
    let marker = home.file("marker");
    let planted = format!("[model_providers.evil.auth]\ncommand = \"touch\"\nargs = [\"{}\"]\n", marker.display());
    fs::write(project.join(".codex/config.toml"), planted).unwrap();
    let ran = run(home.command("token --provider evil").current_dir(&project)).expect(2);
    assert!(ran.stderr.contains("there is no `evil`") && !marker.exists(), "{ran:?}");
}

#[test]
fn a_model_provider_has_a_key_or_headers_or_a_mistake() {
    let home = Home::new();
    configure(
        &home,
        r#"
        [model_providers.key]
        env_key = "PX_KEY"
        env_key_instructions = "ask the platform team"
        [model_providers.text]
        experimental_bearer_token = "canary-text"
        [model_providers.headers]
        http_headers = { "x-team" = "tools" }
        [model_providers.both]
        env_key = "PX_KEY"
        auth = { command = "printf" }
        [model_providers.openai]
        env_key = "PX_KEY"
        [model_providers.twice]
        env_key = "PX_KEY"
        [hallpass.providers.twice]
        issuer = "https://id.example.com"
        client_id = "c"
        "#,
    );
    let token = |name: &str| run(home.command(&format!("token --provider {name}")).env("PX_KEY", KEY));
    assert_eq!(token("key").expect(0).stdout, format!("{KEY}\n"));
    assert_eq!(token("text").expect(0).stdout, "canary-text\n");
    let missing = home.run("token --provider key").expect(2);
    assert!(missing.stderr.contains("`PX_KEY` is not set: ask the platform team"), "{missing:?}");
    for (name, expected) in [
        ("headers", "has no bearer token"),
        ("both", "model_providers.both: provider auth cannot be combined with env_key"),
        ("openai", "built in"),
        ("twice", "rename one of them"),
        ("nobody", "there is no `nobody`"),
    ] {
        let ran = token(name).expect(2);
        assert!(ran.stderr.contains(expected) && ran.stdout.is_empty(), "{name}: {ran:?}");
    }
}

#[test]
fn a_process_runs_a_command_once_for_all_its_threads() {
    let home = Home::new();
    let runs = home.file("runs");
    let path =
        script(&home, "printer", &format!("echo run >> '{0}'; sleep 0.2; echo tok-$(wc -l < '{0}')", runs.display()));
    let auth = TokenCommand { refresh_interval_ms: 0, ..TokenCommand::new(path.display().to_string()) };
    let provider = ModelProvider { id: "px".to_owned(), auth: Some(auth), ..ModelProvider::default() };
    // Each has a shell of its own, as if they knew nothing of each other.
    let opened = || Hallpass::at(&home.path).unwrap().with_model_provider(provider.clone());
    let barrier = Arc::new(Barrier::new(32));
    let threads: Vec<_> = (0..32)
        .map(|_| {
            let (hallpass, barrier) = (opened(), barrier.clone());
            thread::spawn(move || {
                barrier.wait();
                hallpass.token().unwrap().access_token.expose().to_owned()
            })
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), "tok-1");
    }
    assert_eq!(count(&runs), 1);

    let hallpass = opened();
    let first = hallpass.token().unwrap();
    let second = hallpass.replace(&first.access_token).unwrap();
    assert_eq!((second.access_token.expose(), count(&runs)), ("tok-2", 2), "one forced run for a 401");
    let headers = hallpass.headers(Some(&second)).unwrap();
    assert_eq!((headers[0].0.as_str(), headers[0].1.expose()), ("authorization", "Bearer tok-2"));
    assert_eq!(opened().replace(&first.access_token).unwrap().access_token.expose(), "tok-2");
    assert_eq!(hallpass.replace(&second.access_token).unwrap_err().code(), "backing_off");
    assert_eq!(count(&runs), 2);
}
