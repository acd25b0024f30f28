//! What is said over a boundary, and what must never be.

use super::*;
use alloc::string::ToString;
use serde_json::Value;

const NOW: f64 = 1_800_000_000_000.0;
const SEED: [u8; 32] = [7; 32];
const CONFIGURATION: &str = r#"{"provider":{"name":"p","issuer":"https://p.example","client_id":"c","endpoints":{"authorization":"https://p.example/a","token":"https://p.example/t"}}}"#;

fn login() -> String {
    format!(r#"{{"login":{}}}"#, login_request())
}

fn login_request() -> String {
    format!(r#"{{"configuration":{CONFIGURATION},"method":"browser"}}"#)
}

fn value(message: &Secret) -> Value {
    serde_json::from_str(message.expose()).unwrap()
}

fn code(message: &Secret) -> String {
    value(message)["done"]["error"]["code"].as_str().unwrap_or_default().to_string()
}

/// The name of the effect that a message asks for, unless the flow has ended.
fn asked(message: &Secret) -> Option<String> {
    value(message)["perform"]["effect"].as_object()?.keys().next().cloned()
}

/// What a shell would answer whose stores are empty and whose person does nothing.
fn answer(effect: &str) -> &'static str {
    match effect {
        "lock" => r#""locked""#,
        "unlock" => r#""unlocked""#,
        "load" => r#"{"loaded":null}"#,
        "save" => r#""saved""#,
        "reserve" => r#""reserved""#,
        "remove" => r#"{"removed":false}"#,
        "listen" => r#"{"listening":{"redirect_uri":"http://127.0.0.1:1/callback"}}"#,
        "await" => r#""timed_out""#,
        "present" => r#""presented""#,
        "reply" => r#""replied""#,
        other => panic!("{other} is not answered here"),
    }
}

/// Answers until an effect of this name is asked for.
fn until(conversation: &mut Conversation, mut message: Secret, name: &str) {
    while let Some(effect) = asked(&message).filter(|effect| effect != name) {
        message = conversation.step(NOW, answer(&effect));
    }
    assert_eq!(asked(&message).as_deref(), Some(name));
}

#[test]
fn a_turn_says_what_to_do() {
    let mut conversation = Conversation::default();
    let message = value(&conversation.start(&login(), NOW, &SEED));
    let perform = message["perform"].as_object().unwrap();
    assert_eq!(perform.keys().map(String::as_str).collect::<Vec<_>>(), ["effect", "interruptible", "log"]);
    assert!(perform["effect"].is_object() && perform["interruptible"].is_boolean() && perform["log"].is_array());
}

#[test]
fn an_unreadable_request_is_an_error_without_its_contents() {
    for request in ["", "{", "null", r#""canary""#, r#"{"login":{"canary":1}}"#, r#"{"canary":{}}"#] {
        let message = Conversation::default().start(request, NOW, &SEED);
        assert_eq!(code(&message), "invalid_message", "{request}");
        assert!(!message.expose().contains("canary"), "{request}");
    }
}

#[test]
fn an_unusable_time_or_seed_is_an_error() {
    for now in [f64::NAN, f64::INFINITY, -1.0, 1e18] {
        assert_eq!(code(&Conversation::default().start(&login(), now, &SEED)), "invalid_message", "{now}");
    }
    for seed in [&[][..], &[0; 31], &[0; 33]] {
        assert_eq!(code(&Conversation::default().start(&login(), NOW, seed)), "invalid_message");
    }
}

/// At every turn of a login that stores a key: an unreadable event lets go of what is held.
#[test]
fn an_unreadable_event_ends_the_flow_and_releases_its_locks() {
    let login = login().replace(r#""browser""#, r#"{"api_key":"sk-canary"}"#);
    let mut turns_under_lock = 0;
    for unreadable in 0.. {
        let mut conversation = Conversation::default();
        let mut message = conversation.start(&login, NOW, &SEED);
        let mut held = 0;
        let mut turn = 0;
        let mut misread = String::new();
        while let Some(effect) = asked(&message) {
            turns_under_lock += i32::from(turn == unreadable && held > 0);
            // A lock was taken, whether or not the flow could read that it was.
            held += i32::from(effect == "lock") - i32::from(effect == "unlock");
            message = conversation.step(NOW, if turn == unreadable { r#"{"canary":"# } else { answer(&effect) });
            if turn == unreadable {
                misread = effect;
            }
            turn += 1;
        }
        assert_eq!(held, 0, "the event of turn {unreadable} leaves a lock");
        assert!(!message.expose().contains("canary"));
        let is_saved = value(&message)["done"]["ok"]["login"].is_object();
        if turn <= unreadable {
            assert!(is_saved);
            break;
        }
        // What was saved is saved, whatever is answered to the sweeping and unlocking after it.
        let expected = if matches!(misread.as_str(), "remove" | "unlock") { "" } else { "invalid_message" };
        assert_eq!((is_saved, code(&message).as_str()), (expected.is_empty(), expected), "turn {unreadable}");
    }
    assert!(turns_under_lock > 0);
}

#[test]
fn a_flow_is_started_once_and_not_stepped_after_its_end() {
    let mut conversation = Conversation::default();
    assert_eq!(code(&conversation.step(NOW, r#""saved""#)), "not_applicable");
    let first = conversation.start(&login(), NOW, &SEED);
    assert_eq!(code(&conversation.start(&login(), NOW, &SEED)), "not_applicable");
    // The refusal is no turn: the flow still waits for the same answer.
    until(&mut conversation, first, "await");
    assert_eq!(code(&conversation.step(NOW, r#""cancelled""#)), "cancelled");
    assert_eq!(code(&conversation.step(NOW, r#""saved""#)), "not_applicable");
}

#[test]
fn what_is_suspended_is_resumed_in_another_conversation() {
    let mut conversation = Conversation::default();
    assert_eq!(value(&conversation.suspend())["error"]["code"], "not_applicable");
    let first = conversation.start(&login(), NOW, &SEED);
    assert_eq!(value(&conversation.suspend())["error"]["code"], "not_applicable");
    until(&mut conversation, first, "await");
    let suspended = value(&conversation.suspend())["ok"].to_string();

    let mut resumed = Conversation::default();
    let message = resumed.resume(&suspended, &login_request(), NOW);
    until(&mut resumed, message, "await");
    for broken in ["", "{}", "null", &suspended[1..]] {
        assert_eq!(code(&Conversation::default().resume(broken, &login_request(), NOW)), "invalid_message");
    }
}

#[test]
fn a_message_is_not_shown() {
    let message = Conversation::default().start("canary", NOW, &SEED);
    assert_eq!(format!("{message:?}"), "Secret(…)");
}
