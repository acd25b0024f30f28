//! Keys of Amazon Web Services, for a session.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use hallpass_core::{
    AssumedRole, Error, Event, IdentityToken, LoginMethod, Outcome, Place, Reach, Request, RequestFailure, Role,
    RoleRequest, Slot,
};
use hallpass_tests::world::{World, response};

const STS: &str = "https://sts.eu-central-1.amazonaws.com/";
const HOUR: i64 = 3_600_000;

fn keys(name: &str) -> Event {
    response(
        200,
        &format!(
            "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
             <SessionToken>session</SessionToken><SecretAccessKey>secret</SecretAccessKey>\
             <Expiration>2026-11-24T23:00:23Z</Expiration><AccessKeyId>{name}</AccessKeyId>\
             </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
        ),
    )
}

fn refused(code: &str) -> Event {
    response(400, &format!("<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"))
}

fn assume(world: &mut World, token: IdentityToken) -> Result<AssumedRole, Error> {
    let role = Role {
        role_arn: "arn:aws:iam::123456789012:role/dev".to_owned(),
        session_name: "ada".to_owned(),
        endpoint: STS.to_owned(),
        duration: Some(900),
        token,
    };
    match world.run(Request::Role(RoleRequest { configuration: world.configuration.clone(), role }))? {
        Outcome::Role(role) => Ok(role),
        other => panic!("it ended with {other:?}"),
    }
}

/// The web identity of the last request to STS.
fn identity(world: &World) -> String {
    let request = world.requests.iter().rfind(|request| request.url == STS).unwrap();
    let body = request.body.as_ref().unwrap().expose();
    assert!(body.starts_with(
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fdev\
         &RoleSessionName=ada&WebIdentityToken="
    ));
    assert!(body.ends_with("&DurationSeconds=900"));
    body.split("WebIdentityToken=").nth(1).unwrap().split('&').next().unwrap().to_owned()
}

fn stored(world: &World, name: &str) -> String {
    world.store.record()["tokens"][name].as_str().unwrap().to_owned()
}

#[test]
fn a_role_is_assumed_with_the_token_that_was_chosen() {
    for (token, name) in [(IdentityToken::IdToken, "id_token"), (IdentityToken::AccessToken, "access_token")] {
        for mut world in [World::openai(), World::standard()] {
            world.login();
            world.sent.clear();
            world.answers(STS, keys("ASIA1"));
            let role = assume(&mut world, token).unwrap();
            assert_eq!((role.access_key_id.as_str(), role.secret_access_key.expose()), ("ASIA1", "secret"));
            assert_eq!(identity(&world), stored(&world, name));
            assert_eq!(world.sent, [format!("POST {STS}")], "a token that is good is not renewed");
        }
    }
}

#[test]
fn an_identity_that_has_expired_is_renewed_with_the_session() {
    for token in [IdentityToken::IdToken, IdentityToken::AccessToken] {
        let mut world = World::openai();
        world.login();
        let old = stored(&world, "id_token");
        world.wait(HOUR + 1);
        world.answers(STS, keys("ASIA2"));
        assert_eq!(assume(&mut world, token).unwrap().access_key_id, "ASIA2");
        assert_ne!(stored(&world, "id_token"), old);
        assert!(world.server.families().all(|family| family.revoked.is_none()));
    }
}

#[test]
fn what_sts_takes_for_expired_is_renewed_once() {
    let mut world = World::openai();
    world.login();
    let old = stored(&world, "id_token");
    world.answers(STS, refused("ExpiredTokenException"));
    world.answers(STS, keys("ASIA3"));
    assert_eq!(assume(&mut world, IdentityToken::IdToken).unwrap().access_key_id, "ASIA3");
    assert_ne!(identity(&world), old);

    world.answers(STS, refused("ExpiredTokenException"));
    world.answers(STS, refused("ExpiredTokenException"));
    let error = assume(&mut world, IdentityToken::IdToken).unwrap_err();
    assert_eq!(error.code(), "refused");
    assert!(error.to_string().contains("ExpiredTokenException"), "{error}");
}

#[test]
fn trouble_is_told_apart_and_ends_no_session() {
    let mut world = World::openai();
    world.login();
    let before = world.store.record();
    for (event, code) in [
        (refused("InvalidIdentityToken"), "refused"),
        (refused("IDPCommunicationError"), "server_unavailable"),
        (response(200, "{}"), "malformed_answer"),
        (response(500, ""), "server_unavailable"),
        (Event::RequestFailed(RequestFailure::new(Reach::NotSent, "refused")), "network"),
    ] {
        world.answers(STS, event);
        assert_eq!(assume(&mut world, IdentityToken::IdToken).unwrap_err().code(), code);
        assert_eq!(world.store.record(), before);
    }
}

#[test]
fn what_is_no_session_has_no_identity() {
    let mut world = World::openai();
    assert_eq!(assume(&mut world, IdentityToken::IdToken).unwrap_err().code(), "not_logged_in");
    world.log_in(LoginMethod::ApiKey("sk-1".into())).unwrap();
    assert_eq!(assume(&mut world, IdentityToken::IdToken).unwrap_err().code(), "not_applicable");
    let mut world = World::standard();
    world.login();
    let mut record = world.store.record();
    record["tokens"]["id_token"] = "".into();
    world.store.put(Slot::Record(Place::File), &record.to_string());
    assert_eq!(assume(&mut world, IdentityToken::IdToken).unwrap_err().code(), "not_applicable");
}
