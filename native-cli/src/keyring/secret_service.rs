//! The keyring of a Unix desktop: the Secret Service, over D-Bus.
//!
//! Entries carry the attributes and the label that Codex gives its own, so that each finds the other's.

mod group;
mod service;
mod session;
#[cfg(test)]
mod tests;

use hallpass_core::{Secret, StoreTrouble};
use zeroize::Zeroizing;

use super::bus::{Bus, Error};
use super::{Entry, Trouble, Turn};
use service::{COLLECTION, ITEM, Service};

/// What the service answers where a person is needed who unlocks it.
const IS_LOCKED: &str = "org.freedesktop.Secret.Error.IsLocked";

/// A connection to the service, with an encrypted session.
pub(super) struct Connection(Service);

impl Connection {
    pub(super) fn open() -> Result<Self, Trouble> {
        let exponent = Zeroizing::new(random()?);
        let service = Bus::open().and_then(|bus| Service::open(bus, &exponent));
        service.map(Self).map_err(|error| unavailable(error.to_string()))
    }

    pub(super) fn load(&self, entry: &Entry, turn: &Turn) -> Result<Option<Vec<u8>>, Trouble> {
        let items = self.find(entry, turn)?;
        let Some(item) = self.newest(&items) else {
            self.check_usable()?;
            return Ok(None);
        };
        self.0.secret(item).map(Some).map_err(trouble)
    }

    pub(super) fn save(&self, entry: &Entry, contents: &Secret, turn: &Turn) -> Result<(), Trouble> {
        let items = self.find(entry, turn)?;
        let secret = self.0.session().seal(contents.expose().as_bytes(), random()?);
        if items.is_empty() {
            let collection = self.collection()?;
            if self.0.is_locked(&collection, COLLECTION).map_err(trouble)? {
                turn.unlock()?;
                self.0.unlock(std::slice::from_ref(&collection)).map_err(trouble)?;
            }
            turn.write()?;
            return self.0.create(&collection, &entry.label(), &entry.attributes(), &secret).map_err(trouble);
        }
        turn.write()?;
        // Were there two of them, a program that reads the other must not find an old token in it.
        items.iter().try_for_each(|item| self.0.set_secret(item, &secret)).map_err(trouble)
    }

    pub(super) fn remove(&self, entry: &Entry, turn: &Turn) -> Result<bool, Trouble> {
        let items = self.find(entry, turn)?;
        if items.is_empty() {
            self.check_usable()?;
            return Ok(false);
        }
        turn.write()?;
        items.iter().try_for_each(|item| self.delete(item)).map_err(trouble)?;
        Ok(true)
    }

    /// Deletes an item, and asks nobody to unlock it for that.
    fn delete(&self, item: &str) -> Result<(), Error> {
        if self.0.is_locked(item, ITEM)? {
            return Err(Error::Refused(IS_LOCKED.to_owned()));
        }
        self.0.delete(item)
    }

    /// The items of an entry, unlocked.
    fn find(&self, entry: &Entry, turn: &Turn) -> Result<Vec<String>, Trouble> {
        let [_application, own @ ..] = entry.attributes();
        let mut found = self.0.search(&own).map_err(trouble)?;
        if !found.locked.is_empty() {
            turn.unlock()?;
            self.0.unlock(&found.locked).map_err(trouble)?;
        }
        found.unlocked.append(&mut found.locked);
        Ok(found.unlocked)
    }

    fn newest<'a>(&self, items: &'a [String]) -> Option<&'a String> {
        match items {
            [] => None,
            [only] => Some(only),
            several => several.iter().max_by_key(|item| self.0.modified(item).unwrap_or(0)),
        }
    }

    /// Whether finding nothing means that there is nothing: a locked keyring need not tell what is in it.
    fn check_usable(&self) -> Result<(), Trouble> {
        if self.0.is_locked(&self.collection()?, COLLECTION).map_err(trouble)? {
            return Err((StoreTrouble::Locked, "the keyring is locked".to_owned()));
        }
        Ok(())
    }

    fn collection(&self) -> Result<String, Trouble> {
        let none = || unavailable("the Secret Service has no default collection".to_owned());
        self.0.default_collection().map_err(trouble)?.ok_or_else(none)
    }
}

impl Entry {
    /// Who made it comes first: nobody looks for that.
    fn attributes(&self) -> [(&str, &str); 4] {
        [
            ("application", if self.is_shared() { "rust-keyring" } else { "hallpass" }),
            ("service", self.service),
            ("target", "default"),
            ("username", &self.account),
        ]
    }

    fn label(&self) -> String {
        if self.is_shared() {
            format!("{}@{}:default (keyring v3.6.3)", self.account, self.service)
        } else {
            format!("{}: {}", self.service, self.account)
        }
    }
}

/// Bytes that nobody can foresee.
fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], Trouble> {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).map_err(|error| (StoreTrouble::Other, format!("no random numbers: {error}")))?;
    Ok(bytes)
}

fn unavailable(cause: String) -> Trouble {
    (StoreTrouble::Unavailable, cause)
}

/// The kind of an error after the connection was made, and its words.
fn trouble(error: Error) -> Trouble {
    let words = error.to_string();
    let kind = match error {
        Error::NoBus(_) | Error::NoService => StoreTrouble::Unavailable,
        // Whether it was done is not known: a reason to ask again, and none to use another store.
        Error::Lost | Error::Malformed(_) => StoreTrouble::Other,
        Error::TimedOut => StoreTrouble::TimedOut,
        Error::TooLong => StoreTrouble::TooLarge,
        Error::Refused(name) => match name.strip_prefix("org.freedesktop.Secret.Error.") {
            Some("IsLocked") => return (StoreTrouble::Locked, "the keyring is locked and was not unlocked".to_owned()),
            Some("NoSession") => return (StoreTrouble::Other, "the Secret Service has started anew".to_owned()),
            Some("NoSuchObject") => return (StoreTrouble::Other, "the entry has just been deleted".to_owned()),
            _ => StoreTrouble::Other,
        },
    };
    (kind, words)
}
