//! The authorization code grant with PKCE in a browser (RFC 6749, section 4.1; RFC 7636; RFC 8252).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::authenticating::{Occasion, SecretSource};
use crate::authorization_request::AuthorizationRequest;
use crate::callback::{Expected, Verdict};
use crate::dpop::Possession;
use crate::preparing::{Prepared, Preparing};
use crate::pushed_authorization::{self, Pushed, Pushing};
use crate::token_response::{self, TokenSet};
use crate::{
    Declined, Effect, Endpoints, Error, Event, HttpResponse, Listen, Local, LogLine, Machine, Misused, Prompt,
    Provider, Reach, Refused, Secret, Seed, Step, Timestamp, pkce, unexpected,
};

/// How long the wait for the browser lasts, in milliseconds.
const PATIENCE: i64 = 10 * 60_000;
/// A request that was not sent may be made again so many times; a code itself is sent once.
const ATTEMPTS: u8 = 3;

/// A browser login, from the listener to the tokens.
///
/// - `Listening`      → `Listening` → `Pushing` where the server takes the request beforehand, or `Presenting`
/// - `Pushing`        → (pushed authorization) → `Presenting`
/// - `Presenting`     → `Presented` → `Awaiting`
/// - `Awaiting`       → `Called` → `Authenticating`, or `Refusing` what is not the answer
///   · `Pasted` → `Authenticating`, or `Awaiting` what is the answer
///   · `Switched` → done, for a device code · `TimedOut`, `Cancelled` → done
/// - `Refusing`       → `Replied` → `Awaiting`
/// - `Authenticating` → (preparing) → `Exchanging`
/// - `Exchanging`     → `Responded` → done, or `Authenticating` for another proof of possession
///   · `RequestFailed` → `Pausing` where nothing was sent, or done
/// - `Pausing`        → `Slept` → `Exchanging`
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct BrowserLogin {
    client: Box<Client>,
    state: State,
}

/// What does not change while a login runs.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Client {
    pub(crate) provider: Provider,
    pub(crate) endpoints: Endpoints,
    pub(crate) secret: SecretSource,
    pub(crate) seed: Seed,
    /// `forced_chatgpt_workspace_id`, announced to OpenAI so that the right account is offered.
    pub(crate) workspaces: Vec<String>,
    /// The key that the tokens shall be bound to.
    pub(crate) possession: Option<Possession>,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Listening,
    Pushing { step: Box<Pushing>, redirect_uri: String },
    Presenting { redirect_uri: String },
    Awaiting { redirect_uri: String, until: Timestamp },
    Refusing { redirect_uri: String, until: Timestamp },
    Authenticating { step: Box<Preparing>, code: Code },
    Exchanging { proof: Prepared, code: Code, attempt: u8 },
    Pausing { proof: Prepared, code: Code, attempt: u8 },
}

/// An authorization code on its way to the token endpoint.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
struct Code {
    code: Secret,
    redirect_uri: String,
    /// A browser waits for a page.
    browser_waits: bool,
}

/// How a browser login ends.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Arrived {
    /// The tokens, the wish for a device code, or what went wrong.
    pub(crate) result: Result<Arrival, Error>,
    /// A browser waits to be told.
    pub(crate) browser_waits: bool,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Arrival {
    Granted { set: TokenSet, endpoints: Endpoints },
    Switched(Endpoints),
}

impl BrowserLogin {
    /// Begins with the listener.
    pub(crate) fn start(client: Box<Client>) -> Step<Self> {
        let redirect = &client.provider.redirect;
        let listen = Listen { ports: redirect.ports.clone(), path: redirect.path.clone() };
        if client.endpoints.authorization.is_none() {
            let detail = alloc::format!("{} offers no browser login", client.provider.name);
            return Step::failed(Misused::NotApplicable { detail });
        }
        Step::perform(Self { client, state: State::Listening }, Effect::Listen(listen))
    }

    /// A login whose redirect comes back to a page that has been reloaded since.
    pub(crate) fn resumed(client: Box<Client>, redirect_uri: String, now: Timestamp) -> Step<Self> {
        let until = now.plus(PATIENCE);
        Box::new(Self { client, state: State::Listening }).awaiting(redirect_uri, until)
    }

    /// The redirect URI, while the browser is away.
    pub(crate) fn redirect_uri(&self) -> Option<&str> {
        match &self.state {
            State::Awaiting { redirect_uri, .. } => Some(redirect_uri),
            _ => None,
        }
    }

    fn at(mut self: Box<Self>, state: State) -> Box<Self> {
        self.state = state;
        self
    }

    fn awaiting(self: Box<Self>, redirect_uri: String, until: Timestamp) -> Step<Self> {
        Step::perform(self.at(State::Awaiting { redirect_uri, until }), Effect::Await { until })
    }

    fn judge(self: Box<Self>, redirect_uri: String, until: Timestamp, event: &Event, now: Timestamp) -> Step<Self> {
        let state = self.client.seed.text("state");
        let server = self.client.provider.host();
        let expected = Expected {
            redirect_uri: &redirect_uri,
            state: &state,
            issuer: &self.client.provider.issuer,
            server: &server,
            names_issuer: self.client.endpoints.names_issuer,
        };
        let (verdict, browser_waits) = match event {
            Event::Called(call) => (expected.judge_call(call), true),
            Event::Pasted(text) => (expected.judge_pasted(text), false),
            event => return Step::Done(Err(unexpected(event))),
        };
        match verdict {
            Verdict::Code(code) => self.authenticate(Code { code, redirect_uri, browser_waits }, now),
            Verdict::Failed(error) => arrived(Err(error), browser_waits),
            Verdict::Stray(page) if browser_waits => {
                Step::perform(self.at(State::Refusing { redirect_uri, until }), Effect::Reply(page))
                    .logged(LogLine::detail("a request that is not the answer to this login was refused"))
            }
            Verdict::Stray(_) => self
                .awaiting(redirect_uri, until)
                .logged(LogLine::notice("that is not the address of this login; copy the whole address of the page")),
        }
    }

    fn authenticate(self: Box<Self>, code: Code, now: Timestamp) -> Step<Self> {
        let Client { provider, endpoints, secret, seed, possession, .. } = &*self.client;
        let occasion = Occasion { audience: &endpoints.token, purpose: "exchange", seed, now };
        let step = Preparing::start(provider, secret, &occasion, possession.as_ref());
        self.authenticating(code, step)
    }

    fn authenticating(self: Box<Self>, code: Code, step: Step<Preparing>) -> Step<Self> {
        step.within(
            (self, code),
            |(machine, code), step| machine.at(State::Authenticating { step, code }),
            |(machine, code), result| match result {
                Ok(proof) => machine.exchange(proof, code, 1),
                Err(error) => arrived(Err(error), code.browser_waits),
            },
        )
    }

    fn exchange(self: Box<Self>, proof: Prepared, code: Code, attempt: u8) -> Step<Self> {
        let verifier = pkce::code_verifier(&self.client.seed);
        let parameters = [
            ("grant_type", "authorization_code"),
            ("code", code.code.expose()),
            ("redirect_uri", &code.redirect_uri),
            ("code_verifier", verifier.expose()),
        ];
        let mut request = proof.post(&self.client.provider, &self.client.endpoints.token, &parameters);
        // A code that is on its way is worth waiting for: its tokens exist already.
        request.interruptible = false;
        Step::perform(self.at(State::Exchanging { proof, code, attempt }), Effect::Http(request))
    }

    fn prepare(self: Box<Self>, redirect_uri: String, now: Timestamp) -> Step<Self> {
        if redirect_uri.is_empty() || redirect_uri.contains('#') {
            return Step::Done(Err(Error::value(
                "redirect URI",
                "it must be absolute and without a fragment (RFC 6749, section 3.1.2)",
            )));
        }
        let request = AuthorizationRequest::of(&self.client, &redirect_uri);
        if pushed_authorization::endpoint(&self.client).is_some() {
            let step = Pushing::start(&self.client, request, now);
            return self.pushing(redirect_uri, step);
        }
        let url = request.url(&self.client);
        self.present(redirect_uri, url)
    }

    fn pushing(self: Box<Self>, redirect_uri: String, step: Step<Pushing>) -> Step<Self> {
        step.within(
            (self, redirect_uri),
            |(machine, redirect_uri), step| machine.at(State::Pushing { step, redirect_uri }),
            |(machine, redirect_uri), result| match result {
                Ok(Pushed { url, expires_in }) => {
                    let line = alloc::format!("the address must be opened within {expires_in} seconds");
                    machine.present(redirect_uri, url).logged(LogLine::notice(line))
                }
                Err(error) => Step::Done(Err(error)),
            },
        )
    }

    fn present(self: Box<Self>, redirect_uri: String, authorization_url: Secret) -> Step<Self> {
        let can_switch = self.client.endpoints.device_authorization.is_some();
        let prompt = Prompt::Browser { authorization_url, redirect_uri: redirect_uri.clone(), can_switch };
        Step::perform(self.at(State::Presenting { redirect_uri }), Effect::Present(prompt))
    }
}

impl Machine for BrowserLogin {
    type Output = Arrived;

    fn step(mut self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
        match (core::mem::replace(&mut self.state, State::Listening), event) {
            (State::Listening, Event::Listening { redirect_uri }) => self.prepare(redirect_uri, now),
            (State::Listening, Event::ListenFailed { detail }) => Step::failed(Local::Listen { detail }),
            (State::Pushing { step, redirect_uri }, event) => self.pushing(redirect_uri, step.step(now, event)),
            (State::Presenting { redirect_uri }, Event::Presented) => self.awaiting(redirect_uri, now.plus(PATIENCE)),
            (State::Awaiting { .. }, Event::Switched) => {
                if self.client.endpoints.device_authorization.is_some() {
                    return arrived(Ok(Arrival::Switched(self.client.endpoints)), false);
                }
                let server = self.client.provider.host();
                arrived(Err(Refused::DeviceLoginDisabled { server }.into()), false)
            }
            (State::Awaiting { .. }, Event::TimedOut) => Step::failed(Declined::TimedOut),
            (State::Awaiting { .. } | State::Listening | State::Pausing { .. }, Event::Cancelled) => {
                Step::failed(Declined::Cancelled)
            }
            (State::Awaiting { redirect_uri, until }, event) => self.judge(redirect_uri, until, &event, now),
            (State::Refusing { redirect_uri, until }, Event::Replied) => self.awaiting(redirect_uri, until),
            (State::Authenticating { step, code }, event) => self.authenticating(code, step.step(now, event)),
            (State::Exchanging { code, .. }, Event::Responded(response)) => {
                // A code whose proof was refused was not looked at.
                if let Some(possession) = again(&self.client, &response, now) {
                    self.client.possession = Some(possession);
                    return self.authenticate(code, now);
                }
                let proven = self.client.possession.is_some();
                let tokens = token_response::tokens(&self.client.provider.host(), &response, proven);
                arrived(
                    tokens.map(|set| Arrival::Granted { set, endpoints: self.client.endpoints }),
                    code.browser_waits,
                )
            }
            (State::Exchanging { proof, code, attempt }, Event::RequestFailed(failure)) => {
                if failure.reach == Reach::NotSent && failure.variable.is_none() && attempt < ATTEMPTS {
                    let milliseconds = 1000_u64.saturating_mul(attempt.into());
                    let state = State::Pausing { proof, code, attempt: attempt.saturating_add(1) };
                    return Step::perform(self.at(state), Effect::Sleep { milliseconds });
                }
                arrived(Err(Error::unreached(self.client.provider.host(), failure)), code.browser_waits)
            }
            (State::Pausing { proof, code, attempt }, Event::Slept) => self.exchange(proof, code, attempt),
            (_, event) => Step::Done(Err(unexpected(&event))),
        }
    }
}

/// The key, with what its proof has lacked, where that was all.
pub(crate) fn again(client: &Client, response: &HttpResponse, now: Timestamp) -> Option<Possession> {
    client.possession.as_ref()?.again(response, now)
}

fn arrived(result: Result<Arrival, Error>, browser_waits: bool) -> Step<BrowserLogin> {
    Step::Done(Ok(Arrived { result, browser_waits }))
}
