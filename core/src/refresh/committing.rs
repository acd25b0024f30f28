//! Making renewed tokens the record, unless the record is no longer the one they were made from.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use super::Order;
use crate::authenticating::SecretSource;
use crate::home::{ClientSecret, Course, Held, ProofKey, Reading, Writing, Written};
use crate::record::{Record, Tokens};
use crate::revoking::{Revoking, Session};
use crate::token_response::TokenSet;
use crate::{
    Effect, Error, Event, Lock, LogLine, LoginRequired, Machine, Need, Place, Provider, Report, Secret, Step,
    Timestamp, Token, TokenOrigin, may_hold,
};

/// How long Codex's locks are waited for, in milliseconds: there is a new token to lose.
const PATIENCE: u64 = 30_000;

/// Compares and saves under Codex's locks, and ends with the token to hand out.
///
/// - `Locking`   → `Locked`, `LockFailed` → `Comparing`
/// - `Comparing` → (reading) → `Writing`, or `Unlocking` where the record has become another
/// - `Writing`   → (writing) → `Unlocking`
/// - `Unlocking` → any event → done, or `Revoking` what nobody wants any more
/// - `Revoking`  → (revoking) → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Committing {
    order: Box<Order>,
    /// What was held when the token was spent.
    spent: Box<Held>,
    set: TokenSet,
    /// When the tokens were asked for; a lifetime is counted from there.
    granted: Timestamp,
    provider: Provider,
    /// The client's secret, if it was needed to get the tokens.
    secret: Option<Secret>,
    locked: bool,
    state: State,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Locking,
    Comparing(Box<Reading>),
    Writing { step: Box<Writing>, record: Record },
    Unlocking(Verdict),
    Revoking { step: Box<Revoking>, result: Result<Token, Error> },
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum Verdict {
    Saved(Token),
    /// Unless it has expired where it was parked, or may not be used.
    NotSaved(Result<Token, Error>),
    Adopted(Token),
    /// With the token of the login that has won, if it is of the same account.
    Discarded(Result<Token, Error>),
}

/// How a commit ends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Committed {
    pub(crate) token: Result<Token, Error>,
    /// The record holds the answer (or nobody wants it): what is parked can go.
    pub(crate) settled: bool,
}

impl Committing {
    pub(crate) fn start(
        order: Box<Order>,
        spent: Box<Held>,
        set: TokenSet,
        granted: Timestamp,
        provider: Provider,
        secret: Option<Secret>,
    ) -> Step<Self> {
        let machine = Self { order, spent, set, granted, provider, secret, locked: false, state: State::Locking };
        Step::perform(machine, Effect::Lock { lock: Lock::Commit, deadline: PATIENCE })
    }

    fn at(mut self: Box<Self>, state: State) -> Box<Self> {
        self.state = state;
        self
    }

    fn compare(mut self: Box<Self>, locked: bool, now: Timestamp) -> Step<Self> {
        let reading = Reading::start(&self.order.configuration);
        self.locked = locked;
        self.comparing(reading, now)
    }

    fn comparing(self: Box<Self>, step: Step<Reading>, now: Timestamp) -> Step<Self> {
        step.within(
            self,
            |machine, step| machine.at(State::Comparing(step)),
            |machine, result| match result {
                Ok(found) => machine.compared(found, now),
                Err(error) => machine.not_saved(&error, now),
            },
        )
    }

    fn compared(self: Box<Self>, found: Box<Held>, now: Timestamp) -> Step<Self> {
        if let Err(error @ Error::Forbidden(_)) = found.permitted(&self.order.configuration) {
            return self.not_saved(&error, now);
        }
        let record = match (&found.record, &found.trouble) {
            (Ok(Some(record)), _) => record.clone(),
            // A damaged file may be one that another tool is writing: ours waits beside it.
            (Err(error), _) => return self.not_saved(&error.clone(), now),
            // Nor is a keyring that has gone away since the look before a logout.
            (Ok(None), Some(failure)) if self.spent.place == Place::Keyring => {
                return self.not_saved(&failure.clone().into(), now);
            }
            (Ok(None), _) => return self.discard(LoginRequired::NotLoggedIn),
        };
        let (Some(current), Some(spent)) = (record.tokens(), self.spent_tokens()) else {
            return self.discard(LoginRequired::AnotherAccount);
        };
        if current.refresh_token() == spent.refresh_token() {
            return self.write(found, record, now);
        }
        if !current.same_account(spent) {
            return self.discard(LoginRequired::AnotherAccount);
        }
        let token = self.order.token(&found, current, TokenOrigin::Adopted, now);
        match current.same_login(spent) {
            // Somebody renewed the same session by another way: the longer-lived of the two stays.
            Some(true) if spent.clone().renewed(&self.set).expires_at() > current.expires_at() => {
                self.write(found, record, now)
            }
            // The same person has signed in anew, and nobody wants the old session any more; unless it is the new one, too.
            Some(false) if !current.shares_session(spent, &self.provider) => self.unlock(Verdict::Discarded(Ok(token))),
            _ => self.unlock(Verdict::Adopted(token)),
        }
    }

    fn discard(self: Box<Self>, reason: LoginRequired) -> Step<Self> {
        self.unlock(Verdict::Discarded(Err(reason.into())))
    }

    fn write(mut self: Box<Self>, found: Box<Held>, record: Record, now: Timestamp) -> Step<Self> {
        let Some(current) = record.tokens() else { return self.discard(LoginRequired::AnotherAccount) };
        let renewed = current.clone().renewed(&self.set);
        let mut sidecar = found.sidecar.settled(&self.order.configuration.home, &self.order.seed);
        // Some servers answer with the refresh token that they were sent.
        if let Some(token) = self.spent_tokens().and_then(Tokens::refresh_token)
            && renewed.refresh_token() != Some(token)
        {
            sidecar.spend(token);
        }
        match self.order.need {
            // This token has yet to prove itself: another 401 at once must not become a storm of refreshes.
            Need::Replacement { .. } => sidecar.fail(now, 0),
            Need::Usable { .. } | Need::Ahead { .. } | Need::Fresh => sidecar.failure = None,
        }
        sidecar.lives(&renewed, self.set.expires_in, self.granted);
        sidecar.rebind(&self.set);
        let record = record.renewed(renewed, now);
        let secret =
            if self.provider.client_authentication.has_secret() { ClientSecret::Kept } else { ClientSecret::None };
        let course = Course { mode: found.mode, before: found.place, place: found.place };
        let policy = &self.order.configuration.policy;
        let step = Writing::start(course, sidecar, record.text(), secret, ProofKey::Kept, policy);
        self.spent.warnings = found.warnings;
        self.writing(step, record, now)
    }

    fn writing(self: Box<Self>, step: Step<Writing>, record: Record, now: Timestamp) -> Step<Self> {
        step.within(
            (self, record),
            |(machine, record), step| machine.at(State::Writing { step, record }),
            |(machine, record), result| match result {
                Ok(written) => machine.written(written, record, now),
                Err(error) => machine.not_saved(&error, now),
            },
        )
    }

    fn written(self: Box<Self>, written: Written, record: Record, now: Timestamp) -> Step<Self> {
        let mut held = self.spent.clone();
        held.sidecar = written.sidecar;
        held.warnings.extend(written.warnings);
        held.record = Ok(Some(record));
        let verdict = Verdict::Saved(self.hand_out(&held, now));
        self.unlock(verdict)
    }

    /// The new tokens stay parked; they are handed out all the same, with a warning, unless a policy forbids them.
    fn not_saved(self: Box<Self>, error: &Error, now: Timestamp) -> Step<Self> {
        let mut held = self.spent.clone();
        let warning = Report {
            code: "not_saved".to_owned(),
            message: alloc::format!("the renewed credentials are not saved: {error}"),
            help: error.help(),
        };
        held.warnings.push(warning);
        if let Ok(Some(record)) = &held.record
            && let Some(tokens) = record.tokens()
        {
            held.record = Ok(Some(record.clone().renewed(tokens.clone().renewed(&self.set), now)));
        }
        let token = self.hand_out(&held, now);
        let has_expired = token.expires_at.is_some_and(|expiry| expiry <= now);
        let is_useless = has_expired || matches!(error, Error::Forbidden(_));
        self.unlock(Verdict::NotSaved(if is_useless { Err(error.clone()) } else { Ok(token) }))
    }

    fn hand_out(&self, held: &Held, now: Timestamp) -> Token {
        let renewed = held.record.as_ref().ok().and_then(Option::as_ref).and_then(Record::tokens);
        let mut token = match renewed {
            Some(tokens) => self.order.token(held, tokens, TokenOrigin::Refreshed, now),
            // The record was one of tokens when this began.
            None => Token {
                access_token: self.set.access_token.clone(),
                token_type: "Bearer".to_owned(),
                expires_at: None,
                account_id: None,
                origin: TokenOrigin::Refreshed,
                warnings: held.warnings.clone(),
            },
        };
        token.expires_at = token.expires_at.or_else(|| self.set.expires_in.map(|lifetime| self.granted.plus(lifetime)));
        token
    }

    fn spent_tokens(&self) -> Option<&Tokens> {
        self.spent.record.as_ref().ok()?.as_ref()?.tokens()
    }

    fn unlock(self: Box<Self>, verdict: Verdict) -> Step<Self> {
        let line = match &verdict {
            Verdict::Saved(_) => "the renewed credentials are saved",
            Verdict::NotSaved(_) => "the renewed credentials could not be saved and stay parked",
            Verdict::Adopted(_) => "another process has renewed the session; its token is used",
            Verdict::Discarded(_) => "the session has changed hands; the renewed credentials are discarded",
        };
        if !self.locked {
            return self.finish(verdict, Timestamp::default());
        }
        Step::perform(self.at(State::Unlocking(verdict)), Effect::Unlock(Lock::Commit)).logged(LogLine::detail(line))
    }

    fn finish(self: Box<Self>, verdict: Verdict, now: Timestamp) -> Step<Self> {
        match verdict {
            Verdict::Saved(token) | Verdict::Adopted(token) => {
                Step::Done(Ok(Committed { token: Ok(token), settled: true }))
            }
            Verdict::NotSaved(token) => Step::Done(Ok(Committed { token, settled: false })),
            Verdict::Discarded(result) => self.revoke(result, now),
        }
    }

    fn revoke(self: Box<Self>, result: Result<Token, Error>, now: Timestamp) -> Step<Self> {
        let Some(tokens) = self.spent_tokens().map(|tokens| tokens.clone().renewed(&self.set)) else {
            return Step::Done(Ok(Committed { token: result, settled: true }));
        };
        let Order { configuration, seed, .. } = &*self.order;
        let session =
            Session::new(&tokens, self.provider.clone(), configuration, SecretSource::Given(self.secret.clone()), seed);
        self.revoking(Revoking::start(session, now), result)
    }

    fn revoking(self: Box<Self>, step: Step<Revoking>, result: Result<Token, Error>) -> Step<Self> {
        step.within(
            (self, result),
            |(machine, result), step| machine.at(State::Revoking { step, result }),
            |(_, token), _| Step::Done(Ok(Committed { token, settled: true })),
        )
    }
}

impl Machine for Committing {
    type Output = Committed;

    fn step(mut self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
        match (core::mem::replace(&mut self.state, State::Locking), event) {
            // The file is replaced whole, so a peer that holds on to its lock can be passed; a token that is
            // not saved would be lost for certain.
            (State::Locking, event) => self.compare(may_hold(&event), now),
            (State::Comparing(step), event) => self.comparing(step.step(now, event), now),
            (State::Writing { step, record }, event) => self.writing(step.step(now, event), record, now),
            (State::Unlocking(verdict), _) => self.finish(verdict, now),
            (State::Revoking { step, result }, event) => self.revoking(step.step(now, event), result),
        }
    }
}
