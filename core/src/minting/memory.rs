//! What a process remembers of the tokens that were minted for it, and of the attempts that failed.

use alloc::collections::BTreeMap;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::plan::Plan;
use crate::json::{self, FromJson, Json};
use crate::sidecar::Failure;
use crate::{Error, LoginRequired, Need, Secret, Seed, Timestamp, Unavailable};

/// A token is minted anew so long before it expires, in milliseconds, as one is refreshed.
const WINDOW: i64 = 10 * 60_000;
/// Up to so much earlier.
const JITTER: u64 = 3 * 60_000;
/// A token that nobody says anything about is used for so long, in milliseconds.
const UNKNOWN: i64 = 5 * 60_000;
/// Clocks differ by so much without anybody noticing.
const SKEW: i64 = 5_000;

/// The tokens of a process, by what they were minted from.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Memory(BTreeMap<String, Entry>);

/// What is remembered of one source.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Entry {
    #[serde(default)]
    pub(crate) token: Option<Minted>,
    #[serde(default)]
    failure: Option<Failure>,
}

/// A token that was minted.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Minted {
    pub(crate) access_token: Secret,
    pub(crate) issued_at: Timestamp,
    /// When it stops being good, where that is known.
    pub(crate) expires_at: Option<Timestamp>,
    /// When the next one is minted; `None` is when a server rejects this one.
    pub(crate) renewed_at: Option<Timestamp>,
}

impl FromJson for Memory {
    fn read(json: Json<'_>) -> Self {
        Self(FromJson::read(json))
    }
}

json::object! { Entry { token, failure } }
json::object! { Minted { access_token, issued_at, expires_at, renewed_at } }

/// What to do with what is remembered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    Use(Minted),
    Mint,
    Stop(Error),
}

impl Memory {
    /// Reads what was kept; what cannot be read was not kept.
    pub(crate) fn parse(text: Option<&Secret>) -> Self {
        text.and_then(|text| json::parse(text.expose()).ok()).unwrap_or_default()
    }

    /// As it is kept.
    pub(crate) fn text(&self) -> Secret {
        json::write(self).into()
    }

    pub(crate) fn of(&self, key: &str) -> Entry {
        self.0.get(key).cloned().unwrap_or_default()
    }

    pub(crate) fn set(&mut self, key: String, entry: Entry) {
        self.0.insert(key, entry);
    }
}

impl Entry {
    /// Whether what is remembered will do.
    pub(crate) fn judge(&self, plan: &Plan, need: &Need, now: Timestamp) -> Verdict {
        let token = self.token.as_ref().filter(|token| token.is_good(now));
        let satisfying = match need {
            Need::Usable { minimum_lifetime: least } | Need::Ahead { of: least } => {
                let least = i64::try_from(*least).unwrap_or(i64::MAX);
                token.filter(|token| token.is_fresh(now) && (plan.is_command() || token.lasts(least, now)))
            }
            Need::Fresh => None,
            Need::Replacement { rejected } => token.filter(|token| token.access_token != *rejected),
        };
        match (satisfying, self.failure.and_then(|failure| failure.wait(now))) {
            (Some(token), _) => Verdict::Use(token.clone()),
            (None, Some(wait)) if *need != Need::Fresh => {
                Verdict::Stop(Unavailable::BackingOff { seconds: wait.div_ceil(1000) }.into())
            }
            _ => Verdict::Mint,
        }
    }

    /// A token has come. One that takes the place of a rejected one counts as trouble until it has proved itself:
    /// a server that rejects them all is not asked in a storm.
    ///
    /// # Errors
    /// [`LoginRequired::Rejected`] when it is the one that was rejected.
    pub(crate) fn minted(&mut self, token: Minted, need: &Need, now: Timestamp) -> Result<(), Error> {
        match need {
            Need::Usable { .. } | Need::Ahead { .. } | Need::Fresh => self.failure = None,
            Need::Replacement { rejected } => {
                self.failure = Some(Failure::after(self.failure, now, 0));
                if token.access_token == *rejected {
                    return Err(LoginRequired::Rejected.into());
                }
            }
        }
        self.token = Some(token);
        Ok(())
    }

    /// None has come; the server has asked for a pause of so many milliseconds.
    pub(crate) fn failed(&mut self, asked: u64, now: Timestamp) {
        self.failure = Some(Failure::after(self.failure, now, asked));
    }

    /// A token that can be made do with where no new one can be had: it is known to be good still.
    pub(crate) fn make_do(&self, plan: &Plan, need: &Need, now: Timestamp) -> Option<Minted> {
        let usable = matches!(need, Need::Usable { .. } | Need::Ahead { .. }) && !plan.is_command();
        self.token.clone().filter(|token| usable && token.expires_at.is_some() && token.is_good(now))
    }
}

impl Minted {
    /// A token of an authorization server, which is minted anew as one is refreshed: some minutes before its end, and
    /// never in more than the last fifth of its life.
    pub(crate) fn granted(
        access_token: Secret,
        issued_at: Timestamp,
        expires_at: Option<Timestamp>,
        seed: &Seed,
    ) -> Self {
        let renewed_at = match expires_at {
            Some(end) => {
                let window = WINDOW.saturating_add(i64::try_from(seed.below("jitter", JITTER)).unwrap_or(0));
                let lifetime = end.since(issued_at).max(0);
                end.plus(window.min(lifetime / 5).saturating_neg())
            }
            None => issued_at.plus(UNKNOWN),
        };
        Self { access_token, issued_at, expires_at, renewed_at: Some(renewed_at) }
    }

    /// A token that a command has printed, which is run again after `interval` milliseconds (0 is never).
    pub(crate) fn printed(access_token: Secret, at: Timestamp, interval: u64) -> Self {
        let expires_at = crate::claims::Claims::of(&access_token).and_then(|claims| claims.expires_at());
        let renewed_at = (interval > 0).then(|| at.plus(i64::try_from(interval).unwrap_or(i64::MAX)));
        Self { access_token, issued_at: at, expires_at, renewed_at }
    }

    /// Whether it can still be used, as far as anybody knows. A clock that was set back tells nothing.
    fn is_good(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| end.since(now) > SKEW) && self.issued_at.since(now) <= SKEW
    }

    fn is_fresh(&self, now: Timestamp) -> bool {
        self.renewed_at.is_none_or(|at| at > now)
    }

    /// Whether it is good for so long, or no token of its kind ever is.
    fn lasts(&self, least: i64, now: Timestamp) -> bool {
        let Some(end) = self.expires_at else { return true };
        end.since(now) > least || end.since(self.issued_at) <= least
    }

    /// Whether it ends before somebody wants it to.
    pub(crate) fn is_short(&self, need: &Need, now: Timestamp) -> bool {
        match (need, self.expires_at) {
            (Need::Usable { minimum_lifetime }, Some(end)) => {
                u64::try_from(end.since(now)).unwrap_or(0) < *minimum_lifetime
            }
            _ => false,
        }
    }
}
