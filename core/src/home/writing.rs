//! Writing a record into a home.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{failed, fallback};
use crate::sidecar::Sidecar;
use crate::{
    Effect, Event, Machine, Place, Report, Secret, Slot, Step, StoreMode, StoreTrouble, Timestamp, unexpected,
};

/// Saves the record durably in the store in force, then what is remembered beside it, then clears the store
/// that is no longer in force.
///
/// - `Saving`   → `Saved` → `Clearing` or `Noting` · `auto` without a keyring → `Saving` in the file
/// - `Clearing` → `Removed`, `StoreFailed` → `Noting`
/// - `Noting`   → `Saved`, `StoreFailed` → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Writing {
    mode: StoreMode,
    sidecar: Sidecar,
    text: Secret,
    warnings: Vec<Report>,
    /// The other store may hold an older record.
    clear: bool,
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
    /// Begins. `before` is where the record lay until now.
    pub(crate) fn start(mode: StoreMode, before: Place, sidecar: Sidecar, text: Secret) -> Step<Self> {
        let place = match mode {
            StoreMode::File => Place::File,
            StoreMode::Keyring | StoreMode::Auto => Place::Keyring,
            StoreMode::Ephemeral => Place::Ephemeral,
        };
        // A file beside a keyring is what a stale record comes back from; a keyring that was never used is
        // not disturbed.
        let clear = place == Place::Keyring || (place == Place::File && before == Place::Keyring);
        Self { mode, sidecar, text, warnings: Vec::new(), clear, state: State::Saving(place) }.save(place)
    }

    fn save(self, place: Place) -> Step<Self> {
        let effect = Effect::Save { slot: Slot::Record(place), contents: self.text.clone() };
        Step::perform(Self { state: State::Saving(place), ..self }, effect)
    }

    fn saved(mut self, place: Place) -> Step<Self> {
        self.sidecar.saw(place, Some(&self.text));
        let other = if place == Place::Keyring { Place::File } else { Place::Keyring };
        if self.clear {
            return Step::perform(Self { state: State::Clearing(place), ..self }, Effect::Remove(Slot::Record(other)));
        }
        self.note(place)
    }

    fn note(self, place: Place) -> Step<Self> {
        if place == Place::Ephemeral {
            return self.done(place);
        }
        let effect = Effect::Save { slot: Slot::Sidecar, contents: self.sidecar.text() };
        Step::perform(Self { state: State::Noting(place), ..self }, effect)
    }

    fn done(self, place: Place) -> Step<Self> {
        Step::Done(Ok(Written { place, sidecar: self.sidecar, warnings: self.warnings }))
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
            (State::Clearing(place), Event::Removed(_)) => {
                let other = if place == Place::Keyring { Place::File } else { Place::Keyring };
                self.sidecar.saw(other, None);
                self.note(place)
            }
            (State::Clearing(place), Event::StoreFailed(failure)) => {
                self.warnings.push(Report { code: "stale_copy".into(), ..failed(failure).report() });
                self.note(place)
            }
            (State::Noting(place), Event::Saved) => self.done(place),
            (State::Noting(place), Event::StoreFailed(failure)) => {
                self.warnings.push(Report { code: "sidecar_not_saved".into(), ..failed(failure).report() });
                self.done(place)
            }
            (_, event) => Step::Done(Err(unexpected(&event))),
        }
    }
}
