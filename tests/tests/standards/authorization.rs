//! The authorization request, and what is believed of the redirect.

use std::collections::BTreeSet;

use hallpass_core::{Effect, Event, Flow, LoginMethod, Machine, Page, Request, Seed, Step};
use hallpass_tests::key::base64url;
use hallpass_tests::world::{ISSUER, Way, World, response};
use serde_json::json;

use crate::{TOKEN, authorization, code, exchange, parameters, posted, value};

/// RFC 7636, sections 4.1 and 4.2.
#[test]
fn the_challenge_is_the_hash_of_a_long_verifier() {
    let mut world = World::standard();
    for _ in 0..20 {
        world.login();
        let (asked, exchange) = (authorization(&world), exchange(&world));
        let verifier = value(&exchange, "code_verifier").unwrap();
        assert!((43..=128).contains(&verifier.len()), "{verifier}");
        assert!(verifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)), "{verifier}");
        let hash = ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes());
        assert_eq!(value(&asked, "code_challenge"), Some(base64url(hash.as_ref())));
        assert_eq!(value(&asked, "code_challenge_method").as_deref(), Some("S256"));
    }
}

/// RFC 9700, section 2.1.1.
#[test]
fn verifier_and_state_are_new_for_each_login() {
    let mut world = World::standard();
    let (mut verifiers, mut states) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..20 {
        world.login();
        let state = value(&authorization(&world), "state").unwrap();
        assert!(state.len() >= 22, "128 bits: {state}");
        assert!(states.insert(state) && verifiers.insert(value(&exchange(&world), "code_verifier").unwrap()));
    }
    assert!(verifiers.is_disjoint(&states));
}

/// RFC 6749, section 4.1.2: unrecognised parameters of the response are ignored.
#[test]
fn what_the_redirect_says_beyond_is_ignored() {
    let mut world = World::standard();
    world.person.on_the_way = Some(|redirect| redirect + "&session_state=a.b&authuser=0&flag&=&x=1&x=2");
    world.login();
}

/// RFC 6749, section 3.1: none of the parameters that count may stand there twice.
#[test]
fn what_the_redirect_says_twice_is_not_believed() {
    for twice in [
        |redirect: String| redirect + "&code=another",
        |redirect| redirect + "&state=another",
        |redirect| redirect + "&iss=https%3A%2F%2Fid.example",
    ] {
        let mut world = World::standard();
        world.person.on_the_way = Some(twice);
        world.login();
        assert_eq!(world.person.pages, [Page::BadRequest, Page::SignedIn], "the wait went on");
    }
}

/// RFC 6749, section 4.1.3: the token request repeats the redirect URI of the authorization request.
#[test]
fn the_redirect_uri_is_repeated_exactly() {
    for mut world in [World::standard(), World::openai()] {
        world.login();
        let asked = value(&authorization(&world), "redirect_uri").unwrap();
        let token = world.requests.iter().find(|request| request.url.ends_with("/token")).unwrap();
        let exchange = parameters(token.body.as_ref().unwrap().expose());
        assert_eq!(value(&exchange, "redirect_uri"), Some(asked));
    }
}

/// RFC 6749, section 4.1.2.1: an error is told at once, in the server's words. RFC 9207, section 2: its issuer counts
/// like that of a success.
#[test]
fn an_error_in_the_redirect_ends_the_login() {
    for (change, expected) in [
        ((|redirect| redirect + "&error_description=not%20today") as fn(String) -> String, "access_denied"),
        (|redirect| redirect.replace("access_denied", "temporarily_unavailable"), "refused"),
        (
            |redirect| redirect.replace("iss=https%3A%2F%2Fid.example", "iss=https%3A%2F%2Fevil.example"),
            "issuer_mismatch",
        ),
        (|redirect| redirect.replace("iss=", "was="), "issuer_missing"),
    ] {
        let mut world = World::standard();
        world.person.way = Way::Denies;
        world.person.on_the_way = Some(change);
        let error = world.log_in(LoginMethod::Browser).unwrap_err();
        assert_eq!(error.code(), expected, "{error}");
        assert!(expected != "refused" || error.to_string().contains("temporarily_unavailable"), "{error}");
        assert_eq!(posted(&world, TOKEN), [] as [Vec<_>; 0]);
    }
}

/// RFC 6749, section 3.1.2: an absolute URI without a fragment. RFC 8252, section 7.3: any free port.
#[test]
fn the_redirect_uri_is_absolute_and_has_no_fragment() {
    let world = World::standard();
    for redirect_uri in ["", "http://127.0.0.1:1/callback#x"] {
        let request = Request::Login(world.login_request(LoginMethod::Browser));
        let mut step = Flow::start(request, world.now, Seed::new([1; 32]));
        let error = loop {
            let (machine, effect) = match step {
                Step::Perform { machine, effect, .. } => (machine, effect),
                Step::Done(result) => break result.unwrap_err(),
            };
            let event = match effect {
                Effect::Load(_) => Event::Loaded(None),
                Effect::Http(_) => {
                    let document = json!({"issuer": ISSUER, "authorization_endpoint": TOKEN, "token_endpoint": TOKEN});
                    response(200, &document.to_string())
                }
                Effect::Listen(listen) => {
                    assert_eq!(listen.ports, [0]);
                    Event::Listening { redirect_uri: redirect_uri.to_owned() }
                }
                other => panic!("{other:?}"),
            };
            step = machine.step(world.now, event);
        };
        assert_eq!(error.code(), "invalid_value", "{redirect_uri}");
    }
}

/// RFC 8252, section 8.10: the response must arrive at the redirect URI of this request.
#[test]
fn the_redirect_must_come_to_its_own_path() {
    let mut world = World::standard();
    world.person.on_the_way = Some(|redirect| redirect.replace("/callback?", "/callback/of/another?"));
    world.login();
    assert_eq!(world.person.pages, [Page::NotFound, Page::SignedIn]);
}

/// RFC 9207, section 2.4: compared as it stands, before the code is sent anywhere.
#[test]
fn a_redirect_of_another_issuer_ends_the_login() {
    for change in [
        (|redirect| redirect.replace("iss=https%3A%2F%2Fid.example", "iss=https%3A%2F%2Fevil.example"))
            as fn(String) -> String,
        |redirect| redirect.replace("iss=https%3A%2F%2Fid.example", "iss=https%3A%2F%2Fid.example%2F"),
        |redirect| redirect.replace("iss=https%3A%2F%2Fid.example", "iss=https%3A%2F%2FID.example"),
        |redirect| redirect.replace("iss=https%3A%2F%2Fid.example", "iss="),
    ] {
        let mut world = World::standard();
        world.person.on_the_way = Some(change);
        assert_eq!(code(world.log_in(LoginMethod::Browser)), "issuer_mismatch");
        assert_eq!(posted(&world, TOKEN), [] as [Vec<_>; 0], "the code goes nowhere");
    }
}

/// RFC 9207, section 2.4: a server that promises to name itself does so.
#[test]
fn a_redirect_without_the_promised_issuer_ends_the_login() {
    let mut world = World::standard();
    world.person.on_the_way = Some(|redirect| redirect.replace("iss=", "was="));
    assert_eq!(code(world.log_in(LoginMethod::Browser)), "issuer_missing");
    assert_eq!(posted(&world, TOKEN), [] as [Vec<_>; 0]);
}

/// RFC 9207, section 2.4: without the promise it may be missing, and is compared all the same where it is there.
#[test]
fn an_issuer_that_was_not_promised_is_compared_too() {
    let metadata = json!({
        "issuer": ISSUER, "authorization_endpoint": format!("{ISSUER}/authorize"), "token_endpoint": TOKEN,
    });
    for (change, expected) in [
        ((|redirect| redirect.replace("iss=", "was=")) as fn(String) -> String, None),
        (|redirect| redirect, None),
        (
            |redirect| redirect.replace("id.example&", "evil.example&").replace("id.example", "evil.example"),
            Some("issuer_mismatch"),
        ),
    ] {
        let mut world = World::standard();
        world.answers("https://id.example/.well-known/openid-configuration", response(200, &metadata.to_string()));
        world.person.on_the_way = Some(change);
        let ended = world.log_in(LoginMethod::Browser).map_err(|error| error.code());
        assert_eq!(ended.err(), expected);
    }
}
