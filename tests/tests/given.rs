//! Keys and tokens that a person hands in.

use hallpass_core::{Error, LoginMethod, Method, Need, Place, Slot, TokenOrigin};
use hallpass_tests::key::base64url;
use hallpass_tests::world::World;

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.expect_err("it fails").code()
}

#[test]
fn an_api_key_is_trimmed_kept_and_handed_out() {
    let mut world = World::openai();
    let login = world.log_in(LoginMethod::ApiKey("  sk-test-0123456789abcdefXYZ\r\n".into())).unwrap();
    assert_eq!(login.status.method, Some(Method::ApiKey));
    let text = world.store.get(Slot::Record(Place::File)).unwrap();
    assert_eq!(text, include_str!("../vectors/auth.apikey.json"), "to the byte what Codex writes");
    assert_eq!(world.usable().unwrap().access_token.expose(), "sk-test-0123456789abcdefXYZ");
    assert!(world.sent.is_empty());
    assert_eq!(code(world.token(Need::Fresh)), "not_applicable");
    let rejected = world.usable().unwrap().access_token;
    assert_eq!(code(world.token(Need::Replacement { rejected })), "credential_rejected");
    let rejected = "an-older-key".into();
    assert_eq!(world.token(Need::Replacement { rejected }).unwrap().origin, TokenOrigin::Stored);
    assert_eq!(world.status(true).unwrap().warnings.first().unwrap().code, "not_checked");
}

#[test]
fn what_is_no_key_changes_nothing() {
    let mut world = World::openai();
    world.login();
    let before = world.store.record();
    for key in ["", "  \n", "sk two", "sk\u{0}", "sk-ä", "sk\ninjected: header"] {
        assert_eq!(code(world.log_in(LoginMethod::ApiKey(key.into()))), "invalid_value", "{key:?}");
        assert_eq!(code(world.log_in(LoginMethod::AccessToken(key.into()))), "invalid_value", "{key:?}");
    }
    assert_eq!(world.store.record(), before);
}

#[test]
fn a_personal_access_token_is_asked_whose_it_is() {
    let mut world = World::openai();
    let token = world.server.issue_personal_access_token("grace@example.com").unwrap();
    let login = world.log_in(LoginMethod::AccessToken(token.as_str().into())).unwrap();
    assert_eq!(login.status.account.unwrap().email.as_deref(), Some("grace@example.com"));
    let record = world.store.record();
    assert_eq!(record["personal_access_token"], token.as_str());
    assert!(record["OPENAI_API_KEY"].is_null() && record.get("auth_mode").is_none());
    assert_eq!(world.usable().unwrap().access_token.expose(), token);
    assert_eq!(world.status(true).unwrap().account.unwrap().plan.as_deref(), Some("business"));
    assert_eq!(code(world.log_in(LoginMethod::AccessToken("at-forged".into()))), "credential_refused");
    assert_eq!(world.store.record(), record, "a failed login keeps the old one");
}

#[test]
fn an_agent_identity_must_be_a_token_that_lives() {
    let jwt = |exp: i64| format!("e30.{}.c2ln", base64url(format!(r#"{{"exp":{exp}}}"#).as_bytes()));
    let mut world = World::openai();
    let now = world.now.milliseconds() / 1000;
    world.log_in(LoginMethod::AccessToken(jwt(now + 60).as_str().into())).unwrap();
    assert_eq!(world.store.record()["auth_mode"], "agentIdentity");
    assert!(world.status(false).unwrap().logged_in);
    assert_eq!(code(world.log_in(LoginMethod::AccessToken(jwt(now - 1).as_str().into()))), "invalid_value");
    assert_eq!(code(world.log_in(LoginMethod::AccessToken("opaque".into()))), "invalid_value");
    world.wait(61_000);
    assert!(!world.status(false).unwrap().logged_in);
}

#[test]
fn a_key_does_not_end_the_session_before_it() {
    let mut world = World::openai();
    world.login();
    let login = world.log_in(LoginMethod::ApiKey("sk-1".into())).unwrap();
    assert_eq!(login.previous, None);
    assert_eq!(login.warnings.first().unwrap().code, "session_left");
    assert!(world.server.families().all(|family| family.revoked.is_none()));
}
