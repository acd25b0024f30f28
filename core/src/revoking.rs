//! Telling the server that a session is over (RFC 7009; OpenAI takes JSON).

use alloc::boxed::Box;
use alloc::format;

use serde::{Deserialize, Serialize};

use crate::authenticating::{Authenticating, ClientProof, Occasion, SecretSource};
use crate::discovery::Discovery;
use crate::json::quoted;
use crate::record::Tokens;
use crate::{
    Configuration, Effect, Endpoints, Error, Event, HttpRequest, Machine, Provider, Revocation, Secret, Seed, Step,
    Timestamp, form, token_response, unexpected,
};

/// How long a revocation may take, in milliseconds: nobody waits longer for a goodbye.
const DEADLINE: u64 = 5_000;

/// Revokes one session, best effort: it ends with what became of it, never with an error of the server.
///
/// - `Discovering`    → (discovery) → `Authenticating`, or done where nothing is offered
/// - `Authenticating` → (client authentication) → `Sending`
/// - `Sending`        → `Responded`, `RequestFailed` → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Revoking {
    session: Session,
    state: State,
}

/// The session to end.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Session {
    provider: Provider,
    endpoint: Option<alloc::string::String>,
    token: Secret,
    is_refresh_token: bool,
    secret: SecretSource,
    seed: Seed,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Discovering(Box<Discovery>),
    Authenticating { step: Box<Authenticating>, url: alloc::string::String },
    Sending,
}

impl Session {
    /// The session of these tokens; the refresh token where there is one, since that ends it all.
    pub(crate) fn new(
        tokens: &Tokens,
        provider: Provider,
        configuration: &Configuration,
        secret: SecretSource,
        seed: &Seed,
    ) -> Self {
        let refresh_token = tokens.refresh_token();
        Self {
            endpoint: configuration.other_revocation_endpoint(&provider),
            provider,
            token: refresh_token.unwrap_or_else(|| tokens.access_token()).clone(),
            is_refresh_token: refresh_token.is_some(),
            secret,
            seed: seed.clone(),
        }
    }

    fn hint(&self) -> &'static str {
        if self.is_refresh_token { "refresh_token" } else { "access_token" }
    }

    fn request(&self, proof: &ClientProof, url: &str) -> HttpRequest {
        let token = self.token.expose();
        let request = if self.provider.is_openai() {
            let client = format!(r#","client_id":{}"#, quoted(&self.provider.client_id));
            let client = if self.is_refresh_token { client.as_str() } else { "" };
            form::post_json(
                url,
                format!(r#"{{"token":{},"token_type_hint":"{}"{client}}}"#, quoted(token), self.hint()),
            )
        } else {
            proof.post(&self.provider, url, &[("token", token), ("token_type_hint", self.hint())])
        };
        HttpRequest { deadline: DEADLINE, ..request }
    }
}

impl Revoking {
    pub(crate) fn start(session: Session, now: Timestamp) -> Step<Self> {
        let discovery = Discovery::start(&session.provider);
        Self::discovering(session, discovery, now)
    }

    fn discovering(session: Session, step: Step<Discovery>, now: Timestamp) -> Step<Self> {
        step.within(
            session,
            |session, step| Self { session, state: State::Discovering(step) },
            |session, result| match result {
                Ok(endpoints) => Self::authenticate(session, endpoints, now),
                Err(error) => failed(&error),
            },
        )
    }

    fn authenticate(session: Session, endpoints: Endpoints, now: Timestamp) -> Step<Self> {
        let Some(url) = session.endpoint.clone().or(endpoints.revocation) else {
            return Step::Done(Ok(Revocation::NotOffered));
        };
        let occasion = Occasion { audience: &endpoints.token, purpose: "revoke", seed: &session.seed, now };
        let step = Authenticating::start(&session.provider, &session.secret, &occasion);
        Self::authenticating(session, url, step)
    }

    fn authenticating(session: Session, url: alloc::string::String, step: Step<Authenticating>) -> Step<Self> {
        step.within(
            (session, url),
            |(session, url), step| Self { session, state: State::Authenticating { step, url } },
            |(session, url), result| match result {
                Ok(proof) => {
                    let request = session.request(&proof, &url);
                    Step::perform(Self { session, state: State::Sending }, Effect::Http(request))
                }
                Err(error) => failed(&error),
            },
        )
    }
}

impl Machine for Revoking {
    type Output = Revocation;

    fn step(self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
        let Self { session, state } = *self;
        let server = session.provider.host();
        match (state, event) {
            (State::Discovering(step), event) => Self::discovering(session, step.step(now, event), now),
            (State::Authenticating { step, url }, event) => Self::authenticating(session, url, step.step(now, event)),
            (State::Sending, Event::Responded(response)) if response.is_success() => {
                Step::Done(Ok(Revocation::Revoked))
            }
            (State::Sending, Event::Responded(response)) => failed(&token_response::failure(&server, &response)),
            (State::Sending, Event::RequestFailed(failure)) => failed(&Error::unreached(server, failure)),
            (State::Sending, event) => failed(&unexpected(&event)),
        }
    }
}

fn failed(error: &Error) -> Step<Revoking> {
    Step::Done(Ok(Revocation::Failed(error.report())))
}
