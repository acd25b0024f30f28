//! A process that dies at any point, in every store: what counts afterwards is the old record or the new one.

use hallpass::authorization_server::Rotation;
use hallpass_core::{LoginMethod, LoginRequest, Need, Place, Request, Slot, StoreMode, StoreTrouble, TokenOrigin};
use hallpass_tests::world::World;

const HOUR: i64 = 3_600_000;
const FILE: Slot = Slot::Record(Place::File);
const KEYRING: Slot = Slot::Record(Place::Keyring);
const MODES: [StoreMode; 3] = [StoreMode::File, StoreMode::Keyring, StoreMode::Auto];

fn into(world: &World, store: StoreMode) -> Request {
    Request::Login(LoginRequest { store: Some(store), ..world.login_request(LoginMethod::Browser) })
}

/// A home whose login is kept there.
fn home(store: StoreMode) -> World {
    let mut world = World::openai();
    world.unchecked = true;
    let request = into(&world, store);
    world.run(request).expect("the login works");
    world.wait(60_000);
    world
}

/// The session that counts is one that the server knows, and goes on.
fn lives_on(world: &mut World, context: &str) {
    let token = world.usable().unwrap_or_else(|error| panic!("{context}: {error}"));
    let now = world.now.milliseconds();
    assert!(world.server.is_live_access_token(now, token.access_token.expose()), "{context}");
    for _ in 0..2 {
        world.wait(HOUR + 1);
        let token = world.usable().unwrap_or_else(|error| panic!("{context}, later: {error}"));
        assert_eq!(token.origin, TokenOrigin::Refreshed, "{context}");
    }
}

#[test]
fn a_login_that_is_cut_off_leaves_the_session_before_it_or_its_own() {
    for before in MODES {
        for after in MODES {
            // A keyring that is not there for the login, and is again afterwards.
            for absent in [false, true].into_iter().filter(|absent| !absent || after == StoreMode::Auto) {
                let mut is_over = false;
                for turn in 0.. {
                    if is_over {
                        break;
                    }
                    let mut world = home(before);
                    if absent {
                        world.store.troubles.insert(Place::Keyring, StoreTrouble::Unavailable);
                    }
                    let request = into(&world, after);
                    is_over = !world.dies_at(request, turn);
                    world.store.troubles.clear();
                    let context = format!("{before:?} to {after:?}, keyring absent: {absent}, at {turn}");
                    lives_on(&mut world, &context);
                    // Nobody is kept waiting for a login that can do it all again.
                    let request = into(&world, after);
                    world.run(request).unwrap_or_else(|error| panic!("{context}, again: {error}"));
                    lives_on(&mut world, &context);
                    assert!(world.log_out(false).unwrap().failures.is_empty());
                    assert!(world.store.is_empty(), "{context}: something is left");
                }
            }
        }
    }
}

#[test]
fn a_refresh_that_is_cut_off_is_finished_by_the_next_process() {
    for store in MODES {
        for rotation in [Rotation::Strict, Rotation::ReplayToParent] {
            let (mut is_over, mut lost) = (false, 0);
            for turn in 0.. {
                if is_over {
                    break;
                }
                let mut world = home(store);
                world.server.options_mut().rotation = rotation;
                world.wait(HOUR);
                let request = world.token_request(Need::Usable { minimum_lifetime: 300_000 });
                is_over = !world.dies_at(request, turn);
                let context = format!("{store:?}, {rotation:?}, at {turn}");
                // The one loss that no client can prevent: the answer has arrived and is not parked yet.
                if let Err(error) = world.usable() {
                    assert_eq!((error.code(), rotation), ("rotation_lost", Rotation::Strict), "{context}");
                    lost += 1;
                    continue;
                }
                lives_on(&mut world, &context);
                assert!(world.store.get(Slot::Parked(Place::File)).is_none());
                assert!(world.store.get(Slot::Parked(Place::Keyring)).is_none());
            }
            assert_eq!(lost, usize::from(rotation == Rotation::Strict), "{store:?}, {rotation:?}");
        }
    }
}

#[test]
fn what_was_written_last_counts_whatever_the_clock_said() {
    // The keyring goes away, a login falls back to the file, the keyring comes back with what it held.
    let mut world = home(StoreMode::Auto);
    world.store.troubles.insert(Place::Keyring, StoreTrouble::Unavailable);
    world.clock_error = -2 * HOUR;
    let request = into(&world, StoreMode::Auto);
    world.run(request).unwrap();
    world.store.troubles.clear();
    assert!(world.store.get(FILE).is_some() && world.store.get(KEYRING).is_some());
    assert_eq!(world.status(false).unwrap().store, Some(Place::File));
    lives_on(&mut world, "the file is newer");
    assert!(world.store.get(KEYRING).is_none(), "the refresh has cleared what it could not before");
}

#[test]
fn a_leftover_whose_token_is_finished_never_counts() {
    let mut world = home(StoreMode::Auto);
    let old = world.store.get(KEYRING).unwrap().to_owned();
    world.wait(HOUR);
    world.usable().unwrap();
    // From a backup: it differs from what was last seen there, and is older all the same.
    world.store.put(FILE, &old);
    lives_on(&mut world, "a file from a backup");
    assert!(world.server.families().all(|family| family.revoked.is_none()));
}

#[test]
fn a_store_that_fails_once_at_any_point_loses_nothing() {
    for store in MODES {
        for turn in 0.. {
            let mut world = home(store);
            world.wait(HOUR);
            world.store.stumbles_after = Some(turn);
            let result = world.usable();
            if world.store.stumbles_after.take().is_some() {
                assert!(turn > 5 && result.is_ok_and(|token| token.warnings.is_empty()));
                break;
            }
            if let Err(error) = result {
                assert!(error.code().starts_with("store_"), "{store:?} at {turn}: {error}");
            }
            lives_on(&mut world, &format!("{store:?} at {turn}"));
            assert!(world.server.families().all(|family| family.revoked.is_none()), "{store:?} at {turn}");
        }
    }
}
