use super::*;

fn asking() -> AuthorizationServer {
    server_with(|options| options.auto_consent = None)
}

/// What the form of a page sends.
fn decision(page: &Response, account: &str, decision: &str) -> Request {
    let html = page.text();
    let (_, after) = html.split_once("name=\"interaction\" value=\"").unwrap();
    let (interaction, _) = after.split_once('"').unwrap();
    let fields = [("interaction", interaction), ("account", account), ("decision", decision)];
    Request::post_form("/authorize", &fields)
}

#[test]
fn allowing_redirects_with_code_state_and_issuer() {
    let mut server = asking();
    let page = answer(&mut server, START, &Request::get(&authorize_target("hallpass", &[])));
    assert_eq!(page.status, 200);
    let response = answer(&mut server, START, &decision(&page, "user-grace", "allow"));
    assert_eq!(redirected(&response, "state").as_deref(), Some("st-1"));
    assert_eq!(redirected(&response, "iss").as_deref(), Some(ISSUER));
    let code = redirected(&response, "code").unwrap();
    let tokens = answer(&mut server, START, &exchange("hallpass", &code)).json();
    assert_eq!(claims(&mut server, &text(&tokens, "id_token"))["email"], "grace@example.com");
}

#[test]
fn denying_redirects_with_access_denied() {
    let mut server = asking();
    let page = answer(&mut server, START, &Request::get(&authorize_target("hallpass", &[])));
    let response = answer(&mut server, START, &decision(&page, "user-ada", "deny"));
    assert_eq!(redirected(&response, "error").as_deref(), Some("access_denied"));
    assert_eq!(redirected(&response, "state").as_deref(), Some("st-1"));
    assert_eq!(redirected(&response, "iss").as_deref(), Some(ISSUER));
    assert_eq!(redirected(&response, "code"), None);
}

#[test]
fn a_page_is_answered_once_in_time_and_by_its_reader() {
    let mut server = asking();
    let page = answer(&mut server, START, &Request::get(&authorize_target("hallpass", &[])));
    let allow = decision(&page, "user-ada", "allow");
    let mut late = server.clone();
    assert_eq!(answer(&mut late, START + 1_800_000, &allow).status, 400);
    let forged =
        Request::post_form("/authorize", &[("interaction", "x"), ("account", "user-ada"), ("decision", "allow")]);
    assert_eq!(answer(&mut server, START, &forged).status, 400);
    assert_eq!(answer(&mut server, START, &allow).status, 302);
    assert_eq!(answer(&mut server, START, &allow).status, 400);
}

#[test]
fn what_cannot_be_answered_is_shown_and_not_redirected() {
    let evil = [
        "https://evil.example/",
        "http://127.0.0.1.evil.example/auth/callback",
        "http://127.0.0.1:80@evil.example/auth/callback",
        "http://127.0.0.1:99999/auth/callback",
        "http://127.0.0.1:1455/elsewhere",
        "http://127.0.0.1:1455/auth/callback#x",
        "http://127.0.0.1:1455\\@evil.example/auth/callback",
        "https://127.0.0.1:1455/auth/callback",
        "",
    ];
    for uri in evil {
        let target = authorize_target("hallpass", &[("redirect_uri", uri)]);
        let response = answer(&mut server(), START, &Request::get(&target));
        assert_eq!((response.status, response.header("Location")), (400, None), "{uri}");
    }
    for id in ["nobody", ""] {
        let response = answer(&mut server(), START, &Request::get(&authorize_target(id, &[])));
        assert_eq!((response.status, response.header("Location")), (400, None));
    }
    let twice = format!("{}&state=st-2", authorize_target("hallpass", &[]));
    assert_eq!(answer(&mut server(), START, &Request::get(&twice)).status, 400);
}

#[test]
fn a_loopback_uri_stands_for_all_ports() {
    for uri in [
        "http://127.0.0.1/callback",
        "http://127.0.0.1:1/callback",
        "http://[::1]:65535/callback",
        "http://localhost:8080/",
    ] {
        let target = authorize_target("hallpass", &[("redirect_uri", uri)]);
        assert_eq!(answer(&mut server(), START, &Request::get(&target)).status, 302, "{uri}");
    }
}

#[test]
fn other_uris_are_compared_as_they_are() {
    let registered = "https://app.example/done?tenant=1";
    let mut server = server_with(|options| options.clients.push(Client::public("web", "Web", &[registered])));
    let good = answer(&mut server, START, &Request::get(&authorize_target("web", &[("redirect_uri", registered)])));
    assert!(good.header("Location").unwrap().starts_with("https://app.example/done?tenant=1&code="));
    let other = authorize_target("web", &[("redirect_uri", "https://app.example:444/done?tenant=1")]);
    assert_eq!(answer(&mut server, START, &Request::get(&other)).status, 400);
}

#[test]
fn errors_after_that_are_redirected() {
    let cases = [
        ([("response_type", "token")], "unsupported_response_type"),
        ([("response_type", "")], "invalid_request"),
        ([("code_challenge", "")], "invalid_request"),
        ([("code_challenge", "short")], "invalid_request"),
        ([("code_challenge_method", "plain")], "invalid_request"),
        ([("code_challenge_method", "")], "invalid_request"),
        ([("response_mode", "fragment")], "invalid_request"),
    ];
    for (more, error) in cases {
        let response = answer(&mut server(), START, &Request::get(&authorize_target("hallpass", &more)));
        assert_eq!(redirected(&response, "error").as_deref(), Some(error), "{more:?}");
        assert_eq!(redirected(&response, "state").as_deref(), Some("st-1"));
        assert_eq!(redirected(&response, "iss").as_deref(), Some(ISSUER));
    }
}

#[test]
fn a_narrower_scope_is_granted_and_reported() {
    let mut server = server_with(|options| {
        options.clients[1].scope = Some(vec!["openid".to_owned(), "email".to_owned()]);
    });
    assert_eq!(sign_in(&mut server, START, "hallpass")["scope"], "openid email");
    let target = authorize_target("hallpass", &[("scope", "admin")]);
    let response = answer(&mut server, START, &Request::get(&target));
    assert_eq!(redirected(&response, "error").as_deref(), Some("invalid_scope"));
}

#[test]
fn the_nonce_comes_back_in_the_identity_token() {
    let mut server = server();
    let target = authorize_target("hallpass", &[("nonce", "n-1")]);
    let response = answer(&mut server, START, &Request::get(&target));
    let code = redirected(&response, "code").unwrap();
    let tokens = answer(&mut server, START, &exchange("hallpass", &code)).json();
    let claims = claims(&mut server, &text(&tokens, "id_token"));
    assert_eq!(
        (&claims["nonce"], &claims["aud"], &claims["azp"]),
        (&json!("n-1"), &json!(["hallpass"]), &json!("hallpass"))
    );
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!(ISSUER), &json!("user-ada")));
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(START / 1000), &json!(START / 1000 + 3600)));
}

#[test]
fn the_metadata_names_what_there_is() {
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        let metadata = answer(&mut server(), START, &Request::get(path)).json();
        assert_eq!(metadata["issuer"], ISSUER);
        assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
        assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
        for (name, value) in metadata.as_object().unwrap() {
            if name.ends_with("_endpoint") || name == "jwks_uri" {
                let path = value.as_str().unwrap().strip_prefix(ISSUER).unwrap();
                assert_ne!(answer(&mut server(), START, &Request::get(path)).status, 404, "{name}");
            }
        }
    }
}

#[test]
fn an_issuer_may_have_a_path() {
    let mut server = server_with(|options| options.issuer = "https://as.example/tenant".to_owned());
    for path in ["/tenant/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/tenant"] {
        assert_eq!(answer(&mut server, START, &Request::get(path)).json()["issuer"], "https://as.example/tenant");
    }
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/tenantx/token"] {
        assert_eq!(answer(&mut server, START, &Request::get(path)).status, 404, "{path}");
    }
}
