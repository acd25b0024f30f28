//! Whether a refresh could be saved in the home: found out by writing as much as one needs, and taking it away again.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use hallpass_core::{Local, StoreFailure, StoreTrouble};

use super::{Case, Finding, Group, Level};
use crate::store;

/// What a refresh reserves for its answer, in bytes.
const SIZE: usize = 64 * 1024;

pub(super) fn check(case: &Case) -> Vec<Finding> {
    let Some(home) = case.home.as_deref().filter(|home| home.is_dir()) else { return Vec::new() };
    let record = home.join("auth.json");
    if store::is_mount_point(&record) {
        let detail = format!("{}: it is mounted by itself", record.display());
        return vec![Group::Home.of(Level::Problem, Local::Store(StoreFailure { kind: StoreTrouble::Busy, detail }))];
    }
    match try_writing(home) {
        Ok(()) => vec![Group::Home.ok("writable", "a refresh could be saved here")],
        Err(failure) => vec![Group::Home.of(Level::Problem, Local::Store(failure))],
    }
}

/// A full disk, a quota, a read-only file system and a missing permission all show.
fn try_writing(home: &Path) -> Result<(), StoreFailure> {
    let path = home.join(format!(".hallpass-doctor-{}", std::process::id()));
    let written = OpenOptions::new().write(true).create_new(true).open(&path).and_then(|mut file| {
        file.write_all(&vec![b' '; SIZE])?;
        file.sync_data()
    });
    let removed = fs::remove_file(&path);
    written.and(removed).map_err(|error| store::from_io(home, &error))
}
