//! Whether a stored token will do, and whether its successor may be asked for.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use crate::claims::Claims;
use crate::home::{Held, provider_of};
use crate::record::{Credential, Record, Tokens};
use crate::{
    Configuration, Error, LoginRequired, Misused, Need, Report, Secret, Seed, Timestamp, Token, TokenOrigin,
    Unavailable,
};

/// Up to so much earlier, each process at its own time.
const JITTER: u64 = 3 * 60_000;
/// Without any word about its expiry a token is renewed after so long, as Codex does.
const SCHEDULE: i64 = 8 * 86_400_000;
/// A tool that renews tokens itself is forestalled by so much, in milliseconds, where they live long enough.
const LEAD: i64 = 5 * 60_000;
/// Clocks differ by so much without anybody noticing.
const SKEW: i64 = 5_000;

/// What a token flow was asked for.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Order {
    pub(crate) configuration: Configuration,
    pub(crate) need: Need,
    pub(crate) seed: Seed,
}

/// What to do with what a home holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Judgement {
    /// Hand it out.
    Use(Token),
    /// Ask for its successor.
    Renew,
    /// Neither.
    Stop(Error),
}

/// The time in which an access token is good.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Validity {
    issued_at: Option<Timestamp>,
    expires_at: Timestamp,
}

impl Order {
    /// Judges what was read without a lock.
    pub(crate) fn judge(&self, held: &Held, now: Timestamp) -> Judgement {
        let record = match held.permitted(&self.configuration) {
            Ok(record) => record,
            Err(error) => return Judgement::Stop(error),
        };
        match record.credential() {
            Credential::Tokens(tokens) => self.judge_tokens(held, tokens, now),
            Credential::ApiKey(key) | Credential::AccessToken(key) => self.judge_key(key, held),
            Credential::Other(mode) => Judgement::Stop(
                Misused::NotApplicable { detail: alloc::format!("`{mode}` credentials can only be used by Codex") }
                    .into(),
            ),
            Credential::Nothing => Judgement::Stop(LoginRequired::NotLoggedIn.into()),
        }
    }

    fn judge_tokens(&self, held: &Held, tokens: &Tokens, now: Timestamp) -> Judgement {
        let use_it = |origin| Judgement::Use(self.token(held, tokens, origin, now));
        let satisfied = match &self.need {
            Need::Usable { minimum_lifetime } => {
                let least = i64::try_from(*minimum_lifetime).unwrap_or(i64::MAX);
                self.remaining(held, tokens, now)
                    .is_none_or(|remaining| remaining > self.window(held, tokens, now).max(least))
            }
            Need::Ahead { of } => {
                let window = self.window(held, tokens, now);
                let ahead = self.window_ahead(*of, held, tokens, now);
                self.remaining(held, tokens, now).is_none_or(|remaining| remaining > window.max(ahead))
            }
            Need::Fresh => false,
            Need::Replacement { rejected } => {
                if contradicts(rejected, tokens.access_token()) {
                    return Judgement::Stop(LoginRequired::AnotherAccount.into());
                }
                tokens.access_token() != rejected && self.is_valid(held, tokens, now)
            }
        };
        if satisfied {
            let replaced = matches!(self.need, Need::Replacement { .. });
            return use_it(if replaced { TokenOrigin::Adopted } else { TokenOrigin::Stored });
        }
        match self.may_spend(held, tokens, now) {
            Ok(()) => Judgement::Renew,
            Err(error) => self.make_do(held, error, now),
        }
    }

    fn judge_key(&self, key: &Secret, held: &Held) -> Judgement {
        match self.need {
            Need::Usable { .. } | Need::Ahead { .. } => Judgement::Use(Token {
                access_token: key.clone(),
                token_type: "Bearer".to_owned(),
                expires_at: Claims::of(key).and_then(|claims| claims.expires_at()),
                account_id: None,
                origin: TokenOrigin::Stored,
                warnings: held.warnings.clone(),
            }),
            Need::Fresh => Judgement::Stop(Misused::NotRefreshable.into()),
            Need::Replacement { ref rejected } if rejected != key => self.with_need(usable()).judge_key(key, held),
            Need::Replacement { .. } => Judgement::Stop(LoginRequired::Rejected.into()),
        }
    }

    pub(super) fn with_need(&self, need: Need) -> Box<Self> {
        Box::new(Self { need, ..self.clone() })
    }

    /// Judges what was read again under the lock, against what was read before it: a record that another process
    /// has renewed in the meantime is adopted, whoever asked for how much.
    pub(crate) fn judge_again(&self, seen: &Held, held: &Held, now: Timestamp) -> Judgement {
        let (Ok(before), Ok(record)) = (seen.record(), held.permitted(&self.configuration)) else {
            return self.judge(held, now);
        };
        let (Some(old), Some(tokens)) = (before.tokens(), record.tokens()) else { return self.judge(held, now) };
        if !old.same_account(tokens) {
            return Judgement::Stop(LoginRequired::AnotherAccount.into());
        }
        let renewed = old.access_token() != tokens.access_token();
        let rejected = matches!(&self.need, Need::Replacement { rejected } if rejected == tokens.access_token());
        let lasts =
            self.remaining(held, tokens, now).is_none_or(|remaining| remaining > self.window(held, tokens, now));
        if renewed && !rejected && lasts {
            return Judgement::Use(self.token(held, tokens, TokenOrigin::Adopted, now));
        }
        self.judge(held, now)
    }

    /// Whether the refresh token may be sent at all.
    fn may_spend(&self, held: &Held, tokens: &Tokens, now: Timestamp) -> Result<(), Error> {
        let Some(refresh_token) = tokens.refresh_token() else {
            let reason = match self.need {
                Need::Replacement { .. } => LoginRequired::Rejected,
                Need::Usable { .. } | Need::Ahead { .. } | Need::Fresh => LoginRequired::NoRefreshToken,
            };
            return Err(reason.into());
        };
        match held.obstacle(refresh_token, &self.configuration.home, now) {
            // Whoever asks for a new one has waited for it.
            Some(Error::Unavailable(Unavailable::BackingOff { .. })) if self.need == Need::Fresh => Ok(()),
            Some(obstacle) => Err(obstacle),
            None => Ok(()),
        }
    }

    /// The successor cannot be had: a token that is still good is handed out, with the reason as a warning.
    pub(crate) fn make_do(&self, held: &Held, error: Error, now: Timestamp) -> Judgement {
        // What a policy forbids is not used, however good it may be.
        let is_forbidden = matches!(error, Error::Forbidden(_));
        let record = held.permitted(&self.configuration).ok().filter(|_| !is_forbidden);
        match (record.and_then(Record::tokens), &self.need) {
            (Some(tokens), Need::Usable { .. } | Need::Ahead { .. }) if self.is_valid(held, tokens, now) => {
                let mut token = self.token(held, tokens, TokenOrigin::Stored, now);
                token.warnings.push(error.report());
                Judgement::Use(token)
            }
            _ => Judgement::Stop(error),
        }
    }

    /// Whether the token is good at this moment.
    pub(crate) fn is_valid(&self, held: &Held, tokens: &Tokens, now: Timestamp) -> bool {
        self.remaining(held, tokens, now).is_none_or(|remaining| remaining > SKEW)
    }

    /// Whether nothing but a resend can help: the access token is of no use any more.
    pub(crate) fn is_out_of_tokens(&self, held: &Held, now: Timestamp) -> bool {
        match (&self.need, held.record().ok().and_then(|record| record.tokens())) {
            (Need::Usable { .. } | Need::Ahead { .. } | Need::Fresh, Some(tokens)) => !self.is_valid(held, tokens, now),
            _ => true,
        }
    }

    /// The token as it is handed out.
    pub(crate) fn token(&self, held: &Held, tokens: &Tokens, origin: TokenOrigin, now: Timestamp) -> Token {
        let mut warnings = held.warnings.clone();
        let short = match (&self.need, self.remaining(held, tokens, now)) {
            (Need::Usable { minimum_lifetime }, Some(remaining)) => {
                origin != TokenOrigin::Stored && u64::try_from(remaining).unwrap_or(0) < *minimum_lifetime
            }
            _ => false,
        };
        if short {
            warnings.push(Report {
                code: "short_lived".to_owned(),
                message: "the server's tokens do not live as long as was asked for".to_owned(),
                help: None,
            });
        }
        let configuration = &self.configuration;
        warnings.extend(configuration.ignored_overrides(&provider_of(tokens, &held.sidecar, configuration)));
        let token_type = if held.sidecar.bound(tokens).is_some() { "DPoP" } else { "Bearer" };
        Token {
            access_token: tokens.access_token().clone(),
            token_type: token_type.to_owned(),
            expires_at: self
                .validity(held, tokens, now)
                .filter(|_| expiry_is_known(held, tokens))
                .map(|known| known.expires_at),
            account_id: tokens.account_id().cloned(),
            origin,
            warnings,
        }
    }

    /// `refresh_reason` of OpenAI's dialect.
    pub(crate) fn reason(&self, held: &Held, tokens: &Tokens) -> &'static str {
        match self.need {
            Need::Replacement { .. } => "unauthorized_recovery",
            Need::Fresh => "forced",
            Need::Usable { .. } | Need::Ahead { .. } if expiry_is_known(held, tokens) => "proactive_expiry",
            Need::Usable { .. } | Need::Ahead { .. } => "scheduled",
        }
    }

    /// Milliseconds until the token expires, where anything is known about that.
    fn remaining(&self, held: &Held, tokens: &Tokens, now: Timestamp) -> Option<i64> {
        Some(self.validity(held, tokens, now)?.expires_at.since(now))
    }

    /// How long before its expiry a token is renewed: at most a fifth of its lifetime.
    fn window(&self, held: &Held, tokens: &Tokens, now: Timestamp) -> i64 {
        let window = self.configuration.refresh_window().saturating_add(self.seed.below("jitter", JITTER));
        let window = i64::try_from(window).unwrap_or(i64::MAX);
        self.lifetime(held, tokens, now).map_or(window, |lifetime| window.min(lifetime / 5))
    }

    /// How long before its expiry a token is renewed that a tool beside us renews `of` milliseconds before: in the
    /// middle between its issue and that, at the latest. One that lives no longer than that cannot be renewed early
    /// enough, and would be renewed without end.
    fn window_ahead(&self, of: u64, held: &Held, tokens: &Tokens, now: Timestamp) -> i64 {
        let of = i64::try_from(of).unwrap_or(i64::MAX);
        match self.lifetime(held, tokens, now) {
            Some(lifetime) if lifetime <= of => 0,
            Some(lifetime) => of.saturating_add(LEAD.min(lifetime.saturating_sub(of) / 2)),
            None => of.saturating_add(LEAD),
        }
    }

    /// For how long the token was issued, in milliseconds, where that is known.
    fn lifetime(&self, held: &Held, tokens: &Tokens, now: Timestamp) -> Option<i64> {
        let known = self.validity(held, tokens, now)?;
        Some(known.expires_at.since(known.issued_at?)).filter(|lifetime| *lifetime > 0)
    }

    /// What was noted by this clock comes before what the token says by the server's, unless this clock was set back
    /// since; the age of the record counts where nothing better is known.
    #[expect(clippy::unused_self, reason = "it stands among its kind")]
    fn validity(&self, held: &Held, tokens: &Tokens, now: Timestamp) -> Option<Validity> {
        let last_refresh = held.record().ok().and_then(Record::last_refresh);
        let claimed = tokens.expires_at();
        if let Some((issued_at, expires_at)) = held.sidecar.lifetime(tokens.access_token())
            && (claimed.is_none() || issued_at.since(now) <= SKEW)
        {
            return Some(Validity { issued_at: Some(issued_at), expires_at });
        }
        if let Some(expires_at) = claimed {
            let issued_at = tokens.issued_at().or(last_refresh);
            return Some(Validity { issued_at, expires_at });
        }
        // A process may have died before it could note this one's end, or another tool has renewed it.
        let lifetime = held.sidecar.usual_lifetime().unwrap_or(SCHEDULE);
        let last_refresh = last_refresh?;
        Some(Validity { issued_at: Some(last_refresh), expires_at: last_refresh.plus(lifetime) })
    }
}

pub(super) fn usable() -> Need {
    Need::Usable { minimum_lifetime: 0 }
}

fn expiry_is_known(held: &Held, tokens: &Tokens) -> bool {
    held.sidecar.lifetime(tokens.access_token()).is_some() || tokens.expires_at().is_some()
}

/// Whether two access tokens say that they belong to different people.
fn contradicts(rejected: &Secret, stored: &Secret) -> bool {
    match (Claims::of(rejected), Claims::of(stored)) {
        (Some(rejected), Some(stored)) => !rejected.agrees_with(&stored),
        _ => false,
    }
}
