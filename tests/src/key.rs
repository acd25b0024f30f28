//! A client's private key, made from a fixed seed so that what it signs is always the same.

use hallpass::authorization_server::PublicKey;
use hallpass_core::{Event, Key, Secret};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

/// The name under which a configuration finds it.
pub const NAME: &str = "client.pem";

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[5; 32]).expect("32 bytes are a seed")
}

/// What the authorization server checks signatures with.
pub fn public() -> PublicKey {
    PublicKey::Ed25519(pair().public_key().as_ref().to_vec())
}

pub(crate) fn sign(key: &Key, algorithm: &str, input: &Secret) -> Event {
    let Key::Client(name) = key;
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
