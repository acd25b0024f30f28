//! The store that ends with the process: one map for all of it, so that two flows of a home share what is in it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use hallpass_core::{Secret, Slot};

static SLOTS: LazyLock<Mutex<HashMap<(PathBuf, Slot), Secret>>> = LazyLock::new(Mutex::default);

pub(super) fn load(home: &Path, slot: Slot) -> Option<Secret> {
    slots().get(&(home.to_owned(), slot)).cloned()
}

pub(super) fn save(home: &Path, slot: Slot, contents: &Secret) {
    slots().insert((home.to_owned(), slot), contents.clone());
}

pub(super) fn remove(home: &Path, slot: Slot) -> bool {
    slots().remove(&(home.to_owned(), slot)).is_some()
}

fn slots() -> MutexGuard<'static, HashMap<(PathBuf, Slot), Secret>> {
    SLOTS.lock().unwrap_or_else(PoisonError::into_inner)
}
