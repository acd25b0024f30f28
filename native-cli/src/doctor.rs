//! Looks at what is known to keep people from signing in, or from staying signed in: here and now.
//!
//! Each check gathers facts and has them judged by a function that looks at nothing else. None shows a secret, none
//! leaves anything behind, and none is waited for longer than a few seconds.

mod access;
mod browser;
#[cfg(feature = "tls")]
mod certificates;
mod credential;
mod environment;
mod keyring;
mod leftovers;
mod locks;
mod network;
mod other_homes;
mod place;
mod ports;
mod room;
#[cfg(feature = "tls")]
mod validity;

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use hallpass_core::{Configuration, Error, Report, Status};

/// How long all checks together may take: they run side by side, and the slowest waits three seconds for a keyring, or
/// five for a proxy and a server.
const PATIENCE: Duration = Duration::from_secs(7);

/// What is to be examined.
#[derive(Clone, Debug)]
pub struct Case {
    /// The home; `None` where it cannot be used, and only the machine is looked at.
    pub home: Option<PathBuf>,
    /// The configuration in force. Its provider is the one of the record, or of the next login.
    pub configuration: Configuration,
    /// What the home says about who is signed in.
    pub status: Result<Status, Error>,
    /// Whether nothing may be asked for over the network.
    pub offline: bool,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// What it is about.
    pub group: Group,
    /// How bad it is.
    pub level: Level,
    /// Its code, one sentence, and the command that mends it.
    pub report: Report,
}

/// What a finding is about, in the order in which findings are shown.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Group {
    /// The folder, its files and the stores.
    Home,
    /// Who is signed in, and until when.
    Credential,
    /// What the next login needs.
    SignIn,
    /// The way to the server.
    Network,
    /// What an administrator has decided.
    Policy,
    /// Variables that change what is used.
    Environment,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Level {
    /// As it should be.
    Ok,
    /// Good to know.
    Note,
    /// It works, and may not for long.
    Warning,
    /// It does not work.
    Problem,
}

type Check = fn(&Case) -> Vec<Finding>;

/// Every check, with a name for the case that it does not end.
const CHECKS: &[(&str, Group, Check)] = &[
    ("who may read and write the home", Group::Home, access::check),
    ("where the home lies", Group::Home, place::check),
    ("whether there is room in the home", Group::Home, room::check),
    ("the locks", Group::Home, locks::check),
    ("leftover files", Group::Home, leftovers::check),
    ("other homes", Group::Home, other_homes::check),
    ("the keyring", Group::Home, keyring::check),
    ("the credential", Group::Credential, credential::check),
    ("the callback ports", Group::SignIn, ports::check),
    ("the browser", Group::SignIn, browser::check),
    #[cfg(feature = "tls")]
    ("the certificates", Group::Network, certificates::check),
    ("the network", Group::Network, network::check),
    ("the environment", Group::Environment, environment::check),
];

/// Looks at everything. What was found comes in the order of its groups.
pub fn examine(case: &Case) -> Vec<Finding> {
    let end = Instant::now() + PATIENCE;
    let started: Vec<_> = CHECKS
        .iter()
        .map(|(name, group, check)| {
            let (sender, receiver) = mpsc::channel();
            let (case, check) = (case.clone(), *check);
            // A file system that does not answer keeps its thread for ever, and nothing else.
            let begun = thread::Builder::new().spawn(move || drop(sender.send(check(&case))));
            (*name, *group, begun.map(|_| receiver))
        })
        .collect();
    let mut findings = Vec::new();
    for (name, group, receiver) in started {
        let left = end.saturating_duration_since(Instant::now());
        match receiver.ok().and_then(|receiver| receiver.recv_timeout(left).ok()) {
            Some(found) => findings.extend(found),
            None => findings.push(group.problem(
                "check_unanswered",
                format!("looking at {name} did not come to an end within {} s", PATIENCE.as_secs()),
                "see whether the disk, the network drive or the service behind it answers",
            )),
        }
    }
    findings.sort_by_key(|finding| finding.group);
    findings
}

impl Group {
    fn ok(self, code: &str, message: impl Into<String>) -> Finding {
        self.finding(Level::Ok, code, message.into(), "")
    }

    fn note(self, code: &str, message: impl Into<String>, help: &str) -> Finding {
        self.finding(Level::Note, code, message.into(), help)
    }

    fn warning(self, code: &str, message: impl Into<String>, help: &str) -> Finding {
        self.finding(Level::Warning, code, message.into(), help)
    }

    fn problem(self, code: &str, message: impl Into<String>, help: &str) -> Finding {
        self.finding(Level::Problem, code, message.into(), help)
    }

    fn finding(self, level: Level, code: &str, message: String, help: &str) -> Finding {
        let help = (!help.is_empty()).then(|| help.to_owned());
        Finding { group: self, level, report: Report { code: code.to_owned(), message, help } }
    }

    /// What an error would be, if it came now.
    fn of(self, level: Level, error: impl Into<Error>) -> Finding {
        Finding { group: self, level, report: error.into().report() }
    }

    /// The same of a problem that has a name of its own here.
    fn named(self, code: &str, error: impl Into<Error>) -> Finding {
        let report = Report { code: code.to_owned(), ..error.into().report() };
        Finding { group: self, level: Level::Problem, report }
    }
}

/// A path as it is typed into a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "/._-+,:@%".contains(character);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes of findings that are more than notes.
    pub(super) fn codes(findings: &[Finding]) -> Vec<&str> {
        findings
            .iter()
            .filter(|finding| finding.level > Level::Ok)
            .map(|finding| finding.report.code.as_str())
            .collect()
    }

    #[test]
    fn paths_are_quoted_where_a_shell_would_take_them_apart() {
        for (path, expected) in
            [("/home/u/.codex", "/home/u/.codex"), ("/a b", "'/a b'"), ("/it's", r"'/it'\''s'"), ("/$(x)", "'/$(x)'")]
        {
            assert_eq!(quoted(Path::new(path)), expected);
        }
    }
}
