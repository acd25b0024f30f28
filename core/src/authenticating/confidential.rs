//! Client authentication where a client may have a secret or a key (RFC 6749, section 2.3; RFC 7523).

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{Occasion, SecretSource, named};
use crate::base64url;
use crate::json::quoted;
use crate::{
    ClientAuthentication, Effect, Event, HttpRequest, Key, Local, Machine, Provider, Secret, Slot, Step, Timestamp,
    form, unexpected,
};

/// An assertion is good for so long, in seconds.
const ASSERTION_LIFETIME: i64 = 120;

/// Gathers what a client proves itself with: nothing, its secret, or a signed assertion (RFC 7523).
///
/// - `Loading`  → `Loaded` → done
/// - `Signing`  → `Signed` → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) enum Authenticating {
    Loading { basic: bool },
    Signing { input: Secret },
}

/// What a client proves itself with.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) enum ClientProof {
    #[default]
    None,
    SecretPost(Secret),
    SecretBasic(Secret),
    Assertion(Secret),
}

impl Authenticating {
    /// Begins.
    pub(crate) fn start(provider: &Provider, secret: &SecretSource, occasion: &Occasion<'_>) -> Step<Self> {
        let basic = provider.client_authentication == ClientAuthentication::ClientSecretBasic;
        match (&provider.client_authentication, secret) {
            (ClientAuthentication::None, _) => Step::Done(Ok(ClientProof::None)),
            (
                ClientAuthentication::ClientSecretPost | ClientAuthentication::ClientSecretBasic,
                SecretSource::Given(secret),
            ) => match secret {
                Some(secret) => Step::Done(Ok(ClientProof::secret(secret.clone(), basic))),
                None => Step::failed(Local::NoClientSecret),
            },
            (
                ClientAuthentication::ClientSecretPost | ClientAuthentication::ClientSecretBasic,
                SecretSource::Stored(place),
            ) => Step::perform(Self::Loading { basic }, Effect::Load(Slot::Client(*place))),
            (ClientAuthentication::PrivateKeyJwt { algorithm, key_id, key }, _) => {
                let input = signing_input(provider, algorithm, key_id.as_deref(), occasion);
                let effect =
                    Effect::Sign { key: Key::Client(key.clone()), algorithm: algorithm.clone(), input: input.clone() };
                Step::perform(Self::Signing { input }, effect)
            }
        }
    }
}

impl Authenticating {
    /// Signs something that is sent nowhere, where the client has a key: one that cannot be used is better found out
    /// before a person has signed in than after.
    pub(crate) fn rehearse(provider: &Provider) -> Step<Self> {
        let ClientAuthentication::PrivateKeyJwt { algorithm, key, .. } = &provider.client_authentication else {
            return Step::Done(Ok(ClientProof::None));
        };
        let input = Secret::new("rehearsal");
        let effect = Effect::Sign { key: Key::Client(key.clone()), algorithm: algorithm.clone(), input: input.clone() };
        Step::perform(Self::Signing { input }, effect)
    }
}

impl Machine for Authenticating {
    type Output = ClientProof;

    fn step(self: Box<Self>, _: Timestamp, event: Event) -> Step<Self> {
        match (*self, event) {
            (Self::Loading { basic }, Event::Loaded(Some(secret))) => {
                Step::Done(Ok(ClientProof::secret(secret, basic)))
            }
            (Self::Loading { .. }, Event::Loaded(None)) => Step::failed(Local::NoClientSecret),
            (Self::Loading { .. }, Event::StoreFailed(failure)) => Step::failed(failure),
            (Self::Signing { input }, Event::Signed(signature)) => {
                let assertion = format!("{}.{}", input.expose(), signature.expose());
                Step::Done(Ok(ClientProof::Assertion(assertion.into())))
            }
            (Self::Signing { .. }, Event::SignFailed { detail }) => Step::failed(Local::Key { detail }),
            (_, event) => Step::Done(Err(unexpected(&event))),
        }
    }
}

impl ClientProof {
    fn secret(secret: Secret, basic: bool) -> Self {
        if basic { Self::SecretBasic(secret) } else { Self::SecretPost(secret) }
    }

    /// The client's secret, where that is what it proves itself with.
    pub(crate) fn shared_secret(&self) -> Option<&Secret> {
        match self {
            Self::SecretPost(secret) | Self::SecretBasic(secret) => Some(secret),
            Self::None | Self::Assertion(_) => None,
        }
    }

    /// A `POST` of `parameters` by this client to an endpoint of `provider`. `client_id` is put where it
    /// belongs (RFC 6749, sections 2.3.1 and 4.1.3), right after the first parameter as Codex has it.
    pub(crate) fn post(&self, provider: &Provider, url: &str, parameters: &[(&str, &str)]) -> HttpRequest {
        let mut all = match self {
            Self::SecretBasic(_) => parameters.to_vec(),
            _ => named(provider, parameters),
        };
        let mut headers = Vec::new();
        match self {
            Self::None => {}
            Self::SecretPost(secret) => all.push(("client_secret", secret.expose())),
            Self::SecretBasic(secret) => headers.push(("authorization".into(), basic(&provider.client_id, secret))),
            Self::Assertion(assertion) => {
                all.push(("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
                all.push(("client_assertion", assertion.expose()));
            }
        }
        form::post(url, &all, headers)
    }
}

/// HTTP Basic with form-encoded parts (RFC 6749, section 2.3.1).
fn basic(client_id: &str, secret: &Secret) -> Secret {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Secret::new(format!("{}:{}", encode(client_id), encode(secret.expose())));
    Secret::new(format!("Basic {}", STANDARD.encode(pair.expose())))
}

/// Header and claims of a client assertion (RFC 7523, section 3), ready to be signed.
fn signing_input(provider: &Provider, algorithm: &str, key_id: Option<&str>, occasion: &Occasion<'_>) -> Secret {
    let header = match key_id {
        Some(key_id) => format!(r#"{{"alg":{},"kid":{},"typ":"JWT"}}"#, quoted(algorithm), quoted(key_id)),
        None => format!(r#"{{"alg":{},"typ":"JWT"}}"#, quoted(algorithm)),
    };
    let client_id = quoted(&provider.client_id);
    let issued_at = occasion.now.milliseconds().div_euclid(1000);
    let claims = format!(
        r#"{{"iss":{client_id},"sub":{client_id},"aud":{},"jti":{},"iat":{issued_at},"exp":{}}}"#,
        quoted(occasion.audience),
        quoted(occasion.seed.text(&format!("jti/{}/{}", occasion.purpose, occasion.now.milliseconds())).expose()),
        issued_at.saturating_add(ASSERTION_LIFETIME),
    );
    Secret::new(format!("{}.{}", base64url::encode(header), base64url::encode(claims)))
}
