//! After the server has rejected a refresh token: perhaps somebody else holds its successor.

use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use super::Order;
use super::remembering::{Fact, Remembering};
use crate::home::{Held, Reading};
use crate::record::Record;
use crate::{Effect, Error, Event, LogLine, LoginRequired, Machine, Step, Timestamp, Token, TokenOrigin, unexpected};

/// A peer that takes no lock may need so many looks to save what it got,
const LOOKS: u8 = 11;
/// so many milliseconds apart.
const PAUSE: u64 = 500;

/// Looks for the successor; where there is none yet, notes that the token is dead before anything else can happen to
/// this process, and goes on looking for some seconds.
///
/// - `Looking` → (reading) → done with the successor, or `Burying`, or `Pausing` once that is done, or done
/// - `Burying` → (remembering) → `Pausing`, or done
/// - `Pausing` → `Slept` → `Looking` · any other event → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Rejection {
    order: Box<Order>,
    spent: Box<Held>,
    reason: LoginRequired,
    /// The token's death is on record.
    buried: bool,
    state: State,
}

/// How it ends when the server has rejected a token.
pub(crate) struct Rejected {
    pub(crate) token: Result<Token, Error>,
    /// The token's death is on record, or does not matter any more: the intent can go.
    pub(crate) settled: bool,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Looking {
        step: Box<Reading>,
        look: u8,
    },
    /// And how it ends after that, if it does.
    Burying {
        step: Box<Remembering>,
        look: u8,
        end: Option<Error>,
    },
    Pausing {
        look: u8,
    },
}

impl Rejection {
    pub(crate) fn start(order: Box<Order>, spent: Box<Held>, reason: LoginRequired, now: Timestamp) -> Step<Self> {
        Box::new(Self { order, spent, reason, buried: false, state: State::Pausing { look: 0 } }).look(1, now)
    }

    fn at(mut self: Box<Self>, state: State) -> Box<Self> {
        self.state = state;
        self
    }

    fn look(self: Box<Self>, look: u8, now: Timestamp) -> Step<Self> {
        let reading = Reading::start(&self.order.configuration);
        self.looking(reading, look, now)
    }

    fn looking(self: Box<Self>, step: Step<Reading>, look: u8, now: Timestamp) -> Step<Self> {
        step.within(
            self,
            |machine, step| machine.at(State::Looking { step, look }),
            |machine, result| match result {
                Ok(found) => machine.looked(&found, look, now),
                // A store that stumbles is looked into again.
                Err(Error::Local(_)) => machine.missed(look),
                // Whoever stops here must not leave the token to be sent again.
                Err(error) => machine.end(look, error),
            },
        )
    }

    fn looked(self: Box<Self>, found: &Held, look: u8, now: Timestamp) -> Step<Self> {
        let before = self.spent.record().ok().and_then(|record| record.tokens());
        let current = found.record().ok().and_then(|record| record.tokens());
        if let (Some(before), Some(current)) = (before, current) {
            if !before.same_account(current) {
                return settled(Err(LoginRequired::AnotherAccount.into()));
            }
            let renewed = before.access_token() != current.access_token();
            if renewed && self.order.is_valid(found, current, now) {
                let token = self.order.token(found, current, TokenOrigin::Adopted, now);
                return settled(Ok(token));
            }
        }
        if matches!((&found.record, &found.trouble), (Ok(None), None)) {
            return settled(Err(LoginRequired::NotLoggedIn.into()));
        }
        self.missed(look)
    }

    /// The successor is not there.
    fn missed(self: Box<Self>, look: u8) -> Step<Self> {
        if look >= LOOKS {
            let error = self.reason.into();
            return self.end(look, error);
        }
        self.bury(look, None)
    }

    fn end(self: Box<Self>, look: u8, error: Error) -> Step<Self> {
        self.bury(look, Some(error))
    }

    fn bury(self: Box<Self>, look: u8, end: Option<Error>) -> Step<Self> {
        let token = self.spent.record().ok().and_then(Record::refresh_token).filter(|_| !self.buried);
        let Some(token) = token else { return self.buried(look, end) };
        let fact = Fact::Dead { token: token.clone(), reason: self.reason };
        let step = Remembering::start(&self.order, self.spent.place, fact);
        self.burying(step, look, end).logged(LogLine::detail("the refresh token is dead and will not be sent again"))
    }

    fn burying(self: Box<Self>, step: Step<Remembering>, look: u8, end: Option<Error>) -> Step<Self> {
        step.within(
            (self, end),
            |(machine, end), step| machine.at(State::Burying { step, look, end }),
            |(mut machine, end), result| {
                machine.buried = result.is_ok();
                machine.buried(look, end)
            },
        )
    }

    fn buried(self: Box<Self>, look: u8, end: Option<Error>) -> Step<Self> {
        match end {
            Some(error) => Step::Done(Ok(Rejected { token: Err(error), settled: self.buried })),
            None => Step::perform(self.at(State::Pausing { look }), Effect::Sleep { milliseconds: PAUSE }),
        }
    }
}

impl Machine for Rejection {
    type Output = Rejected;

    fn step(mut self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
        match (core::mem::replace(&mut self.state, State::Pausing { look: 0 }), event) {
            (State::Looking { step, look }, event) => self.looking(step.step(now, event), look, now),
            (State::Burying { step, look, end }, event) => self.burying(step.step(now, event), look, end),
            (State::Pausing { look }, Event::Slept) => self.look(look.saturating_add(1), now),
            (State::Pausing { look }, event) => self.end(look, unexpected(&event)),
        }
    }
}

fn settled(token: Result<Token, Error>) -> Step<Rejection> {
    Step::Done(Ok(Rejected { token, settled: true }))
}
