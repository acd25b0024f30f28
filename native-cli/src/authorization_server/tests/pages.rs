use super::*;

fn hostile() -> AuthorizationServer {
    server_with(|options| {
        options.auto_consent = None;
        options.users[0].name = "<script>alert(1)</script>".to_owned();
        options.clients[1].name = "\"><img src=x>".to_owned();
    })
}

#[test]
fn every_value_is_escaped() {
    let target = authorize_target("hallpass", &[("scope", "openid <i>")]);
    let html = answer(&mut hostile(), START, &Request::get(&target)).text();
    assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("<i>"));
    assert!(html.contains("&lt;script&gt;"));
    let welcome = answer(&mut hostile(), START, &Request::get("/")).text();
    assert!(!welcome.contains("<script") && !welcome.contains("<img"));
}

#[test]
fn the_policy_allows_the_style_and_the_way_back_and_nothing_else() {
    let mut server = hostile();
    for (uri, source) in [
        (CALLBACK, "form-action 'self' http://127.0.0.1:1455;"),
        ("http://[::1]:1455/callback", "form-action 'self' http:;"),
    ] {
        let target = authorize_target("hallpass", &[("redirect_uri", uri)]);
        let page = answer(&mut server, START, &Request::get(&target));
        let policy = page.header("Content-Security-Policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.contains(source), "{policy}");
        assert!(policy.ends_with("base-uri 'none'; frame-ancestors 'none'"), "{policy}");
        assert_eq!(page.header("Referrer-Policy"), Some("no-referrer"));
        assert_eq!(page.header("Cache-Control"), Some("no-store"));
        assert_eq!(page.header("Access-Control-Allow-Origin"), None);
    }
}

#[test]
fn every_page_says_that_it_is_a_test() {
    let mut server = hostile();
    let consent = authorize_target("hallpass", &[]);
    for target in ["/", "/device", "/codex/device", "/nowhere", "/authorize", &consent] {
        let html = answer(&mut server, START, &Request::get(target)).text();
        assert!(html.contains("Local test authorization server."), "{target}");
        assert!(html.contains("<html lang=\"en\">") && html.contains("<h1>"), "{target}");
        assert!(!html.contains("<script") && !html.contains("http-equiv"), "{target}");
    }
}

#[test]
fn browsers_may_call_the_endpoints_but_not_read_the_pages() {
    let mut server = hostile();
    let from = |request: Request| request.with_header("Origin", "http://localhost:5173");
    let preflight = answer(&mut server, START, &from(Request::new("OPTIONS", "/oauth/token")));
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.header("Access-Control-Allow-Origin"), Some("http://localhost:5173"));
    assert_eq!(preflight.header("Access-Control-Allow-Methods"), Some("POST"));
    assert!(preflight.header("Access-Control-Allow-Headers").unwrap().contains("authorization"));
    for request in [refresh("hallpass", "x"), Request::get("/jwks.json"), resource("x")] {
        let response = answer(&mut server, START, &from(request));
        assert_eq!(response.header("Access-Control-Allow-Origin"), Some("http://localhost:5173"));
        assert_eq!(response.header("Vary"), Some("Origin"));
    }
    for target in ["/device", &authorize_target("hallpass", &[])] {
        let response = answer(&mut server, START, &from(Request::get(target)));
        assert_eq!(response.header("Access-Control-Allow-Origin"), None);
    }
}
