//! The stores and the locks of a home, on a real file system, between real processes.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking and tells its parent by printing"
)]

mod child;
mod faults;
mod files;
#[cfg(feature = "keyring")]
mod keyring;
mod links;
mod locks;
mod parked;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use hallpass::Stores;
use hallpass_core::{Event, Place, Secret, Slot, StoreTrouble};

const RECORD: Slot = Slot::Record(Place::File);
const PARKED: Slot = Slot::Parked(Place::File);

/// A folder that is removed with everything in it; the home inside it does not exist yet.
struct Sandbox(PathBuf);

impl Sandbox {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("hallpass-store-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn with_home() -> Self {
        let sandbox = Self::new();
        fs::create_dir(sandbox.home()).unwrap();
        sandbox
    }

    fn home(&self) -> PathBuf {
        self.0.join("home")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home().join(name)
    }

    fn stores(&self) -> Stores {
        Stores::new(self.home())
    }

    /// The names in the home, sorted.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(self.home()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn loaded(text: &str) -> Event {
    Event::Loaded(Some(Secret::from(text)))
}

#[track_caller]
fn assert_trouble(event: &Event, kind: StoreTrouble, detail: &str) {
    match event {
        Event::StoreFailed(failure) if failure.kind == kind => {
            assert!(failure.detail.contains(detail), "{}", failure.detail);
        }
        other => panic!("{kind:?} expected: {other:?}"),
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
