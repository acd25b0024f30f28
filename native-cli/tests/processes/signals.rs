//! Whoever is asked to end between the request and the save: first the token is saved.

use std::time::Duration;

use hallpass::authorization_server::{Endpoint, Fault};
use rustix::process::Signal;

use crate::running::Running;
use crate::stage::{Stage, until};
use crate::support::Ran;

const SOON: Duration = Duration::from_secs(20);

/// How a run ends that gets this signal while the answer to its refresh is on the way.
fn interrupted(stage: &Stage, signal: Signal, milliseconds: u64) -> Ran {
    stage.serving.lock().inject(Endpoint::Token, Fault::Latency { ms: 150 });
    let process = Running::start(stage.home.command("token"));
    stage.wait_for_requests(1);
    std::thread::sleep(Duration::from_millis(milliseconds));
    process.signal(signal);
    process.finish(SOON)
}

#[test]
fn the_token_is_saved_before_the_process_ends() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let stage = Stage::expired();
        let ran = interrupted(&stage, signal, 0).expect(130);
        assert_eq!(ran.stdout, "", "what was interrupted prints no token");
        assert_eq!((stage.requests(), stage.rotations()), (1, 1));
        stage.assert_alive();
        assert!(!stage.home.file("hallpass.parked").exists(), "nothing is left to do");
        let next = stage.home.run("token").expect(0);
        assert_eq!(next.stdout.trim_end(), stage.tokens().access);
        assert_eq!(stage.requests(), 1);
    }
}

#[test]
fn whenever_it_comes_no_token_is_lost() {
    for milliseconds in [100, 140, 145, 148, 149, 150, 151, 152, 153, 155, 160] {
        let stage = Stage::expired();
        let ran = interrupted(&stage, Signal::INT, milliseconds);
        assert!(matches!(ran.code, Some(0 | 130)), "{ran:?}");
        stage.assert_alive();
    }
}

#[test]
fn whoever_waits_for_the_lock_is_let_go_at_once() {
    let stage = Stage::expired();
    stage.serving.lock().inject(Endpoint::Token, Fault::Latency { ms: 4000 });
    let holder = Running::start(stage.home.command("token"));
    stage.wait_for_requests(1);
    let waiter = Running::start(stage.home.command("token"));
    crate::running::wait_for_open(waiter.id(), &stage.home.file("hallpass.lock"));
    waiter.signal(Signal::TERM);
    waiter.finish(Duration::from_secs(2)).expect(130);
    holder.finish(SOON).expect(0);
    assert_eq!(stage.requests(), 1);
    stage.assert_alive();
}

#[test]
fn the_commit_waits_for_codex_although_it_was_interrupted() {
    let stage = Stage::expired();
    stage.serving.lock().inject(Endpoint::Token, Fault::Latency { ms: 300 });
    let process = Running::start(stage.home.command("token"));
    stage.wait_for_requests(1);
    let codex = std::fs::File::create(stage.home.file("auth.lock")).unwrap();
    codex.lock().unwrap();
    process.signal(Signal::INT);
    std::thread::sleep(Duration::from_millis(900));
    assert_eq!(stage.home.record(), stage.before, "nobody writes beside a Codex that is writing");
    drop(codex);
    process.finish(SOON).expect(130);
    stage.assert_alive();
}

/// The answer is parked by then: whoever insists is let go, and the next command finds it.
#[test]
fn whoever_insists_is_let_go_while_the_commit_waits_for_codex() {
    for signal in [Signal::INT, Signal::TERM] {
        let stage = Stage::expired();
        stage.serving.lock().inject(Endpoint::Token, Fault::Latency { ms: 300 });
        let mut process = Running::start(stage.home.command("token"));
        stage.wait_for_requests(1);
        let codex = std::fs::File::create(stage.home.file("auth.lock")).unwrap();
        codex.lock().unwrap();
        let parked = stage.home.file("hallpass.parked");
        until(|| std::fs::read_to_string(&parked).is_ok_and(|text| text.contains("answer")), "the answer to be parked");
        crate::running::wait_for_open(process.id(), &stage.home.file("auth.lock"));
        process.signal(signal);
        std::thread::sleep(Duration::from_millis(300));
        assert!(!process.has_ended(), "the first time it is only said what is waited for");
        process.signal(signal);
        let ran = process.finish(Duration::from_secs(2)).expect(130);
        assert!(ran.stdout.is_empty() && ran.stderr.contains("Ctrl-C again: what was renewed is kept"), "{ran:?}");
        assert!(
            ran.stderr.ends_with("error: cancelled\nhelp: what was renewed is kept, and the next command saves it\n")
        );
        assert_eq!(stage.home.record(), stage.before, "nothing was written beside a Codex that is writing");
        drop(codex);
        let next = stage.home.run("token").expect(0);
        assert_eq!(next.stdout.trim_end(), stage.tokens().access);
        assert_eq!((stage.requests(), stage.rotations()), (1, 1), "what was kept is found, and not asked for again");
        stage.assert_alive();
    }
}

/// Until it is parked, nobody is let go.
#[test]
fn whoever_insists_before_the_answer_is_there_waits_for_it() {
    let stage = Stage::expired();
    stage.serving.lock().inject(Endpoint::Token, Fault::Latency { ms: 600 });
    let mut process = Running::start(stage.home.command("token"));
    stage.wait_for_requests(1);
    for _ in 0..3 {
        process.signal(Signal::INT);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(!process.has_ended());
    process.finish(SOON).expect(130);
    assert_eq!((stage.requests(), stage.rotations()), (1, 1));
    stage.assert_alive();
    assert!(!stage.home.file("hallpass.parked").exists());
}
