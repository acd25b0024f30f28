//! `hallpass explain`: what counts, from where, and what it shadows.
#![cfg(feature = "tls")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;

use serde_json::Value;
use support::{Home, Ran, with_input};

fn setting<'a>(explained: &'a Value, key: &str) -> &'a Value {
    explained["settings"].as_array().unwrap().iter().find(|setting| setting["key"] == key).unwrap()
}

#[test]
fn every_value_says_where_it_is_from_and_what_it_shadows() {
    let home = Home::new();
    let text = "cli_auth_credentials_store = \"keyring\"\n[hallpass]\nrefresh_window = 900\n";
    fs::write(home.file("config.toml"), text).unwrap();
    let line = "explain --json -c cli_auth_credentials_store=auto --store file";
    let mut command = home.command(line);
    command.env("CODEX_REFRESH_TOKEN_URL_OVERRIDE", "http://ada:canary@127.0.0.1:1/");
    let ran = with_input(command, b"").expect(0);
    assert!(!ran.stdout.contains("canary"), "{ran:?}");
    let explained = ran.json();
    assert_eq!(explained["home"]["path"], home.path.display().to_string());
    assert_eq!(explained["home"]["from"], "CODEX_HOME");
    assert_eq!(explained["policy"], Value::Null);
    assert_eq!(explained["problems"], Value::Array(Vec::new()));
    let store = setting(&explained, "cli_auth_credentials_store");
    assert_eq!((&store["value"], &store["origin"]), (&"file".into(), &"argument".into()));
    assert_eq!(store["shadows"][0]["place"], "-c cli_auth_credentials_store");
    let place = format!("{}:1", home.file("config.toml").display());
    assert_eq!((&store["shadows"][1]["value"], &store["shadows"][1]["place"]), (&"keyring".into(), &place.into()));
    assert_eq!(setting(&explained, "hallpass.refresh_window")["value"], "900");
    assert_eq!(setting(&explained, "forced_login_method")["origin"], "default");
    let variable = setting(&explained, "CODEX_REFRESH_TOKEN_URL_OVERRIDE");
    assert_eq!(
        (&variable["value"], &variable["origin"]),
        (&"set, to something that is no address".into(), &"environment".into())
    );
    assert_eq!(explained["credential"]["why"], "nothing is stored, and no variable holds a credential");
}

#[test]
fn it_says_which_credential_wins_and_never_shows_it() {
    let home = Home::new();
    home.run_with_input("login --with-api-key", b"sk-canary").expect(0);
    let ran = home.run("explain --json").expect(0);
    assert!(!ran.stdout.contains("canary"), "{ran:?}");
    let explained = ran.json();
    assert_eq!(
        (&explained["credential"]["logged_in"], &explained["credential"]["method"]),
        (&true.into(), &"apikey".into())
    );
    assert_eq!(explained["credential"]["from"], home.file("auth.json").display().to_string());
    let Ran { stdout, .. } = home.run("explain --verbose").expect(0);
    assert!(stdout.contains("credential  Logged in with an API key, from ") && !stdout.contains("canary"), "{stdout}");
    assert!(stdout.contains("cli_auth_credentials_store = file   (default)"), "{stdout}");
}

#[test]
fn what_a_variable_shadows_is_said() {
    let home = Home::new();
    home.run_with_input("login --with-api-key", b"sk-stored-canary").expect(0);
    let explained = |variables: &[(&str, &str)]| {
        let mut command = home.command("explain --json");
        command.envs(variables.iter().copied());
        let ran = with_input(command, b"").expect(0);
        assert!(!ran.stdout.contains("canary"), "{ran:?}");
        ran.json()["credential"].clone()
    };
    let stored = home.file("auth.json").display().to_string();
    let found = explained(&[("CODEX_API_KEY", "sk-canary"), ("CODEX_ACCESS_TOKEN", "at-canary")]);
    assert_eq!(found["from"], "CODEX_API_KEY");
    assert_eq!(found["shadows"], serde_json::json!(["CODEX_ACCESS_TOKEN", stored]));
    let found = explained(&[("CODEX_ACCESS_TOKEN", "at-canary")]);
    assert_eq!((&found["from"], &found["shadows"]), (&"CODEX_ACCESS_TOKEN".into(), &serde_json::json!([stored])));
    assert_eq!(explained(&[])["shadows"], serde_json::json!([]));
}

#[test]
fn a_project_is_shown_and_ignored() {
    let (home, project) = (Home::new(), Home::new());
    fs::create_dir(project.file(".codex")).unwrap();
    let text = "cli_auth_credentials_store = \"ephemeral\"\nforced_login_method = \"api\"\n[hallpass.providers.openai]\n\
                issuer = \"https://evil.example\"\nclient_id = \"x\"\n[hallpass.git]\nhosts = [\"evil.example\"]\n";
    fs::write(project.file(".codex/config.toml"), text).unwrap();
    let run = |line: &str| {
        let mut command = home.command(line);
        command.current_dir(&project.path);
        with_input(command, b"sk-1")
    };
    run("login --with-api-key").expect(0);
    assert!(home.file("auth.json").exists());
    assert_eq!(run("token").expect(0).stdout, "sk-1\n");
    let explained = run("explain --json").expect(0).json();
    let store = setting(&explained, "cli_auth_credentials_store");
    assert_eq!((&store["value"], &store["shadows"][0]["origin"]), (&"file".into(), &"project".into()));
    let ran = run("explain").expect(0);
    assert!(ran.stdout.contains("  ignores ephemeral   ("), "{ran:?}");
    // Nor does a broken one stop anything.
    fs::write(project.file(".codex/config.toml"), "x = \"sk-canary").unwrap();
    run("token").expect(0);
    let ran = run("explain --json").expect(0);
    assert_eq!(ran.json()["problems"][0]["code"], "invalid_value");
    assert!(!ran.stdout.contains("canary"), "{ran:?}");
}

#[test]
fn what_is_wrong_is_shown_where_it_stands() {
    let home = Home::new();
    fs::write(home.file("config.toml"), "\nforced_login_method = \"both\"\n").unwrap();
    let expected = format!("{}:2: forced_login_method: it is none of", home.file("config.toml").display());
    let ran = home.run("token --json").expect(2);
    assert!(ran.json()["error"]["message"].as_str().unwrap().starts_with(&expected), "{ran:?}");
    let explained = home.run("explain --json").expect(0).json();
    let problem = setting(&explained, "forced_login_method")["problem"].as_str().unwrap().to_owned();
    assert!(problem.starts_with(&expected) && explained["credential"].is_null(), "{explained}");
    // What says how the record is kept is no exception.
    let text = "model = \"x\"\nfeatures.secret_auth_storage = \"sometimes\"\n";
    fs::write(home.file("config.toml"), text).unwrap();
    let expected = format!("{}:2: features.secret_auth_storage: it is neither", home.file("config.toml").display());
    for line in ["token --json", "login --json --with-api-key", "status --json", "logout --json"] {
        let ran = home.run_with_input(line, b"sk-1").expect(2);
        assert!(ran.json()["error"]["message"].as_str().unwrap().starts_with(&expected), "{ran:?}");
    }
    let explained = home.run("explain --json").expect(0).json();
    let problem = setting(&explained, "features.secret_auth_storage")["problem"].as_str().unwrap().to_owned();
    assert!(problem.starts_with(&expected) && explained["credential"].is_null(), "{explained}");
    assert_eq!(setting(&explained, "cli_auth_credentials_store")["value"], "file");
    assert_eq!(explained["problems"][0]["message"], problem);
    for (name, bytes) in [("sk-secret = \"\n", 2), ("\u{feff}a = 1\n", 0)] {
        fs::write(home.file("config.toml"), name).unwrap();
        let ran = home.run("explain").expect(bytes);
        assert!(!ran.stderr.contains("sk-secret"), "{ran:?}");
    }
    fs::write(home.file("config.toml"), b"a = \"\xff\"").unwrap();
    let ran = home.run("token").expect(2);
    assert!(ran.stderr.contains("config.toml: it is not UTF-8"), "{ran:?}");
}

#[test]
fn a_forced_login_method_is_kept_to() {
    let home = Home::new();
    fs::write(home.file("config.toml"), "forced_login_method = \"chatgpt\"\n").unwrap();
    let ran = home.run_with_input("login --with-api-key", b"sk-1").expect(3);
    assert!(ran.stderr.contains("error: API key login is disabled"), "{ran:?}");
    home.run_with_input("login --with-api-key -c forced_login_method=api", b"sk-1").expect(0);
    home.run("token").expect(3);
    home.run("status").expect(1);
    assert!(home.file("auth.json").exists(), "nothing is deleted");
}
