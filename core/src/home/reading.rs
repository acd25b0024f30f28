//! Reading what a home holds.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{disagreement, failed, fallback};
use crate::record::Record;
use crate::sidecar::Sidecar;
use crate::{
    Configuration, Effect, Error, Event, Local, LoginRequired, Machine, Place, Report, Secret, Slot, Step,
    StoreFailure, StoreMode, StoreTrouble, Timestamp, unexpected,
};

/// Reads the sidecar, then the record from the store that it pins (or the configuration names).
///
/// - `Sidecar` → `Loaded` → `Record`
/// - `Record`  → `Loaded` → done · `auto`: from the keyring to the file, and the newer one counts
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Reading {
    configured: Option<StoreMode>,
    /// The store that a login has chosen, whatever is pinned.
    chosen: Option<StoreMode>,
    state: State,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Sidecar,
    Record {
        held: Held,
        place: Place,
    },
    /// `auto`, and the keyring has answered.
    Beside {
        held: Held,
        keyring: Option<Secret>,
        trouble: Option<StoreFailure>,
    },
}

/// What a home holds.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Held {
    pub(crate) sidecar: Sidecar,
    /// The store in force.
    pub(crate) mode: StoreMode,
    /// Where the record lies.
    pub(crate) place: Place,
    /// The record, or why there is none that could be read.
    pub(crate) record: Result<Option<Record>, Error>,
    pub(crate) warnings: Vec<Report>,
}

impl Held {
    /// The record.
    ///
    /// # Errors
    /// When it cannot be read, and when there is none.
    pub(crate) fn record(&self) -> Result<&Record, Error> {
        match &self.record {
            Ok(Some(record)) => Ok(record),
            Ok(None) => Err(LoginRequired::NotLoggedIn.into()),
            Err(error) => Err(error.clone()),
        }
    }
}

impl Held {
    /// Whether the store answers; what lies in it may be damaged, and a login is what replaces it.
    pub(crate) fn usable(self) -> Result<(), Error> {
        match self.record {
            Err(Error::Local(Local::Store(failure))) if failure.kind != StoreTrouble::Unreadable => {
                Err(failed(failure))
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

impl Reading {
    /// Reads what is held now.
    pub(crate) fn start(configuration: &Configuration) -> Step<Self> {
        Self::of(configuration, None)
    }

    /// Reads the store that a login has chosen, if it has.
    pub(crate) fn of(configuration: &Configuration, chosen: Option<StoreMode>) -> Step<Self> {
        let machine = Self { configured: configuration.store, chosen, state: State::Sidecar };
        if configuration.store() == StoreMode::Ephemeral {
            return machine.read(Sidecar::default());
        }
        Step::perform(machine, Effect::Load(Slot::Sidecar))
    }

    fn read(self, sidecar: Sidecar) -> Step<Self> {
        let mode = match (self.configured, self.chosen.or(sidecar.store)) {
            (Some(StoreMode::Ephemeral), _) => StoreMode::Ephemeral,
            (_, Some(pinned)) => pinned,
            (configured, None) => configured.unwrap_or_default(),
        };
        let disagrees = self.configured.filter(|configured| *configured != mode);
        let warnings = disagrees.map(|configured| disagreement(mode, configured)).into_iter().collect();
        let place = match mode {
            StoreMode::File => Place::File,
            StoreMode::Keyring | StoreMode::Auto => Place::Keyring,
            StoreMode::Ephemeral => Place::Ephemeral,
        };
        let held = Held { sidecar, mode, place, record: Ok(None), warnings };
        Step::perform(Self { state: State::Record { held, place }, ..self }, Effect::Load(Slot::Record(place)))
    }

    fn beside(self, held: Held, keyring: Option<Secret>, trouble: Option<StoreFailure>) -> Step<Self> {
        let machine = Self { state: State::Beside { held, keyring, trouble }, ..self };
        Step::perform(machine, Effect::Load(Slot::Record(Place::File)))
    }
}

impl Machine for Reading {
    type Output = Held;

    fn step(self, _: Timestamp, event: Event) -> Step<Self> {
        let Self { configured, chosen, state } = self;
        let back = |state| Self { configured, chosen, state };
        match (state, event) {
            (State::Sidecar, Event::Loaded(text)) => {
                let sidecar = text.as_ref().and_then(Sidecar::parse).unwrap_or_default();
                back(State::Sidecar).read(sidecar)
            }
            (State::Sidecar, Event::StoreFailed(failure)) => Step::Done(Err(failed(failure))),
            (State::Record { held, place: Place::Keyring }, Event::Loaded(text)) if held.mode == StoreMode::Auto => {
                back(State::Sidecar).beside(held, text, None)
            }
            (State::Record { held, place: Place::Keyring }, Event::StoreFailed(failure))
                if held.mode == StoreMode::Auto =>
            {
                back(State::Sidecar).beside(held, None, Some(failure))
            }
            (State::Record { held, place }, Event::Loaded(text)) => Step::Done(Ok(held.with(place, text.as_ref()))),
            (State::Beside { held, keyring, trouble }, Event::Loaded(file)) => {
                Step::Done(Ok(held.of_two(keyring, file, trouble)))
            }
            (State::Beside { held, keyring: Some(keyring), .. }, Event::StoreFailed(_)) => {
                Step::Done(Ok(held.with(Place::Keyring, Some(&keyring))))
            }
            (State::Record { held, .. } | State::Beside { held, .. }, Event::StoreFailed(failure)) => {
                Step::Done(Ok(Held { record: Err(failed(failure)), ..held }))
            }
            (_, event) => Step::Done(Err(unexpected(&event))),
        }
    }
}

impl Held {
    fn with(self, place: Place, text: Option<&Secret>) -> Self {
        Self { place, record: text.map(Record::parse).transpose(), ..self }
    }

    /// `auto` has looked into both stores. One that changed since it was last seen was written by someone
    /// else and counts; if both did, the later `last_refresh` does.
    fn of_two(self, keyring: Option<Secret>, file: Option<Secret>, trouble: Option<StoreFailure>) -> Self {
        match (keyring, file) {
            (None, None) => match trouble {
                // A keyring that is not there holds nothing; one that does not open may hold the record.
                Some(failure) if failure.kind != StoreTrouble::Unavailable => {
                    Self { record: Err(failed(failure)), ..self }
                }
                _ => self.with(Place::Keyring, None),
            },
            (None, file) => {
                let mut held = self.with(Place::File, file.as_ref());
                held.warnings.extend(trouble.as_ref().map(fallback));
                held
            }
            (keyring, None) => self.with(Place::Keyring, keyring.as_ref()),
            (Some(keyring), Some(file)) => {
                let file_is_ours = self.sidecar.has_seen(Place::File, &file);
                let keyring_is_ours = self.sidecar.has_seen(Place::Keyring, &keyring);
                let file_counts = match (file_is_ours, keyring_is_ours) {
                    (false, true) => true,
                    (true, false) => false,
                    _ => renewed(&file) > renewed(&keyring),
                };
                if file_counts {
                    self.with(Place::File, Some(&file))
                } else {
                    self.with(Place::Keyring, Some(&keyring))
                }
            }
        }
    }
}

fn renewed(text: &Secret) -> Option<Timestamp> {
    Record::parse(text).ok()?.last_refresh()
}
