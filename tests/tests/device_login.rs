//! Signing in with a user code.

use hallpass::authorization_server::{Endpoint, Fault, PlannedFault};
use hallpass_core::{Error, LoginMethod, Outcome, Request};
use hallpass_tests::world::{BEGINNING, Way, World};

fn log_in(world: &mut World) -> Result<(), &'static str> {
    world.log_in(LoginMethod::DeviceCode).map(|_| ()).map_err(|error: Error| error.code())
}

#[test]
fn a_code_is_entered_on_another_device() {
    for (mut world, name) in [(World::openai(), "device-login-openai"), (World::standard(), "device-login-standard")] {
        world.person.waits = 3;
        let outcome = world.record(name, Request::Login(world.login_request(LoginMethod::DeviceCode)));
        assert!(matches!(outcome, Ok(Outcome::Login(_))), "{outcome:?}");
        let record = world.store.record();
        assert_eq!(record["auth_mode"], "chatgpt");
        assert!(record["OPENAI_API_KEY"].is_null(), "no key is exchanged on this way");
        assert_eq!(world.now.milliseconds() - BEGINNING, 20_000, "four polls, five seconds apart");
    }
}

#[test]
fn the_wire_is_the_one_of_codex() {
    let mut world = World::openai();
    log_in(&mut world).unwrap();
    let bodies: Vec<_> =
        world.requests.iter().map(|request| request.body.as_ref().unwrap().expose().to_owned()).collect();
    let urls: Vec<_> = world.sent.iter().map(String::as_str).collect();
    assert_eq!(
        urls,
        ["POST /api/accounts/deviceauth/usercode", "POST /api/accounts/deviceauth/token", "POST /oauth/token"]
    );
    let recorded: Vec<serde_json::Value> = include_str!("../vectors/wire.device-login.jsonl")
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let recorded = |at: usize| recorded[at]["body"].as_str().unwrap();
    assert_eq!(bodies[0], recorded(0));
    let ours = |at: usize| bodies[1].split('"').nth(at).unwrap();
    assert_eq!(bodies[1].replace(ours(3), "dev-auth-1").replace(ours(7), "ABCD-12345"), recorded(1));
    let names = |body: &str| body.split('&').map(|part| part.split('=').next().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&bodies[2]), names(recorded(4)));
    assert!(bodies[2].contains("redirect_uri=https%3A%2F%2Fid.example%2Fdeviceauth%2Fcallback"));
}

#[test]
fn it_waits_as_it_is_told() {
    let mut world = World::standard();
    world.server.options_mut().device_interval = Some(7);
    log_in(&mut world).unwrap();
    assert_eq!(world.now.milliseconds() - BEGINNING, 7_000);

    let mut world = World::standard();
    world.server.options_mut().device_interval = None;
    log_in(&mut world).unwrap();
    assert_eq!(world.now.milliseconds() - BEGINNING, 5_000, "RFC 8628: five seconds where nothing is said");

    let mut world = World::standard();
    world.server.plan(PlannedFault { endpoint: Endpoint::Token, fault: Fault::SlowDown, times: Some(3) });
    log_in(&mut world).unwrap();
    assert_eq!(
        world.now.milliseconds() - BEGINNING,
        (5 + 10 + 15 + 20) * 1000,
        "each slow_down adds five seconds for good"
    );
}

#[test]
fn trouble_on_the_way_is_waited_out() {
    for (fault, seconds) in [
        (Fault::LoseAnswer, 5 + 10),
        (Fault::LoseRequest, 5 + 10),
        (Fault::Status { status: 500, retry_after: None, processed: false }, 5 + 10),
        (Fault::Status { status: 429, retry_after: Some(90), processed: false }, 5 + 90),
        (Fault::Status { status: 503, retry_after: Some(1_000_000), processed: false }, 5 + 120),
    ] {
        let mut world = World::standard();
        world.person.waits = 1;
        world.server.inject(Endpoint::Token, fault.clone());
        log_in(&mut world).unwrap();
        assert_eq!(world.now.milliseconds() - BEGINNING, seconds * 1000, "{fault:?}");

        let mut world = World::openai();
        world.server.inject(Endpoint::OpenAiDeviceToken, fault.clone());
        log_in(&mut world).unwrap();
        assert_eq!(world.now.milliseconds() - BEGINNING, seconds * 1000, "{fault:?}");
    }
    for mut world in [World::openai(), World::standard()] {
        for endpoint in [Endpoint::OpenAiUserCode, Endpoint::DeviceAuthorization] {
            world.server.inject(endpoint, Fault::Status { status: 429, retry_after: Some(3), processed: false });
            world.server.inject(endpoint, Fault::LoseRequest);
        }
        log_in(&mut world).unwrap();
    }
}

#[test]
fn it_ends_when_the_code_expires() {
    for mut world in [World::openai(), World::standard()] {
        world.person.way = Way::Forgets;
        assert_eq!(log_in(&mut world), Err("device_code_expired"));
        let elapsed = world.now.milliseconds() - BEGINNING;
        assert!((900_000..=905_000).contains(&elapsed), "{elapsed}");
        // Nobody is asked before the interval has passed, and nobody after the end.
        let polls = world.sent.iter().filter(|line| line.ends_with("token")).count();
        assert!(polls <= 180, "{polls}");
    }
    let mut world = World::standard();
    world.person.way = Way::Forgets;
    world.server.plan(PlannedFault { endpoint: Endpoint::Token, fault: Fault::LoseRequest, times: None });
    assert_eq!(log_in(&mut world), Err("device_code_expired"), "also without a network");
}

#[test]
fn a_refusal_ends_it() {
    let mut world = World::standard();
    world.person.way = Way::Denies;
    assert_eq!(log_in(&mut world), Err("access_denied"));
    assert!(world.store.is_empty());
}

#[test]
fn a_server_without_device_login_says_so() {
    let mut world = World::openai();
    world.server.options_mut().device_enabled = false;
    let error = world.log_in(LoginMethod::DeviceCode).unwrap_err();
    assert_eq!(error.code(), "device_login_disabled");
    assert!(error.help().unwrap().contains("security settings"));
    let mut world = World::standard();
    world.server.options_mut().device_enabled = false;
    assert!(log_in(&mut world).is_err());
}

#[test]
fn what_a_server_can_do_wrong_ends_it_with_a_reason() {
    for fault in
        [Fault::Html, Fault::WrongShape, Fault::Redirect { status: 302, location: "https://evil.example".into() }]
    {
        for (mut world, endpoint) in
            [(World::openai(), Endpoint::OpenAiUserCode), (World::standard(), Endpoint::DeviceAuthorization)]
        {
            world.server.inject(endpoint, fault.clone());
            let code = log_in(&mut world).unwrap_err();
            assert!(matches!(code, "malformed_answer" | "redirected"), "{fault:?}: {code}");
        }
    }
}

#[test]
fn the_person_can_give_up_at_any_point() {
    for turn in 0..30 {
        let mut world = World::standard();
        world.person.waits = 2;
        world.cancel_at = Some(turn);
        if let Err(code) = log_in(&mut world) {
            assert_eq!(code, "cancelled", "at {turn}");
            assert!(world.store.is_empty());
        }
    }
}
