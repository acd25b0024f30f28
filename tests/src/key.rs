//! Private keys, made from fixed seeds so that what they sign is always the same: a client's, and those that tokens are
//! bound to.

use hallpass::authorization_server::PublicKey;
use hallpass_core::{Event, Key, Secret};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

/// The name under which a configuration finds it.
pub const NAME: &str = "client.pem";

fn pair() -> Ed25519KeyPair {
    pair_of(5)
}

fn pair_of(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("32 bytes are a seed")
}

/// The public half, as a JWK, of the key that is made from this seed.
pub fn jwk(seed: u8) -> Secret {
    let x = base64url(pair_of(seed).public_key().as_ref());
    format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#).into()
}

/// Signs with the key whose public half is this JWK.
pub(crate) fn prove(public: &str, algorithm: &str, input: &Secret) -> Event {
    match (100..200).find(|seed| jwk(*seed).expose() == public).filter(|_| algorithm == "EdDSA") {
        Some(seed) => Event::Signed(base64url(pair_of(seed).sign(input.expose().as_bytes()).as_ref()).into()),
        None => Event::SignFailed { detail: "there is no such key".to_owned() },
    }
}

/// What the authorization server checks signatures with.
pub fn public() -> PublicKey {
    PublicKey::Ed25519(pair().public_key().as_ref().to_vec())
}

pub(crate) fn sign(key: &Key, algorithm: &str, input: &Secret) -> Event {
    let Key::Client(name) = key else {
        return Event::SignFailed { detail: "that key lies in a store".to_owned() };
    };
    if name != NAME || algorithm != "EdDSA" {
        return Event::SignFailed { detail: format!("there is no {algorithm} key `{name}`") };
    }
    let signature = pair().sign(input.expose().as_bytes());
    Event::Signed(base64url(signature.as_ref()).into())
}

/// base64url without padding.
pub fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
