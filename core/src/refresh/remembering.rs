//! Adding one fact to what is remembered beside the record.

use alloc::boxed::Box;
use serde::{Deserialize, Serialize};

use super::Order;
use crate::sidecar::Sidecar;
use crate::{Effect, Event, Local, LoginRequired, Machine, Place, Secret, Slot, Step, Timestamp, unexpected};

/// Reads the sidecar at that moment and writes it back with the fact in it: whoever has signed in since it was last
/// read must not find their sidecar overwritten.
///
/// - `Loading` → `Loaded` → `Saving` · any other event → done, and nothing is remembered
/// - `Saving`  → `Saved` → done · any other event → done, and nothing is remembered
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(super) enum Remembering {
    Loading { order: Box<Order>, fact: Fact },
    Saving,
}

/// What is to be remembered.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(super) enum Fact {
    /// A refresh has failed, and the next process waits before it tries: as long as the server asks for, at least.
    Failed { asked: u64 },
    /// The server has finally rejected this refresh token.
    Dead { token: Secret, reason: LoginRequired },
}

impl Remembering {
    /// Begins. Beside a record in `place`; what lies in memory alone has nothing beside it.
    pub(super) fn start(order: &Order, place: Place, fact: Fact) -> Step<Self> {
        if place == Place::Ephemeral {
            return Step::Done(Ok(()));
        }
        Step::perform(Self::Loading { order: Box::new(order.clone()), fact }, Effect::Load(Slot::Sidecar))
    }
}

impl Machine for Remembering {
    type Output = ();

    fn step(self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
        match (*self, event) {
            (Self::Loading { order, fact }, Event::Loaded(text)) => {
                let sidecar = text.as_ref().and_then(Sidecar::parse).unwrap_or_default();
                if sidecar.is_newer() {
                    return Step::failed(Local::NewerSidecar);
                }
                let mut sidecar = sidecar.settled(&order.configuration.home, &order.seed);
                match fact {
                    Fact::Failed { asked } => sidecar.fail(now, asked),
                    Fact::Dead { token, reason } => sidecar.bury(&token, reason),
                }
                Step::perform(Self::Saving, Effect::Save { slot: Slot::Sidecar, contents: sidecar.text() })
            }
            (Self::Saving, Event::Saved) => Step::Done(Ok(())),
            (_, event) => Step::Done(Err(unexpected(&event))),
        }
    }
}
