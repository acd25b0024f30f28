//! What was recorded still holds.

use hallpass_core::{
    Configuration, Event, Home, LoginMethod, LoginRequest, Need, Provider, Request, StatusRequest, StoreMode,
    Timestamp, TokenRequest,
};
use hallpass_tests::transcript::{Recorder, Transcript};

const NOW: Timestamp = Timestamp::from_milliseconds(1_800_000_000_000);

#[test]
fn a_status() {
    let request = Request::Status(StatusRequest { configuration: configuration(), check: false });
    record("status", &request, &[Event::Loaded(None), Event::Loaded(None), Event::Loaded(None)]);
}

#[test]
fn a_wrong_event() {
    let request =
        Request::Token(TokenRequest { configuration: configuration(), need: Need::Usable { minimum_lifetime: 0 } });
    record("wrong-event", &request, &[Event::Switched]);
}

#[test]
fn a_cancelled_login() {
    let request = Request::Login(LoginRequest {
        configuration: configuration(),
        method: LoginMethod::Browser,
        store: None,
        client_secret: None,
    });
    record("cancelled-login", &request, &[Event::Cancelled]);
}

#[test]
fn every_transcript_replays() {
    let transcripts = Transcript::all();
    assert!(!transcripts.is_empty(), "there are no transcripts");
    transcripts.iter().for_each(Transcript::replay);
}

fn record(name: &str, request: &Request, events: &[Event]) {
    let mut recorder = Recorder::start(name, request, NOW, [7; 32]);
    for (second, event) in (1..).zip(events) {
        recorder.step(NOW.plus(second * 1000), event);
    }
    recorder.finish();
}

fn configuration() -> Configuration {
    Configuration {
        store: Some(StoreMode::File),
        home: Home { path: "/home/someone/.codex".to_owned(), machine: "a-machine".to_owned() },
        ..Configuration::new(Provider::openai())
    }
}
