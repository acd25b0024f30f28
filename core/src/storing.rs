//! Putting the credential of a new login in the place of whatever was there.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::authenticating::SecretSource;
use crate::home::{ClientSecret, Held, Reading, Writing, Written, provider_of};
use crate::record::Record;
use crate::{
    Configuration, Effect, Error, Event, Lock, LoginRequest, Machine, Place, Provider, Report, Secret, Seed, Slot,
    Step, StoreMode, Timestamp, may_hold, unexpected,
};

/// A refresh that is under way is waited for so long, in milliseconds; then the login wins.
const PATIENCE: u64 = 10_000;

/// Saves a new record under both locks.
///
/// - `Locking(Transaction)` → `Locked`, `LockFailed` → `Locking(Commit)` → `Reading`
/// - `Reading`   → (reading) → `Recalling` or `Writing`
/// - `Recalling` → `Loaded`, `StoreFailed` → `Writing`
/// - `Writing`   → (writing) → `Unlocking`, once what the session before has parked is removed
/// - `Unlocking` → any event → the next lock, then done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Storing {
    credential: NewCredential,
    configuration: Configuration,
    seed: Seed,
    held_locks: Vec<Lock>,
    state: State,
}

/// What a login has brought.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct NewCredential {
    pub(crate) record: Record,
    /// The store that this login chose.
    pub(crate) store: Option<StoreMode>,
    pub(crate) provider: Option<Provider>,
    pub(crate) client_secret: Option<Secret>,
    /// Milliseconds, for a token that does not say itself when it expires.
    pub(crate) expires_in: Option<i64>,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Locking(Lock),
    Reading(Reading),
    Recalling { before: Held },
    Writing { step: Writing, before: Held, secret_before: SecretSource },
    Unlocking { result: Result<Stored, Error> },
}

/// A login that is saved.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Stored {
    pub(crate) record: Record,
    /// What the home held before.
    pub(crate) before: Held,
    /// Where the client's secret of the session before is had.
    pub(crate) secret_before: SecretSource,
    /// What it holds now.
    pub(crate) after: Held,
    pub(crate) warnings: Vec<Report>,
}

impl NewCredential {
    /// A key or token that was given: there is nothing to renew.
    pub(crate) fn given(record: Record, request: &LoginRequest) -> Self {
        Self { record, store: request.store, provider: None, client_secret: None, expires_in: None }
    }
}

impl Storing {
    pub(crate) fn start(credential: NewCredential, configuration: Configuration, seed: Seed) -> Step<Self> {
        Self { credential, configuration, seed, held_locks: Vec::new(), state: State::Locking(Lock::Transaction) }
            .lock(Lock::Transaction)
    }

    fn lock(self, lock: Lock) -> Step<Self> {
        Step::perform(Self { state: State::Locking(lock), ..self }, Effect::Lock { lock, deadline: PATIENCE })
    }

    /// Goes on with the lock or without: the record is replaced whole, and whoever spends a refresh token
    /// compares before it commits, so a login always wins.
    fn locked(self, lock: Lock, now: Timestamp) -> Step<Self> {
        match lock {
            Lock::Transaction => self.lock(Lock::Commit),
            Lock::Commit | Lock::Minting => {
                let reading = Reading::start(&self.configuration);
                self.reading(reading, now)
            }
        }
    }

    fn reading(self, step: Step<Reading>, now: Timestamp) -> Step<Self> {
        step.within(
            self,
            |machine, step| Self { state: State::Reading(step), ..machine },
            |machine, result| match result {
                Ok(before) => machine.read(before, now),
                Err(error) => machine.unlock(Err(error)),
            },
        )
    }

    fn read(self, before: Held, now: Timestamp) -> Step<Self> {
        let place = before.place;
        if self.credential.client_secret.is_some() && self.has_secret(&before) {
            // The secret of this login takes its place, and the session before may be another server's: what is
            // said to end it must not be the new secret.
            return Step::perform(
                Self { state: State::Recalling { before }, ..self },
                Effect::Load(Slot::Client(place)),
            );
        }
        self.write(before, SecretSource::Stored(place), now)
    }

    fn has_secret(&self, before: &Held) -> bool {
        before.record().ok().and_then(Record::tokens).is_some_and(|tokens| {
            provider_of(tokens, &before.sidecar, &self.configuration).client_authentication.has_secret()
        })
    }

    /// The store that this login chose, else the one that is pinned or configured.
    fn mode(&self, before: &Held) -> StoreMode {
        self.credential.store.unwrap_or(before.mode)
    }

    fn write(self, before: Held, secret_before: SecretSource, now: Timestamp) -> Step<Self> {
        let mode = self.mode(&before);
        let Self { configuration, seed, credential, .. } = &self;
        let sidecar = before.sidecar.clone();
        let mut sidecar = sidecar.of_login(&configuration.home, seed, mode, credential.provider.as_ref());
        if let Some(tokens) = credential.record.tokens() {
            sidecar.lives(tokens, credential.expires_in, now);
        }
        let secret = credential.client_secret.clone().map_or(ClientSecret::None, ClientSecret::Given);
        let place = match mode {
            StoreMode::File => Place::File,
            StoreMode::Keyring | StoreMode::Auto => Place::Keyring,
            StoreMode::Ephemeral => Place::Ephemeral,
        };
        let step = Writing::start(mode, before.place, place, sidecar, credential.record.text(), secret);
        self.writing(step, before, secret_before)
    }

    fn writing(self, step: Step<Writing>, before: Held, secret_before: SecretSource) -> Step<Self> {
        step.within(
            (self, before, secret_before),
            |(machine, before, secret_before), step| Self {
                state: State::Writing { step, before, secret_before },
                ..machine
            },
            |(machine, before, secret_before), result| match result {
                Ok(written) => machine.sweep(before, secret_before, written),
                Err(error) => machine.unlock(Err(error)),
            },
        )
    }

    /// An answer that an interrupted refresh of the session before has left behind is nobody's now.
    fn sweep(self, before: Held, secret_before: SecretSource, written: Written) -> Step<Self> {
        let slot = Slot::Parked(before.place);
        let record = self.credential.record.clone();
        let after = Held {
            mode: self.mode(&before),
            sidecar: written.sidecar,
            place: written.place,
            record: Ok(Some(record.clone())),
            trouble: None,
            warnings: Vec::new(),
        };
        let stored = Stored { record, before, secret_before, after, warnings: written.warnings };
        Step::perform(Self { state: State::Unlocking { result: Ok(stored) }, ..self }, Effect::Remove(slot))
    }

    fn unlock(mut self, result: Result<Stored, Error>) -> Step<Self> {
        match self.held_locks.pop() {
            Some(lock) => Step::perform(Self { state: State::Unlocking { result }, ..self }, Effect::Unlock(lock)),
            None => Step::Done(result),
        }
    }
}

impl Machine for Storing {
    type Output = Stored;

    fn step(mut self, now: Timestamp, event: Event) -> Step<Self> {
        match (core::mem::replace(&mut self.state, State::Locking(Lock::Transaction)), event) {
            (State::Locking(lock), Event::Locked) => {
                self.held_locks.push(lock);
                self.locked(lock, now)
            }
            (State::Locking(lock), Event::LockFailed(_)) => self.locked(lock, now),
            (State::Reading(step), event) => self.reading(step.step(now, event), now),
            (State::Recalling { before }, Event::Loaded(secret)) => {
                self.write(before, SecretSource::Given(secret), now)
            }
            (State::Recalling { before }, Event::StoreFailed(_)) => self.write(before, SecretSource::Given(None), now),
            (State::Writing { step, before, secret_before }, event) => {
                self.writing(step.step(now, event), before, secret_before)
            }
            (State::Unlocking { result }, _) => self.unlock(result),
            (State::Locking(lock), event) => {
                if may_hold(&event) {
                    self.held_locks.push(lock);
                }
                self.unlock(Err(unexpected(&event)))
            }
            (State::Recalling { .. }, event) => self.unlock(Err(unexpected(&event))),
        }
    }
}
