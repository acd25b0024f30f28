//! The record in a file, encrypted, with the key in the keyring: Codex's `secret_auth_storage`.
//!
//! For keyrings that cannot hold a record (the one of Windows takes 2,560 bytes), or whoever asks for it.

use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hallpass_core::{Secret, StoreTrouble};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::failure::{Result, at};
use super::files::{read_bytes, remove_with_leftover, replace};
use super::platform::{self, Found};
use super::{LIMIT, age};
use crate::keyring::{Keyring, Purpose};

/// The folder in the home, and the names of the file with that of the record in it: Codex 0.169.0's, and those of its
/// later source.
const FOLDER: &str = "secrets";
const FORMS: [Form; 2] = [
    Form { file: "codex_auth.age", name: "global/CODEX_AUTH" },
    Form { file: "cli_auth.age", name: "global/CLI_AUTH" },
];

#[derive(Clone, Copy)]
struct Form {
    file: &'static str,
    name: &'static str,
}

/// The encrypted record of one home.
#[derive(Debug)]
pub(super) struct Encrypted {
    home: PathBuf,
}

impl Encrypted {
    pub(super) fn new(home: PathBuf) -> Self {
        Self { home }
    }

    /// The record. Where there is no file, the keyring is not asked.
    pub(super) fn load(&self, keyring: &mut Keyring) -> Result<Option<Secret>> {
        let form = self.form();
        let Some(file) = self.read(form)? else { return Ok(None) };
        let secrets = self.decrypt(form, &file, &self.key(keyring, form)?)?;
        Ok(secrets.get(form.name).and_then(Value::as_str).map(Into::into))
    }

    /// Writes the record, beside what else the file holds.
    pub(super) fn save(&self, keyring: &mut Keyring, contents: &Secret) -> Result<()> {
        let form = self.form();
        let (key, mut secrets) = match self.read(form)? {
            Some(file) => match self.key(keyring, form) {
                Ok(key) => {
                    let secrets = self.decrypt(form, &file, &key).unwrap_or_default();
                    (key, secrets)
                }
                // A file that nobody can open any more is worth nothing.
                Err(failure) if failure.kind == StoreTrouble::Unreadable => (self.any_key(keyring)?, Map::new()),
                Err(failure) => return Err(failure),
            },
            None => (self.any_key(keyring)?, Map::new()),
        };
        secrets.insert(form.name.to_owned(), contents.expose().into());
        let text = Zeroizing::new(json!({ "version": 1, "secrets": secrets }).to_string());
        secrets.into_iter().for_each(|(_, value)| forget(value));
        let file = self.encrypt(&text, &key)?;
        platform::create_home(&self.home)?;
        platform::create_home(&self.home.join(FOLDER))?;
        replace(&self.path(form), &file)
    }

    /// A text as JSON that only the key opens, for a file that is not Codex's.
    pub(super) fn seal(&self, keyring: &mut Keyring, text: &str) -> Result<Secret> {
        let key = self.any_key(keyring)?;
        let sealed = self.encrypt(text, &key)?;
        Ok(Secret::new(format!("\"{}\"", BASE64_STANDARD.encode(sealed))))
    }

    /// What [`seal`](Self::seal) was given.
    pub(super) fn open(&self, keyring: &mut Keyring, sealed: &Secret) -> Result<Secret> {
        let form = self.form();
        let unreadable = |cause| at(&self.path(form), StoreTrouble::Unreadable, cause);
        let sealed = BASE64_STANDARD.decode(sealed.expose().trim_matches('"')).map_err(|_| unreadable("not sealed"))?;
        let text = age::decrypt(&sealed, self.key(keyring, form)?.expose()).map_err(unreadable)?;
        std::str::from_utf8(&text).map(Secret::from).map_err(|_| unreadable("what it holds is no text"))
    }

    /// Removes the record. What else is in the file goes with it; the key stays, for Codex keeps more under it.
    pub(super) fn remove(&self) -> Result<bool> {
        FORMS.iter().try_fold(false, |existed, form| Ok(remove_with_leftover(&self.path(*form))? | existed))
    }

    pub(super) fn exists(&self) -> bool {
        FORMS.iter().any(|form| self.path(*form).exists())
    }

    /// The file, for a person.
    pub(super) fn location(&self) -> String {
        self.path(self.form()).display().to_string()
    }

    /// The form that is there, else the one of Codex 0.169.0.
    fn form(&self) -> Form {
        let present = FORMS.into_iter().find(|form| self.path(*form).exists());
        present.unwrap_or(FORMS[0])
    }

    fn path(&self, form: Form) -> PathBuf {
        self.home.join(FOLDER).join(form.file)
    }

    fn read(&self, form: Form) -> Result<Option<Vec<u8>>> {
        let path = self.path(form);
        match platform::open(&path, false)? {
            Found::Nothing => Ok(None),
            Found::Link => Err(at(&path, StoreTrouble::Unsafe, "a symbolic link")),
            Found::File(opened) => match read_bytes(&opened) {
                Ok(bytes) if bytes.len() > LIMIT => Err(at(&path, StoreTrouble::Unreadable, "larger than 1 MiB")),
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) => Err(super::failure::from_io(&path, &error)),
            },
        }
    }

    fn decrypt(&self, form: Form, file: &[u8], key: &Secret) -> Result<Map<String, Value>> {
        let path = self.path(form);
        let unreadable = |cause| at(&path, StoreTrouble::Unreadable, cause);
        let text = age::decrypt(file, key.expose()).map_err(unreadable)?;
        let Ok(Value::Object(mut members)) = serde_json::from_slice(&text) else {
            return Err(unreadable("what it holds is no JSON object"));
        };
        if members.get("version").and_then(Value::as_u64).is_some_and(|version| version > 1) {
            return Err(unreadable("a newer version wrote it"));
        }
        match members.remove("secrets") {
            Some(Value::Object(secrets)) => Ok(secrets),
            _ => Err(unreadable("it holds no secrets")),
        }
    }

    /// The key that the file was encrypted with.
    fn key(&self, keyring: &mut Keyring, form: Form) -> Result<Secret> {
        let key = keyring.load(&Purpose::Key.entry(&self.home))?;
        key.ok_or_else(|| at(&self.path(form), StoreTrouble::Unreadable, "its key is not in the keyring"))
    }

    /// The key that Codex has made, or a new one.
    fn any_key(&self, keyring: &mut Keyring) -> Result<Secret> {
        let entry = Purpose::Key.entry(&self.home);
        if let Some(key) = keyring.load(&entry)? {
            return Ok(key);
        }
        let mut random = Zeroizing::new([0; 32]);
        self.fill(&mut *random)?;
        let key = Secret::new(BASE64_STANDARD.encode(*random));
        keyring.save(&entry, key.expose().into())?;
        Ok(key)
    }

    fn encrypt(&self, text: &str, key: &Secret) -> Result<Vec<u8>> {
        let mut random = Zeroizing::new([0; 48]);
        self.fill(&mut *random)?;
        age::encrypt(text.as_bytes(), key.expose(), &random)
            .ok_or_else(|| at(&self.path(self.form()), StoreTrouble::Other, "it could not be encrypted"))
    }

    fn fill(&self, random: &mut [u8]) -> Result<()> {
        getrandom::fill(random).map_err(|error| at(&self.path(self.form()), StoreTrouble::Other, error))
    }
}

/// Overwrites what a member held.
fn forget(value: Value) {
    if let Value::String(text) = value {
        drop(Zeroizing::new(text));
    }
}
