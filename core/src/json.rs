//! JSON that is kept as it came: objects whose unknown members survive, and values read leniently.

mod lenient;
mod object;
pub(crate) mod read;

pub(crate) use lenient::{Integer, Text};
pub(crate) use object::{Object, dense};

use alloc::format;
use alloc::string::String;

/// What is wrong with a text that is not the JSON it should be: the place, never the contents.
fn complaint(error: &serde_json::Error) -> String {
    let kind = if error.is_data() { "a value of the wrong type" } else { "not JSON" };
    format!("{kind} (line {}, column {})", error.line(), error.column())
}

/// Reads a JSON object into a type. (Derived types could also be read from an array, which no server means.)
pub(crate) fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    if !text.trim_start().starts_with('{') {
        return Err("not a JSON object".into());
    }
    serde_json::from_str(text).map_err(|error| complaint(&error))
}

/// A text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    // Serialising a `str` cannot fail.
    serde_json::to_string(text).unwrap_or_default()
}
