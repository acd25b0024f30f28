//! The home: the folder that holds a person's credentials, the same as Codex's.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hallpass_core::{Error, Home, Local, StoreFailure, StoreTrouble};
use sha2::{Digest as _, Sha256};

/// Finds the home: `chosen`, else `$CODEX_HOME`, else `.codex` in the person's own folder.
///
/// What `CODEX_HOME` names must exist, as Codex demands; the others are made by the first login. The path is
/// canonical, so that two spellings of one home are one home.
///
/// # Errors
/// [`StoreTrouble::NoHome`] when it is no folder, or when there is none to be found.
pub fn find(chosen: Option<&Path>) -> Result<PathBuf, Error> {
    find_among(chosen, env::var_os("CODEX_HOME"), env::home_dir())
}

/// The home that `$CODEX_HOME` names, if it names one.
///
/// # Errors
/// As for [`find`].
pub(crate) fn from_variable() -> Result<Option<PathBuf>, Error> {
    named_by(env::var_os("CODEX_HOME"))
}

/// The home where nothing is chosen: `.codex` in the person's own folder.
///
/// # Errors
/// As for [`find`].
pub(crate) fn usual() -> Result<PathBuf, Error> {
    usual_of(env::home_dir())
}

/// The canonical path of a folder that need not exist; `named` is what messages call it.
///
/// # Errors
/// As for [`find`].
pub(crate) fn given(path: &Path, named: &str) -> Result<PathBuf, Error> {
    existing(path, named)?.map_or_else(|| to_be_made(path, named), Ok)
}

fn find_among(chosen: Option<&Path>, variable: Option<OsString>, person: Option<PathBuf>) -> Result<PathBuf, Error> {
    if let Some(chosen) = chosen {
        if chosen.as_os_str().is_empty() {
            return Err(no_home("`--home` is empty"));
        }
        return given(chosen, &format!("`{}`", chosen.display()));
    }
    named_by(variable)?.map_or_else(|| usual_of(person), Ok)
}

fn named_by(variable: Option<OsString>) -> Result<Option<PathBuf>, Error> {
    let Some(path) = variable.filter(|value| !value.is_empty()).map(PathBuf::from) else { return Ok(None) };
    let named = format!("`{}`, which CODEX_HOME names,", path.display());
    existing(&path, &named)?.map(Some).ok_or_else(|| no_home(format!("{named} does not exist")))
}

fn usual_of(person: Option<PathBuf>) -> Result<PathBuf, Error> {
    let person = person.filter(|path| path.is_absolute());
    let path = person.ok_or_else(|| no_home("neither CODEX_HOME nor HOME is set"))?.join(".codex");
    given(&path, &format!("`{}`", path.display()))
}

/// The canonical path of a folder; nothing when there is nothing.
fn existing(path: &Path, named: &str) -> Result<Option<PathBuf>, Error> {
    match fs::canonicalize(path) {
        Ok(canonical) if canonical.is_dir() => Ok(Some(canonical)),
        Ok(_) => Err(no_home(format!("{named} is not a folder"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(no_home(format!("{named} cannot be used: {error}"))),
    }
}

/// The path of a folder that the first login makes: canonical as far as it exists.
fn to_be_made(path: &Path, named: &str) -> Result<PathBuf, Error> {
    let absolute = std::path::absolute(path).map_err(|error| no_home(format!("{named} cannot be used: {error}")))?;
    let above = absolute.parent().and_then(|above| fs::canonicalize(above).ok());
    let canonical = above.zip(absolute.file_name()).map(|(above, name)| above.join(name));
    Ok(canonical.unwrap_or(absolute))
}

/// What tells this home from a copy of it, here or on another machine.
pub fn identity(home: &Path) -> Home {
    Home { path: home.display().to_string(), machine: machine() }
}

/// A name for this machine that tells nothing about it; empty where the system keeps none.
fn machine() -> String {
    // The number itself must not leave the machine (machine-id(5)), and a home may: its hash will do.
    let number = ["/etc/machine-id", "/var/lib/dbus/machine-id"].into_iter().find_map(|path| {
        let text = fs::read_to_string(path).ok()?;
        (!text.trim().is_empty()).then(|| text.trim().to_owned())
    });
    let Some(number) = number else { return String::new() };
    let digest = Sha256::new().chain_update("hallpass machine ").chain_update(number).finalize();
    format!("{digest:x}").chars().take(32).collect()
}

pub(crate) fn no_home(detail: impl Into<String>) -> Error {
    Local::Store(StoreFailure { kind: StoreTrouble::NoHome, detail: detail.into() }).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that is gone when the test ends.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = env::temp_dir().join(format!("hallpass-home-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(fs::canonicalize(path).unwrap())
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_choice_wins_over_the_variable_and_the_variable_over_the_default() {
        let scratch = Scratch::new("order");
        let (one, two) = (scratch.0.join("one"), scratch.0.join("two"));
        fs::create_dir(&one).unwrap();
        fs::create_dir(&two).unwrap();
        let found = |chosen: Option<&Path>, variable: Option<&Path>| {
            find_among(chosen, variable.map(Into::into), Some(scratch.0.clone())).unwrap()
        };
        assert_eq!(found(Some(&one), Some(&two)), one);
        assert_eq!(found(None, Some(&two)), two);
        assert_eq!(found(None, Some(Path::new(""))), scratch.0.join(".codex"));
        assert_eq!(found(None, None), scratch.0.join(".codex"));
    }

    #[test]
    fn two_spellings_are_one_home() {
        let scratch = Scratch::new("spellings");
        fs::create_dir(scratch.0.join("home")).unwrap();
        let found = find_among(Some(&scratch.0.join("home/../home/.")), None, None).unwrap();
        assert_eq!(found, scratch.0.join("home"));
        let missing = find_among(Some(&scratch.0.join("home/../new")), None, None).unwrap();
        assert_eq!(missing, scratch.0.join("new"));
    }

    #[test]
    fn what_is_no_folder_is_refused() {
        let scratch = Scratch::new("refused");
        let file = scratch.0.join("file");
        fs::write(&file, "x").unwrap();
        for (chosen, variable, expected) in [
            (Some(file.clone()), None, "is not a folder"),
            (None, Some(file), "is not a folder"),
            (None, Some(scratch.0.join("missing")), "does not exist"),
            (Some(PathBuf::new()), None, "is empty"),
            (None, None, "neither CODEX_HOME nor HOME"),
        ] {
            let error = find_among(chosen.as_deref(), variable.map(Into::into), None).unwrap_err();
            assert_eq!(error.code(), "no_home");
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
