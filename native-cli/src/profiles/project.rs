//! The file that chooses a profile: `.hallpass.toml` in a project's folder, `hallpass.toml` under `$HALLPASS_HOME`.
//!
//! A name is all that it can say: whoever controls a folder can choose among the profiles that there are, and neither
//! send a login elsewhere nor have a command run.

use std::path::{Path, PathBuf};

use hallpass_core::{Error, Local, Misused, Report, StoreTrouble};
use toml::{Table, Value};

use super::Name;
use crate::store;

/// The project's file.
const FILE: &str = ".hallpass.toml";
/// What is larger says more than a name.
const LIMIT: usize = 4096;

/// What a project has chosen, or why what it says does not count.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Found {
    Profile(Name, PathBuf),
    Refused(Report),
}

/// Looks in a folder and in those above it, up to the person's own folder and within one file system. The nearest file
/// decides; one that another user has written, or could have, does not count.
pub(super) fn find(folder: &Path, person: Option<&Path>) -> Result<Option<Found>, Error> {
    let device = device(folder);
    for folder in folder.ancestors() {
        if person == Some(folder) || self::device(folder) != device {
            return Ok(None);
        }
        let path = folder.join(FILE);
        return match store::read_trusted(&path, LIMIT) {
            Ok(None) => continue,
            Ok(Some(text)) => parse(&path, &text).map(|name| Some(Found::Profile(name, path))),
            Err(failure) if matches!(failure.kind, StoreTrouble::Unsafe | StoreTrouble::Denied) => {
                let report = Report {
                    code: "project_refused".to_owned(),
                    message: format!("the profile that this folder chooses is passed over: {}", failure.detail),
                    help: Some("choose it yourself with `--profile NAME`".to_owned()),
                };
                Ok(Some(Found::Refused(report)))
            }
            Err(failure) => Err(Local::Store(failure).into()),
        };
    }
    Ok(None)
}

/// What a file chooses; nothing where there is none.
pub(super) fn read(path: &Path) -> Result<Option<Name>, Error> {
    let text = store::read_trusted(path, LIMIT).map_err(Local::Store)?;
    text.map(|text| parse(path, &text)).transpose()
}

/// Chooses.
pub(super) fn write(path: &Path, name: &Name) -> Result<(), Error> {
    store::replace(path, format!("profile = \"{name}\"\n").as_bytes()).map_err(|failure| Local::Store(failure).into())
}

fn parse(path: &Path, text: &str) -> Result<Name, Error> {
    let wrong =
        |detail: &str| Error::from(Misused::Value { what: path.display().to_string(), detail: detail.to_owned() });
    let table: Table = text.parse().map_err(|error: toml::de::Error| wrong(error.message()))?;
    if let Some(other) = table.keys().find(|key| *key != "profile") {
        return Err(wrong(&format!("`{other}` cannot be said there, only `profile = \"NAME\"`")));
    }
    match table.get("profile") {
        Some(Value::String(name)) => Name::new(name).map_err(|_| wrong("`profile` is no name of a profile")),
        _ => Err(wrong("it says no `profile = \"NAME\"`")),
    }
}

#[cfg(unix)]
fn device(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    path.metadata().ok().map(|found| found.dev())
}

/// Drives are told apart by their letters already.
#[cfg(windows)]
fn device(_: &Path) -> Option<u64> {
    None
}
