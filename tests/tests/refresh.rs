//! Staying signed in.

use hallpass::authorization_server::{Endpoint, Fault, Rotation};
use hallpass_core::{
    Error, Lock, Need, Outcome, Place, Report, Request, Slot, StoreTrouble, TokenOrigin, TokenRequest,
};
use hallpass_tests::world::World;

const HOUR: i64 = 3_600_000;
const FILE: Slot = Slot::Record(Place::File);

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

/// Requests that spend a refresh token.
fn spent(world: &World) -> usize {
    world.sent.iter().filter(|line| line.ends_with("token")).count()
}

fn alive(world: &World) -> bool {
    world.server.families().all(|family| family.revoked.is_none())
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.expect_err("it fails").code()
}

fn warning(world: &mut World) -> String {
    let token = world.usable().expect("a token that is still good is handed out");
    assert_eq!(token.origin, TokenOrigin::Stored);
    token.warnings.first().expect("with the reason as a warning").code.clone()
}

#[test]
fn a_good_token_costs_no_lock_no_write_and_no_request() {
    for mut world in worlds() {
        world.store.writes.clear();
        world.busy = vec![Lock::Transaction, Lock::Commit];
        let token = world.usable().unwrap();
        assert_eq!(token.origin, TokenOrigin::Stored);
        assert!(world.store.writes.is_empty() && world.sent.is_empty());
        assert_eq!(token.expires_at.unwrap().since(world.now), HOUR);
    }
}

#[test]
fn an_expired_token_is_renewed_once_and_saved() {
    for (mut world, name) in expired().into_iter().zip(["refresh-openai", "refresh-standard"]) {
        let before = world.store.record();
        let need = Need::Usable { minimum_lifetime: 300_000 };
        let request = TokenRequest { configuration: world.configuration.clone(), need };
        let Ok(Outcome::Token(token)) = world.record(name, Request::Token(request)) else { panic!() };
        assert_eq!(token.origin, TokenOrigin::Refreshed);
        assert!(token.warnings.is_empty(), "{:?}", token.warnings);
        let after = world.store.record();
        assert_eq!(after["tokens"]["access_token"], token.access_token.expose());
        assert_ne!(after["tokens"]["refresh_token"], before["tokens"]["refresh_token"]);
        assert_eq!(after["tokens"]["login_owner_id"], before["tokens"]["login_owner_id"]);
        assert_ne!(after["last_refresh"], before["last_refresh"]);
        assert!(world.store.get(Slot::Parked(Place::File)).is_none());
        assert_eq!((spent(&world), alive(&world)), (1, true));
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Stored);
        assert!(world.server.is_live_access_token(world.now.milliseconds(), token.access_token.expose()));
    }
}

#[test]
fn it_is_renewed_before_the_tool_beside_us_would_do_it() {
    for mut world in worlds() {
        // A fifth of an hour is less than the ten minutes and their jitter.
        world.wait(HOUR - 13 * 60_000);
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Stored);
        world.wait(4 * 60_000);
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
    }
    let mut world = World::openai();
    world.server.options_mut().access_token_lifetime_ms = 60_000;
    world.login();
    world.wait(40_000);
    assert_eq!(world.token(Need::Usable { minimum_lifetime: 0 }).unwrap().origin, TokenOrigin::Stored);
    world.wait(10_000);
    assert_eq!(world.token(Need::Usable { minimum_lifetime: 0 }).unwrap().origin, TokenOrigin::Refreshed);
}

#[test]
fn a_lifetime_that_no_token_has_costs_one_refresh_and_a_warning() {
    for mut world in worlds() {
        let token = world.token(Need::Usable { minimum_lifetime: 86_400_000 }).unwrap();
        assert_eq!(token.origin, TokenOrigin::Refreshed);
        assert_eq!(token.warnings.first().unwrap().code, "short_lived");
        assert_eq!(spent(&world), 1);
    }
}

#[test]
fn an_answer_without_a_refresh_token_keeps_the_old_one() {
    for mut world in expired() {
        world.server.options_mut().rotation = Rotation::Keep;
        let before = world.store.record();
        for _ in 0..3 {
            world.usable().unwrap();
            world.wait(HOUR + 1);
        }
        assert_eq!(world.store.record()["tokens"]["refresh_token"], before["tokens"]["refresh_token"]);
    }
}

#[test]
fn a_rejected_token_is_replaced_once() {
    for mut world in worlds() {
        let rejected = world.usable().unwrap().access_token;
        world.server.expire_access_tokens(world.now.milliseconds());
        let token = world.token(Need::Replacement { rejected: rejected.clone() }).unwrap();
        assert_eq!((token.origin, spent(&world)), (TokenOrigin::Refreshed, 1));
        assert!(world.server.is_live_access_token(world.now.milliseconds(), token.access_token.expose()));
        // Whoever comes later with the same rejected token adopts what is there.
        let token = world.token(Need::Replacement { rejected }).unwrap();
        assert_eq!((token.origin, spent(&world)), (TokenOrigin::Adopted, 1));
    }
}

#[test]
fn what_another_process_has_renewed_is_adopted() {
    for mut world in expired() {
        // Somebody else renews between our look and our lock: the world's lock is where they do it.
        let mut other = World::with(world.configuration.provider.clone());
        other.server = world.server.clone();
        other.store = world.store.clone();
        other.now = world.now;
        let theirs = other.usable().unwrap();
        world.server = other.server.clone();
        world.store.put(FILE, other.store.get(FILE).unwrap());
        let rejected = "an-old-token".into();
        let token = world.token(Need::Replacement { rejected }).unwrap();
        assert_eq!(token.access_token, theirs.access_token);
        assert_eq!(spent(&world), 0);
    }
}

#[test]
fn a_session_that_is_over_ends_with_a_reason_and_is_never_asked_again() {
    for mut world in expired() {
        let family = world.server.families().last().unwrap().id;
        world.server.revoke_family(family);
        let error = world.usable().unwrap_err();
        assert!(matches!(error.code(), "session_revoked" | "spent_elsewhere"), "{}", error.code());
        assert_eq!(error.help().as_deref(), Some("run `hallpass login`"));
        let again = world.usable().unwrap_err();
        assert_eq!((again, spent(&world)), (error, 1), "a dead token is not sent again");
        assert!(world.store.get(FILE).is_some(), "nothing is deleted");
        world.login();
        assert!(world.usable().is_ok());
    }
}

#[test]
fn trouble_is_never_a_logout() {
    for fault in [
        Fault::LoseRequest,
        Fault::LoseAnswer,
        Fault::Html,
        Fault::WrongShape,
        Fault::OmitAccessToken,
        Fault::OtherAccount,
        Fault::Latency { ms: 40_000 },
        Fault::Status { status: 429, retry_after: Some(5), processed: false },
        Fault::Status { status: 500, retry_after: None, processed: false },
        Fault::Status { status: 502, retry_after: None, processed: true },
        Fault::Status { status: 403, retry_after: None, processed: false },
        Fault::Redirect { status: 307, location: "https://evil.example".into() },
    ] {
        // While the token is good it is handed out; the refresh was early.
        for mut world in worlds() {
            world.wait(HOUR - 6 * 60_000);
            world.server.inject(Endpoint::Token, fault.clone());
            let code = warning(&mut world);
            assert!(!code.is_empty() && spent(&world) == 1, "{fault:?}: {code}");
            assert!(world.store.get(FILE).is_some());
        }
    }
}

#[test]
fn a_failing_refresh_backs_off_across_processes() {
    for mut world in expired() {
        let fault = Fault::Status { status: 503, retry_after: None, processed: false };
        for _ in 0..2 {
            world.server.inject(Endpoint::Token, fault.clone());
        }
        assert_eq!(code(world.usable()), "server_unavailable");
        assert_eq!(code(world.usable()), "backing_off");
        world.wait(1_000);
        assert_eq!(code(world.usable()), "server_unavailable");
        world.wait(1_000);
        assert_eq!(code(world.usable()), "backing_off");
        world.wait(1_000);
        assert!(world.usable().is_ok());
        assert!(alive(&world));
    }
}

#[test]
fn nothing_is_spent_where_the_answer_could_not_be_kept() {
    for kind in [StoreTrouble::Full, StoreTrouble::ReadOnly, StoreTrouble::Denied, StoreTrouble::Busy] {
        for mut world in expired() {
            world.store.troubles.insert(Place::File, kind);
            world.store.reading_works = true;
            assert!(code(world.usable()).starts_with("store_"), "{kind:?}");
            assert_eq!(spent(&world), 0, "{kind:?}");
        }
        for mut world in worlds() {
            world.wait(HOUR - 60_000 * 6);
            world.store.troubles.insert(Place::File, kind);
            world.store.reading_works = true;
            assert!(warning(&mut world).starts_with("store_"), "{kind:?}: what is still good is used");
            assert_eq!(spent(&world), 0, "{kind:?}");
        }
    }
}

#[test]
fn another_account_is_never_taken_for_ours() {
    for mut world in expired() {
        world.server.inject(Endpoint::Token, Fault::OtherAccount);
        let before = world.store.record();
        let result = world.usable();
        assert!(result.is_err(), "{result:?}");
        assert_eq!(world.store.record(), before);
    }
    let mut world = World::openai();
    world.login();
    let rejected = world.usable().unwrap().access_token;
    world.person.account = Some("grace@example.com".into());
    world.login();
    assert_eq!(code(world.token(Need::Replacement { rejected })), "another_account");
}

#[test]
fn a_copy_of_a_home_spends_nothing() {
    for mut world in expired() {
        world.configuration.home.machine = "m2".into();
        assert_eq!(code(world.usable()), "copied_home");
        assert_eq!(spent(&world), 0);
        world.configuration.home.machine = "m1".into();
        world.configuration.home.path = "/backup/.codex".into();
        assert_eq!(code(world.usable()), "copied_home");
        world.login();
        assert!(world.usable().is_ok(), "a login makes it a home of its own");
    }
}

#[test]
fn an_old_record_that_comes_back_is_not_spent_again() {
    for mut world in expired() {
        let old = world.store.get(FILE).unwrap().to_owned();
        world.usable().unwrap();
        world.store.put(FILE, &old);
        assert_eq!(code(world.usable()), "spent_elsewhere");
        assert_eq!((spent(&world), alive(&world)), (1, true));
    }
}

#[test]
fn a_newer_versions_sidecar_is_left_alone() {
    for mut world in expired() {
        let sidecar = world.store.get(Slot::Sidecar).unwrap().replace(r#""version":1"#, r#""version":2"#);
        world.store.put(Slot::Sidecar, &sidecar);
        assert_eq!(code(world.usable()), "newer_version");
        assert_eq!(spent(&world), 0);
    }
}

#[test]
fn a_home_that_codex_wrote_is_kept_fresh() {
    let text = include_str!("../vectors/auth.before-refresh.json");
    let mut world = World::openai();
    world.store.put(FILE, text);
    // Its provenance names another server: the token goes there and nowhere else.
    assert_eq!(code(world.usable()), "network");
    assert_eq!(world.sent.len(), 0);
    // A record without provenance is OpenAI's.
    let mut world = World::openai();
    world.login();
    let mut record = world.store.record();
    record["tokens"].as_object_mut().unwrap().remove("oauth_provenance");
    record["x_unknown"] = serde_json::json!({"keep": [1, 2.5]});
    world.store.take(Slot::Sidecar);
    world.store.put(FILE, &record.to_string());
    world.wait(HOUR + 1);
    world.usable().unwrap();
    assert_eq!(world.store.record()["x_unknown"], serde_json::json!({"keep": [1, 2.5]}));
    assert!(world.store.record()["tokens"].get("oauth_provenance").is_none());
}

#[test]
fn a_busy_lock_is_waited_for_and_then_the_good_token_is_used() {
    for mut world in worlds() {
        world.wait(HOUR - 60_000 * 6);
        world.busy = vec![Lock::Transaction];
        assert_eq!(warning(&mut world), "lock_busy");
        assert_eq!(spent(&world), 0);
        world.wait(HOUR);
        assert_eq!(code(world.usable()), "lock_busy");
    }
    // Codex's own locks do not stand in the way of a token that is already renewed.
    for mut world in expired() {
        world.busy = vec![Lock::Commit];
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
        assert!(world.usable().is_ok());
    }
}

#[test]
fn an_override_moves_a_token_only_where_it_may_go() {
    let mut world = World::openai();
    world.login();
    world.wait(HOUR + 1);
    world.configuration.token_endpoint_override = Some("https://evil.example/token".into());
    world.usable().unwrap();
    assert_eq!(world.sent.last().unwrap(), "POST /oauth/token");
    world.wait(HOUR + 1);
    world.configuration.token_endpoint_override = Some("https://id.example/token".into());
    let _ = world.usable();
    assert_eq!(world.sent.last().unwrap(), "POST /token", "the provider's own origin");
}

/// The variable's name and its value; whether it is said that it is not used, and why.
#[test]
fn whoever_sets_an_override_that_is_not_followed_hears_of_it() {
    for (url, strict, why) in [
        ("https://id.example/token", false, None),
        ("http://127.0.0.1:9/token", false, None),
        ("", false, None),
        ("https://evil.example/?key=c4n4ry", false, Some("never to evil.example")),
        ("http://10.0.0.7/c4n4ry", false, Some("must be https")),
        ("c4n4ry", false, Some("is not an absolute URL")),
        ("http://127.0.0.1:9/token", true, Some("only where the issuer is on this machine")),
    ] {
        let mut world = World::openai();
        world.login();
        let heard = |warnings: &[Report]| {
            let ignored: Vec<_> = warnings.iter().filter(|warning| warning.code == "override_ignored").collect();
            let Some(why) = why else { return ignored.is_empty() };
            assert!(ignored.iter().all(|warning| warning.message.contains(why)), "{ignored:?}");
            let named = ["CODEX_REFRESH_TOKEN_URL_OVERRIDE is not used", "CODEX_REVOKE_TOKEN_URL_OVERRIDE is not used"];
            ignored.len() == 2 && named.iter().zip(ignored).all(|(name, warning)| warning.message.starts_with(name))
        };
        world.configuration.token_endpoint_override = Some(url.into());
        world.configuration.revocation_endpoint_override = Some(url.into());
        world.configuration.strict_overrides = strict;
        assert!(heard(&world.status(false).unwrap().warnings), "status: {url}");
        assert!(heard(&world.usable().unwrap().warnings), "token: {url}");
        assert!(heard(&world.login().warnings), "login: {url}");
        assert!(heard(&world.log_out(false).unwrap().warnings), "logout: {url}");
    }
}

#[test]
fn an_opaque_token_is_renewed_by_what_was_said_of_it() {
    use hallpass::authorization_server::AccessTokenStyle;
    for mut world in [World::openai(), World::standard()] {
        for client in &mut world.server.options_mut().clients {
            client.access_tokens = AccessTokenStyle::Opaque;
        }
        world.login();
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Stored);
        assert_eq!(world.status(false).unwrap().expires_at.unwrap().since(world.now), HOUR);
        world.wait(HOUR + 1);
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Stored);
        // Without the sidecar only the age of the record is known: eight days, as Codex has it.
        world.store.take(Slot::Sidecar);
        world.wait(7 * 86_400_000);
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Stored);
        world.wait(86_400_001);
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
    }
}

#[test]
fn stopping_at_any_point_loses_nothing() {
    for world in expired() {
        for turn in 0..40 {
            let mut branch = World::with(world.configuration.provider.clone());
            branch.server = world.server.clone();
            branch.store = world.store.clone();
            branch.now = world.now;
            branch.cancel_at = Some(turn);
            if let Err(error) = branch.usable() {
                assert_eq!(error.code(), "cancelled", "at {turn}");
            }
            branch.cancel_at = None;
            assert!(branch.usable().is_ok(), "after stopping at {turn}");
            assert!(alive(&branch));
        }
    }
}
