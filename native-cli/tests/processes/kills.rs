//! Killed at every system call of a refresh, and at any other moment: what is found then, and what comes next.

use std::time::Duration;

use hallpass::authorization_server::{Revocation, Rotation};
use rustix::process::Signal;

use crate::running::{Running, side_by_side};
use crate::stage::{Stage, Tokens, error_code};
use crate::support::Ran;
use crate::tracing::{Call, calls_of_token, with_injected};

const SOON: Duration = Duration::from_secs(40);
/// The calls that change something outside the process, or that tell it what has changed there.
const TELLING: [&str; 15] = [
    "open",
    "openat",
    "write",
    "pwrite64",
    "fsync",
    "fchmod",
    "flock",
    "renameat",
    "unlinkat",
    "close",
    "socket",
    "connect",
    "sendto",
    "recvfrom",
    "exit_group",
];

/// What the server owes a client that died.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Moment {
    /// The request had not left, or its answer was safe: nothing is lost.
    Safe,
    /// The server has rotated, and nobody has written down what it answered.
    Window,
}

/// The calls of one refresh, each with what a death just before it means.
fn moments() -> Vec<(Call, Moment)> {
    let calls = calls_of_token(&Stage::expired());
    let sent = calls.iter().rposition(|call| call.is(&["sendto"])).unwrap();
    let parked = calls.iter().position(|call| call.is(&["pwrite64"]) && call.text.contains("hallpass.parked")).unwrap();
    assert!(sent < parked);
    let moment = |index| if sent < index && index <= parked { Moment::Window } else { Moment::Safe };
    let moments = calls.into_iter().enumerate().filter(|(_, call)| call.is(&TELLING));
    moments.map(|(index, call)| (call, moment(index))).collect()
}

/// Runs `token` until just before this call.
fn killed_before(stage: &Stage, call: &Call) {
    let ran = with_injected(stage, "token", call, "signal=KILL");
    assert_eq!(ran.code, None, "killed before {call:?}: {ran:?}");
}

/// What a crash leaves: a record that is the old one or the new one, nobody else's to read, and little else.
#[track_caller]
fn assert_whole(stage: &Stage) {
    let found = stage.tokens();
    if found != Tokens::of(&stage.before) {
        stage.assert_accepted(&found.access);
    }
    stage.assert_private();
    assert!(stage.leftovers().len() <= 1, "{:?}", stage.leftovers());
}

/// That the next process gets a token, and that the session has gone on by one step.
#[track_caller]
fn assert_goes_on(stage: &Stage) {
    let ran = stage.home.run("token").expect(0);
    stage.assert_accepted(&ran.stdout);
    assert_eq!(ran.stdout.trim_end(), stage.tokens().access);
    assert_eq!((stage.revoked(), stage.reuses(), stage.rotations()), (None, 0, 1));
    assert_whole(stage);
}

/// That the next process finds out, once, that the session is lost, and says why.
#[track_caller]
fn assert_named(ran: &Ran, stage: &Stage) {
    assert_eq!((ran.code, error_code(ran).as_str()), (Some(1), "rotation_lost"), "{ran:?}");
    assert_eq!((stage.revoked(), stage.reuses()), (Some(Revocation::RefreshTokenReused), 1));
    let requests = stage.requests();
    assert_eq!(requests, 2, "one resend");
    assert_eq!(error_code(&stage.home.run("token --json").expect(1)), "rotation_lost");
    assert_eq!(stage.requests(), requests, "a dead token is not sent again");
    assert_whole(stage);
}

#[test]
fn whoever_is_killed_at_a_system_call_loses_nothing_outside_the_window() {
    let moments = moments();
    let window = moments.iter().filter(|(_, moment)| *moment == Moment::Window).count();
    assert!(moments.len() > 60 && window >= 3, "{window} of {}", moments.len());
    println!("{} moments, {window} of them between the request and the answer's safety", moments.len());
    side_by_side(moments, |(call, moment)| {
        let stage = Stage::expired();
        killed_before(&stage, &call);
        assert_whole(&stage);
        match moment {
            Moment::Safe => assert_goes_on(&stage),
            Moment::Window => assert_named(&stage.home.run("token --json"), &stage),
        }
    });
}

#[test]
fn whoever_is_killed_while_finishing_the_work_of_one_who_was_killed_loses_nothing() {
    let moments = moments();
    let safe = moments.iter().skip_while(|(_, moment)| *moment == Moment::Safe);
    let first = safe.map(|(call, _)| call).find(|call| call.is(&["fsync"])).unwrap();
    let stage = || {
        let stage = Stage::expired();
        killed_before(&stage, first);
        stage
    };
    let calls: Vec<_> = calls_of_token(&stage()).into_iter().filter(|call| call.is(&TELLING)).collect();
    assert!(calls.len() > 50 && !calls.iter().any(|call| call.is(&["connect"])), "{}", calls.len());
    side_by_side(calls, |call| {
        let stage = stage();
        killed_before(&stage, &call);
        assert_whole(&stage);
        assert_goes_on(&stage);
        assert_eq!(stage.requests(), 1);
    });
}

#[test]
fn a_server_that_answers_again_makes_the_window_harmless() {
    let moments = moments().into_iter().filter(|(_, moment)| *moment == Moment::Window).collect();
    side_by_side(moments, |(call, _)| {
        let stage = Stage::expired();
        stage.serving.lock().options_mut().rotation = Rotation::ReplayToParent;
        killed_before(&stage, &call);
        assert_goes_on(&stage);
        assert_eq!(stage.requests(), 2);
    });
}

#[test]
fn whoever_is_killed_at_any_moment_is_succeeded_or_the_loss_is_named() {
    let rounds = (0..60).map(|round: u64| round.wrapping_mul(7919) % 24_000).collect();
    side_by_side(rounds, |microseconds| {
        let stage = Stage::expired();
        let process = Running::start(stage.home.command("token"));
        std::thread::sleep(Duration::from_micros(microseconds));
        process.signal(Signal::KILL);
        drop(process.finish(SOON));
        assert_whole(&stage);
        let ran = stage.home.run("token --json");
        if stage.reuses() > 0 {
            assert_named(&ran, &stage);
        } else {
            ran.expect(0);
            assert_goes_on(&stage);
        }
    });
}
