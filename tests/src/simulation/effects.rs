//! Performing effects: in parts, and not always.

use hallpass_core::{Effect, Event, LockFailure, LockTrouble, Place, Slot, StoreFailure, StoreTrouble};

use super::world::{Happening, Part, World};
use crate::exhaustive::Mutation;

/// A store operation that fails: which one from here, how, and whether all after it fail too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stumble {
    pub(super) after: u32,
    pub(super) kind: StoreTrouble,
    pub(super) for_good: bool,
    /// It is done all the same.
    pub(super) lies: bool,
}

/// What a store operation does.
enum Luck {
    Works,
    Fails(StoreTrouble),
    /// It works, and says that it did not.
    Lies(StoreTrouble),
}

impl World {
    /// Goes on with what a process has asked for.
    pub(super) fn go_on(&mut self, process: usize, part: Part) {
        match part {
            Part::Starts => self.performs(process),
            Part::Ends(event) => self.tell(process, event),
            Part::Syncs(event) => {
                if !self.plan.is(Mutation::NoSync) {
                    self.store.sync();
                }
                self.is_saved(process);
                self.tell(process, event);
            }
            Part::GivesUp => {
                // Who was given it at the last moment is told so in a moment.
                if let Some((_, Effect::Lock { lock, .. })) = &self.processes[process].turn
                    && self.locks.is_free_of_one(*lock, process)
                {
                    let lock = *lock;
                    self.locks.give_up(lock, process);
                    let failure = LockFailure { kind: LockTrouble::Busy, detail: String::new() };
                    self.tell(process, Event::LockFailed(failure));
                }
            }
        }
    }

    fn performs(&mut self, process: usize) {
        let Some((_, effect)) = &self.processes[process].turn else { return };
        let cancels = self.chaos && effect.is_interruptible();
        let effect = effect.clone();
        if cancels && self.random.happens(self.plan.faults.cancel) {
            return self.tell(process, Event::Cancelled);
        }
        match effect {
            Effect::Load(slot) => self.loads(process, slot),
            Effect::Save { slot, contents } => self.writes(process, slot, Some(contents), |_| Event::Saved),
            Effect::Reserve { place, intent, .. } => {
                self.writes(process, Slot::Parked(place), Some(intent), |_| Event::Reserved);
            }
            Effect::Remove(slot) => self.writes(process, slot, None, Event::Removed),
            Effect::Lock { lock, deadline } => {
                if self.plan.is(Mutation::NoLock) || self.locks.take(lock, process) {
                    return self.tell(process, Event::Locked);
                }
                let serial = self.processes[process].serial;
                let deadline = i64::try_from(deadline).unwrap_or(i64::MAX);
                self.later(deadline, Happening::Next { process, serial, part: Part::GivesUp });
            }
            Effect::Unlock(_) if self.plan.is(Mutation::LockIsKept) => self.tell(process, Event::Unlocked),
            Effect::Unlock(lock) => {
                if let Some(next) = self.locks.give_back(lock, process, &mut self.random) {
                    self.boundary(next, 0, Part::Ends(Event::Locked));
                }
                self.tell(process, Event::Unlocked);
            }
            Effect::Sleep { milliseconds } => {
                let pause = i64::try_from(milliseconds).unwrap_or(i64::MAX);
                let pause = if self.plan.is(Mutation::NoDrain) { 0 } else { pause };
                self.boundary(process, pause, Part::Ends(Event::Slept));
            }
            Effect::Present(_) => self.tell(process, Event::Presented),
            Effect::Http(request) => self.asks(process, &request),
            other => self.fail(format!("nobody here performs {other:?}")),
        }
    }

    fn loads(&mut self, process: usize, slot: Slot) {
        match self.luck() {
            Luck::Works => {}
            Luck::Fails(kind) | Luck::Lies(kind) => {
                self.cannot_remember(process);
                return self.tell(process, store_failed(kind));
            }
        }
        let mut text = self.store.load(slot).cloned();
        let torn =
            self.chaos && matches!(slot, Slot::Record(Place::File)) && self.random.happens(self.plan.faults.torn);
        if torn && let Some(whole) = &text {
            let length = usize::try_from(self.random.below(whole.len() as u64)).unwrap_or(0);
            text = Some(whole.expose()[..length].into());
        }
        self.tell(process, Event::Loaded(text));
    }

    fn writes(&mut self, process: usize, slot: Slot, text: Option<hallpass_core::Secret>, done: fn(bool) -> Event) {
        if slot == Slot::Sidecar && text.is_some() && self.plan.is(Mutation::NoSidecar) {
            return self.tell(process, done(true));
        }
        let luck = self.luck();
        if let Luck::Fails(kind) = luck {
            self.cannot_remember(process);
            return self.tell(process, store_failed(kind));
        }
        let existed = self.store.write(slot, text);
        let event = match luck {
            Luck::Lies(kind) => {
                self.cannot_remember(process);
                store_failed(kind)
            }
            _ => done(existed),
        };
        match event {
            Event::StoreFailed(_) => self.tell(process, event),
            _ => self.boundary(process, 1, Part::Syncs(event)),
        }
    }

    fn luck(&mut self) -> Luck {
        if let Some(stumble) = &mut self.fails_at {
            if stumble.after > 0 {
                stumble.after -= 1;
                return Luck::Works;
            }
            let Stumble { kind, for_good, lies, .. } = *stumble;
            if !for_good {
                self.fails_at = None;
            }
            self.counts.store_failures += 1;
            return if lies { Luck::Lies(kind) } else { Luck::Fails(kind) };
        }
        if !self.chaos {
            return Luck::Works;
        }
        let kinds = [StoreTrouble::Full, StoreTrouble::ReadOnly, StoreTrouble::Denied, StoreTrouble::TimedOut];
        if self.random.happens(self.plan.faults.store) {
            self.counts.store_failures += 1;
            return Luck::Fails(self.random.choose(&kinds));
        }
        if self.random.happens(self.plan.faults.lie) {
            self.counts.store_failures += 1;
            return Luck::Lies(self.random.choose(&kinds));
        }
        Luck::Works
    }
}

fn store_failed(kind: StoreTrouble) -> Event {
    Event::StoreFailed(StoreFailure { kind, detail: String::new() })
}
