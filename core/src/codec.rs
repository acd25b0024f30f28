//! How a flow crosses a boundary: text in, text out, one codec for every binding.
//!
//! A binding holds one [`Conversation`] and passes its calls through. Requests, events and suspended flows
//! come in as JSON, [`Message`]s go out as JSON, and nothing that comes in can make it panic.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use crate::build;
use crate::json::{self, FromJson, Mistake};
use crate::{
    Effect, Error, Event, Flow, LogLine, LoginRequest, Machine, Misused, Outcome, Request, Secret, Seed, Step,
    Suspended, Timestamp,
};

/// What one turn says to the shell.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// Perform this effect and step with what happened.
    Perform {
        /// What to do.
        effect: Effect,
        /// What may be written to a log about this turn: never a secret.
        log: Vec<LogLine>,
        /// Whether the effect may be given up, and answered with `"cancelled"`, when the host wants to stop.
        interruptible: bool,
    },
    /// The flow has ended.
    Done(Ending),
}

/// How a flow ended.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Well, with this.
    Ok(Outcome),
    /// Badly, because of this.
    Error(Failure),
}

/// What `suspend` answers.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Suspension {
    /// What to keep: it holds what state and verifier are made from, and belongs in no log.
    Ok(Suspended),
    /// The flow goes on as it was: it holds more than what can be carried over.
    Error(Failure),
}

/// Why a flow failed, for programs and for people.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// The stable name, for programs.
    pub code: String,
    /// One sentence in plain words.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Who or what is in the way.
    pub blame: Blame,
    /// Whether the same call may succeed later without anybody doing anything.
    pub retryable: bool,
}

/// Who or what is in the way: an [`Error`] without its details.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The authorization server said no, finally.
    Refused,
    /// The server broke the protocol.
    Misbehaved,
    /// The server could not be reached or could not answer.
    Unavailable,
    /// The person stopped it, or did not answer in time.
    Declined,
    /// A policy forbids it.
    Forbidden,
    /// This machine could not: a store, a lock, a port, a key.
    Local,
    /// The program that uses Hallpass, or a configuration, asked for something that cannot be.
    Misused,
    /// Nobody is signed in, or the session can no longer be renewed.
    LoginRequired,
}

impl From<&Error> for Blame {
    fn from(error: &Error) -> Self {
        match error {
            Error::Refused(_) => Self::Refused,
            Error::Misbehaved(_) => Self::Misbehaved,
            Error::Unavailable(_) => Self::Unavailable,
            Error::Declined(_) => Self::Declined,
            Error::Forbidden(_) => Self::Forbidden,
            Error::Local(_) => Self::Local,
            Error::Misused(_) => Self::Misused,
            Error::LoginRequired(_) => Self::LoginRequired,
        }
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let report = error.report();
        Self {
            code: report.code,
            message: report.message,
            help: report.help,
            blame: Blame::from(error),
            retryable: error.is_retryable(),
        }
    }
}

/// One flow as a binding holds it: not started, waiting for an event, or ended.
///
/// Times are what JavaScript's `Date.now()` tells, a seed is 32 random bytes. Each call answers with the JSON
/// of a [`Message`], which may hold secrets and is therefore a [`Secret`] until it leaves Rust.
///
/// An event that cannot be read must not leave a lock behind. The flow is therefore told an event that does
/// not answer its question, which makes every machine release what it holds; these last effects are
/// performed as always, and if the flow then fails, it is with what was misread first. (Not with [`Event::Cancelled`]:
/// that would tell the machine that its effect did not happen, and nobody knows.)
#[derive(Debug, Default)]
pub struct Conversation {
    open: Option<Open>,
    now: Timestamp,
    misread: Option<Error>,
}

/// A flow that waits for an event.
#[derive(Debug)]
struct Open {
    flow: Box<Flow>,
    /// An event that does not answer what the flow asked last.
    wrong: Event,
}

impl Conversation {
    /// Begins a flow with the JSON of a [`Request`].
    pub fn start(&mut self, request: &str, now: f64, seed: &[u8]) -> Secret {
        if self.open.is_some() {
            return refused("this flow has been started before");
        }
        let started = self.hear::<Request>(now, request).and_then(|request| Ok((request, read_seed(seed)?)));
        self.turn(match started {
            Ok((request, seed)) => Flow::start(request, self.now, seed),
            Err(error) => Step::failed(error),
        })
    }

    /// Goes on with the JSON of an [`Event`].
    pub fn step(&mut self, now: f64, event: &str) -> Secret {
        let Some(Open { flow, wrong }) = self.open.take() else {
            return refused("there is no flow to step: it was not started, or it has ended");
        };
        let event = self.hear(now, event).unwrap_or_else(|misread| {
            self.misread.get_or_insert(misread);
            wrong
        });
        self.turn(flow.step(self.now, event))
    }

    /// The little of this flow that must survive a redirect of the page it runs in: the JSON of a [`Suspension`].
    pub fn suspend(&self) -> Secret {
        let suspended = match &self.open {
            Some(open) => open.flow.suspend(),
            None => Err(not_applicable("there is no flow to suspend: it was not started, or it has ended")),
        };
        write(&match suspended {
            Ok(suspended) => Suspension::Ok(suspended),
            Err(error) => Suspension::Error(Failure::from(&error)),
        })
    }

    /// In which state each machine is: the JSON of what [`Flow::states`] tells. Nothing where there is no flow.
    #[cfg(feature = "trace")]
    pub fn states(&self) -> String {
        let states = self.open.as_ref().map(|open| open.flow.states()).unwrap_or_default();
        json::write(&states)
    }

    /// Goes on, in a new page, with the flow that [`Conversation::suspend`] has put aside; `request` is the JSON
    /// of the [`LoginRequest`] that it was started with.
    pub fn resume(&mut self, suspended: &str, request: &str, now: f64) -> Secret {
        if self.open.is_some() {
            return refused("this flow has been started before");
        }
        let heard = self.hear::<LoginRequest>(now, request).and_then(|request| Ok((request, read(suspended)?)));
        self.turn(match heard {
            Ok((request, suspended)) => Flow::resume(suspended, request, self.now),
            Err(error) => Step::failed(error),
        })
    }

    /// Reads what came in. A time that cannot be read is no reason to forget the last one that could.
    fn hear<T: FromJson>(&mut self, now: f64, json: &str) -> Result<T, Error> {
        self.now = read_time(now)?;
        read(json)
    }

    fn turn(&mut self, step: Step<Flow>) -> Secret {
        let message = match step {
            Step::Perform { machine, effect, log } => {
                self.open = Some(Open { flow: machine, wrong: no_answer_to(&effect) });
                Message::Perform { interruptible: effect.is_interruptible(), effect, log }
            }
            Step::Done(result) => match result.map_err(|error| self.misread.take().unwrap_or(error)) {
                Ok(outcome) => Message::Done(Ending::Ok(outcome)),
                Err(error) => Message::Done(Ending::Error(Failure::from(&error))),
            },
        };
        write(&message)
    }
}

fn no_answer_to(effect: &Effect) -> Event {
    if matches!(effect, Effect::Present(_)) { Event::Slept } else { Event::Presented }
}

fn read<T: FromJson>(json: &str) -> Result<T, Error> {
    json::read(json).map_err(|mistake| match mistake {
        Mistake::At(at) => misread(format!("it is not what is expected at byte {at}")),
        Mistake::LeftOut => build::left_out(),
    })
}

/// Rejects what is no time: the machines would take NaN for 1970 and every token for fresh.
fn read_time(now: f64) -> Result<Timestamp, Error> {
    const MILLISECONDS: core::ops::RangeInclusive<f64> = 0.0..=8.64e15; // what a JavaScript Date can hold
    if !MILLISECONDS.contains(&now) {
        return Err(misread("`now` is no time in milliseconds since 1970"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked, and fractions do not matter")]
    Ok(Timestamp::from_milliseconds(now as i64))
}

fn read_seed(seed: &[u8]) -> Result<Seed, Error> {
    seed.try_into().map(Seed::new).map_err(|_| misread("the seed is not 32 bytes long"))
}

fn misread(detail: impl Into<String>) -> Error {
    Misused::Message { detail: detail.into() }.into()
}

fn not_applicable(detail: &str) -> Error {
    Misused::NotApplicable { detail: detail.to_owned() }.into()
}

fn refused(detail: &str) -> Secret {
    write(&Message::Done(Ending::Error(Failure::from(&not_applicable(detail)))))
}

fn write(message: &impl Serialize) -> Secret {
    Secret::new(json::write(message))
}

#[cfg(test)]
mod tests;
