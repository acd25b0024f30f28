//! Tools that run under `hallpass exec`: what they find, how they end, what they hear of signals, and what they leave.
#![cfg(all(feature = "tls", unix))]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use support::{Home, Ran, Way, bare, server, sign_in, with_input};

/// A person who is signed in to the default profile with a key.
struct Person {
    folder: Home,
}

impl Person {
    fn new() -> Self {
        let person = Self { folder: Home::new() };
        with_input(person.command("login --with-api-key"), b"sk-canary-default").expect(0);
        person
    }

    /// The same, with a profile `work`.
    fn with_work() -> Self {
        let person = Self::new();
        with_input(person.command("--profile work login --with-api-key"), b"sk-canary-work").expect(0);
        person
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.file(name)
    }

    fn work(&self, name: &str) -> PathBuf {
        self.path("data/profiles/work").join(name)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = bare(line);
        command.env("HOME", &self.folder.path).env("HALLPASS_HOME", self.path("data"));
        command.current_dir(&self.folder.path);
        command
    }

    /// `hallpass LINE exec -- sh -c SCRIPT`
    fn script(&self, line: &str, script: &str) -> Command {
        let mut command = self.command(&format!("{line} exec -- sh -c"));
        command.arg(script).stdin(Stdio::null());
        command
    }

    fn run(&self, line: &str, script: &str) -> Ran {
        Ran::of(self.script(line, script).output().unwrap())
    }
}

#[test]
fn it_ends_as_the_tool_ends() {
    let person = Person::new();
    for code in [0, 1, 7, 255] {
        person.run("", &format!("exit {code}")).expect(code);
    }
    for (name, number) in [("TERM", 15), ("KILL", 9), ("INT", 2)] {
        let status = person.script("", &format!("kill -{name} $$")).status().unwrap();
        assert_eq!(status.signal(), Some(number), "it dies of the same signal");
    }
    Ran::of(person.command("exec no-such-tool").output().unwrap()).expect(127);
    Ran::of(person.command("exec -- /nonexistent/tool").output().unwrap()).expect(127);
    fs::write(person.path("tool"), "#!/bin/sh\n").unwrap();
    let ran = Ran::of(person.command("exec -- ./tool").output().unwrap()).expect(126);
    assert!(ran.stderr.starts_with("error: "), "{ran:?}");
    Ran::of(person.command("exec").output().unwrap()).expect(2);
}

#[test]
fn where_nobody_is_signed_in_no_tool_starts() {
    let person = Person { folder: Home::new() };
    let ran = person.run("", "touch ran").expect(1);
    assert!(ran.stderr.contains("error: not logged in") && ran.stderr.contains("hallpass login"), "{ran:?}");
    person.run("--profile none", "touch ran").expect(2);
    fs::create_dir(person.path(".codex")).unwrap();
    fs::write(person.path(".codex/auth.json"), "{").unwrap();
    person.run("", "touch ran").expect(125);
    assert!(!person.path("ran").exists());
}

#[test]
fn the_tool_finds_its_home_and_what_is_configured_and_nothing_else() {
    let person = Person::with_work();
    let mut command = person.script("--profile work", "env");
    for name in ["CODEX_AUTH_JSON", "CODEX_REFRESH_TOKEN_URL_OVERRIDE", "CODEX_REVOKE_TOKEN_URL_OVERRIDE"] {
        command.env(name, "https://evil.example");
    }
    let ran = Ran::of(command.env("KEPT", "yes").output().unwrap()).expect(0);
    let line =
        |name: &str| ran.stdout.lines().find_map(|line| line.strip_prefix(&format!("{name}="))).map(str::to_owned);
    assert_eq!(line("CODEX_HOME").unwrap(), person.work("").display().to_string().trim_end_matches('/'));
    assert_eq!(line("KEPT").as_deref(), Some("yes"));
    assert!(!ran.stdout.contains("evil.example") && !ran.stdout.contains("sk-canary"), "{ran:?}");

    let variables = "[hallpass.exec.variables]\nA_KEY = \"api_key\"\nA_TOKEN = \"access_token\"\nA_HOME = \"home\"\nA_NAME = \"profile\"\nAN_ACCOUNT = \"account_id\"\n";
    fs::write(person.path(".codex/config.toml"), variables).unwrap();
    let ran = person.run("--profile work", "env; ps -o args= -p $PPID").expect(0);
    let home = person.work("").display().to_string();
    for expected in [
        "A_KEY=sk-canary-work",
        "A_TOKEN=sk-canary-work",
        "A_NAME=work",
        &format!("A_HOME={}", home.trim_end_matches('/')),
    ] {
        assert!(ran.stdout.lines().any(|line| line == expected), "{expected}: {ran:?}");
    }
    assert_eq!(ran.stdout.matches("sk-canary").count(), 2, "nowhere else: {ran:?}");
    assert!(ran.stderr.contains("AN_ACCOUNT is not set") && !ran.stderr.contains("sk-canary"), "{ran:?}");
}

#[test]
fn what_is_called_by_the_tool_stays_in_the_profile() {
    let person = Person::with_work();
    let program = env!("CARGO_BIN_EXE_hallpass");
    let ran =
        person.run("--profile work", &format!("{program} token; {program} exec {program} status --json")).expect(0);
    assert!(ran.stdout.starts_with("sk-canary-work\n") && ran.stdout.contains("\"profile\":\"work\""), "{ran:?}");
}

#[test]
fn a_credential_of_the_environment_that_wins_is_named() {
    let person = Person::with_work();
    let ran = Ran::of(person.script("--profile work", "true").env("CODEX_API_KEY", "sk-canary-env").output().unwrap());
    let ran = ran.expect(0);
    assert!(ran.stderr.contains("CODEX_API_KEY is set") && !ran.stderr.contains("canary"), "{ran:?}");
}

#[test]
fn no_variable_moves_a_refresh_token_under_a_tool() {
    let (person, serving, thief) = (Person::new(), server(), server());
    let line = format!("--profile work login --json --provider openai --issuer {} --no-browser", serving.issuer);
    sign_in(person.command(&line), &serving, Way::Redirected, "").expect(0);
    let before = thief.lock().token_requests();
    // A record that names no loopback issuer: the override does not count, and the token is still good.
    let record =
        fs::read_to_string(person.work("auth.json")).unwrap().replace(&serving.issuer, "https://auth.openai.com");
    fs::write(person.work("auth.json"), record).unwrap();
    let url = format!("{}/oauth/token", thief.issuer);
    let mut command = person.script("--profile work", "true");
    command.env("CODEX_REFRESH_TOKEN_URL_OVERRIDE", url).env("HTTPS_PROXY", "http://127.0.0.1:9");
    Ran::of(command.output().unwrap()).expect(0);
    assert_eq!(thief.lock().token_requests(), before);
}

#[test]
fn configuration_that_a_tool_replaces_by_renaming_survives() {
    let person = Person::with_work();
    fs::write(person.path(".codex/config.toml"), "model = \"a\"\n").unwrap();
    person.run("--profile work", "cat $CODEX_HOME/config.toml").expect(0);
    let replace = "printf 'model = \"b\"\\n' > $CODEX_HOME/new && mv $CODEX_HOME/new $CODEX_HOME/config.toml && echo 1 >> $CODEX_HOME/history.jsonl && mkdir -p $CODEX_HOME/sessions/2026 && echo 1 > $CODEX_HOME/sessions/2026/one";
    let ran = person.run("--profile work", replace).expect(0);
    assert_eq!(ran.stderr, "");
    assert_eq!(fs::read_to_string(person.path(".codex/config.toml")).unwrap(), "model = \"b\"\n");
    assert_eq!(fs::read_to_string(person.path(".codex/sessions/2026/one")).unwrap(), "1\n");
    for name in ["config.toml", "history.jsonl", "sessions"] {
        assert!(person.work(name).is_symlink(), "{name}");
    }
    // The other profile sees it, and nobody sees the other's credential.
    let ran = person.run("", "cat $CODEX_HOME/config.toml $CODEX_HOME/history.jsonl").expect(0);
    assert_eq!(ran.stdout, "model = \"b\"\n1\n");
    assert!(!person.work("auth.json").is_symlink());
    // A tool that was killed before anybody could look.
    let replace =
        "printf 'model = \"c\"\\n' > $CODEX_HOME/new && mv $CODEX_HOME/new $CODEX_HOME/config.toml && kill -KILL $PPID";
    person.script("--profile work", replace).status().unwrap();
    person.run("--profile work", "true").expect(0);
    assert_eq!(fs::read_to_string(person.path(".codex/config.toml")).unwrap(), "model = \"c\"\n");
    assert!(person.work("config.toml").is_symlink());
}

#[test]
fn databases_beside_the_configuration_survive() {
    let person = Person::with_work();
    // One that a tool keeps in its home, and one where Codex is told to keep its own.
    let write = r#"
import os, sqlite3, sys
for home in (os.environ["CODEX_HOME"], os.environ.get("CODEX_SQLITE_HOME", os.environ["CODEX_HOME"])):
    database = sqlite3.connect(os.path.join(home, "state_5.sqlite"), timeout=30)
    database.execute("pragma journal_mode = wal")
    database.execute("create table if not exists threads (name text)")
    for number in range(50):
        database.execute("insert into threads values (?)", (f"{sys.argv[1]} {number}",))
        database.commit()
    database.execute("pragma wal_checkpoint(passive)")
    if sys.argv[1] == "killed":
        os.kill(os.getpid(), 9)
    database.close()
"#;
    fs::write(person.path("write.py"), write).unwrap();
    let tool = |line: &str, name: &str| person.script(line, &format!("exec python3 write.py {name}")).spawn().unwrap();
    let both = [tool("--profile work", "work"), tool("", "default"), tool("--profile work", "again")];
    for mut child in both {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(tool("--profile work", "killed").wait().unwrap().signal(), Some(9));
    let count = "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); print(d.execute('pragma integrity_check').fetchone()[0], d.execute('select count(*) from threads').fetchone()[0])";
    let counted = |path: PathBuf| {
        assert!(!path.is_symlink());
        let output = Command::new("python3").args(["-c", count]).arg(path).output().unwrap();
        Ran::of(output).expect(0).stdout
    };
    // `default` wrote twice into the shared one: there both variables say the same.
    assert_eq!(counted(person.path(".codex/state_5.sqlite")), "ok 200\n");
    assert_eq!(counted(person.work("state_5.sqlite")), "ok 150\n");
}

/// A tool that says what it hears.
const LISTENER: &str = "import os, signal, sys\n\
    heard = {getattr(signal, name) for name in ('SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT')}\n\
    signal.pthread_sigmask(signal.SIG_BLOCK, heard)\n\
    print('ready', flush=True)\n\
    while True:\n    number = signal.sigwait(heard)\n    os.write(1, (signal.Signals(number).name + '\\n').encode())\n    \
    number == signal.SIGTERM and sys.exit(3)\n";

struct Listening {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Listening {
    fn start(person: &Person) -> Self {
        let mut command = person.command("exec -- python3 -c");
        let mut child = command.arg(LISTENER).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut listening = Self { child, lines };
        assert_eq!(listening.line(), "ready");
        listening
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap(), signal).unwrap();
    }
}

#[test]
fn signals_that_are_sent_to_us_alone_reach_the_tool_once() {
    let mut tool = Listening::start(&Person::new());
    for (signal, name) in [
        (Signal::HUP, "SIGHUP"),
        (Signal::INT, "SIGINT"),
        (Signal::QUIT, "SIGQUIT"),
        (Signal::USR1, "SIGUSR1"),
        (Signal::USR2, "SIGUSR2"),
        (Signal::WINCH, "SIGWINCH"),
        (Signal::TERM, "SIGTERM"),
    ] {
        tool.send(signal);
        assert_eq!(tool.line(), name);
    }
    assert_eq!(tool.child.wait().unwrap().code(), Some(3), "the tool decides how it ends");
    let mut rest = String::new();
    tool.lines.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "and each came once");
}

#[cfg(target_os = "linux")]
#[test]
fn a_tool_starts_with_every_signal_as_it_was() {
    // The first 31: the others are the C library's own business.
    let script = "while read name mask; do case $name in SigBlk:|SigIgn:) echo $name $((0x$mask & 0x7fffffff));; esac; done < /proc/self/status";
    let ran = Person::new().run("", script).expect(0);
    let expected = Command::new("sh").args(["-c", script]).output().unwrap();
    assert_eq!(ran.stdout, String::from_utf8(expected.stdout).unwrap());
    assert_eq!(ran.stdout.lines().count(), 2);
}

#[test]
fn what_is_shared_can_be_chosen() {
    let person = Person::with_work();
    fs::write(person.path(".codex/config.toml"), "[hallpass.exec]\nshare = [\"AGENTS.md\"]\n").unwrap();
    fs::write(person.path(".codex/AGENTS.md"), "x").unwrap();
    fs::write(person.path(".codex/history.jsonl"), "x").unwrap();
    person.run("--profile work", "true").expect(0);
    assert!(person.work("AGENTS.md").is_symlink() && !person.work("history.jsonl").exists());
    assert!(!person.work("config.toml").exists());
    let mode = fs::metadata(person.work("hallpass.shared.json")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
}
