use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::*;

fn hash(server: &AuthorizationServer) -> u64 {
    let mut hasher = DefaultHasher::new();
    server.hash(&mut hasher);
    hasher.finish()
}

#[test]
fn a_clone_is_a_branch() {
    let mut one = server();
    sign_in(&mut one, START, "hallpass");
    let mut two = one.clone();
    assert!(one == two && hash(&one) == hash(&two));
    let (first, second) = (sign_in(&mut one, START, CODEX_CLIENT_ID), sign_in(&mut two, START, CODEX_CLIENT_ID));
    assert_eq!(first, second);
    assert!(one == two && hash(&one) == hash(&two));
    sign_in(&mut two, START, "hallpass");
    assert!(one != two);
}

#[test]
fn another_seed_mints_other_secrets() {
    let mut one = server();
    let mut two = server_with(|options| options.seed = [8; 32]);
    let (first, second) = (sign_in(&mut one, START, "hallpass"), sign_in(&mut two, START, "hallpass"));
    for name in ["access_token", "refresh_token", "id_token"] {
        assert_ne!(first[name], second[name]);
    }
}

#[test]
fn every_secret_is_new_and_carries_the_canary() {
    let mut server = server();
    let spellings = server.options().canary_spellings();
    assert_eq!(spellings.len(), 4);
    let mut secrets = BTreeSet::new();
    for round in 0..20 {
        let code = code(&mut server, START, CODEX_CLIENT_ID);
        let tokens = answer(&mut server, START, &exchange(CODEX_CLIENT_ID, &code)).json();
        let fields = [("client_id", "hallpass")];
        let device = answer(&mut server, START, &Request::post_form("/device_authorization", &fields)).json();
        let request = Request::post_json("/api/accounts/deviceauth/usercode", &json!({"client_id": CODEX_CLIENT_ID}));
        let codex = answer(&mut server, START, &request).json();
        assert!(server.approve_device(&text(&codex, "user_code"), "user-ada"));
        let request = Request::post_json("/api/accounts/deviceauth/token", &codex);
        let handed = answer(&mut server, START, &request).json();
        let minted = [
            code,
            text(&tokens, "access_token"),
            text(&tokens, "refresh_token"),
            text(&tokens, "id_token"),
            text(&device, "device_code"),
            text(&codex, "device_auth_id"),
            text(&handed, "authorization_code"),
            text(&handed, "code_verifier"),
        ];
        for secret in minted {
            assert!(spellings.iter().any(|spelling| secret.contains(spelling)));
            assert!(secrets.insert(secret), "round {round}");
        }
    }
    let shown = format!("{server:?} {:?} {:?}", server.options(), server.journal());
    let families: Vec<_> = server.families().collect();
    let shown = format!("{shown} {families:?}");
    assert!(!spellings.iter().any(|spelling| shown.contains(spelling)));
}

#[test]
fn what_is_old_is_forgotten() {
    const YEAR_MS: i64 = 365 * 86_400_000;
    let mut server = server();
    for _ in 0..10 {
        let tokens = sign_in(&mut server, START, "hallpass");
        let family = server.family_of(&text(&tokens, "access_token")).unwrap();
        server.revoke_family(family);
    }
    answer(&mut server, START + YEAR_MS, &Request::get("/jwks.json"));
    assert_eq!(server.families().count(), 0);
    assert!(server.codes.is_empty() && server.families.access_tokens.is_empty());
    assert!(server.families.refresh_tokens.is_empty());
}

/// Whatever comes, there is an answer: requests at random, at times at random.
#[test]
fn every_request_is_answered() {
    let paths = [
        "/",
        "/authorize",
        "/token",
        "/oauth/token",
        "/device_authorization",
        "/device",
        "/codex/device",
        "/revoke",
        "/oauth/revoke",
        "/api/accounts/deviceauth/usercode",
        "/api/accounts/deviceauth/token",
        "/resource",
        "/me",
        "/api/accounts/v1/user-auth-credential/whoami",
        "//",
        "",
        "?",
        "/%00",
        "/token/",
    ];
    let pieces = [
        "client_id=hallpass",
        "&",
        "=",
        "%",
        "%f0%28",
        "grant_type=refresh_token",
        "refresh_token=",
        "{\"token\":",
        "null}",
        "\u{202e}",
        "code=",
        "user_code=",
        "[[[[",
        "\"",
        "interaction=x",
        "decision=allow",
        "é",
    ];
    let kinds = ["application/json", "application/x-www-form-urlencoded", "", "text/plain; charset=x"];
    let credentials = ["Bearer ", "Basic !!!", "Basic Og==", "bearer x", "é", ""];
    let mut random: u64 = 42;
    let mut next = |bound: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % bound
    };
    let mut server = server();
    for _ in 0..5000 {
        let body: String = (0..next(8)).map(|_| pieces[next(pieces.len())]).collect();
        let query: String = (0..next(6)).map(|_| pieces[next(pieces.len())]).collect();
        let method = ["GET", "POST", "OPTIONS", "HEAD", "PUT", ""][next(6)];
        let mut request = Request::new(method, &format!("{}?{query}", paths[next(paths.len())]))
            .with_header("Content-Type", kinds[next(kinds.len())])
            .with_header("Authorization", credentials[next(credentials.len())]);
        request.body = body.into_bytes();
        let now = [i64::MIN, -1, 0, START, i64::MAX][next(5)];
        let status = server.respond(now, &request).response.status;
        assert!((200..=499).contains(&status), "{status}");
    }
}
