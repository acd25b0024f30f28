//! Who is signed in, from what this machine holds; on request, whether the server agrees.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::home::{Held, Reading, provider_of};
use crate::record::{Credential, Record, Tokens};
use crate::refresh::Refresh;
use crate::whoami::Whoami;
use crate::{
    Configuration, Error, Event, LoginRequired, Machine, Method, Need, Report, Seed, Status, StatusRequest, Step,
    Timestamp, TokenRequest,
};

/// A session that was not renewed for so long may have ended at the server, in milliseconds.
const STALE: i64 = 8 * 86_400_000;

/// Reads the home; with `check` it also asks the server: a session by renewing it, an access token by asking
/// whose it is.
///
/// - `Reading`  → (reading) → done, `Renewing` or `Asking`
/// - `Renewing` → (refresh) → `Again`
/// - `Asking`   → (whoami) → done
/// - `Again`    → (reading) → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Checking {
    request: StatusRequest,
    seed: Seed,
    state: State,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Reading(Reading),
    Renewing(Refresh),
    Asking { step: Whoami, status: Status },
    Again { step: Reading, warnings: Vec<Report> },
}

impl Checking {
    pub(crate) fn start(request: StatusRequest, seed: Seed, now: Timestamp) -> Step<Self> {
        let reading = Reading::start(&request.configuration);
        Self::reading(request, seed, reading, now)
    }

    fn reading(request: StatusRequest, seed: Seed, step: Step<Reading>, now: Timestamp) -> Step<Self> {
        step.within(
            (request, seed),
            |(request, seed), step| Self { request, seed, state: State::Reading(step) },
            |(request, seed), result| match result {
                Ok(held) => Self::read(request, seed, &held, now),
                Err(error) => Step::Done(Err(error)),
            },
        )
    }

    fn read(request: StatusRequest, seed: Seed, held: &Held, now: Timestamp) -> Step<Self> {
        let record = match &held.record {
            Ok(Some(record)) => record,
            Ok(None) => return Step::Done(Ok(nobody(held))),
            Err(error) => return Step::Done(Err(error.clone())),
        };
        let mut status = of(record, held, &request.configuration, now);
        if !request.check || !status.logged_in {
            return Step::Done(Ok(status));
        }
        match record.credential() {
            Credential::Tokens(tokens) if tokens.refresh_token().is_some() => {
                let order = TokenRequest { configuration: request.configuration.clone(), need: Need::Fresh };
                let step = Refresh::start(order, seed.clone(), now);
                Self::renewing(request, seed, step, now)
            }
            Credential::AccessToken(token) if request.configuration.provider.is_openai() => {
                let step = Whoami::start(&request.configuration.provider, token);
                Self::asking(request, seed, step, status)
            }
            _ => {
                status.warnings.push(Report {
                    code: "not_checked".to_owned(),
                    message: "this credential can only be checked by using it".to_owned(),
                    help: None,
                });
                Step::Done(Ok(status))
            }
        }
    }

    fn renewing(request: StatusRequest, seed: Seed, step: Step<Refresh>, now: Timestamp) -> Step<Self> {
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

    fn asking(request: StatusRequest, seed: Seed, step: Step<Whoami>, status: Status) -> Step<Self> {
        step.within(
            (request, seed, status),
            |(request, seed, status), step| Self { request, seed, state: State::Asking { step, status } },
            |(_, _, status), result| Step::Done(result.map(|account| Status { account: Some(account), ..status })),
        )
    }

    fn again(
        request: StatusRequest,
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
                    status.warnings = warnings;
                    Ok(status)
                }))
            },
        )
    }
}

impl Machine for Checking {
    type Output = Status;

    fn step(self, now: Timestamp, event: Event) -> Step<Self> {
        let Self { request, seed, state } = self;
        match state {
            State::Reading(step) => Self::reading(request, seed, step.step(now, event), now),
            State::Renewing(step) => Self::renewing(request, seed, step.step(now, event), now),
            State::Asking { step, status } => Self::asking(request, seed, step.step(now, event), status),
            State::Again { step, warnings } => Self::again(request, seed, step.step(now, event), warnings, now),
        }
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
            issuer = Some(provider.issuer.clone());
            let method = if provider.is_openai() { Method::Chatgpt } else { Method::Oauth };
            let noted = held.sidecar.lifetime(tokens.access_token()).map(|(_, expires_at)| expires_at);
            (method, provider.name, noted.or_else(|| tokens.expires_at()))
        }
    };
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
        expires_at,
        last_refresh,
        stale: renewable && last_refresh.is_some_and(|last| now.since(last) > STALE),
        session: record.tokens().and_then(Tokens::session),
        capabilities: capabilities(method, renewable),
        warnings,
    }
}

/// What a method can and cannot do.
fn capabilities(method: Method, renewable: bool) -> BTreeMap<String, bool> {
    let subscription = method == Method::Chatgpt;
    let mut all = BTreeMap::from([("refresh".to_owned(), renewable), ("local_cli".to_owned(), true)]);
    if matches!(method, Method::Chatgpt | Method::ApiKey | Method::AccessToken) {
        for name in ["codex_cloud", "fast_mode", "codex_spark", "realtime_voice"] {
            all.insert(name.to_owned(), subscription);
        }
    }
    all
}
