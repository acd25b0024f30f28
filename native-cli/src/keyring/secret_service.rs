//! The keyring of a Unix desktop: the Secret Service, over D-Bus.
//!
//! Entries carry the attributes and the label that Codex gives its own, so that each finds the other's.

use std::collections::HashMap;

use hallpass_core::{Secret, StoreTrouble};
use secret_service::blocking::{Collection, Item, SecretService};
use secret_service::{EncryptionType, Error};

use super::{Entry, Trouble, Turn};

const CONTENT_TYPE: &str = "text/plain";

/// A connection to the service, with an encrypted session.
pub(super) struct Connection(SecretService<'static>);

impl Connection {
    pub(super) fn open() -> Result<Self, Trouble> {
        SecretService::connect(EncryptionType::Dh).map(Self).map_err(|error| match error {
            Error::Unavailable => unavailable("no session bus, or no Secret Service on it"),
            error => (StoreTrouble::Unavailable, error.to_string()),
        })
    }

    pub(super) fn load(&self, entry: &Entry, turn: &Turn) -> Result<Option<Vec<u8>>, Trouble> {
        let items = self.find(entry, turn)?;
        let Some(item) = newest(&items) else {
            self.check_usable()?;
            return Ok(None);
        };
        item.get_secret().map(Some).map_err(trouble)
    }

    pub(super) fn save(&self, entry: &Entry, contents: &Secret, turn: &Turn) -> Result<(), Trouble> {
        let items = self.find(entry, turn)?;
        if items.is_empty() {
            let collection = self.collection()?;
            if collection.is_locked().map_err(trouble)? {
                turn.unlock()?;
                collection.unlock().map_err(trouble)?;
            }
            turn.write()?;
            let created = collection.create_item(
                &entry.label(),
                entry.attributes(),
                contents.expose().as_bytes(),
                true,
                CONTENT_TYPE,
            );
            return created.map(drop).map_err(trouble);
        }
        turn.write()?;
        // Were there two of them, a program that reads the other must not find an old token in it.
        items.iter().try_for_each(|item| item.set_secret(contents.expose().as_bytes(), CONTENT_TYPE)).map_err(trouble)
    }

    pub(super) fn remove(&self, entry: &Entry, turn: &Turn) -> Result<bool, Trouble> {
        let items = self.find(entry, turn)?;
        if items.is_empty() {
            self.check_usable()?;
            return Ok(false);
        }
        turn.write()?;
        items.iter().try_for_each(Item::delete).map_err(trouble)?;
        Ok(true)
    }

    /// The items of an entry, unlocked.
    fn find(&self, entry: &Entry, turn: &Turn) -> Result<Vec<Item<'_>>, Trouble> {
        let mut attributes = entry.attributes();
        attributes.remove("application");
        let mut found = self.0.search_items(attributes).map_err(trouble)?;
        if !found.locked.is_empty() {
            turn.unlock()?;
            self.0.unlock_all(&found.locked.iter().collect::<Vec<_>>()).map_err(trouble)?;
        }
        found.unlocked.append(&mut found.locked);
        Ok(found.unlocked)
    }

    /// Whether finding nothing means that there is nothing: a locked keyring need not tell what is in it.
    fn check_usable(&self) -> Result<(), Trouble> {
        if self.collection()?.is_locked().map_err(trouble)? {
            return Err((StoreTrouble::Locked, "the keyring is locked".to_owned()));
        }
        Ok(())
    }

    fn collection(&self) -> Result<Collection<'_>, Trouble> {
        self.0.get_default_collection().map_err(|error| match error {
            Error::NoResult => unavailable("the Secret Service has no default collection"),
            error => trouble(error),
        })
    }
}

impl Entry {
    fn attributes(&self) -> HashMap<&str, &str> {
        HashMap::from([
            ("application", if self.is_shared() { "rust-keyring" } else { "hallpass" }),
            ("service", self.service),
            ("target", "default"),
            ("username", &self.account),
        ])
    }

    fn label(&self) -> String {
        if self.is_shared() {
            format!("{}@{}:default (keyring v3.6.3)", self.account, self.service)
        } else {
            format!("{}: {}", self.service, self.account)
        }
    }
}

fn newest<'a, 'b>(items: &'a [Item<'b>]) -> Option<&'a Item<'b>> {
    match items {
        [] => None,
        [only] => Some(only),
        several => several.iter().max_by_key(|item| item.get_modified().unwrap_or(0)),
    }
}

fn unavailable(cause: &str) -> Trouble {
    (StoreTrouble::Unavailable, cause.to_owned())
}

fn trouble(error: Error) -> Trouble {
    match error {
        Error::Locked | Error::Prompt | Error::PromptDisconnected => {
            (StoreTrouble::Locked, "the keyring is locked and was not unlocked".to_owned())
        }
        Error::Unavailable => unavailable("the Secret Service has gone"),
        error => (StoreTrouble::Other, error.to_string()),
    }
}
