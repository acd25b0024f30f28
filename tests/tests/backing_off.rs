//! No storms: what failed, or did not help, is not tried again at once, by nobody.

use hallpass::authorization_server::{Endpoint, Fault, Rotation};
use hallpass_core::{
    Effect, Error, Event, LockTrouble, LoginMethod, Need, Place, RequestFailure, Slot, StoreTrouble, TokenOrigin,
};
use hallpass_tests::world::{ISSUER, World};

const HOUR: i64 = 3_600_000;
const PARKED: Slot = Slot::Parked(Place::File);
const USABLE: Need = Need::Usable { minimum_lifetime: 300_000 };

fn worlds() -> [World; 2] {
    [World::openai(), World::standard()].map(|mut world| {
        world.login();
        world.sent.clear();
        world
    })
}

/// Worlds in which the access token has expired.
fn expired() -> [World; 2] {
    worlds().map(|mut world| {
        world.wait(HOUR + 1);
        world
    })
}

fn spent(world: &World) -> usize {
    world.sent.iter().filter(|line| line.ends_with("token")).count()
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.expect_err("it fails").code()
}

fn ends_the_session(world: &mut World) {
    let family = world.server.families().last().expect("somebody signed in").id;
    world.server.revoke_family(family);
}

/// What keeps a request from being sent on this machine has asked nothing of the server: it is said for what it is, and
/// whoever has mended it need not wait.
#[test]
fn a_variable_that_cannot_be_used_is_no_trouble_of_the_network() {
    let barred = || Event::RequestFailed(RequestFailure::barred("HTTPS_PROXY", "names a socks5 proxy"));
    for (mut world, url) in expired().into_iter().zip(["/oauth/token", "/.well-known/openid-configuration"]) {
        let url = format!("{ISSUER}{url}");
        world.answers(&url, barred());
        let error = world.usable().unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), ("invalid_variable", false));
        assert_eq!(error.to_string(), "the environment variable `HTTPS_PROXY` names a socks5 proxy");
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed, "at once");
        // A token that is still good is used, with a warning.
        world.wait(HOUR - 60_000);
        world.answers(&url, barred());
        let token = world.usable().unwrap();
        assert_eq!((token.origin, token.warnings[0].code.as_str()), (TokenOrigin::Stored, "invalid_variable"));
    }
    let mut world = World::openai();
    world.answers(&format!("{ISSUER}/oauth/token"), barred());
    let before = world.now;
    assert_eq!(code(world.log_in(LoginMethod::Browser)), "invalid_variable");
    assert_eq!(world.now, before, "nor is it tried again");
}

#[test]
fn a_storm_of_401_is_no_storm_of_refreshes() {
    for mut world in worlds() {
        // A resource that accepts no token at all, and a program that tries again every two seconds.
        world.unchecked = true;
        let mut rejected = world.usable().unwrap().access_token;
        for _ in 0..150 {
            match world.token(Need::Replacement { rejected: rejected.clone() }) {
                Ok(token) => rejected = token.access_token,
                Err(error) => assert_eq!(error.code(), "backing_off"),
            }
            world.wait(2_000);
        }
        assert!((2..=11).contains(&spent(&world)), "{} in five minutes", spent(&world));
        // Whoever needs a token gets one, and later a 401 counts again.
        assert!(world.usable().is_ok());
        world.wait(60_000);
        assert_eq!(world.token(Need::Replacement { rejected }).unwrap().origin, TokenOrigin::Refreshed);
    }
}

#[test]
fn a_server_is_left_alone_for_as_long_as_it_asks() {
    for (asked, wait) in [(30, 30_000), (100_000, 120_000), (0, 1_000)] {
        for mut world in expired() {
            let busy = Fault::Status { status: 429, retry_after: Some(asked), processed: false };
            world.server.inject(Endpoint::Token, busy);
            assert_eq!(code(world.usable()), "server_unavailable");
            world.wait(wait - 1);
            assert_eq!(code(world.usable()), "backing_off", "{asked}");
            world.wait(1);
            assert!(world.usable().is_ok(), "{asked}");
        }
    }
}

#[test]
fn a_rejected_token_is_dead_although_the_process_dies_while_it_looks_for_its_successor() {
    for mut world in expired() {
        ends_the_session(&mut world);
        world.dies(world.token_request(USABLE), |effect| matches!(effect, Effect::Sleep { .. }));
        assert_eq!(spent(&world), 1);
        assert!(world.usable().is_err());
        assert_eq!(spent(&world), 1, "it is not sent again");
    }
    for mut world in expired() {
        world.server.inject(Endpoint::Token, Fault::BreakBody);
        world.dies(world.token_request(USABLE), |effect| matches!(effect, Effect::Sleep { .. }));
        assert_eq!(code(world.usable()), "rotation_lost");
        assert_eq!(spent(&world), 1, "what was answered with a success is spent");
    }
}

#[test]
fn where_a_death_cannot_be_noted_the_intent_stays() {
    for mut world in expired() {
        ends_the_session(&mut world);
        world.meanwhile(
            |effect| matches!(effect, Effect::Http(request) if request.body.is_some()),
            |world| {
                world.store.reading_works = true;
                world.store.troubles.insert(Place::File, StoreTrouble::Full);
                // Removing needs no room.
                world.meanwhile(|effect| *effect == Effect::Remove(PARKED), |world| world.store.troubles.clear());
            },
        );
        assert!(world.usable().is_err());
        assert!(world.store.get(PARKED).is_some());
        world.store.troubles.clear();
        let before = world.now;
        assert!(world.usable().is_err());
        assert!(world.now.since(before) >= 3_000, "as after any attempt that was not finished");
        assert!(world.usable().is_err());
        assert_eq!(spent(&world), 2, "and now it is noted");
    }
}

#[test]
fn a_server_may_answer_with_the_same_refresh_token() {
    for mut world in expired() {
        world.server.options_mut().rotation = Rotation::Repeat;
        for _ in 0..3 {
            assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
            world.wait(HOUR + 1);
        }
    }
}

#[test]
fn a_home_without_locks_is_said_once() {
    for mut world in expired() {
        world.lock_trouble = Some(LockTrouble::Unsupported);
        world.log.clear();
        let token = world.usable().unwrap();
        let codes: Vec<_> = token.warnings.iter().map(|warning| warning.code.as_str()).collect();
        assert_eq!((token.origin, codes), (TokenOrigin::Refreshed, vec!["no_locks"]));
        let lines = world.log.iter().filter(|line| line.contains("no locks")).count();
        assert_eq!(lines, 1);
        assert!(world.usable().unwrap().warnings.is_empty(), "a good token needs no lock");
        assert!(world.log_out(false).unwrap().failures.is_empty());
    }
}

#[test]
fn a_home_that_cannot_be_written_is_read_and_nothing_is_spent() {
    for mut world in worlds() {
        world.lock_trouble = Some(LockTrouble::Denied);
        world.store.troubles.insert(Place::File, StoreTrouble::ReadOnly);
        world.store.reading_works = true;
        assert!(world.usable().unwrap().warnings.is_empty());
        world.wait(HOUR - 60_000 * 6);
        let token = world.usable().unwrap();
        assert_eq!(token.origin, TokenOrigin::Stored);
        assert_eq!(token.warnings.first().unwrap().code, "lock_failed");
        world.wait(HOUR);
        assert_eq!(code(world.usable()), "lock_failed");
        assert_eq!(spent(&world), 0);
    }
}

#[test]
fn a_parked_token_that_has_expired_is_not_handed_out() {
    for mut world in expired() {
        let saves = |effect: &Effect| matches!(effect, Effect::Save { slot: Slot::Record(Place::File), .. });
        world.dies(world.token_request(USABLE), saves);
        world.wait(2 * HOUR);
        world.store.reading_works = true;
        world.store.troubles.insert(Place::File, StoreTrouble::Full);
        assert_eq!(code(world.usable()), "store_full");
        world.store.troubles.clear();
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
    }
}

#[test]
fn a_401_that_finds_an_expired_answer_is_recovered_from_at_once() {
    for mut world in expired() {
        let rejected = world.store.record()["tokens"]["access_token"].as_str().unwrap().into();
        let saves = |effect: &Effect| matches!(effect, Effect::Save { slot: Slot::Record(Place::File), .. });
        world.dies(world.token_request(USABLE), saves);
        world.wait(2 * HOUR);
        assert_eq!(world.token(Need::Replacement { rejected }).unwrap().origin, TokenOrigin::Refreshed);
        assert_eq!(spent(&world), 2);
    }
}
