use super::*;

fn refused(server: &mut AuthorizationServer, now: i64, request: &Request) -> String {
    let response = answer(server, now, request);
    assert!((400..=401).contains(&response.status));
    text(&response.json(), "error")
}

#[test]
fn the_challenge_of_rfc_7636_appendix_b() {
    assert_eq!(code_challenge(VERIFIER), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

#[test]
fn an_access_token_opens_the_resource_until_it_expires() {
    let mut server = server();
    let tokens = sign_in(&mut server, START, "hallpass");
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(3600)));
    let request = resource(&text(&tokens, "access_token"));
    let good = answer(&mut server, START, &request);
    assert_eq!((good.status, &good.json()["email"]), (200, &json!("ada@example.com")));
    assert_eq!(answer(&mut server.clone(), START + 3_600_000, &request).status, 401);
    assert_eq!(server.expire_access_tokens(START), 1);
    let late = answer(&mut server, START, &request);
    assert_eq!(late.status, 401);
    assert!(late.header("WWW-Authenticate").unwrap().contains("error=\"invalid_token\""));
    let without = answer(&mut server, START, &Request::get("/me"));
    assert_eq!(without.header("WWW-Authenticate"), Some("Bearer realm=\"resource\""));
}

#[test]
fn too_little_scope_is_another_refusal() {
    let mut server = server_with(|options| options.resource_scope = Some("admin".to_owned()));
    let tokens = sign_in(&mut server, START, "hallpass");
    let response = answer(&mut server, START, &resource(&text(&tokens, "access_token")));
    assert_eq!(response.status, 403);
    assert!(response.header("WWW-Authenticate").unwrap().contains("error=\"insufficient_scope\", scope=\"admin\""));
}

#[test]
fn a_code_is_good_once_and_its_replay_revokes() {
    let mut server = server();
    let code = code(&mut server, START, "hallpass");
    let tokens = answer(&mut server, START, &exchange("hallpass", &code)).json();
    let access_token = text(&tokens, "access_token");
    assert!(server.is_live_access_token(START, &access_token));
    assert_eq!(refused(&mut server, START, &exchange("hallpass", &code)), "invalid_grant");
    assert!(!server.is_live_access_token(START, &access_token));
    assert!(!server.is_live_refresh_token(START, &text(&tokens, "refresh_token")));
    assert_eq!(server.families().next().unwrap().revoked, Some(Revocation::CodeReplayed));
    assert_eq!(server.token_requests(), 2);
}

#[test]
fn a_code_belongs_to_its_client_its_uri_and_its_time() {
    let mut server = server();
    let code = code(&mut server, START, "hallpass");
    assert_eq!(refused(&mut server, START, &exchange(CODEX_CLIENT_ID, &code)), "invalid_grant");
    let elsewhere = Request::post_form(
        "/token",
        &[
            ("grant_type", "authorization_code"),
            ("client_id", "hallpass"),
            ("code", &code),
            ("redirect_uri", "http://127.0.0.1:1456/auth/callback"),
            ("code_verifier", VERIFIER),
        ],
    );
    assert_eq!(refused(&mut server, START, &elsewhere), "invalid_grant");
    assert_eq!(refused(&mut server.clone(), START + 60_000, &exchange("hallpass", &code)), "invalid_grant");
    assert_eq!(answer(&mut server, START + 59_999, &exchange("hallpass", &code)).status, 200);
}

#[test]
fn a_wrong_verifier_burns_the_code() {
    let other = "another-verifier-that-is-long-enough-0123456789";
    for (verifier, error) in [(other, "invalid_grant"), ("short", "invalid_grant"), ("", "invalid_request")] {
        let mut server = server();
        let code = code(&mut server, START, "hallpass");
        let request = Request::post_form(
            "/token",
            &[
                ("grant_type", "authorization_code"),
                ("client_id", "hallpass"),
                ("code", &code),
                ("redirect_uri", CALLBACK),
                ("code_verifier", verifier),
            ],
        );
        assert_eq!(refused(&mut server, START, &request), error);
        let again = answer(&mut server, START, &exchange("hallpass", &code)).status;
        assert_eq!(again, if verifier.is_empty() { 200 } else { 400 });
        assert_eq!(server.families().count(), usize::from(verifier.is_empty()));
    }
}

#[test]
fn malformed_requests_are_refused() {
    let mut server = server();
    let form = |fields: &[(&str, &str)]| Request::post_form("/token", fields);
    let twice = form(&[("grant_type", "refresh_token"), ("client_id", "hallpass"), ("client_id", "hallpass")]);
    assert_eq!(refused(&mut server, START, &twice), "invalid_request");
    assert_eq!(refused(&mut server, START, &form(&[("client_id", "hallpass")])), "invalid_request");
    let password = form(&[("client_id", "hallpass"), ("grant_type", "password")]);
    assert_eq!(refused(&mut server, START, &password), "unsupported_grant_type");
    assert_eq!(refused(&mut server, START, &form(&[("grant_type", "refresh_token")])), "invalid_client");
    let json = Request::post_json("/token", &json!({"grant_type": "refresh_token", "client_id": "hallpass"}));
    assert_eq!(refused(&mut server, START, &json), "invalid_request");
    let by_get = answer(&mut server, START, &Request::get("/token?grant_type=refresh_token"));
    assert_eq!((by_get.status, by_get.header("Allow")), (405, Some("POST")));
}

#[test]
fn an_opaque_token_and_no_refresh_token_where_so_configured() {
    let mut server = server_with(|options| {
        options.clients[1].access_tokens = AccessTokenStyle::Opaque;
        options.clients[1].refresh_tokens = RefreshTokens::Never;
    });
    let tokens = sign_in(&mut server, START, "hallpass");
    let access_token = text(&tokens, "access_token");
    assert!(access_token.starts_with(CANARY) && !access_token.contains('.'));
    assert_eq!(tokens.get("refresh_token"), None);
    server.options_mut().clients[1].refresh_tokens = RefreshTokens::OfflineAccess;
    assert!(sign_in(&mut server, START, "hallpass").get("refresh_token").is_some());
}

#[test]
fn revocation_takes_the_family_and_never_complains() {
    for name in ["access_token", "refresh_token"] {
        let mut server = server();
        let tokens = sign_in(&mut server, START, "hallpass");
        let revoke = |token: &str| Request::post_form("/revoke", &[("token", token), ("client_id", "hallpass")]);
        assert_eq!(answer(&mut server, START, &revoke("unknown")).status, 200);
        assert!(server.is_live_access_token(START, &text(&tokens, "access_token")));
        assert_eq!(answer(&mut server, START, &revoke(&text(&tokens, name))).status, 200);
        assert!(!server.is_live_access_token(START, &text(&tokens, "access_token")));
        assert!(!server.is_live_refresh_token(START, &text(&tokens, "refresh_token")));
        assert_eq!(server.families().next().unwrap().revoked, Some(Revocation::Requested));
    }
}

#[test]
fn a_client_cannot_revoke_what_another_holds() {
    let mut server = server();
    let tokens = sign_in(&mut server, START, "hallpass");
    let token = text(&tokens, "refresh_token");
    let request = Request::post_form("/revoke", &[("token", &token), ("client_id", CODEX_CLIENT_ID)]);
    assert_eq!(answer(&mut server, START, &request).status, 200);
    assert!(server.is_live_refresh_token(START, &token));
}
