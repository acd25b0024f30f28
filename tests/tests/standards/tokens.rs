//! Token responses, refreshes and revocations.

use std::collections::BTreeSet;

use hallpass::authorization_server::{Endpoint, Fault};
use hallpass_core::{LoginMethod, Provider, Revocation};
use hallpass_tests::world::{ISSUER, World, response};
use serde_json::{Value, json};

use crate::{HOUR, TOKEN, authorization, code, exchange, parameters, posted, value};

const REVOKE: &str = "https://id.example/revoke";

/// A world in which the token endpoint answers the exchange of the code like this.
fn granting(answer: &Value) -> World {
    let mut world = World::standard();
    world.answers(TOKEN, response(200, &answer.to_string()));
    world
}

/// RFC 6749, section 3.2: form-encoded, by POST, no parameter twice.
#[test]
fn a_form_says_each_thing_once() {
    for method in [LoginMethod::Browser, LoginMethod::DeviceCode] {
        let mut world = World::standard();
        world.log_in(method).unwrap();
        world.wait(HOUR + 1);
        world.usable().unwrap();
        world.log_out(false).unwrap();
        let mut forms = 0;
        for request in &world.requests {
            let Some(body) = &request.body else { continue };
            forms += 1;
            let header = |name: &str| request.headers.iter().find(|(key, _)| key == name).unwrap().1.expose();
            assert_eq!(header("content-type"), "application/x-www-form-urlencoded");
            assert!(!request.url.contains('?'), "nothing of the form is in the address: {}", request.url);
            let names: Vec<_> = parameters(body.expose()).into_iter().map(|(name, _)| name).collect();
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
        }
        assert!(forms >= 3);
    }
}

/// RFC 6749, sections 5.1 and 7.1: the type is compared without regard to case, and one that is not known is not used.
#[test]
fn a_token_of_an_unknown_type_is_not_used() {
    let answer = |kind: &str| json!({"access_token": "c4n4ry", "token_type": kind, "expires_in": 3600});
    for kind in ["Bearer", "bearer", "BEARER"] {
        let mut world = granting(&answer(kind));
        world.login();
        assert_eq!(world.usable().unwrap().token_type, "Bearer");
    }
    for kind in ["mac", "DPoP", "N_A", ""] {
        let mut world = granting(&answer(kind));
        assert_eq!(code(world.log_in(LoginMethod::Browser)), "malformed_answer", "{kind}");
        assert!(world.store.is_empty());
    }
}

/// RFC 6749, section 5.1: members that are not known are ignored, and a lifetime may be missing or a text.
#[test]
fn a_token_response_is_read_for_what_is_known() {
    for (expires_in, seconds) in [(json!(3600), Some(3600)), (json!("3600"), Some(3600)), (Value::Null, None)] {
        let mut world = granting(&json!({
            "access_token": "c4n4ry", "token_type": "Bearer", "expires_in": expires_in, "refresh_token": "c4n4ry-r",
            "ext_expires_in": 1, "not-before-policy": [0], "session_state": {"deep": [[]]},
        }));
        world.login();
        let expires_at = world.usable().unwrap().expires_at;
        assert_eq!(expires_at.map(|at| at.since(world.now) / 1000), seconds, "{expires_in}");
    }
}

/// RFC 6749, section 6: a refresh asks for no more than was granted.
#[test]
fn a_refresh_asks_for_no_further_scope() {
    let mut world = World::standard();
    world.login();
    let granted = value(&authorization(&world), "scope").unwrap();
    world.wait(HOUR + 1);
    world.usable().unwrap();
    let refresh = exchange(&world);
    assert_eq!(value(&refresh, "grant_type").as_deref(), Some("refresh_token"));
    let asked = value(&refresh, "scope").unwrap_or_default();
    assert!(
        asked.split(' ').all(|scope| scope.is_empty() || granted.split(' ').any(|other| other == scope)),
        "{asked}"
    );
}

/// OpenID Connect Core, section 12.2: the identity that a refresh brings is the one that signed in.
#[test]
fn a_refresh_brings_no_other_identity() {
    let mut world = World::standard();
    world.login();
    let before = world.store.record();
    world.wait(HOUR + 1);
    world.server.inject(Endpoint::Token, Fault::OtherAccount);
    assert_eq!(world.usable().unwrap_err().code(), "account_mismatch");
    assert_eq!(world.store.record(), before);
}

/// RFC 7009, section 2.1: the refresh token, with a hint, in the body of a POST.
#[test]
fn the_refresh_token_is_what_is_revoked() {
    let mut world = World::standard();
    world.login();
    let refresh_token = world.store.record()["tokens"]["refresh_token"].as_str().unwrap().to_owned();
    world.log_out(false).unwrap();
    let [revocation] = &posted(&world, REVOKE)[..] else { panic!("one request") };
    assert_eq!(value(revocation, "token"), Some(refresh_token));
    assert_eq!(value(revocation, "token_type_hint").as_deref(), Some("refresh_token"));
}

/// RFC 7009, section 2.2: 200 is all there is to know, whatever the body says.
#[test]
fn the_body_of_a_revocation_means_nothing() {
    for body in ["", "{}", "<html>", r#"{"error":"invalid_token"}"#] {
        let mut world = World::standard();
        world.login();
        world.answers(REVOKE, response(200, body));
        assert_eq!(world.log_out(false).unwrap().revocation, Revocation::Revoked, "{body}");
    }
}

/// RFC 7009, section 2.2.1, and RFC 9700, section 4.12: a server that is busy, and one that sends the token elsewhere.
#[test]
fn a_revocation_that_failed_is_said_and_the_record_goes_all_the_same() {
    for (status, expected) in [(503, "server_unavailable"), (307, "redirected"), (308, "redirected")] {
        let mut world = World::standard();
        world.login();
        world.answers(REVOKE, response(status, ""));
        let logout = world.log_out(false).unwrap();
        let Revocation::Failed(report) = logout.revocation else { panic!("{logout:?}") };
        assert_eq!(report.code, expected);
        assert!(world.store.is_empty());
        assert_eq!(posted(&world, REVOKE).len(), 1);
    }
}

/// RFC 9700, sections 2.1.2 and 2.4: no implicit grant, no password.
#[test]
fn only_codes_devices_and_refresh_tokens_are_exchanged() {
    let mut kinds = BTreeSet::new();
    for provider in [Provider::discovered(ISSUER, "hallpass"), Provider::openai().at(ISSUER)] {
        for method in [LoginMethod::Browser, LoginMethod::DeviceCode] {
            let mut world = World::with(provider.clone());
            world.log_in(method.clone()).unwrap();
            if method == LoginMethod::Browser {
                assert_eq!(value(&authorization(&world), "response_type").as_deref(), Some("code"));
            }
            let forms = world.requests.iter().filter_map(|request| request.body.as_ref());
            let forms = forms.filter(|body| !body.expose().starts_with('{'));
            kinds.extend(forms.filter_map(|body| value(&parameters(body.expose()), "grant_type")));
        }
    }
    assert_eq!(
        kinds.iter().map(String::as_str).collect::<Vec<_>>(),
        [
            "authorization_code",
            "urn:ietf:params:oauth:grant-type:device_code",
            // OpenAI's API key.
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ]
    );
}
