//! Homes, files, servers and surroundings as bad as they come: the exit code, the code of the error and its help say
//! what to do, and what was stored before stays as it was, to the byte.
#![cfg(all(feature = "tls", unix))]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hallpass::authorization_server::{Endpoint, Fault, PlannedFault, Serving};
use serde_json::Value;
use support::{Home, Ran, Way, server, server_with, sign_in, with_input};

const RECORD: &str = include_str!("vectors/auth.apikey.json");

/// The exit code, the code of the error, and a part of its help.
type Ending = (i32, &'static str, &'static str);

const CORRUPT: Ending = (5, "corrupt_credentials", "`hallpass login`");
const UNREADABLE: Ending = (5, "store_unreadable", "`hallpass login`");
const NOBODY: Ending = (1, "not_logged_in", "`hallpass login`");

/// A failure with `--json`, and the same for people.
#[track_caller]
fn fails(ran: &Ran, (exit, code, help): Ending) {
    assert_eq!(ran.code, Some(exit), "{ran:?}");
    let error = ran.json()["error"].clone();
    assert_eq!(error["code"], code, "{ran:?}");
    assert!(error["help"].as_str().is_some_and(|text| text.contains(help)), "{ran:?}");
}

#[track_caller]
fn is_said(ran: &Ran, (exit, _, help): Ending) {
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(exit), ""), "{ran:?}");
    let mut lines = ran.stderr.lines().skip_while(|line| !line.starts_with("error: "));
    assert!(lines.next().is_some(), "{ran:?}");
    assert!(lines.any(|line| line.starts_with("help: ") && line.contains(help)), "{ran:?}");
}

/// A home in which Ada is signed in, with an access token that is good for so long.
fn signed_in(lifetime: i64) -> (Home, Serving) {
    let (home, serving) = (Home::new(), server_with(|options| options.access_token_lifetime_ms = lifetime));
    let line = format!("login --json --provider local --issuer {} --no-browser", serving.issuer);
    sign_in(home.command(&line), &serving, Way::Redirected, "").expect(0);
    (home, serving)
}

const MINUTE: i64 = 60_000;

/// A file that cannot be a record, and how commands end that look at it.
fn files() -> Vec<(&'static str, Vec<u8>, Ending)> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("truncated", text(&RECORD[..RECORD.len() - 3]), CORRUPT),
        ("empty", Vec::new(), CORRUPT),
        ("blank", text(" \n"), CORRUPT),
        ("a list", text("[]"), CORRUPT),
        ("null", text("null"), CORRUPT),
        ("a page", text("<!doctype html>"), CORRUPT),
        ("tokens of the wrong shape", text(r#"{"auth_mode":"chatgpt","tokens":"x"}"#), CORRUPT),
        ("a token of the wrong shape", text(r#"{"auth_mode":"chatgpt","tokens":{"access_token":[]}}"#), CORRUPT),
        ("an unknown mode", text(r#"{"auth_mode":"newest"}"#), CORRUPT),
        ("deep", "[".repeat(200_000).into_bytes(), CORRUPT),
        ("zeroes", vec![0; 4096], CORRUPT),
        ("not UTF-8", b"{\"auth_mode\":\"\xff\"}".to_vec(), UNREADABLE),
        ("UTF-16", b"\xff\xfe{\0}\0".to_vec(), UNREADABLE),
        ("nothing in it", text("{}"), NOBODY),
        ("no tokens", text(r#"{"auth_mode":"chatgpt","tokens":{}}"#), NOBODY),
    ]
}

#[test]
fn a_file_that_is_no_record_is_named_and_left_alone() {
    let home = Home::new();
    for (name, bytes, ending) in files() {
        fs::write(home.file("auth.json"), &bytes).unwrap();
        for line in ["status", "token", "token --refresh"] {
            is_said(&home.run(line), ending);
        }
        fails(&home.run("token --json"), ending);
        if ending != NOBODY {
            fails(&home.run("status --json"), ending);
        }
        assert_eq!(fs::read(home.file("auth.json")).unwrap(), bytes, "{name}");
    }
}

#[test]
fn a_byte_order_mark_is_no_damage() {
    let home = Home::new();
    let bytes = [b"\xef\xbb\xbf", RECORD.as_bytes()].concat();
    fs::write(home.file("auth.json"), &bytes).unwrap();
    assert_eq!(home.run("status --json").expect(0).json()["method"], "apikey");
    home.run("token").expect(0);
    assert_eq!(fs::read(home.file("auth.json")).unwrap(), bytes);
}

#[test]
fn a_file_of_100_megabytes_is_not_read() {
    let home = Home::new();
    let file = fs::File::create(home.file("auth.json")).unwrap();
    file.set_len(100_000_000).unwrap();
    let begin = Instant::now();
    for line in ["status --json", "token --json"] {
        fails(&home.run(line), UNREADABLE);
    }
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert_eq!(fs::metadata(home.file("auth.json")).unwrap().len(), 100_000_000);
}

#[test]
fn a_login_takes_the_place_of_any_of_them() {
    let serving = server();
    let login = format!("login --json --provider local --issuer {} --no-browser", serving.issuer);
    for (name, bytes, _) in files() {
        let home = Home::new();
        fs::write(home.file("auth.json"), &bytes).unwrap();
        sign_in(home.command(&login), &serving, Way::Redirected, "").expect(0);
        assert_eq!(home.run("status --json").expect(0).json()["logged_in"], true, "{name}");

        fs::write(home.file("auth.json"), &bytes).unwrap();
        home.run_with_input("login --with-api-key", b"sk-1").expect(0);
        assert_eq!(home.run("token").expect(0).stdout, "sk-1\n", "{name}");
    }
}

#[test]
fn what_is_no_json_is_kept_aside_once_and_for_its_owner_alone() {
    let home = Home::new();
    let aside = home.file("auth.json.corrupt");
    for text in ["{\"OPENAI_API_KEY\": \"sk-first", "{\"OPENAI_API_KEY\": \"sk-second"] {
        fs::write(home.file("auth.json"), text).unwrap();
        fs::set_permissions(home.file("auth.json"), fs::Permissions::from_mode(0o644)).unwrap();
        home.run_with_input("login --with-api-key", b"sk-1").expect(0);
        assert_eq!(fs::read_to_string(&aside).unwrap(), "{\"OPENAI_API_KEY\": \"sk-first", "the first is the original");
        for file in [&aside, &home.file("auth.json")] {
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
        }
    }
    home.run("logout").expect(0);
    assert!(!aside.exists(), "it holds a secret");
}

#[test]
fn what_is_no_file_is_not_opened() {
    let home = Home::new();
    let ending = (5, "store_unsafe", "regular file");
    fs::create_dir(home.file("auth.json")).unwrap();
    fails(&home.run("status --json"), ending);
    fs::remove_dir(home.file("auth.json")).unwrap();
    assert!(Command::new("mkfifo").arg(home.file("auth.json")).status().unwrap().success());
    fails(&home.run("token --json"), ending);
    let ran = with_input(home.command("login --json --with-api-key"), b"sk-1");
    assert_eq!((ran.code, &ran.json()["error"]["code"]), (Some(5), &"store_unsafe".into()), "{ran:?}");
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_not_waited_for() {
    let home = Home::new();
    let pipe = |name: &str| assert!(Command::new("mkfifo").arg(home.file(name)).status().unwrap().success());
    home.run_with_input("login --with-api-key", b"sk-1").expect(0);
    fs::create_dir(home.file("project")).unwrap();
    fs::create_dir(home.file("project/.codex")).unwrap();
    for name in ["project/.codex/config.toml", "identity"] {
        pipe(name);
    }
    let start = Instant::now();
    let mut command = home.command("explain --json");
    command.current_dir(home.file("project"));
    let ran = with_input(command, b"");
    assert!(ran.expect(0).json()["problems"].to_string().contains("not a regular file"));
    let mut command = home.command("token --json");
    command.env("OPENAI_FEDERATION_RULE_ID", "rule").env("OPENAI_IDENTITY_TOKEN_FILE", home.file("identity"));
    let ran = with_input(command, b"");
    assert!(ran.code != Some(0) && ran.stdout.contains("not a regular file"), "{ran:?}");
    pipe("config.toml");
    let ran = home.run("status --json").expect(2);
    assert_eq!(ran.json()["error"]["code"], "invalid_value", "{ran:?}");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_home_that_is_not_there() {
    let home = Home::new();
    let missing = home.file("no/such/home");
    let line = |command: &str| format!("{command} --json --home {}", missing.display());
    assert_eq!(home.run(&line("status")).expect(1).json()["logged_in"], false);
    fails(&home.run(&line("token")), NOBODY);
    assert_eq!(home.run(&line("logout")).expect(0).json()["was_logged_in"], false);
    // A file stands where a folder should.
    fs::write(home.file("file"), "").unwrap();
    let line = format!("login --json --with-api-key --home {}", home.file("file/home").display());
    let ran = with_input(home.command(&line), b"sk-1").expect(5);
    assert_eq!(ran.json()["error"]["code"], "no_home", "{ran:?}");
}

fn always(serving: &Serving, fault: Fault) {
    serving.lock().plan(PlannedFault { endpoint: Endpoint::Token, fault, times: None });
}

/// What the token endpoint makes of a refresh, with no token left and with one that is still good.
#[test]
fn a_refresh_that_fails_leaves_the_record_as_it_was() {
    let malformed = (4, "malformed_answer", "no proxy or sign-in page");
    for (fault, ending) in [
        (Fault::Html, malformed),
        (Fault::WrongShape, malformed),
        (Fault::OmitAccessToken, malformed),
        (Fault::OtherAccount, (4, "account_mismatch", "`hallpass logout`")),
        (Fault::Status { status: 503, retry_after: None, processed: false }, (4, "server_unavailable", "try again")),
        (Fault::Redirect { status: 307, location: "https://evil.example/".into() }, (4, "redirected", "no proxy")),
    ] {
        let (home, serving) = signed_in(1);
        let before = home.record();
        always(&serving, fault.clone());
        fails(&home.run("token --json"), ending);
        assert_eq!(home.record(), before, "{fault:?}");

        let (home, serving) = signed_in(4 * MINUTE);
        let before = home.record();
        always(&serving, fault.clone());
        let ran = home.run("token").expect(0);
        assert!(before.contains(ran.stdout.trim_end()) && ran.stderr.contains("warning: "), "{fault:?} {ran:?}");
        assert_eq!(home.record(), before, "{fault:?}");
    }
}

#[test]
fn lifetimes_that_make_no_sense_sign_nobody_out() {
    for json in ["", "-1", "\"soon\"", "1e18", "null", "[3600]", "99999999999999999999999999"] {
        let (home, serving) = (Home::new(), server());
        always(&serving, Fault::ExpiresIn { json: json.to_owned() });
        let line = format!("login --json --provider local --issuer {} --no-browser", serving.issuer);
        sign_in(home.command(&line), &serving, Way::Redirected, "").expect(0);
        let requests = serving.lock().token_requests();
        let first = home.run("token").expect(0).stdout;
        assert_eq!((home.run("token").expect(0).stdout, serving.lock().token_requests()), (first.clone(), requests));
        let second = home.run("token --refresh").expect(0).stdout;
        assert_ne!(first, second, "{json}");
        home.run("status").expect(0);
    }
}

/// The program with mounts of its own. `preparation` runs in the home's parent, where the home is `$home`; when the
/// record has changed the exit code is 99.
fn mounted(home: &Home, preparation: &str, line: &str) -> Ran {
    let script = format!(
        "set -e\ncp -p \"$CODEX_HOME/auth.json\" \"$KEPT\"\n{preparation}\nset +e\n\"$0\" \"$@\"\ncode=$?\n\
         cmp -s \"$CODEX_HOME/auth.json\" \"$KEPT\" || exit 99\nexit $code"
    );
    let program = home.command(line);
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script]);
    command.arg(program.get_program()).args(program.get_args()).env_clear();
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let kept = home.path.with_extension("kept");
    let output = command.env("KEPT", &kept).stdin(Stdio::null()).output().unwrap();
    fs::remove_file(kept).unwrap();
    Ran::of(output)
}

const READ_ONLY: &str = "mount --bind \"$CODEX_HOME\" \"$CODEX_HOME\"; mount -o remount,bind,ro \"$CODEX_HOME\"";
const FULL: &str = "mount -t tmpfs -o size=64k,mode=700 none \"$CODEX_HOME\"\ncp -p \"$KEPT\" \"$CODEX_HOME/auth.json\"\n\
                    head -c 100000 /dev/zero > \"$CODEX_HOME/ballast\" 2>/dev/null || true";

#[test]
#[cfg(target_os = "linux")]
fn nothing_is_spent_where_nothing_can_be_kept() {
    for (preparation, ending) in
        [(READ_ONLY, (5, "lock_failed", "--home")), (FULL, (5, "store_full", "free some space"))]
    {
        let (home, serving) = signed_in(1);
        let requests = serving.lock().token_requests();
        fails(&mounted(&home, preparation, "token --json"), ending);
        assert_eq!(serving.lock().token_requests(), requests, "the refresh token was not sent");

        let (home, serving) = signed_in(4 * MINUTE);
        let requests = serving.lock().token_requests();
        let ran = mounted(&home, preparation, "token").expect(0);
        assert!(home.record().contains(ran.stdout.trim_end()) && ran.stderr.contains("warning: "), "{ran:?}");
        mounted(&home, preparation, "status").expect(0);
        assert_eq!(serving.lock().token_requests(), requests);
        // What a person may still do there is to be told.
        let logout = mounted(&home, READ_ONLY, "logout --json");
        assert_eq!(logout.code, Some(5), "{logout:?}");
    }
}

#[test]
#[cfg(all(feature = "keyring", target_os = "linux"))]
fn without_a_bus_there_is_no_keyring() {
    let ending = (5, "keyring_unavailable", "`--store file`");
    for bus in [None, Some("unix:path=/nonexistent"), Some("nonsense")] {
        let home = Home::new();
        let run = |line: &str, input: &[u8]| {
            let mut command = home.command(line);
            bus.map(|bus| command.env("DBUS_SESSION_BUS_ADDRESS", bus));
            with_input(command, input)
        };
        let begin = Instant::now();
        fs::write(home.file("auth.json"), RECORD).unwrap();
        let login = run("login --json --store keyring --with-api-key", b"sk-1");
        fails(&login, ending);
        assert_eq!(home.record(), RECORD, "the file is as it was");
        fails(&run("token --json --store keyring", b""), ending);
        fails(&run("status --json --store keyring", b""), ending);
        // `auto` makes do, and says so.
        let login = run("login --json --store auto --with-api-key", b"sk-2").expect(0).json();
        assert_eq!(login["warnings"][0]["code"], "keyring_fallback", "{login}");
        let warnings = |ran: Ran| ran.json()["warnings"].as_array().cloned().unwrap_or_default();
        assert!(
            warnings(run("status --json", b"").expect(0)).iter().any(|warning| warning["code"] == "keyring_fallback")
        );
        assert_eq!(run("token", b"").expect(0).stdout, "sk-2\n");
        assert_eq!(run("logout --json", b"").expect(0).json()["warnings"], Value::Array(Vec::new()));
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    }
}
