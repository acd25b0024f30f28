//! Keeping people signed in: an access token that is good, renewed at most once by whoever asks.

use alloc::boxed::Box;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::discovery::Discovery;
use crate::home::{Held, Reading, provider_of};
use crate::{
    Effect, Error, Event, Local, Lock, LockTrouble, LogLine, LoginRequired, Machine, Provider, Report, Seed, Step,
    Timeouts, Timestamp, Token, TokenRequest, may_hold, unexpected,
};

mod answer;
mod committing;
mod judgement;
mod rejection;
mod remembering;
mod renewing;

use judgement::Judgement;
pub(crate) use judgement::Order;
use renewing::Renewing;

/// How long another process's refresh is waited for, in milliseconds: longer than one takes that is answered.
const PATIENCE: u64 = 45_000;

/// The refresh transaction. What is stored and good is handed out without a lock and without a write; else
/// one process renews it, under a lock that dies with its holder, and the others find what it saved.
///
/// - `Peeking`     → (reading) → done, or `Discovering`, or `Queueing` behind whoever looks for a dead token's successor
/// - `Queueing`    → `Locked` → `Yielding` · `LockFailed` → `Peeking` again
/// - `Yielding`    → any event → `Peeking` again
/// - `Discovering` → (discovery) → `Locking`
/// - `Locking`     → `Locked` → `Renewing` · `LockFailed` → `Peeking` again, or `Renewing` where locks do not exist
/// - `Renewing`    → (renewing) → `Unlocking`
/// - `Unlocking`   → any event → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Refresh {
    order: Box<Order>,
    state: State,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Peeking { step: Box<Reading>, again: Option<Again> },
    Queueing { seen: Box<Held> },
    Yielding { seen: Box<Held> },
    Discovering { held: Box<Held>, provider: Provider, step: Box<Discovery> },
    Locking { held: Box<Held>, target: Target },
    Renewing { step: Box<Renewing>, locked: bool },
    Unlocking { result: Result<Token, Error> },
}

/// What was held before the lock was waited for, and why it could not be had, if it could not.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
struct Again {
    seen: Box<Held>,
    error: Option<Error>,
}

/// Where a refresh token is spent.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Target {
    pub(crate) provider: Provider,
    /// The token endpoint.
    pub(crate) url: String,
}

impl Refresh {
    pub(crate) fn start(request: TokenRequest, seed: Seed, now: Timestamp) -> Step<Self> {
        let order = Box::new(Order { configuration: request.configuration, need: request.need, seed });
        let reading = Reading::start(&order.configuration);
        Self::peeking(order, reading, None, now)
    }

    fn peeking(order: Box<Order>, step: Step<Reading>, again: Option<Again>, now: Timestamp) -> Step<Self> {
        step.within(
            (order, again),
            |(order, again), step| Self { order, state: State::Peeking { step, again } },
            |(order, again), result| match (result, again) {
                (result, Some(Again { seen, error })) => {
                    // Whoever holds the lock may have renewed the session all the same.
                    let held = result.unwrap_or_else(|_| seen.clone());
                    match (order.judge_again(&seen, &held, now), error) {
                        (Judgement::Use(token), _) => Step::Done(Ok(token)),
                        (Judgement::Stop(error), _) => Step::Done(Err(error)),
                        (Judgement::Renew, Some(error)) => Step::Done(or_stored(&order, &held, error, now)),
                        (Judgement::Renew, None) => Self::renew(order, held, now),
                    }
                }
                (Ok(held), None) => Self::peeked(order, held, now),
                (Err(error), None) => Step::Done(Err(error)),
            },
        )
    }

    fn peek_again(order: Box<Order>, again: Again, now: Timestamp) -> Step<Self> {
        let step = Reading::start(&order.configuration);
        Self::peeking(order, step, Some(again), now)
    }

    fn peeked(order: Box<Order>, held: Box<Held>, now: Timestamp) -> Step<Self> {
        match order.judge(&held, now) {
            Judgement::Use(token) => Step::Done(Ok(token)),
            // Its death is noted before a peer that takes no lock has saved the successor, and whoever noted it still
            // looks for that, with the lock.
            Judgement::Stop(Error::LoginRequired(reason))
                if reason != LoginRequired::CopiedHome && held.is_finished() =>
            {
                let effect = order.lock();
                Step::perform(Self { order, state: State::Queueing { seen: held } }, effect)
            }
            Judgement::Stop(error) => Step::Done(Err(error)),
            Judgement::Renew => Self::renew(order, held, now),
        }
    }

    fn renew(order: Box<Order>, held: Box<Held>, now: Timestamp) -> Step<Self> {
        let Some(provider) = held
            .record()
            .ok()
            .and_then(|record| record.tokens())
            .map(|tokens| provider_of(tokens, &held.sidecar, &order.configuration))
        else {
            return Step::failed(LoginRequired::NotLoggedIn);
        };
        // Endpoints are asked for before the lock is taken: nobody waits behind a slow answer.
        let discovery = Discovery::start(&provider);
        Self::discovering(order, held, provider, discovery, now)
    }

    fn discovering(
        order: Box<Order>,
        held: Box<Held>,
        provider: Provider,
        step: Step<Discovery>,
        now: Timestamp,
    ) -> Step<Self> {
        step.within(
            (order, held, provider),
            |(order, held, provider), step| Self { order, state: State::Discovering { held, provider, step } },
            |(order, held, provider), result| match result {
                Ok(endpoints) => {
                    let url = order.configuration.other_token_endpoint(&provider).unwrap_or(endpoints.token);
                    let effect = order.lock();
                    let state = State::Locking { held, target: Target { provider, url } };
                    Step::perform(Self { order, state }, effect)
                }
                Err(error) => Step::Done(or_stored(&order, &held, error, now)),
            },
        )
    }

    fn renewing(order: Box<Order>, step: Step<Renewing>, locked: bool) -> Step<Self> {
        step.within(
            order,
            |order, step| Self { order, state: State::Renewing { step, locked } },
            |order, result| {
                if locked {
                    return Step::perform(
                        Self { order, state: State::Unlocking { result } },
                        Effect::Unlock(Lock::Transaction),
                    );
                }
                Step::Done(result.map(without_lock))
            },
        )
    }
}

impl Order {
    fn lock(&self) -> Effect {
        let deadline = self.configuration.timeouts.lock.map_or(PATIENCE, Timeouts::of_lock);
        Effect::Lock { lock: Lock::Transaction, deadline }
    }
}

impl Machine for Refresh {
    type Output = Token;

    fn step(self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
        let Self { order, state } = *self;
        match (state, event) {
            (State::Peeking { step, again }, event) => Self::peeking(order, step.step(now, event), again, now),
            (State::Queueing { seen }, Event::LockFailed(_)) | (State::Yielding { seen }, _) => {
                Self::peek_again(order, Again { seen, error: None }, now)
            }
            (State::Queueing { seen }, Event::Locked) => {
                Step::perform(Self { order, state: State::Yielding { seen } }, Effect::Unlock(Lock::Transaction))
            }
            (State::Discovering { held, provider, step }, event) => {
                Self::discovering(order, held, provider, step.step(now, event), now)
            }
            (State::Locking { held, target }, Event::Locked) => {
                let step = Renewing::start(order.clone(), target, held, now);
                Self::renewing(order, step, true)
            }
            (State::Locking { held, target }, Event::LockFailed(failure))
                if failure.kind == LockTrouble::Unsupported =>
            {
                let step = Renewing::start(order.clone(), target, held, now);
                Self::renewing(order, step, false).logged(LogLine::detail("this file system has no locks"))
            }
            (State::Locking { held, .. }, Event::LockFailed(failure)) => {
                Self::peek_again(order, Again { seen: held, error: Some(Local::Lock(failure).into()) }, now)
            }
            (State::Renewing { step, locked }, event) => Self::renewing(order, step.step(now, event), locked),
            (State::Unlocking { result }, _) => Step::Done(result),
            (State::Locking { .. } | State::Queueing { .. }, event) if may_hold(&event) => {
                let state = State::Unlocking { result: Err(unexpected(&event)) };
                Step::perform(Self { order, state }, Effect::Unlock(Lock::Transaction))
            }
            (State::Locking { .. } | State::Queueing { .. }, event) => Step::Done(Err(unexpected(&event))),
        }
    }
}

/// A refresh cannot be had: the stored token, where it is still good.
fn or_stored(order: &Order, held: &Held, error: Error, now: Timestamp) -> Result<Token, Error> {
    match order.make_do(held, error, now) {
        Judgement::Use(token) => Ok(token),
        Judgement::Stop(error) => Err(error),
        Judgement::Renew => Err(LoginRequired::NotLoggedIn.into()),
    }
}

fn without_lock(mut token: Token) -> Token {
    token.warnings.push(Report {
        code: "no_locks".into(),
        message: "this file system has no locks: two processes can end the session by refreshing at once".into(),
        help: Some("keep the home on a local disk".into()),
    });
    token
}
