//! The library as a program uses it: the facade against the embedded server, and the shell's promises.

#![cfg(feature = "tls")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use hallpass::authorization_server::{AuthorizationServer, Serving};
use hallpass::{Hallpass, Lines, LoginMethod, Nobody, Opener, Person, Prompt, Provider, Revocation, Shell, now};
use hallpass_core::{Effect, Event, Listen, Page, Slot};
use support::{Home, is_accepted, server, server_with, visit};

/// Somebody who does at once what they are told.
struct Quick(Arc<Mutex<AuthorizationServer>>);

impl Person for Quick {
    fn present(&mut self, prompt: &Prompt) {
        match prompt {
            Prompt::Browser { authorization_url, .. } => {
                let url = authorization_url.clone();
                thread::spawn(move || visit(&visit(url.expose()).1.unwrap()));
            }
            Prompt::UserCode { user_code, .. } => {
                assert!(self.0.lock().unwrap().approve_device(user_code.expose(), "grace@example.com"));
            }
        }
    }
}

fn hallpass(home: &Home, serving: &Serving) -> Hallpass {
    let provider = Provider::discovered(&serving.issuer, "hallpass");
    Hallpass::at(&home.path)
        .unwrap()
        .with_provider(provider)
        .with_person(Quick(serving.shared.clone()))
        .with_opener(Opener::Nothing)
}

#[test]
fn a_program_signs_in_calls_recovers_and_signs_out() {
    let (home, serving) = (Home::new(), server());
    let hallpass = hallpass(&home, &serving);
    assert!(!hallpass.status().unwrap().logged_in);
    assert_eq!(hallpass.token().unwrap_err().code(), "not_logged_in");

    let logged_in = hallpass.login(LoginMethod::Browser).unwrap();
    assert_eq!(logged_in.status.account.unwrap().email.unwrap(), "ada@example.com");
    let token = hallpass.token().unwrap();
    assert!(is_accepted(&serving, token.access_token.expose()));

    serving.lock().expire_access_tokens(now().milliseconds());
    let other = hallpass.replace(&token.access_token).unwrap();
    assert!(is_accepted(&serving, other.access_token.expose()));
    // Who asks late about the same rejected token gets the one that is there.
    let again = hallpass.replace(&token.access_token).unwrap();
    assert_eq!(again.access_token, other.access_token);

    let logged_in = hallpass.login(LoginMethod::DeviceCode).unwrap();
    assert_eq!(logged_in.previous, Some(Revocation::Revoked));
    assert_eq!(hallpass.logout().unwrap().revocation, Revocation::Revoked);
    assert!(!hallpass.status().unwrap().logged_in);
}

#[test]
fn many_threads_and_two_handles_refresh_once() {
    let home = Home::new();
    let serving = server_with(|options| options.access_token_lifetime_ms = 60_000);
    let first = hallpass(&home, &serving);
    first.login(LoginMethod::Browser).unwrap();
    serving.lock().options_mut().access_token_lifetime_ms = 3_600_000;
    let before = serving.lock().token_requests();
    let second = hallpass(&home, &serving);
    let threads: Vec<_> = (0..8)
        .map(|number| {
            let hallpass = if number % 2 == 0 { first.clone() } else { second.clone() };
            thread::spawn(move || hallpass.token().unwrap().access_token)
        })
        .collect();
    let tokens: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(serving.lock().token_requests(), before + 1);
}

#[test]
fn a_login_is_stopped_from_another_thread() {
    let (home, serving) = (Home::new(), server());
    let hallpass = hallpass(&home, &serving).with_person(Nobody);
    let cancellation = hallpass.cancellation();
    let thread = thread::spawn(move || hallpass.login(LoginMethod::Browser));
    thread::sleep(Duration::from_millis(100));
    cancellation.cancel();
    assert_eq!(thread.join().unwrap().unwrap_err().code(), "cancelled");
}

fn shell(home: &Home, person: impl Person + 'static) -> Shell {
    let mut shell = Shell::new(home.path.clone(), Box::new(person));
    shell.set_opener(Opener::Nothing);
    shell
}

#[test]
fn a_wish_to_stop_waits_for_an_effect_that_may_be_interrupted() {
    let home = Home::new();
    let mut shell = shell(&home, Nobody);
    shell.cancellation().cancel();
    let save = Effect::Save { slot: Slot::Sidecar, contents: "{}".into() };
    assert_eq!(shell.perform(save), Event::Saved);
    assert_eq!(shell.perform(Effect::Load(Slot::Sidecar)), Event::Loaded(Some("{}".into())));
    assert_eq!(shell.perform(Effect::Sleep { milliseconds: 60_000 }), Event::Cancelled);
    // It was delivered: what releases the rest is not stopped again.
    assert_eq!(shell.perform(Effect::Sleep { milliseconds: 1 }), Event::Slept);
}

#[test]
fn a_wait_ends_with_what_comes_first() {
    struct Typist;
    impl Person for Typist {
        fn present(&mut self, _prompt: &Prompt) {}

        fn lines(&mut self) -> Option<Lines> {
            Some(Box::new(["", " http://127.0.0.1/callback?code=1 ", "d"].into_iter().map(ToOwned::to_owned)))
        }
    }
    let home = Home::new();
    let mut shell = shell(&home, Typist);
    let soon = |milliseconds| Effect::Await { until: now().plus(milliseconds) };
    assert_eq!(shell.perform(soon(1)), Event::TimedOut);
    assert_eq!(shell.perform(soon(-1000)), Event::TimedOut);

    let listening = shell.perform(Effect::Listen(Listen { ports: vec![0], path: "/callback".into() }));
    let Event::Listening { redirect_uri } = listening else { panic!("{listening:?}") };
    let prompt = Prompt::Browser { authorization_url: "".into(), redirect_uri: redirect_uri.clone(), can_switch: true };
    assert_eq!(shell.perform(Effect::Present(prompt)), Event::Presented);
    assert_eq!(shell.perform(soon(10_000)), Event::Pasted("http://127.0.0.1/callback?code=1".into()));
    assert_eq!(shell.perform(soon(10_000)), Event::Switched);

    let url = format!("{redirect_uri}?code=2");
    let browser = thread::spawn(move || visit(&url).0);
    let Event::Called(call) = shell.perform(soon(10_000)) else { panic!("no call") };
    assert_eq!(call.target.expose(), "/callback?code=2");
    assert_eq!(shell.perform(Effect::Reply(Page::SignedIn)), Event::Replied);
    assert_eq!(browser.join().unwrap(), 200);

    let cancellation = shell.cancellation();
    let begin = Instant::now();
    let thread = thread::spawn(move || cancellation.cancel());
    assert_eq!(shell.perform(soon(60_000)), Event::Cancelled);
    thread.join().unwrap();
    assert!(begin.elapsed() < Duration::from_secs(30));
    assert_eq!(shell.perform(soon(1)), Event::TimedOut);
}

#[test]
fn a_port_that_is_taken_is_an_event() {
    let home = Home::new();
    let mut shell = shell(&home, Nobody);
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let event = shell.perform(Effect::Listen(Listen { ports: vec![port], path: "/".into() }));
    assert!(matches!(event, Event::ListenFailed { .. }), "{event:?}");
}
