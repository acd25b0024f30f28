//! The one type in which secrets live.

use alloc::string::String;
use core::fmt;
use core::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// A token, code, verifier, state, key, device code, request body or redirect query.
///
/// `Debug` shows nothing of it, there is no `Display`, comparing takes the same time wherever the
/// values differ, and the memory is overwritten when it is dropped. [`Secret::expose`] is the only way in.
///
/// Serialising writes the value in clear: that is for the codec at a binding's boundary and for a record
/// on its way to a store, never for a log.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes a value into keeping.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself. Whoever calls this answers for where it goes.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

impl Hash for Secret {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

#[cfg(feature = "zeroize")]
impl Drop for Secret {
    fn drop(&mut self) {
        let mut bytes = core::mem::take(&mut self.0).into_bytes();
        // The room behind the text may hold what a longer one has left there.
        bytes.resize(bytes.capacity(), 0);
        overwrite(&mut bytes);
    }
}

/// Overwrites what has held a secret. (`Zeroize` of a slice goes byte by byte, which was most of what a step costs.)
#[cfg(feature = "zeroize")]
pub(crate) use zeroize::zeroize_bytes as overwrite;

/// Leaves that to whoever gives the memory, and overwrites it as a whole.
#[cfg(not(feature = "zeroize"))]
pub(crate) fn overwrite(_: &mut [u8]) {}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        Self::new(value)
    }
}
