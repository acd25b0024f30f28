//! The world in which Hallpass is tested, and what its builds share with each other.

#![allow(clippy::missing_panics_doc, reason = "a test panics where it fails")]

use std::path::{Path, PathBuf};

pub mod exhaustive;
pub mod key;
pub mod machines;
pub mod simulation;
pub mod transcript;
pub mod typescript;
pub mod world;

/// The root of the repository.
///
/// # Panics
/// Never: the crate lies in it.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(1).expect("the crate lies in the repository").to_owned()
}

/// Compares a committed file with what it should be; with `HALLPASS_RECORD=1` writes it instead.
///
/// # Panics
/// When they differ.
pub fn settle(path: &Path, expected: &str) {
    if std::env::var_os("HALLPASS_RECORD").is_some_and(|value| value == "1") {
        // Another test may be reading it.
        let new = path.with_extension("new");
        let written = std::fs::write(&new, expected).and_then(|()| std::fs::rename(&new, path));
        return written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    if let Some(line) = (0..).zip(expected.lines()).find(|(number, line)| found.lines().nth(*number) != Some(line)) {
        panic!("{} is stale from line {}:\n{}\nHALLPASS_RECORD=1 writes it anew", path.display(), line.0 + 1, line.1);
    }
    assert_eq!(found, expected, "{} is stale: HALLPASS_RECORD=1 writes it anew", path.display());
}
