//! What a machine asks its shell to do.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{Secret, Timestamp};

/// One request of a machine to its shell: complete data, nothing to call back.
///
/// The comment of each names the events that answer it. Any effect that [may be
/// interrupted](Effect::is_interruptible) may also be answered by [`Event::Cancelled`](crate::Event::Cancelled).
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Send one HTTP request: no redirect followed, no retry. → `Responded`, `RequestFailed`
    Http(HttpRequest),
    /// Read a slot. → `Loaded`, `StoreFailed`
    Load(Slot),
    /// Write a slot, durably and whole: after a crash it holds the old contents or the new. → `Saved`, `StoreFailed`
    Save {
        /// Where to.
        slot: Slot,
        /// The text to store.
        contents: Secret,
    },
    /// Empty a slot. → `Removed`, `StoreFailed`
    Remove(Slot),
    /// Take a lock, waiting at most so long. → `Locked`, `LockFailed`
    Lock {
        /// Which.
        lock: Lock,
        /// The longest wait, in milliseconds.
        deadline: u64,
    },
    /// Give a lock back. → `Unlocked`
    Unlock(Lock),
    /// Claim, in one durable step, the room and the permission to store an answer, and write the intent to
    /// ask for it. → `Reserved`, `StoreFailed`
    Reserve {
        /// Where the answer will be kept.
        place: Place,
        /// What stands there until then: who is about to spend which token (as a hash).
        intent: Secret,
        /// How many bytes to claim, the intent included.
        size: u32,
    },
    /// Wait. → `Slept`
    Sleep {
        /// How long, in milliseconds.
        milliseconds: u64,
    },
    /// Get ready to receive the redirect of a browser login. → `Listening`, `ListenFailed`
    Listen(Listen),
    /// Wait for what comes first: a request at the redirect URI, a pasted URL, the wish to use a device code
    /// instead, or the end of the wait. → `Called`, `Pasted`, `Switched`, `TimedOut`
    Await {
        /// When the wait ends.
        until: Timestamp,
    },
    /// Answer the browser whose request was handed in last. → `Replied`
    Reply(Page),
    /// Tell the person what to do next. → `Presented`
    Present(Prompt),
    /// Run a command and read what it prints. → `Ran`, `RunFailed`
    Run(Command),
    /// Sign with a key that the shell keeps. → `Signed`, `SignFailed`
    Sign {
        /// Which key.
        key: Key,
        /// With which algorithm, a name of RFC 7518 (`ES256`, `EdDSA`, `RS256`, `PS256`).
        algorithm: String,
        /// What to sign: the JWS signing input (RFC 7515, section 5.1).
        input: Secret,
    },
}

impl Effect {
    /// Whether the shell may give this up when the person or the host wants to stop. What may not be
    /// interrupted is performed to its end, and the wish is delivered at the next effect that may.
    pub fn is_interruptible(&self) -> bool {
        match self {
            Self::Http(request) => request.interruptible,
            // Codex's locks are waited for between a refresh and its save.
            Self::Lock { lock, .. } => *lock != Lock::Commit,
            Self::Sleep { .. } | Self::Await { .. } | Self::Run(_) | Self::Listen(_) => true,
            Self::Load(_)
            | Self::Save { .. }
            | Self::Remove(_)
            | Self::Unlock(_)
            | Self::Reserve { .. }
            | Self::Reply(_)
            | Self::Present(_)
            | Self::Sign { .. } => false,
        }
    }
}

/// Where something is stored.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// The record: `auth.json`, or the keyring entry that holds the same text.
    Record(Place),
    /// What Hallpass remembers beside the record: `hallpass.json`.
    Sidecar,
    /// The intent to refresh and the server's answer, before the record is saved.
    Parked(Place),
    /// The client's own secret, for providers that gave it one.
    Client(Place),
    /// The keys that tokens are bound to (RFC 9449). Their private halves never leave the shell, and need not be such
    /// that could. What is saved is a public half as a JWK (RFC 7517), and means: keep the key that it belongs to there,
    /// which is [`Slot::NewProof`] or lies in another place, beside the one before it. What is loaded is the public half
    /// of the one that was kept last; what is removed are all.
    Proof(Place),
    /// A key pair for the tokens of a login that is under way, in this process's memory: new for each login, at the
    /// latest when it is loaded. A shell that goes on with a suspended login has kept it. Where a shell keeps no keys it
    /// is empty, and the login does without; so does one whose record lies in memory.
    NewProof,
    /// The tokens that were minted for this process: always in its memory, never anywhere else.
    Minted,
}

/// A kind of store.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A file in the home, readable by its owner alone.
    File,
    /// The operating system's keyring.
    Keyring,
    /// This process's memory.
    Ephemeral,
}

/// A lock of a home. Both die with the process that holds them.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lock {
    /// `hallpass.lock`: held over a whole refresh, login or logout.
    Transaction,
    /// Codex's `auth.lock`, then its `auth.json.lock`: held over a read or a write, never over a request.
    Commit,
    /// No lock between processes: one flow of this process mints at a time, and the others find what it got.
    Minting,
}

/// A key that the shell keeps.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// The client's private key (RFC 7523), by the path or name that the configuration gives.
    Client(String),
    /// One of [`Slot::Proof`].
    Proof {
        /// Where it lies.
        place: Place,
        /// Its public half, the JWK with which it was saved.
        public: String,
    },
    /// The private half of [`Slot::NewProof`].
    NewProof,
}

/// An HTTP request.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct HttpRequest {
    /// `GET` or `POST`.
    pub method: Method,
    /// An absolute `https` URL, or `http` on a loopback address.
    pub url: String,
    /// Header names (lower case) and values.
    pub headers: Vec<(String, Secret)>,
    /// The body.
    pub body: Option<Secret>,
    /// The longest it may take from first to last byte, in milliseconds.
    pub deadline: u64,
    /// Whether it may be given up half-way.
    pub interruptible: bool,
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
}

/// How to receive the redirect of a browser login (RFC 8252, section 7.3).
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Listen {
    /// The ports to try on the loopback address, in this order; 0 is any free one.
    pub ports: Vec<u16>,
    /// The path of the redirect URI.
    pub path: String,
}

/// What the waiting browser is shown. The words and the looks are the shell's; nothing of the request and
/// nothing that a server said is in it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// Signed in, and saved.
    SignedIn,
    /// The person, or the server for them, said no.
    Declined,
    /// The login failed; the tool that started it says why.
    Failed,
    /// Signed in, but the credentials could not be stored.
    NotSaved,
    /// A policy forbids this login.
    Forbidden,
    /// A request that is not the answer to this login (400); the wait goes on.
    BadRequest,
    /// A request for something else (404); the wait goes on.
    NotFound,
}

impl Page {
    /// Whether this is the last answer: after it the shell stops listening.
    pub fn is_last(self) -> bool {
        !matches!(self, Self::BadRequest | Self::NotFound)
    }

    /// The HTTP status that goes with it.
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::NotFound => 404,
            Self::SignedIn | Self::Declined | Self::Failed | Self::NotSaved | Self::Forbidden => 200,
        }
    }
}

/// What a person is told in the middle of a login.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// Go to this page; the shell opens it in a browser where it can.
    Browser {
        /// The authorization request (RFC 6749, section 4.1.1).
        authorization_url: Secret,
        /// Where the browser will come back to.
        redirect_uri: String,
        /// Whether a device code can be had instead.
        can_switch: bool,
    },
    /// Enter this code on that page (RFC 8628, section 3.3).
    UserCode {
        /// The code to enter.
        user_code: Secret,
        /// Where to enter it.
        verification_uri: String,
        /// The same page with the code filled in, for a QR code.
        verification_uri_complete: Option<Secret>,
        /// When the code stops working.
        expires_at: Timestamp,
    },
}

/// A command that prints a token.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Command {
    /// The program: a name looked up in `PATH`, or a path.
    pub program: String,
    /// Its arguments; no shell reads them.
    pub arguments: Vec<String>,
    /// The folder to run it in.
    pub directory: Option<String>,
    /// The longest it may take, in milliseconds.
    pub deadline: u64,
}
