//! Signing in in a browser.

use hallpass::authorization_server::{Endpoint, Fault};
use hallpass_core::{
    Declined, Error, LoginMethod, Method, Page, Place, Request, Revocation, Slot, StoreTrouble, TokenOrigin,
};
use hallpass_tests::world::{Way, World};

fn code(result: Result<hallpass_core::LoggedIn, Error>) -> &'static str {
    result.map(|_| ()).expect_err("the login fails").code()
}

#[test]
fn ada_signs_in_with_openais_dialect() {
    let mut world = World::openai();
    let login = world.record("browser-login-openai", Request::Login(world.login_request(LoginMethod::Browser)));
    let Ok(hallpass_core::Outcome::Login(login)) = login else { panic!("{login:?}") };

    assert_eq!(world.person.pages, [Page::SignedIn]);
    assert_eq!(login.status.method, Some(Method::Chatgpt));
    let account = login.status.account.unwrap();
    assert_eq!(account.email.as_deref(), Some("ada@example.com"));
    assert_eq!((account.workspace_id.as_deref(), account.plan.as_deref()), (Some("ws-analytical"), Some("pro")));
    assert_eq!(world.sent, ["POST /oauth/token", "POST /oauth/token"], "the code, then the API key");

    let record = world.store.record();
    assert_eq!(record["auth_mode"], "chatgpt");
    assert!(record["OPENAI_API_KEY"].as_str().unwrap().starts_with("sk-"));
    assert_eq!(record["tokens"]["account_id"], "ws-analytical");
    assert_eq!(record["tokens"]["oauth_provenance"]["client_id"], "app_EMoamEEZ73f0CkXaXp7hrann");
    assert_eq!(record["tokens"]["login_owner_id"].as_str().unwrap().len(), 43);
    assert_eq!(record["last_refresh"], "2026-11-24T00:00:00.000Z");
    let names: Vec<_> = record.as_object().unwrap().keys().collect();
    assert_eq!(names, ["OPENAI_API_KEY", "auth_mode", "last_refresh", "tokens"], "and nothing of ours");
}

#[test]
fn ada_signs_in_with_a_standard_provider() {
    let mut world = World::standard();
    let login = world.record("browser-login-standard", Request::Login(world.login_request(LoginMethod::Browser)));
    assert!(login.is_ok(), "{login:?}");
    assert_eq!(world.sent, ["GET /.well-known/openid-configuration", "POST /token"]);
    let url = world.person.authorization_url.unwrap();
    for part in [
        "response_type=code",
        "code_challenge_method=S256",
        "redirect_uri=http%3A%2F%2F127.0.0.1%3A49152%2Fcallback",
        "prompt=consent",
    ] {
        assert!(url.expose().contains(part), "{part}");
    }
}

#[test]
fn the_authorization_request_is_the_one_of_codex() {
    let mut world = World::openai();
    world.configuration.allowed_workspaces = vec!["ws-a".into(), "ws-analytical".into()];
    world.login();
    let url = world.person.authorization_url.unwrap();
    let (endpoint, query) = url.expose().split_once('?').unwrap();
    assert!(endpoint.ends_with("/oauth/authorize"));
    let names: Vec<_> = query.split('&').map(|part| part.split('=').next().unwrap()).collect();
    let expected = [
        "response_type",
        "client_id",
        "redirect_uri",
        "code_challenge",
        "code_challenge_method",
        "state",
        "scope",
        "id_token_add_organizations",
        "codex_cli_simplified_flow",
        "originator",
        "allowed_workspace_id",
    ];
    assert_eq!(names, expected);
    assert!(query.contains("scope=openid+profile+email+offline_access+api.connectors.read+api.connectors.invoke"));
    assert!(query.ends_with("allowed_workspace_id=ws-a%2Cws-analytical"));
}

#[test]
fn nobody_but_the_owner_of_the_state_ends_the_wait() {
    let mut world = World::openai();
    world.person.strays = vec!["/favicon.ico".into(), "/cancel".into(), "/auth/callback?error=access_denied".into()];
    world.person.strays.extend((0..1000).map(|n| format!("/auth/callback?code=forged&state={n}")));
    world.person.strays.push("http://127.0.0.1:1455/auth/callback?code=x&state=old".into());
    world.person.strays.push("not an address".into());
    world.login();
    assert_eq!(world.person.pages.len(), 1004);
    assert_eq!(world.person.pages[..2], [Page::NotFound, Page::NotFound]);
    assert!(world.person.pages[2..1003].iter().all(|page| *page == Page::BadRequest));
    assert_eq!(world.sent.len(), 2, "no forged code was exchanged");
}

#[test]
fn the_address_or_the_code_can_be_pasted() {
    for way in [Way::Pastes, Way::PastesCode] {
        let mut world = World::openai();
        world.person.way = way;
        world.login();
        assert_eq!(world.person.pages, [], "no browser waits here");
    }
}

#[test]
fn a_device_code_can_be_had_instead() {
    for mut world in [World::openai(), World::standard()] {
        world.person.way = Way::Switches;
        world.login();
        assert!(world.person.user_code.is_some());
    }
}

#[test]
fn a_refusal_is_told_to_the_browser_and_to_the_tool() {
    for mut world in [World::openai(), World::standard()] {
        world.person.way = Way::Denies;
        assert_eq!(code(world.log_in(LoginMethod::Browser)), "access_denied");
        assert_eq!(world.person.pages, [Page::Declined]);
        assert!(world.store.is_empty());
    }
}

#[test]
fn nobody_comes() {
    let mut world = World::openai();
    world.person.way = Way::Forgets;
    let error = world.log_in(LoginMethod::Browser).unwrap_err();
    assert_eq!(error, Error::Declined(Declined::TimedOut));
    assert!(error.help().unwrap().contains("--device-auth"));
}

#[test]
fn the_second_port_is_used_and_then_there_is_none() {
    let mut world = World::openai();
    world.person.taken = vec![1455];
    world.login();
    let mut world = World::openai();
    world.person.taken = vec![1455, 1457];
    assert_eq!(code(world.log_in(LoginMethod::Browser)), "no_port");
}

#[test]
fn the_old_session_survives_until_the_new_one_is_saved() {
    let mut world = World::openai();
    world.login();
    let old = world.store.record();
    // A login that is given up changes nothing.
    world.person.way = Way::Forgets;
    assert!(world.log_in(LoginMethod::Browser).is_err());
    assert_eq!(world.store.record(), old);
    assert!(world.server.families().all(|family| family.revoked.is_none()));
    // Neither does one that cannot be saved.
    world.person.way = Way::Allows;
    world.store.troubles.insert(Place::File, StoreTrouble::Full);
    world.store.reading_works = true;
    assert_eq!(code(world.log_in(LoginMethod::Browser)), "store_full");
    assert_eq!(world.person.pages.last(), Some(&Page::NotSaved));
    assert!(world.server.families().last().is_some_and(|family| family.revoked.is_some()), "nobody holds it");
    world.store.troubles.clear();
    assert_eq!(world.store.record(), old);
    // One that is saved ends it.
    let login = world.login();
    assert_eq!(login.previous, Some(Revocation::Revoked));
    let alive: Vec<_> = world.server.families().map(|family| family.revoked.is_none()).collect();
    assert_eq!(alive.iter().filter(|alive| **alive).count(), 1);
    assert_eq!(alive.first(), Some(&false));
    assert_eq!(alive.last(), Some(&true));
}

/// A server that has put both logins of a browser into one session ends both where the refresh token of one is revoked.
#[test]
fn a_login_does_not_end_the_session_that_it_shares() {
    let mut world = World::standard();
    let renews = |world: &mut World| {
        world.wait(3_600_001);
        assert_eq!(world.usable().unwrap().origin, TokenOrigin::Refreshed);
    };
    world.server.options_mut().browser_session = Some("at the desk".into());
    world.login();
    assert_eq!(world.login().previous, Some(Revocation::NotNeeded));
    renews(&mut world);
    // Nor does one that cannot be saved.
    let old = world.store.record();
    world.store.troubles.insert(Place::File, StoreTrouble::Full);
    world.store.reading_works = true;
    assert_eq!(code(world.log_in(LoginMethod::Browser)), "store_full");
    world.store.troubles.clear();
    assert_eq!(world.store.record(), old);
    renews(&mut world);
    // Another browser's is another session.
    world.server.options_mut().browser_session = Some("on the road".into());
    assert_eq!(world.login().previous, Some(Revocation::Revoked));
    assert_eq!(world.server.families().filter(|family| family.revoked.is_none()).count(), 1);
    renews(&mut world);
    // So is one that has no name, as far as anybody knows.
    world.server.options_mut().browser_session = None;
    assert_eq!(world.login().previous, Some(Revocation::Revoked));
    renews(&mut world);
}

#[test]
fn what_openai_calls_a_session_is_not_taken_for_one() {
    let mut world = World::openai();
    world.server.options_mut().browser_session = Some("at the desk".into());
    world.login();
    assert_eq!(world.login().previous, Some(Revocation::Revoked));
}

#[test]
fn a_corrupt_file_never_stands_in_the_way() {
    for text in ["", "{", "\0\0\0", "[]", r#"{"auth_mode":"newest"}"#] {
        let mut world = World::openai();
        world.store.put(Slot::Record(Place::File), text);
        assert_eq!(world.status(false).unwrap_err().code(), "corrupt_credentials");
        world.login();
        assert_eq!(world.store.record()["auth_mode"], "chatgpt");
    }
}

#[test]
fn what_the_token_endpoint_can_do_wrong() {
    for (fault, expected) in [
        (Fault::Html, "malformed_answer"),
        (Fault::WrongShape, "malformed_answer"),
        (Fault::OmitAccessToken, "malformed_answer"),
        (Fault::LoseAnswer, "network"),
        (Fault::LoseRequest, "network"),
        (Fault::BreakBody, "network"),
        (Fault::Latency { ms: 31_000 }, "network"),
        (Fault::Status { status: 503, retry_after: None, processed: false }, "server_unavailable"),
        (Fault::Status { status: 403, retry_after: None, processed: false }, "server_unavailable"),
        (Fault::Redirect { status: 307, location: "https://evil.example/".into() }, "redirected"),
    ] {
        let mut world = World::openai();
        world.server.inject(Endpoint::Token, fault.clone());
        assert_eq!(code(world.log_in(LoginMethod::Browser)), expected, "{fault:?}");
        assert_eq!(world.person.pages, [Page::Failed], "{fault:?}");
        assert_eq!(world.sent.len(), 1, "{fault:?}: a code is sent once");
        assert!(world.store.is_empty());
    }
}

#[test]
fn a_failing_key_exchange_is_no_failing_login() {
    let mut world = World::openai();
    world.server.options_mut().api_keys_enabled = false;
    world.login();
    assert!(world.store.record()["OPENAI_API_KEY"].is_null());
}

#[test]
fn a_foreign_workspace_is_refused() {
    let mut world = World::openai();
    world.configuration.allowed_workspaces = vec!["ws-compilers".into()];
    assert_eq!(code(world.log_in(LoginMethod::Browser)), "workspace_forbidden");
    assert!(world.server.families().all(|family| family.revoked.is_some()), "what was granted is given back");
    assert_eq!(world.person.pages, [Page::Forbidden]);
    assert!(world.store.is_empty());
}

#[test]
fn giving_up_at_any_point_leaves_the_old_session() {
    for begin in [World::openai, World::standard] {
        let mut world = begin();
        world.login();
        let old = world.store.record();
        let mut was_late = false;
        for turn in 0..40 {
            let mut branch = begin();
            branch.server = world.server.clone();
            branch.store = world.store.clone();
            branch.cancel_at = Some(turn);
            match branch.log_in(LoginMethod::Browser) {
                Ok(login) => {
                    assert_ne!(branch.store.record(), old);
                    // Once it is saved, all that can be given up is the farewell to the session before.
                    was_late |= login.previous == Some(Revocation::Revoked);
                }
                Err(error) => {
                    assert!(!was_late, "at {turn} it was given up, and before that it was not heard");
                    assert_eq!(error.code(), "cancelled", "at {turn}");
                    assert_eq!(branch.store.record(), old, "at {turn}");
                    let live = branch.server.families().filter(|family| family.revoked.is_none());
                    assert_eq!(live.count(), 1, "what was granted at {turn} is given back");
                }
            }
        }
        assert!(was_late);
    }
}

#[test]
fn a_page_that_was_left_and_loaded_again_goes_on() {
    use hallpass_core::{Effect, Event, Flow, Machine, Seed, Step};
    let world = World::openai();
    let request = world.login_request(LoginMethod::Browser);
    let mut step = Flow::start(Request::Login(request.clone()), world.now, Seed::new([3; 32]));
    let suspended = loop {
        let Step::Perform { machine, effect, .. } = step else { panic!("{step:?}") };
        let event = match effect {
            Effect::Load(_) => Event::Loaded(None),
            Effect::Listen(_) => Event::Listening { redirect_uri: "https://app.example/callback".into() },
            Effect::Present(_) => Event::Presented,
            Effect::Await { .. } => break machine.suspend().unwrap(),
            other => panic!("{other:?}"),
        };
        assert_eq!(machine.suspend().map_err(|error| error.code()), Err("not_applicable"));
        step = machine.step(world.now, event);
    };
    let text = serde_json::to_string(&suspended).unwrap();
    assert!(!text.contains("/oauth/"), "endpoints come from the configuration: {text}");
    let suspended: hallpass_core::Suspended = serde_json::from_str(&text).unwrap();
    let step = Flow::resume(suspended.clone(), request.clone(), world.now);
    assert!(matches!(step, Step::Perform { effect: Effect::Await { .. }, .. }));
    let mut elsewhere = request;
    elsewhere.configuration.provider.issuer = "https://evil.example".into();
    assert!(matches!(Flow::resume(suspended, elsewhere, world.now), Step::Done(Err(_))));
}
