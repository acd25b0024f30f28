//! System calls, seen and tampered with by strace.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// The same command under strace, which writes what it sees there.
pub(crate) fn around(command: Command, to: &Path, options: &[&str]) -> Command {
    let mut traced = Command::new("strace");
    traced.args(["-f", "-qq", "-y", "-s", "64", "-o"]).arg(to).args(options);
    traced.arg(command.get_program()).args(command.get_args()).env_clear();
    traced.envs(command.get_envs().filter_map(|(name, value)| Some((OsString::from(name), value?))));
    traced
}
