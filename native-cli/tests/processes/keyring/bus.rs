//! A session bus of its own with the real gnome-keyring on it, and homes whose record lies there.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::proxy::{self, Verdict};
use crate::running::Running;
use crate::stage::{Stage, Tokens, until};
use crate::support::{Home, Ran};

/// A bus that starts nothing by itself: a keyring that was killed stays away.
const CONFIGURATION: &str = r#"<busconfig>
  <type>session</type>
  <listen>unix:path=BUS</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>"#;

const SOON: Duration = Duration::from_secs(40);

/// A bus, a keyring, and the folder in which both keep what is theirs.
pub(crate) struct Bus {
    folder: Home,
    daemon: Child,
    keyring: Mutex<Option<Child>>,
}

impl Bus {
    /// With a keyring that is unlocked.
    pub(crate) fn start() -> Self {
        let bus = Self::without_keyring();
        bus.unlock();
        bus
    }

    pub(crate) fn without_keyring() -> Self {
        let folder = Home::new();
        for name in ["user", "data", "runtime"] {
            std::fs::create_dir(folder.file(name)).unwrap();
        }
        let configuration = CONFIGURATION.replace("BUS", folder.file("bus").to_str().unwrap());
        std::fs::write(folder.file("bus.conf"), configuration).unwrap();
        let mut command = within(&folder, "dbus-daemon");
        command.arg(format!("--config-file={}", folder.file("bus.conf").display()));
        command.args(["--nofork", "--print-address=1"]).stdout(Stdio::piped());
        let mut daemon = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("unix:"), "{line}");
        Self { folder, daemon, keyring: Mutex::new(None) }
    }

    /// Starts the keyring, unlocked.
    pub(crate) fn unlock(&self) {
        let mut command = within(&self.folder, "gnome-keyring-daemon");
        command.args(["--foreground", "--unlock", "--components=secrets"]).stdin(Stdio::piped());
        let mut keyring = command.stdout(Stdio::null()).spawn().unwrap();
        keyring.stdin.take().unwrap().write_all(b"password\n").unwrap();
        *self.keyring.lock().unwrap() = Some(keyring);
        until(|| self.ask("NameHasOwner string:org.freedesktop.secrets").contains("boolean true"), "the keyring");
    }

    /// Kills the keyring in the middle of whatever it does.
    pub(crate) fn kill_keyring(&self) {
        if let Some(mut keyring) = self.keyring.lock().unwrap().take() {
            keyring.kill().unwrap();
            keyring.wait().unwrap();
        }
    }

    pub(crate) fn lock(&self) {
        let mut command = within(&self.folder, "dbus-send");
        command.args(["--session", "--print-reply", "--dest=org.freedesktop.secrets", "/org/freedesktop/secrets"]);
        command
            .args(["org.freedesktop.Secret.Service.Lock", "array:objpath:/org/freedesktop/secrets/collection/login"]);
        assert!(command.output().unwrap().status.success());
    }

    fn ask(&self, call: &str) -> String {
        let mut command = within(&self.folder, "dbus-send");
        command.args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/"]);
        let (method, arguments) = call.split_once(' ').unwrap();
        command.arg(format!("org.freedesktop.DBus.{method}")).args(arguments.split(' '));
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }

    /// The record of a home, as Codex would find it.
    pub(crate) fn record(&self, stage: &Stage) -> Option<String> {
        let mut command = within(&self.folder, "secret-tool");
        command.args(["lookup", "service", "Codex Auth", "username", &account(stage)]);
        let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
        (!text.is_empty()).then_some(text)
    }

    pub(crate) fn tokens(&self, stage: &Stage) -> Tokens {
        Tokens::of(&self.record(stage).unwrap())
    }

    /// Stores a record as Codex does.
    pub(crate) fn store(&self, stage: &Stage, record: &str) {
        let account = account(stage);
        let mut command = within(&self.folder, "secret-tool");
        command.args(["store", "--label", &format!("{account}@Codex Auth:default (keyring v3.6.3)")]);
        command.args([
            "application",
            "rust-keyring",
            "service",
            "Codex Auth",
            "target",
            "default",
            "username",
            &account,
        ]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(record.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// A home that is set to this store, with its record in the keyring.
    pub(crate) fn home(&self, stage: Stage, store: &str) -> Stage {
        self.store(&stage, &stage.before);
        std::fs::remove_file(stage.home.file("auth.json")).unwrap();
        set_store(&stage, store);
        stage
    }

    /// A command in this home, on this bus.
    pub(crate) fn command(&self, stage: &Stage, line: &str) -> Command {
        let mut command = stage.home.command(line);
        command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", self.folder.file("bus").display()));
        command
    }

    pub(crate) fn run(&self, stage: &Stage, line: &str) -> Ran {
        Running::start(self.command(stage, line)).finish(SOON)
    }

    /// The same, and each of its calls to the bus is judged: by its number, its name and the process that makes it.
    pub(crate) fn run_judged(
        &self,
        stage: &Stage,
        line: &str,
        judge: impl Fn(usize, &str, u32) -> Verdict + Send + Sync + 'static,
    ) -> Ran {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("proxy-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let process = Arc::new(OnceLock::new());
        let caller = Arc::clone(&process);
        let judge = move |number: usize, name: &str| judge(number, name, *caller.wait());
        proxy::start(&self.folder.file(&name), &self.folder.file("bus"), Arc::new(judge));
        let mut command = self.command(stage, line);
        command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", self.folder.file(&name).display()));
        let running = Running::start(command);
        process.set(running.id()).unwrap();
        running.finish(SOON)
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.kill_keyring();
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

pub(crate) fn set_store(stage: &Stage, store: &str) {
    let setting = format!("cli_auth_credentials_store = \"{store}\"\n");
    std::fs::write(stage.home.file("config.toml"), setting).unwrap();
    stage.set_mode("config.toml", 0o600);
}

/// How a JWT of the server begins. Less of it comes up in a hash by chance, once in some hundred runs.
const JWT: &str = "eyJhbGciOi";

/// That no file of the home has a token in it.
#[track_caller]
pub(crate) fn assert_no_plaintext(stage: &Stage) {
    for name in stage.names() {
        let text = String::from_utf8_lossy(&std::fs::read(stage.home.file(&name)).unwrap()).into_owned();
        assert!(!text.contains("canary") && !text.contains(JWT), "{name}");
    }
}

fn account(stage: &Stage) -> String {
    let digest = Sha256::digest(stage.home.path.to_str().unwrap());
    let hash = digest.iter().take(8).fold(0, |hash: u64, &byte| hash << 8 | u64::from(byte));
    format!("cli|{hash:016x}")
}

fn within(folder: &Home, program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("HOME", folder.file("user")).env("XDG_DATA_HOME", folder.file("data"));
    command.env("XDG_RUNTIME_DIR", folder.file("runtime")).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", folder.file("bus").display()));
    command.stderr(Stdio::null());
    command
}
