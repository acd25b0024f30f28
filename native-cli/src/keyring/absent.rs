//! The keyring of a build without one.

use hallpass_core::{Secret, StoreTrouble};

use super::{Entry, Trouble, Turn};

pub(super) enum Connection {}

impl Connection {
    pub(super) fn open() -> Result<Self, Trouble> {
        Err((StoreTrouble::Unavailable, "this program is built without keyring support".to_owned()))
    }

    pub(super) fn load(&self, _: &Entry, _: &Turn) -> Result<Option<Vec<u8>>, Trouble> {
        match *self {}
    }

    pub(super) fn save(&self, _: &Entry, _: &Secret, _: &Turn) -> Result<(), Trouble> {
        match *self {}
    }

    pub(super) fn remove(&self, _: &Entry, _: &Turn) -> Result<bool, Trouble> {
        match *self {}
    }
}
