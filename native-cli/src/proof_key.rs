//! The key pairs that tokens are bound to (RFC 9449): made here, kept in a store, used here.

use hallpass_core::{Event, Key, Place, Secret, Slot, StoreFailure, StoreTrouble};

use crate::signing::sign_with;
use crate::store::Stores;

/// Where a key lies, if it is one that is kept in a store.
pub(crate) fn slot(key: &Key) -> Option<Slot> {
    match key {
        Key::Client(_) => None,
        Key::Proof(place) => Some(Slot::Proof(*place)),
        Key::NewProof => Some(Slot::NewProof),
    }
}

/// The public half as a JWK; for a login a new pair. → `Loaded`, `StoreFailed`
pub(crate) fn load(stores: &mut Stores, slot: Slot) -> Event {
    if slot == Slot::NewProof {
        let Some(made) = pair::generate() else { return Event::Loaded(None) };
        if let failed @ Event::StoreFailed(_) = stores.save(slot, &made) {
            return failed;
        }
    }
    match stores.load(slot) {
        Event::Loaded(Some(pem)) => match pair::public(&pem) {
            Some(jwk) => Event::Loaded(Some(jwk)),
            None => Event::StoreFailed(failure("there is no ES256 key in it")),
        },
        answer => answer,
    }
}

/// Keeps the pair with this public half in a place, wherever else it lies. → `Saved`, `StoreFailed`
pub(crate) fn keep(stores: &mut Stores, place: Place, jwk: &Secret) -> Event {
    let others = [Place::File, Place::Keyring, Place::Ephemeral].map(Slot::Proof);
    for slot in [Slot::NewProof].into_iter().chain(others) {
        let Event::Loaded(Some(pem)) = stores.load(slot) else { continue };
        if pair::public(&pem).as_ref() != Some(jwk) {
            continue;
        }
        let saved = stores.save(Slot::Proof(place), &pem);
        if slot == Slot::NewProof && saved == Event::Saved {
            stores.remove(slot);
        }
        return saved;
    }
    Event::StoreFailed(failure("the key is nowhere to be found"))
}

/// Signs with a key that is kept in a store. → `Signed`, `SignFailed`
pub(crate) fn sign(stores: &mut Stores, slot: Slot, algorithm: &str, input: &Secret) -> Event {
    let signed = match stores.load(slot) {
        Event::Loaded(Some(pem)) => sign_with(&pem, algorithm, input),
        Event::StoreFailed(failure) => Err(failure.detail),
        _ => Err("it is gone".to_owned()),
    };
    signed.map_or_else(|detail| Event::SignFailed { detail }, Event::Signed)
}

fn failure(detail: &str) -> StoreFailure {
    StoreFailure { kind: StoreTrouble::Unreadable, detail: format!("the key of the tokens: {detail}") }
}

#[cfg(not(feature = "tls"))]
mod pair {
    use hallpass_core::Secret;

    pub(super) fn generate() -> Option<Secret> {
        None
    }

    pub(super) fn public(_: &Secret) -> Option<Secret> {
        None
    }
}

#[cfg(feature = "tls")]
mod pair {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use hallpass_core::Secret;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    use zeroize::Zeroizing;

    use crate::signing::private_key;

    /// A new P-256 pair, as PKCS #8 in PEM.
    pub(super) fn generate() -> Option<Secret> {
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).ok()?;
        let packed = Zeroizing::new(STANDARD.encode(made.as_ref()));
        let mut pem = Zeroizing::new("-----BEGIN PRIVATE KEY-----\n".to_owned());
        let mut rest = packed.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(64));
            pem.push_str(line);
            pem.push('\n');
            rest = after;
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        Some(Secret::new(pem.as_str()))
    }

    /// The public half of a P-256 pair, with its members in the order of RFC 7638.
    pub(super) fn public(pem: &Secret) -> Option<Secret> {
        let pkcs8 = private_key(pem).ok()?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8, &SystemRandom::new()).ok()?;
        // An uncompressed point: 4, then the two coordinates (SEC 1, section 2.3.3).
        let (x, y) = pair.public_key().as_ref().get(1..)?.split_at_checked(32)?;
        let encode = |coordinate: &[u8]| URL_SAFE_NO_PAD.encode(coordinate);
        Some(Secret::new(format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, encode(x), encode(y))))
    }
}
