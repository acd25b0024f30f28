//! The key that a session's tokens are bound to (RFC 9449).

use super::Held;
use crate::dpop::{Possession, PublicKey};
use crate::{Error, Key, LoginRequired, Secret};

impl Held {
    /// Whether the tokens are bound to a key.
    ///
    /// # Errors
    /// When there is no record, or it cannot be read.
    pub(crate) fn is_bound(&self) -> Result<bool, Error> {
        Ok(self.record()?.tokens().is_some_and(|tokens| self.sidecar.bound(tokens).is_some()))
    }

    /// The key that the tokens are bound to, if it is the one with this JWK, which lies beside the record.
    ///
    /// # Errors
    /// When it is another one, or none: what proves possession of the tokens is gone.
    pub(crate) fn possession(&self, jwk: Option<&Secret>) -> Result<Possession, Error> {
        let bound = self.record()?.tokens().and_then(|tokens| self.sidecar.bound(tokens));
        let public = jwk.and_then(PublicKey::parse);
        match (bound, public) {
            (Some(bound), Some(public)) if bound.key == public.thumbprint() => {
                Ok(Possession::new(Key::Proof(self.place), public, bound.nonce.clone()))
            }
            _ => Err(LoginRequired::NoProofKey.into()),
        }
    }
}
