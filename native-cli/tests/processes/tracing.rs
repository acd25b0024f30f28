//! System calls, seen and tampered with by strace.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::running::Running;
use crate::stage::Stage;
use crate::support::{Home, Ran};

const SOON: Duration = Duration::from_secs(40);

/// The same command under strace, which writes what it sees there.
pub(crate) fn around(command: &Command, to: &Path, options: &[&str]) -> Command {
    let mut traced = Command::new("strace");
    traced.args(["-f", "-qq", "-y", "-s", "64", "-o"]).arg(to).args(options);
    traced.arg(command.get_program()).args(command.get_args()).env_clear();
    traced.envs(command.get_envs().filter_map(|(name, value)| Some((OsString::from(name), value?))));
    traced
}

/// One system call of the process that was started, not of its threads.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    /// The call as strace shows it: with the paths of its descriptors.
    pub(crate) text: String,
    /// How many of this name there were up to this one.
    pub(crate) number: u32,
}

impl Call {
    pub(crate) fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.name.as_str())
    }

    pub(crate) fn concerns(&self, path: &Path) -> bool {
        self.text.contains(path.to_str().unwrap())
    }
}

/// What strace wrote about the process that it started.
fn calls(trace: &Path) -> Vec<Call> {
    let text = std::fs::read_to_string(trace).unwrap();
    let process = text.split_whitespace().next().unwrap();
    let lines = text.lines().filter_map(|line| line.split_once(' ').filter(|(id, _)| *id == process));
    let mut calls: Vec<Call> = Vec::new();
    for (_, line) in lines {
        // The second half of a call that others have interrupted, a signal, the end.
        let Some((name, _)) = line.trim_start().split_once('(').filter(|(name, _)| is_name(name)) else { continue };
        let number = calls.iter().filter(|call| call.name == name).count() + 1;
        calls.push(Call { name: name.to_owned(), text: line.to_owned(), number: u32::try_from(number).unwrap() });
    }
    calls
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// What `token` does here, from the first that concerns the home.
pub(crate) fn calls_of_token(stage: &Stage) -> Vec<Call> {
    let calls = calls_in(&stage.home.command("token"));
    calls.into_iter().skip_while(|call| !call.concerns(&stage.home.path)).collect()
}

/// What this command does.
pub(crate) fn calls_in(command: &Command) -> Vec<Call> {
    let scratch = Home::new();
    let trace = scratch.file("trace");
    Running::start(around(command, &trace, &[])).finish(SOON).expect(0);
    calls(&trace)
}

/// How `token` ends when this happens (in strace's words) instead of this call, or just before it.
pub(crate) fn with_injected(stage: &Stage, arguments: &str, call: &Call, what: &str) -> Ran {
    with_injected_in(&stage.home.command(arguments), call, what)
}

/// The same for any command.
pub(crate) fn with_injected_in(command: &Command, call: &Call, what: &str) -> Ran {
    let filter = format!("trace={}", call.name);
    let inject = format!("inject={}:{what}:when={}", call.name, call.number);
    let options = ["-e", &filter, "-e", &inject];
    Running::start(around(command, "/dev/null".as_ref(), &options)).finish(SOON)
}
