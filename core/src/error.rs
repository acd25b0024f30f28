//! How a flow ends badly, sorted by blame.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};
use thiserror::Error as ThisError;

use crate::{HOMES, LockFailure, LockTrouble, RequestFailure, StoreFailure, StoreTrouble};

mod report;

/// Why a flow failed. Each has a stable [`code`](Error::code), a message in plain words, and where something
/// can be done, a [`help`](Error::help) that names the next command.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize, ThisError)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Error {
    /// The authorization server said no, finally.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The server broke the protocol.
    #[error(transparent)]
    Misbehaved(#[from] Misbehaved),
    /// The server could not be reached or could not answer; trying again may help.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The person stopped it, or did not answer in time.
    #[error(transparent)]
    Declined(#[from] Declined),
    /// A policy forbids it.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// This machine could not: a store, a lock, a port, a key.
    #[error(transparent)]
    Local(#[from] Local),
    /// The program that uses Hallpass, or a configuration, asked for something that cannot be.
    #[error(transparent)]
    Misused(#[from] Misused),
    /// Nobody is signed in, or the session can no longer be renewed.
    #[error(transparent)]
    LoginRequired(#[from] LoginRequired),
}

/// The authorization server said no, finally.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize, ThisError)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refused {
    /// `access_denied` (RFC 6749, section 4.1.2.1; RFC 8628, section 3.5).
    #[error("the sign-in was declined{}", because(.description.as_ref()))]
    AccessDenied {
        /// What the server said about it.
        description: Option<String>,
    },
    /// OpenAI: the workspace has no right to use Codex.
    #[error("Codex is not enabled for your workspace")]
    NotEntitled,
    /// `expired_token` (RFC 8628, section 3.5), or the device code's time has passed.
    #[error("the device code expired before it was entered")]
    DeviceCodeExpired,
    /// The server offers no device login (to this account, this workspace or this client).
    #[error("{server} does not offer device login to this client")]
    DeviceLoginDisabled {
        /// The server's host.
        server: String,
    },
    /// `invalid_client` or `unauthorized_client` (RFC 6749, section 5.2).
    #[error("{server} does not accept this client (`{error}`){}", because(.description.as_ref()))]
    Client {
        /// The server's host.
        server: String,
        /// The `error` code.
        error: String,
        /// What the server said about it.
        description: Option<String>,
    },
    /// Another error answer of the authorization server.
    #[error("{server} refused the request (`{error}`){}", because(.description.as_ref()))]
    Other {
        /// The server's host.
        server: String,
        /// The `error` code.
        error: String,
        /// What the server said about it.
        description: Option<String>,
    },
    /// The access token or key that was given is not accepted.
    #[error("{server} does not accept this access token")]
    Credential {
        /// The server's host.
        server: String,
    },
}

/// The server broke the protocol.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize, ThisError)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Misbehaved {
    /// The answer cannot be read as what it should be.
    #[error("the answer of {server} is not {expected}: {detail}")]
    Malformed {
        /// The server's host.
        server: String,
        /// What was expected, with its article.
        expected: String,
        /// What is wrong with it, without its contents.
        detail: String,
    },
    /// A status that the protocol does not have here.
    #[error("{server} answered with status {status}{}", because(.detail.as_ref()))]
    Status {
        /// The server's host.
        server: String,
        /// The status code.
        status: u16,
        /// What the server said about it.
        detail: Option<String>,
    },
    /// A redirect where none may be followed (RFC 9700, section 4.12).
    #[error("{server} answered with a redirect, which is not followed with credentials")]
    Redirected {
        /// The server's host.
        server: String,
    },
    /// The server is not the one that was asked for (RFC 8414, section 3.3; RFC 9207).
    #[error("the authorization server calls itself `{found}`, not `{expected}`")]
    Issuer {
        /// The issuer that was asked for.
        expected: String,
        /// The issuer that answered.
        found: String,
    },
    /// The answer does not name its issuer although the server announces that it does (RFC 9207, section 2.4).
    #[error("the redirect does not name the authorization server although it promises to")]
    IssuerMissing,
    /// The server announces PKCE methods and S256 is not among them (RFC 7636; RFC 9700, section 2.1.1).
    #[error("{server} does not support PKCE with S256")]
    NoS256 {
        /// The server's host.
        server: String,
    },
    /// The answer belongs to another account than the one signed in.
    #[error("{server} answered with tokens of another account")]
    AnotherAccount {
        /// The server's host.
        server: String,
    },
    /// An endpoint that must not be used: not https, or not a proper URL.
    #[error("the {endpoint} of {server} cannot be used: {detail}")]
    Endpoint {
        /// The server's host.
        server: String,
        /// Which endpoint.
        endpoint: String,
        /// Why not.
        detail: String,
    },
}

/// The server could not be reached or could not answer.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize, ThisError)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unavailable {
    /// No whole answer arrived.
    #[error("{server} cannot be reached: {}", .failure.detail)]
    Network {
        /// The server's host.
        server: String,
        /// How far it got, and why.
        failure: RequestFailure,
    },
    /// The server is in trouble (5xx) or asks for patience (429).
    #[error("{server} cannot answer now (status {status})")]
    Server {
        /// The server's host.
        server: String,
        /// The status code.
        status: u16,
    },
    /// The last attempt did not help, a moment ago; the next one waits.
    #[error("the last refresh did not help; the next attempt is made in {seconds} s")]
    BackingOff {
        /// Seconds until the next attempt.
        seconds: u64,
    },
}

/// The person stopped it, or did not answer in time.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize, ThisError)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Declined {
    /// The person or the host stopped it.
    #[error("cancelled")]
    Cancelled,
    /// Nobody finished the login in the browser in time.
    #[error("the login was not finished in time")]
    TimedOut,
}

/// A policy forbids it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize, ThisError)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Forbidden {
    /// The login belongs to a workspace that is not allowed.
    #[error("login is restricted to workspace {allowed}, and this account belongs to {found}")]
    Workspace {
        /// The allowed ones, with commas.
        allowed: String,
        /// What the token says.
        found: String,
    },
    /// The login method is not allowed.
    #[error("{method} login is disabled by policy")]
    Method {
        /// What was asked for.
        method: String,
    },
    /// What a policy and a configuration permit have nothing in common.
    #[error("the authentication requirements permit no login method that could be used")]
    EveryMethod,
    /// The authorization server is not one that may sign people in.
    #[error("the policy does not permit to sign in with `{issuer}`")]
    Issuer {
        /// Its issuer.
        issuer: String,
    },
    /// Credentials may not be kept there, or not these.
    #[error("{detail}")]
    Store {
        /// A sentence that says where, or why.
        detail: String,
    },
    /// A variable would say where tokens are sent.
    #[error("{variable} is set, and the policy permits no endpoint overrides")]
    Override {
        /// Its name.
        variable: String,
    },
    /// Nobody knows what is permitted.
    #[error("the managed requirements cannot be used, so nothing is permitted: {detail}")]
    Requirements {
        /// The file, and what is wrong with it.
        detail: String,
    },
}

impl From<StoreFailure> for Error {
    /// Blames the policy where that is what refused.
    fn from(failure: StoreFailure) -> Self {
        match failure.kind {
            StoreTrouble::Forbidden => Forbidden::Store { detail: failure.detail }.into(),
            _ => Local::Store(failure).into(),
        }
    }
}

/// This machine could not.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize, ThisError)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Local {
    /// A store did not do what it was asked.
    #[error("{}: {}", trouble(.0.kind), .0.detail)]
    Store(StoreFailure),
    /// What is stored cannot be read as a record.
    #[error("the stored credentials cannot be read: {detail}")]
    Corrupt {
        /// What is wrong, without contents.
        detail: String,
    },
    /// A lock could not be had.
    #[error("{}: {}", lock_trouble(.0.kind), .0.detail)]
    Lock(LockFailure),
    /// The redirect cannot be received.
    #[error("no port for the sign-in redirect: {detail}")]
    Listen {
        /// Why not.
        detail: String,
    },
    /// The client's key cannot be used.
    #[error("the client's key cannot be used: {detail}")]
    Key {
        /// Why not.
        detail: String,
    },
    /// The key that tokens are bound to cannot be used.
    #[error("the key that this session is bound to cannot be used: {detail}")]
    ProofKey {
        /// Why not.
        detail: String,
    },
    /// The client's secret is not in the store.
    #[error("this provider needs a client secret, and none is stored")]
    NoClientSecret,
    /// A job has no identity that could be exchanged for a token.
    #[error("there is no identity token: {detail}")]
    IdentityToken {
        /// Why not.
        detail: String,
    },
    /// The command that prints a token has printed none.
    #[error("{detail}")]
    Command {
        /// Why not; nothing of what it printed.
        detail: String,
    },
    /// The home holds another session, or another credential, than the seed.
    #[error("this home holds {held}, and a seed does not take its place")]
    Occupied {
        /// What it holds, with its article.
        held: String,
    },
    /// What is kept beside the record was written by a newer version.
    #[error("`hallpass.json` was written by a newer version of Hallpass")]
    NewerSidecar,
}

/// The program that uses Hallpass, or a configuration, asked for something that cannot be.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize, ThisError)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Misused {
    /// The event does not answer the open question.
    #[error("the shell answered `{event}` where that cannot be")]
    Unexpected {
        /// The event's name.
        event: String,
    },
    /// A value in a request or a configuration is not usable.
    #[error("{what}: {detail}")]
    Value {
        /// Which value.
        what: String,
        /// What is wrong with it.
        detail: String,
    },
    /// An environment variable cannot be used.
    #[error("the environment variable `{name}` {detail}")]
    Variable {
        /// Which variable.
        name: String,
        /// What is wrong with it: the end of a sentence.
        detail: String,
    },
    /// There is no profile of this name.
    #[error("there is no profile `{name}`")]
    NoProfile {
        /// The name that was asked for.
        name: String,
    },
    /// There is a profile of this name already.
    #[error("there is a profile `{name}` already")]
    ProfileExists {
        /// The name.
        name: String,
    },
    /// A home holds the session of a profile: two homes that spend one refresh token end each other's session.
    #[error("this home holds the session of the profile `{profile}`")]
    SharedSession {
        /// Whose session it is.
        profile: String,
    },
    /// What was asked for does not go with the credential that is stored.
    #[error("{detail}")]
    NotApplicable {
        /// What, and why.
        detail: String,
    },
    /// A new access token is asked for, and what is stored is a key or token that nobody renews.
    #[error("an API key or access token cannot be refreshed")]
    NotRefreshable,
    /// A message at a binding's boundary cannot be read.
    #[error("the message cannot be read: {detail}")]
    Message {
        /// What is wrong with it, without contents.
        detail: String,
    },
}

/// Nobody is signed in, or the session can no longer be renewed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize, ThisError)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LoginRequired {
    /// There is no credential.
    #[error("not logged in")]
    NotLoggedIn,
    /// The access token has expired and there is no refresh token.
    #[error("the session has expired and has no refresh token")]
    NoRefreshToken,
    /// The refresh token has expired at the server.
    #[error("the session has expired at the server")]
    Expired,
    /// The refresh token was revoked.
    #[error("the session was revoked")]
    Revoked,
    /// The refresh token was used by another program or another copy of this home.
    #[error("the server no longer accepts the refresh token: it was used elsewhere, or the session has ended")]
    SpentElsewhere,
    /// The home was seeded, and another copy of the seed was renewed or ended.
    #[error("the server no longer accepts the session of this seed: another copy of it was renewed, or it was ended")]
    SeedSpent,
    /// An attempt to refresh was interrupted after it was sent, and its answer is lost.
    #[error("the answer to a refresh was lost on the way, and the session has ended")]
    RotationLost,
    /// The store now holds another account than the one the caller works for.
    #[error("another account is signed in now")]
    AnotherAccount,
    /// The home is a copy of another one, which may hold the same session.
    #[error("this home is a copy; refreshing here would end the session of the original")]
    CopiedHome,
    /// The resource does not accept the credential, and there is nothing to renew.
    #[error("the credential was rejected and cannot be renewed")]
    Rejected,
    /// The same, and the credential was given in the environment or in a configuration.
    #[error("the credential that was given was rejected")]
    GivenRejected,
}

/// An error or a warning as it crosses a boundary: `{"code", "message", "help"}`.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Report {
    /// The stable name, for programs.
    pub code: String,
    /// One sentence in plain words.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Error {
    pub(crate) fn malformed(server: &str, expected: &str, detail: impl Into<String>) -> Self {
        Misbehaved::Malformed { server: server.to_owned(), expected: expected.to_owned(), detail: detail.into() }.into()
    }

    /// Why a request to `server` has failed: it could not be reached, unless a variable of the environment is at fault.
    pub fn unreached(server: impl Into<String>, failure: RequestFailure) -> Self {
        match failure.variable {
            Some(name) if HOMES => Misused::Variable { name, detail: failure.detail }.into(),
            _ => Unavailable::Network { server: server.into(), failure }.into(),
        }
    }

    pub(crate) fn value(what: &str, detail: impl Into<String>) -> Self {
        Misused::Value { what: what.to_owned(), detail: detail.into() }.into()
    }
}

fn because(detail: Option<&String>) -> String {
    detail.map(|detail| format!(": {detail}")).unwrap_or_default()
}

fn trouble(kind: StoreTrouble) -> &'static str {
    match kind {
        StoreTrouble::Full => "no room is left in the credential store",
        StoreTrouble::ReadOnly => "the credential store is read-only",
        StoreTrouble::Denied => "permission denied by the credential store",
        StoreTrouble::Busy => "the credential file cannot be replaced",
        StoreTrouble::NoHome => "the home cannot be used",
        StoreTrouble::Unavailable => "there is no keyring here",
        StoreTrouble::Locked => "the keyring is locked",
        StoreTrouble::TimedOut => "the credential store did not answer in time",
        StoreTrouble::TooLarge => "the credentials are too large for the store",
        StoreTrouble::Unreadable => "the credential store cannot be read",
        StoreTrouble::Unsafe => "the credential file is not safe to use",
        StoreTrouble::Forbidden => "a policy forbids it",
        StoreTrouble::Other => "the credential store failed",
    }
}

fn lock_trouble(kind: LockTrouble) -> &'static str {
    match kind {
        LockTrouble::Busy => "another process is renewing this session",
        LockTrouble::Unsupported => "this file system has no locks",
        LockTrouble::Denied => "the lock file cannot be used",
        LockTrouble::Other => "the lock cannot be had",
    }
}
