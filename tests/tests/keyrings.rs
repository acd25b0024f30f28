//! A keyring that comes and goes is neither an empty one nor a logout.

use hallpass_core::{
    Effect, Error, Lock, LoginMethod, LoginRequest, Need, Place, Request, Slot, StoreMode, StoreTrouble, TokenOrigin,
};
use hallpass_tests::world::World;

const HOUR: i64 = 3_600_000;
const FILE: Slot = Slot::Record(Place::File);
const KEYRING: Slot = Slot::Record(Place::Keyring);
const PARKED: Slot = Slot::Parked(Place::Keyring);
const USABLE: Need = Need::Usable { minimum_lifetime: 300_000 };

/// Worlds in which somebody is signed in with `auto`, in the keyring: with what Hallpass remembers, and as Codex
/// leaves a home.
fn worlds() -> [World; 2] {
    [true, false].map(|remembers| {
        let mut world = World::openai();
        world.configuration.store = Some(StoreMode::Auto);
        world.login();
        if !remembers {
            world.store.take(Slot::Sidecar);
        }
        world
    })
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.expect_err("it fails").code()
}

fn alive(world: &World) -> bool {
    world.server.families().all(|family| family.revoked.is_none())
}

fn fails(world: &mut World, kind: StoreTrouble) {
    world.store.troubles.insert(Place::Keyring, kind);
}

fn signs_in(world: &mut World, store: StoreMode) {
    let request = LoginRequest { store: Some(store), ..world.login_request(LoginMethod::Browser) };
    world.run(Request::Login(request)).expect("the login works");
}

#[test]
fn one_that_goes_away_in_the_middle_of_a_refresh_ends_no_session() {
    for kind in [StoreTrouble::Unavailable, StoreTrouble::Locked, StoreTrouble::TimedOut] {
        for mut world in worlds() {
            world.wait(HOUR + 1);
            world.meanwhile(
                |effect| matches!(effect, Effect::Save { slot: PARKED, .. }),
                move |world| {
                    world.meanwhile(
                        |effect| matches!(effect, Effect::Lock { lock: Lock::Commit, .. }),
                        move |world| fails(world, kind),
                    );
                },
            );
            let token = world.usable().unwrap();
            assert_eq!((token.origin, token.warnings[0].code.as_str()), (TokenOrigin::Refreshed, "not_saved"));
            assert!(alive(&world) && world.store.get(FILE).is_none(), "{kind:?}");
            world.store.troubles.clear();
            assert_eq!(world.usable().unwrap().access_token, token.access_token, "the parked answer is found");
            assert!(alive(&world) && world.store.get(PARKED).is_none());
        }
    }
}

#[test]
fn one_that_goes_away_before_a_rejection_ends_no_session() {
    for mut world in worlds() {
        world.wait(HOUR + 1);
        let family = world.server.families().last().unwrap().id;
        world.server.revoke_family(family);
        world.meanwhile(
            |effect| matches!(effect, Effect::Http(request) if request.body.is_some()),
            |world| fails(world, StoreTrouble::Unavailable),
        );
        assert_ne!(code(world.usable()), "not_logged_in");
    }
}

#[test]
fn a_file_does_not_stand_in_for_one_that_does_not_open() {
    for kind in [StoreTrouble::Locked, StoreTrouble::TimedOut, StoreTrouble::Other] {
        for mut world in worlds() {
            let other = world.store.get(KEYRING).unwrap().replace("\"access_token\": \"", "\"access_token\": \"x");
            world.store.put(FILE, &other);
            world.store.troubles.insert(Place::Keyring, kind);
            let error = code(world.usable());
            assert!(error.starts_with("store_") || error.starts_with("keyring_"), "{kind:?}: {error}");
            assert_eq!(code(world.status(false)), error);
        }
    }
    // Where the record was put into the file, that is where it is.
    let mut world = World::openai();
    world.configuration.store = Some(StoreMode::Auto);
    world.store.troubles.insert(Place::Keyring, StoreTrouble::Unavailable);
    world.login();
    world.store.troubles.insert(Place::Keyring, StoreTrouble::Locked);
    world.wait(HOUR + 1);
    let token = world.usable().unwrap();
    assert_eq!((token.origin, token.warnings.len()), (TokenOrigin::Refreshed, 0), "and it is renewed there");
}

#[test]
fn a_leftover_file_does_not_stand_in_for_one_that_is_not_there() {
    let mut world = World::openai();
    world.login();
    world.configuration.store = Some(StoreMode::Auto);
    // Cut off before it could clear the file that it has taken the place of.
    let request = LoginRequest { store: Some(StoreMode::Auto), ..world.login_request(LoginMethod::Browser) };
    world.dies(Request::Login(request), |effect| matches!(effect, Effect::Remove(FILE)));
    let token = world.usable().unwrap();
    world.store.troubles.insert(Place::Keyring, StoreTrouble::Unavailable);
    assert_eq!(code(world.usable()), "keyring_unavailable");
    // A file that somebody writes now is another matter.
    let record = world.store.get(FILE).unwrap().replacen('{', "{\"tool\":\"another\",", 1);
    world.store.put(FILE, &record);
    assert_ne!(world.usable().unwrap().access_token, token.access_token);
    // And so is a login, which does without a keyring.
    world.login();
    assert_eq!(world.status(false).unwrap().store, Some(Place::File));
}

#[test]
fn a_refresh_stays_where_room_was_reserved_for_it() {
    let mut world = World::openai();
    world.configuration.store = Some(StoreMode::Auto);
    world.store.troubles.insert(Place::Keyring, StoreTrouble::Unavailable);
    world.login();
    world.store.troubles.clear();
    world.wait(HOUR + 1);
    world.store.writes.clear();
    assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
    assert!(!world.store.writes.contains(&KEYRING) && world.store.get(FILE).is_some(), "{:?}", world.store.writes);
}

#[test]
fn a_logout_says_what_it_leaves_in_one_that_is_not_there() {
    for mode in [StoreMode::Keyring, StoreMode::Auto] {
        let mut world = World::openai();
        signs_in(&mut world, mode);
        world.store.troubles.insert(Place::Keyring, StoreTrouble::Unavailable);
        let logout = world.log_out(false).unwrap();
        assert!(logout.was_logged_in);
        assert_eq!(logout.failures.first().map(|failure| failure.code.as_str()), Some("keyring_unavailable"));
    }
}

#[test]
fn a_logout_clears_one_that_was_used_before() {
    let mut world = World::openai();
    signs_in(&mut world, StoreMode::Keyring);
    let request = LoginRequest { store: Some(StoreMode::File), ..world.login_request(LoginMethod::Browser) };
    world.dies(Request::Login(request), |effect| matches!(effect, Effect::Remove(KEYRING)));
    assert!(world.store.get(FILE).is_some() && world.store.get(KEYRING).is_some());
    assert!(world.log_out(false).unwrap().failures.is_empty());
    assert!(world.store.is_empty(), "nothing of either login is left");
}

#[test]
fn a_logout_that_cannot_read_what_is_remembered_looks_everywhere() {
    let mut world = World::openai();
    signs_in(&mut world, StoreMode::Keyring);
    world.store.troubles.insert(Place::File, StoreTrouble::Denied);
    let logout = world.log_out(true).unwrap();
    assert!(!logout.failures.is_empty());
    assert!(world.store.get(KEYRING).is_none());
}

#[test]
fn an_interrupted_refresh_is_finished_in_the_keyring() {
    for mut world in worlds() {
        world.wait(HOUR + 1);
        world.dies(world.token_request(USABLE), |effect| matches!(effect, Effect::Save { slot: KEYRING, .. }));
        assert!(world.usable().is_ok() && alive(&world));
        assert!(world.store.get(PARKED).is_none());
    }
}
