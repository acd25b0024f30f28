//! Signing out.

use hallpass::authorization_server::{Endpoint, Fault};
use hallpass_core::{Lock, LoginMethod, Place, Request, Revocation, Slot, StoreMode, StoreTrouble};
use hallpass_tests::world::World;

fn worlds() -> [World; 2] {
    [World::openai(), World::standard()].map(|mut world| {
        world.login();
        world.sent.clear();
        world
    })
}

fn revoked(world: &World) -> bool {
    world.server.families().all(|family| family.revoked.is_some())
}

#[test]
fn it_revokes_then_deletes() {
    for (mut world, name) in worlds().into_iter().zip(["logout-openai", "logout-standard"]) {
        let request = hallpass_core::LogoutRequest { configuration: world.configuration.clone(), local: false };
        assert!(world.record(name, Request::Logout(request)).is_ok());
        assert!(revoked(&world) && world.store.is_empty());
        let again = world.log_out(false).unwrap();
        assert!(!again.was_logged_in);
        assert_eq!(again.revocation, Revocation::NotNeeded);
    }
}

#[test]
fn the_wire_is_the_one_of_codex() {
    let mut world = World::openai();
    world.login();
    world.requests.clear();
    world.log_out(false).unwrap();
    let body = world.requests[0].body.as_ref().unwrap().expose();
    let recorded: serde_json::Value =
        serde_json::from_str(include_str!("../vectors/wire.logout.jsonl").trim()).unwrap();
    let token = body.split('"').nth(3).unwrap();
    assert_eq!(body.replace(token, "rt_fake_2"), recorded["body"].as_str().unwrap());
    assert!(world.requests[0].deadline <= 5_000);
}

#[test]
fn a_server_that_cannot_be_reached_is_no_reason_to_stay() {
    for fault in [
        Fault::LoseRequest,
        Fault::Latency { ms: 60_000 },
        Fault::Status { status: 503, retry_after: Some(100), processed: false },
        Fault::Redirect { status: 307, location: "https://evil.example".into() },
    ] {
        for mut world in worlds() {
            world.server.inject(Endpoint::Revocation, fault.clone());
            let logout = world.log_out(false).unwrap();
            assert!(matches!(logout.revocation, Revocation::Failed(_)), "{fault:?}: {logout:?}");
            assert!(world.store.is_empty());
        }
    }
}

#[test]
fn a_local_logout_revokes_nothing() {
    for mut world in worlds() {
        let logout = world.log_out(true).unwrap();
        assert!(logout.was_logged_in && !revoked(&world) && world.store.is_empty());
        assert!(world.sent.is_empty());
    }
}

#[test]
fn what_cannot_be_deleted_is_said() {
    for mut world in worlds() {
        world.store.troubles.insert(Place::File, StoreTrouble::ReadOnly);
        world.store.reading_works = true;
        let logout = world.log_out(false).unwrap();
        assert_eq!(logout.failures.first().unwrap().code, "store_read_only");
        assert!(revoked(&world));
    }
}

#[test]
fn what_cannot_be_read_is_deleted_all_the_same() {
    for text in ["", "{", "\0", r#"{"auth_mode":"newest"}"#] {
        let mut world = World::openai();
        world.store.put(Slot::Record(Place::File), text);
        let logout = world.log_out(false).unwrap();
        assert!(logout.was_logged_in && world.store.is_empty(), "{logout:?}");
    }
}

#[test]
fn nothing_is_left_in_any_store() {
    for mode in [StoreMode::File, StoreMode::Keyring, StoreMode::Auto, StoreMode::Ephemeral] {
        let mut world = World::openai();
        world.configuration.store = Some(mode);
        world.login();
        assert!(world.log_out(false).unwrap().was_logged_in, "{mode:?}");
        assert!(world.store.is_empty(), "{mode:?}");
    }
}

#[test]
fn without_a_keyring_auto_still_logs_out() {
    let mut world = World::openai();
    world.configuration.store = Some(StoreMode::Auto);
    world.store.troubles.insert(Place::Keyring, StoreTrouble::Unavailable);
    world.login();
    let logout = world.log_out(false).unwrap();
    assert!(logout.failures.is_empty() && world.store.is_empty(), "{logout:?}");
    // A keyring that is locked may still hold something: that is said.
    world.login();
    world.store.troubles.insert(Place::Keyring, StoreTrouble::Locked);
    let logout = world.log_out(false).unwrap();
    assert_eq!(logout.failures.first().unwrap().code, "keyring_locked");
    assert!(world.store.is_empty(), "and the file is gone");
}

#[test]
fn a_lock_that_is_held_does_not_keep_anybody_in() {
    for mut world in worlds() {
        world.busy = vec![Lock::Transaction, Lock::Commit];
        assert!(world.log_out(false).unwrap().was_logged_in);
        assert!(world.store.is_empty());
    }
}

#[test]
fn a_key_is_deleted_without_asking_anybody() {
    let mut world = World::openai();
    world.log_in(LoginMethod::ApiKey("sk-1".into())).unwrap();
    let logout = world.log_out(false).unwrap();
    assert_eq!(logout.revocation, Revocation::NotNeeded);
    assert!(logout.was_logged_in && world.sent.is_empty() && world.store.is_empty());
}

#[test]
fn stopping_at_any_point_leaves_nobody_half_signed_in() {
    for turn in 0..20 {
        let mut world = World::openai();
        world.login();
        world.cancel_at = Some(turn);
        let logout = world.log_out(false).unwrap();
        let left = world.store.get(Slot::Record(Place::File)).is_some();
        assert!(!left || !logout.failures.is_empty(), "at {turn}: {logout:?}");
    }
}
