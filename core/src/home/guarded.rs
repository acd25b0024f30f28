//! Reading a home while nobody writes it.

use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use super::{Held, Reading};
use crate::{Configuration, Effect, Error, Event, Lock, Machine, Step, Timestamp, may_hold, unexpected};

/// How long Codex's locks are waited for before a read goes on without, in milliseconds: a file that is replaced
/// whole can be read without them.
const PATIENCE: u64 = 2_000;

/// Reads a home under Codex's own locks, which are held for the reading alone.
///
/// - `Locking`   → `Locked`, `LockFailed` → `Reading`
/// - `Reading`   → (reading) → `Unlocking`, or done where the lock could not be had
/// - `Unlocking` → any event → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) enum GuardedReading {
    Locking { configuration: Configuration },
    Reading { locked: bool, step: Box<Reading> },
    Unlocking { result: Result<Box<Held>, Error> },
}

impl GuardedReading {
    pub(crate) fn start(configuration: &Configuration) -> Step<Self> {
        let machine = Self::Locking { configuration: configuration.clone() };
        Step::perform(machine, Effect::Lock { lock: Lock::Commit, deadline: PATIENCE })
    }

    fn reading(locked: bool, step: Step<Reading>) -> Step<Self> {
        step.within(
            locked,
            |locked, step| Self::Reading { locked, step },
            |locked, result| {
                if locked {
                    return Step::perform(Self::Unlocking { result }, Effect::Unlock(Lock::Commit));
                }
                Step::Done(result)
            },
        )
    }
}

impl Machine for GuardedReading {
    type Output = Box<Held>;

    fn step(self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
        match (*self, event) {
            (Self::Locking { configuration }, Event::Locked) => Self::reading(true, Reading::start(&configuration)),
            (Self::Locking { configuration }, Event::LockFailed(_)) => {
                Self::reading(false, Reading::start(&configuration))
            }
            (Self::Reading { locked, step }, event) => Self::reading(locked, step.step(now, event)),
            (Self::Unlocking { result }, _) => Step::Done(result),
            (Self::Locking { .. }, event) if may_hold(&event) => {
                Step::perform(Self::Unlocking { result: Err(unexpected(&event)) }, Effect::Unlock(Lock::Commit))
            }
            (Self::Locking { .. }, event) => Step::Done(Err(unexpected(&event))),
        }
    }
}
