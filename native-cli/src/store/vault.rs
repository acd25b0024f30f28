//! What is kept in the keyring, or under a key that is: a record in an entry of its own, or in an encrypted file.

use std::path::Path;

use hallpass_core::{Secret, StoreTrouble};

use super::encrypted::Encrypted;
use super::failure::Result;
use super::files::{Files, Name};
use super::text;
use crate::keyring::{Keyring, Purpose};

/// The keyring of one home.
///
/// Codex's setting `features.secret_auth_storage` asks for the encrypted file. It is also the way out where the keyring has no
/// room for a record, and what is found encrypted stays so. Never does a record stay behind in the other form.
#[derive(Debug)]
pub(super) struct Vault {
    keyring: Keyring,
    encrypted: Encrypted,
    encrypts: bool,
}

impl Vault {
    pub(super) fn new(home: &Path) -> Self {
        Self { keyring: Keyring::default(), encrypted: Encrypted::new(home.to_owned()), encrypts: false }
    }

    pub(super) fn encrypts(&mut self, encrypts: bool) {
        self.encrypts = encrypts;
    }

    pub(super) fn load(&mut self, files: &Files, purpose: Purpose, home: &Path) -> Result<Option<Secret>> {
        match purpose {
            Purpose::Record if self.encrypts => self.encrypted.load(&mut self.keyring),
            Purpose::Record => match self.keyring.load(&purpose.entry(home))? {
                None => self.encrypted.load(&mut self.keyring),
                record => Ok(record),
            },
            Purpose::Parked => {
                if let Some(sealed) = files.load(Name::Sealed)? {
                    return self.encrypted.open(&mut self.keyring, &sealed).map(Some);
                }
                let parked = if self.encrypts { None } else { self.keyring.load(&purpose.entry(home))? };
                Ok(parked.map(|parked| text::last_whole_line(parked.expose()).into()))
            }
            Purpose::Client | Purpose::Proof | Purpose::Key => self.keyring.load(&purpose.entry(home)),
        }
    }

    pub(super) fn save(&mut self, files: &mut Files, purpose: Purpose, home: &Path, contents: &Secret) -> Result<()> {
        let entry = purpose.entry(home);
        let line = || Secret::from(text::on_one_line(contents.expose()).into_owned());
        match purpose {
            Purpose::Record if self.is_encrypted(home)? => self.encrypt(home, contents),
            Purpose::Record => match self.keyring.save(&entry, line()) {
                Err(failure) if failure.kind == StoreTrouble::TooLarge => self.encrypt(home, contents),
                Err(failure) => Err(failure),
                Ok(()) => self.encrypted.remove().map(drop),
            },
            Purpose::Parked if files.path(Name::Sealed).exists() => {
                let sealed = self.encrypted.seal(&mut self.keyring, line().expose())?;
                files.save(Name::Sealed, &sealed)
            }
            Purpose::Parked | Purpose::Client | Purpose::Key => self.keyring.save(&entry, line()),
            Purpose::Proof => self.keyring.save(&entry, contents.clone()),
        }
    }

    /// Claims room for an answer.
    pub(super) fn reserve(&mut self, files: &mut Files, home: &Path, intent: &Secret, size: usize) -> Result<()> {
        if !self.is_encrypted(home)? {
            let padded = text::padded(intent.expose(), size).into();
            match self.keyring.save(&Purpose::Parked.entry(home), padded) {
                Err(failure) if failure.kind == StoreTrouble::TooLarge => {}
                Err(failure) => return Err(failure),
                Ok(()) => return files.remove(Name::Sealed).map(drop),
            }
        }
        let sealed = self.encrypted.seal(&mut self.keyring, &text::on_one_line(intent.expose()))?;
        files.reserve(Name::Sealed, &sealed, size)
    }

    pub(super) fn remove(&mut self, files: &Files, purpose: Purpose, home: &Path) -> Result<bool> {
        let elsewhere = match purpose {
            Purpose::Record => self.encrypted.remove()?,
            Purpose::Parked => files.remove(Name::Sealed)?,
            Purpose::Client | Purpose::Proof | Purpose::Key => false,
        };
        Ok(self.keyring.remove(&purpose.entry(home))? || elsewhere)
    }

    /// Moves the entries of a home that was renamed.
    pub(super) fn take_over(&mut self, from: &Path, home: &Path) -> Result<()> {
        // The record last, so that whoever finds it finds all of it.
        const ALL: [Purpose; 5] = [Purpose::Key, Purpose::Client, Purpose::Proof, Purpose::Parked, Purpose::Record];
        for purpose in ALL {
            if let Some(contents) = self.keyring.load(&purpose.entry(from))? {
                self.keyring.save(&purpose.entry(home), contents)?;
            }
        }
        ALL.into_iter().try_for_each(|purpose| self.keyring.remove(&purpose.entry(from)).map(drop))
    }

    /// Where the record is, for a person.
    pub(super) fn location(&self, home: &Path) -> String {
        let entry = Purpose::Record.entry(home);
        if self.encrypts || self.encrypted.exists() {
            return format!("{}, and its key in the {}", self.encrypted.location(), Purpose::Key.entry(home));
        }
        entry.to_string()
    }

    /// Whether the record is to be in a file, or is.
    fn is_encrypted(&mut self, home: &Path) -> Result<bool> {
        Ok(self.encrypts || self.encrypted.exists() && self.keyring.load(&Purpose::Record.entry(home))?.is_none())
    }

    fn encrypt(&mut self, home: &Path, contents: &Secret) -> Result<()> {
        self.encrypted.save(&mut self.keyring, contents)?;
        self.keyring.remove(&Purpose::Record.entry(home)).map(drop)
    }
}
