//! What stands behind profiles and the tools that run in them.

use hallpass_core::{LoginMethod, Need, Place, Slot, TokenOrigin};
use hallpass_tests::world::World;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
/// Codex renews a token that has no longer to live than this.
const WINDOW: i64 = 5 * MINUTE;
const AHEAD: Need = Need::Ahead { of: 300_000 };

fn worlds(lifetime: i64) -> [World; 2] {
    [World::openai(), World::standard()].map(|mut world| {
        world.server.options_mut().access_token_lifetime_ms = lifetime;
        world.login();
        world.sent.clear();
        world
    })
}

fn spent(world: &World) -> i64 {
    world.sent.iter().filter(|line| line.ends_with("token")).map(|_| 1).sum()
}

#[test]
fn whoever_looks_often_enough_is_always_ahead_of_the_tool() {
    for (lifetime, pause) in [
        (WINDOW + 4 * SECOND, SECOND),
        (6 * MINUTE, 5 * SECOND),
        (10 * MINUTE, 10 * SECOND),
        (20 * MINUTE, 10 * SECOND),
        (60 * MINUTE, 10 * SECOND),
        (24 * 60 * MINUTE, 2 * MINUTE),
    ] {
        for mut world in worlds(lifetime) {
            let begin = world.now;
            while world.now.since(begin) < 2 * lifetime {
                let before = world.status(false).unwrap().expires_at.unwrap();
                assert!(before.since(world.now) > WINDOW, "the tool would renew a token of {lifetime} ms");
                world.token(AHEAD).unwrap();
                world.wait(pause);
            }
            // And not earlier than half of what is left before that window.
            let shortest = (lifetime - WINDOW) / 2;
            assert!(spent(&world) <= 2 * lifetime / shortest + 2, "{} of {lifetime} ms", spent(&world));
        }
    }
}

#[test]
fn tokens_that_live_no_longer_than_the_tools_window_are_not_renewed_without_end() {
    for lifetime in [MINUTE, WINDOW - SECOND, WINDOW] {
        for mut world in worlds(lifetime) {
            for _ in 0..60 {
                world.token(AHEAD).unwrap();
                world.wait(SECOND);
            }
            assert!(spent(&world) <= 2, "{} of {lifetime} ms", spent(&world));
            assert_eq!(world.token(AHEAD).unwrap().origin, TokenOrigin::Stored);
        }
    }
}

#[test]
fn a_key_needs_no_keeping() {
    let mut world = World::openai();
    world.log_in(LoginMethod::ApiKey("sk-1".into())).unwrap();
    assert_eq!(world.token(AHEAD).unwrap().origin, TokenOrigin::Stored);
}

#[test]
fn under_a_tool_no_variable_moves_a_refresh_token_even_to_loopback() {
    for strict in [false, true] {
        let mut world = World::openai();
        world.login();
        world.sent.clear();
        world.configuration.token_endpoint_override = Some("http://127.0.0.1:9/oauth/token".to_owned());
        world.configuration.strict_overrides = strict;
        let renewed = world.token(Need::Fresh);
        // Nobody answers there, and with the provider nothing is spent.
        assert_eq!((renewed.is_ok(), spent(&world)), if strict { (true, 1) } else { (false, 0) });
    }
}

#[test]
fn a_session_is_known_again_in_every_copy_and_after_every_refresh() {
    for mut world in worlds(60 * MINUTE) {
        let first = world.status(false).unwrap().session.unwrap();
        world.token(Need::Fresh).unwrap();
        assert_eq!(world.status(false).unwrap().session.as_ref(), Some(&first));
        // One that says nothing of its login is known by its refresh token.
        let mut record = world.store.record();
        record["tokens"].as_object_mut().unwrap().remove("login_owner_id");
        world.store.put(Slot::Record(Place::File), &record.to_string());
        let unnamed = world.status(false).unwrap().session.unwrap();
        assert_ne!(unnamed, first);
        assert!(!record.to_string().contains(&unnamed), "it tells nothing");
        world.login();
        let second = world.status(false).unwrap().session.unwrap();
        assert!(second != first && second != unnamed);
    }
    let mut world = World::openai();
    world.log_in(LoginMethod::ApiKey("sk-1".into())).unwrap();
    assert_eq!(world.status(false).unwrap().session, None);
}
