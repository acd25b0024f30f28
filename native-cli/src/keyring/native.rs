//! The keyrings of macOS and Windows.

use hallpass_core::{Secret, StoreTrouble};
use keyring_core::api::CredentialStoreApi;
use keyring_core::{Entry as Credential, Error};
use zeroize::Zeroizing;

use super::{Entry, Trouble, Turn};

#[cfg(target_os = "macos")]
use apple_native_keyring_store::keychain::Store;
#[cfg(windows)]
use windows_native_keyring_store::Store;

/// The keychain of the user who is logged in, or the Credential Manager.
pub(super) struct Connection(std::sync::Arc<Store>);

impl Connection {
    pub(super) fn open() -> Result<Self, Trouble> {
        Store::new().map(Self).map_err(|error| (StoreTrouble::Unavailable, error.to_string()))
    }

    pub(super) fn load(&self, entry: &Entry, turn: &Turn) -> Result<Option<Vec<u8>>, Trouble> {
        let credential = self.credential(entry)?;
        turn.unlock()?;
        let loaded =
            if entry.is_shared() { credential.get_password().map(String::into_bytes) } else { credential.get_secret() };
        match loaded {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(trouble(error)),
        }
    }

    pub(super) fn save(&self, entry: &Entry, contents: &Secret, turn: &Turn) -> Result<(), Trouble> {
        let credential = self.credential(entry)?;
        turn.write()?;
        // What Codex reads is a password: on Windows that is UTF-16, in which half as much has room.
        let saved = if entry.is_shared() {
            credential.set_password(contents.expose())
        } else {
            credential.set_secret(contents.expose().as_bytes())
        };
        saved.map_err(trouble)
    }

    pub(super) fn remove(&self, entry: &Entry, turn: &Turn) -> Result<bool, Trouble> {
        let credential = self.credential(entry)?;
        turn.write()?;
        match credential.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(trouble(error)),
        }
    }

    fn credential(&self, entry: &Entry) -> Result<Credential, Trouble> {
        self.0.build(entry.service, &entry.account, None).map_err(trouble)
    }
}

/// The kind and the words; what a value holds that could not be decoded is overwritten, and not shown.
fn trouble(error: Error) -> Trouble {
    let kind = match &error {
        Error::NoStorageAccess(_) => StoreTrouble::Locked,
        Error::TooLong(..) => StoreTrouble::TooLarge,
        Error::BadEncoding(_) | Error::BadDataFormat(..) => StoreTrouble::Unreadable,
        _ => StoreTrouble::Other,
    };
    match error {
        Error::BadEncoding(bytes) | Error::BadDataFormat(bytes, _) => {
            drop(Zeroizing::new(bytes));
            (kind, "not text".to_owned())
        }
        error => (kind, error.to_string()),
    }
}
