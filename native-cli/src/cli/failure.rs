//! How a command ends badly, and with which exit code.

use std::io;

use hallpass_core::{Declined, Error, Report};

/// Why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What a flow ended with.
    Flow(Error),
    /// What the command line itself found.
    Command { exit: u8, report: Report },
    /// The reader of stdout has gone: nothing is left to say, and nobody to say it to.
    OutputClosed,
}

/// Nobody is signed in, or a login is required.
pub(crate) const LOGIN_REQUIRED: u8 = 1;
/// Wrong usage.
pub(crate) const USAGE: u8 = 2;
/// Forbidden by policy.
pub(crate) const FORBIDDEN: u8 = 3;
/// Server or network.
pub(crate) const UNAVAILABLE: u8 = 4;
/// This machine.
pub(crate) const LOCAL: u8 = 5;
/// The person or the server said no.
pub(crate) const REFUSED: u8 = 6;
/// `exec` could not start the tool, cannot run it, or has not found it: as `env` and shells end.
pub(crate) const NOT_STARTED: u8 = 125;
pub(crate) const CANNOT_RUN: u8 = 126;
pub(crate) const NOT_FOUND: u8 = 127;
/// Interrupted.
pub(crate) const INTERRUPTED: u8 = 130;

/// The code of the report that says that the person stopped it.
pub(crate) const CANCELLED: &str = "cancelled";

impl Failure {
    /// The command was used wrongly.
    pub(crate) fn usage(message: impl Into<String>, help: &str) -> Self {
        Self::command(USAGE, "usage", message, help)
    }

    /// This machine could not.
    pub(crate) fn local(code: &str, message: impl Into<String>, help: &str) -> Self {
        Self::command(LOCAL, code, message, help)
    }

    /// A failure with an exit code of its own.
    pub(crate) fn command(exit: u8, code: &str, message: impl Into<String>, help: &str) -> Self {
        let help = (!help.is_empty()).then(|| help.to_owned());
        Self::Command { exit, report: Report { code: code.to_owned(), message: message.into(), help } }
    }

    /// The same before a tool has started: an exit code that is not taken for the tool's, but for what a script asks
    /// for by its own: a login that is required, wrong usage, an interrupt.
    pub(crate) fn before_the_tool(self) -> Self {
        match (self.exit_code(), self.report()) {
            (LOGIN_REQUIRED | USAGE | FORBIDDEN | INTERRUPTED | CANNOT_RUN | NOT_FOUND, _) | (_, None) => self,
            (_, Some(report)) => Self::Command { exit: NOT_STARTED, report },
        }
    }

    /// What to say; nothing when the reader has gone.
    pub(crate) fn report(&self) -> Option<Report> {
        match self {
            Self::Flow(error) => Some(error.report()),
            Self::Command { report, .. } => Some(report.clone()),
            Self::OutputClosed => None,
        }
    }

    /// The exit code.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Flow(error) => exit_code(error),
            Self::Command { exit, .. } => *exit,
            Self::OutputClosed => 0,
        }
    }
}

/// The one place where blame becomes an exit code.
fn exit_code(error: &Error) -> u8 {
    match error {
        Error::LoginRequired(_) => LOGIN_REQUIRED,
        Error::Misused(_) => USAGE,
        Error::Forbidden(_) => FORBIDDEN,
        Error::Unavailable(_) | Error::Misbehaved(_) => UNAVAILABLE,
        Error::Refused(_) | Error::Declined(Declined::TimedOut) => REFUSED,
        Error::Declined(_) => INTERRUPTED,
        // What a later version of the core adds concerns this machine until it is sorted in above.
        _ => LOCAL,
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Flow(error)
    }
}

impl From<io::Error> for Failure {
    /// Writing to stdout failed.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::OutputClosed;
        }
        Self::local("output", format!("cannot write to standard output: {error}"), "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_core::{
        Forbidden, Local, LockFailure, LockTrouble, LoginRequired, Misbehaved, Misused, Refused, StoreFailure,
        StoreTrouble, Unavailable,
    };

    #[test]
    fn every_kind_of_error_has_its_exit_code() {
        let server = || "id.example.com".to_owned();
        let store = StoreFailure { kind: StoreTrouble::Full, detail: String::new() };
        let lock = LockFailure { kind: LockTrouble::Busy, detail: String::new() };
        let table: [(Error, u8); 13] = [
            (LoginRequired::NotLoggedIn.into(), 1),
            (LoginRequired::RotationLost.into(), 1),
            (Misused::Value { what: "issuer".into(), detail: "it is empty".into() }.into(), 2),
            (Forbidden::Method { method: "chatgpt".into() }.into(), 3),
            (Unavailable::Server { server: server(), status: 503 }.into(), 4),
            (Unavailable::BackingOff { seconds: 3 }.into(), 4),
            (Misbehaved::IssuerMissing.into(), 4),
            (Local::Store(store).into(), 5),
            (Local::Lock(lock).into(), 5),
            (Refused::AccessDenied { description: None }.into(), 6),
            (Refused::Credential { server: server() }.into(), 6),
            (Declined::TimedOut.into(), 6),
            (Declined::Cancelled.into(), 130),
        ];
        for (error, exit) in table {
            assert_eq!(Failure::from(error.clone()).exit_code(), exit, "{error}");
        }
    }

    #[test]
    fn a_closed_pipe_is_quiet_and_a_full_disk_is_not() {
        let closed = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((closed.exit_code(), closed.report()), (0, None));
        let full = Failure::from(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(full.exit_code(), 5);
        assert!(full.report().is_some());
    }
}
