//! The same transaction where the record lies in the keyring: the real gnome-keyring on a bus of its own, locked, absent,
//! killed, or slow. `tests/run keyring` runs these.

mod bus;
mod calls;
mod proxy;
mod two_stores;

use std::time::Duration;

use crate::running::Running;
use crate::stage::{Stage, error_code};

use bus::{Bus, assert_no_plaintext, set_store};

const SOON: Duration = Duration::from_secs(40);

#[test]
fn sixteen_spend_the_token_once() {
    let bus = Bus::start();
    let stage = bus.home(Stage::expired(), "keyring");
    let crowd: Vec<_> = (0..16).map(|_| Running::start(bus.command(&stage, "token"))).collect();
    for process in crowd {
        assert_eq!(process.finish(SOON).expect(0).stdout.trim_end(), bus.tokens(&stage).access);
    }
    assert_eq!((stage.requests(), stage.rotations(), stage.revoked()), (1, 1, None));
    assert_no_plaintext(&stage);
}

#[test]
fn a_locked_keyring_is_an_error_and_nothing_is_sent_or_written() {
    let bus = Bus::start();
    for store in ["keyring", "auto"] {
        let stage = bus.home(Stage::expired(), store);
        bus.lock();
        let ran = bus.run(&stage, "token --json");
        assert_eq!((ran.code, error_code(&ran).as_str()), (Some(5), "keyring_locked"), "{store}: {ran:?}");
        assert_eq!(stage.requests(), 0);
        assert_no_plaintext(&stage);
        bus.kill_keyring();
        bus.unlock();
        assert_eq!(bus.record(&stage).as_deref(), Some(stage.before.as_str()), "{store}");
        bus.run(&stage, "token").expect(0);
        assert_eq!((stage.requests(), stage.revoked()), (1, None));
        assert_no_plaintext(&stage);
    }
}

#[test]
fn an_absent_keyring_is_an_error_for_whoever_has_chosen_it() {
    let bus = Bus::without_keyring();
    let stage = Stage::expired();
    set_store(&stage, "keyring");
    let ran = bus.run(&stage, "token --json");
    assert_eq!((ran.code, error_code(&ran).as_str()), (Some(5), "keyring_unavailable"), "{ran:?}");
    assert_eq!((stage.requests(), stage.home.record()), (0, stage.before.clone()));

    set_store(&stage, "auto");
    let ran = bus.run(&stage, "token").expect(0);
    assert!(ran.stderr.contains("warning: "), "whoever left it open is told of the file: {ran:?}");
    stage.assert_alive();
}
