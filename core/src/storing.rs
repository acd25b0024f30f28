//! Putting the credential of a new login in the place of whatever was there.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::authenticating::SecretSource;
use crate::dpop::Possession;
use crate::home::{ClientSecret, Course, Held, ProofKey, Reading, Writing, Written, provider_of};
use crate::record::{Credential, Record};
use crate::seeding;
use crate::{
    Configuration, Effect, Error, Event, HOMES, Local, Lock, LockFailure, LockTrouble, LoginRequest, Machine, Place,
    Provider, Report, Secret, Seed, SeedUse, Slot, Step, StoreMode, Timestamp, may_hold, unexpected,
};

/// A refresh that is under way is waited for so long, in milliseconds; then the login wins,
const PATIENCE: u64 = 10_000;
/// and the seed gives up: longer than a refresh takes that is answered.
const LONG_PATIENCE: u64 = 45_000;

/// Saves a new record under both locks; a seed only where it takes the place of nothing that is worth more.
///
/// - `Locking`   → `Locked`, `LockFailed` → `Locking` the second, then `Reading`, or done without a lock that a seed needs
/// - `Reading`   → (reading) → `Recalling`, `Writing`, `Noting` a seed that is not needed, or `Unlocking`
/// - `Recalling` → `Loaded`, `StoreFailed` → `Writing`
/// - `Writing`   → (writing) → `Unlocking`, once what the session before has parked is removed, or `Sweeping` where it
///   had a key as well
/// - `Sweeping`  → any event → `Unlocking`
/// - `Noting`    → `Saved`, `StoreFailed` → `Unlocking`
/// - `Unlocking` → any event → `Unlocking` the next, then done
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
    /// The workspace that the server has named, where the credential itself does not.
    pub(crate) workspace: Option<String>,
    /// Milliseconds, for a token that does not say itself when it expires.
    pub(crate) expires_in: Option<i64>,
    /// The key that the tokens are bound to, and the nonce for its next proof.
    pub(crate) bound: Option<(Possession, Option<String>)>,
    pub(crate) terms: Terms,
}

/// On which terms a new credential takes the place of the old one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) enum Terms {
    /// Always, with the locks or without: a login wins.
    Login,
    /// Under the locks, and never in the place of another session or of a later generation of the same.
    Seed,
}

impl Terms {
    fn are_of_a_seed(self) -> bool {
        HOMES && self == Self::Seed
    }
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Locking(Lock),
    Reading(Box<Reading>),
    Recalling { before: Box<Held> },
    Writing { step: Box<Writing>, mode: StoreMode, before: Box<Held>, secret_before: SecretSource },
    Sweeping { stored: Stored, next: Slot },
    Noting { stored: Stored },
    Unlocking { result: Result<Stored, Error> },
}

/// A credential that is saved, or a seed that was not needed.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Stored {
    /// The record that the home holds now.
    pub(crate) record: Record,
    pub(crate) seed: SeedUse,
    /// What the home held before.
    pub(crate) before: Box<Held>,
    /// Where the client's secret of the session before is had.
    pub(crate) secret_before: SecretSource,
    /// What it holds now.
    pub(crate) after: Box<Held>,
    pub(crate) warnings: Vec<Report>,
}

impl NewCredential {
    /// A key or token that was given: there is nothing to renew.
    pub(crate) fn given(record: Record, request: &LoginRequest) -> Self {
        Self {
            record,
            store: request.store,
            provider: None,
            client_secret: None,
            workspace: None,
            expires_in: None,
            bound: None,
            terms: Terms::Login,
        }
    }
}

impl Storing {
    pub(crate) fn start(credential: NewCredential, configuration: Configuration, seed: Seed) -> Step<Self> {
        let state = State::Locking(Lock::Transaction);
        Box::new(Self { credential, configuration, seed, held_locks: Vec::new(), state }).lock(Lock::Transaction)
    }

    fn at(mut self: Box<Self>, state: State) -> Box<Self> {
        self.state = state;
        self
    }

    fn lock(self: Box<Self>, lock: Lock) -> Step<Self> {
        let deadline = if self.credential.terms.are_of_a_seed() { LONG_PATIENCE } else { PATIENCE };
        Step::perform(self.at(State::Locking(lock)), Effect::Lock { lock, deadline })
    }

    /// A login goes on without the lock: the record is replaced whole, and whoever spends a refresh token
    /// compares before it commits. A seed is not worth what a refresh under way is about to save.
    fn not_locked(self: Box<Self>, lock: Lock, failure: LockFailure, now: Timestamp) -> Step<Self> {
        if self.credential.terms.are_of_a_seed() && failure.kind != LockTrouble::Unsupported {
            return self.unlock(Err(Local::Lock(failure).into()));
        }
        self.locked(lock, now)
    }

    fn locked(self: Box<Self>, lock: Lock, now: Timestamp) -> Step<Self> {
        match lock {
            Lock::Transaction => self.lock(Lock::Commit),
            Lock::Commit | Lock::Minting => {
                let reading = Reading::start(&self.configuration);
                self.reading(reading, now)
            }
        }
    }

    fn reading(self: Box<Self>, step: Step<Reading>, now: Timestamp) -> Step<Self> {
        step.within(
            self,
            |machine, step| machine.at(State::Reading(step)),
            |machine, result| match result {
                Ok(before) => machine.compare(before, now),
                Err(error) => machine.unlock(Err(error)),
            },
        )
    }

    fn compare(self: Box<Self>, before: Box<Held>, now: Timestamp) -> Step<Self> {
        if !self.credential.terms.are_of_a_seed() {
            return self.read(before, now);
        }
        match seeding::compare(&self.credential.record, &before) {
            Ok((SeedUse::Stored, _)) => self.read(before, now),
            Ok((seed, record)) => self.keep(before, seed, record),
            Err(error) => self.unlock(Err(error)),
        }
    }

    /// The record stays. Whoever hands in a seed says that this home is the one that renews it, copied or not.
    fn keep(self: Box<Self>, before: Box<Held>, seed: SeedUse, record: Record) -> Step<Self> {
        let mut sidecar = before.sidecar.clone().settled(&self.configuration.home, &self.seed);
        // The same credential may be spelled in another way.
        let known = if seed == SeedUse::Held { &record } else { &self.credential.record };
        sidecar.saw_seed(&known.text());
        let is_noted = sidecar == before.sidecar || before.place == Place::Ephemeral;
        let effect = Effect::Save { slot: Slot::Sidecar, contents: sidecar.text() };
        let mut after = before.clone();
        after.sidecar = sidecar;
        let secret_before = SecretSource::Stored(before.place);
        let stored = Stored { record, seed, before, secret_before, after, warnings: Vec::new() };
        if is_noted {
            return self.unlock(Ok(stored));
        }
        Step::perform(self.at(State::Noting { stored }), effect)
    }

    fn noted(self: Box<Self>, mut stored: Stored, event: Event) -> Step<Self> {
        match event {
            Event::Saved => {}
            Event::StoreFailed(failure) => {
                let report = Error::from(Local::Store(failure)).report();
                stored.warnings.push(Report { code: "sidecar_not_saved".to_owned(), ..report });
            }
            event => return self.unlock(Err(unexpected(&event))),
        }
        self.unlock(Ok(stored))
    }

    fn read(self: Box<Self>, before: Box<Held>, now: Timestamp) -> Step<Self> {
        let place = before.place;
        if self.credential.client_secret.is_some() && self.has_secret(&before) {
            // The secret of this login takes its place, and the session before may be another server's: what is
            // said to end it must not be the new secret.
            return Step::perform(self.at(State::Recalling { before }), Effect::Load(Slot::Client(place)));
        }
        self.write(before, SecretSource::Stored(place), now)
    }

    fn has_secret(&self, before: &Held) -> bool {
        before.record().ok().and_then(Record::tokens).is_some_and(|tokens| {
            provider_of(tokens, &before.sidecar, &self.configuration).client_authentication.has_secret()
        })
    }

    fn write(self: Box<Self>, before: Box<Held>, secret_before: SecretSource, now: Timestamp) -> Step<Self> {
        let Self { configuration, seed, credential, .. } = &*self;
        let mode = match configuration.store_for_login(credential.store, before.mode) {
            Ok(mode) => mode,
            Err(error) => return self.unlock(Err(error)),
        };
        let sidecar = before.sidecar.clone();
        let is_seed = credential.terms.are_of_a_seed();
        let mut sidecar = if is_seed {
            let mut sidecar = sidecar.of_seed(&configuration.home, seed, mode);
            sidecar.saw_seed(&credential.record.text());
            let earlier = before.record().ok().and_then(Record::refresh_token);
            if let Some(earlier) = earlier.filter(|earlier| Some(*earlier) != credential.record.refresh_token()) {
                sidecar.spend(earlier);
            }
            sidecar
        } else {
            sidecar.of_login(&configuration.home, seed, mode, credential.provider.as_ref())
        };
        // How old the token of a seed is, its record says.
        if !is_seed && let Some(tokens) = credential.record.tokens() {
            sidecar.lives(tokens, credential.expires_in, now);
            if let Some((possession, nonce)) = &credential.bound {
                sidecar.bind(tokens, possession, nonce.clone());
            }
        }
        if let (Credential::AccessToken(token), Some(workspace)) =
            (credential.record.credential(), &credential.workspace)
        {
            sidecar.belongs(token, workspace.clone());
        }
        let jwk = |(possession, _): &(Possession, _)| Secret::new(possession.public().text());
        let proof = credential.bound.as_ref().map_or(ProofKey::None, |bound| ProofKey::Given(jwk(bound)));
        let secret = credential.client_secret.clone().map_or(ClientSecret::None, ClientSecret::Given);
        let course = Course { mode, before: before.place, place: mode.place() };
        let text = credential.record.text();
        let step = Writing::start(course, sidecar, text, secret, proof, &configuration.policy);
        self.writing(step, mode, before, secret_before)
    }

    fn writing(
        self: Box<Self>,
        step: Step<Writing>,
        mode: StoreMode,
        before: Box<Held>,
        secret_before: SecretSource,
    ) -> Step<Self> {
        step.within(
            (self, before, secret_before),
            |(machine, before, secret_before), step| machine.at(State::Writing { step, mode, before, secret_before }),
            |(machine, before, secret_before), result| match result {
                Ok(written) => machine.sweep(mode, before, secret_before, written),
                Err(error) => machine.unlock(Err(error)),
            },
        )
    }

    /// An answer that an interrupted refresh of the session before has left behind is nobody's now.
    fn sweep(
        self: Box<Self>,
        mode: StoreMode,
        before: Box<Held>,
        secret_before: SecretSource,
        written: Written,
    ) -> Step<Self> {
        let slot = Slot::Parked(before.place);
        let record = self.credential.record.clone();
        let after = Box::new(Held {
            mode,
            sidecar: written.sidecar,
            place: written.place,
            record: Ok(Some(record.clone())),
            trouble: None,
            warnings: Vec::new(),
        });
        // The key of the session before, where it was not written over.
        let key = Some(Slot::Proof(before.place)).filter(|_| {
            before.sidecar.proof_key().is_some() && (self.credential.bound.is_none() || before.place != after.place)
        });
        let seed = SeedUse::Stored;
        let stored = Stored { record, seed, before, secret_before, after, warnings: written.warnings };
        let (state, slot) = match key {
            Some(key) => (State::Sweeping { stored, next: slot }, key),
            None => (State::Unlocking { result: Ok(stored) }, slot),
        };
        Step::perform(self.at(state), Effect::Remove(slot))
    }

    fn unlock(mut self: Box<Self>, result: Result<Stored, Error>) -> Step<Self> {
        match self.held_locks.pop() {
            Some(lock) => Step::perform(self.at(State::Unlocking { result }), Effect::Unlock(lock)),
            None => Step::Done(result),
        }
    }
}

impl Machine for Storing {
    type Output = Stored;

    fn step(mut self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
        match (core::mem::replace(&mut self.state, State::Locking(Lock::Transaction)), event) {
            (State::Locking(lock), Event::Locked) => {
                self.held_locks.push(lock);
                self.locked(lock, now)
            }
            (State::Locking(lock), Event::LockFailed(failure)) => self.not_locked(lock, failure, now),
            (State::Reading(step), event) => self.reading(step.step(now, event), now),
            (State::Recalling { before }, Event::Loaded(secret)) => {
                self.write(before, SecretSource::Given(secret), now)
            }
            (State::Recalling { before }, Event::StoreFailed(_)) => self.write(before, SecretSource::Given(None), now),
            (State::Writing { step, mode, before, secret_before }, event) => {
                self.writing(step.step(now, event), mode, before, secret_before)
            }
            (State::Sweeping { stored, next }, _) => {
                Step::perform(self.at(State::Unlocking { result: Ok(stored) }), Effect::Remove(next))
            }
            (State::Noting { stored }, event) => self.noted(stored, event),
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
