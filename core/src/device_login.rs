//! Signing in with a user code on any device (RFC 8628), and OpenAI's dialect of it.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::authenticating::Occasion;
use crate::browser_login::{self, Client};
use crate::dpop::Possession;
use crate::preparing::{Prepared, Preparing};
use crate::token_response::{self, TokenSet};
use crate::{
    Declined, Effect, Error, Event, HttpRequest, HttpResponse, Machine, Reach, Refused, Secret, Step, Timestamp,
    Unavailable, form, header, unexpected,
};

mod authorization;
mod polling;

use authorization::DeviceAuthorization;
use polling::{Pace, Poll};

/// How often the first request is tried again while the server is in trouble.
const ATTEMPTS: u8 = 4;

/// A device login, from the request for a code to the tokens.
///
/// - `Authenticating` → (preparing) → `Requesting`, `Polling` or `Exchanging`
/// - `Requesting`     → `Responded` → `Presenting` · trouble → `Pausing`
/// - `Pausing`        → `Slept` → `Authenticating` for the request again
/// - `Presenting`     → `Presented` → `Waiting`
/// - `Waiting`        → `Slept` → `Authenticating` for a poll, or done when the code has expired
/// - `Polling`        → `Responded`, `RequestFailed` → `Waiting`, `Authenticating` for OpenAI's exchange or for another
///   proof of possession, or done
/// - `Exchanging`     → `Responded` → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct DeviceLogin {
    client: Box<Client>,
    state: State,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Authenticating { step: Box<Preparing>, purpose: Purpose },
    Requesting { attempt: u8 },
    Pausing { attempt: u8 },
    Presenting { authorization: DeviceAuthorization },
    Waiting { authorization: DeviceAuthorization, pace: Pace },
    Polling { authorization: DeviceAuthorization, pace: Pace },
    Exchanging,
}

/// What the client proves itself for.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum Purpose {
    Request {
        attempt: u8,
    },
    Poll {
        authorization: DeviceAuthorization,
        pace: Pace,
    },
    /// OpenAI: the code and the verifier that its server supplied.
    Exchange {
        code: Secret,
        verifier: Secret,
    },
}

impl DeviceLogin {
    /// Begins by asking for a code.
    pub(crate) fn start(client: Box<Client>, now: Timestamp) -> Step<Self> {
        if client.endpoints.device_authorization.is_none() {
            let server = client.provider.host();
            return Step::failed(Refused::DeviceLoginDisabled { server });
        }
        Box::new(Self { client, state: State::Exchanging }).prove(Purpose::Request { attempt: 1 }, now)
    }

    fn at(mut self: Box<Self>, state: State) -> Box<Self> {
        self.state = state;
        self
    }

    fn prove(self: Box<Self>, purpose: Purpose, now: Timestamp) -> Step<Self> {
        let Client { provider, endpoints, secret, seed, possession, .. } = &*self.client;
        // A device code is no token: nothing is bound yet where one is asked for.
        let possession = possession.as_ref().filter(|_| !matches!(purpose, Purpose::Request { .. }));
        let purpose_name = match &purpose {
            Purpose::Request { .. } => "device",
            Purpose::Poll { .. } => "poll",
            Purpose::Exchange { .. } => "exchange",
        };
        let occasion = Occasion { audience: &endpoints.token, purpose: purpose_name, seed, now };
        let step = Preparing::start(provider, secret, &occasion, possession);
        self.proving(purpose, step)
    }

    fn proving(self: Box<Self>, purpose: Purpose, step: Step<Preparing>) -> Step<Self> {
        step.within(
            (self, purpose),
            |(machine, purpose), step| machine.at(State::Authenticating { step, purpose }),
            |(machine, purpose), result| match result {
                Ok(proof) => machine.send(&proof, purpose),
                Err(error) => Step::Done(Err(error)),
            },
        )
    }

    fn send(self: Box<Self>, proof: &Prepared, purpose: Purpose) -> Step<Self> {
        let (request, state) = match purpose {
            Purpose::Request { attempt } => (self.authorization_request(proof), State::Requesting { attempt }),
            Purpose::Poll { authorization, pace } => {
                (authorization.poll(&self.client, proof), State::Polling { authorization, pace })
            }
            Purpose::Exchange { code, verifier } => (self.exchange_request(proof, &code, &verifier), State::Exchanging),
        };
        Step::perform(self.at(state), Effect::Http(request))
    }

    /// RFC 8628, section 3.1; OpenAI takes JSON.
    fn authorization_request(&self, proof: &Prepared) -> HttpRequest {
        let Client { provider, endpoints, .. } = &*self.client;
        let url = endpoints.device_authorization.as_deref().unwrap_or_default();
        if provider.is_openai() {
            return form::post_json(url, format!(r#"{{"client_id":{}}}"#, crate::json::quoted(&provider.client_id)));
        }
        let scope = provider.scope();
        let parameters = [("scope", scope.as_str())];
        proof.post(provider, url, if scope.is_empty() { &[] } else { &parameters })
    }

    fn exchange_request(&self, proof: &Prepared, code: &Secret, verifier: &Secret) -> HttpRequest {
        let Client { provider, endpoints, .. } = &*self.client;
        let redirect_uri = format!("{}/deviceauth/callback", provider.issuer.trim_end_matches('/'));
        let parameters = [
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", redirect_uri.as_str()),
            ("code_verifier", verifier.expose()),
        ];
        let mut request = proof.post(provider, &endpoints.token, &parameters);
        request.interruptible = false;
        request
    }

    fn requested(self: Box<Self>, response: &HttpResponse, attempt: u8, now: Timestamp) -> Step<Self> {
        let server = self.client.provider.host();
        match DeviceAuthorization::read(&self.client.provider, response, now) {
            Ok(authorization) => {
                let prompt = authorization.prompt();
                Step::perform(self.at(State::Presenting { authorization }), Effect::Present(prompt))
            }
            Err(Error::Unavailable(Unavailable::Server { .. })) if attempt < ATTEMPTS => {
                self.pause(attempt, header::retry_after(response))
            }
            // OpenAI answers 404 where device login is not enabled.
            Err(_) if self.client.provider.is_openai() && response.status == 404 => {
                Step::failed(Refused::DeviceLoginDisabled { server })
            }
            Err(error) => Step::Done(Err(error)),
        }
    }

    fn pause(self: Box<Self>, attempt: u8, asked: Option<u64>) -> Step<Self> {
        let milliseconds = asked.unwrap_or_else(|| 1000_u64 << attempt.min(6));
        let attempt = attempt.saturating_add(1);
        Step::perform(self.at(State::Pausing { attempt }), Effect::Sleep { milliseconds })
    }

    fn wait(self: Box<Self>, authorization: DeviceAuthorization, pace: Pace) -> Step<Self> {
        let effect = Effect::Sleep { milliseconds: pace.wait() };
        Step::perform(self.at(State::Waiting { authorization, pace }), effect)
    }

    fn polled(
        self: Box<Self>,
        authorization: DeviceAuthorization,
        pace: Pace,
        poll: Poll,
        now: Timestamp,
    ) -> Step<Self> {
        match poll {
            Poll::Granted(tokens) => Step::Done(Ok(tokens)),
            Poll::Code { code, verifier } => self.prove(Purpose::Exchange { code, verifier }, now),
            Poll::Again(change) => self.wait(authorization, pace.after(&change)),
            Poll::Failed(error) => Step::Done(Err(error)),
        }
    }
}

impl Machine for DeviceLogin {
    type Output = TokenSet;

    fn step(mut self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
        let server = self.client.provider.host();
        match (core::mem::replace(&mut self.state, State::Exchanging), event) {
            (State::Authenticating { step, purpose }, event) => self.proving(purpose, step.step(now, event)),
            (State::Requesting { attempt }, Event::Responded(response)) => self.requested(&response, attempt, now),
            // One that was not sent is told at once: the person is still there and waits for the code.
            (State::Requesting { attempt }, Event::RequestFailed(failure))
                if failure.reach != Reach::NotSent && attempt < ATTEMPTS =>
            {
                self.pause(attempt, None)
            }
            (State::Pausing { attempt }, Event::Slept) => self.prove(Purpose::Request { attempt }, now),
            (State::Presenting { authorization }, Event::Presented) => {
                let pace = authorization.pace();
                self.wait(authorization, pace)
            }
            (State::Waiting { authorization, .. }, Event::Slept) if now >= authorization.expires_at => {
                Step::failed(Refused::DeviceCodeExpired)
            }
            (State::Waiting { authorization, pace }, Event::Slept) => {
                self.client.possession = self.client.possession.take().map(Possession::afresh);
                self.prove(Purpose::Poll { authorization, pace }, now)
            }
            (State::Polling { authorization, pace }, Event::Responded(response)) => {
                if let Some(possession) = browser_login::again(&self.client, &response, now) {
                    self.client.possession = Some(possession);
                    let purpose = Purpose::Poll { authorization, pace };
                    return self.prove(purpose, now);
                }
                let poll = Poll::read(&self.client, &response);
                self.polled(authorization, pace, poll, now)
            }
            // A poll can be asked again whatever became of it: the tokens are given when the answer arrives.
            (State::Polling { authorization, pace }, Event::RequestFailed(_)) => {
                self.polled(authorization, pace, Poll::lost(), now)
            }
            (State::Exchanging, Event::Responded(response)) => {
                Step::Done(token_response::tokens(&server, &response, self.client.possession.is_some()))
            }
            (State::Requesting { .. } | State::Exchanging, Event::RequestFailed(failure)) => {
                Step::failed(Error::unreached(server, failure))
            }
            (
                State::Requesting { .. } | State::Pausing { .. } | State::Waiting { .. } | State::Polling { .. },
                Event::Cancelled,
            ) => Step::failed(Declined::Cancelled),
            (_, event) => Step::Done(Err(unexpected(&event))),
        }
    }
}

/// The page and the code that a device login shows.
pub(crate) fn check_page(server: &str, page: &str) -> Result<String, Error> {
    crate::endpoint::Endpoint::parse(page)
        .map(|_| page.to_owned())
        .map_err(|detail| Error::malformed(server, "a device authorization", format!("the page to visit {detail}")))
}
