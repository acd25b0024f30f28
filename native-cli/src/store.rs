//! Where credentials are kept on this machine: files in the home, the keyring, this process's memory.

#[cfg_attr(not(feature = "keyring"), path = "store/age/absent.rs")]
mod age;
mod encrypted;
mod failure;
mod files;
mod memory;
mod platform;
mod text;
mod vault;

use std::path::{Path, PathBuf};

use hallpass_core::{Event, Place, Secret, Slot, StoreFailure, StoreTrouble};

use crate::{keyring, requirements};
use failure::failure;
pub(crate) use failure::from_io;
use files::{Files, Name, Reading};
use vault::Vault;

pub(crate) use files::{read_trusted, replace};
#[cfg(unix)]
pub(crate) use platform::keep_owner;
pub(crate) use platform::{create_home, is_mount_point, record_target};
pub(crate) use text::decode;

/// The most that a slot may hold: what is larger is no record.
const LIMIT: usize = 1024 * 1024;

/// The stores of one home: performs `Load`, `Save`, `Remove` and `Reserve`.
///
/// Whoever changes a slot holds the home's lock ([`Locks`](crate::Locks)): each file has one temporary name, and
/// what is found under it is the leftover of a process that died.
#[derive(Debug)]
pub struct Stores {
    files: Files,
    vault: Vault,
    home: PathBuf,
}

impl Stores {
    /// The stores of this home. Touches nothing yet: a keyring that is never asked for is never connected to.
    pub fn new(home: PathBuf) -> Self {
        Self { files: Files::new(home.clone()), vault: Vault::new(&home), home }
    }

    /// Whether a record that belongs in the keyring goes into an encrypted file, and only the key into the keyring: Codex's
    /// `features.secret_auth_storage`.
    pub fn encrypt_record(&mut self, encrypts: bool) {
        self.vault.encrypts(encrypts);
    }

    /// Reads a slot. → `Loaded`, `StoreFailed`
    pub fn load(&mut self, slot: Slot) -> Event {
        let loaded = match slot.into() {
            Where::File(name) => self.files.load(name),
            Where::Keyring(purpose) => self.vault.load(&self.files, purpose, &self.home),
            Where::Memory => Ok(memory::load(&self.home, slot)),
        };
        loaded.map_or_else(Event::StoreFailed, Event::Loaded)
    }

    /// Reads a slot that lies in a file or in memory, without waiting for anybody: nothing where [`Self::load`] would
    /// wait. → `Loaded`, `StoreFailed`
    pub fn load_at_once(&self, slot: Slot) -> Option<Event> {
        let loaded = match slot.into() {
            Where::File(name) => match self.files.look(name) {
                Ok(Reading::Whole(found)) => Ok(found),
                Ok(Reading::Torn(_)) => return None,
                Err(failure) => Err(failure),
            },
            Where::Keyring(_) => return None,
            Where::Memory => Ok(memory::load(&self.home, slot)),
        };
        Some(loaded.map_or_else(Event::StoreFailed, Event::Loaded))
    }

    /// Writes a slot, durably and whole, if the policy at this moment permits it. → `Saved`, `StoreFailed`
    ///
    /// Before an `auth.json` that no program can read is written over, it is copied to `auth.json.corrupt`.
    pub fn save(&mut self, slot: Slot, contents: &Secret) -> Event {
        if let Err(failure) = requirements::permit_save(slot, contents) {
            return Event::StoreFailed(failure);
        }
        let saved = match slot.into() {
            _ if contents.len() > LIMIT => Err(self.too_large(slot)),
            Where::File(name) => self.files.save(name, contents),
            Where::Keyring(purpose) => self.vault.save(&mut self.files, purpose, &self.home, contents),
            Where::Memory => {
                memory::save(&self.home, slot, contents);
                Ok(())
            }
        };
        saved.map_or_else(Event::StoreFailed, |()| Event::Saved)
    }

    /// Empties a slot. → `Removed`, `StoreFailed`
    ///
    /// With the record go its temporary file and the copy kept aside of a corrupt one. Where `auth.json` is a
    /// symbolic link, both the link and the file that it names are removed: a logout leaves no token behind.
    pub fn remove(&mut self, slot: Slot) -> Event {
        let removed = match slot.into() {
            Where::File(name) => self.files.remove(name),
            Where::Keyring(purpose) => self.vault.remove(&self.files, purpose, &self.home),
            Where::Memory => Ok(memory::remove(&self.home, slot)),
        };
        removed.map_or_else(Event::StoreFailed, Event::Removed)
    }

    /// Claims room and permission to store an answer, and writes the intent, in one durable step.
    /// → `Reserved`, `StoreFailed`
    ///
    /// An intent that stood there before stays if this one cannot be written.
    pub fn reserve(&mut self, place: Place, intent: &Secret, size: u32) -> Event {
        let slot = Slot::Parked(place);
        if let Err(failure) = requirements::permit_save(slot, intent) {
            return Event::StoreFailed(failure);
        }
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let reserved = match slot.into() {
            _ if size.max(intent.len()) > LIMIT => Err(self.too_large(slot)),
            Where::File(name) => self.files.reserve(name, intent, size),
            Where::Keyring(_) => self.vault.reserve(&mut self.files, &self.home, intent, size),
            Where::Memory => {
                memory::save(&self.home, slot, intent);
                Ok(())
            }
        };
        reserved.map_or_else(Event::StoreFailed, |()| Event::Reserved)
    }

    /// What the keyring holds of a home that was renamed becomes this one's: all of it is here before anything is
    /// removed there.
    ///
    /// # Errors
    /// When the keyring cannot do it. What was done is done again, without harm, by another attempt.
    pub(crate) fn take_over(&mut self, from: &Path) -> Result<(), StoreFailure> {
        self.vault.take_over(from, &self.home)
    }

    /// Where the record is kept there, for a person: a path, or the keyring's service and account.
    pub fn location(&self, place: Place) -> String {
        match place {
            Place::File => self.files.path(Name::Record).display().to_string(),
            Place::Keyring => self.vault.location(&self.home),
            Place::Ephemeral => "this process's memory".to_owned(),
        }
    }

    fn too_large(&self, slot: Slot) -> StoreFailure {
        let place = match slot {
            Slot::Sidecar => Place::File,
            Slot::NewProof | Slot::Minted => Place::Ephemeral,
            Slot::Record(place) | Slot::Parked(place) | Slot::Client(place) | Slot::Proof(place) => place,
        };
        failure(StoreTrouble::TooLarge, self.location(place), "more than 1 MiB")
    }
}

/// Which of the three kinds of store a slot is in, and under what name.
enum Where {
    File(Name),
    Keyring(keyring::Purpose),
    Memory,
}

impl From<Slot> for Where {
    fn from(slot: Slot) -> Self {
        match slot {
            Slot::Record(Place::File) => Self::File(Name::Record),
            Slot::Sidecar => Self::File(Name::Sidecar),
            Slot::Parked(Place::File) => Self::File(Name::Parked),
            Slot::Client(Place::File) => Self::File(Name::Client),
            Slot::Proof(Place::File) => Self::File(Name::Proof),
            Slot::Proof(Place::Keyring) => Self::Keyring(keyring::Purpose::Proof),
            Slot::Record(Place::Keyring) => Self::Keyring(keyring::Purpose::Record),
            Slot::Parked(Place::Keyring) => Self::Keyring(keyring::Purpose::Parked),
            Slot::Client(Place::Keyring) => Self::Keyring(keyring::Purpose::Client),
            Slot::Record(Place::Ephemeral)
            | Slot::Parked(Place::Ephemeral)
            | Slot::Client(Place::Ephemeral)
            | Slot::Proof(Place::Ephemeral)
            | Slot::NewProof
            | Slot::Minted => Self::Memory,
        }
    }
}
