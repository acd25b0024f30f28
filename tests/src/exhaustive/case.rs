//! What is explored: who runs, against which server, and what may go wrong how often.

use hallpass_core::StoreMode;

use super::{Property, Reuse, Style};

/// One exploration.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is called where its numbers are published.
    pub name: &'static str,
    /// The processes, at most three.
    pub runs: Vec<Runs>,
    /// What the server does with a refresh token that comes again.
    pub reuse: Reuse,
    /// What access tokens look like.
    pub style: Style,
    /// Where the record is kept.
    pub store: StoreMode,
    /// What may go wrong.
    pub budget: Budget,
    /// A rule that is known not to hold here.
    pub tolerates: Option<Property>,
    /// In which order the disk makes durable what nobody has synced.
    pub disk: Disk,
    /// What is broken in the shell.
    pub mutation: Option<Mutation>,
}

/// The order in which a disk makes durable what nobody has synced.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Disk {
    /// None: a loss of power may leave any part of it.
    Unordered,
    /// That of the renames, as journaling file systems have it.
    Ordered,
}

/// What a process runs.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Runs {
    /// `hallpass token`, when the access token has expired.
    Token,
    /// The same while the access token still has six minutes.
    EarlyToken,
    /// The same after a 401.
    Replacement,
    /// `hallpass token`, asked for a new one whatever is stored.
    Fresh,
    /// A login with a device code.
    Login,
    /// A logout that revokes.
    Logout,
}

/// How often each thing may go wrong in one run of the world.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Budget {
    /// A process dies, at any boundary of an effect or between its parts, and is started again.
    pub crashes: u8,
    /// All processes die at once, and of what was not synced each slot keeps the old or the new.
    pub power_losses: u8,
    /// The server has done it, and the answer is lost.
    pub lost_answers: u8,
    /// The request is lost on its way.
    pub lost_requests: u8,
    /// The client gives up while its request is still on its way; it may arrive later, or never.
    pub late_requests: u8,
    /// The connection cannot be made.
    pub not_sent: u8,
    /// The status of the answer arrives, its body does not.
    pub broken_answers: u8,
    /// The server answers 503 and has done nothing.
    pub busy_servers: u8,
    /// A gateway answers 502, and nobody knows what the server has done.
    pub gateways: u8,
    /// The wait for a lock ends before its holder does.
    pub lock_timeouts: u8,
    /// The store does not write what it is asked to.
    pub store_failures: u8,
    /// The person gives up where a wait may be interrupted.
    pub cancellations: u8,
    /// An hour passes, at any moment, and who was done asks again.
    pub hours: u8,
}

impl Budget {
    /// Whether nothing at all goes wrong (time may pass).
    pub fn is_faultless(&self) -> bool {
        Self { hours: 0, ..*self } == Self::default()
    }
}

/// A way to break the shell. Each makes a [`Property`](super::Property) fail.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Mutation {
    /// Every lock is granted to everyone.
    NoLock,
    /// A lock that is held is granted after a while.
    Steal,
    /// The lock of a dead process is never given back.
    LockOutlivesItsHolder,
    /// The transaction's lock is never given back by those who live.
    LockIsKept,
    /// A flow that finds a lock held is begun again.
    BeginsAgain,
    /// Under the lock the store answers what it answered before.
    NoReread,
    /// Before the commit the store answers what it answered before.
    NoCompare,
    /// A request without an answer is sent again by the HTTP library.
    ImmediateRetry,
    /// A wait ends at once.
    NoDrain,
    /// A save of tokens is acknowledged before it is made.
    SaveAfterUse,
    /// A save is acknowledged before it is synced.
    NoSync,
    /// The answer is not parked.
    NoParking,
    /// The clock that machines are told leaps ahead by hours with each refresh.
    FastClock,
    /// A 503 is passed on as a rejection.
    TroubleIsALogout,
    /// What is remembered beside the record is not written.
    NoSidecar,
    /// What is remembered beside the record is written as if by a newer version.
    NewerSidecar,
}

impl Case {
    /// Processes that want a token, a strict server, a file, and nothing that goes wrong.
    pub fn new(name: &'static str, runs: &[Runs]) -> Self {
        Self {
            name,
            runs: runs.to_vec(),
            reuse: Reuse::Strict,
            style: Style::Jwt,
            store: StoreMode::File,
            budget: Budget::default(),
            tolerates: None,
            disk: Disk::Unordered,
            mutation: None,
        }
    }

    /// With another server.
    #[must_use]
    pub fn at(self, reuse: Reuse) -> Self {
        Self { reuse, ..self }
    }

    /// With things that go wrong.
    #[must_use]
    pub fn with(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// Where a rule is known not to hold.
    #[must_use]
    pub fn tolerating(self, property: Property) -> Self {
        Self { tolerates: Some(property), ..self }
    }

    /// On a disk that keeps the order.
    #[must_use]
    pub fn ordered(self) -> Self {
        Self { disk: Disk::Ordered, ..self }
    }

    /// With a record kept elsewhere.
    #[must_use]
    pub fn kept_in(self, store: StoreMode) -> Self {
        Self { store, ..self }
    }

    /// With other access tokens.
    #[must_use]
    pub fn styled(self, style: Style) -> Self {
        Self { style, ..self }
    }

    /// With a broken shell.
    #[must_use]
    pub fn broken(self, mutation: Mutation) -> Self {
        Self { mutation: Some(mutation), ..self }
    }

    pub(super) fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    pub(super) fn has(&self, runs: Runs) -> bool {
        self.runs.contains(&runs)
    }
}
