//! A home, a server, and the built binary between them.
#![allow(dead_code, unused_imports, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod sign_in;

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use hallpass::authorization_server::{Decision, Options, Serving, serve};
use hallpass::http;
use hallpass_core::{Event, HttpMethod, HttpRequest};
use serde_json::Value;

pub(crate) use sign_in::{Way, sign_in};

/// A home of its own, removed when the test ends.
pub(crate) struct Home {
    pub(crate) path: PathBuf,
}

impl Home {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("hallpass-cli-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self { path: fs::canonicalize(path).unwrap() }
    }

    /// The binary with these arguments, in this home and in an otherwise empty environment.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = bare(line);
        command.env("CODEX_HOME", &self.path).env("HOME", &self.path);
        command
    }

    pub(crate) fn run(&self, line: &str) -> Ran {
        Ran::of(self.command(line).stdin(Stdio::null()).output().unwrap())
    }

    pub(crate) fn run_with_input(&self, line: &str, input: &[u8]) -> Ran {
        with_input(self.command(line), input)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn record(&self) -> String {
        fs::read_to_string(self.file("auth.json")).unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let log = fs::read_to_string(self.file("log/codex-login.log")).unwrap_or_default();
        let _ = fs::remove_dir_all(&self.path);
        // Whatever was done in it: every secret of these tests has a canary or looks like one.
        let shown =
            ["canary", "eyJ", "sk-", "rt_", "code=", "state=", "Bearer "].into_iter().find(|part| log.contains(part));
        assert!(shown.is_none() || std::thread::panicking(), "`{}` shows in the log: {log}", shown.unwrap_or_default());
    }
}

/// The binary with these arguments and nothing but `PATH`.
pub(crate) fn bare(line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hallpass"));
    command.args(line.split_whitespace()).env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

pub(crate) fn with_input(mut command: Command, input: &[u8]) -> Ran {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that does not want its input may have ended.
    let _ = stdin.write_all(input);
    drop(stdin);
    Ran::of(child.wait_with_output().unwrap())
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// The one line of JSON on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "{self:#?}");
        serde_json::from_str(&self.stdout).unwrap()
    }
}

/// A server whose user allows everything at once.
pub(crate) fn server() -> Serving {
    server_with(|_| {})
}

pub(crate) fn server_with(adjust: impl FnOnce(&mut Options)) -> Serving {
    let mut options = Options::new("", [7; 32]);
    options.auto_consent = Some(Decision::Allow { account: "ada@example.com".into() });
    options.device_interval = Some(1);
    options.canary = "canary".into();
    adjust(&mut options);
    serve(options, 0).unwrap()
}

/// Asks for a URL as a browser does that follows no redirect: the status and where it points.
pub(crate) fn visit(url: &str) -> (u16, Option<String>) {
    let request = HttpRequest {
        method: HttpMethod::Get,
        url: url.to_owned(),
        headers: Vec::new(),
        body: None,
        deadline: 10_000,
        interruptible: false,
    };
    let client = http::Client::new(http::Settings::from_variables(&|_| None));
    let Event::Responded(response) = client.send(&request, &|| false) else { panic!("no answer from {url}") };
    let location = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("location"));
    (response.status, location.map(|(_, value)| value.expose().to_owned()))
}

/// Whether the protected resource takes this token.
pub(crate) fn is_accepted(serving: &Serving, token: &str) -> bool {
    serving.lock().is_live_access_token(hallpass::now().milliseconds(), token)
}
