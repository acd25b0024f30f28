//! Handing the authorization request to the server itself, so that the browser carries only a reference to it
//! (RFC 9126).

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::authenticating::{Authenticating, ClientProof, Occasion};
use crate::authorization_request::{self, AuthorizationRequest};
use crate::browser_login::Client;
use crate::json::{self, Integer};
use crate::{
    Effect, Error, Event, HttpResponse, Machine, Provider, Secret, Step, Timestamp, token_response, unexpected,
};

/// One request for a reference to an authorization request.
///
/// - `Authenticating` → (client authentication) → `Sending`
/// - `Sending`        → `Responded`, `RequestFailed` → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Pushing {
    client: Box<Client>,
    request: AuthorizationRequest,
    state: State,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Authenticating(Box<Authenticating>),
    Sending,
}

/// The request as the server keeps it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Pushed {
    /// The address that a browser is sent to.
    pub(crate) url: Secret,
    /// For how many seconds it can be opened.
    pub(crate) expires_in: i64,
}

struct Answer {
    request_uri: Option<Secret>,
    expires_in: Integer,
}

json::object! { Answer { request_uri, expires_in } }

/// Where authorization requests of this provider are put first: where the server offers it, unless the provider is
/// configured not to, and wherever the server takes no others (RFC 9126, section 5).
pub(crate) fn endpoint(client: &Client) -> Option<&str> {
    let Client { provider, endpoints, .. } = client;
    let wanted = provider.pushed_authorization || endpoints.requires_pushed_authorization;
    endpoints.pushed_authorization.as_deref().filter(|_| wanted && !provider.is_openai())
}

impl Pushing {
    pub(crate) fn start(client: &Client, request: AuthorizationRequest, now: Timestamp) -> Step<Self> {
        let Client { provider, endpoints, secret, seed, .. } = client;
        // The audience stays the token endpoint: a server must take that one too (RFC 9126, section 2).
        let occasion = Occasion { audience: &endpoints.token, purpose: "push", seed, now };
        let step = Authenticating::start(provider, secret, &occasion);
        Self::authenticating(Box::new(client.clone()), request, step)
    }

    fn authenticating(client: Box<Client>, request: AuthorizationRequest, step: Step<Authenticating>) -> Step<Self> {
        step.within(
            (client, request),
            |(client, request), step| Self { client, request, state: State::Authenticating(step) },
            |(client, request), result| match result {
                Ok(proof) => Self { client, request, state: State::Sending }.send(&proof),
                Err(error) => Step::Done(Err(error)),
            },
        )
    }

    fn send(self, proof: &ClientProof) -> Step<Self> {
        let url = endpoint(&self.client).unwrap_or_default();
        let request = proof.post(&self.client.provider, url, &self.request.parameters());
        Step::perform(self, Effect::Http(request))
    }

    fn read(&self, response: &HttpResponse) -> Result<Pushed, Error> {
        let server = self.client.provider.host();
        if !response.is_success() {
            return Err(token_response::failure(&server, response));
        }
        let malformed =
            |detail: String| Error::malformed(&server, "an answer to a pushed authorization request", detail);
        let answer: Answer = json::parse(response.body.expose()).map_err(malformed)?;
        let request_uri = answer
            .request_uri
            .filter(|uri| !uri.is_empty())
            .ok_or_else(|| malformed("`request_uri` is missing".to_owned()))?;
        let expires_in = answer
            .expires_in
            .0
            .filter(|seconds| *seconds > 0)
            .ok_or_else(|| malformed("`expires_in` is not a positive number".to_owned()))?;
        let Provider { client_id, .. } = &self.client.provider;
        let parameters = [("client_id", client_id.as_str()), ("request_uri", request_uri.expose())];
        Ok(Pushed { url: authorization_request::at(&self.client, &parameters), expires_in })
    }
}

impl Machine for Pushing {
    type Output = Pushed;

    fn step(self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
        let Self { client, request, state } = *self;
        match (state, event) {
            (State::Authenticating(step), event) => Self::authenticating(client, request, step.step(now, event)),
            (State::Sending, Event::Responded(response)) => {
                Step::Done(Self { client, request, state: State::Sending }.read(&response))
            }
            (State::Sending, Event::RequestFailed(failure)) => {
                Step::failed(Error::unreached(client.provider.host(), failure))
            }
            (State::Sending, event) => Step::Done(Err(unexpected(&event))),
        }
    }
}
