//! A home: reading and writing the credential that it holds, in whichever store.

mod granting;
mod guarded;
mod possessing;
mod reading;
mod writing;

pub(crate) use granting::provider_of;
pub(crate) use guarded::GuardedReading;
pub(crate) use reading::{Held, Reading};
pub(crate) use writing::{ClientSecret, Course, ProofKey, Writing, Written};

use alloc::borrow::ToOwned;

use crate::{Report, StoreFailure, StoreMode};

/// A store could not be used and another one is used in its place: what the person is told.
fn fallback(failure: &StoreFailure) -> Report {
    Report {
        code: "keyring_fallback".to_owned(),
        message: alloc::format!("the keyring cannot be used ({}); the credentials are in the file", failure.detail),
        help: Some("start a keyring service, or choose `--store file` for good".to_owned()),
    }
}

/// The configuration, or a flag, names another store than the one that the last login pinned.
fn disagreement(pinned: StoreMode, configured: StoreMode) -> Report {
    Report {
        code: "store_pinned".to_owned(),
        message: alloc::format!(
            "store `{}` is asked for, but this login is kept in `{}`",
            configured.name(),
            pinned.name()
        ),
        help: Some(alloc::format!("run `hallpass login --store {}` to move it", configured.name())),
    }
}
