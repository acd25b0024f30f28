//! Waiting for a lock, and what a person hears who wants to stop meanwhile.

use std::cell::Cell;
use std::time::Duration;

use hallpass_core::{Effect, Event, Lock, Place, Slot};

use super::Shell;

/// Said once to whoever wants to stop while the save waits.
const KEPT: &str = "the renewed session is saved as soon as another tool is done with `auth.json`; to end at once, press \
                    Ctrl-C again: what was renewed is kept, and the next command saves it";

impl Shell {
    /// Between a refresh and its save nothing is interrupted: until then a tool beside us would spend the old token
    /// again. But an answer that is parked is found by the next process, so whoever insists may end this one.
    pub(super) fn lock(&mut self, lock: Lock, deadline: u64, cancelled: &dyn Fn() -> bool) -> Event {
        let is_kept = lock == Lock::Commit && self.is_parked;
        self.cancellation.allow_end(is_kept);
        let person = Cell::new(Some(&mut self.person));
        let glance = || {
            if is_kept
                && self.cancellation.is_wished()
                && let Some(person) = person.take()
            {
                person.notice(KEPT);
            }
            cancelled()
        };
        let event = self.locks.lock(lock, Duration::from_millis(deadline), &glance);
        self.cancellation.allow_end(false);
        event
    }
}

/// Whether an effect puts something into the reserved place, or finds it there, if it works; `None` where it is about
/// something else. An intent alone is nothing that would be lost.
pub(super) fn parks(effect: &Effect) -> Option<bool> {
    match effect {
        Effect::Save { slot: Slot::Parked(place), .. } | Effect::Load(Slot::Parked(place)) => {
            Some(*place != Place::Ephemeral)
        }
        Effect::Reserve { .. } | Effect::Remove(Slot::Parked(_)) => Some(false),
        _ => None,
    }
}
