//! Where credentials are kept.

use hallpass_core::{Error, LoginMethod, LoginRequest, Outcome, Place, Request, Slot, StoreMode, StoreTrouble};
use hallpass_tests::world::World;

const FILE: Slot = Slot::Record(Place::File);
const KEYRING: Slot = Slot::Record(Place::Keyring);

fn world(mode: StoreMode) -> World {
    let mut world = World::openai();
    world.configuration.store = Some(mode);
    world
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.expect_err("it fails").code()
}

#[test]
fn each_mode_keeps_it_in_its_place() {
    for (mode, slot) in [
        (StoreMode::File, FILE),
        (StoreMode::Keyring, KEYRING),
        (StoreMode::Auto, KEYRING),
        (StoreMode::Ephemeral, Slot::Record(Place::Ephemeral)),
    ] {
        let mut world = world(mode);
        world.login();
        assert!(world.store.get(slot).is_some(), "{mode:?}");
        let others = [FILE, KEYRING, Slot::Record(Place::Ephemeral)].into_iter().filter(|other| *other != slot);
        assert!(others.into_iter().all(|other| world.store.get(other).is_none()), "{mode:?}");
        assert!(world.usable().is_ok());
        world.wait(3_600_001);
        assert!(world.usable().is_ok(), "{mode:?}");
    }
}

#[test]
fn the_keyring_takes_the_place_of_the_file() {
    let mut world = world(StoreMode::File);
    world.login();
    assert!(world.status(false).unwrap().warnings.is_empty());
    world.configuration.store = Some(StoreMode::Keyring);
    // The pinned store stays in force, and the disagreement is said.
    assert_eq!(world.status(false).unwrap().warnings.first().unwrap().code, "store_pinned");
    let request = LoginRequest { store: Some(StoreMode::Keyring), ..world.login_request(LoginMethod::Browser) };
    let Ok(Outcome::Login(_)) = world.run(Request::Login(request)) else { panic!() };
    assert!(world.store.get(FILE).is_none() && world.store.get(KEYRING).is_some());
    assert!(world.status(false).unwrap().warnings.is_empty());
    // And back.
    let request = LoginRequest { store: Some(StoreMode::File), ..world.login_request(LoginMethod::Browser) };
    let Ok(Outcome::Login(_)) = world.run(Request::Login(request)) else { panic!() };
    assert!(world.store.get(FILE).is_some() && world.store.get(KEYRING).is_none());
}

#[test]
fn without_a_keyring_auto_falls_back_and_says_so() {
    let mut world = world(StoreMode::Auto);
    world.store.troubles.insert(Place::Keyring, StoreTrouble::Unavailable);
    assert!(world.status(false).unwrap().warnings.is_empty(), "there is nothing yet that could be in the wrong place");
    let login = world.login();
    assert_eq!(login.warnings.first().unwrap().code, "keyring_fallback");
    assert_eq!(login.status.store, Some(Place::File));
    // It was said; whoever wants to hear it again asks for the status.
    assert!(world.usable().unwrap().warnings.is_empty());
    world.wait(3_600_001);
    assert!(world.usable().unwrap().warnings.is_empty(), "a refresh leaves the record where it lies");
    assert_eq!(world.status(false).unwrap().warnings.first().unwrap().code, "keyring_fallback");
    // Where somebody else has put it there, nobody has said it yet.
    let record = world.store.get(FILE).unwrap().replacen('{', "{\"tool\":\"another\",", 1);
    world.store.put(FILE, &record);
    assert_eq!(world.usable().unwrap().warnings.first().unwrap().code, "keyring_fallback");
}

#[test]
fn a_keyring_in_trouble_never_becomes_plaintext() {
    for kind in [StoreTrouble::Locked, StoreTrouble::TimedOut, StoreTrouble::Other] {
        for mode in [StoreMode::Auto, StoreMode::Keyring] {
            let mut world = world(mode);
            world.store.troubles.insert(Place::Keyring, kind);
            assert!(world.log_in(LoginMethod::ApiKey("sk-1".into())).is_err(), "{mode:?} {kind:?}");
            assert!(world.store.get(FILE).is_none());
            assert!(world.usable().is_err());
        }
    }
    let mut world = world(StoreMode::Keyring);
    world.store.troubles.insert(Place::Keyring, StoreTrouble::Unavailable);
    assert_eq!(code(world.log_in(LoginMethod::ApiKey("sk-1".into()))), "keyring_unavailable");
    assert!(world.store.get(FILE).is_none(), "only `auto` falls back");
    assert_eq!(code(world.log_in(LoginMethod::Browser)), "keyring_unavailable");
    assert!(world.sent.is_empty() && world.person.authorization_url.is_none(), "found out before anybody signs in");
    // A record in the file does not hide that the chosen store cannot be had.
    world.configuration.store = None;
    world.log_in(LoginMethod::ApiKey("sk-1".into())).unwrap();
    let request = LoginRequest { store: Some(StoreMode::Keyring), ..world.login_request(LoginMethod::Browser) };
    assert_eq!(code(world.run(Request::Login(request))), "keyring_unavailable");
    assert!(world.person.authorization_url.is_none());
}

#[test]
fn of_two_records_the_one_that_somebody_else_wrote_counts() {
    let record = |day: u32, token: &str| {
        format!(
            r#"{{"auth_mode":"chatgpt","tokens":{{"id_token":"","access_token":"{token}","refresh_token":"r"}},"last_refresh":"2026-11-{day:02}T00:00:00Z"}}"#
        )
    };
    // Nothing is known about either: the later refresh counts.
    for (file, keyring, expected) in [(20, 23, "keyring"), (23, 20, "file")] {
        let mut world = world(StoreMode::Auto);
        world.store.put(FILE, &record(file, "file"));
        world.store.put(KEYRING, &record(keyring, "keyring"));
        assert_eq!(world.usable().unwrap().access_token.expose(), expected);
    }
    // One is as we left it: the other was written by someone else, whatever its date.
    let mut world = world(StoreMode::Auto);
    world.login();
    world.store.put(FILE, &record(23, "file"));
    assert_eq!(world.usable().unwrap().access_token.expose(), "file");
}
