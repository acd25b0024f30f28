//! A record in the file and another in the keyring: the newer one counts, whoever wrote it, and no spent token is sent.

use hallpass::authorization_server::Request;
use serde_json::{Value, json};

use super::bus::{Bus, set_store};
use super::proxy::Verdict;
use crate::stage::{Stage, Tokens, error_code};

/// Which store has the newer record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Newer {
    File,
    Keyring,
}

/// A home with a record in each store: in one the tokens are spent; in the other the access token has expired, and that
/// record is the stage's.
pub(super) fn two_records(bus: &Bus, newer: Newer) -> Stage {
    let stage = Stage::expired();
    let hours_ago = hallpass::now().milliseconds() - 5_000_000;
    let renewed = renewed_at(&stage, &stage.before, hours_ago);
    let (file, keyring) = if newer == Newer::File { (&renewed, &stage.before) } else { (&stage.before, &renewed) };
    stage.write_record(file);
    bus.store(&stage, keyring);
    set_store(&stage, "auto");
    stage.with_record(renewed)
}

/// The access token of the record that was written last.
pub(super) fn newest(bus: &Bus, stage: &Stage) -> String {
    let file = std::fs::read_to_string(stage.home.file("auth.json")).ok();
    let records = [file, bus.record(stage)].into_iter().flatten();
    let renewed =
        |record: &String| serde_json::from_str::<Value>(record).unwrap()["last_refresh"].as_str().unwrap().to_owned();
    Tokens::of(&records.max_by_key(renewed).unwrap()).access
}

/// The record after another tool has refreshed the session just now: the tokens in this one are spent.
fn renewed_elsewhere(stage: &Stage, spent: &str) -> String {
    renewed_at(stage, spent, hallpass::now().milliseconds())
}

fn renewed_at(stage: &Stage, spent: &str, at: i64) -> String {
    let mut record: Value = serde_json::from_str(spent).unwrap();
    let body = json!({
        "client_id": record["tokens"]["oauth_provenance"]["client_id"],
        "grant_type": "refresh_token",
        "refresh_token": record["tokens"]["refresh_token"],
    });
    let answer = stage.serving.lock().respond(at, &Request::post_json("/oauth/token", &body)).response;
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    for name in ["id_token", "access_token", "refresh_token"] {
        record["tokens"][name] = answer[name].clone();
    }
    record["last_refresh"] = json!("2026-11-20T00:00:00Z");
    serde_json::to_string(&record).unwrap()
}

#[test]
fn the_newer_record_counts_wherever_it_lies() {
    let bus = Bus::start();
    for newer_is_in_the_file in [true, false] {
        let stage = Stage::expired();
        let newer = renewed_elsewhere(&stage, &stage.before);
        let (file, keyring) = if newer_is_in_the_file { (&newer, &stage.before) } else { (&stage.before, &newer) };
        stage.write_record(file);
        bus.store(&stage, keyring);
        set_store(&stage, "auto");
        let ran = bus.run(&stage, "token").expect(0);
        stage.assert_accepted(&ran.stdout);
        bus.run(&stage, "token --refresh").expect(0);
        assert_eq!((stage.rotations(), stage.reuses(), stage.revoked()), (2, 0, None), "{newer_is_in_the_file}");
        stage.assert_accepted(&bus.run(&stage, "token").expect(0).stdout);
    }
}

#[test]
fn what_codex_writes_into_the_other_store_counts() {
    let bus = Bus::start();
    // Hallpass has seen both stores; then a Codex whose keyring failed writes the file.
    let stage = bus.home(Stage::expired(), "auto");
    bus.run(&stage, "token").expect(0);
    stage.write_record(&renewed_elsewhere(&stage, &bus.record(&stage).unwrap()));
    let ran = bus.run(&stage, "token").expect(0);
    assert_eq!(ran.stdout.trim_end(), stage.tokens().access, "what was written by someone else counts");
    assert_eq!((stage.rotations(), stage.reuses()), (2, 0));
}

#[test]
fn a_stale_file_is_not_used_because_the_keyring_is_locked_or_slow() {
    let bus = Bus::start();
    let stage = Stage::expired();
    bus.store(&stage, &renewed_elsewhere(&stage, &stage.before));
    set_store(&stage, "auto");
    let requests = stage.requests();

    bus.lock();
    let ran = bus.run(&stage, "token --json");
    assert_eq!((stage.requests(), stage.revoked()), (requests, None), "{ran:?}");
    assert_eq!((ran.code, error_code(&ran).as_str()), (Some(5), "keyring_locked"), "{ran:?}");

    bus.kill_keyring();
    bus.unlock();
    let slow = |_: usize, name: &str, _: u32| {
        if name == "SearchItems" {
            std::thread::sleep(std::time::Duration::from_secs(10));
        }
        Verdict::Forward
    };
    let ran = bus.run_judged(&stage, "token --json", slow);
    assert_eq!((stage.requests(), stage.revoked()), (requests, None), "{ran:?}");
    assert_eq!((ran.code, error_code(&ran).as_str()), (Some(5), "store_timed_out"), "{ran:?}");
    assert_eq!(stage.home.record(), stage.before);
}
