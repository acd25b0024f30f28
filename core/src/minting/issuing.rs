//! Getting one token: from a command, or from a token endpoint with a grant that needs nobody.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::memory::Minted;
use super::plan::Plan;
use crate::authenticating::{Authenticating, ClientProof, Occasion, SecretSource};
use crate::claims::Claims;
use crate::discovery::Discovery;
use crate::endpoint::Endpoint;
use crate::identity::{self, Identity};
use crate::json::{self, Text};
use crate::text::trimmed;
use crate::token_response::{self, ErrorAnswer, TokenSet};
use crate::{
    Configuration, Effect, Error, Event, Grant, GrantType, HttpRequest, HttpResponse, Local, Machine, Provider, Secret,
    Seed, Step, Timestamp, TokenCommand, form, header, unexpected,
};

/// One attempt. It ends well with an answer, which may be that there is no token.
///
/// - `Running`        → `Ran`, `RunFailed` → done
/// - `Discovering`    → (discovery) → `Asking`, or `Authenticating` where the identity is at hand
/// - `Asking`         → `Responded` → `Authenticating`
/// - `Authenticating` → (client authentication) → `Sending`
/// - `Sending`        → `Responded` → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Issuing {
    configuration: Configuration,
    seed: Seed,
    state: State,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Running { command: TokenCommand },
    Discovering { step: Box<Discovery>, exchange: Exchange },
    Asking { server: String, exchange: Exchange },
    Authenticating { step: Box<Authenticating>, exchange: Exchange },
    Sending { exchange: Exchange, sent: Timestamp },
}

/// What is exchanged, as far as it is known.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
struct Exchange {
    provider: Provider,
    grant: Grant,
    /// The token endpoint.
    url: String,
    /// Whose token is wanted: nobody's but the client's where there is none.
    subject: Option<Secret>,
}

/// What has come of an attempt.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Answer {
    pub(crate) result: Result<Minted, Error>,
    /// The pause that the server has asked for, in milliseconds.
    pub(crate) asked: u64,
}

impl Issuing {
    pub(crate) fn start(plan: Plan, configuration: &Configuration, seed: &Seed, now: Timestamp) -> Step<Self> {
        let at = |state| Self { configuration: configuration.clone(), seed: seed.clone(), state };
        match plan {
            Plan::Command(command) => {
                let effect = Effect::Run(command.order());
                Step::perform(at(State::Running { command }), effect)
            }
            Plan::Grant { provider, grant } => {
                let discovery = Discovery::start(&provider);
                let exchange = Exchange { provider, grant, url: String::new(), subject: None };
                Self::discovering(configuration.clone(), seed.clone(), discovery, exchange, now)
            }
        }
    }

    fn discovering(
        configuration: Configuration,
        seed: Seed,
        step: Step<Discovery>,
        exchange: Exchange,
        now: Timestamp,
    ) -> Step<Self> {
        step.within(
            (configuration, seed, exchange),
            |(configuration, seed, exchange), step| Self {
                configuration,
                seed,
                state: State::Discovering { step, exchange },
            },
            |(configuration, seed, exchange), result| match result {
                Ok(endpoints) => {
                    let url = configuration.other_token_endpoint(&exchange.provider).unwrap_or(endpoints.token);
                    Self::identify(configuration, seed, Exchange { url, ..exchange }, now)
                }
                Err(error) => failed(error),
            },
        )
    }

    /// The identity is had last of all: it may live for no more than some minutes.
    fn identify(configuration: Configuration, seed: Seed, exchange: Exchange, now: Timestamp) -> Step<Self> {
        if exchange.grant.grant_type == GrantType::ClientCredentials {
            return Self::authenticate(configuration, seed, exchange, now);
        }
        let Exchange { grant, provider, .. } = &exchange;
        match identity::find(grant.subject_token.as_ref(), provider, &configuration.environment) {
            Ok(Identity::Held(subject)) => {
                Self::authenticate(configuration, seed, Exchange { subject: Some(subject), ..exchange }, now)
            }
            Ok(Identity::Asked(request)) => {
                let server = Endpoint::parse(&request.url).map_or(request.url.as_str(), Endpoint::authority).into();
                let state = State::Asking { server, exchange };
                Step::perform(Self { configuration, seed, state }, Effect::Http(request))
            }
            Err(error) => failed(error),
        }
    }

    fn authenticate(configuration: Configuration, seed: Seed, exchange: Exchange, now: Timestamp) -> Step<Self> {
        let secret = match &exchange.grant.client_secret_variable {
            Some(name) if exchange.provider.client_authentication.has_secret() => {
                match configuration.environment.get(name) {
                    // A secret may hold what no token does: it is encoded on its way.
                    Some(secret) => Some(Secret::new(secret.expose().trim())),
                    None => return failed(Local::NoClientSecret.into()),
                }
            }
            _ => None,
        };
        let occasion = Occasion { audience: &exchange.url, purpose: "mint", seed: &seed, now };
        let step = Authenticating::start(&exchange.provider, &SecretSource::Given(secret), &occasion);
        Self::authenticating(configuration, seed, step, exchange, now)
    }

    fn authenticating(
        configuration: Configuration,
        seed: Seed,
        step: Step<Authenticating>,
        exchange: Exchange,
        now: Timestamp,
    ) -> Step<Self> {
        step.within(
            (configuration, seed, exchange),
            |(configuration, seed, exchange), step| Self {
                configuration,
                seed,
                state: State::Authenticating { step, exchange },
            },
            |(configuration, seed, exchange), result| match result {
                Ok(proof) => {
                    let request = exchange.request(&proof);
                    let state = State::Sending { exchange, sent: now };
                    Step::perform(Self { configuration, seed, state }, Effect::Http(request))
                }
                Err(error) => failed(error),
            },
        )
    }
}

impl Machine for Issuing {
    type Output = Answer;

    fn step(self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
        let Self { configuration, seed, state } = *self;
        match (state, event) {
            (State::Running { command }, Event::Ran { status, output }) => {
                match printed(&command.command, status, &output) {
                    Ok(token) => done(Ok(Minted::printed(token, now, command.refresh_interval_ms)), 0),
                    Err(error) => failed(error),
                }
            }
            (State::Running { .. }, Event::RunFailed { detail }) => failed(Local::Command { detail }.into()),
            (State::Discovering { step, exchange }, event) => {
                Self::discovering(configuration, seed, step.step(now, event), exchange, now)
            }
            (State::Asking { server, exchange }, Event::Responded(response)) => {
                match identity::read(&server, &response) {
                    Ok(subject) => {
                        Self::authenticate(configuration, seed, Exchange { subject: Some(subject), ..exchange }, now)
                    }
                    Err(error) => done(Err(error), header::retry_after(&response).unwrap_or(0)),
                }
            }
            (State::Asking { server, .. }, Event::RequestFailed(failure)) => failed(Error::unreached(server, failure)),
            (State::Authenticating { step, exchange }, event) => {
                Self::authenticating(configuration, seed, step.step(now, event), exchange, now)
            }
            (State::Sending { exchange, sent }, Event::Responded(response)) => {
                let asked = header::retry_after(&response).unwrap_or(0);
                done(exchange.read(&response).map(|tokens| minted(tokens, sent, &seed)), asked)
            }
            (State::Sending { exchange, .. }, Event::RequestFailed(failure)) => {
                failed(Error::unreached(exchange.provider.host(), failure))
            }
            (_, event) => Step::Done(Err(unexpected(&event))),
        }
    }
}

impl Exchange {
    /// The token request.
    fn request(&self, proof: &ClientProof) -> HttpRequest {
        const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
        let Self { provider, grant, url, subject } = self;
        let subject = subject.as_ref().map_or("", Secret::expose);
        let scope = provider.scope();
        let is_federated = grant.federation_rule_id.is_some();
        let (grant_type, carrier) = match grant.grant_type {
            GrantType::ClientCredentials => ("client_credentials", None),
            GrantType::JwtBearer => ("urn:ietf:params:oauth:grant-type:jwt-bearer", Some("assertion")),
            GrantType::TokenExchange => ("urn:ietf:params:oauth:grant-type:token-exchange", Some("subject_token")),
        };
        let is_exchange = grant.grant_type == GrantType::TokenExchange;
        let type_of_subject = grant.subject_token_type.as_deref().unwrap_or(JWT);
        // The order is Codex's, as far as Codex has one.
        let all = [
            ("grant_type", Some(grant_type)),
            (carrier.unwrap_or_default(), carrier.map(|_| subject)),
            ("federation_rule_id", grant.federation_rule_id.as_deref()),
            ("subject_token_type", is_exchange.then_some(type_of_subject)),
            ("requested_token_type", grant.requested_token_type.as_deref()),
            ("resource", grant.resource.as_deref()),
            ("audience", grant.audience.as_deref()),
            ("scope", Some(scope.as_str()).filter(|scope| !scope.is_empty() && !is_federated)),
        ];
        let parameters: Vec<(&str, &str)> = all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        if is_federated {
            // A workload has no client of its own.
            return form::post(url, &parameters, Vec::new());
        }
        proof.post(provider, url, &parameters)
    }

    fn read(&self, response: &HttpResponse) -> Result<TokenSet, Error> {
        let server = self.provider.host();
        let exchanged = self.grant.grant_type == GrantType::TokenExchange && response.is_success();
        if exchanged && ErrorAnswer::parse(&response.body).is_none() {
            is_exchanged(&server, &response.body)?;
        }
        token_response::tokens(&server, response, false)
    }
}

fn minted(tokens: TokenSet, sent: Timestamp, seed: &Seed) -> Minted {
    let claimed = || Claims::of(&tokens.access_token)?.expires_at();
    let expires_at = tokens.expires_in.map(|lifetime| sent.plus(lifetime)).or_else(claimed);
    Minted::granted(tokens.access_token, sent, expires_at, seed)
}

/// What RFC 8693, section 2.2.1, demands of an answer beyond RFC 6749: the type of what was issued. What is no access
/// token (`N_A`) can be used for something, but not as a bearer token.
fn is_exchanged(server: &str, body: &Secret) -> Result<(), Error> {
    struct Types {
        issued_token_type: Text,
        token_type: Text,
    }
    json::object! { Types { issued_token_type, token_type } }
    let malformed = |detail: &str| Error::malformed(server, "a token exchange response", detail);
    let types: Types = json::parse(body.expose()).map_err(|detail| malformed(&detail))?;
    if types.issued_token_type.0.is_none() {
        return Err(malformed("`issued_token_type` is missing"));
    }
    if types.token_type.0.is_some_and(|kind| kind.eq_ignore_ascii_case("N_A")) {
        let detail = "what was issued is no access token (`token_type` is `N_A`), and cannot be sent as one";
        return Err(malformed(detail));
    }
    Ok(())
}

/// The token in what a command has printed. Nothing of it is quoted.
fn printed(program: &str, status: i32, output: &Secret) -> Result<Secret, Error> {
    let failed = |why: &str| {
        let detail = format!("the command {} {why}", crate::text::plain(program));
        Error::from(Local::Command { detail })
    };
    if status != 0 {
        return Err(failed(&format!("ended with status {status}")));
    }
    if output.expose().trim().is_empty() {
        return Err(failed("printed no token"));
    }
    trimmed(output).map_err(|_| failed("printed something that is no token: it has a space or a control character"))
}

fn failed(error: Error) -> Step<Issuing> {
    match error {
        // Somebody wants to stop, or the shell does not understand: that is no answer.
        Error::Declined(_) | Error::Misused(crate::Misused::Unexpected { .. }) => Step::Done(Err(error)),
        error => done(Err(error), 0),
    }
}

fn done(result: Result<Minted, Error>, asked: u64) -> Step<Issuing> {
    Step::Done(Ok(Answer { result, asked }))
}
