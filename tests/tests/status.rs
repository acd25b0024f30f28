//! Who is signed in.

use hallpass_core::{Environment, LoginMethod, Method, Need, Place, Provider, Request, Secret, Slot, StatusRequest};
use hallpass_tests::world::{ISSUER, World, response};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

#[test]
fn nobody() {
    let mut world = World::openai();
    let status = world.status(false).unwrap();
    assert!(!status.logged_in && status.method.is_none() && status.account.is_none() && status.store.is_none());
    // What counts as logged in with Codex and is not.
    for text in ["{}", r#"{"auth_mode":"chatgpt"}"#] {
        world.store.put(Slot::Record(Place::File), text);
        let status = world.status(false).unwrap();
        assert!(!status.logged_in, "{text}");
        assert_eq!(status.warnings.first().unwrap().code, "no_credential", "{text}");
    }
}

#[test]
fn who_how_and_until_when_without_asking_anybody() {
    for (mut world, method, name) in
        [(World::openai(), Method::Chatgpt, "openai"), (World::standard(), Method::Oauth, "id.example")]
    {
        world.login();
        world.sent.clear();
        let request = StatusRequest { configuration: world.configuration.clone(), check: false };
        let transcript = format!("status-{}", if method == Method::Oauth { "standard" } else { "openai" });
        assert!(world.record(&transcript, Request::Status(request)).is_ok());
        let status = world.status(false).unwrap();
        assert!(status.logged_in && !status.stale);
        assert_eq!(status.method, Some(method));
        assert_eq!(status.provider.as_deref(), Some(name));
        assert_eq!(status.store, Some(Place::File));
        assert_eq!(status.last_refresh, Some(world.now));
        assert_eq!(status.expires_at, Some(world.now.plus(3_600_000)));
        assert_eq!(status.account.unwrap().email.as_deref(), Some("ada@example.com"));
        assert!(world.sent.is_empty());
    }
}

#[test]
fn an_expired_token_is_no_logout_and_a_stale_session_is_said() {
    let mut world = World::openai();
    world.login();
    world.wait(8 * DAY);
    let status = world.status(false).unwrap();
    assert!(status.logged_in && !status.stale);
    world.wait(1);
    assert!(world.status(false).unwrap().stale);
}

#[test]
fn the_method_says_what_it_can_do() {
    let mut world = World::openai();
    world.login();
    let can = world.status(false).unwrap().capabilities;
    assert!(can["codex_cloud"] && can["fast_mode"] && can["refresh"] && can["local_cli"]);
    world.log_in(LoginMethod::ApiKey("sk-1".into())).unwrap();
    let can = world.status(false).unwrap().capabilities;
    assert!(
        !can["codex_cloud"] && !can["fast_mode"] && !can["codex_spark"] && !can["realtime_voice"] && !can["refresh"]
    );
    assert!(can["local_cli"]);
}

#[test]
fn the_server_is_asked_on_request() {
    for mut world in [World::openai(), World::standard()] {
        world.login();
        let before = world.store.record();
        assert!(world.status(true).unwrap().logged_in);
        assert_ne!(world.store.record(), before, "a session is checked by renewing it");
        let family = world.server.families().last().unwrap().id;
        world.server.revoke_family(family);
        assert!(world.status(true).is_err());
        let status = world.status(false).unwrap();
        assert!(!status.warnings.is_empty(), "and what was learned is remembered");
    }
}

#[test]
fn a_session_has_its_name_and_its_rivals_are_said_whatever_variables_hold() {
    let variables = |name: &str| Environment {
        variables: [(name.to_owned(), Secret::new("sk-1"))].into(),
        ..Environment::default()
    };
    let mut world = World::openai();
    world.login();
    let session = world.status(false).unwrap().session;
    assert!(session.is_some());
    world.configuration.environment = variables("CODEX_API_KEY");
    let status = world.status(false).unwrap();
    assert_eq!((status.method, status.session), (Some(Method::ApiKey), session));
    let mut world = World::standard();
    world.login();
    let standard = std::mem::replace(&mut world.configuration.provider, Provider::openai());
    world.configuration.providers.push(standard);
    world.configuration.environment = variables("CODEX_API_KEY");
    for check in [false, true] {
        let status = world.status(check).unwrap();
        assert!(status.warnings.iter().any(|warning| warning.code == "shadowed"), "{check}: {status:?}");
    }
}

#[test]
fn a_copy_of_a_home_says_so() {
    let mut world = World::openai();
    world.login();
    world.configuration.home.machine = "m2".into();
    assert_eq!(world.status(false).unwrap().warnings.first().unwrap().code, "copied_home");
}

#[test]
fn what_keeps_a_session_from_being_renewed_is_known_without_asking() {
    fn code(world: &mut World) -> String {
        world.status(false).unwrap().warnings.first().map(|warning| warning.code.clone()).unwrap_or_default()
    }
    // An old record came back: its refresh token was exchanged here.
    let mut world = World::openai();
    world.login();
    let old = world.store.record().to_string();
    world.token(Need::Fresh).unwrap();
    assert_eq!(code(&mut world), "");
    world.store.put(Slot::Record(Place::File), &old);
    assert_eq!(code(&mut world), "spent_elsewhere");
    // The last attempt did not help.
    let mut world = World::openai();
    world.login();
    world.wait(HOUR);
    world.answers(&format!("{ISSUER}/oauth/token"), response(503, ""));
    assert!(world.usable().is_err());
    assert_eq!(code(&mut world), "backing_off");
    // There is nothing to renew it with.
    let mut record = world.store.record();
    record["tokens"]["refresh_token"] = "".into();
    world.store.put(Slot::Record(Place::File), &record.to_string());
    let status = world.status(false).unwrap();
    assert!(!status.logged_in);
    assert_eq!(code(&mut world), "no_refresh_token");
}

#[test]
fn the_issuer_is_the_one_of_the_session() {
    for mut world in [World::openai(), World::standard()] {
        world.login();
        assert_eq!(world.status(false).unwrap().issuer.as_deref(), Some(ISSUER));
    }
}
