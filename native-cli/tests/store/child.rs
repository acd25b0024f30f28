//! Another process: this test program once more, told by its environment what to do to a home.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use hallpass::{Locks, Stores};
use hallpass_core::{Event, Lock, Place, Slot};

use crate::{PARKED, RECORD};

/// Runs these commands in another process, one line each, and returns what each came to.
pub(crate) fn run(command: Command, home: &Path, script: &str) -> Vec<String> {
    let mut process = Process::start(command, home);
    script.split(';').map(|line| process.tell(line.trim())).collect()
}

/// The command that becomes the other process when nothing special is wanted.
pub(crate) fn plain() -> Command {
    Command::new(std::env::current_exe().unwrap())
}

/// The same through a shell, which does something first.
pub(crate) fn after(preparation: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{preparation}\nexec \"$0\" \"$@\"")]).arg(std::env::current_exe().unwrap());
    command
}

/// The same with mounts of its own: as root, or as what a user namespace takes for root.
pub(crate) fn mounted(preparation: &str) -> Command {
    let allowed = |namespaces: &&str| {
        let tried = Command::new("unshare").args([namespaces, "true"]).output();
        tried.is_ok_and(|output| output.status.success())
    };
    let namespaces = ["-m", "-rm"].into_iter().find(allowed);
    let namespaces = namespaces.expect("mounts of our own are not allowed here: without them nothing is proved");
    let mut command = Command::new("unshare");
    command.args([namespaces, "sh", "-c", &format!("set -e\n{preparation}\nexec \"$0\" \"$@\"")]);
    command.arg(std::env::current_exe().unwrap());
    command
}

/// Another process that waits for commands.
pub(crate) struct Process {
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(mut command: Command, home: &Path) -> Self {
        command.args(["--exact", "child::obey", "--ignored", "--nocapture", "--test-threads=1"]);
        command.env("HALLPASS_TEST_HOME", home).stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap();
        let (commands, answers) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, commands, answers }
    }

    pub(crate) fn tell(&mut self, line: &str) -> String {
        writeln!(self.commands.as_mut().unwrap(), "{line}").unwrap();
        loop {
            let mut answer = String::new();
            assert_ne!(self.answers.read_line(&mut answer).unwrap(), 0, "the other process ended at `{line}`");
            if let Some((_, answer)) = answer.split_once("ANSWER ") {
                return answer.trim_end().to_owned();
            }
        }
    }

    /// Starts what does not end, for so long, and kills it in the middle.
    pub(crate) fn kill_during(mut self, line: &str, time: Duration) {
        writeln!(self.commands.as_mut().unwrap(), "{line}").unwrap();
        std::thread::sleep(time);
        self.kill();
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // At the end of its commands it ends by itself, and with it a bus that was started for it.
        self.commands = None;
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "this is the other process"]
fn obey() {
    let Some(home) = std::env::var_os("HALLPASS_TEST_HOME") else { return };
    let mut stores = Stores::new(home.clone().into());
    let mut locks = Locks::new(home.clone().into());
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let words: Vec<_> = line.splitn(3, ' ').collect();
        let answer = match words[..] {
            ["load", slot] => told(stores.load(named(slot))),
            ["save", slot, contents] => told(stores.save(named(slot), &contents.into())),
            ["remove", slot] => told(stores.remove(named(slot))),
            ["reserve", place, size] => {
                let place = if place == "keyring" { Place::Keyring } else { Place::File };
                told(stores.reserve(place, &"{\"intent\":1}".into(), size.parse().unwrap()))
            }
            ["encrypt"] => {
                stores.encrypt_record(true);
                "encrypts".to_owned()
            }
            ["lock", lock, milliseconds] => {
                let deadline = Duration::from_millis(milliseconds.parse().unwrap());
                told(locks.lock(lock_named(lock), deadline, &|| false))
            }
            ["unlock", lock] => told(locks.unlock(lock_named(lock))),
            ["fill", name] => fill(&Path::new(&home).join(name)),
            #[expect(clippy::zombie_processes, reason = "it is to outlive this process")]
            ["spawn", seconds] => {
                let sleep = Command::new("sleep").arg(seconds).stdout(Stdio::null()).spawn().unwrap();
                sleep.id().to_string()
            }
            ["save-forever", size] => loop {
                let contents = format!("{{\"a\":\"{}\"}}", "x".repeat(size.parse().unwrap()));
                stores.save(RECORD, &contents.into());
            },
            _ => panic!("{line}"),
        };
        println!("ANSWER {answer}");
    }
}

/// Uses up all the room that is left.
fn fill(path: &Path) -> String {
    let mut file = std::fs::File::create(path).unwrap();
    while file.write_all(&[0; 512]).is_ok() {}
    "filled".to_owned()
}

fn named(slot: &str) -> Slot {
    match slot {
        "record" => RECORD,
        "sidecar" => Slot::Sidecar,
        "parked" => PARKED,
        "keyring" => Slot::Record(Place::Keyring),
        "keyring-parked" => Slot::Parked(Place::Keyring),
        other => panic!("{other}"),
    }
}

fn lock_named(lock: &str) -> Lock {
    if lock == "commit" { Lock::Commit } else { Lock::Transaction }
}

fn told(event: Event) -> String {
    match event {
        Event::Loaded(Some(text)) => format!("loaded {}", text.expose().replace('\n', "\\n")),
        Event::Loaded(None) => "nothing".to_owned(),
        Event::Removed(existed) => format!("removed {existed}"),
        Event::StoreFailed(failure) => format!("{:?} {}", failure.kind, failure.detail),
        Event::LockFailed(failure) => format!("{:?} {}", failure.kind, failure.detail),
        other => other.name().to_owned(),
    }
}
