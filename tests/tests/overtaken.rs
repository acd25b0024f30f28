//! Logins, logouts and other tools in the middle of a refresh.

use hallpass::authorization_server::Rotation;
use hallpass_core::{Effect, Error, Lock, Need, Place, Slot, TokenOrigin};
use hallpass_tests::world::World;

const HOUR: i64 = 3_600_000;
const FILE: Slot = Slot::Record(Place::File);
const PARKED: Slot = Slot::Parked(Place::File);
const USABLE: Need = Need::Usable { minimum_lifetime: 300_000 };

/// Worlds in which the access token has expired.
fn expired() -> [World; 2] {
    [World::openai(), World::standard()].map(|mut world| {
        world.login();
        world.wait(HOUR + 1);
        world
    })
}

/// The server has answered, and nobody else can know it.
fn parks(effect: &Effect) -> bool {
    matches!(effect, Effect::Save { slot: PARKED, .. })
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.expect_err("it fails").code()
}

/// How many sessions the server would still renew.
fn sessions(world: &World) -> usize {
    world.server.families().filter(|family| family.revoked.is_none()).count()
}

#[test]
fn a_login_of_the_same_account_wins() {
    for mut world in expired() {
        world.meanwhile(parks, |world| {
            // What the login brings expires before what the refresh has brought.
            world.server.options_mut().access_token_lifetime_ms = HOUR / 2;
            world.login();
        });
        let token = world.usable().unwrap();
        assert_eq!(token.access_token.expose(), world.store.record()["tokens"]["access_token"]);
        assert!(token.expires_at.unwrap().since(world.now) <= HOUR / 2, "it is the login's");
        assert_eq!(sessions(&world), 1, "what the refresh has brought is revoked, the login's is not");
        assert!(world.store.get(PARKED).is_none());
        world.wait(HOUR);
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
    }
}

#[test]
fn a_login_of_the_same_session_is_not_ended_by_the_refresh_that_it_overtakes() {
    let mut world = World::standard();
    world.server.options_mut().browser_session = Some("at the desk".into());
    world.login();
    world.wait(HOUR + 1);
    world.meanwhile(parks, |world| {
        world.login();
    });
    let token = world.usable().unwrap();
    assert_eq!(token.access_token.expose(), world.store.record()["tokens"]["access_token"]);
    world.wait(HOUR + 1);
    assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
}

#[test]
fn a_login_of_another_account_wins() {
    for mut world in expired() {
        world.meanwhile(parks, |world| {
            world.person.account = Some("grace@example.com".into());
            world.login();
        });
        assert_eq!(code(world.usable()), "another_account");
        assert_eq!(sessions(&world), 1);
        assert_eq!(world.status(false).unwrap().account.unwrap().email.as_deref(), Some("grace@example.com"));
        assert!(world.usable().is_ok() && world.store.get(PARKED).is_none());
    }
}

#[test]
fn a_logout_stays_a_logout() {
    for local in [true, false] {
        for mut world in expired() {
            world.meanwhile(parks, move |world| {
                let before = world.now;
                assert!(world.log_out(local).unwrap().was_logged_in);
                assert!(world.now.since(before) >= 10_000, "the refresh is given time to end");
            });
            assert_eq!(code(world.usable()), "not_logged_in");
            assert!(world.store.is_empty(), "nothing comes back");
            assert_eq!(sessions(&world), 0, "what came too late is revoked");
        }
    }
}

#[test]
fn a_tool_that_does_not_say_which_login_it_renewed_is_not_fought() {
    for mut world in expired() {
        world.meanwhile(parks, |world| {
            let mut record = world.store.record();
            let tokens = record["tokens"].as_object_mut().unwrap();
            tokens.remove("login_owner_id");
            tokens.insert("access_token".into(), "theirs".into());
            tokens.insert("refresh_token".into(), "their-successor".into());
            world.store.put(FILE, &record.to_string());
        });
        let token = world.usable().unwrap();
        assert_eq!((token.origin, token.access_token.expose()), (TokenOrigin::Adopted, "theirs"));
        assert_eq!(world.store.record()["tokens"]["refresh_token"], "their-successor");
        assert_eq!(sessions(&world), 1, "it may be the same session: nothing is revoked");
    }
}

#[test]
fn a_login_takes_along_what_an_interrupted_refresh_has_parked() {
    for mut world in expired() {
        world.dies(world.token_request(USABLE), |effect| matches!(effect, Effect::Save { slot: FILE, .. }));
        assert!(world.store.get(PARKED).unwrap().contains("answer"));
        world.login();
        assert!(world.store.get(PARKED).is_none(), "tokens that nobody wants do not lie around");
    }
}

#[test]
fn who_waits_in_vain_for_the_lock_looks_once_more() {
    for mut world in expired() {
        world.busy = vec![Lock::Transaction];
        world.meanwhile(
            |effect| matches!(effect, Effect::Lock { lock: Lock::Transaction, .. }),
            |world| {
                // The holder renews, and keeps the lock.
                world.busy.clear();
                assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
            },
        );
        let token = world.usable().unwrap();
        assert_eq!(token.origin, TokenOrigin::Adopted);
        assert!(token.warnings.is_empty(), "{:?}", token.warnings);
    }
}

/// What another tool has renewed, without any lock, and not saved yet.
fn renewed_elsewhere(world: &mut World) -> String {
    let mut other = World::with(world.configuration.provider.clone());
    (other.server, other.store, other.now) = (world.server.clone(), world.store.clone(), world.now);
    other.usable().expect("it is first");
    world.server = other.server.clone();
    other.store.get(FILE).expect("it was saved").to_owned()
}

#[test]
fn a_successor_that_another_tool_saves_seconds_later_is_adopted() {
    for looks in 1..=10 {
        for mut world in expired() {
            world.unchecked = true;
            world.server.options_mut().rotation = Rotation::RejectOnly;
            let record = renewed_elsewhere(&mut world);
            saves_after(&mut world, looks, record.clone());
            let token = world.usable().unwrap();
            assert_eq!(token.origin, TokenOrigin::Adopted, "after {looks} looks");
            assert_eq!(world.store.get(FILE), Some(record.as_str()));
            assert!(world.store.get(PARKED).is_none());
            world.wait(HOUR + 1);
            assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
        }
    }
}

/// The other tool saves when this one has looked so many times.
fn saves_after(world: &mut World, looks: usize, record: String) {
    world.meanwhile(
        |effect| matches!(effect, Effect::Sleep { .. }),
        move |world| match looks {
            1 => world.store.put(FILE, &record),
            _ => saves_after(world, looks - 1, record),
        },
    );
}

#[test]
fn who_finds_the_token_dead_waits_for_whoever_looks_for_its_successor() {
    for mut world in expired() {
        world.unchecked = true;
        world.server.options_mut().rotation = Rotation::RejectOnly;
        let record = renewed_elsewhere(&mut world);
        world.meanwhile(
            |effect| matches!(effect, Effect::Sleep { .. }),
            move |world| {
                // The first one has noted the death, looks on, and holds the lock, which a second one waits for.
                world.meanwhile(
                    |effect| matches!(effect, Effect::Lock { lock: Lock::Transaction, .. }),
                    move |world| world.store.put(FILE, &record),
                );
                let requests = world.server.token_requests();
                assert_eq!(world.usable().unwrap().origin, TokenOrigin::Adopted);
                assert_eq!(world.server.token_requests(), requests, "nothing is sent");
            },
        );
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Adopted);
    }
}

#[test]
fn what_is_dead_stays_dead_whether_the_lock_can_be_had_or_not() {
    for busy in [vec![], vec![Lock::Transaction]] {
        for mut world in expired() {
            world.unchecked = true;
            world.server.options_mut().rotation = Rotation::RejectOnly;
            renewed_elsewhere(&mut world);
            assert_eq!(code(world.usable()), "spent_elsewhere");
            let requests = world.server.token_requests();
            world.busy = busy.clone();
            assert_eq!(code(world.usable()), "spent_elsewhere");
            assert_eq!(world.server.token_requests(), requests, "it is not sent again");
        }
    }
}

#[test]
fn an_answer_of_another_session_is_passed_over() {
    for mut world in expired() {
        world.dies(world.token_request(USABLE), |effect| matches!(effect, Effect::Save { slot: FILE, .. }));
        let parked = world.store.get(PARKED).unwrap().to_owned();
        world.login();
        world.store.put(PARKED, &parked);
        world.wait(HOUR + 1);
        let token = world.usable().unwrap();
        assert_eq!(token.origin, TokenOrigin::Refreshed);
        assert!(world.server.is_live_access_token(world.now.milliseconds(), token.access_token.expose()));
        assert!(world.store.get(PARKED).is_none(), "and its place is taken");
    }
}

#[test]
fn the_wish_to_stop_does_not_shorten_the_wait_for_codex() {
    for mut world in expired() {
        world.busy = vec![Lock::Commit];
        world.meanwhile(parks, |world| world.cancel_at = Some(0));
        let before = world.now;
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
        assert!(world.now.since(before) >= 30_000, "{}", world.now.since(before));
    }
}

#[test]
fn a_logout_ends_the_session_of_an_answer_that_is_parked() {
    for mut world in expired() {
        world.dies(world.token_request(USABLE), |effect| matches!(effect, Effect::Save { slot: FILE, .. }));
        world.log_out(false).unwrap();
        assert!(world.store.is_empty());
        assert_eq!(sessions(&world), 0);
    }
}
