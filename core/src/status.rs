//! Who is signed in, from what this machine holds; on request, whether the server agrees.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::home::{Held, Reading, provider_of};
use crate::minting::{Minting, Plan};
use crate::obtaining::given;
use crate::precedence::{Precedence, Source, Stored};
use crate::record::{Credential, Record, Tokens};
use crate::refresh::Refresh;
use crate::whoami::Whoami;
use crate::{
    Configuration, Error, Event, LoginRequired, Machine, Method, Need, Report, Seed, Status, StatusRequest, Step,
    Timestamp, Token, TokenRequest,
};

/// A session that was not renewed for so long may have ended at the server, in milliseconds.
const STALE: i64 = 8 * 86_400_000;

/// Reads the home; with `check` it also asks the server: a session by renewing it, an access token by asking
/// whose it is.
///
/// - `Reading`  → (reading) → done, `Renewing`, `Asking` or `Minting`
/// - `Renewing` → (refresh) → `Again`
/// - `Asking`   → (whoami) → done
/// - `Minting`  → (minting) → done
/// - `Again`    → (reading) → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Checking {
    request: Box<StatusRequest>,
    seed: Seed,
    state: State,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Reading(Box<Reading>),
    Renewing(Box<Refresh>),
    #[cfg(feature = "homes")]
    Asking {
        step: Box<Whoami>,
        status: Status,
    },
    #[cfg(feature = "homes")]
    Minting {
        step: Box<Minting>,
        status: Status,
    },
    Again {
        step: Box<Reading>,
        warnings: Vec<Report>,
    },
}

impl Checking {
    pub(crate) fn start(request: StatusRequest, seed: Seed, now: Timestamp) -> Step<Self> {
        let reading = Reading::start(&request.configuration);
        Self::reading(Box::new(request), seed, reading, now)
    }

    fn reading(request: Box<StatusRequest>, seed: Seed, step: Step<Reading>, now: Timestamp) -> Step<Self> {
        step.within(
            (request, seed),
            |(request, seed), step| Self { request, seed, state: State::Reading(step) },
            |(request, seed), result| match result {
                Ok(held) => Self::read(request, seed, &held, now),
                Err(error) => Step::Done(Err(error)),
            },
        )
    }

    fn read(request: Box<StatusRequest>, seed: Seed, held: &Held, now: Timestamp) -> Step<Self> {
        let stored = Stored::of(held, &request.configuration);
        match Precedence::of(&request.configuration, stored.as_ref()) {
            Ok(Precedence { winner: None | Some(Source::Store(_)), .. }) => {}
            #[cfg(not(feature = "homes"))]
            Ok(_) => {}
            #[cfg(feature = "homes")]
            Ok(precedence) => return Self::elsewhere(request, seed, held, precedence, now),
            Err(error) => return Step::Done(Err(error)),
        }
        let record = match &held.record {
            Ok(Some(record)) => record,
            Ok(None) => return Step::Done(Ok(nobody(held))),
            Err(error) => return Step::Done(Err(error.clone())),
        };
        let status = of(record, held, &request.configuration, now);
        if !request.check || !status.logged_in {
            return Step::Done(Ok(status));
        }
        match record.credential() {
            Credential::Tokens(tokens) if tokens.refresh_token().is_some() => {
                let order = TokenRequest { configuration: request.configuration.clone(), need: Need::Fresh };
                let step = Refresh::start(order, seed.clone(), now);
                Self::renewing(request, seed, step, now)
            }
            #[cfg(feature = "homes")]
            Credential::AccessToken(token) if request.configuration.provider.is_openai() => {
                let step = Whoami::start(&request.configuration.provider, token);
                Self::asking(request, seed, step, status)
            }
            _ => Step::Done(Ok(unchecked(status))),
        }
    }

    /// The credential that wins is not the one that is stored.
    #[cfg(feature = "homes")]
    fn elsewhere(
        request: Box<StatusRequest>,
        seed: Seed,
        held: &Held,
        precedence: Precedence,
        now: Timestamp,
    ) -> Step<Self> {
        let configuration = &request.configuration;
        let Some(source) = precedence.winner.clone() else { return Step::Done(Ok(Status::default())) };
        let plan = match Plan::of(&source, configuration) {
            Ok(plan) => plan,
            Err(error) => return Step::Done(Err(error)),
        };
        let token = match &plan {
            Some(_) => None,
            None => match given(&source, configuration, &Need::Usable { minimum_lifetime: 0 }, now) {
                Ok(token) => Some(token),
                Err(error) => return Step::Done(Err(error)),
            },
        };
        let status = Status {
            session: held.record().ok().and_then(session),
            ..without_store(&source, plan.as_ref(), precedence, token.as_ref(), configuration)
        };
        if !request.check || !status.logged_in {
            return Step::Done(Ok(status));
        }
        match (plan, token) {
            (Some(plan), _) => {
                let step = Minting::start(plan, configuration.clone(), Need::Fresh, seed.clone());
                Self::minting(request, seed, step, status)
            }
            (None, Some(token)) if source == Source::AccessToken && token.access_token.expose().starts_with("at-") => {
                let step = Whoami::start(&configuration.provider, &token.access_token);
                Self::asking(request, seed, step, status)
            }
            (None, _) => Step::Done(Ok(unchecked(status))),
        }
    }

    #[cfg(feature = "homes")]
    fn minting(request: Box<StatusRequest>, seed: Seed, step: Step<Minting>, status: Status) -> Step<Self> {
        step.within(
            (request, seed, status),
            |(request, seed, status), step| Self { request, seed, state: State::Minting { step, status } },
            |(_, _, status), result| Step::Done(result.map(|token| Status { expires_at: token.expires_at, ..status })),
        )
    }

    fn renewing(request: Box<StatusRequest>, seed: Seed, step: Step<Refresh>, now: Timestamp) -> Step<Self> {
        step.within(
            (request, seed),
            |(request, seed), step| Self { request, seed, state: State::Renewing(step) },
            |(request, seed), result| match result {
                Ok(token) => {
                    let reading = Reading::start(&request.configuration);
                    Self::again(request, seed, reading, token.warnings, now)
                }
                Err(error) => Step::Done(Err(error)),
            },
        )
    }

    #[cfg(feature = "homes")]
    fn asking(request: Box<StatusRequest>, seed: Seed, step: Step<Whoami>, status: Status) -> Step<Self> {
        step.within(
            (request, seed, status),
            |(request, seed, status), step| Self { request, seed, state: State::Asking { step, status } },
            |(_, _, status), result| Step::Done(result.map(|account| Status { account: Some(account), ..status })),
        )
    }

    fn again(
        request: Box<StatusRequest>,
        seed: Seed,
        step: Step<Reading>,
        warnings: Vec<Report>,
        now: Timestamp,
    ) -> Step<Self> {
        step.within(
            (request, seed, warnings),
            |(request, seed, warnings), step| Self { request, seed, state: State::Again { step, warnings } },
            |(request, _, warnings), result| {
                Step::Done(result.and_then(|held| {
                    let record = held.record()?;
                    let mut status = of(record, &held, &request.configuration, now);
                    status.warnings = warnings.into_iter().chain(status.precedence.warning()).collect();
                    Ok(status)
                }))
            },
        )
    }
}

impl Machine for Checking {
    type Output = Status;

    fn step(self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
        let Self { request, seed, state } = *self;
        match state {
            State::Reading(step) => Self::reading(request, seed, step.step(now, event), now),
            State::Renewing(step) => Self::renewing(request, seed, step.step(now, event), now),
            #[cfg(feature = "homes")]
            State::Asking { step, status } => Self::asking(request, seed, step.step(now, event), status),
            #[cfg(feature = "homes")]
            State::Minting { step, status } => Self::minting(request, seed, step.step(now, event), status),
            State::Again { step, warnings } => Self::again(request, seed, step.step(now, event), warnings, now),
        }
    }
}

fn unchecked(mut status: Status) -> Status {
    status.warnings.push(Report {
        code: "not_checked".to_owned(),
        message: "this credential can only be checked by using it".to_owned(),
        help: None,
    });
    status
}

/// What is known of a credential that no store holds.
fn without_store(
    source: &Source,
    plan: Option<&Plan>,
    precedence: Precedence,
    token: Option<&Token>,
    configuration: &Configuration,
) -> Status {
    let (method, provider) = match source {
        Source::ModelProvider(id) if plan.is_some() => (Method::Command, id.clone()),
        Source::ModelProvider(id) => (Method::ApiKey, id.clone()),
        Source::Grant(name) => (Method::Oauth, name.clone()),
        Source::ApiKey => (Method::ApiKey, "openai".to_owned()),
        Source::WorkloadIdentity | Source::AccessToken | Source::Store(_) => (Method::AccessToken, "openai".to_owned()),
    };
    let claims = token.filter(|_| method == Method::AccessToken);
    let claims = claims.and_then(|token| crate::claims::Claims::of(&token.access_token));
    let forbidden = configuration.permits_source(source).err().map(|error| error.report());
    Status {
        logged_in: forbidden.is_none(),
        method: Some(method),
        account: claims.map(crate::claims::Claims::account),
        provider: Some(provider),
        expires_at: token.and_then(|token| token.expires_at),
        capabilities: if configuration.provider.is_openai() && !matches!(source, Source::ModelProvider(_)) {
            capabilities(method, plan.is_some())
        } else {
            BTreeMap::from([("refresh".to_owned(), plan.is_some())])
        },
        warnings: forbidden.into_iter().chain(precedence.warning()).collect(),
        precedence,
        ..Status::default()
    }
}

fn nobody(held: &Held) -> Status {
    Status { warnings: held.warnings.clone(), ..Status::default() }
}

/// What a record says about who is signed in.
pub(crate) fn of(record: &Record, held: &Held, configuration: &Configuration, now: Timestamp) -> Status {
    let mut warnings = held.all_warnings();
    if held.sidecar.is_copied(&configuration.home) {
        warnings.push(Error::from(LoginRequired::CopiedHome).report());
    }
    let mut issuer = None;
    let forbidden = configuration.permits_held(record, held).err();
    warnings.extend(forbidden.as_ref().map(Error::report));
    let (method, provider, expires_at) = match record.credential() {
        Credential::Nothing => {
            warnings.push(Report {
                code: "no_credential".to_owned(),
                message: "what is stored holds no credential that could be used".to_owned(),
                help: Some("run `hallpass login`".to_owned()),
            });
            return Status { warnings, ..nobody(held) };
        }
        Credential::ApiKey(_) => (Method::ApiKey, "openai".to_owned(), None),
        Credential::AccessToken(token) => {
            let expires_at = crate::claims::Claims::of(token).and_then(|claims| claims.expires_at());
            (
                Method::AccessToken,
                held.sidecar.provider_name().cloned().unwrap_or_else(|| "openai".to_owned()),
                expires_at,
            )
        }
        Credential::Other(mode) => {
            warnings.push(Report {
                code: "codex_only".to_owned(),
                message: alloc::format!("`{mode}` credentials can only be used by Codex"),
                help: None,
            });
            (Method::AccessToken, "openai".to_owned(), None)
        }
        Credential::Tokens(tokens) => {
            let provider = provider_of(tokens, &held.sidecar, configuration);
            let obstacle = tokens.refresh_token().and_then(|token| held.obstacle(token, &configuration.home, now));
            warnings.extend(obstacle.map(|obstacle| obstacle.report()).filter(|report| !warnings.contains(report)));
            warnings.extend(configuration.ignored_overrides(&provider));
            issuer = Some(provider.issuer.clone());
            let method = if provider.is_openai() { Method::Chatgpt } else { Method::Oauth };
            let noted = held.sidecar.lifetime(tokens.access_token()).map(|(_, expires_at)| expires_at);
            (method, provider.name, noted.or_else(|| tokens.expires_at()))
        }
    };
    let stored = Stored::of(held, configuration);
    let precedence = Precedence::of(configuration, stored.as_ref()).unwrap_or_default();
    if matches!(precedence.winner, Some(Source::Store(_))) {
        warnings.extend(precedence.warning());
    }
    let last_refresh = record.last_refresh();
    let is_over = expires_at.is_some_and(|expiry| expiry <= now);
    let renewable = record.tokens().is_some_and(|tokens| tokens.refresh_token().is_some());
    if is_over && !renewable {
        warnings.push(Error::from(LoginRequired::NoRefreshToken).report());
    }
    Status {
        logged_in: forbidden.is_none() && (renewable || !is_over),
        method: Some(method),
        account: record.account(),
        provider: Some(provider),
        issuer,
        store: Some(held.place),
        precedence,
        expires_at,
        last_refresh,
        stale: renewable && last_refresh.is_some_and(|last| now.since(last) > STALE),
        session: session(record),
        capabilities: capabilities(method, renewable),
        warnings,
    }
}

/// The session that two homes must not hold, whatever may win over it at this moment.
fn session(record: &Record) -> Option<String> {
    record.tokens().and_then(Tokens::session)
}

/// What a method can and cannot do.
fn capabilities(method: Method, renewable: bool) -> BTreeMap<String, bool> {
    let subscription = method == Method::Chatgpt;
    // Not collected from a list, which would sort first, at some cost to the browser module.
    let mut all = BTreeMap::new();
    all.insert("refresh".to_owned(), renewable);
    all.insert("local_cli".to_owned(), true);
    if matches!(method, Method::Chatgpt | Method::ApiKey | Method::AccessToken) {
        for name in ["codex_cloud", "fast_mode", "codex_spark", "realtime_voice"] {
            all.insert(name.to_owned(), subscription);
        }
    }
    all
}
