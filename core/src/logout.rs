//! Signing out: revoke, then delete everywhere, and say what could not be done.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::authenticating::SecretSource;
use crate::home::{Held, Reading, provider_of};
use crate::record::{Credential, Record};
use crate::revoking::{Revoking, Session};
use crate::{
    Effect, Error, Event, Local, Lock, LoggedOut, LogoutRequest, Machine, Place, Report, Revocation, Seed, Slot, Step,
    StoreMode, Timestamp, may_hold, unexpected,
};

/// A refresh that is under way is waited for so long, in milliseconds: what it saves is deleted too.
const PATIENCE: u64 = 10_000;

/// A logout.
///
/// - `Locking`   → `Locked`, `LockFailed` → `Reading`, or `Removing` under the second lock
/// - `Reading`   → (reading) → `Revoking` or `Locking(Commit)`
/// - `Revoking`  → (revoking) → `Locking(Commit)`
/// - `Removing`  → `Removed`, `StoreFailed` → `Removing` the next, then `Unlocking`
/// - `Unlocking` → any event → the next lock, then done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Logout {
    request: LogoutRequest,
    seed: Seed,
    held_locks: Vec<Lock>,
    /// The keyring holds something, as far as is known: its absence is no excuse.
    in_keyring: bool,
    outcome: LoggedOut,
    state: State,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Locking {
        lock: Lock,
        slots: Vec<Slot>,
    },
    Reading(Reading),
    Revoking {
        step: Revoking,
        slots: Vec<Slot>,
    },
    /// `slots` are still to be emptied, the last one now.
    Removing {
        slots: Vec<Slot>,
    },
    Unlocking,
}

impl Logout {
    pub(crate) fn start(request: LogoutRequest, seed: Seed) -> Step<Self> {
        let outcome = LoggedOut {
            was_logged_in: false,
            revocation: Revocation::NotNeeded,
            failures: Vec::new(),
            warnings: request.configuration.shadow_alone().into_iter().collect(),
        };
        let state = State::Locking { lock: Lock::Transaction, slots: Vec::new() };
        let in_keyring = request.configuration.store() == StoreMode::Keyring;
        Self { request, seed, held_locks: Vec::new(), in_keyring, outcome, state }.lock(Lock::Transaction, Vec::new())
    }

    fn lock(self, lock: Lock, slots: Vec<Slot>) -> Step<Self> {
        let effect = Effect::Lock { lock, deadline: PATIENCE };
        Step::perform(Self { state: State::Locking { lock, slots }, ..self }, effect)
    }

    /// Goes on with the lock or without: a refresh that commits later finds no record and discards what it got.
    fn locked(self, lock: Lock, slots: Vec<Slot>, now: Timestamp) -> Step<Self> {
        match lock {
            Lock::Transaction => {
                let reading = Reading::start(&self.request.configuration);
                self.reading(reading, now)
            }
            Lock::Commit | Lock::Minting => self.remove(slots),
        }
    }

    fn reading(self, step: Step<Reading>, now: Timestamp) -> Step<Self> {
        step.within(
            self,
            |machine, step| Self { state: State::Reading(step), ..machine },
            |mut machine, result| match result {
                Ok(held) => machine.read(&held, now),
                // What cannot be read can still be deleted, wherever it may be.
                Err(error) => {
                    machine.outcome.failures.push(error.report());
                    machine.lock(Lock::Commit, slots(StoreMode::Auto))
                }
            },
        )
    }

    fn read(mut self, held: &Held, now: Timestamp) -> Step<Self> {
        self.in_keyring = held.mode == StoreMode::Keyring || held.sidecar.holds(Place::Keyring);
        // A keyring that an earlier login has used may hold what could not be cleared then.
        let is_file = held.mode == StoreMode::File;
        let slots = slots(if is_file && self.in_keyring { StoreMode::Auto } else { held.mode });
        let record = held.record.as_ref().ok().and_then(Option::as_ref);
        self.outcome.was_logged_in = match &held.record {
            Ok(Some(record)) => *record.credential() != Credential::Nothing,
            Ok(None) => false,
            Err(_) => true,
        };
        match record.and_then(Record::tokens) {
            Some(tokens) if !self.request.local => {
                let configuration = &self.request.configuration;
                let provider = provider_of(tokens, &held.sidecar, configuration);
                let session =
                    Session::new(tokens, provider, configuration, SecretSource::Stored(held.place), &self.seed);
                self.revoking(Revoking::start(session, now), slots)
            }
            _ => self.lock(Lock::Commit, slots),
        }
    }

    fn revoking(self, step: Step<Revoking>, slots: Vec<Slot>) -> Step<Self> {
        step.within(
            (self, slots),
            |(machine, slots), step| Self { state: State::Revoking { step, slots }, ..machine },
            |(mut machine, slots), result| {
                machine.outcome.revocation = result.unwrap_or_else(|error| Revocation::Failed(error.report()));
                machine.lock(Lock::Commit, slots)
            },
        )
    }

    fn remove(self, slots: Vec<Slot>) -> Step<Self> {
        match slots.last() {
            Some(slot) => {
                let effect = Effect::Remove(*slot);
                Step::perform(Self { state: State::Removing { slots }, ..self }, effect)
            }
            None => self.unlock(),
        }
    }

    fn removed(mut self, mut slots: Vec<Slot>, event: Event) -> Step<Self> {
        let slot = slots.pop();
        match event {
            Event::Removed(existed) => self.outcome.was_logged_in |= existed && matches!(slot, Some(Slot::Record(_))),
            Event::StoreFailed(failure) if self.matters(slot, &failure) => {
                self.outcome.failures.push(Error::from(Local::Store(failure)).report());
            }
            _ => {}
        }
        self.remove(slots)
    }

    /// A keyring that is not there holds nothing: with `auto` that is no failure.
    fn matters(&self, slot: Option<Slot>, failure: &crate::StoreFailure) -> bool {
        let in_keyring = matches!(
            slot,
            Some(Slot::Record(Place::Keyring) | Slot::Parked(Place::Keyring) | Slot::Client(Place::Keyring))
        );
        let absent = failure.kind == crate::StoreTrouble::Unavailable;
        let said = Error::from(Local::Store(failure.clone())).report();
        let expected = in_keyring && absent && !self.in_keyring;
        !expected && !self.outcome.failures.contains(&said)
    }

    fn unlock(mut self) -> Step<Self> {
        match self.held_locks.pop() {
            Some(lock) => Step::perform(Self { state: State::Unlocking, ..self }, Effect::Unlock(lock)),
            None => Step::Done(Ok(self.outcome)),
        }
    }

    fn stop(mut self, error: &Error) -> Step<Self> {
        let report: Report = error.report();
        self.outcome.failures.push(report);
        self.unlock()
    }
}

impl Machine for Logout {
    type Output = LoggedOut;

    fn step(mut self, now: Timestamp, event: Event) -> Step<Self> {
        match (core::mem::replace(&mut self.state, State::Unlocking), event) {
            (State::Locking { lock, slots }, Event::Locked) => {
                self.held_locks.push(lock);
                self.locked(lock, slots, now)
            }
            (State::Locking { lock, slots }, Event::LockFailed(_)) => self.locked(lock, slots, now),
            (State::Reading(step), event) => self.reading(step.step(now, event), now),
            (State::Revoking { step, slots }, event) => self.revoking(step.step(now, event), slots),
            (State::Removing { slots }, event @ (Event::Removed(_) | Event::StoreFailed(_))) => {
                self.removed(slots, event)
            }
            (State::Unlocking, _) => self.unlock(),
            (State::Locking { lock, .. }, event) => {
                if may_hold(&event) {
                    self.held_locks.push(lock);
                }
                self.stop(&unexpected(&event))
            }
            (State::Removing { .. }, event) => self.stop(&unexpected(&event)),
        }
    }
}

/// What to empty, the last one first: the record before what is kept beside it, so that a crash in between
/// leaves nobody signed in.
fn slots(mode: StoreMode) -> Vec<Slot> {
    let in_place = |place| [Slot::Client(place), Slot::Parked(place), Slot::Record(place)];
    let mut slots = Vec::from([Slot::Sidecar]);
    match mode {
        StoreMode::Ephemeral => slots = Vec::from(in_place(Place::Ephemeral)),
        StoreMode::File => slots.extend(in_place(Place::File)),
        StoreMode::Keyring | StoreMode::Auto => {
            slots.extend(in_place(Place::File));
            slots.extend(in_place(Place::Keyring));
        }
    }
    slots
}
