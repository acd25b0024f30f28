//! Reading what a home holds.

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{disagreement, fallback};
use crate::record::Record;
use crate::sidecar::Sidecar;
use crate::{
    Configuration, Effect, Error, Event, Home, Local, LoginRequired, Machine, Place, Policy, Report, Secret, Slot,
    Step, StoreFailure, StoreMode, StoreTrouble, Timestamp, Unavailable, unexpected,
};

/// Reads the sidecar, then the record from the store that it pins (or the configuration names).
///
/// - `Sidecar` → `Loaded` → `Record`
/// - `Record`  → `Loaded`, `StoreFailed` → done, or `Beside` where `auto` has asked the keyring
/// - `Beside`  → `Loaded`, `StoreFailed` → done with the newer one
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Reading {
    configured: Option<StoreMode>,
    policy: Policy,
    /// The store that a login has chosen, whatever is pinned.
    chosen: Option<StoreMode>,
    state: State,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Sidecar,
    Record {
        held: Box<Held>,
        place: Place,
    },
    /// `auto`, and the keyring has answered.
    #[cfg(feature = "homes")]
    Beside {
        held: Box<Held>,
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
    /// What is wrong with the keyring, where `auto` looked past it.
    pub(crate) trouble: Option<StoreFailure>,
    pub(crate) warnings: Vec<Report>,
}

impl Held {
    /// The record, for whoever is going to use it.
    ///
    /// # Errors
    /// As [`Held::record`], and when a policy does not permit its use.
    pub(crate) fn permitted(&self, configuration: &Configuration) -> Result<&Record, Error> {
        let record = self.record()?;
        configuration.permits_held(record, self).map(|()| record)
    }

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
    /// Whether the store can take a login: what lies in it may be damaged, since a login is what replaces it, and
    /// `auto` does without a keyring that is not there.
    pub(crate) fn usable(self) -> Result<(), Error> {
        let may_do_without = |kind| match kind {
            StoreTrouble::Unreadable => true,
            StoreTrouble::Unavailable => self.mode.is_auto(),
            _ => false,
        };
        match self.record {
            Err(Error::Local(Local::Store(failure))) if !may_do_without(failure.kind) => Err(failure.into()),
            Err(error @ Error::Forbidden(_)) => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Why this refresh token is not to be sent now, as far as that is known without asking anybody.
    pub(crate) fn obstacle(&self, refresh_token: &Secret, home: &Home, now: Timestamp) -> Option<Error> {
        let sidecar = &self.sidecar;
        if sidecar.is_newer() {
            return Some(Local::NewerSidecar.into());
        }
        if sidecar.is_copied(home) {
            return Some(LoginRequired::CopiedHome.into());
        }
        if let Some(reason) = sidecar.is_dead(refresh_token) {
            return Some(reason.into());
        }
        if sidecar.is_spent(refresh_token) {
            return Some(sidecar.explained(LoginRequired::SpentElsewhere).into());
        }
        let wait = sidecar.failure?.wait(now)?;
        Some(Unavailable::BackingOff { seconds: wait.div_ceil(1000) }.into())
    }

    /// Whether the refresh token is known to be finished.
    pub(crate) fn is_finished(&self) -> bool {
        let token = self.record().ok().and_then(Record::refresh_token);
        token.is_some_and(|token| self.sidecar.is_finished(token))
    }

    /// What the person should know of where the record lies, said before or not.
    pub(crate) fn all_warnings(&self) -> Vec<Report> {
        let mut warnings = self.warnings.clone();
        let fallback = self.trouble.as_ref().filter(|_| self.place == Place::File).map(fallback);
        warnings.extend(fallback.filter(|fallback| !warnings.contains(fallback)));
        warnings
    }
}

impl Reading {
    /// Reads what is held now.
    pub(crate) fn start(configuration: &Configuration) -> Step<Self> {
        Self::of(configuration, None)
    }

    /// Reads the store that a login has chosen, if it has.
    pub(crate) fn of(configuration: &Configuration, chosen: Option<StoreMode>) -> Step<Self> {
        let policy = configuration.policy.clone();
        let machine = Box::new(Self { configured: configuration.store, policy, chosen, state: State::Sidecar });
        if configuration.store() == StoreMode::Ephemeral {
            return machine.read(Sidecar::default());
        }
        Step::perform(machine, Effect::Load(Slot::Sidecar))
    }

    fn read(mut self: Box<Self>, sidecar: Sidecar) -> Step<Self> {
        let mode = match (self.configured, self.chosen.or(sidecar.store)) {
            (Some(StoreMode::Ephemeral), _) => StoreMode::Ephemeral,
            (_, Some(pinned)) => pinned,
            (configured, None) => configured.unwrap_or_else(|| self.policy.usual_store()),
        };
        let disagrees = self.configured.filter(|configured| *configured != mode);
        let warnings = disagrees.map(|configured| disagreement(mode, configured)).into_iter().collect();
        let place = mode.place();
        let held = Box::new(Held { sidecar, mode, place, record: Ok(None), trouble: None, warnings });
        self.state = State::Record { held, place };
        Step::perform(self, Effect::Load(Slot::Record(place)))
    }

    #[cfg(feature = "homes")]
    fn beside(
        mut self: Box<Self>,
        held: Box<Held>,
        keyring: Option<Secret>,
        trouble: Option<StoreFailure>,
    ) -> Step<Self> {
        self.state = State::Beside { held, keyring, trouble };
        Step::perform(self, Effect::Load(Slot::Record(Place::File)))
    }
}

impl Machine for Reading {
    type Output = Box<Held>;

    fn step(mut self: Box<Self>, _: Timestamp, event: Event) -> Step<Self> {
        match (core::mem::replace(&mut self.state, State::Sidecar), event) {
            (State::Sidecar, Event::Loaded(text)) => {
                let sidecar = text.as_ref().and_then(Sidecar::parse).unwrap_or_default();
                self.read(sidecar)
            }
            (State::Sidecar, Event::StoreFailed(failure)) => Step::Done(Err(failure.into())),
            #[cfg(feature = "homes")]
            (State::Record { held, place: Place::Keyring }, Event::Loaded(text)) if held.mode.is_auto() => {
                self.beside(held, text, None)
            }
            #[cfg(feature = "homes")]
            (State::Record { held, place: Place::Keyring }, Event::StoreFailed(failure)) if held.mode.is_auto() => {
                self.beside(held, None, Some(failure))
            }
            (State::Record { held, place }, Event::Loaded(text)) => Step::Done(Ok(held.with(place, text.as_ref()))),
            #[cfg(feature = "homes")]
            (State::Beside { held, keyring, trouble }, Event::Loaded(file)) => {
                Step::Done(Ok(held.of_two(keyring.as_ref(), file.as_ref(), trouble)))
            }
            #[cfg(feature = "homes")]
            (State::Beside { held, keyring: Some(keyring), .. }, Event::StoreFailed(_))
                if held.sidecar.place != Some(Place::File) =>
            {
                Step::Done(Ok(held.with(Place::Keyring, Some(&keyring))))
            }
            (State::Record { held, .. }, Event::StoreFailed(failure)) => {
                Step::Done(Ok(held.without(self.policy.blame(failure))))
            }
            #[cfg(feature = "homes")]
            (State::Beside { held, .. }, Event::StoreFailed(failure)) => {
                Step::Done(Ok(held.without(self.policy.blame(failure))))
            }
            (_, event) => Step::Done(Err(unexpected(&event))),
        }
    }
}

impl Held {
    fn without(mut self: Box<Self>, error: Error) -> Box<Self> {
        self.record = Err(error);
        self
    }

    fn with(mut self: Box<Self>, place: Place, text: Option<&Secret>) -> Box<Self> {
        self.sidecar.saw(place, text);
        self.place = place;
        self.record = text.map(Record::parse).transpose();
        self
    }

    /// `auto` has looked into both stores.
    fn of_two(
        mut self: Box<Self>,
        keyring: Option<&Secret>,
        file: Option<&Secret>,
        trouble: Option<StoreFailure>,
    ) -> Box<Self> {
        if let Some(failure) = trouble {
            return self.without_keyring(file, failure);
        }
        let file_counts = match (keyring, file) {
            (Some(keyring), Some(file)) => self.prefers_file(keyring, file),
            (keyring, file) => keyring.is_none() && file.is_some(),
        };
        self.sidecar.saw(Place::File, file);
        self.sidecar.saw(Place::Keyring, keyring);
        if file_counts { self.with(Place::File, file) } else { self.with(Place::Keyring, keyring) }
    }

    /// A keyring that is not there holds nothing, unless the record was written there; then a file counts that
    /// somebody has written since. One that does not open, or not in time, is not an empty one.
    fn without_keyring(mut self: Box<Self>, file: Option<&Secret>, failure: StoreFailure) -> Box<Self> {
        let written = self.sidecar.place;
        let is_as_left = file.is_some_and(|file| self.sidecar.changed(Place::File, file) == Some(false));
        let may_do_without = match failure.kind {
            StoreTrouble::Unavailable => written != Some(Place::Keyring) || (file.is_some() && !is_as_left),
            _ => written == Some(Place::File) && file.is_some(),
        };
        if !may_do_without {
            return self.without(failure.into());
        }
        // Said when the record got there; from then on only `status` repeats it.
        if file.is_some() && !is_as_left {
            self.warnings.push(fallback(&failure));
        }
        let place = if file.is_some() { Place::File } else { Place::Keyring };
        self.trouble = Some(failure);
        self.with(place, file)
    }

    /// Of two records one whose refresh token is finished is a leftover. Else the one counts that changed since it
    /// was last seen, because somebody else wrote it; else the one that was written last, if that is known.
    fn prefers_file(&self, keyring: &Secret, file: &Secret) -> bool {
        let sidecar = &self.sidecar;
        let record = |text| Record::parse(text).ok();
        let is_leftover = |text| {
            let record = record(text);
            record.as_ref().and_then(Record::refresh_token).is_some_and(|token| sidecar.is_finished(token))
        };
        let renewed = |text| record(text)?.last_refresh();
        match (is_leftover(file), is_leftover(keyring)) {
            (false, true) => return true,
            (true, false) => return false,
            _ => {}
        }
        match (sidecar.changed(Place::File, file), sidecar.changed(Place::Keyring, keyring), sidecar.place) {
            (Some(file), Some(keyring), _) if file != keyring => file,
            (Some(false), Some(false), Some(place)) => place == Place::File,
            _ => renewed(file) > renewed(keyring),
        }
    }
}
