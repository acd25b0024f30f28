//! JSON: read by asking for members, and kept as it came where somebody else may want it back.

mod lenient;
mod object;
mod reader;
mod value;
mod writer;

pub(crate) use lenient::{Integer, Text};
pub(crate) use object::{Object, dense};
use value::Mistake;
pub(crate) use value::{FromJson, Json, Members, choice, member, object, variant};
pub(crate) use writer::{quoted, write};

use alloc::format;
use alloc::string::String;

/// Reads the one value in a text. The error is the byte at which it is not what is expected.
pub(crate) fn read<T: FromJson>(text: &str) -> Result<T, usize> {
    let mistake = Mistake::default();
    mistake.or(T::read(Json::new(text, &mistake)))
}

/// Reads a JSON object that somebody else has written. The error says where it is not what it should be, and never what
/// is there.
pub(crate) fn parse<T: FromJson>(text: &str) -> Result<T, String> {
    if !text.trim_start().starts_with('{') {
        return Err("not a JSON object".into());
    }
    explained(text)
}

/// Reads the one value in a text. The error says where it is not what is expected, for a person.
fn explained<T: FromJson>(text: &str) -> Result<T, String> {
    let mistake = Mistake::default();
    let json = Json::new(text, &mistake);
    let is_json = mistake.or(()).is_ok();
    mistake.or(T::read(json)).map_err(|at| {
        let kind = if is_json { "a value of the wrong type" } else { "not JSON" };
        let before = text.get(..at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().len() + 1;
        format!("{kind} (line {line}, column {column})")
    })
}
