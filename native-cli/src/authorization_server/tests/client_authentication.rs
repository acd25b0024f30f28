use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};

use super::*;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn confidential(authentication: ClientAuthentication) -> (AuthorizationServer, String) {
    let mut server = server_with(|options| {
        let client = Client::public("conf:1", "Confidential", &["http://127.0.0.1/auth/callback"]);
        options.clients.push(Client { authentication, ..client });
    });
    let code = code(&mut server, START, "conf:1");
    (server, code)
}

fn request(code: &str, more: &[(&str, &str)]) -> Request {
    let usual =
        [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK), ("code_verifier", VERIFIER)];
    let fields: Vec<_> = usual.iter().chain(more).copied().collect();
    Request::post_form("/token", &fields)
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

#[test]
fn a_secret_comes_in_the_body_or_in_the_header() {
    let (server, code) = confidential(ClientAuthentication::Secret("s&cret 1".to_owned()));
    let status = |request: &Request| answer(&mut server.clone(), START, request).status;
    let posted = |secret| request(&code, &[("client_id", "conf:1"), ("client_secret", secret)]);
    assert_eq!(status(&posted("s&cret 1")), 200);
    assert_eq!(status(&posted("wrong")), 401);
    assert_eq!(status(&request(&code, &[("client_id", "conf:1")])), 401);
    let plain = request(&code, &[]);
    let with = |id, secret| plain.clone().with_header("Authorization", &basic(id, secret));
    assert_eq!(status(&with("conf%3A1", "s%26cret+1")), 200);
    assert_eq!(status(&with("conf%3A1", "wrong")), 401);
    let both = posted("s&cret 1").with_header("Authorization", &basic("conf%3A1", "s%26cret+1"));
    assert_eq!(status(&both), 400);
    let other = request(&code, &[("client_id", "hallpass")]);
    assert_eq!(status(&other.with_header("Authorization", &basic("conf%3A1", "s%26cret+1"))), 401);
    let response = answer(&mut server.clone(), START, &posted("wrong"));
    assert!(response.header("WWW-Authenticate").unwrap().starts_with("Basic"));
    assert_eq!(text(&response.json(), "error"), "invalid_client");
}

#[test]
fn a_public_client_must_not_authenticate() {
    let mut server = server();
    let code = code(&mut server, START, "hallpass");
    let request = request(&code, &[("client_id", "hallpass"), ("client_secret", "x")]);
    assert_eq!(answer(&mut server, START, &request).status, 401);
}

fn assertion(algorithm: &str, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let header = URL_SAFE_NO_PAD.encode(json!({"alg": algorithm}).to_string());
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = URL_SAFE_NO_PAD.encode(sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

fn good_claims() -> Value {
    json!({
        "iss": "conf:1", "sub": "conf:1", "aud": format!("{ISSUER}/token"),
        "jti": "a-1", "exp": START / 1000 + 60,
    })
}

#[test]
fn an_assertion_is_checked_in_every_part() {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[3; 32]).unwrap();
    let key = PublicKey::Ed25519(pair.public_key().as_ref().to_vec());
    let (server, code) = confidential(ClientAuthentication::PrivateKeyJwt(key));
    let status = |kind: &str, assertion: &str| {
        let more = [("client_assertion_type", kind), ("client_assertion", assertion)];
        answer(&mut server.clone(), START, &request(&code, &more)).status
    };
    let signed = |claims: &Value| assertion("EdDSA", claims, |bytes| pair.sign(bytes).as_ref().to_vec());
    assert_eq!(status(ASSERTION_TYPE, &signed(&good_claims())), 200);
    assert_eq!(status("another", &signed(&good_claims())), 401);
    let changes = [
        ("iss", json!("other")),
        ("sub", json!("hallpass")),
        ("aud", json!("https://other.example")),
        ("aud", json!([])),
        ("exp", json!(START / 1000)),
        ("exp", Value::Null),
        ("jti", Value::Null),
        ("nbf", json!(START / 1000 + 600)),
    ];
    for (name, value) in changes {
        let mut claims = good_claims();
        claims[name] = value;
        assert_eq!(status(ASSERTION_TYPE, &signed(&claims)), 401, "{name}");
    }
    let mut claims = good_claims();
    claims["aud"] = json!(["https://other.example", ISSUER]);
    assert_eq!(status(ASSERTION_TYPE, &signed(&claims)), 200);
    let unsigned = assertion("none", &good_claims(), |_| Vec::new());
    assert_eq!(status(ASSERTION_TYPE, &unsigned), 401);
    let renamed = assertion("ES256", &good_claims(), |bytes| pair.sign(bytes).as_ref().to_vec());
    assert_eq!(status(ASSERTION_TYPE, &renamed), 401);
    for garbage in ["", ".", "..", "a.b.c", "eyJ.eyJ.x"] {
        assert_eq!(status(ASSERTION_TYPE, garbage), 401);
    }
}

#[test]
fn an_assertion_is_good_once() {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[3; 32]).unwrap();
    let key = PublicKey::Ed25519(pair.public_key().as_ref().to_vec());
    let (mut server, first) = confidential(ClientAuthentication::PrivateKeyJwt(key));
    let second = code(&mut server, START, "conf:1");
    let proof = assertion("EdDSA", &good_claims(), |bytes| pair.sign(bytes).as_ref().to_vec());
    let more = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &proof)];
    assert_eq!(answer(&mut server, START, &request(&first, &more)).status, 200);
    assert_eq!(answer(&mut server, START, &request(&second, &more)).status, 401);
}

#[test]
fn es256_works_as_well() {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
    let key = PublicKey::P256(pair.public_key().as_ref().to_vec());
    let (mut server, code) = confidential(ClientAuthentication::PrivateKeyJwt(key));
    let proof = assertion("ES256", &good_claims(), |bytes| pair.sign(&random, bytes).unwrap().as_ref().to_vec());
    let more = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &proof)];
    assert_eq!(answer(&mut server, START, &request(&code, &more)).status, 200);
}
