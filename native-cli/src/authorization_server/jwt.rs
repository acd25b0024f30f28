//! JSON Web Tokens: signing ours with Ed25519, checking those of clients.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, Ed25519KeyPair, KeyPair as _};
use ring::signature::{UnparsedPublicKey, VerificationAlgorithm};
use serde_json::{Value, json};

use super::mint::{base64url, digest};
use super::options::PublicKey;

/// The server's signing key, derived from its seed.
pub(super) struct SigningKey {
    pair: Option<Ed25519KeyPair>,
}

impl SigningKey {
    pub(super) fn of_seed(seed: &[u8; 32]) -> Self {
        Self { pair: Ed25519KeyPair::from_seed_unchecked(seed).ok() }
    }

    /// The public key in the form of RFC 8037, section 2.
    pub(super) fn jwk(&self) -> Value {
        let x = base64url(&self.public_key());
        json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.id(), "x": x})
    }

    pub(super) fn public_key(&self) -> Vec<u8> {
        let key = self.pair.as_ref().map(|pair| pair.public_key().as_ref());
        key.unwrap_or_default().to_vec()
    }

    /// A JWS in compact form (RFC 7515, section 7.1) over `claims`.
    pub(super) fn sign(&self, kind: &str, claims: &Value) -> String {
        let header = json!({"alg": "EdDSA", "typ": kind, "kid": self.id()});
        let header = base64url(header.to_string().as_bytes());
        let payload = base64url(claims.to_string().as_bytes());
        let signed = format!("{header}.{payload}");
        let signature = self.pair.as_ref().map(|pair| pair.sign(signed.as_bytes()));
        let signature = signature.map(|found| base64url(found.as_ref()));
        format!("{signed}.{}", signature.unwrap_or_default())
    }

    /// The thumbprint of the key (RFC 7638, with the members of RFC 8037).
    fn id(&self) -> String {
        let x = base64url(&self.public_key());
        let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
        base64url(&digest(&members))
    }
}

/// The claims of `token`, if `key` signed it with the algorithm that belongs to the key.
pub(super) fn verify(token: &str, key: &PublicKey) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let header: Value = serde_json::from_slice(&decode(header)?).ok()?;
    let (name, algorithm, key): (_, &dyn VerificationAlgorithm, _) = match key {
        PublicKey::Ed25519(key) => ("EdDSA", &ED25519, key),
        PublicKey::P256(key) => ("ES256", &ECDSA_P256_SHA256_FIXED, key),
    };
    if header.get("alg").and_then(Value::as_str) != Some(name) || header.get("crit").is_some() {
        return None;
    }
    UnparsedPublicKey::new(algorithm, key).verify(signed.as_bytes(), &decode(signature)?).ok()?;
    claims(payload)
}

/// The claims in the middle part of a JWT.
pub(super) fn claims(payload: &str) -> Option<Value> {
    serde_json::from_slice(&decode(payload)?).ok()
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
