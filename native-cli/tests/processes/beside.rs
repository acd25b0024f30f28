//! Beside other tools that refresh the same session.

use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hallpass::authorization_server::{Endpoint, Fault};

use crate::peer::{self, Peer};
use crate::running::{Running, wait_for_all_to_open};
use crate::stage::Stage;

const SOON: Duration = Duration::from_secs(30);
const NOW: Duration = Duration::ZERO;

/// What became of each of a peer's refreshes.
fn outcomes(peer: Running, within: Duration) -> Vec<String> {
    let ran = peer.finish(within).expect(0);
    ran.stdout.lines().filter_map(|line| Some(line.split_once("PEER ")?.1.to_owned())).collect()
}

#[test]
fn what_a_peer_renews_is_adopted_and_nothing_is_sent() {
    for peer in [Peer::Codex, Peer::Lockless] {
        let stage = Stage::expired();
        let lock = stage.home.file("hallpass.lock");
        let gate = File::create(&lock).unwrap();
        gate.lock().unwrap();
        let waiting: Vec<_> = (0..4).map(|_| Running::start(stage.home.command("token"))).collect();
        wait_for_all_to_open(&waiting, &lock);
        assert_eq!(outcomes(Running::start(peer.command(&stage, 1, NOW, NOW)), SOON), ["saved"]);
        drop(gate);
        for process in waiting {
            assert_eq!(process.finish(SOON).expect(0).stdout.trim_end(), stage.tokens().access);
        }
        assert_eq!((stage.requests(), stage.reuses(), stage.revoked()), (1, 0, None), "{peer:?}");
    }
}

#[test]
fn what_a_peer_has_spent_and_not_yet_saved_is_waited_for() {
    for peer in [Peer::Codex, Peer::Lockless] {
        let stage = Stage::expired().lenient();
        let other = Running::start(peer.command(&stage, 1, Duration::from_secs(2), NOW));
        stage.wait_for_requests(1);
        let ours = Running::start(stage.home.command("token"));
        assert_eq!(outcomes(other, SOON), ["saved"]);
        assert_eq!(ours.finish(SOON).expect(0).stdout.trim_end(), stage.tokens().access);
        assert_eq!((stage.requests(), stage.rotations(), stage.reuses()), (2, 1, 1), "{peer:?}");
        let now = hallpass::now().milliseconds();
        assert!(stage.serving.lock().is_live_refresh_token(now, &stage.tokens().refresh));
    }
}

#[test]
fn codex_finds_its_locks_free_while_we_wait_for_the_server() {
    let stage = Stage::expired();
    stage.serving.lock().inject(Endpoint::Token, Fault::Latency { ms: 1500 });
    let ours = Running::start(stage.home.command("token"));
    stage.wait_for_requests(1);
    for name in ["auth.lock", "auth.json.lock"] {
        let lock = File::open(stage.home.file(name)).unwrap();
        assert!(lock.try_lock().is_ok(), "{name}");
    }
    assert_eq!(stage.home.record(), stage.before, "still waiting");
    ours.finish(SOON).expect(0);
    stage.assert_alive();
}

#[test]
fn a_codex_that_is_saving_is_waited_for_and_keeps_what_is_its_own() {
    let stage = Stage::expired();
    stage.serving.lock().inject(Endpoint::Token, Fault::Latency { ms: 300 });
    let ours = Running::start(stage.home.command("token"));
    stage.wait_for_requests(1);
    let codex = ["auth.lock", "auth.json.lock"].map(|name| File::open(stage.home.file(name)).unwrap());
    for lock in &codex {
        lock.lock().unwrap();
    }
    std::thread::sleep(Duration::from_millis(1200));
    // It adds something of its own to the same tokens.
    let written = stage.before.replacen('{', "{\"x_codex\": {\"since\": 1.50},", 1);
    stage.write_record(&written);
    drop(codex);
    let token = ours.finish(SOON).expect(0).stdout;
    assert_eq!(token.trim_end(), stage.tokens().access);
    let record = stage.home.record();
    assert!(record.contains("x_codex") && record.contains("1.50") && record.contains("x_kept"), "{record}");
    stage.assert_alive();
}

/// Ends what goes on beside it, however it ends itself.
struct While<'a>(&'a AtomicBool);

impl Drop for While<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// Many refreshes of ours and of a peer, at once.
fn contend(peer: Peer) {
    let stage = Stage::expired().lenient();
    let rest = Duration::from_millis(60);
    let other = Running::start(peer.command(&stage, u32::MAX, Duration::from_millis(3), rest));
    let (going_on, torn) = (AtomicBool::new(true), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let _going_on = While(&going_on);
        if peer == Peer::Codex {
            scope.spawn(|| {
                while going_on.load(Ordering::SeqCst) {
                    let whole = serde_json::from_str::<serde_json::Value>(&stage.home.record()).is_ok();
                    torn.fetch_or(!whole, Ordering::SeqCst);
                }
            });
        }
        let ours: Vec<_> = (0..3)
            .map(|number| {
                let stage = &stage;
                scope.spawn(move || {
                    for _ in 0..12 {
                        let line = if number == 0 { "token" } else { "token --refresh" };
                        let ran = Running::start(stage.home.command(line)).finish(SOON).expect(0);
                        assert_eq!(ran.stdout.lines().count(), 1);
                        Running::start(stage.home.command("status --json")).finish(SOON).expect(0);
                    }
                })
            })
            .collect();
        for thread in ours {
            thread.join().unwrap();
        }
    });
    peer::stop(&stage);
    let outcomes = outcomes(other, SOON);
    peer::forget_to_stop(&stage);
    let saved = outcomes.iter().filter(|outcome| *outcome == "saved").count();
    println!("{peer:?}: {saved} of {} saved, {} rotations", outcomes.len(), stage.rotations());
    assert!(!torn.into_inner(), "the record is whole at every moment");
    assert!(outcomes.iter().all(|outcome| outcome == "saved" || outcome == "rejected"), "{outcomes:?}");
    let ours = stage.rotations() - u64::try_from(saved).unwrap();
    assert!(saved > 0 && ours > 0, "both have refreshed: {saved}, {ours}");
    let now = hallpass::now().milliseconds();
    assert!(stage.serving.lock().is_live_refresh_token(now, &stage.tokens().refresh), "the newest tokens are kept");
    assert_eq!(stage.leftovers(), Vec::<String>::new());
    stage.home.run("token --refresh").expect(0);
}

#[test]
fn contending_with_codex_nothing_is_lost() {
    contend(Peer::Codex);
}

#[test]
fn contending_with_one_that_takes_no_lock_nothing_is_lost() {
    contend(Peer::Lockless);
}
