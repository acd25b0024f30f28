//! What happened, as a shell tells it.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::Secret;

/// The answer to an [`Effect`](crate::Effect). Failing is an answer like any other.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A whole HTTP response arrived.
    Responded(HttpResponse),
    /// No whole HTTP response arrived.
    RequestFailed(RequestFailure),
    /// The slot was read; `None` means that it is empty.
    Loaded(Option<Secret>),
    /// The slot was written, durably.
    Saved,
    /// The slot is empty; `true` when there was something in it.
    Removed(bool),
    /// Room and permission are claimed and the intent is written, durably.
    Reserved,
    /// The store did not do it.
    StoreFailed(StoreFailure),
    /// The lock is held.
    Locked,
    /// The lock is given back.
    Unlocked,
    /// The lock could not be had.
    LockFailed(LockFailure),
    /// The time has passed.
    Slept,
    /// The redirect can be received.
    Listening {
        /// The redirect URI to announce to the authorization server, exactly.
        redirect_uri: String,
    },
    /// The redirect cannot be received.
    ListenFailed {
        /// Why not, for a person: which port, held by whom.
        detail: String,
    },
    /// A request came in at the redirect URI's origin; its browser waits for a `Reply`.
    Called(Call),
    /// The person pasted a redirect URL, or a bare authorization code.
    Pasted(Secret),
    /// The person wants a device code instead.
    Switched,
    /// The wait is over.
    TimedOut,
    /// The browser was answered (or had gone).
    Replied,
    /// The person was told.
    Presented,
    /// The command ended.
    Ran {
        /// Its exit status.
        status: i32,
        /// What it printed.
        output: Secret,
    },
    /// The command could not be run, or not to its end.
    RunFailed {
        /// Why not, for a person.
        detail: String,
    },
    /// The signature, base64url without padding.
    Signed(Secret),
    /// The key could not be had or used.
    SignFailed {
        /// Why not, for a person.
        detail: String,
    },
    /// The person or the host wants to stop.
    Cancelled,
}

impl Event {
    /// The event's name, for a log or an error: no contents.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Responded(_) => "responded",
            Self::RequestFailed(_) => "request_failed",
            Self::Loaded(_) => "loaded",
            Self::Saved => "saved",
            Self::Removed(_) => "removed",
            Self::Reserved => "reserved",
            Self::StoreFailed(_) => "store_failed",
            Self::Locked => "locked",
            Self::Unlocked => "unlocked",
            Self::LockFailed(_) => "lock_failed",
            Self::Slept => "slept",
            Self::Listening { .. } => "listening",
            Self::ListenFailed { .. } => "listen_failed",
            Self::Called(_) => "called",
            Self::Pasted(_) => "pasted",
            Self::Switched => "switched",
            Self::TimedOut => "timed_out",
            Self::Replied => "replied",
            Self::Presented => "presented",
            Self::Ran { .. } => "ran",
            Self::RunFailed { .. } => "run_failed",
            Self::Signed(_) => "signed",
            Self::SignFailed { .. } => "sign_failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A whole HTTP response.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Header names (any case) and values; what is not text is left out.
    pub headers: Vec<(String, Secret)>,
    /// The body, at most 1 MiB; what is not UTF-8 is replaced.
    pub body: Secret,
}

impl HttpResponse {
    /// The value of a header, found without regard to case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.expose())
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why no whole response arrived.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct RequestFailure {
    /// How far it got.
    pub reach: Reach,
    /// The cause, for a person, without a secret; the end of a sentence that begins with the variable, if one is named.
    pub detail: String,
    /// The variable of the environment that says how to send it, where that cannot be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
}

impl RequestFailure {
    /// A failure of the network.
    pub fn new(reach: Reach, detail: impl Into<String>) -> Self {
        Self { reach, detail: detail.into(), variable: None }
    }

    /// What a variable of the environment asks for cannot be done: nothing is sent.
    pub fn barred(variable: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { variable: Some(variable.into()), ..Self::new(Reach::NotSent, detail) }
    }
}

/// How far a failed request got. What may be asked again depends on it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// No byte of the body left this machine.
    NotSent,
    /// Bytes left, no status was seen.
    Unanswered,
    /// This status was seen, the body was lost.
    Broken(u16),
}

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct StoreFailure {
    /// What kind of trouble.
    pub kind: StoreTrouble,
    /// The path or the keyring entry, and the cause, for a person.
    pub detail: String,
}

/// The kinds of trouble that a store can have.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreTrouble {
    /// No room is left (disk or quota).
    Full,
    /// The file system or the file is read-only.
    ReadOnly,
    /// This user may not.
    Denied,
    /// The file cannot be replaced (it is a mount point, or another program holds it).
    Busy,
    /// The home does not exist and cannot be made, or is no folder.
    NoHome,
    /// There is no such store here (no keyring service).
    Unavailable,
    /// The keyring is locked.
    Locked,
    /// It did not answer in time.
    TimedOut,
    /// The store cannot take so much.
    TooLarge,
    /// What is there is not text, or larger than a record can be.
    Unreadable,
    /// What is there must not be trusted or written: not a regular file, another owner, a hard link.
    Unsafe,
    /// A policy forbids it: nothing was written.
    Forbidden,
    /// Anything else.
    Other,
}

/// Why a lock could not be had.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct LockFailure {
    /// What kind of trouble.
    pub kind: LockTrouble,
    /// The path and the cause, for a person.
    pub detail: String,
}

/// The kinds of trouble that a lock can have.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LockTrouble {
    /// Another process held it until the deadline.
    Busy,
    /// Locks do not work here (some network file systems).
    Unsupported,
    /// The lock file cannot be made or opened for want of permission or room.
    Denied,
    /// Anything else.
    Other,
}

/// An HTTP request that reached the listener.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Call {
    /// The method, as sent.
    pub method: String,
    /// Path and query, as sent.
    pub target: Secret,
    /// The `Host` header, as sent.
    pub host: Option<String>,
}
