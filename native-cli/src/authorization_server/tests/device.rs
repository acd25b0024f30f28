use super::*;

const USER_CODE: &str = "/api/accounts/deviceauth/usercode";
const POLL: &str = "/api/accounts/deviceauth/token";

fn start(server: &mut AuthorizationServer) -> Value {
    let fields = [("client_id", "hallpass"), ("scope", "openid offline_access")];
    let response = answer(server, START, &Request::post_form("/device_authorization", &fields));
    assert_eq!(response.status, 200);
    response.json()
}

fn poll(server: &mut AuthorizationServer, seconds: i64, device: &Value) -> Result<Value, String> {
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", "hallpass"),
        ("device_code", device["device_code"].as_str().unwrap()),
    ];
    let response = answer(server, START + seconds * 1000, &Request::post_form("/token", &fields));
    if response.status == 200 { Ok(response.json()) } else { Err(text(&response.json(), "error")) }
}

#[test]
fn a_device_waits_for_its_user() {
    let mut server = server();
    let device = start(&mut server);
    assert_eq!((&device["interval"], &device["expires_in"]), (&json!(5), &json!(900)));
    let user_code = text(&device, "user_code");
    assert_eq!(server.pending_user_codes().collect::<Vec<_>>(), [user_code.as_str()]);
    assert_eq!(device["verification_uri_complete"], format!("{ISSUER}/device?user_code={user_code}"));
    assert_eq!(poll(&mut server, 0, &device).unwrap_err(), "authorization_pending");
    let typed = user_code.to_ascii_lowercase().replace('-', " ");
    assert!(!server.approve_device(&typed, "nobody@example.com"));
    assert!(server.approve_device(&typed, "grace@example.com"));
    assert!(!server.deny_device(&typed));
    let tokens = poll(&mut server, 5, &device).unwrap();
    assert_eq!(claims(&mut server, &text(&tokens, "id_token"))["email"], "grace@example.com");
    assert_eq!(poll(&mut server, 10, &device).unwrap_err(), "invalid_grant");
}

#[test]
fn polling_too_fast_slows_down_for_good() {
    let mut server = server();
    let device = start(&mut server);
    for (second, error) in [
        (0, "authorization_pending"),
        (4, "slow_down"),
        (13, "slow_down"),
        (28, "authorization_pending"),
        (42, "slow_down"),
    ] {
        assert_eq!(poll(&mut server, second, &device).unwrap_err(), error, "{second}");
    }
}

#[test]
fn without_an_interval_five_seconds_count() {
    let mut server = server_with(|options| options.device_interval = None);
    let device = start(&mut server);
    assert_eq!(device.get("interval"), None);
    poll(&mut server, 0, &device).unwrap_err();
    assert_eq!(poll(&mut server, 4, &device).unwrap_err(), "slow_down");
}

#[test]
fn a_device_is_told_of_refusal_and_expiry() {
    let mut server = server();
    let device = start(&mut server);
    assert_eq!(poll(&mut server.clone(), 900, &device).unwrap_err(), "expired_token");
    assert!(server.deny_device(&text(&device, "user_code")));
    assert_eq!(poll(&mut server, 0, &device).unwrap_err(), "access_denied");
}

#[test]
fn slowing_down_can_be_planned() {
    let mut server = server();
    let device = start(&mut server);
    server.plan(PlannedFault { endpoint: Endpoint::Token, fault: Fault::SlowDown, times: Some(2) });
    // Other grants are not concerned.
    sign_in(&mut server, START, "hallpass");
    assert_eq!(poll(&mut server, 0, &device).unwrap_err(), "slow_down");
    assert_eq!(poll(&mut server, 10, &device).unwrap_err(), "slow_down");
    assert_eq!(poll(&mut server, 25, &device).unwrap_err(), "authorization_pending");
}

#[test]
fn the_page_decides() {
    let mut server = server_with(|options| options.auto_consent = None);
    let device = start(&mut server);
    let target = format!("/device?user_code={}", text(&device, "user_code").to_ascii_lowercase());
    let html = answer(&mut server, START, &Request::get(&target)).text();
    let (_, after) = html.split_once("name=\"interaction\" value=\"").unwrap();
    let (interaction, _) = after.split_once('"').unwrap();
    let fields = [("interaction", interaction), ("account", "user-ada"), ("decision", "allow")];
    let done = answer(&mut server, START, &Request::post_form("/device", &fields));
    assert!(done.status == 200 && done.text().contains("ada@example.com"));
    assert!(poll(&mut server, 0, &device).is_ok());
    let unknown = answer(&mut server, START, &Request::get("/device?user_code=%3Cb%3E")).text();
    assert!(unknown.contains("not known") && unknown.contains("&lt;b&gt;") && !unknown.contains("<b>"));
}

fn codex_start(server: &mut AuthorizationServer) -> Value {
    let request = Request::post_json(USER_CODE, &json!({"client_id": CODEX_CLIENT_ID}));
    answer(server, START, &request).json()
}

fn codex_poll(server: &mut AuthorizationServer, now: i64, device: &Value) -> Response {
    let body = json!({"device_auth_id": device["device_auth_id"], "user_code": device["user_code"]});
    answer(server, now, &Request::post_json(POLL, &body))
}

#[test]
fn codex_gets_code_and_verifier() {
    let mut server = server();
    let device = codex_start(&mut server);
    assert_eq!(device["interval"], "5");
    let user_code = text(&device, "user_code");
    assert_eq!((user_code.len(), user_code.find('-')), (10, Some(4)));
    assert_eq!(codex_poll(&mut server, START, &device).status, 403);
    let unknown = json!({"device_auth_id": "x", "user_code": "x"});
    assert_eq!(codex_poll(&mut server, START, &unknown).status, 404);
    assert!(server.approve_device(&user_code, "user-ada"));
    let handed = codex_poll(&mut server, START + 100_000, &device).json();
    assert_eq!(text(&handed, "code_challenge"), code_challenge(&text(&handed, "code_verifier")));
    let exchange = |redirect_uri: &str| {
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", CODEX_CLIENT_ID),
            ("code", handed["authorization_code"].as_str().unwrap()),
            ("redirect_uri", redirect_uri),
            ("code_verifier", handed["code_verifier"].as_str().unwrap()),
        ];
        Request::post_form("/oauth/token", &fields)
    };
    assert_eq!(answer(&mut server, START + 100_000, &exchange(CALLBACK)).status, 400);
    let redirect_uri = format!("{ISSUER}/deviceauth/callback");
    let tokens = answer(&mut server, START + 100_000, &exchange(&redirect_uri)).json();
    for name in ["id_token", "access_token", "refresh_token"] {
        text(&tokens, name);
    }
}

#[test]
fn codex_is_told_what_will_never_succeed() {
    let mut server = server();
    let device = codex_start(&mut server);
    assert_eq!(codex_poll(&mut server.clone(), START + 900_000, &device).status, 400);
    assert!(server.deny_device(&text(&device, "user_code")));
    assert_eq!(codex_poll(&mut server, START, &device).status, 400);
    server.options_mut().device_enabled = false;
    let request = Request::post_json(USER_CODE, &json!({"client_id": CODEX_CLIENT_ID}));
    assert_eq!(answer(&mut server, START, &request).status, 404);
}
