//! What is locked is given back, whatever the shell says.

use hallpass_core::{Effect, Lock, LoginMethod, Need};
use hallpass_tests::world::World;

/// A world in which the access token has expired, so that a token flow takes every lock there is.
fn expired() -> World {
    let mut world = World::openai();
    world.login();
    world.wait(3_600_001);
    world
}

#[test]
fn a_lock_whose_answer_makes_no_sense_is_given_back() {
    let takes: [fn(&Effect) -> bool; 2] = [
        |effect| matches!(effect, Effect::Lock { lock: Lock::Transaction, .. }),
        |effect| matches!(effect, Effect::Lock { lock: Lock::Commit, .. }),
    ];
    for take in takes {
        // The world itself looks at the locks when a flow ends.
        let mut world = expired();
        world.misleads(take);
        assert_eq!(world.usable().unwrap_err().code(), "unexpected_event");
        assert!(world.token(Need::Fresh).is_ok(), "and the next flow finds them free");

        let mut world = expired();
        world.misleads(take);
        assert_eq!(world.log_in(LoginMethod::Browser).unwrap_err().code(), "unexpected_event");

        let mut world = expired();
        world.misleads(take);
        let outcome = world.log_out(false).unwrap();
        assert_eq!(outcome.failures.first().unwrap().code, "unexpected_event");
    }
}

#[test]
fn a_token_that_was_granted_is_saved_whatever_is_said_of_the_lock() {
    let mut world = expired();
    // The first lock of this kind is the one of the second reading, the next the one of the commit.
    world.meanwhile(
        |effect| matches!(effect, Effect::Http(request) if request.body.is_some()),
        |world| world.misleads(|effect| matches!(effect, Effect::Lock { lock: Lock::Commit, .. })),
    );
    let token = world.usable().unwrap();
    let stored = world.store.record()["tokens"]["access_token"].clone();
    assert_eq!(stored, token.access_token.expose());
}
