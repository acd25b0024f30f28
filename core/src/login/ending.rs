//! How a login ends: the browser is told, and what is nobody's any more is revoked.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;

use super::{Begun, Login, State};
use crate::home::provider_of;
use crate::precedence::Stored as Credential;
use crate::record::Record;
use crate::revoking::{Revoking, Session};
use crate::status;
use crate::storing::Stored;
use crate::{Effect, Error, LoggedIn, LoginMethod, Page, Refused, Report, Revocation, Step, Timestamp};

impl Begun {
    /// The waiting browser is told what really happened.
    pub(super) fn reply(self: Box<Self>, result: Result<Stored, Error>, now: Timestamp) -> Step<Login> {
        if !self.browser_waits {
            return self.finish(result, now);
        }
        let page = match &result {
            Ok(_) => Page::SignedIn,
            Err(Error::Refused(Refused::AccessDenied { .. } | Refused::NotEntitled) | Error::Declined(_)) => {
                Page::Declined
            }
            Err(Error::Forbidden(_)) => Page::Forbidden,
            Err(Error::Local(_)) => Page::NotSaved,
            Err(_) => Page::Failed,
        };
        Step::perform(self.at(State::Replying { result }), Effect::Reply(page))
    }

    pub(super) fn finish(self: Box<Self>, result: Result<Stored, Error>, now: Timestamp) -> Step<Login> {
        let mut stored = match result {
            Ok(stored) => stored,
            Err(error) => return self.give_back(error, now),
        };
        let before = stored.before.record().ok().and_then(Record::tokens);
        // As in Codex a key or token that was given does not end the session before it.
        if !matches!(self.request.method, LoginMethod::Browser | LoginMethod::DeviceCode) {
            if before.is_some() {
                stored.warnings.push(Report {
                    code: "session_left".to_owned(),
                    message: "the session that was stored before lives on at the server".to_owned(),
                    help: Some("run `hallpass logout` first to end a session before its place is taken".to_owned()),
                });
            }
            return self.done(stored, None, now);
        }
        let after = stored.record.tokens();
        let replaced =
            before.filter(|before| after.is_some_and(|after| after.refresh_token() != before.refresh_token()));
        let Some(tokens) = replaced else { return self.done(stored, None, now) };
        let configuration = &self.request.configuration;
        let provider = provider_of(tokens, &stored.before.sidecar, configuration);
        if after.is_some_and(|after| after.shares_session(tokens, &provider)) {
            return self.done(stored, Some(Revocation::NotNeeded), now);
        }
        let session = Session::new(tokens, provider, configuration, stored.secret_before.clone(), &self.seed);
        self.revoking(Revoking::start(session, now), stored, now)
    }

    /// What was granted and could not be saved is nobody's: it is revoked.
    fn give_back(self: Box<Self>, error: Error, now: Timestamp) -> Step<Login> {
        match self.granted.clone() {
            Some(session) => self.returning(Revoking::start(session, now), error),
            None => Step::Done(Err(error)),
        }
    }

    pub(super) fn returning(self: Box<Self>, step: Step<Revoking>, error: Error) -> Step<Login> {
        step.within(
            (self, error),
            |(begun, error), step| begun.at(State::Returning { step, error }),
            |(_, error), _| Step::Done(Err(error)),
        )
    }

    pub(super) fn revoking(self: Box<Self>, step: Step<Revoking>, stored: Stored, now: Timestamp) -> Step<Login> {
        step.within(
            (self, stored),
            |(begun, stored), step| begun.at(State::Revoking { step, stored }),
            |(begun, stored), result| begun.done(stored, result.ok(), now),
        )
    }

    fn done(self: Box<Self>, stored: Stored, previous: Option<Revocation>, now: Timestamp) -> Step<Login> {
        let Stored { record, after, mut warnings, .. } = stored;
        let configuration = &self.request.configuration;
        warnings.extend(configuration.shadow(Credential::of(&after, configuration).as_ref()));
        if record.tokens().is_some() {
            warnings.extend(configuration.ignored_overrides(&configuration.provider));
        }
        let mut status = status::of(&record, &after, configuration, now);
        status.account = self.account.or(status.account);
        Step::Done(Ok(LoggedIn { status, previous, warnings }))
    }
}
