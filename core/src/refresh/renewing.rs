//! Spending a refresh token once: everything that happens between taking the transaction's lock and giving it back.

use alloc::boxed::Box;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::answer::{self, Answer};
use super::committing::{Committed, Committing};
use super::judgement::{Judgement, usable};
use super::rejection::{Rejected, Rejection};
use super::remembering::{Fact, Remembering};
use super::{Order, Target};
use crate::authenticating::{Occasion, SecretSource};
use crate::claims::Claims;
use crate::dpop::{self, Possession};
use crate::home::{GuardedReading, Held, provider_of};
use crate::preparing::{Prepared, Preparing};
use crate::record::Tokens;
use crate::sidecar::{Intent, Parked};
use crate::token_response::TokenSet;
use crate::{
    Effect, Error, Event, HttpRequest, HttpResponse, LogLine, LoginRequired, Machine, Misbehaved, Reach, Secret, Slot,
    Step, Timestamp, Token, Unavailable, header, unexpected,
};

/// An earlier request may still be on its way for so long, in milliseconds.
const DRAIN: u64 = 3_000;
/// The room that is claimed for the answer, in bytes.
const ROOM: u32 = 64 * 1024;

/// Reads again, looks for the traces of an earlier attempt, reserves, sends once, parks the answer and has it
/// committed.
///
/// - `Rereading`      → (guarded reading) → done with what another process renewed, or `Looking`
/// - `Looking`        → `Loaded` → `Committing` a parked answer, `Draining` an open intent, `Authenticating`
///   · `StoreFailed` → done
/// - `Draining`       → `Slept` → `Authenticating`, for the one resend
/// - `Authenticating` → (preparing) → `Reserving`
/// - `Reserving`      → `Reserved` → `Sending` · `StoreFailed` → done, nothing sent
/// - `Sending`        → `Responded` → `Parking`, `Rejecting`, `Draining` or `Noting`, or `Authenticating` for another
///   proof of possession
///   · `RequestFailed` → `Rejecting`, `Draining` or `Noting`
/// - `Parking`        → any event → `Committing`, or `Noting` an answer that is of no use
/// - `Committing`     → (committing) → `Clearing`, or done where the answer must stay
/// - `Rejecting`      → (rejection) → `Clearing`, or done where the intent must stay
/// - `Noting`         → (remembering) → `Clearing`, or done where the intent must stay
/// - `Clearing`       → any event → done, or `Rereading` after an answer that was found
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Renewing {
    order: Box<Order>,
    target: Target,
    /// What is held: read before the lock, then again under it.
    held: Box<Held>,
    /// The client's secret, once it was read. What is stored when it is needed again may be another client's.
    secret: Option<Secret>,
    /// The key that the tokens are bound to, once it is needed.
    possession: Option<Possession>,
    state: State,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Rereading(Box<GuardedReading>),
    Looking,
    Draining { attempt: u32 },
    Authenticating { step: Box<Preparing>, attempt: u32 },
    Reserving { intent: Intent, request: HttpRequest },
    Sending { intent: Intent },
    Parking { intent: Intent, answer: Secret, aside: Aside },
    Committing { step: Box<Committing>, found: bool },
    Rejecting(Box<Rejection>),
    Noting { step: Box<Remembering>, result: Result<Token, Error>, trace: Trace },
    Clearing { then: Then },
}

/// What stays in the reserved place.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum Trace {
    /// Nothing: the token is as good as before.
    Nothing,
    /// The intent that stands there: nobody knows what became of the request.
    Standing,
    /// This intent, without the answer of no use that stands behind it.
    Intent(Intent),
}

/// What the head of an answer says beside its body.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
struct Aside {
    /// What time it was at the server: with it the end of an access token is one by this clock too.
    date: Option<Timestamp>,
    /// The nonce for the next proof of possession.
    nonce: Option<String>,
}

/// What follows when the reserved place is cleared.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum Then {
    End(Result<Token, Error>),
    /// The answer that was found is the record now, and judged like any other.
    Reread,
}

impl Renewing {
    /// Begins, with the lock held; `seen` is what was read before it was taken.
    pub(crate) fn start(order: Box<Order>, target: Target, seen: Box<Held>, now: Timestamp) -> Step<Self> {
        Box::new(Self { order, target, held: seen, secret: None, possession: None, state: State::Looking }).reread(now)
    }

    fn at(mut self: Box<Self>, state: State) -> Box<Self> {
        self.state = state;
        self
    }

    fn reread(self: Box<Self>, now: Timestamp) -> Step<Self> {
        let step = GuardedReading::start(&self.order.configuration);
        self.rereading(step, now)
    }

    fn rereading(self: Box<Self>, step: Step<GuardedReading>, now: Timestamp) -> Step<Self> {
        step.within(
            self,
            |machine, step| machine.at(State::Rereading(step)),
            |machine, result| match result {
                Ok(held) => machine.compared(held, now),
                Err(error) => Step::Done(Err(error)),
            },
        )
    }

    fn compared(mut self: Box<Self>, held: Box<Held>, now: Timestamp) -> Step<Self> {
        match self.order.judge_again(&self.held, &held, now) {
            Judgement::Use(token) => return Step::Done(Ok(token)),
            Judgement::Stop(error) => return Step::Done(Err(error)),
            Judgement::Renew => {}
        }
        let place = held.place;
        self.held = held;
        // The endpoints were found for the record that was read first.
        let same_provider = self.tokens().is_some_and(|tokens| {
            let provider = provider_of(tokens, &self.held.sidecar, &self.order.configuration);
            provider.issuer == self.target.provider.issuer && provider.client_id == self.target.provider.client_id
        });
        if !same_provider {
            return Step::failed(LoginRequired::AnotherAccount);
        }
        Step::perform(self.at(State::Looking), Effect::Load(Slot::Parked(place)))
    }

    /// What an earlier process has left in the reserved place.
    fn looked(self: Box<Self>, parked: Option<Parked>, now: Timestamp) -> Step<Self> {
        let ours = |intent: &Intent| self.refresh_token().is_some_and(|token| intent.is_of(token));
        match parked {
            Some(Parked { intent, answer }) if ours(&intent) => match answer.map(|answer| self.read(&answer)) {
                Some(Ok(set)) => self
                    .commit(set, &intent, Aside::default(), true)
                    .logged(LogLine::detail("the answer to an earlier refresh was found and is saved now")),
                // Without an answer that is of any use nobody knows what became of the request.
                Some(Err(_)) | None => self.drain(intent.attempt, now),
            },
            // Of another token, or torn: the next reservation takes its place.
            _ => self.authenticate(1, now),
        }
    }

    /// One resend, after the earlier request has had time to arrive, and only when nothing else can help.
    fn drain(self: Box<Self>, attempts: u32, now: Timestamp) -> Step<Self> {
        if !self.order.is_out_of_tokens(&self.held, now) {
            let error = Unavailable::BackingOff { seconds: DRAIN.div_ceil(1000) };
            return self.make_do(error.into(), now);
        }
        let attempt = attempts.saturating_add(1);
        let effect = Effect::Sleep { milliseconds: DRAIN };
        Step::perform(self.at(State::Draining { attempt }), effect)
            .logged(LogLine::detail("an earlier refresh was not finished; its request is given time to arrive"))
    }

    /// Nothing is sent without the key that the tokens are bound to: the server would take it for a thief's.
    fn authenticate(mut self: Box<Self>, attempt: u32, now: Timestamp) -> Step<Self> {
        self.possession = self.possession.or_else(|| self.held.possession());
        let Target { provider, url, .. } = &self.target;
        let occasion = Occasion { audience: url, purpose: "refresh", seed: &self.order.seed, now };
        let secret = SecretSource::Stored(self.held.place);
        let step = Preparing::start(provider, &secret, &occasion, self.possession.as_ref());
        self.authenticating(step, attempt, now)
    }

    fn authenticating(self: Box<Self>, step: Step<Preparing>, attempt: u32, now: Timestamp) -> Step<Self> {
        step.within(
            self,
            |machine, step| machine.at(State::Authenticating { step, attempt }),
            |mut machine, result| match result {
                Ok(proof) => {
                    machine.secret = proof.shared_secret().cloned();
                    machine.reserve(&proof, attempt, now)
                }
                Err(error) => machine.make_do(error, now),
            },
        )
    }

    fn reserve(self: Box<Self>, proof: &Prepared, attempt: u32, now: Timestamp) -> Step<Self> {
        let Some((token, reason)) = self
            .tokens()
            .and_then(|tokens| Some((tokens.refresh_token()?.clone(), self.order.reason(&self.held, tokens))))
        else {
            return Step::failed(LoginRequired::NoRefreshToken);
        };
        let Target { provider, url, .. } = &self.target;
        let request = answer::request(provider, url, proof, &token, reason);
        let intent = Intent::new(&token, &self.order.seed, now, attempt);
        let effect = Effect::Reserve { place: self.held.place, intent: intent.text(), size: ROOM };
        Step::perform(self.at(State::Reserving { intent, request }), effect)
    }

    fn answered(mut self: Box<Self>, response: HttpResponse, intent: Intent, now: Timestamp) -> Step<Self> {
        // A proof that was refused before anything else was looked at has spent nothing: the same attempt goes on, with
        // the intent as it stands.
        if let Some(possession) = self.possession.as_ref().and_then(|possession| possession.again(&response, now)) {
            self.possession = Some(possession);
            return self
                .authenticate(intent.attempt, now)
                .logged(LogLine::detail("the server asks for another proof of possession"));
        }
        let asked = header::retry_after(&response).unwrap_or(0);
        let aside = Aside { date: header::date(&response), nonce: dpop::nonce(&response) };
        match Answer::read(&self.target.provider, response) {
            Answer::Granted(answer) => {
                let contents = intent.with_answer(&answer);
                let effect = Effect::Save { slot: Slot::Parked(self.held.place), contents };
                Step::perform(self.at(State::Parking { intent, answer, aside }), effect)
            }
            Answer::Rejected(reason) => {
                // With an open intent it was our own earlier request whose answer was lost.
                let lost = intent.attempt > 1 && reason == LoginRequired::SpentElsewhere;
                let reason = if lost { LoginRequired::RotationLost } else { self.held.sidecar.explained(reason) };
                self.reject(reason, now)
            }
            Answer::Unanswered(error) => self.unanswered(error, asked, &intent, now),
            Answer::Failed(error) => self.failed(error, asked, &intent, now),
        }
    }

    fn lost(self: Box<Self>, reach: Reach, error: Error, intent: &Intent, now: Timestamp) -> Step<Self> {
        match reach {
            Reach::Unanswered | Reach::Broken(502 | 504) => self.unanswered(error, 0, intent, now),
            // The token is spent and its successor is gone.
            Reach::Broken(200..=299) => self.reject(LoginRequired::RotationLost, now),
            Reach::NotSent | Reach::Broken(_) => self.failed(error, 0, intent, now),
        }
    }

    fn unanswered(self: Box<Self>, error: Error, asked: u64, intent: &Intent, now: Timestamp) -> Step<Self> {
        if intent.attempt > 1 || !self.order.is_out_of_tokens(&self.held, now) {
            return self.note(error, asked, Trace::Standing, now);
        }
        self.drain(intent.attempt, now)
    }

    /// This request has done nothing; what became of one before it is as open as it was.
    fn failed(self: Box<Self>, error: Error, asked: u64, intent: &Intent, now: Timestamp) -> Step<Self> {
        let trace = if intent.attempt > 1 { Trace::Standing } else { Trace::Nothing };
        if let Error::Misused(_) = error {
            // Nothing was asked of anybody: whoever mends the variable need not wait.
            let result = self.or_stored(error, now);
            return if trace == Trace::Nothing { self.clear(Then::End(result)) } else { Step::Done(result) };
        }
        self.note(error, asked, trace, now)
    }

    fn parked(self: Box<Self>, intent: Intent, answer: &Secret, aside: Aside, now: Timestamp) -> Step<Self> {
        match self.read(answer) {
            Ok(set) => self.commit(set, &intent, aside, false),
            // A success that nobody can read may have spent the token, or may be a proxy's page.
            Err(error) => self.note(error, 0, Trace::Intent(intent), now),
        }
    }

    /// The tokens in an answer, if they are those of this session.
    fn read(&self, answer: &Secret) -> Result<TokenSet, Error> {
        let server = self.server();
        let set = TokenSet::parse(&server, answer, self.held.possession().is_some())?;
        let foreign = match (&set.id_token, self.tokens()) {
            (Some(id_token), Some(tokens)) => !tokens.issued_to_same(id_token),
            _ => false,
        };
        if foreign { Err(Misbehaved::AnotherAccount { server }.into()) } else { Ok(set) }
    }

    fn commit(self: Box<Self>, mut set: TokenSet, intent: &Intent, aside: Aside, found: bool) -> Step<Self> {
        let Aside { date, nonce } = aside;
        set.nonce = nonce;
        let expires_at = Claims::of(&set.access_token).and_then(|claims| claims.expires_at());
        let lifetime = || Some(expires_at?.since(date?).max(0));
        set.expires_in = set.expires_in.or_else(lifetime);
        let Self { order, held, target, .. } = &*self;
        let secret = self.secret.clone();
        let provider = target.provider.clone();
        // Nobody has asked for what was found: it is saved, then judged by what this caller needs.
        let order = if found { order.with_need(usable()) } else { order.clone() };
        let step = Committing::start(order, held.clone(), set, intent.started, provider, secret);
        self.committing(step, found)
    }

    fn committing(self: Box<Self>, step: Step<Committing>, found: bool) -> Step<Self> {
        step.within(
            self,
            |machine, step| machine.at(State::Committing { step, found }),
            |machine, result| match result {
                Ok(Committed { token: Ok(_), settled: true }) if found => machine.clear(Then::Reread),
                Ok(Committed { token, settled: true }) => machine.clear(Then::End(token)),
                Ok(Committed { token, settled: false }) => Step::Done(token),
                Err(error) => Step::Done(Err(error)),
            },
        )
    }

    fn reject(self: Box<Self>, reason: LoginRequired, now: Timestamp) -> Step<Self> {
        let step = Rejection::start(self.order.clone(), self.held.clone(), reason, now);
        self.rejecting(step, now)
    }

    fn rejecting(self: Box<Self>, step: Step<Rejection>, now: Timestamp) -> Step<Self> {
        step.within(
            self,
            |machine, step| machine.at(State::Rejecting(step)),
            |machine, result| match result {
                Ok(Rejected { token, settled }) => {
                    let token = token.or_else(|error| machine.or_stored(error, now));
                    // What nothing remembers is at least not sent again at once.
                    if settled { machine.clear(Then::End(token)) } else { Step::Done(token) }
                }
                Err(error) => machine.make_do(error, now),
            },
        )
    }

    /// Remembers for the next process that a refresh has failed.
    fn note(self: Box<Self>, error: Error, asked: u64, trace: Trace, now: Timestamp) -> Step<Self> {
        let result = self.or_stored(error, now);
        let step = Remembering::start(&self.order, self.held.place, Fact::Failed { asked });
        self.noting(step, result, trace)
    }

    fn noting(self: Box<Self>, step: Step<Remembering>, result: Result<Token, Error>, trace: Trace) -> Step<Self> {
        step.within(
            (self, result, trace),
            |(machine, result, trace), step| machine.at(State::Noting { step, result, trace }),
            |(machine, result, trace), _| match trace {
                Trace::Nothing => machine.clear(Then::End(result)),
                Trace::Standing => Step::Done(result),
                Trace::Intent(intent) => {
                    let effect = Effect::Save { slot: Slot::Parked(machine.held.place), contents: intent.text() };
                    Step::perform(machine.at(State::Clearing { then: Then::End(result) }), effect)
                }
            },
        )
    }

    fn clear(self: Box<Self>, then: Then) -> Step<Self> {
        let slot = Slot::Parked(self.held.place);
        Step::perform(self.at(State::Clearing { then }), Effect::Remove(slot))
    }

    fn make_do(self: Box<Self>, error: Error, now: Timestamp) -> Step<Self> {
        Step::Done(self.or_stored(error, now))
    }

    fn or_stored(&self, error: Error, now: Timestamp) -> Result<Token, Error> {
        match self.order.make_do(&self.held, error, now) {
            Judgement::Use(token) => Ok(token),
            Judgement::Stop(error) => Err(error),
            Judgement::Renew => Err(LoginRequired::NotLoggedIn.into()),
        }
    }

    fn tokens(&self) -> Option<&Tokens> {
        self.held.record.as_ref().ok()?.as_ref()?.tokens()
    }

    fn refresh_token(&self) -> Option<&Secret> {
        self.held.record.as_ref().ok()?.as_ref()?.refresh_token()
    }

    fn server(&self) -> String {
        self.target.provider.host()
    }
}

impl Machine for Renewing {
    type Output = Token;

    fn step(mut self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
        match (core::mem::replace(&mut self.state, State::Looking), event) {
            (State::Rereading(step), event) => self.rereading(step.step(now, event), now),
            (State::Looking, Event::Loaded(text)) => self.looked(text.as_ref().and_then(Parked::parse), now),
            (State::Looking | State::Reserving { .. }, Event::StoreFailed(failure)) => {
                self.make_do(failure.into(), now)
            }
            (State::Draining { attempt }, Event::Slept) => {
                self.possession = self.possession.take().map(Possession::afresh);
                self.authenticate(attempt, now)
            }
            (State::Authenticating { step, attempt }, event) => {
                self.authenticating(step.step(now, event), attempt, now)
            }
            (State::Reserving { intent, request }, Event::Reserved) => {
                Step::perform(self.at(State::Sending { intent }), Effect::Http(request))
            }
            (State::Sending { intent }, Event::Responded(response)) => self.answered(response, intent, now),
            (State::Sending { intent }, Event::RequestFailed(failure)) => {
                let reach = failure.reach;
                let error = Error::unreached(self.server(), failure);
                self.lost(reach, error, &intent, now)
            }
            // Whatever became of the parking, the answer is at hand.
            (State::Parking { intent, answer, aside }, Event::Saved) => self.parked(intent, &answer, aside, now),
            (State::Parking { intent, answer, aside }, _) => {
                self.parked(intent, &answer, aside, now).logged(LogLine::detail("the answer could not be parked"))
            }
            (State::Committing { step, found }, event) => self.committing(step.step(now, event), found),
            (State::Rejecting(step), event) => self.rejecting(step.step(now, event), now),
            (State::Noting { step, result, trace }, event) => self.noting(step.step(now, event), result, trace),
            (State::Clearing { then: Then::End(result) }, _) => Step::Done(result),
            (State::Clearing { then: Then::Reread }, _) => self.reread(now),
            (_, event) => Step::Done(Err(unexpected(&event))),
        }
    }
}
