//! After the server has rejected a refresh token: perhaps somebody else holds its successor.

use serde::{Deserialize, Serialize};

use super::Order;
use super::remembering::{Fact, Remembering};
use crate::home::{Held, Reading};
use crate::record::{Record, Tokens};
use crate::{Effect, Error, Event, LogLine, LoginRequired, Machine, Step, Timestamp, Token, TokenOrigin, unexpected};

/// A peer that takes no lock may need so many looks to save what it got,
const LOOKS: u8 = 11;
/// so many milliseconds apart.
const PAUSE: u64 = 500;

/// Looks for the successor for some seconds; else notes that the token is dead, before any waiter can send it again.
///
/// - `Looking` → (reading) → done with the successor, or `Pausing`, or `Burying`
/// - `Pausing` → `Slept` → `Looking` · any other event → `Burying`
/// - `Burying` → (remembering) → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Rejection {
    order: Order,
    spent: Held,
    reason: LoginRequired,
    state: State,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Looking { step: Reading, look: u8 },
    Pausing { look: u8 },
    Burying { step: Remembering, error: Error },
}

impl Rejection {
    pub(crate) fn start(order: Order, spent: Held, reason: LoginRequired, now: Timestamp) -> Step<Self> {
        Self { order, spent, reason, state: State::Pausing { look: 0 } }.look(1, now)
    }

    fn look(self, look: u8, now: Timestamp) -> Step<Self> {
        let reading = Reading::start(&self.order.configuration);
        self.looking(reading, look, now)
    }

    fn looking(self, step: Step<Reading>, look: u8, now: Timestamp) -> Step<Self> {
        step.within(
            self,
            |machine, step| Self { state: State::Looking { step, look }, ..machine },
            |machine, result| match result {
                Ok(found) => machine.looked(&found, look, now),
                // A store that stumbles is looked into again.
                Err(Error::Local(_)) if look < LOOKS => machine.pause(look),
                // Whoever stops here must not leave the token to be sent again.
                Err(error) => machine.bury(error),
            },
        )
    }

    fn looked(self, found: &Held, look: u8, now: Timestamp) -> Step<Self> {
        let before = self.spent.record().ok().and_then(|record| record.tokens());
        let current = found.record().ok().and_then(|record| record.tokens());
        if let (Some(before), Some(current)) = (before, current) {
            if !before.same_account(current) {
                return Step::failed(LoginRequired::AnotherAccount);
            }
            let renewed = before.access_token() != current.access_token();
            if renewed && self.order.is_valid(found, current, now) {
                let token = self.order.token(found, current, TokenOrigin::Adopted, now);
                return Step::Done(Ok(token));
            }
        }
        if matches!(found.record, Ok(None)) {
            return Step::failed(LoginRequired::NotLoggedIn);
        }
        if look >= LOOKS {
            let error = self.reason.into();
            return self.bury(error);
        }
        self.pause(look)
    }

    fn pause(self, look: u8) -> Step<Self> {
        Step::perform(Self { state: State::Pausing { look }, ..self }, Effect::Sleep { milliseconds: PAUSE })
    }

    fn bury(self, error: Error) -> Step<Self> {
        let Some(token) = self.spent.record().ok().and_then(Record::tokens).and_then(Tokens::refresh_token) else {
            return Step::Done(Err(error));
        };
        let fact = Fact::Dead { token: token.clone(), reason: self.reason };
        let step = Remembering::start(&self.order, self.spent.place, fact);
        self.burying(step, error).logged(LogLine::detail("the refresh token is dead and will not be sent again"))
    }

    fn burying(self, step: Step<Remembering>, error: Error) -> Step<Self> {
        step.within(
            (self, error),
            |(machine, error), step| Self { state: State::Burying { step, error }, ..machine },
            |(_, error), _| Step::Done(Err(error)),
        )
    }
}

impl Machine for Rejection {
    type Output = Token;

    fn step(self, now: Timestamp, event: Event) -> Step<Self> {
        match (self.state.clone(), event) {
            (State::Looking { step, look }, event) => self.looking(step.step(now, event), look, now),
            (State::Pausing { look }, Event::Slept) => self.look(look.saturating_add(1), now),
            (State::Pausing { .. }, event) => self.bury(unexpected(&event)),
            (State::Burying { step, error }, event) => self.burying(step.step(now, event), error),
        }
    }
}
