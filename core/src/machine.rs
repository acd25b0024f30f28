//! A flow as a value, and its one operation.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{Declined, Effect, Error, Event, Misused, Timestamp};

/// A flow: a value that is handed an event and answers with its next question, or with its end.
///
/// `step` is total: whatever event comes, it returns. An event that does not answer the open question
/// ends the flow with [`Misused::Unexpected`], after what the flow holds is released.
pub trait Machine: Sized {
    /// What the flow ends with when it ends well.
    type Output;

    /// Takes what happened, at the time `now`, and says what comes next.
    fn step(self: Box<Self>, now: Timestamp, event: Event) -> Step<Self>;
}

/// One turn of a [`Machine`].
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[must_use = "the effect must be performed and its event handed to the machine"]
pub enum Step<M: Machine> {
    /// Perform `effect` and hand what happened to `machine`.
    Perform {
        /// The flow, waiting for the answer.
        machine: Box<M>,
        /// Its one open question.
        effect: Effect,
        /// What may be written to a log about this turn: never a secret.
        log: Vec<LogLine>,
    },
    /// The flow has ended.
    Done(Result<M::Output, Error>),
}

impl<M: Machine> Step<M> {
    /// The machine waits for the answer to `effect`.
    pub(crate) fn perform(machine: impl Into<Box<M>>, effect: Effect) -> Self {
        Self::Perform { machine: machine.into(), effect, log: Vec::new() }
    }

    /// The flow has failed.
    pub(crate) fn failed(error: impl Into<Error>) -> Self {
        Self::Done(Err(error.into()))
    }

    /// Adds a line to this turn's log.
    pub(crate) fn logged(mut self, line: LogLine) -> Self {
        if let Self::Perform { log, .. } = &mut self {
            log.insert(0, line);
        }
        self
    }

    /// Runs this machine as a stage of another: `wrap` puts it into the outer state while it runs, `next`
    /// goes on with what it ended with. What the outer machine holds travels along as `context`.
    pub(crate) fn within<C, O: Machine, W: Into<Box<O>>>(
        self,
        context: C,
        wrap: impl FnOnce(C, Box<M>) -> W,
        next: impl FnOnce(C, Result<M::Output, Error>) -> Step<O>,
    ) -> Step<O> {
        match self {
            Self::Perform { machine, effect, log } => {
                Step::Perform { machine: wrap(context, machine).into(), effect, log }
            }
            Self::Done(result) => next(context, result),
        }
    }
}

/// An event that does not answer the open question. Stopping is always an answer.
pub(crate) fn unexpected(event: &Event) -> Error {
    match event {
        Event::Cancelled => Declined::Cancelled.into(),
        event => Misused::Unexpected { event: event.name().into() }.into(),
    }
}

/// Whether a lock may be held after this answer to `Lock`: only two answers say that it is not. Whatever else a
/// shell says, it may have taken the lock, and giving back one that is not held does no harm.
pub(crate) fn may_hold(answer: &Event) -> bool {
    !matches!(answer, Event::LockFailed(_) | Event::Cancelled)
}

/// A line for the log of a flow: what was decided and why, without a secret in it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct LogLine {
    /// Whom it is for.
    pub level: Level,
    /// A short sentence in plain words.
    pub message: String,
}

/// Whom a [`LogLine`] is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// For whoever reads the log later.
    Detail,
    /// For the person who waits, now.
    Notice,
}

impl LogLine {
    pub(crate) fn detail(message: impl Into<String>) -> Self {
        Self { level: Level::Detail, message: message.into() }
    }

    pub(crate) fn notice(message: impl Into<String>) -> Self {
        Self { level: Level::Notice, message: message.into() }
    }
}
