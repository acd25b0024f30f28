//! Signs with keys that stay here.

use hallpass_core::{Event, Key, Secret};

/// Signs `input` with a key, by an algorithm of RFC 7518 or RFC 8037: `ES256`, `EdDSA` (Ed25519), `RS256` or `PS256`.
///
/// A client's key is a file with one PKCS#8 private key in PEM. The answer is `Signed` with the signature in the form of
/// a JWS (base64url; for ES256 the 64 bytes of RFC 7518, section 3.4), or `SignFailed`: also for a key that lies in a
/// store, which the shell signs with.
pub fn sign(key: &Key, algorithm: &str, input: &Secret) -> Event {
    let Key::Client(path) = key else {
        return Event::SignFailed { detail: "that key is not kept in a file of its own".into() };
    };
    match ours::read(path).and_then(|text| ours::sign(&text, algorithm, input)) {
        Ok(signature) => Event::Signed(signature),
        Err(why) => Event::SignFailed { detail: format!("{path}: {why}") },
    }
}

#[cfg(feature = "signing")]
pub(crate) use ours::private_key;
pub(crate) use ours::sign as sign_with;

#[cfg(not(feature = "signing"))]
mod ours {
    use hallpass_core::Secret;

    pub(super) fn read(_: &str) -> Result<Secret, String> {
        Err("this build of Hallpass cannot sign".into())
    }

    pub(crate) fn sign(_: &Secret, _: &str, _: &Secret) -> Result<Secret, String> {
        Err("this build of Hallpass cannot sign".into())
    }
}

#[cfg(feature = "signing")]
mod ours {
    use std::fs::File;
    use std::io::Read;

    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use hallpass_core::Secret;
    use ring::rand::SystemRandom;
    use ring::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
        RsaKeyPair,
    };
    use zeroize::Zeroizing;

    /// The largest key file.
    const MOST: u64 = 64 * 1024;

    /// Signs with the key in this PEM.
    pub(crate) fn sign(pem: &Secret, algorithm: &str, input: &Secret) -> Result<Secret, String> {
        let input = input.expose().as_bytes();
        let random = SystemRandom::new();
        let misfit = |error: ring::error::KeyRejected| format!("this key cannot be used for {algorithm} ({error})");
        let failed = |_| format!("signing with {algorithm} failed");
        let rsa = |encoding: &'static dyn RsaEncoding| {
            let pair = RsaKeyPair::from_pkcs8(&private_key(pem)?).map_err(misfit)?;
            let mut signature = vec![0; pair.public().modulus_len()];
            pair.sign(encoding, &random, input, &mut signature).map_err(failed)?;
            Ok::<_, String>(signature)
        };
        let signature = match algorithm {
            "ES256" => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &private_key(pem)?, &random)
                .map_err(misfit)?
                .sign(&random, input)
                .map_err(failed)?
                .as_ref()
                .to_vec(),
            "EdDSA" => Ed25519KeyPair::from_pkcs8_maybe_unchecked(&private_key(pem)?)
                .map_err(misfit)?
                .sign(input)
                .as_ref()
                .to_vec(),
            "RS256" => rsa(&RSA_PKCS1_SHA256)?,
            "PS256" => rsa(&RSA_PSS_SHA256)?,
            _ => return Err("the algorithm is none of ES256, EdDSA, RS256, PS256".into()),
        };
        Ok(Secret::new(URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The text of a key file.
    pub(super) fn read(path: &str) -> Result<Secret, String> {
        let mut text = Zeroizing::new(String::new());
        let file = File::open(path).map_err(|error| format!("the key cannot be read ({error})"))?;
        file.take(MOST).read_to_string(&mut text).map_err(|error| format!("the key cannot be read ({error})"))?;
        Ok(Secret::new(text.as_str()))
    }

    /// The bytes of the one private key in a PEM.
    pub(crate) fn private_key(pem: &Secret) -> Result<Zeroizing<Vec<u8>>, String> {
        let text = pem.expose();
        let inside = |label: &str| {
            let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
            rest.split_once(&format!("-----END {label}-----")).map(|(inside, _)| inside)
        };
        let Some(inside) = inside("PRIVATE KEY") else {
            return Err(if text.contains("PRIVATE KEY-----") {
                "the key must be in unencrypted PKCS#8 (`openssl pkcs8 -topk8 -nocrypt -in KEY` converts it)".into()
            } else {
                "there is no private key in it".into()
            });
        };
        let packed = Zeroizing::new(inside.chars().filter(|c| !c.is_whitespace()).collect::<String>());
        STANDARD.decode(packed.as_bytes()).map(Zeroizing::new).map_err(|_| "the key is no proper PEM".into())
    }
}
