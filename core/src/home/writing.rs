//! Writing a record into a home.

use alloc::borrow::ToOwned;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{failed, fallback};
use crate::sidecar::Sidecar;
use crate::{
    Effect, Event, Machine, Place, Report, Secret, Slot, Step, StoreFailure, StoreMode, StoreTrouble, Timestamp,
    unexpected,
};

/// Saves the record durably, then notes beside it where it is, then clears the other store. In this order a crash
/// never lets an older record count, and never leaves none.
///
/// - `Saving`   → `Saved` → `Noting` · `auto` without a keyring → `Saving` in the file
/// - `Noting`   → `Saved`, `StoreFailed` → `Clearing` or done · `StoreFailed` → done with nothing moved
/// - `Clearing` → `Removed` → `Noting` what is new, or done · `StoreFailed` → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Writing {
    mode: StoreMode,
    sidecar: Sidecar,
    text: Secret,
    warnings: Vec<Report>,
    /// The other store may hold an older record.
    clear: bool,
    /// The record lay in another store until now.
    moves: bool,
    state: State,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Saving(Place),
    Clearing(Place),
    Noting(Place),
}

/// A record that is saved.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Written {
    pub(crate) place: Place,
    pub(crate) sidecar: Sidecar,
    pub(crate) warnings: Vec<Report>,
}

impl Writing {
    /// Begins. `before` is where the record lay until now, `place` where it shall lie: a refresh leaves it where room
    /// was reserved for it, and only a login moves it.
    pub(crate) fn start(mode: StoreMode, before: Place, place: Place, sidecar: Sidecar, text: Secret) -> Step<Self> {
        // A file beside a keyring is what a stale record comes back from; a keyring that was never used is
        // not disturbed.
        let in_keyring = before == Place::Keyring || sidecar.holds(Place::Keyring);
        let clear = place == Place::Keyring || (place == Place::File && in_keyring);
        let moves = before != place;
        Self { mode, sidecar, text, warnings: Vec::new(), clear, moves, state: State::Saving(place) }.save(place)
    }

    fn save(self, place: Place) -> Step<Self> {
        let effect = Effect::Save { slot: Slot::Record(place), contents: self.text.clone() };
        Step::perform(Self { state: State::Saving(place), ..self }, effect)
    }

    fn saved(mut self, place: Place) -> Step<Self> {
        if place == Place::Ephemeral {
            return self.done(place);
        }
        self.sidecar.saw(place, Some(&self.text));
        self.sidecar.place = Some(place);
        self.note(place)
    }

    fn note(self, place: Place) -> Step<Self> {
        let effect = Effect::Save { slot: Slot::Sidecar, contents: self.sidecar.text() };
        Step::perform(Self { state: State::Noting(place), ..self }, effect)
    }

    fn noted(self, place: Place) -> Step<Self> {
        if self.clear {
            let effect = Effect::Remove(Slot::Record(beside(place)));
            return Step::perform(Self { clear: false, state: State::Clearing(place), ..self }, effect);
        }
        self.done(place)
    }

    fn cleared(mut self, place: Place) -> Step<Self> {
        let before = self.sidecar.clone();
        self.sidecar.saw(beside(place), None);
        if self.sidecar == before { self.done(place) } else { self.note(place) }
    }

    fn done(self, place: Place) -> Step<Self> {
        Step::Done(Ok(Written { place, sidecar: self.sidecar, warnings: self.warnings }))
    }

    fn warn(&mut self, code: &str, failure: StoreFailure) {
        let report = failed(failure).report();
        self.warnings.push(Report { code: code.to_owned(), ..report });
    }
}

impl Machine for Writing {
    type Output = Written;

    fn step(mut self, _: Timestamp, event: Event) -> Step<Self> {
        match (self.state.clone(), event) {
            (State::Saving(place), Event::Saved) => self.saved(place),
            (State::Saving(Place::Keyring), Event::StoreFailed(failure))
                if self.mode == StoreMode::Auto
                    && matches!(failure.kind, StoreTrouble::Unavailable | StoreTrouble::TooLarge) =>
            {
                // Only a keyring that is not there, or can never take it: one that is locked or slow is an
                // error, never a reason to write plaintext.
                self.warnings.push(fallback(&failure));
                self.clear = failure.kind == StoreTrouble::TooLarge;
                self.save(Place::File)
            }
            (State::Saving(_), Event::StoreFailed(failure)) => Step::Done(Err(failed(failure))),
            (State::Noting(place), Event::Saved) => self.noted(place),
            // Nobody would look for it there, and the record before it still stands.
            (State::Noting(_), Event::StoreFailed(failure)) if self.moves && self.clear => {
                Step::Done(Err(failed(failure)))
            }
            (State::Noting(place), Event::StoreFailed(failure)) => {
                self.warn("sidecar_not_saved", failure);
                self.noted(place)
            }
            (State::Clearing(place), Event::Removed(_)) => self.cleared(place),
            (State::Clearing(place), Event::StoreFailed(failure)) => {
                self.warn("stale_copy", failure);
                self.done(place)
            }
            (_, event) => Step::Done(Err(unexpected(&event))),
        }
    }
}

/// The store that the record does not lie in.
fn beside(place: Place) -> Place {
    if place == Place::Keyring { Place::File } else { Place::Keyring }
}
