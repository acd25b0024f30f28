//! Signing out: revoke, then delete everywhere, and say what could not be done.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::authenticating::SecretSource;
use crate::home::{Held, Reading, provider_of};
use crate::record::{Credential, Record};
use crate::revoking::{Revoking, Session};
use crate::{
    Configuration, Effect, Enforced, Error, Event, Forbidden, HOMES, Lock, LogLine, LoggedOut, LogoutRequest, Machine,
    Place, Report, Revocation, Seed, Slot, Step, StoreMode, Timestamp, may_hold, unexpected,
};

/// A refresh that is under way is waited for so long, in milliseconds: what it saves is deleted too.
const PATIENCE: u64 = 10_000;

/// A logout, or the end of a credential that a policy forbids, which is read under both locks: what is deleted is what
/// was judged.
///
/// - `Locking`   → `Locked`, `LockFailed` → `Reading`, or `Removing` under the second lock
///   · enforcing → `Locking` the second, then `Reading` · any other event → `Unlocking`, or done with no lock held
/// - `Reading`   → (reading) → `Revoking`, or `Locking` the second
///   · enforcing → `Removing`, or `Unlocking` what may stay, or done with no lock held
/// - `Revoking`  → (revoking) → `Locking` the second
/// - `Removing`  → any event → `Removing` the next, then `Unlocking`, or done with no lock held
/// - `Unlocking` → any event → `Unlocking` the next, then done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Logout {
    request: LogoutRequest,
    seed: Seed,
    held_locks: Vec<Lock>,
    /// The keyring holds something, as far as is known: its absence is no excuse.
    in_keyring: bool,
    /// Only what a policy forbids is deleted.
    enforces: bool,
    violation: Option<Error>,
    outcome: LoggedOut,
    state: State,
}

/// How a logout ends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Ended {
    outcome: LoggedOut,
    violation: Option<Error>,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Locking {
        lock: Lock,
        slots: Vec<Slot>,
    },
    Reading(Box<Reading>),
    Revoking {
        step: Box<Revoking>,
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
        let held_locks = Vec::new();
        Box::new(Self { request, seed, held_locks, in_keyring, enforces: false, violation: None, outcome, state })
            .lock(Lock::Transaction, Vec::new())
    }

    fn at(mut self: Box<Self>, state: State) -> Box<Self> {
        self.state = state;
        self
    }

    /// Signs out where the policy forbids what is stored, and revokes nothing.
    pub(crate) fn enforcing(configuration: Configuration, seed: Seed) -> Step<Self> {
        let request = LogoutRequest { configuration, local: true };
        match Self::start(request, seed) {
            Step::Perform { mut machine, effect, log } => {
                machine.enforces = true;
                Step::Perform { machine, effect, log }
            }
            done @ Step::Done(_) => done,
        }
    }

    fn lock(self: Box<Self>, lock: Lock, slots: Vec<Slot>) -> Step<Self> {
        let effect = Effect::Lock { lock, deadline: PATIENCE };
        Step::perform(self.at(State::Locking { lock, slots }), effect)
    }

    /// Goes on with the lock or without: a refresh that commits later finds no record and discards what it got.
    fn locked(self: Box<Self>, lock: Lock, slots: Vec<Slot>, now: Timestamp) -> Step<Self> {
        match (lock, HOMES && self.enforces) {
            (Lock::Transaction, false) | (Lock::Commit, true) => {
                let reading = Reading::start(&self.request.configuration);
                self.reading(reading, now)
            }
            (Lock::Transaction, true) => self.lock(Lock::Commit, slots),
            (Lock::Commit, false) | (Lock::Minting, _) => self.remove(slots),
        }
    }

    fn reading(self: Box<Self>, step: Step<Reading>, now: Timestamp) -> Step<Self> {
        step.within(
            self,
            |machine, step| machine.at(State::Reading(step)),
            |mut machine, result| match result {
                Ok(held) if HOMES && machine.enforces => machine.judged(&held),
                Ok(held) => machine.read(&held, now),
                Err(error) if HOMES && machine.enforces => machine.stop(&error),
                // What cannot be read can still be deleted, wherever it may be.
                Err(error) => {
                    machine.outcome.failures.push(error.report());
                    machine.lock(Lock::Commit, slots(StoreMode::Auto))
                }
            },
        )
    }

    /// As Codex has it, only a login method or a workspace that is not permitted costs the credential.
    fn judged(mut self: Box<Self>, held: &Held) -> Step<Self> {
        let Err(error @ Error::Forbidden(forbidden)) = &held.permitted(&self.request.configuration) else {
            return self.unlock();
        };
        self.violation = Some(error.clone());
        if !matches!(forbidden, Forbidden::Method { .. } | Forbidden::Workspace { .. }) {
            return self.unlock();
        }
        let notice = LogLine::notice(format!("{error}; what is stored here is deleted, and nothing is revoked"));
        let slots = self.slots(held);
        self.outcome.was_logged_in = true;
        self.remove(slots).logged(notice)
    }

    fn slots(&mut self, held: &Held) -> Vec<Slot> {
        self.in_keyring = held.mode == StoreMode::Keyring || held.sidecar.holds(Place::Keyring);
        // A keyring that an earlier login has used may hold what could not be cleared then.
        let is_file = held.mode == StoreMode::File;
        slots(if is_file && self.in_keyring { StoreMode::Auto } else { held.mode })
    }

    fn read(mut self: Box<Self>, held: &Held, now: Timestamp) -> Step<Self> {
        let slots = self.slots(held);
        let slots = if held.sidecar.proof_key().is_some() { with_proof_keys(slots) } else { slots };
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
                self.outcome.warnings.extend(configuration.ignored_overrides(&provider));
                let session =
                    Session::new(tokens, provider, configuration, SecretSource::Stored(held.place), &self.seed);
                self.revoking(Revoking::start(session, now), slots)
            }
            _ => self.lock(Lock::Commit, slots),
        }
    }

    fn revoking(self: Box<Self>, step: Step<Revoking>, slots: Vec<Slot>) -> Step<Self> {
        step.within(
            (self, slots),
            |(machine, slots), step| machine.at(State::Revoking { step, slots }),
            |(mut machine, slots), result| {
                machine.outcome.revocation = result.unwrap_or_else(|error| Revocation::Failed(error.report()));
                machine.lock(Lock::Commit, slots)
            },
        )
    }

    fn remove(self: Box<Self>, slots: Vec<Slot>) -> Step<Self> {
        match slots.last() {
            Some(slot) => {
                let effect = Effect::Remove(*slot);
                Step::perform(self.at(State::Removing { slots }), effect)
            }
            None => self.unlock(),
        }
    }

    fn removed(mut self: Box<Self>, mut slots: Vec<Slot>, event: Event) -> Step<Self> {
        let slot = slots.pop();
        match event {
            Event::Removed(existed) => self.outcome.was_logged_in |= existed && matches!(slot, Some(Slot::Record(_))),
            Event::StoreFailed(failure) if self.matters(slot, &failure) => {
                self.outcome.failures.push(Error::from(failure).report());
            }
            _ => {}
        }
        self.remove(slots)
    }

    /// A keyring that is not there holds nothing: with `auto` that is no failure.
    fn matters(&self, slot: Option<Slot>, failure: &crate::StoreFailure) -> bool {
        let in_keyring = matches!(
            slot,
            Some(
                Slot::Record(Place::Keyring)
                    | Slot::Parked(Place::Keyring)
                    | Slot::Client(Place::Keyring)
                    | Slot::Proof(Place::Keyring)
            )
        );
        let absent = failure.kind == crate::StoreTrouble::Unavailable;
        let said = Error::from(failure.clone()).report();
        let expected = in_keyring && absent && !self.in_keyring;
        !expected && !self.outcome.failures.contains(&said)
    }

    fn unlock(mut self: Box<Self>) -> Step<Self> {
        match self.held_locks.pop() {
            Some(lock) => Step::perform(self.at(State::Unlocking), Effect::Unlock(lock)),
            None => Step::Done(Ok(Ended { outcome: self.outcome, violation: self.violation })),
        }
    }

    fn stop(mut self: Box<Self>, error: &Error) -> Step<Self> {
        let report: Report = error.report();
        self.outcome.failures.push(report);
        self.unlock()
    }
}

impl Machine for Logout {
    type Output = Ended;

    fn step(mut self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
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

impl From<Ended> for LoggedOut {
    fn from(ended: Ended) -> Self {
        ended.outcome
    }
}

impl From<Ended> for Enforced {
    fn from(Ended { outcome, violation }: Ended) -> Self {
        let deleted = outcome.was_logged_in && outcome.failures.is_empty();
        Self { violation: violation.map(|error| error.report()), deleted, failures: outcome.failures }
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

/// The keys that tokens are bound to go with what else is kept beside the record.
fn with_proof_keys(slots: Vec<Slot>) -> Vec<Slot> {
    let keys = |slot: &Slot| if let Slot::Client(place) = slot { Some(Slot::Proof(*place)) } else { None };
    let mut all: Vec<Slot> = slots.iter().filter_map(keys).collect();
    all.extend(slots);
    all
}
