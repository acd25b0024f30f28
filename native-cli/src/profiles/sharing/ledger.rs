//! What was linked, and what the shared files were like then: `hallpass.shared.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::store;

const FILE: &str = "hallpass.shared.json";
/// Longer than it ever is.
const LIMIT: usize = 64 * 1024;

/// A stamp for each name that is linked.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Ledger(BTreeMap<String, String>);

impl Ledger {
    /// One that cannot be read is empty: then whatever is no link is the profile's own.
    pub(super) fn read(home: &Path) -> Self {
        let text = store::read_trusted(&home.join(FILE), LIMIT).ok().flatten();
        Self(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    pub(super) fn of<'a>(names: impl Iterator<Item = &'a String>, shared: &Path) -> Self {
        Self(names.map(|name| (name.clone(), stamp(&shared.join(name)))).collect())
    }

    pub(super) fn write(&self, home: &Path) {
        if *self == Self::read(home) {
            return;
        }
        // Without it a file that takes the place of a link counts as the profile's own, and nothing is lost.
        if let Ok(text) = serde_json::to_string(&self.0) {
            let _ = store::replace(&home.join(FILE), text.as_bytes());
        }
    }

    pub(super) fn stamp(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// What changes when a file is written. Of folders only that they are some.
pub(super) fn stamp(path: &Path) -> String {
    let Ok(found) = fs::metadata(path) else { return String::new() };
    if found.is_dir() {
        return "folder".to_owned();
    }
    let modified = found.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    format!("{} {}", found.len(), modified.as_nanos())
}
