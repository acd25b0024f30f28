//! The reserved room: an intent that an answer is written behind.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt};

use hallpass_core::{Event, Place};

use crate::{PARKED, Sandbox, loaded, mode, text};

const INTENT: &str = "{\"spends\":\"hash\"}";
const ANSWER: &str = "{\n \"answer\": \"of the server\"\n}";

#[test]
fn the_room_is_claimed_in_full_and_the_answer_stays_within_it() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("hallpass.parked");
    let mut stores = sandbox.stores();
    assert_eq!(stores.reserve(Place::File, &INTENT.into(), 16384), Event::Reserved);
    let before = fs::metadata(&path).unwrap();
    assert_eq!((before.len(), mode(&path)), (16384, 0o600));
    assert!(before.blocks() * 512 >= 16384, "real bytes");
    assert_eq!(stores.load(PARKED), loaded(INTENT));
    assert_eq!(stores.save(PARKED, &ANSWER.into()), Event::Saved);
    let after = fs::metadata(&path).unwrap();
    assert_eq!((after.len(), after.ino()), (16384, before.ino()));
    assert_eq!(sandbox.stores().load(PARKED), loaded("{\"answer\":\"of the server\"}"));
    assert_eq!(stores.save(PARKED, &"{\"second\":2}".into()), Event::Saved);
    assert_eq!(stores.load(PARKED), loaded("{\"second\":2}"));
    assert_eq!(sandbox.names(), ["hallpass.parked"]);
    assert_eq!(stores.remove(PARKED), Event::Removed(true));
}

#[test]
fn an_answer_cut_off_by_a_crash_leaves_the_intent() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("hallpass.parked");
    let answer = format!("{{\"answer\":\"{}\"}}", "x".repeat(9000));
    let mut stores = sandbox.stores();
    for hole in [0..answer.len(), 1..answer.len(), 4096..answer.len(), 4096..8192, 0..4096, 8192..answer.len() - 1] {
        assert_eq!(stores.reserve(Place::File, &INTENT.into(), 16384), Event::Reserved);
        assert_eq!(stores.save(PARKED, &answer.as_str().into()), Event::Saved);
        assert_eq!(stores.load(PARKED), loaded(&answer));
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        // What never reached the disk is as it was when the room was claimed.
        file.write_all_at("\n".repeat(hole.len()).as_bytes(), (INTENT.len() + 1 + hole.start) as u64).unwrap();
        assert_eq!(stores.load(PARKED), loaded(INTENT), "{hole:?}");
    }
}

#[test]
fn an_answer_larger_than_the_room_replaces_it() {
    let sandbox = Sandbox::new();
    let mut stores = sandbox.stores();
    assert_eq!(stores.reserve(Place::File, &INTENT.into(), 64), Event::Reserved);
    let answer = format!("{{\"answer\":\"{}\"}}", "x".repeat(5000));
    assert_eq!(stores.save(PARKED, &answer.as_str().into()), Event::Saved);
    assert_eq!(stores.load(PARKED), loaded(&answer));
    assert_eq!(text(&sandbox.file("hallpass.parked")), answer);
    assert_eq!(sandbox.names(), ["hallpass.parked"]);
}

#[test]
fn a_second_reservation_takes_the_place_of_the_first() {
    let sandbox = Sandbox::new();
    let mut stores = sandbox.stores();
    assert_eq!(stores.reserve(Place::File, &INTENT.into(), 8192), Event::Reserved);
    assert_eq!(stores.reserve(Place::File, &"{\"attempt\":2}".into(), 4096), Event::Reserved);
    assert_eq!(stores.load(PARKED), loaded("{\"attempt\":2}"));
    assert_eq!(fs::metadata(sandbox.file("hallpass.parked")).unwrap().len(), 4096);
    assert_eq!(stores.reserve(Place::File, &INTENT.into(), 0), Event::Reserved);
    assert_eq!(stores.load(PARKED), loaded(INTENT));
}

#[test]
fn without_a_reservation_an_answer_is_stored_all_the_same() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.stores().save(PARKED, &ANSWER.into()), Event::Saved);
    assert_eq!(sandbox.stores().load(PARKED), loaded(ANSWER));
}
