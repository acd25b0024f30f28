//! The keyring: where there is none, where it does not answer, and a real daemon.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::chown;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hallpass::Stores;
use hallpass_core::Place;

use crate::child::{Process, plain, run};
use crate::{Sandbox, is_root, set_mode};

#[test]
fn the_entry_is_codex_s() {
    for (home, account) in [
        ("/home/u/.codex", "cli|9ba275091964248d"),
        ("/Users/u/.codex", "cli|df2c5489dda272ca"),
        ("~/.codex", "cli|940db7b1d0e4eb40"),
    ] {
        let location = Stores::new(home.into()).location(Place::Keyring);
        assert_eq!(location, format!("keyring: Codex Auth / {account}"));
    }
    assert_eq!(Stores::new("/home/u/.codex".into()).location(Place::File), "/home/u/.codex/auth.json");
}

#[test]
fn without_a_bus_it_is_unavailable_at_once() {
    let sandbox = Sandbox::new();
    let mut command = plain();
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus").env_remove("XDG_RUNTIME_DIR");
    let start = Instant::now();
    let script = "load keyring; save keyring {}; remove keyring; reserve keyring 4096; load record";
    let answers = run(command, &sandbox.home(), script);
    assert!(answers[..4].iter().all(|answer| answer.starts_with("Unavailable keyring: ")), "{answers:?}");
    assert_eq!(answers[4], "nothing");
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[test]
fn a_bus_that_never_answers_is_given_up() {
    let sandbox = Sandbox::new();
    let socket = sandbox.0.join("bus");
    let _listener = UnixListener::bind(&socket).unwrap();
    let mut command = plain();
    command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", socket.display()));
    let mut other = Process::start(command, &sandbox.home());
    let start = Instant::now();
    assert!(other.tell("load keyring").starts_with("TimedOut "));
    assert!(start.elapsed() >= Duration::from_secs(3) && start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_bus_of_another_user_is_given_nothing() {
    // Only root can be somebody else: where this is not root there is no other user. A bus asks who its user is, so that
    // it has to be one that every system knows.
    const NOBODY: u32 = 65534;
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let theirs = sandbox.0.join("theirs");
    std::fs::create_dir(&theirs).unwrap();
    set_mode(&sandbox.0, 0o755);
    chown(&theirs, Some(NOBODY), Some(NOBODY)).unwrap();
    let address = format!("unix:path={}/bus", theirs.display());
    let mut daemon = Command::new("dbus-daemon");
    daemon.args(["--session", "--nofork", "--print-address=1", &format!("--address={address}")]);
    let mut daemon = daemon.uid(NOBODY).gid(NOBODY).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with(&address), "{line}");
    let mut command = plain();
    command.env("DBUS_SESSION_BUS_ADDRESS", &address);
    let answers = run(command, &sandbox.home(), "load keyring; save keyring {}");
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    let refused = |answer: &String| answer.starts_with("Unavailable ") && answer.contains("another user (65534)");
    assert!(answers.iter().all(refused), "{answers:?}");
}

/// The other process beside a keyring daemon of its own.
fn beside_daemon(sandbox: &Sandbox, unlock: &str) -> Command {
    for tool in ["dbus-run-session", "gnome-keyring-daemon"] {
        let is_there = Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
        assert!(is_there, "install {tool}: without it nothing is proved");
    }
    let root: &Path = &sandbox.0;
    let mut command = Command::new("dbus-run-session");
    command.args([
        "--",
        "sh",
        "-c",
        &format!("mkdir -p -m 700 $HOME $XDG_DATA_HOME $XDG_RUNTIME_DIR\n{unlock}\n\"$0\" \"$@\"\n"),
    ]);
    command.arg(std::env::current_exe().unwrap());
    command.env("HOME", root.join("user")).env("XDG_DATA_HOME", root.join("data"));
    command.env("XDG_RUNTIME_DIR", root.join("run")).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    command
}

const UNLOCK: &str = "printf 'pw\\n' | gnome-keyring-daemon --unlock --components=secrets >&2";

#[test]
fn a_record_in_the_keyring_is_found_by_codex_s_attributes() {
    let sandbox = Sandbox::with_home();
    let command = beside_daemon(&sandbox, UNLOCK);
    let mut other = Process::start(command, &sandbox.home());
    assert_eq!(other.tell("load keyring"), "nothing");
    assert_eq!(other.tell("remove keyring"), "removed false");
    assert_eq!(other.tell("save keyring { \"a\": \"b c\" }"), "saved");
    let record = format!("{{\"a\":\"{}\"}}", "x".repeat(30_000));
    assert_eq!(other.tell(&format!("save keyring {record}")), "saved");
    assert_eq!(other.tell("load keyring"), format!("loaded {record}"));
    assert_eq!(other.tell("reserve keyring 65536"), "reserved");
    assert_eq!(other.tell("load keyring-parked"), "loaded {\"intent\":1}");
    assert_eq!(other.tell("save keyring-parked {\"answer\":1}"), "saved");
    assert_eq!(other.tell("load keyring-parked"), "loaded {\"answer\":1}");
    assert_eq!(other.tell("remove keyring-parked"), "removed true");
    assert_eq!(other.tell("remove keyring"), "removed true");
    assert_eq!(other.tell("load keyring"), "nothing");
}

#[test]
fn the_bus_is_found_wherever_the_session_has_it() {
    for wherever in [
        "DBUS_SESSION_BUS_ADDRESS=\"tcp:host=::1;unix:path=/nonexistent/bus;$DBUS_SESSION_BUS_ADDRESS\"",
        "path=${DBUS_SESSION_BUS_ADDRESS#unix:path=}; ln -s \"${path%%,*}\" $XDG_RUNTIME_DIR/bus; \
         unset DBUS_SESSION_BUS_ADDRESS",
    ] {
        let sandbox = Sandbox::with_home();
        let command = beside_daemon(&sandbox, &format!("{UNLOCK}\n{wherever}"));
        let answers = run(command, &sandbox.home(), "save keyring {}; load keyring");
        assert_eq!(answers, ["saved", "loaded {}"], "{wherever}");
    }
}

#[test]
fn an_encrypted_record_and_answer_take_the_place_of_the_entries() {
    let sandbox = Sandbox::with_home();
    let command = beside_daemon(&sandbox, UNLOCK);
    let mut other = Process::start(command, &sandbox.home());
    assert_eq!(other.tell("save keyring {\"a\":\"canary-1\"}"), "saved");
    assert_eq!(other.tell("encrypt"), "encrypts");
    assert_eq!(other.tell("load keyring"), "nothing");
    assert_eq!(other.tell("save keyring {\"a\":\"canary-2\"}"), "saved");
    assert_eq!(other.tell("load keyring"), "loaded {\"a\":\"canary-2\"}");
    assert_eq!(other.tell("reserve keyring 65536"), "reserved");
    assert_eq!(other.tell("load keyring-parked"), "loaded {\"intent\":1}");
    let reserved = std::fs::metadata(sandbox.home().join("hallpass.parked.age")).unwrap().len();
    assert!(reserved >= 65536, "{reserved}");
    let answer = format!("{{\"answer\":\"canary-{}\"}}", "x".repeat(9_000));
    assert_eq!(other.tell(&format!("save keyring-parked {answer}")), "saved");
    assert_eq!(other.tell("load keyring-parked"), format!("loaded {answer}"));
    let size = std::fs::metadata(sandbox.home().join("hallpass.parked.age")).unwrap().len();
    assert_eq!(size, reserved, "the answer takes the room that was reserved");
    let all = Command::new("grep").args(["-r", "canary"]).arg(sandbox.home()).output().unwrap();
    assert!(all.stdout.is_empty(), "{}", String::from_utf8_lossy(&all.stdout));
    assert_eq!(other.tell("remove keyring-parked"), "removed true");
    assert_eq!(other.tell("load keyring-parked"), "nothing");
    assert_eq!(other.tell("remove keyring"), "removed true");
    assert_eq!(other.tell("load keyring"), "nothing");
}

#[test]
fn a_locked_keyring_is_not_an_empty_one() {
    let sandbox = Sandbox::with_home();
    let lock = "dbus-send --session --dest=org.freedesktop.secrets --print-reply /org/freedesktop/secrets \
                org.freedesktop.Secret.Service.Lock array:objpath:/org/freedesktop/secrets/collection/login >&2";
    let command = beside_daemon(&sandbox, &format!("{UNLOCK}\n{lock}"));
    let answers = run(command, &sandbox.home(), "load keyring; save keyring {}; remove keyring");
    assert!(answers.iter().all(|answer| answer.starts_with("Locked ")), "{answers:?}");
}

#[test]
fn a_service_without_a_default_collection_is_no_keyring() {
    let sandbox = Sandbox::with_home();
    let command = beside_daemon(&sandbox, "");
    let answers = run(command, &sandbox.home(), "load keyring; save keyring {}; remove keyring; reserve keyring 64");
    assert!(answers.iter().all(|answer| answer.starts_with("Unavailable ")), "{answers:?}");
}
