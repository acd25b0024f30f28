//! Writing a record into a home.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::fallback;
use crate::sidecar::Sidecar;
use crate::{
    Effect, Error, Event, Machine, Place, Policy, Report, Secret, Slot, Step, StoreFailure, StoreMode, StoreTrouble,
    Timestamp, unexpected,
};

/// Saves the record durably, the client's secret in the same store just before it, then notes beside it where it is,
/// then clears the other store. In this order a crash never lets an older record count, and never leaves none.
///
/// - `Fetching`  → `Loaded`, `StoreFailed` → `Secreting`, `Proving` or `Saving`
/// - `Secreting` → `Saved` → `Proving` or `Saving` · `auto` without a keyring → `Secreting`, in the file
/// - `Proving`   → `Saved` → `Saving` · `auto` without a keyring → `Fetching`, `Secreting` or `Proving`, in the file
/// - `Saving`    → `Saved` → `Noting`, or done where nothing else is kept
///   · `auto` without a keyring → `Fetching`, `Secreting`, `Proving` or `Saving`, in the file
/// - `Noting`    → `Saved`, `StoreFailed` → `Clearing` or done · `StoreFailed` → done with nothing moved
/// - `Clearing`  → `Removed` → `Sweeping`, `Noting` what is new, or done · `StoreFailed` → done
/// - `Sweeping`  → `Removed`, `StoreFailed` → `Sweeping` the next, `Noting` what is new, or done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Writing {
    mode: StoreMode,
    /// Where the record lay until now.
    before: Place,
    sidecar: Sidecar,
    text: Secret,
    secret: ClientSecret,
    proof: ProofKey,
    warnings: Vec<Report>,
    policy: Policy,
    /// The other store may hold an older record.
    clear: bool,
    state: State,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Fetching(Place),
    Secreting(Place),
    Proving(Place),
    Saving(Place),
    Clearing(Place),
    /// `slots` of the other store are still to be emptied, the last one now.
    Sweeping {
        place: Place,
        slots: Vec<Slot>,
    },
    Noting(Place),
}

/// Where a record comes from and goes: a refresh leaves it where room was reserved for it, and only a login moves it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    pub(crate) mode: StoreMode,
    /// Where it lay until now.
    pub(crate) before: Place,
    /// Where it shall lie.
    pub(crate) place: Place,
}

/// The client's secret that goes with a record, and lies where the record lies.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) enum ClientSecret {
    /// There is none.
    None,
    /// This one.
    Given(Secret),
    /// The one that lies beside the record already, wherever the record goes.
    Kept,
}

/// The key that the record's tokens are bound to, which lies where the record lies.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) enum ProofKey {
    /// There is none.
    None,
    /// The one with this JWK, wherever the shell has it.
    Given(Secret),
    /// The one that lies beside the record already, if there is one, wherever the record goes.
    Kept,
}

/// A record that is saved.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Written {
    pub(crate) place: Place,
    pub(crate) sidecar: Sidecar,
    pub(crate) warnings: Vec<Report>,
}

impl Writing {
    /// Begins.
    pub(crate) fn start(
        course: Course,
        sidecar: Sidecar,
        text: Secret,
        secret: ClientSecret,
        proof: ProofKey,
        policy: &Policy,
    ) -> Step<Self> {
        let Course { mode, before, place } = course;
        // A file beside a keyring is what a stale record comes back from; a keyring that was never used is
        // not disturbed.
        let in_keyring = before == Place::Keyring || sidecar.holds(Place::Keyring);
        let clear = place == Place::Keyring || (place == Place::File && in_keyring);
        let state = State::Saving(place);
        let policy = policy.clone();
        Box::new(Self { mode, before, sidecar, text, secret, proof, warnings: Vec::new(), policy, clear, state })
            .go(place)
    }

    fn at(mut self: Box<Self>, state: State) -> Box<Self> {
        self.state = state;
        self
    }

    fn go(self: Box<Self>, place: Place) -> Step<Self> {
        if let Err(error) = self.policy.permits_place(place) {
            return Step::Done(Err(error));
        }
        let (state, effect) = match &self.secret {
            ClientSecret::Given(secret) => {
                (State::Secreting(place), Effect::Save { slot: Slot::Client(place), contents: secret.clone() })
            }
            ClientSecret::Kept if place != self.before => {
                (State::Fetching(place), Effect::Load(Slot::Client(self.before)))
            }
            ClientSecret::Kept | ClientSecret::None => return self.prove(place),
        };
        Step::perform(self.at(state), effect)
    }

    fn prove(self: Box<Self>, place: Place) -> Step<Self> {
        let public = match &self.proof {
            ProofKey::Given(jwk) => Some(jwk.clone()),
            ProofKey::Kept if place != self.before => self.sidecar.proof_key().map(|key| Secret::new(key.text())),
            ProofKey::Kept | ProofKey::None => None,
        };
        let Some(contents) = public else { return self.save(place) };
        let effect = Effect::Save { slot: Slot::Proof(place), contents };
        Step::perform(self.at(State::Proving(place)), effect)
    }

    fn save(self: Box<Self>, place: Place) -> Step<Self> {
        let effect = Effect::Save { slot: Slot::Record(place), contents: self.text.clone() };
        Step::perform(self.at(State::Saving(place)), effect)
    }

    fn saved(mut self: Box<Self>, place: Place) -> Step<Self> {
        if place == Place::Ephemeral {
            return self.done(place);
        }
        self.sidecar.saw(place, Some(&self.text));
        self.sidecar.place = Some(place);
        self.note(place)
    }

    fn note(self: Box<Self>, place: Place) -> Step<Self> {
        let effect = Effect::Save { slot: Slot::Sidecar, contents: self.sidecar.text() };
        Step::perform(self.at(State::Noting(place)), effect)
    }

    fn noted(mut self: Box<Self>, place: Place) -> Step<Self> {
        if self.clear {
            let effect = Effect::Remove(Slot::Record(beside(place)));
            self.clear = false;
            return Step::perform(self.at(State::Clearing(place)), effect);
        }
        self.done(place)
    }

    fn cleared(self: Box<Self>, place: Place) -> Step<Self> {
        let mut slots = Vec::new();
        if matches!(self.proof, ProofKey::Given(_)) {
            slots.push(Slot::Proof(beside(place)));
        }
        if matches!(self.secret, ClientSecret::Given(_)) {
            slots.push(Slot::Client(beside(place)));
        }
        self.sweep(place, slots)
    }

    fn sweep(self: Box<Self>, place: Place, slots: Vec<Slot>) -> Step<Self> {
        match slots.last() {
            Some(slot) => {
                let effect = Effect::Remove(*slot);
                Step::perform(self.at(State::Sweeping { place, slots }), effect)
            }
            None => self.swept(place),
        }
    }

    fn swept(mut self: Box<Self>, place: Place) -> Step<Self> {
        let before = self.sidecar.clone();
        self.sidecar.saw(beside(place), None);
        if self.sidecar == before { self.done(place) } else { self.note(place) }
    }

    fn done(self: Box<Self>, place: Place) -> Step<Self> {
        Step::Done(Ok(Written { place, sidecar: self.sidecar, warnings: self.warnings }))
    }

    fn warn(&mut self, code: &str, failure: StoreFailure) {
        let report = Error::from(failure).report();
        self.warnings.push(Report { code: code.to_owned(), ..report });
    }
}

impl Machine for Writing {
    type Output = Written;

    fn step(mut self: Box<Self>, _: Timestamp, event: Event) -> Step<Self> {
        match (self.state.clone(), event) {
            (State::Fetching(place), Event::Loaded(Some(secret))) => {
                self.secret = ClientSecret::Given(secret);
                self.go(place)
            }
            (State::Fetching(place), Event::Loaded(None) | Event::StoreFailed(_))
            | (State::Secreting(place), Event::Saved) => self.prove(place),
            (State::Proving(place), Event::Saved) => self.save(place),
            (State::Saving(place), Event::Saved) => self.saved(place),
            (
                State::Secreting(Place::Keyring) | State::Proving(Place::Keyring) | State::Saving(Place::Keyring),
                Event::StoreFailed(failure),
            ) if self.mode == StoreMode::Auto
                && matches!(failure.kind, StoreTrouble::Unavailable | StoreTrouble::TooLarge) =>
            {
                // Only a keyring that is not there, or can never take it: one that is locked or slow is an
                // error, never a reason to write plaintext.
                self.warnings.push(fallback(&failure));
                self.clear = failure.kind == StoreTrouble::TooLarge;
                self.go(Place::File)
            }
            (State::Secreting(_) | State::Proving(_) | State::Saving(_), Event::StoreFailed(failure)) => {
                Step::Done(Err(self.policy.blame(failure)))
            }
            (State::Noting(place), Event::Saved) => self.noted(place),
            // Nobody would look for it there, and the record before it still stands.
            (State::Noting(place), Event::StoreFailed(failure)) if self.clear && place != self.before => {
                Step::Done(Err(failure.into()))
            }
            (State::Noting(place), Event::StoreFailed(failure)) => {
                self.warn("sidecar_not_saved", failure);
                self.noted(place)
            }
            (State::Clearing(place), Event::Removed(_)) => self.cleared(place),
            (State::Sweeping { place, mut slots }, Event::Removed(_)) => {
                slots.pop();
                self.sweep(place, slots)
            }
            (State::Clearing(place), Event::StoreFailed(failure)) => {
                self.warn("stale_copy", failure);
                self.done(place)
            }
            (State::Sweeping { place, mut slots }, Event::StoreFailed(failure)) => {
                self.warn("stale_copy", failure);
                slots.pop();
                self.sweep(place, slots)
            }
            (_, event) => Step::Done(Err(unexpected(&event))),
        }
    }
}

/// The store that the record does not lie in.
fn beside(place: Place) -> Place {
    if place == Place::Keyring { Place::File } else { Place::Keyring }
}
