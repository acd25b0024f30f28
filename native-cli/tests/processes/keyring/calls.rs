//! Every call to the bus that a refresh makes: slow, the last of the keyring's life, or the last of the program's.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hallpass::authorization_server::Revocation;
use rustix::process::Signal;

use super::bus::{Bus, assert_no_plaintext};
use super::proxy::Verdict;
use super::two_stores::{Newer, newest, two_records};
use crate::running::{side_by_side, signal_to};
use crate::stage::{Stage, error_code, until};

/// So long may the keyring take for an answer, and as long again for a change that has begun.
const PATIENCE: Duration = Duration::from_secs(3);

/// When a call is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Moment {
    /// Before the refresh token is sent.
    Before,
    /// After the server has rotated it, up to the call that keeps the answer.
    Window,
    /// The answer is safe.
    After,
}

/// The calls of one refresh in a home that `prepared` makes. The answer is kept where the record lay that was spent.
fn moments(bus: &Bus, prepared: impl Fn() -> Stage) -> Vec<(usize, String, Moment)> {
    let stage = prepared();
    let in_keyring = bus.record(&stage).as_ref() == Some(&stage.before);
    let log = Arc::new(Mutex::new(Vec::new()));
    let (calls, server) = (Arc::clone(&log), Arc::clone(&stage.serving.shared));
    let before = server.lock().unwrap().token_requests();
    let judge = move |_: usize, name: &str, _: u32| {
        let sent = server.lock().unwrap().token_requests() > before;
        calls.lock().unwrap().push((name.to_owned(), sent));
        Verdict::Forward
    };
    bus.run_judged(&stage, "token", judge).expect(0);
    let calls = log.lock().unwrap().clone();
    let keeps = |(name, sent): &(String, bool)| *sent && ["SetSecret", "CreateItem"].contains(&name.as_str());
    // Before the next call to the bus, where the record lies in a file.
    let kept = calls.iter().position(keeps).filter(|_| in_keyring).unwrap_or(0);
    let moments: Vec<_> = calls
        .into_iter()
        .enumerate()
        .map(|(number, (name, sent))| match sent {
            false => (number, name, Moment::Before),
            true if number <= kept => (number, name, Moment::Window),
            true => (number, name, Moment::After),
        })
        .collect();
    println!("{moments:?}");
    assert!(moments.len() >= 8 && moments[0].2 == Moment::Before && moments.last().unwrap().2 == Moment::After);
    moments
}

#[test]
fn a_service_that_takes_ten_seconds_is_given_up_in_time_and_nothing_is_lost() {
    let bus = Bus::start();
    let prepared = || bus.home(Stage::expired(), "keyring");
    let moments = moments(&bus, prepared);
    side_by_side(moments, |(slow, name, moment)| {
        let stage = prepared();
        let answered = Arc::new(AtomicBool::new(false));
        let late = Arc::clone(&answered);
        let start = Instant::now();
        let ran = bus.run_judged(&stage, "token --json", move |number, _, _| {
            if number == slow {
                std::thread::sleep(Duration::from_secs(10));
                late.store(true, Ordering::SeqCst);
            }
            Verdict::Forward
        });
        let most = PATIENCE * 2 + Duration::from_secs(2);
        assert!(start.elapsed() < most, "{slow} {name}: {:?}", start.elapsed());
        assert_no_plaintext(&stage);
        if moment == Moment::Before {
            assert_eq!((ran.code, error_code(&ran).as_str()), (Some(5), "store_timed_out"), "{slow} {name}: {ran:?}");
            assert_eq!(stage.requests(), 0, "{slow} {name}");
        } else {
            stage.assert_accepted(ran.expect(0).json()["access_token"].as_str().unwrap());
        }
        // What the service does so late harms nobody.
        until(|| answered.load(Ordering::SeqCst), "the late answer");
        std::thread::sleep(Duration::from_millis(300));
        let ran = bus.run(&stage, "token").expect(0);
        assert_eq!(ran.stdout.trim_end(), bus.tokens(&stage).access, "{slow} {name}");
        assert_eq!((stage.requests(), stage.rotations(), stage.revoked()), (1, 1, None), "{slow} {name}");
        assert_no_plaintext(&stage);
    });
}

#[test]
fn a_keyring_that_is_killed_in_the_middle_is_an_error_or_a_warning() {
    let bus = Bus::start();
    let moments = moments(&bus, || bus.home(Stage::expired(), "keyring"));
    side_by_side(moments, |(last, name, moment)| {
        let bus = Arc::new(Bus::start());
        let stage = bus.home(Stage::expired(), "keyring");
        let victim = Arc::clone(&bus);
        let ran = bus.run_judged(&stage, "token --json", move |number, _, _| {
            if number == last {
                victim.kill_keyring();
            }
            Verdict::Forward
        });
        assert_no_plaintext(&stage);
        if moment == Moment::Before {
            let code = error_code(&ran);
            assert_eq!(ran.code, Some(5), "{last} {name}: {ran:?}");
            assert!(["keyring_unavailable", "store_failed"].contains(&code.as_str()), "{last} {name}: {ran:?}");
            assert_eq!(stage.requests(), 0, "{last} {name}");
        } else {
            stage.assert_accepted(ran.expect(0).json()["access_token"].as_str().unwrap());
        }
        bus.unlock();
        let ran = bus.run(&stage, "token --json");
        if moment == Moment::Window {
            // The token was handed out with a warning; its successor was nowhere to be kept.
            assert_eq!((ran.code, error_code(&ran).as_str()), (Some(1), "rotation_lost"), "{last} {name}: {ran:?}");
        } else {
            stage.assert_accepted(ran.expect(0).json()["access_token"].as_str().unwrap());
            assert_eq!((stage.requests(), stage.rotations(), stage.revoked()), (1, 1, None), "{last} {name}");
        }
        assert_no_plaintext(&stage);
    });
}

/// Kills the program just before each of its calls.
fn killed_at_every_call(prepared: impl Fn(&Bus) -> Stage + Sync) {
    let bus = Bus::start();
    let moments = moments(&bus, || prepared(&bus));
    side_by_side(moments, |(last, name, moment)| {
        let stage = prepared(&bus);
        let ran = bus.run_judged(&stage, "token", move |number, _, process| {
            if number < last {
                return Verdict::Forward;
            }
            if number == last {
                signal_to(process, Signal::KILL);
            }
            Verdict::Keep
        });
        assert_eq!(ran.code, None, "{last} {name}: {ran:?}");
        let ran = bus.run(&stage, "token --json");
        if moment == Moment::Window {
            assert_eq!((ran.code, error_code(&ran).as_str()), (Some(1), "rotation_lost"), "{last} {name}: {ran:?}");
            assert_eq!((stage.reuses(), stage.revoked()), (1, Some(Revocation::RefreshTokenReused)));
        } else {
            let token = ran.expect(0).json()["access_token"].as_str().unwrap().to_owned();
            assert_eq!(token, newest(&bus, &stage), "{last} {name}");
            assert_eq!((stage.reuses(), stage.requests(), stage.revoked()), (0, 1, None), "{last} {name}");
        }
    });
}

#[test]
fn whoever_is_killed_at_a_call_to_the_keyring_loses_nothing_outside_the_window() {
    killed_at_every_call(|bus| bus.home(Stage::expired(), "keyring"));
}

#[test]
fn whoever_is_killed_with_a_record_in_each_store_leaves_one_that_counts() {
    for newer in [Newer::File, Newer::Keyring] {
        killed_at_every_call(|bus| two_records(bus, newer));
    }
}
