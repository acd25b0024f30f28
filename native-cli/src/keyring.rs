//! The operating system's keyring: which entries are used, and a deadline for a service that may not answer.
#![cfg_attr(not(feature = "keyring"), allow(dead_code, reason = "without a keyring nobody asks"))]

#[cfg(not(feature = "keyring"))]
mod absent;
#[cfg(all(feature = "keyring", unix, not(target_vendor = "apple")))]
mod bus;
#[cfg(all(feature = "keyring", any(windows, target_os = "macos")))]
mod native;
#[cfg(all(feature = "keyring", unix, not(target_vendor = "apple")))]
mod secret_service;

#[cfg(not(feature = "keyring"))]
use absent as system;
#[cfg(all(feature = "keyring", any(windows, target_os = "macos")))]
use native as system;
#[cfg(all(feature = "keyring", unix, not(target_vendor = "apple")))]
use secret_service as system;

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use hallpass_core::{Secret, StoreFailure, StoreTrouble};
use sha2::{Digest, Sha256};

/// How long the service may take. A person who is asked to unlock the keyring takes longer: the question stays
/// on the screen, and the next attempt finds the keyring unlocked.
const DEADLINE: Duration = Duration::from_secs(3);

/// The keyring, with the connection to it once there is one.
#[derive(Default)]
pub(crate) struct Keyring {
    connection: Option<system::Connection>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Keyring").field("connected", &self.connection.is_some()).finish()
    }
}

/// What an entry is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    Record,
    Parked,
    Client,
    Proof,
    /// What encrypted files are encrypted with.
    Key,
}

impl Purpose {
    /// The entry of a home. The record's and the key's are Codex's own: their accounts are made from the home's path.
    pub(crate) fn entry(self, home: &Path) -> Entry {
        let path = home.canonicalize().unwrap_or_else(|_| home.to_owned());
        let digest = Sha256::digest(path.to_string_lossy().as_bytes());
        let hash = digest.iter().take(8).fold(0, |hash: u64, &byte| hash << 8 | u64::from(byte));
        let account = format!("cli|{hash:016x}");
        match self {
            Self::Record => Entry { service: "Codex Auth", account },
            Self::Parked => Entry { service: "Hallpass", account: account + "|parked" },
            Self::Client => Entry { service: "Hallpass", account: account + "|client" },
            Self::Proof => Entry { service: "Hallpass", account: account + "|proof" },
            Self::Key => Entry { service: "codex", account: format!("secrets|{hash:016x}") },
        }
    }
}

/// The name of an entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Entry {
    service: &'static str,
    account: String,
}

impl Entry {
    /// Whether other programs read and write it too.
    fn is_shared(&self) -> bool {
        self.service != "Hallpass"
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "keyring: {} / {}", self.service, self.account)
    }
}

/// Why the keyring did not do it: what kind of trouble, and the cause for a person.
type Trouble = (StoreTrouble, String);

impl Keyring {
    /// Finds out whether the keyring answers and is unlocked, without asking anybody to unlock it: by looking for what
    /// is never there.
    pub(crate) fn probe(&mut self) -> Result<(), StoreFailure> {
        let entry = Entry { service: "Hallpass", account: "doctor".to_owned() };
        self.call(&entry, system::Connection::load).map(drop)
    }

    pub(crate) fn load(&mut self, entry: &Entry) -> Result<Option<Secret>, StoreFailure> {
        let bytes = self.call(entry, system::Connection::load)?;
        bytes.map(crate::store::decode).transpose().map_err(|(kind, cause)| entry.failure(kind, cause))
    }

    pub(crate) fn save(&mut self, entry: &Entry, contents: Secret) -> Result<(), StoreFailure> {
        self.call(entry, move |connection, entry, turn| connection.save(entry, &contents, turn))
    }

    pub(crate) fn remove(&mut self, entry: &Entry) -> Result<bool, StoreFailure> {
        self.call(entry, system::Connection::remove)
    }

    /// Does a job on a thread of its own. When the deadline passes the thread is left behind, and with it the
    /// connection; it changes nothing any more.
    fn call<T: Send + 'static>(
        &mut self,
        entry: &Entry,
        job: impl Fn(&system::Connection, &Entry, &Turn) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, StoreFailure> {
        let turn = Arc::new(Turn::default());
        let (sender, receiver) = mpsc::sync_channel(1);
        let worker = {
            let (turn, entry, connection) = (Arc::clone(&turn), entry.clone(), self.connection.take());
            move || {
                let _ = sender.send(attempt(connection, |connection| job(connection, &entry, &turn)));
            }
        };
        let started = std::thread::Builder::new().name("hallpass-keyring".to_owned()).spawn(worker);
        started.map_err(|error| entry.failure(StoreTrouble::Other, error))?;
        let answer = receiver.recv_timeout(DEADLINE).or_else(|_| match turn.abandon() {
            // Too late to stop it: whether it was done has to be known.
            Phase::Writing => receiver.recv_timeout(DEADLINE).map_err(|_| StoreTrouble::TimedOut),
            Phase::Unlocking => Err(StoreTrouble::Locked),
            Phase::Asking | Phase::Abandoned => Err(StoreTrouble::TimedOut),
        });
        match answer {
            Ok((Ok(done), connection)) => {
                self.connection = connection;
                Ok(done)
            }
            Ok((Err((kind, cause)), _)) => Err(entry.failure(kind, cause)),
            Err(kind @ StoreTrouble::Locked) => Err(entry.failure(kind, "the keyring waits to be unlocked")),
            Err(kind) => Err(entry.failure(kind, format_args!("no answer within {} s", DEADLINE.as_secs()))),
        }
    }
}

impl Entry {
    fn failure(&self, kind: StoreTrouble, cause: impl fmt::Display) -> StoreFailure {
        StoreFailure { kind, detail: format!("{self}: {cause}") }
    }
}

/// Does a job with the connection at hand, or with a new one where there is none or its other end has gone.
fn attempt<T>(
    connection: Option<system::Connection>,
    job: impl Fn(&system::Connection) -> Result<T, Trouble>,
) -> (Result<T, Trouble>, Option<system::Connection>) {
    if let Some(connection) = connection {
        match job(&connection) {
            Err((StoreTrouble::Other | StoreTrouble::Unavailable, _)) => {}
            done => return (done, Some(connection)),
        }
    }
    match system::Connection::open() {
        Ok(connection) => (job(&connection), Some(connection)),
        Err(trouble) => (Err(trouble), None),
    }
}

/// How far a call has come, known to the thread that makes it and to the one that waits for it.
#[derive(Debug, Default)]
struct Turn(AtomicU8);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
enum Phase {
    Asking,
    Unlocking,
    Writing,
    Abandoned,
}

impl Turn {
    /// Says that a person may now be asked to unlock the keyring.
    fn unlock(&self) -> Result<(), Trouble> {
        self.enter(Phase::Unlocking)
    }

    /// Says that something is about to change. Nobody waiting any more, it must not: by now a newer record may
    /// be there.
    fn write(&self) -> Result<(), Trouble> {
        self.enter(Phase::Writing)
    }

    fn enter(&self, phase: Phase) -> Result<(), Trouble> {
        let moved = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| {
            (now != Phase::Abandoned as u8).then_some(phase as u8)
        });
        moved.map(drop).map_err(|_| (StoreTrouble::TimedOut, "given up".to_owned()))
    }

    /// Stops the call unless it is writing; the phase that it was in.
    fn abandon(&self) -> Phase {
        let stopped = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| {
            (now != Phase::Writing as u8).then_some(Phase::Abandoned as u8)
        });
        match stopped {
            Ok(phase) if phase == Phase::Unlocking as u8 => Phase::Unlocking,
            Ok(_) => Phase::Asking,
            Err(_) => Phase::Writing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_up_changes_nothing() {
        let turn = Turn::default();
        assert_eq!(turn.unlock(), Ok(()));
        assert_eq!(turn.abandon(), Phase::Unlocking);
        assert!(turn.write().is_err());
    }

    #[test]
    fn what_is_being_written_is_waited_for() {
        let turn = Turn::default();
        assert_eq!(turn.write(), Ok(()));
        assert_eq!(turn.abandon(), Phase::Writing);
        assert_eq!(turn.write(), Ok(()));
        assert_eq!(Turn::default().abandon(), Phase::Asking);
    }
}
