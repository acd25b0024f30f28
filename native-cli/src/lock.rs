//! The locks of a home: between the threads of this process, then between processes.

mod file;
mod turn;

use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use hallpass_core::{Event, Lock, LockFailure, LockTrouble, StoreFailure, StoreTrouble};

use crate::store;
pub(crate) use file::{hand_over, is_still_there, restrict};
use turn::Turn;

/// The locks of one home: performs `Lock` and `Unlock`.
///
/// They are locks of the operating system, so they end with whoever holds them. A lock file is never removed and
/// never emptied: what it says or how old it is means nothing. What is still held is given back when this is
/// dropped.
#[derive(Debug)]
pub struct Locks {
    home: PathBuf,
    transaction: Option<Held>,
    commit: Option<Held>,
    minting: Option<Held>,
}

/// A lock that is held. The files are given back before the turn.
#[derive(Debug)]
struct Held {
    _files: Vec<File>,
    _turn: Turn,
}

/// Why a lock is not held.
enum NotHeld {
    Failed(LockFailure),
    Cancelled,
}

/// How long a lock may be waited for, and whether it is still wanted.
struct Wait<'a> {
    until: Option<Instant>,
    cancelled: &'a dyn Fn() -> bool,
}

impl Locks {
    /// The locks of this home. Touches nothing yet.
    pub fn new(home: PathBuf) -> Self {
        Self { home, transaction: None, commit: None, minting: None }
    }

    /// Takes a lock, waiting for it until the deadline or until it is no longer wanted. A home that does not
    /// exist is made, unless no file is needed. → `Locked`, `LockFailed`, `Cancelled`
    pub fn lock(&mut self, lock: Lock, deadline: Duration, cancelled: &dyn Fn() -> bool) -> Event {
        if self.held(lock).is_some() {
            let detail = format!("{}: held already", self.home.display());
            return Event::LockFailed(LockFailure { kind: LockTrouble::Other, detail });
        }
        let wait = Wait { until: Instant::now().checked_add(deadline), cancelled };
        match self.take(lock, &wait) {
            Ok(held) => {
                *self.held(lock) = Some(held);
                Event::Locked
            }
            Err(NotHeld::Failed(failure)) => Event::LockFailed(failure),
            Err(NotHeld::Cancelled) => Event::Cancelled,
        }
    }

    /// Gives a lock back; one that is not held is given back already. → `Unlocked`
    pub fn unlock(&mut self, lock: Lock) -> Event {
        *self.held(lock) = None;
        Event::Unlocked
    }

    fn take(&self, lock: Lock, wait: &Wait<'_>) -> Result<Held, NotHeld> {
        if lock != Lock::Minting {
            store::create_home(&self.home)?;
        }
        let turn = turn::take(&self.home, lock, wait)?;
        let files = match lock {
            Lock::Minting => Vec::new(),
            Lock::Transaction => vec![file::take(&self.home.join("hallpass.lock"), 0o600, wait)?],
            Lock::Commit => {
                let mut record = store::record_target(&self.home.join("auth.json"))?.into_os_string();
                record.push(".lock");
                let auth = file::take(&self.home.join("auth.lock"), 0o644, wait)?;
                vec![file::take(record.as_ref(), 0o600, wait)?, auth]
            }
        };
        Ok(Held { _files: files, _turn: turn })
    }

    fn held(&mut self, lock: Lock) -> &mut Option<Held> {
        match lock {
            Lock::Transaction => &mut self.transaction,
            Lock::Commit => &mut self.commit,
            Lock::Minting => &mut self.minting,
        }
    }
}

impl Drop for Locks {
    fn drop(&mut self) {
        // In the reverse of the order in which they are taken.
        self.minting = None;
        self.commit = None;
        self.transaction = None;
    }
}

impl Wait<'_> {
    /// How long to sleep before the next attempt, at most so long.
    fn pause(&self, longest: Duration, what: &dyn Fn() -> String) -> Result<Duration, NotHeld> {
        if (self.cancelled)() {
            return Err(NotHeld::Cancelled);
        }
        let left = self.until.map_or(longest, |until| until.saturating_duration_since(Instant::now()));
        if left.is_zero() {
            return Err(NotHeld::Failed(LockFailure { kind: LockTrouble::Busy, detail: what() }));
        }
        Ok(left.min(longest))
    }
}

impl From<StoreFailure> for NotHeld {
    fn from(failure: StoreFailure) -> Self {
        let kind = match failure.kind {
            StoreTrouble::Denied | StoreTrouble::ReadOnly | StoreTrouble::Full | StoreTrouble::NoHome => {
                LockTrouble::Denied
            }
            _ => LockTrouble::Other,
        };
        Self::Failed(LockFailure { kind, detail: failure.detail })
    }
}
