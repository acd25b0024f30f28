//! Getting ready for a request to the token endpoint: which client asks, and that it holds the key of its tokens.

use alloc::boxed::Box;
use serde::{Deserialize, Serialize};

use crate::authenticating::{Authenticating, ClientProof, Occasion, SecretSource};
use crate::dpop::{Possession, Target};
use crate::{Event, HttpRequest, Local, Machine, Provider, Secret, Seed, Step, Timestamp, unexpected};

use alloc::format;
use alloc::string::{String, ToString};

/// Client authentication, then a proof of possession where the tokens are bound to a key.
///
/// - `Authenticating` → (client authentication) → `Signing`, or done where nothing is bound
/// - `Signing`        → `Signed` → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Preparing {
    possession: Option<Possession>,
    url: String,
    /// What no other proof with this key has.
    id: Secret,
    state: State,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Authenticating(Box<Authenticating>),
    Signing { client: ClientProof, input: Secret },
}

/// What goes with a request.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Prepared {
    client: ClientProof,
    /// The `DPoP` header.
    dpop: Option<Secret>,
}

impl Preparing {
    /// Begins; the request goes to the audience of `occasion`.
    pub(crate) fn start(
        provider: &Provider,
        secret: &SecretSource,
        occasion: &Occasion<'_>,
        possession: Option<&Possession>,
    ) -> Step<Self> {
        let Occasion { audience, purpose, seed, now } = *occasion;
        // A request that is made again must not repeat what may be shown once.
        let purpose = possession.map_or_else(|| purpose.to_string(), |possession| possession.occasion(purpose));
        let id = proof_id(seed, &purpose, now);
        let occasion = Occasion { audience, purpose: &purpose, seed, now };
        let step = Authenticating::start(provider, secret, &occasion);
        Self::authenticating(possession.cloned(), audience.into(), id, step, now)
    }

    fn authenticating(
        possession: Option<Possession>,
        url: String,
        id: Secret,
        step: Step<Authenticating>,
        now: Timestamp,
    ) -> Step<Self> {
        step.within(
            (possession, url, id),
            |(possession, url, id), step| Self { possession, url, id, state: State::Authenticating(step) },
            |(possession, url, id), result| match (result, possession) {
                (Ok(client), Some(possession)) => {
                    let target = Target { method: "POST", url: &url, id: id.expose(), access_token: None };
                    let input = possession.signing_input(&target, now);
                    let effect = possession.sign(input.clone());
                    let state = State::Signing { client, input };
                    Step::perform(Self { possession: Some(possession), url, id, state }, effect)
                }
                (Ok(client), None) => Step::Done(Ok(Prepared { client, dpop: None })),
                (Err(error), _) => Step::Done(Err(error)),
            },
        )
    }
}

impl Machine for Preparing {
    type Output = Prepared;

    fn step(self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
        let Self { possession, url, id, state } = *self;
        match (state, event) {
            (State::Authenticating(step), event) => {
                Self::authenticating(possession, url, id, step.step(now, event), now)
            }
            (State::Signing { client, input }, Event::Signed(signature)) => {
                Step::Done(Ok(Prepared { client, dpop: Some(signed(&input, &signature)) }))
            }
            (State::Signing { .. }, Event::SignFailed { detail }) => Step::failed(Local::ProofKey { detail }),
            (State::Signing { .. }, event) => Step::Done(Err(unexpected(&event))),
        }
    }
}

impl Prepared {
    /// The client's secret, where that is what it proves itself with.
    pub(crate) fn shared_secret(&self) -> Option<&Secret> {
        self.client.shared_secret()
    }

    /// A `POST` of `parameters` by this client, with its proof of possession.
    pub(crate) fn post(&self, provider: &Provider, url: &str, parameters: &[(&str, &str)]) -> HttpRequest {
        let mut request = self.client.post(provider, url, parameters);
        request.headers.extend(self.dpop.clone().map(|proof| ("dpop".into(), proof)));
        request
    }
}

/// The `jti` of a proof.
pub(crate) fn proof_id(seed: &Seed, purpose: &str, now: Timestamp) -> Secret {
    seed.text(&format!("dpop/{purpose}/{}", now.milliseconds()))
}

/// A JWS in compact form.
pub(crate) fn signed(input: &Secret, signature: &Secret) -> Secret {
    Secret::new(format!("{}.{}", input.expose(), signature.expose()))
}
