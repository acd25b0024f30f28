//! Getting a token from whichever credential wins.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::claims::Claims;
use crate::environment::{ACCESS_TOKEN, API_KEY};
use crate::home::Reading;
use crate::minting::{Minting, Plan};
use crate::precedence::{Precedence, Source, Stored};
use crate::refresh::Refresh;
use crate::{
    Configuration, Error, Event, LoginRequired, Machine, Misused, Need, Secret, Seed, Step, Timestamp, Token,
    TokenOrigin, TokenRequest, Wanted,
};

/// A token flow. Where only a login can be meant it is the refresh transaction and nothing else.
///
/// - `Reading`    → (reading) → done with what was given, `Minting` or `Refreshing`
/// - `Minting`    → (minting) → done
/// - `Refreshing` → (refresh) → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) enum Obtaining {
    Reading { request: TokenRequest, seed: Seed, step: Box<Reading> },
    Minting(Box<Minting>),
    Refreshing(Box<Refresh>),
}

impl Obtaining {
    pub(crate) fn start(request: TokenRequest, seed: Seed, now: Timestamp) -> Step<Self> {
        let configuration = &request.configuration;
        if let Some(Wanted::ModelProvider(provider)) = &configuration.wanted
            && let Err(error) = provider.check()
        {
            return Step::Done(Err(error));
        }
        match Precedence::of(configuration, None) {
            // A login has no say in these: a store that is locked or broken does not matter.
            Ok(Precedence { winner: Some(Source::ModelProvider(_) | Source::Grant(_)), .. }) => {
                Self::decide(request, seed, None, now)
            }
            Ok(Precedence { winner: None, .. }) if configuration.wanted.is_none() => {
                Self::refreshing(Refresh::start(request, seed, now))
            }
            _ => {
                let step = Reading::start(configuration);
                Self::reading(request, seed, step, now)
            }
        }
    }

    fn reading(request: TokenRequest, seed: Seed, step: Step<Reading>, now: Timestamp) -> Step<Self> {
        step.within(
            (request, seed),
            |(request, seed), step| Self::Reading { request, seed, step },
            |(request, seed), result| match result {
                Err(error @ Error::Misused(_)) => Step::Done(Err(error)),
                Ok(held) => {
                    let stored = Stored::of(&held, &request.configuration);
                    Self::decide(request, seed, stored.as_ref(), now)
                }
                // What cannot be read stands in nobody's way. If it must be read, it is read again and says why not.
                Err(_) => Self::decide(request, seed, None, now),
            },
        )
    }

    fn decide(request: TokenRequest, seed: Seed, stored: Option<&Stored>, now: Timestamp) -> Step<Self> {
        let winner = match Precedence::of(&request.configuration, stored) {
            Ok(precedence) => precedence.winner,
            Err(error) => return Step::Done(Err(error)),
        };
        let TokenRequest { configuration, need } = &request;
        match winner {
            None if configuration.wanted.is_some() => Step::failed(LoginRequired::NotLoggedIn),
            None | Some(Source::Store(_)) => Self::refreshing(Refresh::start(request, seed, now)),
            Some(source) => match configuration.permits_source(&source).and_then(|()| Plan::of(&source, configuration))
            {
                Ok(Some(plan)) => Self::minting(Minting::start(plan, request.configuration, request.need, seed)),
                Ok(None) => Step::Done(given(&source, configuration, need, now)),
                Err(error) => Step::Done(Err(error)),
            },
        }
    }

    fn minting(step: Step<Minting>) -> Step<Self> {
        step.within((), |(), step| Self::Minting(step), |(), result| Step::Done(result))
    }

    fn refreshing(step: Step<Refresh>) -> Step<Self> {
        step.within((), |(), step| Self::Refreshing(step), |(), result| Step::Done(result))
    }
}

impl Machine for Obtaining {
    type Output = Token;

    fn step(self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
        match *self {
            Self::Reading { request, seed, step } => Self::reading(request, seed, step.step(now, event), now),
            Self::Minting(step) => Self::minting(step.step(now, event)),
            Self::Refreshing(step) => Self::refreshing(step.step(now, event)),
        }
    }
}

/// A credential that somebody has given, in the environment or in a configuration: nobody can renew it.
pub(crate) fn given(
    source: &Source,
    configuration: &Configuration,
    need: &Need,
    now: Timestamp,
) -> Result<Token, Error> {
    let access_token = credential(source, configuration)?;
    match need {
        Need::Fresh => return Err(Misused::NotRefreshable.into()),
        Need::Replacement { rejected } if *rejected == access_token => {
            return Err(LoginRequired::GivenRejected.into());
        }
        Need::Usable { .. } | Need::Ahead { .. } | Need::Replacement { .. } => {}
    }
    let claims = Claims::of(&access_token);
    let expires_at = claims.as_ref().and_then(Claims::expires_at);
    if *source == Source::AccessToken && expires_at.is_some_and(|end| end <= now) {
        let detail = "has expired".to_owned();
        return Err(Misused::Variable { name: ACCESS_TOKEN.to_owned(), detail }.into());
    }
    Ok(Token {
        access_token,
        token_type: "Bearer".to_owned(),
        expires_at,
        account_id: claims.and_then(|claims| claims.workspace().cloned()),
        origin: TokenOrigin::Given,
        warnings: Vec::new(),
    })
}

/// The credential itself, where it is at hand.
fn credential(source: &Source, configuration: &Configuration) -> Result<Secret, Error> {
    let environment = &configuration.environment;
    match (source, &configuration.wanted) {
        (Source::ApiKey, _) => environment.credential(API_KEY),
        (Source::AccessToken, _) => environment.credential(ACCESS_TOKEN),
        (Source::ModelProvider(_), Some(Wanted::ModelProvider(provider))) => match provider.bearer() {
            Some(bearer) => provider.token(bearer, environment),
            None => Err(provider.without_bearer()),
        },
        _ => Err(LoginRequired::NotLoggedIn.into()),
    }
}
