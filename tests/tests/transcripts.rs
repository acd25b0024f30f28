//! What was recorded still holds.

use hallpass_core::{
    Configuration, Event, Home, LoginMethod, LoginRequest, Need, Provider, Request, StatusRequest, StoreMode,
    Timestamp, TokenRequest,
};
use hallpass_tests::transcript::{Recorder, Transcript};

const NOW: Timestamp = Timestamp::from_milliseconds(1_800_000_000_000);

#[test]
fn a_status() {
    let request = Request::Status(StatusRequest { configuration: configuration(Provider::openai()), check: false });
    record("status", &request, &[Event::Loaded(None), Event::Loaded(None), Event::Loaded(None)]);
}

#[test]
fn a_wrong_event() {
    for (name, provider) in [("wrong-event", Provider::openai()), ("wrong-event-standard", standard())] {
        let configuration = configuration(provider);
        let request = Request::Token(TokenRequest { configuration, need: Need::Usable { minimum_lifetime: 0 } });
        record(name, &request, &[Event::Switched]);
    }
}

#[test]
fn a_cancelled_login() {
    for (name, provider) in [("cancelled-login", Provider::openai()), ("cancelled-login-standard", standard())] {
        let request = Request::Login(LoginRequest {
            configuration: configuration(provider),
            method: LoginMethod::Browser,
            store: None,
            client_secret: None,
        });
        record(name, &request, &[Event::Cancelled]);
    }
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

/// One that a web page can use as well.
fn standard() -> Provider {
    Provider::discovered("https://id.example", "hallpass")
}

fn configuration(provider: Provider) -> Configuration {
    Configuration {
        store: Some(StoreMode::File),
        home: Home { path: "/home/someone/.codex".to_owned(), machine: "a-machine".to_owned() },
        ..Configuration::new(provider)
    }
}
