//! Signatures that others verify.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass::signing::sign;
use hallpass_core::{Event, Key, Secret};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SignatureAlgorithm};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaKeyPair,
    UnparsedPublicKey, VerificationAlgorithm,
};

use crate::servers::scratch;

const INPUT: &str = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJjYW5hcnkifQ";
/// Made for this test alone.
const RSA: &str = include_str!("rsa.pem");

fn file(name: &str, contents: &str) -> Key {
    let path = scratch(name);
    std::fs::write(&path, contents).expect("a file");
    Key::Client(path.display().to_string())
}

fn generated(name: &str, algorithm: &'static SignatureAlgorithm) -> (Key, Vec<u8>) {
    let pair = KeyPair::generate_for(algorithm).expect("a key");
    (file(name, &pair.serialize_pem()), pair.public_key_raw().to_vec())
}

fn verify(key: &Key, public: &[u8], name: &str, algorithm: &'static dyn VerificationAlgorithm) -> usize {
    let Event::Signed(signature) = sign(key, name, &Secret::from(INPUT)) else { panic!("{name}") };
    let signature = URL_SAFE_NO_PAD.decode(signature.expose()).expect("base64url without padding");
    let public = UnparsedPublicKey::new(algorithm, public);
    public.verify(INPUT.as_bytes(), &signature).expect("a good signature");
    assert!(public.verify(b"something else", &signature).is_err());
    signature.len()
}

fn refused(key: &Key, algorithm: &str) -> String {
    match sign(key, algorithm, &Secret::from(INPUT)) {
        Event::SignFailed { detail } => detail,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_algorithm_makes_signatures_that_verify() {
    let (key, public) = generated("ec.pem", &PKCS_ECDSA_P256_SHA256);
    assert_eq!(verify(&key, &public, "ES256", &ECDSA_P256_SHA256_FIXED), 64);
    let (key, public) = generated("ed.pem", &PKCS_ED25519);
    assert_eq!(verify(&key, &public, "EdDSA", &ED25519), 64);
    let inside: String = RSA.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(inside).expect("PEM");
    let pair = RsaKeyPair::from_pkcs8(&der).expect("a key");
    let key = file("rsa.pem", RSA);
    assert_eq!(verify(&key, pair.public_key().as_ref(), "RS256", &RSA_PKCS1_2048_8192_SHA256), 256);
    assert_eq!(verify(&key, pair.public_key().as_ref(), "PS256", &RSA_PSS_2048_8192_SHA256), 256);
}

#[test]
fn wrong_keys_are_refused_without_showing_them() {
    let rsa = file("only-rsa.pem", RSA);
    let (other_curve, _) = generated("p384.pem", &PKCS_ECDSA_P384_SHA384);
    let inside = RSA.lines().nth(1).expect("a line");
    for (key, algorithm, words) in [
        (&rsa, "ES256", "cannot be used for ES256"),
        (&rsa, "EdDSA", "cannot be used for EdDSA"),
        (&other_curve, "ES256", "cannot be used for ES256"),
        (&other_curve, "RS256", "cannot be used for RS256"),
        (&rsa, "none", "none of"),
        (&rsa, "HS256", "none of"),
        (&Key::Client("/nowhere/key.pem".into()), "ES256", "/nowhere/key.pem"),
        (&file("empty.pem", ""), "ES256", "no private key"),
        (
            &file("old.pem", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"),
            "RS256",
            "openssl pkcs8",
        ),
        (&file("broken.pem", &RSA.replacen("MII", "M!!", 1)), "RS256", "no proper PEM"),
    ] {
        let detail = refused(key, algorithm);
        assert!(detail.contains(words) && !detail.contains(inside), "{detail}");
    }
}
