//! Why a call was not answered with what it asked for.

use std::fmt;

/// Told apart by what the caller can conclude.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::keyring) enum Error {
    /// No connection to a bus; why.
    NoBus(String),
    /// Nobody has the name that was called, and nobody could be started who would.
    NoService,
    /// The bus or the service went away before it answered. It may have done what was asked.
    Lost,
    TimedOut,
    /// An answer that the protocol does not allow; what is wrong with it.
    Malformed(&'static str),
    /// More than is sent in one message.
    TooLong,
    /// The service answered with the error of this name.
    Refused(String),
}

impl Error {
    /// The error that a message names.
    pub(super) fn named(name: &str) -> Self {
        let Some(of_bus) = name.strip_prefix("org.freedesktop.DBus.Error.") else {
            return Self::Refused(name.to_owned());
        };
        match of_bus {
            "ServiceUnknown" | "NameHasNoOwner" => Self::NoService,
            of_bus if of_bus.starts_with("Spawn.") => Self::NoService,
            "NoReply" | "Disconnected" => Self::Lost,
            "Timeout" | "TimedOut" => Self::TimedOut,
            _ => Self::Refused(name.to_owned()),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBus(cause) => write!(formatter, "no session bus: {cause}"),
            Self::NoService => formatter.write_str("there is no Secret Service on the session bus"),
            Self::Lost => formatter.write_str("the session bus or the Secret Service went away before it answered"),
            Self::TimedOut => formatter.write_str("the session bus or the Secret Service did not answer in time"),
            Self::Malformed(what) => write!(formatter, "the session bus broke the protocol: {what}"),
            Self::TooLong => formatter.write_str("it is too long for a message on the session bus"),
            Self::Refused(name) => write!(formatter, "the Secret Service answered {name}"),
        }
    }
}
