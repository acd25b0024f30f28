//! Other tools in the same home, each a process of its own: this test program once more, told by its environment what to
//! be. They do what Codex is known to do, and what other tools do.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use hallpass::authorization_server::CODEX_CLIENT_ID;
use hallpass::http;
use hallpass_core::{Event, HttpMethod, HttpRequest};
use serde_json::{Value, json};

use crate::stage::Stage;

/// Who shares the home.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Peer {
    /// Codex 0.169: spends its token without a lock, then saves under its two locks if nobody else has saved; members
    /// that it does not know are gone.
    Codex,
    /// An older Codex, and many others: no lock at all, and the file is rewritten in place, slowly.
    Lockless,
}

/// The file that stops a peer once it has saved.
const ENOUGH: &str = "enough";

/// Has the peers of this home stop.
pub(crate) fn stop(stage: &Stage) {
    File::create(stage.home.file(ENOUGH)).unwrap();
}

/// Removes what stops them.
pub(crate) fn forget_to_stop(stage: &Stage) {
    std::fs::remove_file(stage.home.file(ENOUGH)).unwrap();
}

impl Peer {
    /// The process that refreshes so many times. It saves so long after it was answered, and rests so long in between.
    pub(crate) fn command(self, stage: &Stage, times: u32, answered: Duration, rest: Duration) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "peer::refreshes", "--ignored", "--nocapture", "--test-threads=1"]);
        command.env("HALLPASS_TEST_HOME", &stage.home.path).env("HALLPASS_TEST_PEER", format!("{self:?}"));
        command.env("HALLPASS_TEST_TIMES", times.to_string());
        command.env("HALLPASS_TEST_ANSWERED", answered.as_millis().to_string());
        command.env("HALLPASS_TEST_REST", rest.as_millis().to_string());
        command
    }
}

#[test]
#[ignore = "this is the other process"]
fn refreshes() {
    let Some(home) = std::env::var_os("HALLPASS_TEST_HOME") else { return };
    let number = |name: &str| std::env::var(name).unwrap().parse::<u64>().unwrap();
    let milliseconds = |name: &str| Duration::from_millis(number(name));
    let home = PathBuf::from(home);
    for _ in 0..number("HALLPASS_TEST_TIMES") {
        if home.join(ENOUGH).exists() {
            break;
        }
        let Some(spent) = read(&home) else { continue };
        let outcome = match refreshed(&spent) {
            None => "rejected",
            Some(record) => {
                std::thread::sleep(milliseconds("HALLPASS_TEST_ANSWERED"));
                match std::env::var("HALLPASS_TEST_PEER").unwrap().as_str() {
                    "Codex" => commit(&home, &spent, &record),
                    _ => rewrite(&home, &record),
                }
            }
        };
        println!("PEER {outcome}");
        std::thread::sleep(milliseconds("HALLPASS_TEST_REST"));
    }
}

fn read(home: &Path) -> Option<Value> {
    serde_json::from_str(&std::fs::read_to_string(home.join("auth.json")).ok()?).ok()
}

/// The record after a refresh, without what Codex does not know.
fn refreshed(record: &Value) -> Option<Value> {
    let provenance = &record["tokens"]["oauth_provenance"];
    let body = json!({
        "client_id": CODEX_CLIENT_ID,
        "grant_type": "refresh_token",
        "refresh_reason": "forced",
        "refresh_token": record["tokens"]["refresh_token"],
    });
    let request = HttpRequest {
        method: HttpMethod::Post,
        url: format!("{}/oauth/token", provenance["issuer"].as_str().unwrap()),
        headers: vec![("Content-Type".to_owned(), "application/json".into())],
        body: Some(body.to_string().into()),
        deadline: 10_000,
        interruptible: false,
    };
    let client = http::Client::new(http::Settings::from_variables(&|_| None));
    let Event::Responded(answer) = client.send(&request, &|| false) else { panic!("no answer") };
    if answer.status != 200 {
        return None;
    }
    let answer: Value = serde_json::from_str(answer.body.expose()).unwrap();
    Some(json!({
        "auth_mode": record["auth_mode"],
        "OPENAI_API_KEY": record["OPENAI_API_KEY"],
        "tokens": {
            "id_token": answer["id_token"],
            "access_token": answer["access_token"],
            "refresh_token": answer["refresh_token"],
            "account_id": record["tokens"]["account_id"],
            "oauth_provenance": provenance,
        },
        "last_refresh": "2026-11-24T00:00:00Z",
    }))
}

fn commit(home: &Path, spent: &Value, record: &Value) -> &'static str {
    let auth = lock_file(&home.join("auth.lock"), 0o644);
    auth.lock().unwrap();
    let commit = lock_file(&home.join("auth.json.lock"), 0o600);
    let start = Instant::now();
    while commit.try_lock().is_err() {
        if start.elapsed() > Duration::from_secs(5) {
            return "lost: credential commit lock timed out";
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    if read(home).is_none_or(|now| now["tokens"] != spent["tokens"]) {
        return "lost: credentials changed before refresh commit";
    }
    let temporary = home.join(format!(".auth-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary).unwrap();
    file.write_all(serde_json::to_string_pretty(record).unwrap().as_bytes()).unwrap();
    file.sync_all().unwrap();
    std::fs::rename(&temporary, home.join("auth.json")).unwrap();
    "saved"
}

fn lock_file(path: &Path, mode: u32) -> File {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(mode).open(path).unwrap()
}

/// In place, in two parts.
fn rewrite(home: &Path, record: &Value) -> &'static str {
    let text = serde_json::to_string_pretty(record).unwrap();
    let (first, second) = text.split_at(text.len() / 2);
    let mut file = File::create(home.join("auth.json")).unwrap();
    file.write_all(first.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(15));
    file.write_all(second.as_bytes()).unwrap();
    "saved"
}
