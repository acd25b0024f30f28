//! A record that is a symbolic link: the link stays, what it leads to is replaced.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use hallpass_core::{Event, Place, Slot, StoreTrouble};

use crate::{RECORD, Sandbox, assert_trouble, loaded, mode, text};

/// A home whose record leads to this file, and the file.
fn linked(target: impl AsRef<Path>) -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::with_home();
    fs::create_dir(sandbox.0.join("elsewhere")).unwrap();
    symlink(target, sandbox.file("auth.json")).unwrap();
    let file = sandbox.0.join("elsewhere/credentials");
    (sandbox, file)
}

#[test]
fn the_link_stays_and_its_target_is_replaced() {
    let (sandbox, target) = linked("../elsewhere/credentials");
    fs::write(&target, "{\"old\":1}").unwrap();
    let mut stores = sandbox.stores();
    assert_eq!(stores.load(RECORD), loaded("{\"old\":1}"));
    assert_eq!(stores.reserve(Place::File, &"{}".into(), 64), Event::Reserved);
    assert_eq!(stores.save(RECORD, &"{\"new\":1}".into()), Event::Saved);
    assert_eq!(stores.load(RECORD), loaded("{\"new\":1}"));
    assert!(sandbox.file("auth.json").is_symlink());
    assert_eq!((text(&target), mode(&target)), ("{\"new\":1}".into(), 0o600));
    assert_eq!(fs::read_dir(sandbox.0.join("elsewhere")).unwrap().count(), 1);
}

#[test]
fn a_link_to_nothing_yet_is_an_empty_slot() {
    let (sandbox, target) = linked("../elsewhere/credentials");
    let mut stores = sandbox.stores();
    assert_eq!(stores.load(RECORD), Event::Loaded(None));
    assert_eq!(stores.save(RECORD, &"{}".into()), Event::Saved);
    assert_eq!(text(&target), "{}");
    assert!(sandbox.file("auth.json").is_symlink());
}

#[test]
fn a_link_to_nowhere_is_named() {
    let (sandbox, _) = linked("/nonexistent/folder/credentials");
    assert_trouble(&sandbox.stores().save(RECORD, &"{}".into()), StoreTrouble::NoHome, "/nonexistent");
    let (sandbox, _) = linked("auth.json");
    assert_trouble(&sandbox.stores().load(RECORD), StoreTrouble::Unsafe, "auth.json");
    let (sandbox, _) = linked("/dev/null");
    assert_trouble(&sandbox.stores().load(RECORD), StoreTrouble::Unsafe, "/dev/null");
}

#[test]
fn the_target_is_checked_like_the_record_itself() {
    let (sandbox, target) = linked("../elsewhere/credentials");
    fs::write(&target, "{}").unwrap();
    fs::hard_link(&target, sandbox.0.join("other")).unwrap();
    assert_trouble(&sandbox.stores().save(RECORD, &"{}".into()), StoreTrouble::Unsafe, "hard-linked");
    assert_trouble(&sandbox.stores().reserve(Place::File, &"{}".into(), 64), StoreTrouble::Unsafe, "hard-linked");
    assert_eq!(sandbox.names(), ["auth.json"]);
}

#[test]
fn a_logout_removes_the_link_and_the_file() {
    let (sandbox, target) = linked("../elsewhere/credentials");
    fs::write(&target, "{}").unwrap();
    assert_eq!(sandbox.stores().remove(RECORD), Event::Removed(true));
    assert!(!target.exists());
    assert_eq!(sandbox.names(), Vec::<String>::new());
    let (sandbox, _) = linked("../elsewhere/credentials");
    assert_eq!(sandbox.stores().remove(RECORD), Event::Removed(true));
    assert_eq!(sandbox.stores().remove(RECORD), Event::Removed(false));
}

#[test]
fn nothing_but_the_record_may_be_a_link() {
    let sandbox = Sandbox::with_home();
    let victim = sandbox.0.join("victim");
    fs::write(&victim, "{}").unwrap();
    for (slot, name) in [
        (Slot::Sidecar, "hallpass.json"),
        (Slot::Parked(Place::File), "hallpass.parked"),
        (Slot::Client(Place::File), "hallpass.client.json"),
    ] {
        symlink(&victim, sandbox.file(name)).unwrap();
        assert_trouble(&sandbox.stores().load(slot), StoreTrouble::Unsafe, "symbolic link");
        assert_trouble(&sandbox.stores().save(slot, &"{\"x\":1}".into()), StoreTrouble::Unsafe, "symbolic link");
        assert_eq!(sandbox.stores().remove(slot), Event::Removed(true));
    }
    assert_eq!(text(&victim), "{}");
}
