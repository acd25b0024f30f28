//! Refreshes that are cut off, answered with nonsense, or overtaken by another process.

use hallpass::authorization_server::{AccessTokenStyle, Endpoint, Fault, Rotation};
use hallpass_core::{
    Effect, Error, LoginMethod, LoginRequest, Need, Place, Request, Slot, StoreMode, StoreTrouble, TokenOrigin,
};
use hallpass_tests::world::World;

const HOUR: i64 = 3_600_000;
const FILE: Slot = Slot::Record(Place::File);
const PARKED: Slot = Slot::Parked(Place::File);
const USABLE: Need = Need::Usable { minimum_lifetime: 300_000 };

/// Worlds in which the access token has expired.
fn expired() -> [World; 2] {
    [World::openai(), World::standard()].map(|mut world| {
        world.login();
        world.sent.clear();
        world.wait(HOUR + 1);
        world
    })
}

fn spent(world: &World) -> usize {
    world.sent.iter().filter(|line| line.ends_with("token")).count()
}

fn alive(world: &World) -> bool {
    world.server.families().all(|family| family.revoked.is_none())
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.expect_err("it fails").code()
}

fn posts(effect: &Effect) -> bool {
    matches!(effect, Effect::Http(request) if request.body.is_some())
}

fn saves_record(effect: &Effect) -> bool {
    matches!(effect, Effect::Save { slot: FILE, .. })
}

#[test]
fn an_unanswered_request_is_sent_again_once_after_it_had_time_to_arrive() {
    for mut world in expired() {
        world.server.inject(Endpoint::Token, Fault::LoseRequest);
        let before = world.now;
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
        assert_eq!((spent(&world), alive(&world)), (2, true));
        assert_eq!(world.now.since(before), 3_000, "the first request is given time to arrive");
    }
    for mut world in expired() {
        world.server.inject(Endpoint::Token, Fault::LoseRequest);
        world.server.inject(Endpoint::Token, Fault::LoseRequest);
        assert_eq!(code(world.usable()), "network");
        assert_eq!(spent(&world), 2);
        assert!(world.store.get(PARKED).is_some(), "the intent stays for the next process");
        world.wait(60_000);
        assert!(world.usable().is_ok());
        assert!(alive(&world));
    }
}

#[test]
fn an_answer_that_is_lost_for_good_is_named() {
    for mut world in expired() {
        world.server.inject(Endpoint::Token, Fault::LoseAnswer);
        let error = world.usable().unwrap_err();
        assert!(matches!(error.code(), "rotation_lost"), "{}", error.code());
        assert_eq!(spent(&world), 2);
        assert!(world.usable().is_err());
        assert_eq!(spent(&world), 2);
    }
    for mut world in expired() {
        world.server.options_mut().rotation = Rotation::ReplayToParent;
        world.server.inject(Endpoint::Token, Fault::LoseAnswer);
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed, "a server that replays heals it");
    }
    for mut world in expired() {
        world.server.inject(Endpoint::Token, Fault::BreakBody);
        assert_eq!(code(world.usable()), "rotation_lost");
        assert_eq!(spent(&world), 1, "a status was seen: the token is spent and never sent again");
    }
}

#[test]
fn an_answer_that_was_parked_is_found_again() {
    for sidecar_is_there in [true, false] {
        for mut world in expired() {
            if !sidecar_is_there {
                // As Codex leaves a home; a record without provenance is OpenAI's.
                world.store.take(Slot::Sidecar);
            }
            world.dies(world.token_request(USABLE), saves_record);
            assert_eq!(spent(&world), 1);
            world.wait(1_000);
            let token = world.usable().unwrap();
            assert_eq!((spent(&world), alive(&world)), (1, true), "nothing is asked for twice");
            assert!(world.server.is_live_access_token(world.now.milliseconds(), token.access_token.expose()));
            assert!(world.store.get(PARKED).is_none());
            world.wait(HOUR + 1);
            assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
            assert!(alive(&world));
        }
    }
}

#[test]
fn an_open_intent_needs_nothing_beside_it() {
    for mut world in expired() {
        world.store.take(Slot::Sidecar);
        world.dies(world.token_request(USABLE), posts);
        let before = world.now;
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
        assert_eq!(world.now.since(before), 3_000, "the request of the dead process is given time to arrive");
    }
}

#[test]
fn a_success_that_cannot_be_read_leaves_the_question_open() {
    for fault in [Fault::WrongShape, Fault::OmitAccessToken, Fault::OtherAccount] {
        for mut world in expired() {
            world.server.inject(Endpoint::Token, fault.clone());
            assert!(world.usable().is_err());
            let parked = world.store.get(PARKED).expect("the intent stays");
            assert!(!parked.contains("answer"), "and nothing else: {parked}");
            world.wait(1_000);
            let before = world.now;
            assert_eq!(code(world.usable()), "rotation_lost", "{fault:?}: the server has taken the token");
            assert!(world.now.since(before) >= 3_000 && spent(&world) == 2);
        }
    }
    for mut world in expired() {
        world.server.inject(Endpoint::Token, Fault::Html);
        assert_eq!(code(world.usable()), "malformed_answer");
        world.wait(1_000);
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed, "a proxy's page has taken nothing");
        assert!(alive(&world) && world.store.get(PARKED).is_none());
    }
}

#[test]
fn a_failure_does_not_settle_what_became_of_the_request_before_it() {
    for mut world in expired() {
        world.server.inject(Endpoint::Token, Fault::LoseAnswer);
        let busy = Fault::Status { status: 429, retry_after: None, processed: false };
        world.server.inject(Endpoint::Token, busy);
        assert_eq!(code(world.usable()), "server_unavailable");
        assert!(world.store.get(PARKED).is_some());
        world.wait(1_000);
        assert_eq!(code(world.usable()), "rotation_lost");
    }
}

#[test]
fn an_answer_that_is_found_late_is_judged_like_any_other_token() {
    for mut world in expired() {
        world.dies(world.token_request(USABLE), saves_record);
        world.wait(2 * HOUR);
        let token = world.usable().unwrap();
        assert_eq!((token.origin, spent(&world), alive(&world)), (TokenOrigin::Refreshed, 2, true));
        assert!(world.server.is_live_access_token(world.now.milliseconds(), token.access_token.expose()));
    }
    // An opaque token does not say when it was issued.
    for mut world in [World::openai(), World::standard()] {
        for client in &mut world.server.options_mut().clients {
            client.access_tokens = AccessTokenStyle::Opaque;
        }
        world.login();
        world.wait(HOUR + 1);
        world.dies(world.token_request(USABLE), saves_record);
        world.wait(HOUR / 2);
        let token = world.usable().unwrap();
        assert_eq!(token.expires_at.unwrap().since(world.now), HOUR / 2);
    }
}

#[test]
fn a_shell_that_errs_while_the_answer_is_parked_loses_nothing() {
    for mut world in expired() {
        world.misleads(|effect| matches!(effect, Effect::Save { slot: PARKED, .. }));
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Stored);
    }
}

#[test]
fn a_rejected_token_is_buried_although_the_store_stumbles() {
    for mut world in expired() {
        let family = world.server.families().last().unwrap().id;
        world.server.revoke_family(family);
        world.meanwhile(posts, |world| {
            world.meanwhile(
                |effect| matches!(effect, Effect::Load(Slot::Sidecar)),
                |world| {
                    world.store.troubles.insert(Place::File, StoreTrouble::Other);
                    world.meanwhile(
                        |effect| matches!(effect, Effect::Sleep { .. }),
                        |world| world.store.troubles.clear(),
                    );
                },
            );
        });
        assert!(matches!(code(world.usable()), "session_revoked" | "spent_elsewhere"));
        assert!(world.usable().is_err());
        assert_eq!(spent(&world), 1, "a dead token is not sent again");
    }
}

#[test]
fn a_login_in_the_middle_of_a_failing_refresh_keeps_what_it_has_written() {
    for mut world in expired() {
        world.meanwhile(posts, |world| {
            let request = LoginRequest { store: Some(StoreMode::Keyring), ..world.login_request(LoginMethod::Browser) };
            world.run(Request::Login(request)).expect("the login works");
            let failing = Fault::Status { status: 503, retry_after: None, processed: false };
            world.server.inject(Endpoint::Token, failing);
        });
        assert_eq!(code(world.usable()), "server_unavailable");
        let status = world.status(false).unwrap();
        assert_eq!(status.store, Some(Place::Keyring), "the login's store stays pinned");
        assert!(status.logged_in);
    }
}

#[test]
fn a_home_is_not_touched_by_what_happens_in_memory() {
    let mut world = World::openai();
    world.login();
    let sidecar = world.store.get(Slot::Sidecar).unwrap().to_owned();
    world.configuration.store = Some(StoreMode::Ephemeral);
    world.login();
    world.wait(HOUR + 1);
    let failing = Fault::Status { status: 503, retry_after: None, processed: false };
    world.server.inject(Endpoint::Token, failing);
    assert_eq!(code(world.usable()), "server_unavailable");
    assert_eq!(world.store.get(Slot::Sidecar), Some(sidecar.as_str()));
    assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
}
