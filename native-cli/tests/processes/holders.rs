//! Whoever holds the lock and does not go on: killed, or stopped for a long time.

use std::process::Command;
use std::time::{Duration, Instant};

use hallpass::authorization_server::{Endpoint, Fault};
use rustix::process::Signal;

use crate::running::{Running, child_of, is_stopped, signal_to, wait_for_all_to_open};
use crate::stage::{Stage, error_code, until};
use crate::tracing;

/// So long does hallpass wait for the lock of another process before it gives up.
const LOCK_PATIENCE: Duration = Duration::from_secs(45);
/// So long may a request take in all.
const REQUEST_PATIENCE: Duration = Duration::from_secs(30);
/// So long does the next refresh wait after one that failed.
const BACKOFF: Duration = Duration::from_millis(1100);
const SOON: Duration = Duration::from_secs(20);

/// A process that holds the lock, has written its intent, and is stopped before its request leaves.
struct Holder {
    tracer: Running,
    process: u32,
}

impl Holder {
    fn stopped(stage: &Stage) -> Self {
        let inject = ["-e", "trace=connect", "-e", "inject=connect:signal=STOP:when=1"];
        let tracer =
            Running::start(tracing::around(&stage.home.command("token --json"), "/dev/null".as_ref(), &inject));
        until(|| stage.home.file("hallpass.parked").exists(), "the intent");
        let process = child_of(tracer.id());
        until(|| is_stopped(process), "the holder to be stopped");
        Self { tracer, process }
    }
}

fn waiters(stage: &Stage, line: &str, count: usize) -> Vec<Running> {
    let waiters: Vec<_> = (0..count).map(|_| Running::start(stage.home.command(line))).collect();
    let lock = stage.home.file("hallpass.lock");
    wait_for_all_to_open(&waiters, &lock);
    waiters
}

#[test]
fn when_the_holder_is_killed_before_it_sends_the_others_go_on() {
    let stage = Stage::expired();
    let holder = Holder::stopped(&stage);
    let mut waiters = waiters(&stage, "token", 8);
    std::thread::sleep(Duration::from_millis(300));
    assert!(waiters.iter_mut().all(|waiter| !waiter.has_ended()), "nobody takes the lock of a process that lives");
    assert_eq!(stage.requests(), 0);
    signal_to(holder.process, Signal::KILL);
    let tokens: Vec<_> = waiters.into_iter().map(|waiter| waiter.finish(SOON).expect(0).stdout).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(stage.requests(), 1);
    stage.assert_alive();
}

#[test]
fn nobody_steals_from_a_holder_that_is_stopped() {
    let stage = Stage::expired();
    let holder = Holder::stopped(&stage);
    let start = Instant::now();
    let waiters = waiters(&stage, "token --json", 4);
    for waiter in waiters {
        let ran = waiter.finish(LOCK_PATIENCE + SOON).expect(5);
        assert_eq!(error_code(&ran), "lock_busy");
    }
    assert!(start.elapsed() >= LOCK_PATIENCE);
    assert_eq!(stage.requests(), 0, "nobody sends in its place");
    signal_to(holder.process, Signal::CONT);
    let code = error_code(&holder.tracer.finish(SOON).expect(4));
    assert_eq!((code.as_str(), stage.requests()), ("network", 0), "what it knows is too old to spend a token on");
    std::thread::sleep(BACKOFF);
    let token = stage.home.run("token").expect(0).stdout;
    assert_eq!(token.trim_end(), stage.tokens().access);
    assert_eq!(stage.requests(), 1);
    stage.assert_alive();
}

#[test]
fn a_token_that_still_works_is_used_while_the_holder_is_stopped() {
    let stage = Stage::ageing();
    let old = stage.tokens();
    let holder = Holder::stopped(&stage);
    for waiter in waiters(&stage, "token", 4) {
        let ran = waiter.finish(LOCK_PATIENCE + SOON).expect(0);
        assert_eq!(ran.stdout.trim_end(), old.access);
        assert!(ran.stderr.contains("warning: ") && ran.stderr.contains("hallpass.lock"), "{ran:?}");
    }
    assert_eq!(stage.requests(), 0, "nobody sends in its place");
    signal_to(holder.process, Signal::CONT);
    holder.tracer.finish(SOON).expect(0);
    assert_eq!((stage.requests(), stage.tokens()), (0, old), "what it knows is too old to spend a token on");
    std::thread::sleep(BACKOFF);
    stage.home.run("token").expect(0);
    assert_eq!((stage.requests(), stage.rotations()), (1, 1));
    stage.assert_alive();
}

#[test]
fn an_answer_that_came_while_the_process_was_stopped_counts() {
    let stage = Stage::expired();
    stage.serving.lock().inject(Endpoint::Token, Fault::Latency { ms: 300 });
    let process = Running::start(stage.home.command("token"));
    stage.wait_for_requests(1);
    process.signal(Signal::STOP);
    std::thread::sleep(REQUEST_PATIENCE + Duration::from_secs(1));
    process.signal(Signal::CONT);
    let ran = process.finish(SOON);
    assert_eq!(stage.requests(), 1, "{ran:?}");
    ran.expect(0);
    stage.assert_alive();
}

#[test]
fn a_lock_file_without_a_holder_is_taken_at_once() {
    for contents in ["", "4711\n", "\0\0\0\0"] {
        let stage = Stage::expired();
        std::fs::write(stage.home.file("hallpass.lock"), contents).unwrap();
        let mut touch = Command::new("touch");
        touch.args(["-d", "2001-01-01"]).arg(stage.home.file("hallpass.lock"));
        assert!(touch.status().unwrap().success());
        stage.set_mode("hallpass.lock", 0o600);
        Running::start(stage.home.command("token")).finish(SOON).expect(0);
        assert_eq!(std::fs::read_to_string(stage.home.file("hallpass.lock")).unwrap(), contents);
        stage.assert_alive();
    }
}
