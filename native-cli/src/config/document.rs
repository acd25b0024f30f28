//! A TOML file: its values, and the line on which each stands.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use hallpass_core::settings::{Origin, Setting, Settings, Value as Shown};
use hallpass_core::{Error, Misused};
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use crate::regular_file;

/// The tables that matter; others are Codex's, and nothing of them is kept.
const TABLES: [&str; 3] = ["features", "hallpass", "model_providers"];
/// No configuration is as large as this.
const LIMIT: u64 = 8 * 1024 * 1024;

/// A TOML file that was read.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// Its values.
    pub(crate) values: Table,
    /// Each of them by its dotted key, with its place.
    pub(crate) settings: Settings,
}

impl Document {
    /// Reads a text that is called `name`.
    ///
    /// # Errors
    /// [`Misused::Value`] with the line that is no TOML; the text itself is not quoted.
    pub(crate) fn parse(text: &str, name: &str, origin: Origin) -> Result<Self, Error> {
        let lines: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        let place = |at: usize| format!("{name}:{}", lines.partition_point(|line| *line < at) + 1);
        let table = DeTable::parse(text).map_err(|error| {
            let what = error.span().map_or_else(|| name.to_owned(), |span| place(span.start));
            Error::from(Misused::Value { what, detail: error.message().to_owned() })
        })?;
        let mut document = Self::default();
        let mut reader = Reader { settings: &mut document.settings, origin, place: &place };
        for (key, value) in table.get_ref() {
            let name = key.get_ref().as_ref();
            if value.get_ref().is_table() && !TABLES.contains(&name) {
                reader.note(name, Shown::TABLE, key.span().start);
                continue;
            }
            document.values.insert(name.to_owned(), reader.value(name, key.span().start, value));
        }
        Ok(document)
    }
}

/// The text of a file; `None` where there is none.
///
/// # Errors
/// What is wrong with it, for a person: it cannot be read, is no text, or is too large.
pub(crate) fn text_of(path: &Path, limit: u64) -> Result<Option<String>, String> {
    let mut file = match regular_file::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error.to_string()),
    };
    read(&mut file, limit).map(Some)
}

/// The text of an open file.
pub(crate) fn read(file: &mut File, limit: u64) -> Result<String, String> {
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > limit {
        return Err(format!("it is larger than {} MiB", limit >> 20));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

/// The limit of a `config.toml`.
pub(crate) fn text_of_configuration(path: &Path) -> Result<Option<String>, String> {
    text_of(path, LIMIT)
}

/// Turns values as they stand in a text into values, and notes where they stood.
struct Reader<'a> {
    settings: &'a mut Settings,
    origin: Origin,
    place: &'a dyn Fn(usize) -> String,
}

impl Reader<'_> {
    fn note(&mut self, key: &str, value: Shown, at: usize) {
        let place = (self.place)(at);
        self.settings.add(Setting { key: key.to_owned(), value, origin: self.origin, place });
    }

    fn value(&mut self, key: &str, at: usize, value: &Spanned<DeValue<'_>>) -> Value {
        if let DeValue::Table(table) = value.get_ref() {
            self.note(key, Shown::TABLE, at);
            let inner = table.iter().map(|(name, value)| {
                let inner = self.value(&format!("{key}.{}", name.get_ref()), name.span().start, value);
                (name.get_ref().clone().into_owned(), inner)
            });
            return Value::Table(inner.collect());
        }
        let value = plain(value.get_ref());
        self.note(key, shown(&value), at);
        value
    }
}

fn plain(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.clone().into_owned()),
        DeValue::Boolean(flag) => Value::Boolean(*flag),
        DeValue::Datetime(moment) => Value::Datetime(*moment),
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Integer(number) => {
            // One that no machine word holds is no number that anything here can mean.
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Float(f64::NAN), Value::Integer)
        }
        DeValue::Array(values) => Value::Array(values.iter().map(|value| plain(value.get_ref())).collect()),
        DeValue::Table(table) => {
            let pairs = table.iter().map(|(name, value)| (name.get_ref().clone().into_owned(), plain(value.get_ref())));
            Value::Table(pairs.collect())
        }
    }
}

/// A value as core takes it.
pub(super) fn shown(value: &Value) -> Shown {
    match value {
        Value::String(text) => Shown::Text(text.clone()),
        Value::Integer(number) => Shown::Number(*number),
        Value::Boolean(flag) => Shown::Flag(*flag),
        Value::Array(values) => {
            let texts: Option<Vec<_>> = values.iter().map(|value| value.as_str().map(ToOwned::to_owned)).collect();
            texts.map_or(Shown::Other("a list of other things than texts"), Shown::List)
        }
        Value::Float(_) => Shown::Other("a number that is not whole, or too large"),
        Value::Datetime(_) => Shown::Other("a date"),
        Value::Table(_) => Shown::TABLE,
    }
}
