//! Tokens that are bound to a key (RFC 9449): the proofs, the nonces, and that a refresh stays as safe as any other.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use hallpass::authorization_server::{
    Client, ClientAuthentication as Registered, Dpop, Endpoint, Fault, PushedAuthorization, Request as Sent,
};
use hallpass_core::{
    ClientAuthentication, Error, Event, ExportRequest, HttpResponse, LoginMethod, Need, Outcome, Place, ProofRequest,
    Request, Slot, StoreMode, StoreTrouble, Token,
};
use hallpass_tests::key;
use hallpass_tests::world::{ISSUER, Way, World, response};
use serde_json::Value;

const HOUR: i64 = 3_600_000;
const TOKEN: &str = "https://id.example/token";
const KEY: Slot = Slot::Proof(Place::File);

fn world(offered: Dpop) -> World {
    let mut world = World::standard();
    world.server.options_mut().dpop = offered;
    world
}

fn signed_in(offered: Dpop) -> World {
    let mut world = world(offered);
    world.login();
    world.sent.clear();
    world.requests.clear();
    world
}

/// Header and claims of every proof that was sent, and where to.
fn proofs(world: &World) -> Vec<(String, Value, Value)> {
    let decode = |part: &str| serde_json::from_slice(&base64url(part)).unwrap();
    let found = world.requests.iter().filter_map(|request| {
        let (_, proof) = request.headers.iter().find(|(name, _)| name == "dpop")?;
        let mut parts = proof.expose().split('.');
        Some((request.url.clone(), decode(parts.next()?), decode(parts.next()?)))
    });
    found.collect()
}

fn base64url(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn code<T>(result: Result<T, Error>) -> &'static str {
    result.map(|_| ()).expect_err("it fails").code()
}

fn proof(world: &mut World, token: &Token, url: &str, nonce: Option<&str>) -> Result<String, Error> {
    let request = ProofRequest {
        configuration: world.configuration.clone(),
        access_token: token.access_token.clone(),
        method: "GET".to_owned(),
        url: url.to_owned(),
        nonce: nonce.map(ToOwned::to_owned),
    };
    match world.run(Request::Proof(request))? {
        Outcome::Proof(proof) => Ok(proof.header.expose().to_owned()),
        other => panic!("a proof ended with {other:?}"),
    }
}

/// What the resource answers, and the nonce that it names.
fn visit(world: &mut World, scheme: &str, token: &Token, proof: Option<&str>) -> (u16, Option<String>) {
    let mut request = Sent::get("/resource");
    request = request.with_header("Authorization", &format!("{scheme} {}", token.access_token.expose()));
    if let Some(proof) = proof {
        request = request.with_header("DPoP", proof);
    }
    let response = world.server.respond(world.now.milliseconds(), &request).response;
    (response.status, response.header("DPoP-Nonce").map(str::to_owned))
}

#[test]
fn a_whole_session_is_bound_to_the_key_of_its_login() {
    for method in [LoginMethod::Browser, LoginMethod::DeviceCode] {
        for offered in [Dpop::Offered, Dpop::NonceWanted] {
            let mut world = world(offered);
            world.log_in(method.clone()).unwrap();
            let jwk = world.store.get(KEY).unwrap().trim().to_owned();
            let family = world.server.families().last().unwrap().clone();
            assert!(family.thumbprint.is_some(), "the server has seen the proof");
            let first = world.usable().unwrap();
            assert_eq!(first.token_type, "DPoP");

            world.wait(HOUR);
            let second = world.usable().unwrap();
            assert_ne!(first.access_token, second.access_token);
            assert_eq!(second.token_type, "DPoP");
            assert_eq!(world.store.get(KEY).map(str::trim), Some(jwk.as_str()), "the key survives a refresh");
            assert!(world.store.get(Slot::NewProof).is_none());

            for (url, header, claims) in proofs(&world) {
                assert_eq!(url, TOKEN, "proofs go nowhere else");
                assert_eq!((&header["typ"], &header["alg"]), (&Value::from("dpop+jwt"), &Value::from("EdDSA")));
                assert_eq!(header["jwk"], serde_json::from_str::<Value>(&jwk).unwrap());
                assert_eq!((&claims["htm"], &claims["htu"]), (&Value::from("POST"), &Value::from(TOKEN)));
                assert!(claims["ath"].is_null());
            }
            let mut ids: Vec<_> = proofs(&world).into_iter().map(|(_, _, claims)| claims["jti"].to_string()).collect();
            let count = ids.len();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), count, "each proof is new");

            world.log_out(false).unwrap();
            assert!(world.store.is_empty(), "the key goes with the session");
        }
    }
}

#[test]
fn sessions_are_recorded() {
    let mut world = world(Dpop::NonceWanted);
    world.server.options_mut().pushed_authorization = PushedAuthorization::Required;
    let request = world.login_request(LoginMethod::Browser);
    assert!(world.record("browser-login-dpop", Request::Login(request)).is_ok());
    world.wait(HOUR);
    let request = world.token_request(Need::Usable { minimum_lifetime: 300_000 });
    assert!(world.record("refresh-dpop", request).is_ok());
}

#[test]
fn the_authorization_request_names_the_key_where_it_is_pushed_and_where_not() {
    for pushed in [PushedAuthorization::NotOffered, PushedAuthorization::Offered] {
        let mut world = world(Dpop::Offered);
        world.server.options_mut().pushed_authorization = pushed;
        world.login();
        let thumbprint = world.server.families().last().unwrap().thumbprint.clone().unwrap();
        let url = world.person.authorization_url.as_ref().unwrap().expose().to_owned();
        let body = world.requests.iter().find(|request| request.url.ends_with("/par"));
        let shown = body.map_or(url, |request| request.body.as_ref().unwrap().expose().to_owned());
        assert!(shown.contains(&format!("dpop_jkt={thumbprint}")), "{shown}");
    }
}

#[test]
fn nothing_is_bound_where_anybody_does_not_want_it() {
    let mut without = [world(Dpop::NotOffered), world(Dpop::Offered), world(Dpop::Offered), World::openai()];
    without[1].configuration.provider.dpop = false;
    without[2].makes_keys = false;
    without[3].server.options_mut().dpop = Dpop::Offered;
    for mut world in without {
        world.login();
        world.wait(HOUR);
        assert_eq!(world.usable().unwrap().token_type, "Bearer");
        assert!(proofs(&world).is_empty() && world.store.get(KEY).is_none());
    }
}

#[test]
fn a_server_that_takes_other_algorithms_alone_binds_nothing() {
    let mut world = World::standard();
    let document = format!(
        r#"{{"issuer":"{ISSUER}","authorization_endpoint":"{ISSUER}/authorize","token_endpoint":"{TOKEN}",
            "dpop_signing_alg_values_supported":["RS256","ES256"]}}"#
    );
    world.answers("https://id.example/.well-known/openid-configuration", response(200, &document));
    world.login();
    assert!(proofs(&world).is_empty(), "this world's key is an EdDSA key");
}

#[test]
fn a_nonce_costs_one_more_request_once() {
    let mut world = world(Dpop::NonceWanted);
    world.login();
    let exchanges: Vec<_> = proofs(&world).into_iter().map(|(_, _, claims)| claims["nonce"].is_string()).collect();
    assert_eq!(exchanges, [false, true]);
    world.requests.clear();

    // The nonce of the last answer is still good: it is remembered.
    world.token(Need::Fresh).unwrap();
    assert_eq!(proofs(&world).len(), 1);
    assert!(proofs(&world)[0].2["nonce"].is_string());
    world.requests.clear();

    // By then it is not: one refusal, then the new one.
    world.wait(HOUR);
    world.usable().unwrap();
    let nonces: Vec<_> = proofs(&world).into_iter().map(|(_, _, claims)| claims["nonce"].to_string()).collect();
    assert_eq!(nonces.len(), 2);
    assert_ne!(nonces[0], nonces[1]);
    let bodies: Vec<_> = world.requests.iter().filter_map(|request| request.body.as_ref()).collect();
    assert_eq!(bodies[0], bodies[1], "it is the same refresh token: the refusal has spent nothing");
}

/// A refusal that asks for this nonce.
fn wants(nonce: &str) -> Event {
    Event::Responded(HttpResponse {
        status: 400,
        headers: vec![("DPoP-Nonce".into(), nonce.into())],
        body: r#"{"error":"use_dpop_nonce"}"#.into(),
    })
}

#[test]
fn a_server_that_is_never_content_is_asked_twice_and_the_session_lives() {
    let mut world = signed_in(Dpop::Offered);
    world.wait(HOUR - 120_000);
    for nonce in ["n1", "n2", "n3"] {
        world.answers(TOKEN, wants(nonce));
    }
    let token = world.usable().unwrap();
    assert_eq!(token.warnings[0].code, "refused", "the stored one is still good");
    assert_eq!(proofs(&world).len(), 2);
    assert!(world.store.get(Slot::Parked(Place::File)).is_none(), "nothing was spent, and nothing stays");
    world.wait(180_000);
    world.requests.clear();
    // Nothing was spent, so the same token renews the session once the server is content.
    assert_eq!(world.usable().unwrap().token_type, "DPoP");
    assert_eq!(proofs(&world).len(), 2, "the third refusal, and the answer");
}

#[test]
fn a_login_whose_proof_is_refused_twice_fails() {
    let mut world = world(Dpop::Offered);
    world.answers(TOKEN, wants("n1"));
    world.answers(TOKEN, wants("n2"));
    assert_eq!(code(world.log_in(LoginMethod::Browser)), "refused");
    assert_eq!(proofs(&world).len(), 2);
    assert!(world.store.get(KEY).is_none());
}

#[test]
fn a_death_between_the_refusal_and_the_second_try_leaves_the_intent_and_costs_nothing() {
    // The effects of a whole refresh, then one that dies before each of them.
    for dies_at in 0..40 {
        let mut world = signed_in(Dpop::NonceWanted);
        world.wait(HOUR);
        let request = world.token_request(Need::Usable { minimum_lifetime: 300_000 });
        let died = world.dies_at(request, dies_at);
        let sent = world.requests.iter().filter(|request| request.url == TOKEN).count();
        // The next process finds what is there, and ends with a token whatever the other has left behind, unless the
        // server has answered and nothing of that was stored yet.
        let answered =
            sent == 2 && world.store.get(Slot::Parked(Place::File)).is_some_and(|text| !text.contains("answer"));
        match world.usable() {
            Ok(token) => assert_eq!(token.token_type, "DPoP"),
            Err(error) => assert!(answered && error.code() == "rotation_lost", "{dies_at}: {error}"),
        }
        if !died {
            assert!(dies_at > 10, "it was a whole refresh");
            return;
        }
    }
    panic!("the refresh never ended");
}

#[test]
fn the_intent_stands_while_the_second_proof_is_made() {
    let mut world = signed_in(Dpop::NonceWanted);
    world.wait(HOUR);
    // Both tries are sent under an intent: nothing is ever sent without one.
    world.usable().unwrap();
    let reserved = world.store.writes.iter().filter(|slot| **slot == Slot::Parked(Place::File)).count();
    assert!(reserved >= 3, "the intent, the intent again, the answer: {:?}", world.store.writes);
}

#[test]
fn another_key_ends_nothing_because_nothing_is_sent_with_it() {
    let mut world = signed_in(Dpop::Offered);
    let jwk = world.store.get(KEY).unwrap().to_owned();
    world.wait(HOUR);
    for other in [Some(key::jwk(150)), None, Some("no key".into())] {
        match &other {
            Some(jwk) => world.store.put(KEY, jwk.expose()),
            None => world.store.take(KEY),
        }
        let error = world.usable().unwrap_err();
        assert_eq!(error.code(), "proof_key");
        assert_eq!(error.help().as_deref(), Some("run `hallpass login` for a session with a new key"));
    }
    assert!(world.requests.iter().all(|request| request.url != TOKEN));
    world.store.put(KEY, &jwk);
    assert_eq!(world.usable().unwrap().token_type, "DPoP", "when it is back, all is as before");
}

#[test]
fn the_server_refuses_the_refresh_token_with_another_key_and_without_one() {
    let mut world = signed_in(Dpop::Offered);
    let record = world.store.record();
    let refresh_token = record["tokens"]["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("client_id", "hallpass"), ("refresh_token", refresh_token)];
    let response = world.server.respond(world.now.milliseconds(), &Sent::post_form("/token", &fields)).response;
    assert_eq!((response.status, response.json()["error"].as_str()), (400, Some("invalid_grant")));
    assert!(world.server.families().all(|family| family.revoked.is_none()));
}

#[test]
fn a_final_no_stays_final() {
    let mut world = signed_in(Dpop::Offered);
    let family = world.server.families().last().unwrap().id;
    world.server.revoke_family(family);
    world.wait(HOUR);
    let error = code(world.usable());
    assert!(matches!(error, "spent_elsewhere" | "session_revoked"), "{error}");
    let before = world.sent.len();
    assert_eq!(code(world.usable()), error);
    assert_eq!(world.sent.iter().skip(before).filter(|line| *line == "POST /token").count(), 0);
}

#[test]
fn an_answer_that_is_lost_is_drained_and_asked_for_once_more() {
    let mut world = signed_in(Dpop::NonceWanted);
    world.wait(HOUR);
    world.server.inject(Endpoint::Token, Fault::LoseRequest);
    assert_eq!(world.usable().unwrap().token_type, "DPoP");
    assert_eq!(proofs(&world).len(), 3, "lost, refused for its nonce, granted");
}

#[test]
fn a_new_login_has_a_new_key_and_the_old_one_works_until_it_is_saved() {
    let mut world = signed_in(Dpop::Offered);
    let old = world.store.get(KEY).unwrap().to_owned();
    for way in [Way::Forgets, Way::Denies] {
        world.person.way = way;
        world.log_in(LoginMethod::Browser).unwrap_err();
        assert_eq!(world.store.get(KEY), Some(old.as_str()));
        world.token(Need::Fresh).unwrap();
    }
    world.person.way = Way::Allows;
    // Neither does one whose key is kept and whose record cannot be.
    world.store.room.insert(Place::File, 500);
    assert_eq!(code(world.log_in(LoginMethod::Browser)), "store_too_small");
    world.store.room.clear();
    assert_ne!(world.store.get(KEY), Some(old.as_str()));
    world.token(Need::Fresh).unwrap();
    world.login();
    world.token(Need::Fresh).unwrap();
    // One that is bound to nothing takes the key with it.
    world.configuration.provider.dpop = false;
    world.login();
    assert!(world.store.get(KEY).is_none());
    assert_eq!(world.token(Need::Fresh).unwrap().token_type, "Bearer");
}

#[test]
fn the_key_lies_where_the_record_lies() {
    for (mode, place) in
        [(StoreMode::File, Place::File), (StoreMode::Keyring, Place::Keyring), (StoreMode::Auto, Place::Keyring)]
    {
        let mut world = world(Dpop::Offered);
        world.configuration.store = Some(mode);
        world.login();
        for other in [Place::File, Place::Keyring, Place::Ephemeral] {
            assert_eq!(world.store.get(Slot::Proof(other)).is_some(), other == place, "{mode:?} {other:?}");
        }
        world.wait(HOUR);
        assert_eq!(world.usable().unwrap().token_type, "DPoP");
        world.log_out(false).unwrap();
        assert!(world.store.is_empty(), "{mode:?}");
    }
}

#[test]
fn a_record_that_is_worth_nothing_elsewhere_is_not_handed_out() {
    let mut world = signed_in(Dpop::Offered);
    let request = ExportRequest { configuration: world.configuration.clone(), if_changed: false };
    assert_eq!(code(world.run(Request::Export(request))), "not_applicable");
}

#[test]
fn what_lies_in_memory_alone_is_not_bound() {
    let mut world = world(Dpop::Offered);
    world.configuration.store = Some(StoreMode::Ephemeral);
    world.login();
    assert!(proofs(&world).is_empty());
    world.wait(HOUR);
    assert_eq!(world.usable().unwrap().token_type, "Bearer");
}

#[test]
fn without_a_keyring_auto_keeps_the_key_in_the_file() {
    let mut world = world(Dpop::Offered);
    world.configuration.store = Some(StoreMode::Auto);
    world.store.troubles.insert(Place::Keyring, StoreTrouble::Unavailable);
    world.login();
    assert!(world.store.get(KEY).is_some());
    world.wait(HOUR);
    assert_eq!(world.usable().unwrap().token_type, "DPoP");
    let logout = world.log_out(false).unwrap();
    assert!(logout.failures.is_empty() && world.store.is_empty(), "{logout:?}");
}

#[test]
fn a_key_that_cannot_be_saved_is_a_login_that_is_not() {
    let mut world = world(Dpop::Offered);
    world.store.troubles.insert(Place::File, StoreTrouble::Full);
    world.store.reading_works = true;
    assert_eq!(code(world.log_in(LoginMethod::Browser)), "store_full");
    assert!(world.server.families().all(|family| family.revoked.is_some()), "what was granted is given back");
}

#[test]
fn what_another_tool_puts_in_its_place_is_not_bound() {
    let mut world = signed_in(Dpop::Offered);
    let mut record = world.store.record();
    record["tokens"]["login_owner_id"] = "another login of another tool".into();
    world.store.put(Slot::Record(Place::File), &record.to_string());
    assert_eq!(world.usable().unwrap().token_type, "Bearer");
}

#[test]
fn tokens_that_the_server_binds_to_nothing_are_bearer_tokens() {
    let mut world = world(Dpop::Offered);
    world.answers(
        TOKEN,
        response(200, r#"{"access_token":"a","token_type":"Bearer","refresh_token":"r","expires_in":3600}"#),
    );
    world.login();
    assert_eq!(world.usable().unwrap().token_type, "Bearer");
    assert!(world.store.get(KEY).is_none());
}

#[test]
fn every_request_has_its_own_assertion_and_its_own_proof() {
    let mut world = world(Dpop::NonceWanted);
    let clients = &mut world.server.options_mut().clients;
    clients.retain(|client| client.id != "hallpass");
    clients.push(Client { authentication: Registered::PrivateKeyJwt(key::public()), ..Client::hallpass() });
    world.configuration.provider.client_authentication =
        ClientAuthentication::PrivateKeyJwt { algorithm: "EdDSA".into(), key_id: None, key: key::NAME.into() };
    world.login();
    world.wait(HOUR);
    world.usable().unwrap();
    assert_eq!(proofs(&world).len(), 4, "an assertion counts once, also where the proof beside it was refused");
}

#[test]
fn a_clock_that_is_wrong_is_found_out() {
    let mut world = world(Dpop::Offered);
    world.dates = true;
    world.clock_error = 2 * HOUR;
    world.login();
    assert_eq!(proofs(&world).len(), 2, "one by this clock, one by the server's");
    assert_eq!(world.usable().unwrap().token_type, "DPoP");
}

#[test]
fn a_program_proves_its_requests() {
    let mut world = signed_in(Dpop::NonceWanted);
    let token = world.usable().unwrap();
    let url = format!("{ISSUER}/resource");
    assert_eq!(visit(&mut world, "Bearer", &token, None).0, 401, "a thief has the token and no key");
    assert_eq!(visit(&mut world, "DPoP", &token, None).0, 401);

    let first = proof(&mut world, &token, &format!("{url}?page=1#top"), None).unwrap();
    let (status, nonce) = visit(&mut world, "DPoP", &token, Some(&first));
    assert_eq!(status, 401, "this server wants its nonce");
    let second = proof(&mut world, &token, &url, nonce.as_deref()).unwrap();
    assert_eq!(visit(&mut world, "DPoP", &token, Some(&second)).0, 200);
    assert_eq!(visit(&mut world, "DPoP", &token, Some(&second)).0, 401, "a proof counts once");

    let stale = proof(&mut world, &token, &url, nonce.as_deref()).unwrap();
    let fresh = world.token(Need::Fresh).unwrap();
    assert_eq!(visit(&mut world, "DPoP", &fresh, Some(&stale)).0, 401, "a proof is for one token");
}

#[test]
fn a_proof_of_what_is_not_bound_is_not_to_be_had() {
    let mut world = World::standard();
    world.login();
    let token = world.usable().unwrap();
    assert_eq!(code(proof(&mut world, &token, "https://api.example/", None)), "not_applicable");
    let mut world = signed_in(Dpop::Offered);
    assert_eq!(code(proof(&mut world, &token, "http://api.example/", None)), "invalid_value");
    world.store.take(KEY);
    assert_eq!(code(proof(&mut world, &token, "https://api.example/", None)), "proof_key");
}

#[test]
fn the_sidecar_holds_no_secret_of_the_key() {
    let world = signed_in(Dpop::NonceWanted);
    let sidecar = world.store.get(Slot::Sidecar).unwrap();
    let key = &serde_json::from_str::<Value>(sidecar).unwrap()["proof"]["key"];
    let names: Vec<_> = key.as_object().unwrap().keys().collect();
    assert_eq!(names, ["crv", "kty", "x"], "the public half alone");
}
