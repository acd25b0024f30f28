//! Device codes.

use hallpass_core::LoginMethod;
use hallpass_tests::world::{World, response};
use serde_json::json;

use crate::{TOKEN, code, exchange, posted, value};

const DEVICE: &str = "https://id.example/device_authorization";

/// RFC 8628, section 3.1: a public client names itself when it asks for a code.
#[test]
fn a_device_names_its_client_and_its_scope() {
    let mut world = World::standard();
    world.log_in(LoginMethod::DeviceCode).unwrap();
    let [asked] = &posted(&world, DEVICE)[..] else { panic!("one request") };
    assert_eq!(value(asked, "client_id").as_deref(), Some("hallpass"));
    assert_eq!(value(asked, "scope").as_deref(), Some("openid profile email offline_access"));
    let poll = exchange(&world);
    assert_eq!(value(&poll, "grant_type").as_deref(), Some("urn:ietf:params:oauth:grant-type:device_code"));
    assert_eq!(value(&poll, "client_id").as_deref(), Some("hallpass"));
}

/// RFC 8628, section 3.5: every error but two ends it. GitHub says these two with status 200.
#[test]
fn a_poll_goes_on_after_pending_and_slow_down_only() {
    for status in [200, 400] {
        let mut world = World::standard();
        world.answers(TOKEN, response(status, r#"{"error":"authorization_pending"}"#));
        world.answers(TOKEN, response(status, r#"{"error":"slow_down"}"#));
        let begin = world.now;
        world.log_in(LoginMethod::DeviceCode).unwrap();
        assert_eq!(world.now.since(begin), (5 + 5 + 10) * 1000);
        for (error, expected) in [
            ("access_denied", "access_denied"),
            ("expired_token", "device_code_expired"),
            ("invalid_grant", "refused"),
            ("something_new", "refused"),
        ] {
            let mut world = World::standard();
            world.answers(TOKEN, response(status, &json!({ "error": error }).to_string()));
            assert_eq!(code(world.log_in(LoginMethod::DeviceCode)), expected);
            assert_eq!(posted(&world, TOKEN).len(), 1);
        }
    }
}

/// RFC 8628, section 3.2, and what servers make of it: Google's name of the page, no interval, no end.
#[test]
fn device_authorizations_as_servers_send_them() {
    for (page, answer) in [
        ("verification_uri", json!({"expires_in": 900, "interval": 5})),
        ("verification_url", json!({"expires_in": "900", "interval": "5"})),
        ("verification_uri", json!({})),
        ("verification_uri", json!({"expires_in": null, "interval": 0, "message": "go there"})),
    ] {
        let mut world = World::standard();
        let mut answer = answer.clone();
        answer["device_code"] = "c4n4ry-device".into();
        answer["user_code"] = "ABCD-EFGH".into();
        answer[page] = "https://id.example/device".into();
        world.answers(DEVICE, response(200, &answer.to_string()));
        world.answers(TOKEN, response(400, r#"{"error":"access_denied"}"#));
        let begin = world.now;
        assert_eq!(code(world.log_in(LoginMethod::DeviceCode)), "access_denied", "{answer}");
        assert_eq!(world.now.since(begin), 5_000, "{answer}");
        assert_eq!(world.person.user_code.as_ref().unwrap().expose(), "ABCD-EFGH");
    }
    for page in ["http://id.example/device", "javascript:alert(1)", ""] {
        let mut world = World::standard();
        let answer = json!({"device_code": "c4n4ry", "user_code": "A", "verification_uri": page, "interval": 5});
        world.answers(DEVICE, response(200, &answer.to_string()));
        assert_eq!(code(world.log_in(LoginMethod::DeviceCode)), "malformed_answer", "{page}");
        assert!(world.person.user_code.is_none(), "nobody is sent to `{page}`");
    }
}
