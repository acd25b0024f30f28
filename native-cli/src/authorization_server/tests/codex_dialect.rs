use super::*;

fn code_of(response: &Response) -> (u16, String) {
    let body = response.json();
    assert!(body["error"]["message"].is_string() && body["error"]["param"].is_null());
    assert_eq!(body["error"]["type"], "invalid_request_error");
    (response.status, text(&body["error"], "code"))
}

#[test]
fn the_tokens_carry_the_claims_that_codex_reads() {
    let mut server = server();
    let tokens = sign_in(&mut server, START, CODEX_CLIENT_ID);
    for name in ["id_token", "access_token"] {
        let claims = claims(&mut server, &text(&tokens, name));
        let auth = &claims["https://api.openai.com/auth"];
        assert_eq!(auth["chatgpt_account_id"], "ws-analytical");
        assert_eq!(auth["chatgpt_plan_type"], "pro");
        assert_eq!(auth["chatgpt_user_id"], "user-ada");
        assert_eq!(claims["email"], "ada@example.com");
        assert_eq!(claims["https://api.openai.com/profile"]["email"], "ada@example.com");
        assert_eq!(claims["exp"], START / 1000 + 3600);
    }
    assert!(text(&tokens, "refresh_token").starts_with("rt_"));
    let plain = sign_in(&mut server, START, "hallpass");
    let claims = claims(&mut server, &text(&plain, "id_token"));
    assert_eq!(claims.get("https://api.openai.com/auth"), None);
}

#[test]
fn a_refresh_in_json_is_refused_in_the_nested_form() {
    let mut server = server_with(|options| options.refresh_token_lifetime_ms = Some(1000));
    let tokens = sign_in(&mut server, START, CODEX_CLIENT_ID);
    let first = text(&tokens, "refresh_token");
    let expired = answer(&mut server.clone(), START + 1000, &refresh_in_json(&first));
    assert_eq!(code_of(&expired), (401, "refresh_token_expired".to_owned()));
    let good = answer(&mut server, START, &refresh_in_json(&first));
    assert_eq!(good.status, 200);
    let second = text(&good.json(), "refresh_token");
    for name in ["id_token", "access_token"] {
        text(&good.json(), name);
    }
    for (token, code) in [
        (first.as_str(), "refresh_token_reused"),
        (first.as_str(), "refresh_token_reused"),
        (second.as_str(), "refresh_token_invalidated"),
        ("rt_unknown", "refresh_token_invalidated"),
    ] {
        let response = answer(&mut server, START, &refresh_in_json(token));
        assert_eq!(code_of(&response), (401, code.to_owned()));
    }
    // The same at the same place with a form is in the standard form.
    let fields = [("grant_type", "refresh_token"), ("client_id", CODEX_CLIENT_ID), ("refresh_token", &first)];
    let response = answer(&mut server, START, &Request::post_form("/oauth/token", &fields));
    assert_eq!((response.status, text(&response.json(), "error")), (400, "invalid_grant".to_owned()));
}

#[test]
fn an_unknown_client_is_refused_in_the_nested_form() {
    let body = json!({"client_id": "app_x", "grant_type": "refresh_token", "refresh_token": "rt_seed"});
    let response = answer(&mut server(), START, &Request::post_json("/oauth/token", &body));
    assert_eq!(code_of(&response), (401, "invalid_client".to_owned()));
}

#[test]
fn an_identity_token_buys_an_api_key() {
    let mut server = server();
    let tokens = sign_in(&mut server, START, CODEX_CLIENT_ID);
    let exchange = |subject_token: &str| {
        let fields = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("client_id", CODEX_CLIENT_ID),
            ("requested_token", "openai-api-key"),
            ("subject_token", subject_token),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
        ];
        Request::post_form("/oauth/token", &fields)
    };
    let id_token = text(&tokens, "id_token");
    let key = text(&answer(&mut server, START, &exchange(&id_token)).json(), "access_token");
    assert!(key.starts_with("sk-") && key.contains(CANARY));
    assert_eq!(answer(&mut server, START, &resource(&key)).status, 200);
    let forged = format!("{}A", id_token.rsplit_once('.').unwrap().0);
    for bad in [forged.as_str(), &text(&tokens, "access_token"), "x"] {
        assert_eq!(answer(&mut server, START, &exchange(bad)).status, 400);
    }
    assert_eq!(answer(&mut server, START + 3_600_000, &exchange(&id_token)).status, 400);
    server.options_mut().api_keys_enabled = false;
    assert_eq!(answer(&mut server, START, &exchange(&id_token)).status, 400);
}

#[test]
fn a_logout_revokes_in_json() {
    let mut server = server();
    let tokens = sign_in(&mut server, START, CODEX_CLIENT_ID);
    let body =
        json!({"token": tokens["refresh_token"], "token_type_hint": "refresh_token", "client_id": CODEX_CLIENT_ID});
    assert_eq!(answer(&mut server, START, &Request::post_json("/oauth/revoke", &body)).status, 200);
    assert!(!server.is_live_access_token(START, &text(&tokens, "access_token")));
    let tokens = sign_in(&mut server, START, CODEX_CLIENT_ID);
    let body = json!({"token": tokens["access_token"], "token_type_hint": "access_token"});
    assert_eq!(answer(&mut server, START, &Request::post_json("/oauth/revoke", &body)).status, 200);
    assert!(!server.is_live_refresh_token(START, &text(&tokens, "refresh_token")));
    let body = json!({"token": "rt_fake_2", "token_type_hint": "refresh_token", "client_id": CODEX_CLIENT_ID});
    assert_eq!(answer(&mut server, START, &Request::post_json("/oauth/revoke", &body)).status, 200);
    assert_eq!(server.journal().last().unwrap().happening, Happening::UnknownTokenRevoked);
}

#[test]
fn a_personal_access_token_says_whose_it_is() {
    let known = PersonalAccessToken { token: "at-given".to_owned(), account_id: "user-grace".to_owned() };
    let mut server = server_with(|options| options.personal_access_tokens.push(known));
    let minted = server.issue_personal_access_token("ada@example.com").unwrap();
    assert!(minted.starts_with("at-") && minted.contains(CANARY));
    let whoami = |token: &str| {
        Request::get("/api/accounts/v1/user-auth-credential/whoami")
            .with_header("Authorization", &format!("Bearer {token}"))
    };
    for (token, email) in [("at-given", "grace@example.com"), (minted.as_str(), "ada@example.com")] {
        let body = answer(&mut server, START, &whoami(token)).json();
        assert_eq!(body["email"], email);
        assert_eq!(body["chatgpt_account_is_fedramp"], false);
        for name in ["chatgpt_user_id", "chatgpt_account_id", "chatgpt_plan_type"] {
            text(&body, name);
        }
    }
    assert_eq!(answer(&mut server, START, &whoami("at-unknown")).status, 401);
}
