//! A profile whose home lies elsewhere: a file that says where.

use std::fs;
use std::path::{Path, PathBuf};

use hallpass_core::{Error, Local, Misused};
use toml::{Table, Value};

use crate::{home, store};

/// Longer than any path.
const LIMIT: usize = 64 * 1024;

pub(super) fn write(place: &Path, home: &Path) -> Result<(), Error> {
    let Some(text) = home.to_str() else {
        let detail = "its path has characters that cannot be written down".to_owned();
        return Err(Misused::Value { what: home.display().to_string(), detail }.into());
    };
    // A text of JSON is one of TOML.
    let text = serde_json::Value::from(text);
    store::replace(place, format!("home = {text}\n").as_bytes()).map_err(|failure| Local::Store(failure).into())
}

/// Where the home is: it must be there.
pub(super) fn read(place: &Path) -> Result<PathBuf, Error> {
    let text = store::read_trusted(place, LIMIT).map_err(Local::Store)?.unwrap_or_default();
    let table = text.parse::<Table>().unwrap_or_default();
    let Some(path) = table.get("home").and_then(Value::as_str).map(Path::new).filter(|path| path.is_absolute()) else {
        let detail = "it does not say where the home of the profile is".to_owned();
        return Err(Misused::Value { what: place.display().to_string(), detail }.into());
    };
    fs::canonicalize(path)
        .map_err(|error| home::no_home(format!("`{}`, the home of an imported profile: {error}", path.display())))
}
