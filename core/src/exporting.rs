//! Handing out the record, so that it can be kept elsewhere.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::home::{GuardedReading, Held};
use crate::record::{Credential, Record};
use crate::refresh::Refresh;
use crate::sidecar::Parked;
use crate::{
    Effect, Error, Event, ExportRequest, Exported, LogLine, LoginRequired, Machine, Misused, Need, Report, Secret,
    Seed, Slot, Step, Timestamp, TokenRequest, unexpected,
};

/// Reads the record whole, and never one whose refresh token is being spent: a refresh that is under way is waited
/// for, and one that was interrupted is finished first.
///
/// - `Begun`    → at once → `Reading`
/// - `Reading`  → (guarded reading) → `Looking`, or done with what has no refresh token
/// - `Looking`  → `Loaded` → `Settling` an unfinished refresh, or done · `StoreFailed` → done
/// - `Settling` → (refresh) → `Again`
/// - `Again`    → (guarded reading) → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Exporting {
    request: ExportRequest,
    seed: Seed,
    state: State,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    /// Between two states.
    Begun,
    Reading(Box<GuardedReading>),
    Looking {
        held: Box<Held>,
    },
    Settling(Box<Refresh>),
    Again {
        step: Box<GuardedReading>,
        warnings: Vec<Report>,
    },
}

impl Exporting {
    pub(crate) fn start(request: ExportRequest, seed: Seed) -> Step<Self> {
        let reading = GuardedReading::start(&request.configuration);
        Self { request, seed, state: State::Begun }.reading(reading)
    }

    fn reading(self, step: Step<GuardedReading>) -> Step<Self> {
        step.within(
            self,
            |machine, step| Self { state: State::Reading(step), ..machine },
            |machine, result| match result {
                Ok(held) if held.record().is_ok_and(|record| record.refresh_token().is_some()) => {
                    let effect = Effect::Load(Slot::Parked(held.place));
                    Step::perform(Self { state: State::Looking { held }, ..machine }, effect)
                }
                result => machine.done(result, Vec::new()),
            },
        )
    }

    fn looked(self, held: Box<Held>, parked: Option<&Secret>, now: Timestamp) -> Step<Self> {
        let token = held.record().ok().and_then(Record::refresh_token);
        let parked = parked.and_then(Parked::parse);
        let is_open = parked.zip(token).is_some_and(|(parked, token)| parked.intent.is_of(token));
        if !is_open {
            return self.done(Ok(held), Vec::new());
        }
        // Asked for anew, since a stored token that is still good would do for anything else; what was parked is
        // found before anything is sent.
        let order = TokenRequest { configuration: self.request.configuration.clone(), need: Need::Fresh };
        let step = Refresh::start(order, self.seed.clone(), now);
        self.settling(step)
            .logged(LogLine::detail("a refresh of this record is not finished; that is done before it is handed out"))
    }

    fn settling(self, step: Step<Refresh>) -> Step<Self> {
        step.within(
            self,
            |machine, step| Self { state: State::Settling(step), ..machine },
            |machine, result| {
                let warnings = match result {
                    Ok(token) => token.warnings,
                    Err(error @ Error::Declined(_)) => return Step::Done(Err(error)),
                    Err(error) => Vec::from([unfinished(&error)]),
                };
                let reading = GuardedReading::start(&machine.request.configuration);
                machine.again(reading, warnings)
            },
        )
    }

    fn again(self, step: Step<GuardedReading>, warnings: Vec<Report>) -> Step<Self> {
        step.within(
            (self, warnings),
            |(machine, warnings), step| Self { state: State::Again { step, warnings }, ..machine },
            |(machine, warnings), result| machine.done(result, warnings),
        )
    }

    fn done(self, result: Result<Box<Held>, Error>, mut warnings: Vec<Report>) -> Step<Self> {
        let exported = result.and_then(|held| {
            let record = held.permitted(&self.request.configuration)?;
            if *record.credential() == Credential::Nothing {
                return Err(LoginRequired::NotLoggedIn.into());
            }
            if held.possession().is_some() {
                let detail =
                    "the tokens of this session are bound to a key of this home, and worth nothing anywhere else";
                return Err(Misused::NotApplicable { detail: detail.to_owned() }.into());
            }
            let text = record.text();
            let is_known = self.request.if_changed && held.sidecar.is_seed(&text);
            warnings.extend(held.warnings.iter().cloned());
            Ok(Exported { record: (!is_known).then_some(text), warnings })
        });
        Step::Done(exported.map_err(|error| match self.request.configuration.variable_alone() {
            Some(variable) if error == LoginRequired::NotLoggedIn.into() => {
                let detail = alloc::format!("{variable} holds the credential, and only one that is stored is exported");
                Misused::NotApplicable { detail }.into()
            }
            _ => error,
        }))
    }
}

impl Machine for Exporting {
    type Output = Exported;

    fn step(mut self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
        match (core::mem::replace(&mut self.state, State::Begun), event) {
            (State::Reading(step), event) => self.reading(step.step(now, event)),
            (State::Looking { held }, Event::Loaded(parked)) => self.looked(held, parked.as_ref(), now),
            (State::Looking { .. }, Event::StoreFailed(failure)) => Step::failed(failure),
            (State::Settling(step), event) => self.settling(step.step(now, event)),
            (State::Again { step, warnings }, event) => self.again(step.step(now, event), warnings),
            (State::Looking { .. } | State::Begun, event) => Step::Done(Err(unexpected(&event))),
        }
    }
}

/// What is handed out may be spent by the time that it is used.
fn unfinished(error: &Error) -> Report {
    Report {
        code: "refresh_unfinished".to_owned(),
        message: alloc::format!("the last refresh is not finished: {error}"),
        help: Some("run `hallpass token`, then `hallpass export` again".to_owned()),
    }
}
