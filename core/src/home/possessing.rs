//! The key that a session's tokens are bound to (RFC 9449).

use super::Held;
use crate::Key;
use crate::dpop::Possession;

impl Held {
    /// The key that the tokens are bound to, if they are. Whether the shell still has it shows when it signs.
    pub(crate) fn possession(&self) -> Option<Possession> {
        let tokens = self.record.as_ref().ok()?.as_ref()?.tokens()?;
        let bound = self.sidecar.bound(tokens)?;
        let key = Key::Proof { place: self.place, public: bound.key.text() };
        Some(Possession::new(key, bound.key.clone(), bound.nonce.clone()))
    }
}
