//! JSON: read by asking for members, and kept as it came where somebody else may want it back.

mod lenient;
mod object;
mod reader;
mod value;
mod writer;

pub(crate) use lenient::{Integer, Text};
pub(crate) use object::{Object, dense};
pub(crate) use value::Mistake;
use value::Mistakes;
pub(crate) use value::{FromJson, Json, Members, choice, member, object, variant};
pub(crate) use writer::{quoted, write};

use alloc::format;
use alloc::string::String;

/// Reads the one value in a text.
pub(crate) fn read<T: FromJson>(text: &str) -> Result<T, Mistake> {
    let mistakes = Mistakes::default();
    mistakes.or(T::read(Json::new(text, &mistakes)))
}

/// Reads what somebody else has written. The error says where it is not what it should be, and never what is there.
pub(crate) fn parse<T: FromJson>(text: &str) -> Result<T, String> {
    let mistakes = Mistakes::default();
    let json = Json::new(text, &mistakes);
    let kind = if mistakes.or(()).is_ok() { "a value of the wrong type" } else { "not JSON" };
    mistakes.or(T::read(json)).map_err(|mistake| explained(text, kind, mistake))
}

fn explained(text: &str, kind: &str, mistake: Mistake) -> String {
    let before = match mistake {
        Mistake::At(at) => text.get(..at).unwrap_or(text),
        Mistake::LeftOut => "",
    };
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().len() + 1;
    format!("{kind} (line {line}, column {column})")
}
