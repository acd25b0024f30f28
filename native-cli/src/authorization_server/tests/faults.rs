use super::*;

/// A server with one session, and that session's refresh token.
fn signed_in() -> (AuthorizationServer, String) {
    let mut server = server();
    let tokens = sign_in(&mut server, START, CODEX_CLIENT_ID);
    let token = text(&tokens, "refresh_token");
    (server, token)
}

/// What happens to a refresh under `fault`, and whether the token was spent.
fn strike(fault: Fault) -> (Served, bool) {
    let (mut server, token) = signed_in();
    server.inject(Endpoint::Token, fault);
    let result = server.respond(START, &refresh_in_json(&token));
    let spent = !server.is_live_refresh_token(START, &token);
    if !spent {
        assert_eq!(answer(&mut server, START, &refresh_in_json(&token)).status, 200, "strikes once");
    }
    (result, spent)
}

#[test]
fn a_status_in_place_of_the_answer() {
    for processed in [false, true] {
        let fault = Fault::Status { status: 503, retry_after: Some(7), processed };
        let (served, spent) = strike(fault);
        assert_eq!((served.response.status, spent), (503, processed));
        assert_eq!(served.response.header("Retry-After"), Some("7"));
    }
}

#[test]
fn lost_requests_and_lost_answers() {
    let (served, spent) = strike(Fault::LoseRequest);
    assert_eq!((served.delivery, spent), (Delivery::RequestLost, false));
    let (served, spent) = strike(Fault::LoseAnswer);
    assert_eq!((served.delivery, spent), (Delivery::AnswerLost, true));
    let (served, spent) = strike(Fault::BreakBody);
    let after = served.response.body.len() / 2;
    assert_eq!((served.response.status, served.delivery, spent), (200, Delivery::Broken { after }, true));
}

#[test]
fn answers_that_are_not_what_they_should_be() {
    let (served, spent) = strike(Fault::Html);
    assert_eq!((served.response.status, spent), (200, false));
    assert!(served.response.header("Content-Type").unwrap().starts_with("text/html"));
    let (served, spent) = strike(Fault::WrongShape);
    assert!(served.response.json().is_array() && spent);
    let (served, spent) = strike(Fault::OmitAccessToken);
    assert!(served.response.json().get("access_token").is_none() && spent);
    let (served, spent) = strike(Fault::Redirect { status: 307, location: "https://other.example/".to_owned() });
    assert_eq!((served.response.status, spent), (307, false));
    assert_eq!(served.response.header("Location"), Some("https://other.example/"));
    for (json, expected) in [("\"3600\"", Some(json!("3600"))), ("-1", Some(json!(-1))), ("", None)] {
        let (served, _) = strike(Fault::ExpiresIn { json: json.to_owned() });
        assert_eq!(served.response.json().get("expires_in"), expected.as_ref());
    }
    let (served, _) = strike(Fault::ExpiresIn { json: "1e999".to_owned() });
    assert!(served.response.text().contains("\"expires_in\":1e999"));
}

#[test]
fn another_account_in_the_answer() {
    for alone in [false, true] {
        let (mut server, token) = signed_in();
        if alone {
            server.options_mut().users.truncate(1);
        }
        server.inject(Endpoint::Token, Fault::OtherAccount);
        let body = answer(&mut server, START, &refresh_in_json(&token)).json();
        let claims = claims(&mut server, &text(&body, "id_token"));
        let account = &claims["https://api.openai.com/auth"]["chatgpt_account_id"];
        assert_eq!(account, if alone { "ws-elsewhere" } else { "ws-compilers" });
    }
}

#[test]
fn latency_combines_and_standing_faults_stay() {
    let (mut server, token) = signed_in();
    server.plan(PlannedFault { endpoint: Endpoint::Token, fault: Fault::Latency { ms: 250 }, times: None });
    server.inject(Endpoint::Token, Fault::LoseRequest);
    let result = server.respond(START, &refresh_in_json(&token));
    assert_eq!((result.delay_ms, result.delivery), (250, Delivery::RequestLost));
    let result = server.respond(START, &refresh_in_json(&token));
    assert_eq!((result.delay_ms, result.delivery, result.response.status), (250, Delivery::Whole, 200));
    server.clear_faults();
    assert_eq!(server.respond(START, &Request::get("/jwks.json")).delay_ms, 0);
    let applied = |name| {
        let wanted = Happening::FaultApplied { endpoint: Endpoint::Token, fault: name };
        server.journal().iter().filter(|entry| entry.happening == wanted).count()
    };
    assert_eq!((applied("latency"), applied("lost request")), (2, 1));
}

#[test]
fn faults_strike_only_their_endpoint() {
    let (mut server, token) = signed_in();
    server.inject(Endpoint::Revocation, Fault::Html);
    assert_eq!(answer(&mut server, START, &refresh_in_json(&token)).status, 200);
}
