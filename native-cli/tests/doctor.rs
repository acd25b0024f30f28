//! `hallpass doctor`: what is wrong is set up for real, and found, named and mended.
#![cfg(all(feature = "tls", unix))]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use hallpass::authorization_server::Serving;
use serde_json::Value;
use support::{Home, Ran, Way, server, server_with, sign_in, with_input};

const KEY: &str = include_str!("vectors/auth.apikey.json");

/// The program in this home, with a browser to open, and asking nobody over the network.
fn doctor(home: &Home) -> Command {
    let mut command = home.command("doctor --json --offline");
    command.env("BROWSER", "true");
    command
}

fn session() -> (Home, Serving) {
    let (home, serving) = (Home::new(), server());
    fs::set_permissions(&home.path, fs::Permissions::from_mode(0o700)).unwrap();
    let line = format!("login --json --provider local --issuer {} --no-browser", serving.issuer);
    sign_in(home.command(&line), &serving, Way::Redirected, "").expect(0);
    (home, serving)
}

fn examine(command: Command) -> (Value, i32) {
    let ran = with_input(command, b"");
    assert_eq!(ran.stderr, "", "{ran:?}");
    (ran.json(), ran.code.unwrap())
}

/// The finding of this code: its level, its sentence and its help.
#[track_caller]
fn finding(answer: &Value, code: &str) -> (String, String, String) {
    let found = answer["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == code);
    let found = found.unwrap_or_else(|| panic!("no `{code}` among {answer:#}"));
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    (text("level"), text("message"), text("help"))
}

#[track_caller]
fn finds(command: Command, code: &str, level: &str, help: &str) -> Value {
    let (answer, exit) = examine(command);
    let found = finding(&answer, code);
    assert_eq!(found.0, level, "{answer:#}");
    assert!(found.2.contains(help), "{found:?}");
    assert_eq!(exit != 0, answer["summary"]["problem"] != 0, "{answer:#}");
    answer
}

#[test]
fn a_healthy_home_has_no_problem_and_a_server_that_answers() {
    let (home, serving) = session();
    let mut command = home.command("doctor --json");
    command.env("BROWSER", "true");
    let (answer, exit) = examine(command);
    assert_eq!(exit, 0, "{answer:#}");
    assert_eq!((&answer["summary"]["problem"], &answer["summary"]["warning"]), (&0.into(), &0.into()), "{answer:#}");
    for code in ["home", "writable", "locks", "signed_in", "ports", "browser", "server", "environment"] {
        assert_eq!(finding(&answer, code).0, "ok", "{answer:#}");
    }
    assert!(finding(&answer, "server").1.contains(&serving.issuer));
    assert!(
        home.path.read_dir().unwrap().all(|entry| !entry.unwrap().file_name().to_string_lossy().contains("doctor"))
    );

    let ran = home.run("doctor --offline").expect(0);
    assert!(ran.stdout.starts_with("Home\n  ok:       ") && ran.stdout.ends_with("No problem was found.\n"), "{ran:?}");
}

/// The table of what people run into, row by row: the symptom is set up, and the fix is shown.
#[test]
fn every_row_of_the_troubleshooting_table() {
    // "Login opens browser but callback fails: port 1455 blocked". Both of the ports, since a login tries both.
    let home = Home::new();
    let holders: Vec<_> = [1455, 1457].into_iter().map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port))).collect();
    let answer = finds(doctor(&home), "port_taken", "problem", "hallpass login --device-auth");
    if cfg!(target_os = "linux") && holders.iter().all(Result::is_ok) {
        let own = format!("process {}", std::process::id());
        assert!(finding(&answer, "port_taken").1.contains(&own), "{answer:#}");
    }
    drop(holders);
    // "… or WSL network mismatch".
    let mut command = doctor(&home);
    command.env("WSL_DISTRO_NAME", "Debian").env_remove("BROWSER").env("SSH_TTY", "/dev/pts/0");
    finds(command, "no_browser_here", "note", "hallpass login --device-auth");

    // "401 errors after idle period: session stale (>8 days)".
    let (home, _serving) = session();
    let mut record: Value = serde_json::from_str(&home.record()).unwrap();
    record["last_refresh"] = "2026-01-01T00:00:00Z".into();
    fs::write(home.file("auth.json"), record.to_string()).unwrap();
    finds(doctor(&home), "stale", "warning", "hallpass login");

    // "Spark model not available: using API key auth".
    let key = Home::new();
    fs::write(key.file("auth.json"), KEY).unwrap();
    let answer = finds(doctor(&key), "limited_method", "note", "run `hallpass login` to sign in with ChatGPT");
    assert!(finding(&answer, "limited_method").1.contains("codex spark"), "{answer:#}");

    // "CI/CD auth fails intermittently: concurrent token refresh race".
    let mut command = doctor(&home);
    command.env("CI", "true");
    finds(command, "session_in_ci", "warning", "concurrency group");

    // "Corporate proxy SSL errors: missing custom CA bundle".
    let port = private_server();
    let mut command = home.command("doctor --json");
    record["tokens"]["oauth_provenance"]["issuer"] = format!("https://127.0.0.1:{port}").into();
    fs::write(home.file("auth.json"), record.to_string()).unwrap();
    command.env("BROWSER", "true");
    finds(command, "certificate_untrusted", "problem", "CODEX_CA_CERTIFICATE");
}

/// A server whose certificate no public authority has signed.
fn private_server() -> u16 {
    let certified = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key.into())
        .unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let _ = connection.complete_io(&mut stream);
        }
    });
    port
}

#[test]
fn what_others_may_do_is_found_and_the_command_mends_it() {
    let (home, _serving) = session();
    for (name, mode, code) in [
        ("auth.json", 0o644, "file_readable"),
        ("auth.json", 0o400, "file_read_only"),
        ("hallpass.json", 0o666, "file_writable"),
        (".", 0o777, "folder_writable"),
    ] {
        fs::set_permissions(home.file(name), fs::Permissions::from_mode(mode)).unwrap();
        let answer = finds(doctor(&home), code, "problem", "run `chmod ");
        let help = finding(&answer, code).2;
        let command = help.split('`').nth(1).unwrap();
        Ran::of(Command::new("sh").args(["-c", command]).output().unwrap()).expect(0);
        let (answer, exit) = examine(doctor(&home));
        assert_eq!(exit, 0, "`{command}` did not mend it: {answer:#}");
    }
    fs::hard_link(home.file("auth.json"), home.file("second")).unwrap();
    let help = finding(&finds(doctor(&home), "hard_link", "problem", "cp -p"), "hard_link").2;
    Ran::of(Command::new("sh").args(["-c", help.split('`').nth(1).unwrap()]).output().unwrap()).expect(0);
    assert_eq!(examine(doctor(&home)).1, 0);
}

#[test]
fn what_the_record_says_is_found() {
    let home = Home::new();
    fs::write(home.file("auth.json"), "").unwrap();
    fs::set_permissions(home.file("auth.json"), fs::Permissions::from_mode(0o600)).unwrap();
    for (text, code, exit) in
        [("{}", "no_credential", 1), ("{\"tokens\": canary", "corrupt_credentials", 5), ("", "corrupt_credentials", 5)]
    {
        fs::write(home.file("auth.json"), text).unwrap();
        let (answer, code_of_exit) = examine(doctor(&home));
        assert!(finding(&answer, code).2.contains("hallpass login"), "{answer:#}");
        assert_eq!(code_of_exit, exit, "{answer:#}");
        assert!(!answer.to_string().contains("canary"), "{answer:#}");
    }
    fs::remove_file(home.file("auth.json")).unwrap();
    assert_eq!(finding(&examine(doctor(&home)).0, "not_logged_in").2, "run `hallpass login`");
}

#[test]
fn a_session_that_the_server_has_ended_is_known_without_asking() {
    let (home, serving) = session();
    let family = serving.lock().families().last().unwrap().id;
    serving.lock().revoke_family(family);
    home.run("token --refresh").expect(1);
    let (answer, exit) = examine(doctor(&home));
    assert_eq!(exit, 1, "{answer:#}");
    let problems: Vec<_> =
        answer["findings"].as_array().unwrap().iter().filter(|one| one["level"] == "problem").collect();
    assert_eq!(problems.len(), 1, "{answer:#}");
    assert_eq!(problems[0]["help"], "run `hallpass login`");
}

#[test]
fn copies_of_a_home_are_found() {
    let (home, _serving) = session();
    let copy = Home::new();
    fs::create_dir(copy.file(".codex")).unwrap();
    for name in ["auth.json", "hallpass.json"] {
        fs::copy(home.file(name), copy.file(".codex").join(name)).unwrap();
    }
    // The person's usual home holds the session of the one that CODEX_HOME names.
    let mut command = doctor(&home);
    command.env("HOME", &copy.path);
    finds(command, "shared_session", "problem", "hallpass login");
    let mut command = doctor(&copy);
    command.env_remove("CODEX_HOME");
    finds(command, "copied_home", "problem", "hallpass login");

    // A profile that was made by copying.
    let profile = copy.file("data/profiles/work");
    fs::create_dir_all(&profile).unwrap();
    fs::copy(home.file("auth.json"), profile.join("auth.json")).unwrap();
    let mut command = doctor(&home);
    command.env("HALLPASS_HOME", copy.file("data"));
    let answer = finds(command, "shared_session", "problem", "hallpass login");
    assert!(finding(&answer, "shared_session").1.contains("profiles/work"), "{answer:#}");

    fs::write(copy.file(".codex/auth.json"), KEY).unwrap();
    let mut command = doctor(&home);
    command.env("HOME", &copy.path);
    finds(command, "other_home", "note", "CODEX_HOME");
}

#[test]
fn leftovers_and_homes_that_travel_are_found() {
    let (home, _serving) = session();
    for (name, code, help) in [
        (".auth.json.hallpass-tmp", "leftover_file", "rm "),
        (".auth-aB3dE6", "leftover_file", "rm "),
        ("auth.json.corrupt", "corrupt_kept", "rm "),
        ("hallpass.parked", "interrupted_refresh", "hallpass token --refresh"),
    ] {
        fs::write(home.file(name), "{\"x\": \"canary\"}").unwrap();
        fs::set_permissions(home.file(name), fs::Permissions::from_mode(0o600)).unwrap();
        let answer = finds(doctor(&home), code, "warning", help);
        assert!(!answer.to_string().contains("canary"));
        fs::remove_file(home.file(name)).unwrap();
    }
    let outer = Home::new();
    let inner = outer.file("Dropbox/.codex");
    fs::create_dir_all(&inner).unwrap();
    let mut command = doctor(&outer);
    command.env("CODEX_HOME", &inner);
    finds(command, "synchronised_folder", "warning", "CODEX_HOME");
}

#[test]
fn who_holds_the_lock_is_named() {
    let (home, _serving) = session();
    let lock = fs::File::open(home.file("hallpass.lock")).unwrap();
    lock.lock().unwrap();
    let answer = finds(doctor(&home), "lock_held", "note", "");
    if cfg!(target_os = "linux") {
        let own = format!("(process {})", std::process::id());
        assert!(finding(&answer, "lock_held").1.contains(&own), "{answer:#}");
    }
}

#[test]
fn variables_are_named_without_their_values() {
    let home = Home::new();
    home.run_with_input("login --with-api-key", b"sk-stored").expect(0);
    let mut command = doctor(&home);
    command.env("CODEX_API_KEY", "sk-canary");
    let answer = finds(command, "shadowed", "warning", "unset CODEX_API_KEY");
    assert!(!answer.to_string().contains("canary"));
    let mut command = doctor(&home);
    command.env("OPENAI_FEDERATION_RULE_ID", "canary");
    let answer = finds(command, "federation_incomplete", "problem", "set both");
    assert!(!answer.to_string().contains("canary"));
    // They are for OpenAI, and stand in the way of no login to somebody else.
    let (home, _serving) = session();
    let mut command = doctor(&home);
    command.env("CODEX_API_KEY", "sk-canary");
    finds(command, "shadowed", "note", "");
}

#[test]
fn certificates_and_proxies_are_tried() {
    let (home, _serving) = session();
    fs::write(home.file("no.pem"), "nothing").unwrap();
    for (file, level) in [("no.pem", "problem"), ("missing.pem", "problem")] {
        let mut command = doctor(&home);
        command.env("CODEX_CA_CERTIFICATE", home.file(file));
        let answer = finds(command, "certificate_file", level, "PEM file");
        assert!(answer.to_string().contains("the environment variable `CODEX_CA_CERTIFICATE` names"), "{answer:#}");
    }
    let expired = |until: i32| {
        let mut params = rcgen::CertificateParams::new(vec!["a".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
    };
    for (contents, level) in [(expired(2001), "problem"), (format!("{}{}", expired(2001), expired(4000)), "note")] {
        fs::write(home.file("ca.pem"), contents).unwrap();
        let mut command = doctor(&home);
        command.env("SSL_CERT_FILE", home.file("ca.pem"));
        finds(command, "certificates_expired", level, "bundle");
    }

    // Nobody is signed in here, so it is OpenAI that would be asked, by way of the proxy.
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let key = Home::new();
    for (proxy, code) in [
        (format!("http://who:canary@127.0.0.1:{free}"), "proxy_unreachable"),
        ("socks5://who:canary@127.0.0.1:1".to_owned(), "proxy"),
    ] {
        let mut command = key.command("doctor --json");
        command.env("HTTPS_PROXY", proxy);
        let answer = finds(command, code, "problem", "");
        assert!(!answer.to_string().contains("canary"), "{answer:#}");
    }
}

#[test]
fn a_wrong_clock_is_found_by_the_servers() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(
                b"HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n",
            );
        }
    });
    let home = with_session_at(&issuer);
    let answer = finds(home.command("doctor --json"), "clock_skew", "warning", "set the clock");
    assert!(finding(&answer, "clock_skew").1.contains("ahead of"), "{answer:#}");
}

#[test]
fn a_server_that_never_answers_is_not_waited_for() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let home = with_session_at(&format!("http://{}", listener.local_addr().unwrap()));
    let start = Instant::now();
    finds(home.command("doctor --json"), "network", "problem", "check the network");
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
}

/// A home with the session of a server that is played.
fn with_session_at(issuer: &str) -> Home {
    let (home, _serving) = session();
    let mut record: Value = serde_json::from_str(&home.record()).unwrap();
    record["tokens"]["oauth_provenance"]["issuer"] = issuer.into();
    fs::write(home.file("auth.json"), record.to_string()).unwrap();
    home
}

#[test]
fn a_home_that_cannot_be_used_does_not_keep_the_rest_from_being_looked_at() {
    let home = Home::new();
    let mut command = doctor(&home);
    command.env("CODEX_HOME", Path::new("/nonexistent/home"));
    let answer = finds(command, "no_home", "problem", "create the folder");
    assert_eq!(finding(&answer, "environment").0, "ok");
    fs::write(home.file("config.toml"), "token = \"sk-canary").unwrap();
    let answer = finds(doctor(&home), "invalid_value", "problem", "");
    assert!(!answer.to_string().contains("canary"), "{answer:#}");
}

/// The program with something before it: `script` runs, then the program.
fn after(command: &Command, through: &[&str], script: &str) -> Command {
    let mut wrapped = Command::new(through[0]);
    wrapped.args(&through[1..]).args(["sh", "-c", &format!("set -e\n{script}\nset +e\n\"$0\" \"$@\"")]);
    wrapped.arg(command.get_program()).args(command.get_args()).env_clear();
    wrapped.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    wrapped
}

#[test]
#[cfg(target_os = "linux")]
fn disks_that_take_nothing_show() {
    const APART: [&str; 4] = ["unshare", "--user", "--map-root-user", "--mount"];
    for (script, code, help) in [
        (
            "mount --bind \"$CODEX_HOME\" \"$CODEX_HOME\"; mount -o remount,bind,ro \"$CODEX_HOME\"",
            "store_read_only",
            "--home",
        ),
        (
            "mount -t tmpfs -o size=16k,mode=700 none \"$CODEX_HOME\"; head -c 99999 /dev/zero > \"$CODEX_HOME/ballast\" || true",
            "store_full",
            "free some space",
        ),
        (
            "cp -p \"$CODEX_HOME/auth.json\" \"$CODEX_HOME/../$$\"; mount --bind \"$CODEX_HOME/../$$\" \"$CODEX_HOME/auth.json\"; rm \"$CODEX_HOME/../$$\" || true",
            "store_busy",
            "mount the folder",
        ),
        ("mount -t tmpfs -o mode=700 none \"$CODEX_HOME\"", "volatile_file_system", ""),
    ] {
        let (home, _serving) = session();
        let command = after(&doctor(&home), &APART, script);
        let ran = with_input(command, b"");
        let (level, _, found) = finding(&ran.json(), code);
        assert_eq!(level, if code == "volatile_file_system" { "note" } else { "problem" });
        assert!(found.contains(help), "{ran:?}");
    }
}

#[test]
#[cfg(all(feature = "keyring", target_os = "linux"))]
fn the_keyring_is_tried_without_asking_anybody_to_unlock_it() {
    const UNLOCK: &str = "mkdir -m 700 \"$HOME/run\"; export XDG_RUNTIME_DIR=\"$HOME/run\" XDG_DATA_HOME=\"$HOME/data\"\n\
                          printf 'pw\\n' | gnome-keyring-daemon --unlock --components=secrets >&2 2>/dev/null\n\
                          for try in $(seq 100); do\n\
                          dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner \
                          string:org.freedesktop.secrets | grep -q 'boolean true' && break; sleep 0.1; done";
    const LOCK: &str = "dbus-send --session --dest=org.freedesktop.secrets --print-reply /org/freedesktop/secrets \
                        org.freedesktop.Secret.Service.Lock array:objpath:/org/freedesktop/secrets/collection/login >/dev/null";
    for (script, store, code, level) in [
        (UNLOCK.to_owned(), "keyring", "keyring", "ok"),
        (format!("{UNLOCK}\n{LOCK}"), "keyring", "keyring_locked", "problem"),
        (format!("{UNLOCK}\n{LOCK}"), "file", "keyring_locked", "note"),
    ] {
        let home = Home::new();
        fs::write(home.file("config.toml"), format!("cli_auth_credentials_store = \"{store}\"\n")).unwrap();
        let ran = with_input(after(&doctor(&home), &["dbus-run-session", "--"], &script), b"");
        assert_eq!(finding(&ran.json(), code).0, level, "{ran:?}");
    }
    // A bus that takes the connection and never answers.
    let home = Home::new();
    let _listener = std::os::unix::net::UnixListener::bind(home.file("bus")).unwrap();
    let start = Instant::now();
    let mut command = doctor(&home);
    command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", home.file("bus").display()));
    finds(command, "store_timed_out", "note", "");
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
}

#[test]
fn it_shows_no_secret_of_the_home() {
    let serving = server_with(|_| {});
    let home = Home::new();
    let line = format!("login --json --provider local --issuer {} --no-browser", serving.issuer);
    sign_in(home.command(&line), &serving, Way::Redirected, "").expect(0);
    for line in ["doctor --verbose", "doctor --json --verbose"] {
        let ran = home.run(line);
        for spelling in serving.lock().options().canary_spellings() {
            assert!(!ran.stdout.contains(&spelling) && !ran.stderr.contains(&spelling), "{ran:?}");
        }
    }
}
