//! Identifiers and secrets, all derived from one seed.

use std::collections::BTreeMap;
use std::hash::Hash;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of a secret: how the server remembers what it handed out.
pub(super) type Digest = [u8; 32];

pub(super) fn digest(secret: &str) -> Digest {
    Sha256::digest(secret.as_bytes()).into()
}

pub(super) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// `BASE64URL(SHA256(ASCII(verifier)))` (RFC 7636, section 4.2).
pub(super) fn code_challenge(verifier: &str) -> String {
    base64url(&digest(verifier))
}

/// The next value for a label is `SHA-256(seed || label || 0 || count)`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Mint {
    seed: [u8; 32],
    canary: String,
    counts: BTreeMap<&'static str, u64>,
}

impl Mint {
    pub(super) fn new(seed: [u8; 32], canary: &str) -> Self {
        Self { seed, canary: canary.to_owned(), counts: BTreeMap::new() }
    }

    /// A seed for a key: the same for the life of the server.
    pub(super) fn fixed(&self, label: &str) -> [u8; 32] {
        self.derive(label, 0)
    }

    /// A secret: the prefix, the canary, and 256 bits in base64url.
    pub(super) fn secret(&mut self, prefix: &str, label: &'static str) -> String {
        let bytes = self.next(label);
        format!("{prefix}{}{}", self.canary, base64url(&bytes))
    }

    /// Characters of `alphabet`, for a person to type.
    pub(super) fn letters(&mut self, label: &'static str, alphabet: &str, count: usize) -> String {
        let bytes = self.next(label);
        let alphabet: Vec<char> = alphabet.chars().collect();
        bytes
            .chunks(2)
            .take(count)
            .filter_map(|pair| {
                let number = pair.iter().fold(0_usize, |sum, byte| sum * 256 + usize::from(*byte));
                alphabet.get(number % alphabet.len().max(1))
            })
            .collect()
    }

    fn next(&mut self, label: &'static str) -> [u8; 32] {
        let count = self.counts.entry(label).or_insert(0);
        *count += 1;
        let count = *count;
        self.derive(label, count)
    }

    fn derive(&self, label: &str, count: u64) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.seed)
            .chain_update(label.as_bytes())
            .chain_update([0])
            .chain_update(count.to_be_bytes())
            .finalize()
            .into()
    }
}
