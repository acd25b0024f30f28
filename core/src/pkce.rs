//! Proof Key for Code Exchange, S256 only (RFC 7636).

use alloc::string::String;
use sha2::{Digest as _, Sha256};

use crate::base64url;
use crate::secret::overwrite;
use crate::{Secret, Seed};

/// A code verifier of 86 characters, the base64url of 64 bytes (RFC 7636, section 4.1; as long as Codex's).
pub(crate) fn code_verifier(seed: &Seed) -> Secret {
    let mut bytes = [0; 64];
    let (first, second) = bytes.split_at_mut(32);
    first.copy_from_slice(&seed.bytes("code_verifier/1"));
    second.copy_from_slice(&seed.bytes("code_verifier/2"));
    let verifier = Secret::new(base64url::encode(bytes));
    overwrite(&mut bytes);
    verifier
}

/// The S256 challenge of a verifier (RFC 7636, section 4.2).
pub(crate) fn code_challenge(verifier: &Secret) -> String {
    base64url::encode(Sha256::digest(verifier.expose()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vector_of_rfc_7636_appendix_b() {
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(code_challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn a_verifier_is_86_unreserved_characters_and_new_for_each_seed() {
        let verifier = code_verifier(&Seed::new([1; 32]));
        assert_eq!(verifier.len(), 86);
        assert!(verifier.expose().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        assert_ne!(verifier, code_verifier(&Seed::new([2; 32])));
    }
}
