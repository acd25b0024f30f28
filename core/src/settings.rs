//! Values that can be set in several places, and which of them counts.
//!
//! | origin, the strongest first | where |
//! |---|---|
//! | [`Managed`](Origin::Managed) | the administrator's `requirements.toml` |
//! | [`Argument`](Origin::Argument) | an option of the command line, as `--store` |
//! | [`Assignment`](Origin::Assignment) | `-c KEY=VALUE` |
//! | [`Environment`](Origin::Environment) | a variable |
//! | [`Home`](Origin::Home) | `config.toml` in the home |
//! | [`Default`](Origin::Default) | nobody has said anything |
//! | [`Project`](Origin::Project) | a folder's own `.codex/config.toml`: shown, and never counted |
//!
//! A shell reads the files and hands in the values; what they mean is decided here.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Serialize;

use crate::{Error, Policy, StoreMode};

mod interpretation;

pub use interpretation::{Explained, KEYS, Key, VARIABLES};

/// Who has set a value. Of two, the greater counts; a [`Project`](Origin::Project) never does: a folder that came from
/// somewhere must not say how a person signs in, where tokens go, or what is run.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A folder's own configuration.
    Project,
    /// Nobody.
    Default,
    /// `config.toml` in the home.
    Home,
    /// A variable of the environment.
    Environment,
    /// `-c KEY=VALUE`
    Assignment,
    /// An option of the command line.
    Argument,
    /// The administrator.
    Managed,
}

/// A value, as far as any key here can have it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// True or false.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
    /// A list of texts.
    List(Vec<String>),
    /// Anything else: what it is, with its article, and nothing of what is in it.
    Other(&'static str),
}

/// One value that somebody has set.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Setting {
    /// The dotted key.
    pub key: String,
    /// The value.
    pub value: Value,
    /// Who has set it.
    pub origin: Origin,
    /// Where, for a person: a file and its line, a variable, an option.
    pub place: String,
}

/// All values that are set, and the answer to which of them counts.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    all: Vec<Setting>,
}

impl Settings {
    /// Adds a value. Of two of the same origin the later counts, as with options that are repeated.
    ///
    /// Of a key that is not read here only the kind of its value is kept: there may be a secret in it.
    pub fn add(&mut self, setting: Setting) {
        let value = if setting.is_read() { setting.value } else { setting.value.kind() };
        self.all.push(Setting { value, ..setting });
    }

    /// Adds all values of another.
    pub fn extend(&mut self, other: Self) {
        self.all.extend(other.all);
    }

    /// The value that counts.
    pub fn get(&self, key: &str) -> Option<&Setting> {
        // The last of the greatest.
        self.of(key).filter(|setting| setting.counts()).max_by_key(|setting| setting.origin)
    }

    /// Every value of a key, in the order in which they were added.
    pub fn of(&self, key: &str) -> impl Iterator<Item = &Setting> {
        self.all.iter().filter(move |setting| setting.key == key)
    }

    /// Every value, in the order in which they were added.
    pub fn all(&self) -> impl Iterator<Item = &Setting> {
        self.all.iter()
    }

    /// What is said of a value that cannot be used: where it stands, and why, without the value.
    pub fn unusable(&self, key: &str, detail: &str) -> Error {
        let place = self.get(key).map(|setting| setting.place.as_str()).unwrap_or_default();
        let names_key = place.is_empty() || place.contains(key);
        let what = match (place, names_key) {
            ("", _) => key.to_owned(),
            (place, true) => place.to_owned(),
            (place, false) => format!("{place}: {key}"),
        };
        Error::value(&what, detail)
    }

    /// A truth value.
    ///
    /// # Errors
    /// [`Misused::Value`](crate::Misused::Value) when it is none, as for all that follow.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, Error> {
        match self.get(key).map(|setting| &setting.value) {
            None => Ok(None),
            Some(Value::Flag(flag)) => Ok(Some(*flag)),
            Some(_) => Err(self.unusable(key, "it is neither true nor false")),
        }
    }

    /// A number of seconds, as milliseconds.
    ///
    /// # Errors
    /// When it is no whole number, or less than nothing.
    pub fn seconds(&self, key: &str) -> Result<Option<u64>, Error> {
        match self.get(key).map(|setting| &setting.value) {
            None => Ok(None),
            Some(Value::Number(seconds)) if *seconds >= 0 => Ok(Some(seconds.unsigned_abs().saturating_mul(1000))),
            Some(_) => Err(self.unusable(key, "it is not a whole number of seconds")),
        }
    }

    /// A text.
    ///
    /// # Errors
    /// When it is no text.
    pub fn text(&self, key: &str) -> Result<Option<String>, Error> {
        match self.get(key).map(|setting| &setting.value) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.unusable(key, "it is not a text")),
        }
    }

    /// A list of texts, or one text alone; without the blank ones.
    ///
    /// # Errors
    /// When it is neither.
    pub fn texts(&self, key: &str) -> Result<Option<Vec<String>>, Error> {
        let texts = match self.get(key).map(|setting| &setting.value) {
            None => return Ok(None),
            Some(Value::Text(text)) => core::slice::from_ref(text),
            Some(Value::List(texts)) => texts,
            Some(_) => return Err(self.unusable(key, "it is neither a text nor a list of texts")),
        };
        let texts = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
        Ok(Some(texts.map(ToString::to_string).collect()))
    }

    /// One of some names.
    ///
    /// # Errors
    /// When it is none of them; the error lists them.
    pub(crate) fn name_of<T: Copy>(&self, key: &str, names: &[(&str, T)]) -> Result<Option<T>, Error> {
        let Some(setting) = self.get(key) else { return Ok(None) };
        let known = match &setting.value {
            Value::Text(text) => names.iter().find(|(name, _)| name == text),
            _ => None,
        };
        known.map(|(_, value)| Some(*value)).ok_or_else(|| self.unusable(key, &none_of(names, "it is none of ")))
    }

    /// A list of some names, or one alone.
    ///
    /// # Errors
    /// When one is none of them.
    pub(crate) fn names_of<T: Copy>(&self, key: &str, names: &[(&str, T)]) -> Result<Option<Vec<T>>, Error> {
        let Some(texts) = self.texts(key)? else { return Ok(None) };
        let known = |text: &String| names.iter().find(|(name, _)| name == text).map(|(_, value)| *value);
        let all: Option<Vec<T>> = texts.iter().map(known).collect();
        all.map(Some).ok_or_else(|| self.unusable(key, &none_of(names, "one of them is none of ")))
    }
}

impl Value {
    /// A table, whose values stand under keys of their own.
    pub const TABLE: Self = Self::Other("a table");

    /// What it is, without what is in it.
    fn kind(self) -> Self {
        Self::Other(match self {
            Self::Flag(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Other(what) => what,
        })
    }

    /// The value as a person reads it.
    pub fn shown(&self) -> String {
        match self {
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::List(texts) => texts.join(", "),
            Self::Other(what) => (*what).to_owned(),
        }
    }
}

impl Setting {
    /// Whether it can be in force at all.
    pub fn counts(&self) -> bool {
        self.origin > Origin::Default
    }

    /// Whether its value means anything here.
    pub fn is_read(&self) -> bool {
        KEYS.iter().any(|key| key.name == self.key) || Policy::KEYS.contains(&self.key.as_str())
    }

    /// What an option of the command line has set.
    pub fn argument(key: &str, option: &str, store: StoreMode) -> Self {
        let value = Value::Text(store.name().to_owned());
        Self { key: key.to_owned(), value, origin: Origin::Argument, place: option.to_owned() }
    }
}

fn none_of<T>(names: &[(&str, T)], beginning: &str) -> String {
    let quoted: Vec<_> = names.iter().map(|(name, _)| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, before)) => format!("{beginning}{} and {last}", before.join(", ")),
        None => beginning.to_owned(),
    }
}

#[cfg(test)]
mod tests;
