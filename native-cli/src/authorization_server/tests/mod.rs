//! A small client, written by hand, and what the server owes it.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod authorization;
mod client_authentication;
mod codex_dialect;
mod device;
mod faults;
mod pages;
mod properties;
mod refresh;
mod sockets;
mod tokens;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::mint::code_challenge;
use super::*;

const ISSUER: &str = "http://127.0.0.1:9000";
const CALLBACK: &str = "http://127.0.0.1:1455/auth/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CANARY: &str = "cAnArY-7f3";
const START: i64 = 1_790_000_000_000;

fn options() -> Options {
    Options {
        canary: CANARY.to_owned(),
        auto_consent: Some(Decision::Allow { account: "ada@example.com".to_owned() }),
        ..Options::new(ISSUER, [7; 32])
    }
}

fn server() -> AuthorizationServer {
    AuthorizationServer::new(options())
}

fn server_with(change: impl FnOnce(&mut Options)) -> AuthorizationServer {
    let mut options = options();
    change(&mut options);
    AuthorizationServer::new(options)
}

fn answer(server: &mut AuthorizationServer, now: i64, request: &Request) -> Response {
    let Served { response, delay_ms, delivery } = server.respond(now, request);
    assert_eq!((delay_ms, delivery), (0, Delivery::Whole));
    response
}

/// An authorization request as the client `id` makes it, with `more` instead of or besides.
fn authorize_target(id: &str, more: &[(&str, &str)]) -> String {
    let challenge = code_challenge(VERIFIER);
    let usual = [
        ("response_type", "code"),
        ("client_id", id),
        ("redirect_uri", CALLBACK),
        ("scope", "openid profile email offline_access"),
        ("state", "st-1"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let kept = usual.iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name));
    let pairs: Vec<_> = kept.chain(more).filter(|(_, value)| !value.is_empty()).collect();
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("/authorize?{query}")
}

/// The parameter `name` of a redirection.
fn redirected(response: &Response, name: &str) -> Option<String> {
    assert_eq!(response.status, 302, "{}", response.text());
    let (_, query) = response.header("Location")?.split_once('?')?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

fn code(server: &mut AuthorizationServer, now: i64, id: &str) -> String {
    let response = answer(server, now, &Request::get(&authorize_target(id, &[])));
    redirected(&response, "code").unwrap()
}

fn exchange(id: &str, code: &str) -> Request {
    Request::post_form(
        "/token",
        &[
            ("grant_type", "authorization_code"),
            ("client_id", id),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ],
    )
}

/// The answer to a whole sign-in.
fn sign_in(server: &mut AuthorizationServer, now: i64, id: &str) -> Value {
    let code = code(server, now, id);
    let response = answer(server, now, &exchange(id, &code));
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

fn refresh(id: &str, refresh_token: &str) -> Request {
    let fields = [("grant_type", "refresh_token"), ("client_id", id), ("refresh_token", refresh_token)];
    Request::post_form("/token", &fields)
}

fn refresh_in_json(refresh_token: &str) -> Request {
    let body = json!({
        "client_id": CODEX_CLIENT_ID, "grant_type": "refresh_token",
        "refresh_reason": "proactive_expiry", "refresh_token": refresh_token,
    });
    Request::post_json("/oauth/token", &body)
}

fn resource(access_token: &str) -> Request {
    Request::get("/resource").with_header("Authorization", &format!("Bearer {access_token}"))
}

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name} in the answer")).to_owned()
}

/// The claims of a JWT, after its signature was checked with the key that the server publishes.
fn claims(server: &mut AuthorizationServer, token: &str) -> Value {
    let keys = answer(server, START, &Request::get("/jwks.json")).json();
    let x = URL_SAFE_NO_PAD.decode(keys["keys"][0]["x"].as_str().unwrap()).unwrap();
    jwt::verify(token, &PublicKey::Ed25519(x)).unwrap()
}
