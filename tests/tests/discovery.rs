//! Finding the endpoints of an issuer (RFC 8414; OpenID Connect Discovery), and what is not believed on the way.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use hallpass_core::{Error, LoginMethod, Provider, Revocation};
use hallpass_tests::world::{ISSUER, Way, World, response};
use serde_json::{Value, json};

const OPENID: &str = "https://id.example/.well-known/openid-configuration";
const OAUTH: &str = "https://id.example/.well-known/oauth-authorization-server";

/// A world in which somebody begins to sign in and goes no further: what is looked at is how it begins.
fn world(issuer: &str) -> World {
    let mut world = World::with(Provider::discovered(issuer, "hallpass"));
    world.person.way = Way::Forgets;
    world
}

fn metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{ISSUER}/authorize"),
        "token_endpoint": format!("{ISSUER}/token"),
        "revocation_endpoint": format!("{ISSUER}/revoke"),
        "device_authorization_endpoint": format!("{ISSUER}/device_authorization"),
        "code_challenge_methods_supported": ["S256"],
    })
}

fn begin(world: &mut World) -> Result<(), Error> {
    match world.log_in(LoginMethod::Browser).unwrap_err() {
        error if error.code() == "timed_out" => {
            assert!(world.person.authorization_url.is_some());
            Ok(())
        }
        error => {
            assert!(world.person.authorization_url.is_none(), "nobody is sent anywhere: {error}");
            Err(error)
        }
    }
}

/// Begins with this document in the first place.
fn with(document: &str) -> Result<(), Error> {
    let mut world = world(ISSUER);
    world.answers(OPENID, response(200, document));
    let begun = begin(&mut world);
    assert_eq!(world.sent, [format!("GET {OPENID}")], "a document that is there is not looked for elsewhere");
    begun
}

fn without(name: &str) -> String {
    let mut document = metadata(ISSUER);
    document.as_object_mut().unwrap().remove(name);
    document.to_string()
}

fn replacing(name: &str, value: Value) -> String {
    let mut document = metadata(ISSUER);
    document[name] = value;
    document.to_string()
}

#[test]
fn an_issuer_that_differs_by_a_slash_is_another_issuer() {
    assert!(with(&metadata(ISSUER).to_string()).is_ok());
    for (asked, found) in [
        ("https://id.example", "https://id.example/"),
        ("https://id.example/", "https://id.example"),
        ("https://id.example", "https://ID.example"),
        ("https://id.example", "https://id.example:443"),
    ] {
        let mut world = world(asked);
        world.answers(OPENID, response(200, &metadata(found).to_string()));
        let error = begin(&mut world).unwrap_err();
        assert_eq!(error.code(), "issuer_mismatch", "{asked} {found}");
        assert!(error.to_string().contains(found) && error.help().unwrap().contains("slash"), "{error}");
    }
}

#[test]
fn endpoints_that_are_missing() {
    assert_eq!(with(&without("token_endpoint")).unwrap_err().code(), "malformed_answer");
    assert_eq!(with(&without("issuer")).unwrap_err().code(), "malformed_answer");
    assert_eq!(with(&without("authorization_endpoint")).unwrap_err().code(), "not_applicable");

    let mut world = world(ISSUER);
    world.person.way = Way::Allows;
    world.answers(OPENID, response(200, &without("device_authorization_endpoint")));
    assert_eq!(world.log_in(LoginMethod::DeviceCode).unwrap_err().code(), "device_login_disabled");
    // A browser needs no device endpoint, and a device needs no browser's.
    world.answers(OPENID, response(200, &without("device_authorization_endpoint")));
    world.log_in(LoginMethod::Browser).unwrap();
    world.answers(OPENID, response(200, &without("revocation_endpoint")));
    let previous = world.log_in(LoginMethod::Browser).unwrap().previous;
    assert_eq!(previous, Some(Revocation::Revoked), "asked of the server itself, which has one");
    world.answers(OPENID, response(200, &without("revocation_endpoint")));
    let logout = world.log_out(false).unwrap();
    assert_eq!(logout.revocation, Revocation::NotOffered);
    assert!(world.store.is_empty());
}

#[test]
fn endpoints_are_https_or_on_this_machine() {
    for name in ["authorization_endpoint", "token_endpoint", "revocation_endpoint", "device_authorization_endpoint"] {
        for url in ["http://id.example/x", "ftp://id.example/x", "/x", "https://id.example/x#y", "https://a@b/x"] {
            let error = with(&replacing(name, url.into())).unwrap_err();
            assert_eq!(error.code(), "unusable_endpoint", "{name} {url}");
            assert!(error.to_string().contains(&name.replace('_', " ")), "{error}");
        }
        for url in ["https://accounts.example.net/x?tenant=1", "http://127.0.0.1:8080/x", "http://[::1]/x"] {
            assert!(with(&replacing(name, url.into())).is_ok(), "{name} {url}");
        }
    }
}

#[test]
fn what_is_no_metadata_is_no_metadata_with_status_200_too() {
    let twice = metadata(ISSUER).to_string().replacen('{', "{\"token_endpoint\":\"https://evil.example/\",", 1);
    for document in ["<!doctype html><title>Sign in to the hotel</title>", "", "null", "[]", "{", &twice] {
        let error = with(document).unwrap_err();
        assert_eq!(error.code(), "malformed_answer", "{document}");
        assert!(error.help().unwrap().contains("proxy"), "{error:?}");
        assert!(!error.to_string().contains("hotel"), "what came is not quoted: {error}");
    }
}

#[test]
fn a_huge_document_is_read_or_refused() {
    let many: serde_json::Map<_, _> = (0..20_000).map(|n| (format!("extension_{n}"), json!("x".repeat(30)))).collect();
    let mut document = metadata(ISSUER);
    document.as_object_mut().unwrap().extend(many);
    assert!(with(&document.to_string()).is_ok(), "what is not known is passed over");
    let deep = replacing("extension", json!("@")).replace("\"@\"", &"[".repeat(200_000));
    assert_eq!(with(&deep).unwrap_err().code(), "malformed_answer");
}

#[test]
fn pkce_is_never_weaker_than_s256() {
    for methods in [json!(["plain"]), json!([]), json!(["s256"])] {
        let error = with(&replacing("code_challenge_methods_supported", methods.clone())).unwrap_err();
        assert_eq!(error.code(), "pkce_unsupported", "{methods}");
    }
    assert!(with(&replacing("code_challenge_methods_supported", json!(["plain", "S256"]))).is_ok());
    assert!(with(&without("code_challenge_methods_supported")).is_ok(), "who announces nothing may still do it");
}

#[test]
fn the_form_of_rfc_8414_comes_second() {
    let mut world = world(ISSUER);
    world.answers(OPENID, response(404, "Not found"));
    world.answers(OAUTH, response(200, &metadata(ISSUER).to_string()));
    begin(&mut world).unwrap();
    assert_eq!(world.sent, [format!("GET {OPENID}"), format!("GET {OAUTH}")]);
}

#[test]
fn a_server_that_has_neither_or_is_in_trouble() {
    for (status, expected, requests) in [
        (404, "unexpected_status", 2),
        (302, "redirected", 2),
        (500, "server_unavailable", 1),
        (503, "server_unavailable", 1),
        (429, "server_unavailable", 1),
    ] {
        let mut world = world(ISSUER);
        world.answers(OPENID, response(status, ""));
        world.answers(OAUTH, response(status, ""));
        assert_eq!(begin(&mut world).unwrap_err().code(), expected, "{status}");
        assert_eq!(world.sent.len(), requests, "{status}");
    }
}

#[test]
fn an_issuer_with_a_path_has_two_places() {
    for (issuer, appended, inserted) in [
        (
            "https://id.example/tenants/a",
            "https://id.example/tenants/a/.well-known/openid-configuration",
            "https://id.example/.well-known/oauth-authorization-server/tenants/a",
        ),
        // Only the slash at the end is dropped where the path is put together; the issuer keeps it.
        (
            "https://id.example/tenants/a/",
            "https://id.example/tenants/a/.well-known/openid-configuration",
            "https://id.example/.well-known/oauth-authorization-server/tenants/a",
        ),
        (
            "http://127.0.0.1:8080/a",
            "http://127.0.0.1:8080/a/.well-known/openid-configuration",
            "http://127.0.0.1:8080/.well-known/oauth-authorization-server/a",
        ),
    ] {
        let mut first = world(issuer);
        first.answers(appended, response(200, &metadata(issuer).to_string()));
        begin(&mut first).unwrap();
        assert_eq!(first.sent, [format!("GET {appended}")]);

        let mut second = world(issuer);
        second.answers(appended, response(404, ""));
        second.answers(inserted, response(200, &metadata(issuer).to_string()));
        begin(&mut second).unwrap();
        assert_eq!(second.sent, [format!("GET {appended}"), format!("GET {inserted}")]);
    }
}

#[test]
fn an_issuer_that_can_be_none_is_asked_nothing() {
    for issuer in [
        "http://id.example",
        "id.example",
        "https://id.example?tenant=a",
        "https://id.example/#a",
        "https://ada@id.example",
        "",
    ] {
        let mut world = world(issuer);
        let error = begin(&mut world).unwrap_err();
        assert_eq!((error.code(), world.sent.len()), ("invalid_value", 0), "{issuer}");
        assert!(error.help().unwrap().contains("--issuer"), "{error}");
    }
}
