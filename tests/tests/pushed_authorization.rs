//! Pushed authorization requests (RFC 9126): the browser carries a reference and nothing else.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use hallpass::authorization_server::{
    Client, ClientAuthentication as Registered, Endpoint, Fault, PushedAuthorization,
};
use hallpass_core::{
    ClientAuthentication, Endpoints, Event, LoginMethod, LoginRequest, Outcome, Reach, Request, RequestFailure,
};
use hallpass_tests::key;
use hallpass_tests::world::{ISSUER, World, response};

const PAR: &str = "https://id.example/par";
const OPENID: &str = "https://id.example/.well-known/openid-configuration";

fn world(offered: PushedAuthorization) -> World {
    let mut world = World::standard();
    world.server.options_mut().pushed_authorization = offered;
    world
}

fn query(world: &World) -> String {
    world.person.authorization_url.as_ref().unwrap().expose().split_once('?').unwrap().1.to_owned()
}

/// The body and the `Authorization` header of what was pushed.
fn pushed(world: &World) -> Vec<(String, Option<String>)> {
    let requests = world.requests.iter().filter(|request| request.url == PAR);
    requests
        .map(|request| {
            let header = request.headers.iter().find(|(name, _)| name == "authorization");
            (request.body.as_ref().unwrap().expose().to_owned(), header.map(|(_, value)| value.expose().to_owned()))
        })
        .collect()
}

#[test]
fn the_browser_carries_the_client_and_a_reference_and_nothing_else() {
    for offered in [PushedAuthorization::Offered, PushedAuthorization::Required] {
        let mut world = world(offered);
        world.login();
        assert_eq!(world.sent, ["GET /.well-known/openid-configuration", "POST /par", "POST /token"]);
        let query = query(&world);
        let names: Vec<_> = query.split('&').map(|pair| pair.split('=').next().unwrap()).collect();
        assert_eq!(names, ["client_id", "request_uri"]);
        assert!(query.contains("request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3A"));

        let pushed = pushed(&world);
        assert_eq!(pushed.len(), 1);
        let names: Vec<_> = pushed[0].0.split('&').map(|pair| pair.split('=').next().unwrap()).collect();
        assert_eq!(
            names,
            [
                "response_type",
                "client_id",
                "redirect_uri",
                "code_challenge",
                "code_challenge_method",
                "state",
                "scope",
                "prompt"
            ]
        );
    }
}

#[test]
fn a_session_is_recorded() {
    let mut world = world(PushedAuthorization::Offered);
    let request = world.login_request(LoginMethod::Browser);
    assert!(world.record("browser-login-pushed", Request::Login(request)).is_ok());
}

#[test]
fn a_provider_can_be_told_not_to_push_unless_the_server_takes_nothing_else() {
    for (offered, wanted, pushes) in [
        (PushedAuthorization::NotOffered, true, 0),
        (PushedAuthorization::Offered, true, 1),
        (PushedAuthorization::Offered, false, 0),
        (PushedAuthorization::Required, false, 1),
    ] {
        let mut world = world(offered);
        world.configuration.provider.pushed_authorization = wanted;
        world.login();
        assert_eq!(pushed(&world).len(), pushes, "{offered:?} {wanted}");
    }
}

#[test]
fn openais_dialect_never_pushes() {
    let mut world = World::openai();
    let endpoints = world.configuration.provider.endpoints.clone().unwrap();
    world.configuration.provider.pushed_authorization = true;
    world.configuration.provider.endpoints = Some(Endpoints {
        pushed_authorization: Some(PAR.to_owned()),
        requires_pushed_authorization: true,
        ..endpoints
    });
    world.login();
    assert!(pushed(&world).is_empty());
}

#[test]
fn endpoints_that_are_configured_are_used_without_discovery() {
    let mut world = world(PushedAuthorization::Required);
    world.configuration.provider.endpoints = Some(Endpoints {
        authorization: Some(format!("{ISSUER}/authorize")),
        token: format!("{ISSUER}/token"),
        pushed_authorization: Some(PAR.to_owned()),
        ..Endpoints::default()
    });
    world.login();
    assert_eq!(world.sent, ["POST /par", "POST /token"]);
}

#[test]
fn the_client_proves_itself_as_at_the_token_endpoint() {
    const SECRET: &str = "c4n4ry: a+b/c=d&e%f";
    for authentication in [
        ClientAuthentication::ClientSecretPost,
        ClientAuthentication::ClientSecretBasic,
        ClientAuthentication::PrivateKeyJwt { algorithm: "EdDSA".into(), key_id: None, key: key::NAME.into() },
    ] {
        let mut world = world(PushedAuthorization::Required);
        let has_key = matches!(authentication, ClientAuthentication::PrivateKeyJwt { .. });
        let registered =
            if has_key { Registered::PrivateKeyJwt(key::public()) } else { Registered::Secret(SECRET.to_owned()) };
        let clients = &mut world.server.options_mut().clients;
        clients.retain(|client| client.id != "hallpass");
        clients.push(Client { authentication: registered, ..Client::hallpass() });
        world.configuration.provider.client_authentication = authentication.clone();
        let client_secret = (!has_key).then(|| SECRET.into());
        let request = LoginRequest { client_secret, ..world.login_request(LoginMethod::Browser) };
        let outcome = world.run(Request::Login(request));
        assert!(matches!(outcome, Ok(Outcome::Login(_))), "{authentication:?}: {outcome:?}");
        let (body, header) = pushed(&world).remove(0);
        assert_eq!(header.is_some(), authentication == ClientAuthentication::ClientSecretBasic);
        assert_eq!(body.contains("client_secret="), authentication == ClientAuthentication::ClientSecretPost);
        assert_eq!(body.contains("client_assertion="), has_key);
        assert_eq!(body.matches("client_id=").count(), 1, "it is part of the request (RFC 9126, section 2.1)");
        assert!(!query(&world).contains("c4n4ry%3A"), "no secret of the client is in the address");
    }
}

#[test]
fn what_the_endpoint_can_do_wrong_sends_nobody_anywhere() {
    for (fault, expected) in [
        (Fault::Html, "malformed_answer"),
        (Fault::WrongShape, "malformed_answer"),
        (Fault::LoseAnswer, "network"),
        (Fault::BreakBody, "network"),
        (Fault::Status { status: 503, retry_after: None, processed: false }, "server_unavailable"),
        (Fault::Redirect { status: 307, location: "https://evil.example/".into() }, "redirected"),
    ] {
        let mut world = world(PushedAuthorization::Offered);
        world.server.inject(Endpoint::PushedAuthorization, fault.clone());
        let error = world.log_in(LoginMethod::Browser).unwrap_err();
        assert_eq!(error.code(), expected, "{fault:?}");
        assert!(world.person.authorization_url.is_none() && world.store.is_empty());
    }
}

#[test]
fn an_answer_is_read_strictly_where_it_matters() {
    for (status, body, expected) in [
        (201, r#"{"expires_in":60}"#, "malformed_answer"),
        (201, r#"{"request_uri":"","expires_in":60}"#, "malformed_answer"),
        (201, r#"{"request_uri":"urn:x"}"#, "malformed_answer"),
        (201, r#"{"request_uri":"urn:x","expires_in":0}"#, "malformed_answer"),
        (201, r#"{"request_uri":"urn:x","expires_in":-5}"#, "malformed_answer"),
        (400, r#"{"error":"invalid_request"}"#, "refused"),
        (401, r#"{"error":"invalid_client"}"#, "client_refused"),
    ] {
        let mut world = world(PushedAuthorization::Offered);
        world.answers(PAR, response(status, body));
        assert_eq!(world.log_in(LoginMethod::Browser).unwrap_err().code(), expected, "{status} {body}");
        assert!(world.person.authorization_url.is_none());
    }
    let mut world = world(PushedAuthorization::Offered);
    let failure = RequestFailure::new(Reach::NotSent, "refused");
    world.answers(PAR, Event::RequestFailed(failure));
    assert_eq!(world.log_in(LoginMethod::Browser).unwrap_err().code(), "network");
}

#[test]
fn metadata_that_demands_what_it_does_not_offer_demands_nothing() {
    let mut world = world(PushedAuthorization::NotOffered);
    let document = format!(
        r#"{{"issuer":"{ISSUER}","authorization_endpoint":"{ISSUER}/authorize","token_endpoint":"{ISSUER}/token",
            "require_pushed_authorization_requests":true}}"#
    );
    world.answers(OPENID, response(200, &document));
    world.login();
    assert!(pushed(&world).is_empty());
    let mut world = World::standard();
    let document =
        document.replace("\"require", "\"pushed_authorization_request_endpoint\":\"http://x.example/\",\"require");
    world.answers(OPENID, response(200, &document));
    assert_eq!(world.log_in(LoginMethod::Browser).unwrap_err().code(), "unusable_endpoint");
}
