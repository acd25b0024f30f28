//! The key pairs that tokens are bound to (RFC 9449): made here, kept in a store, used here.

use hallpass_core::{Event, Key, Place, Secret, Slot, StoreFailure, StoreTrouble};

use zeroize::Zeroizing;

use crate::signing::sign_with;
use crate::store::Stores;

/// So many keys are kept in a place: the one of the session, and the one before it until the session is saved.
const KEPT: usize = 2;

/// The public half, as a JWK, of the key that was kept last; for a login a new pair. → `Loaded`, `StoreFailed`
pub(crate) fn load(stores: &mut Stores, slot: Slot) -> Event {
    if slot == Slot::NewProof {
        let Some(made) = pair::generate() else { return Event::Loaded(None) };
        if let failed @ Event::StoreFailed(_) = stores.save(slot, &made) {
            return failed;
        }
    }
    match stores.load(slot) {
        Event::Loaded(Some(text)) => Event::Loaded(keys(&text).first().and_then(pair::public)),
        answer => answer,
    }
}

/// Keeps the pair with this public half in a place, wherever else it lies, beside the one before. → `Saved`,
/// `StoreFailed`
pub(crate) fn keep(stores: &mut Stores, place: Place, public: &Secret) -> Event {
    let others = [Place::File, Place::Keyring, Place::Ephemeral].map(Slot::Proof);
    for slot in [Slot::NewProof].into_iter().chain(others) {
        let Some(key) = find(stores, slot, public) else { continue };
        let kept = match stores.load(Slot::Proof(place)) {
            Event::Loaded(Some(text)) => keys(&text),
            _ => Vec::new(),
        };
        let others: Vec<_> = kept.into_iter().filter(|other| *other != key).collect();
        let mut text = Zeroizing::new(String::new());
        for key in [key].into_iter().chain(others).take(KEPT) {
            text.push_str(key.expose());
            text.push('\n');
        }
        let saved = stores.save(Slot::Proof(place), &Secret::new(text.as_str()));
        if slot == Slot::NewProof && saved == Event::Saved {
            stores.remove(slot);
        }
        return saved;
    }
    let detail = "the key of the tokens is nowhere to be found".to_owned();
    Event::StoreFailed(StoreFailure { kind: StoreTrouble::Other, detail })
}

/// Signs with a key that is kept in a store; `None` where it is not such a key. → `Signed`, `SignFailed`
pub(crate) fn sign(stores: &mut Stores, key: &Key, algorithm: &str, input: &Secret) -> Option<Event> {
    let found = match key {
        Key::Client(_) => return None,
        Key::Proof { place, public } => find(stores, Slot::Proof(*place), &public.as_str().into()),
        Key::NewProof => match stores.load(Slot::NewProof) {
            Event::Loaded(text) => text,
            _ => None,
        },
    };
    let signed = found.ok_or_else(|| "it is not here".to_owned()).and_then(|key| sign_with(&key, algorithm, input));
    Some(signed.map_or_else(|detail| Event::SignFailed { detail }, Event::Signed))
}

/// The pair with this public half.
fn find(stores: &mut Stores, slot: Slot, public: &Secret) -> Option<Secret> {
    let Event::Loaded(Some(text)) = stores.load(slot) else { return None };
    keys(&text).into_iter().find(|key| pair::public(key).as_ref() == Some(public))
}

const END: &str = "-----END PRIVATE KEY-----";

/// The keys in a text, one PEM after another, the one that was kept last first.
fn keys(text: &Secret) -> Vec<Secret> {
    let keys = text.expose().split_inclusive(END).map(str::trim).filter(|key| key.ends_with(END));
    keys.map(Secret::new).collect()
}

#[cfg(not(feature = "signing"))]
mod pair {
    use hallpass_core::Secret;

    pub(super) fn generate() -> Option<Secret> {
        None
    }

    pub(super) fn public(_: &Secret) -> Option<Secret> {
        None
    }
}

#[cfg(feature = "signing")]
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
