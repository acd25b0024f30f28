//! Entropy, given once and expanded by label.

use core::fmt;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::Secret;
use crate::base64url;

/// The 32 random bytes with which a flow starts. Everything a flow needs that must not be guessed is
/// `SHA-256(seed ‖ label)`, so a flow is a function of its inputs and can be replayed.
#[derive(Clone, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Seed([u8; 32]);

impl Seed {
    /// Takes 32 bytes from the operating system's generator (or a test's).
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// 32 bytes that belong to `label` alone.
    pub(crate) fn bytes(&self, label: &str) -> [u8; 32] {
        Sha256::new().chain_update(self.0).chain_update(label).finalize().into()
    }

    /// 43 characters of base64url that belong to `label` alone: 256 bits.
    pub(crate) fn text(&self, label: &str) -> Secret {
        Secret::new(base64url::encode(self.bytes(label)))
    }

    /// A number below `bound` that belongs to `label` alone (0 for a `bound` of 0).
    pub(crate) fn below(&self, label: &str, bound: u64) -> u64 {
        let [a, b, c, d, ..] = self.bytes(label);
        u64::from(u32::from_le_bytes([a, b, c, d])).checked_rem(bound).unwrap_or(0)
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Seed(…)")
    }
}

#[cfg(feature = "zeroize")]
impl Drop for Seed {
    fn drop(&mut self) {
        crate::secret::overwrite(&mut self.0);
    }
}
