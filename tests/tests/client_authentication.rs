//! How the client proves who it is (RFC 6749, section 2.3; RFC 7523), and where its secret lives.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use hallpass::authorization_server::{Client, ClientAuthentication as Registered};
use hallpass_core::{
    ClientAuthentication, Effect, Error, LoggedIn, LoginMethod, LoginRequest, Outcome, Place, Request, Revocation,
    Slot, StoreMode, StoreTrouble,
};
use hallpass_tests::key;
use hallpass_tests::world::World;
use serde_json::Value;

/// With every kind of character that the form encoding changes.
const SECRET: &str = "c4n4ry: a+b/c=d&e%f ü";
const METHODS: [ClientAuthentication; 2] =
    [ClientAuthentication::ClientSecretPost, ClientAuthentication::ClientSecretBasic];

fn world(authentication: ClientAuthentication) -> World {
    let mut world = World::standard();
    register(&mut world, "hallpass", Registered::Secret(SECRET.to_owned()));
    world.configuration.provider.client_authentication = authentication;
    world
}

fn register(world: &mut World, id: &str, authentication: Registered) {
    let clients = &mut world.server.options_mut().clients;
    clients.retain(|client| client.id != id);
    clients.push(Client { id: id.to_owned(), authentication, ..Client::hallpass() });
}

fn with_secret(world: &World, method: LoginMethod, secret: &str) -> LoginRequest {
    LoginRequest { client_secret: Some(secret.into()), ..world.login_request(method) }
}

fn log_in(world: &mut World, method: LoginMethod) -> Result<LoggedIn, Error> {
    let request = with_secret(world, method, SECRET);
    run(world, request)
}

fn run(world: &mut World, request: LoginRequest) -> Result<LoggedIn, Error> {
    match world.run(Request::Login(request))? {
        Outcome::Login(login) => Ok(login),
        other => panic!("a login ended with {other:?}"),
    }
}

/// The bodies and `Authorization` headers of the requests that were sent.
fn posted(world: &World) -> Vec<(String, Option<String>)> {
    let posts = world.requests.iter().filter_map(|request| Some((request.body.as_ref()?, &request.headers)));
    posts
        .map(|(body, headers)| {
            let header = headers.iter().find(|(name, _)| name == "authorization");
            (body.expose().to_owned(), header.map(|(_, value)| value.expose().to_owned()))
        })
        .collect()
}

fn parameter(body: &str, name: &str) -> Option<String> {
    body.split('&').find_map(|pair| Some(pair.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
}

/// A login, a refresh and a logout, with a browser and with a device code.
fn whole_sessions(authentication: &ClientAuthentication) -> Vec<World> {
    [LoginMethod::Browser, LoginMethod::DeviceCode]
        .into_iter()
        .map(|method| {
            let mut world = world(authentication.clone());
            log_in(&mut world, method).unwrap();
            world.wait(3_600_001);
            world.usable().unwrap();
            assert_eq!(world.log_out(false).unwrap().revocation, Revocation::Revoked);
            assert!(world.store.is_empty(), "the secret goes with the session");
            world
        })
        .collect()
}

#[test]
fn a_public_client_sends_its_id_and_nothing_else() {
    let mut world = World::standard();
    world.login();
    for (body, header) in posted(&world) {
        assert_eq!(parameter(&body, "client_id").as_deref(), Some("hallpass"));
        assert_eq!((header, parameter(&body, "client_secret")), (None, None));
        assert_eq!(parameter(&body, "client_assertion"), None);
    }
    assert!(world.store.get(Slot::Client(Place::File)).is_none());
}

#[test]
fn client_secret_post_puts_the_secret_into_the_body() {
    for world in whole_sessions(&ClientAuthentication::ClientSecretPost) {
        for (body, header) in posted(&world) {
            assert_eq!(parameter(&body, "client_id").as_deref(), Some("hallpass"));
            assert_eq!(
                parameter(&body, "client_secret").as_deref(),
                Some("c4n4ry%3A+a%2Bb%2Fc%3Dd%26e%25f+%C3%BC"),
                "{body}"
            );
            assert_eq!(header, None, "one method for each request (RFC 6749, section 2.3)");
        }
    }
}

#[test]
fn client_secret_basic_encodes_both_parts_before_it_joins_them() {
    for world in whole_sessions(&ClientAuthentication::ClientSecretBasic) {
        for (body, header) in posted(&world) {
            let header = header.expect("every request authenticates");
            let pair = base64_decoded(header.strip_prefix("Basic ").unwrap());
            assert_eq!(pair, "hallpass:c4n4ry%3A+a%2Bb%2Fc%3Dd%26e%25f+%C3%BC", "RFC 6749, section 2.3.1");
            assert_eq!((parameter(&body, "client_secret"), parameter(&body, "client_id")), (None, None));
        }
    }
}

#[test]
fn a_secret_is_in_no_address_and_in_no_log() {
    for authentication in METHODS {
        for world in whole_sessions(&authentication) {
            let authorization = world.person.authorization_url.iter().map(hallpass_core::Secret::expose);
            let urls = world.requests.iter().map(|request| request.url.as_str()).chain(authorization);
            for line in urls.chain(world.log.iter().map(String::as_str)) {
                assert!(!line.contains("c4n4ry"), "{line}");
            }
        }
    }
}

#[test]
fn a_wrong_secret_is_said_to_be_the_client_s() {
    for authentication in METHODS {
        let mut world = world(authentication);
        let request = with_secret(&world, LoginMethod::Browser, "wrong");
        let error = run(&mut world, request).unwrap_err();
        assert_eq!(error.code(), "client_refused");
        assert!(world.store.is_empty());
    }
}

#[test]
fn without_its_secret_nothing_begins() {
    for authentication in METHODS {
        let mut world = world(authentication);
        assert_eq!(world.log_in(LoginMethod::Browser).unwrap_err().code(), "no_client_secret");
        assert!(world.sent.is_empty() && world.person.authorization_url.is_none());
    }
}

#[test]
fn a_secret_that_nobody_would_send_is_refused() {
    let mut world = world(ClientAuthentication::None);
    for method in [LoginMethod::Browser, LoginMethod::DeviceCode] {
        let error = log_in(&mut world, method).unwrap_err();
        assert_eq!(error.code(), "not_applicable");
        assert!(error.to_string().contains("client_authentication") && world.requests.is_empty(), "{error}");
    }
}

fn with_key() -> World {
    let mut world = World::standard();
    register(&mut world, "hallpass", Registered::PrivateKeyJwt(key::public()));
    world.configuration.provider.client_authentication = ClientAuthentication::PrivateKeyJwt {
        algorithm: "EdDSA".to_owned(),
        key_id: Some("key-1".to_owned()),
        key: key::NAME.to_owned(),
    };
    world
}

#[test]
fn private_key_jwt_signs_an_assertion_for_each_request() {
    for method in [LoginMethod::Browser, LoginMethod::DeviceCode] {
        let mut world = with_key();
        // The server takes each assertion once, so every poll of a device needs another.
        world.person.waits = 2;
        world.log_in(method).unwrap();
        world.wait(3_600_001);
        world.usable().unwrap();
        assert_eq!(world.log_out(false).unwrap().revocation, Revocation::Revoked);
        let mut seen = Vec::new();
        for (body, header) in posted(&world) {
            assert_eq!((header, parameter(&body, "client_secret")), (None, None));
            assert_eq!(
                parameter(&body, "client_assertion_type").as_deref(),
                Some("urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer")
            );
            let assertion = parameter(&body, "client_assertion").unwrap();
            let part = |index| -> Value {
                let part = assertion.split('.').nth(index).unwrap();
                serde_json::from_slice(&base64url_decoded(part)).unwrap()
            };
            let (header, claims) = (part(0), part(1));
            assert_eq!((&header["alg"], &header["kid"]), (&"EdDSA".into(), &"key-1".into()));
            // RFC 7523, section 3: issuer and subject are the client, the audience is the server, the time is short.
            assert_eq!((&claims["iss"], &claims["sub"]), (&"hallpass".into(), &"hallpass".into()));
            assert_eq!(claims["aud"], "https://id.example/token");
            let seconds = |name: &str| claims[name].as_i64().unwrap();
            assert!((1..=300).contains(&(seconds("exp") - seconds("iat"))), "{claims}");
            let id = claims["jti"].as_str().unwrap().to_owned();
            assert!(id.len() >= 22 && !seen.contains(&id), "{claims}");
            seen.push(id);
        }
        assert!(seen.len() >= 3);
    }
}

#[test]
fn a_key_that_cannot_be_used_is_found_out_before_anything_is_shown() {
    for method in [LoginMethod::Browser, LoginMethod::DeviceCode] {
        let mut world = with_key();
        let authentication = &mut world.configuration.provider.client_authentication;
        let ClientAuthentication::PrivateKeyJwt { key, .. } = authentication else { panic!("it has a key") };
        "missing.pem".clone_into(key);
        assert_eq!(world.log_in(method).unwrap_err().code(), "client_key");
        assert!(world.sent.is_empty(), "{:?}", world.sent);
        assert!(world.person.authorization_url.is_none() && world.person.user_code.is_none());
    }
}

const IN_FILE: (Slot, Slot) = (Slot::Record(Place::File), Slot::Client(Place::File));
const IN_KEYRING: (Slot, Slot) = (Slot::Record(Place::Keyring), Slot::Client(Place::Keyring));

fn assert_lies(world: &World, here: (Slot, Slot), not_there: (Slot, Slot)) {
    assert!(world.store.get(here.0).is_some() && world.store.get(here.1) == Some(SECRET), "{:?}", world.store);
    assert!(world.store.get(not_there.0).is_none() && world.store.get(not_there.1).is_none(), "{:?}", world.store);
}

fn renews(world: &mut World) {
    world.wait(3_600_001);
    world.usable().unwrap();
}

#[test]
fn the_secret_lies_where_the_record_lies() {
    let [mut file, mut keyring, mut fallback, mut small] = [(); 4].map(|()| world(METHODS[1].clone()));
    file.configuration.store = Some(StoreMode::File);
    log_in(&mut file, LoginMethod::Browser).unwrap();
    assert_lies(&file, IN_FILE, IN_KEYRING);
    renews(&mut file);

    keyring.configuration.store = Some(StoreMode::Auto);
    log_in(&mut keyring, LoginMethod::Browser).unwrap();
    assert_lies(&keyring, IN_KEYRING, IN_FILE);
    renews(&mut keyring);

    fallback.configuration.store = Some(StoreMode::Auto);
    fallback.store.troubles.insert(Place::Keyring, StoreTrouble::Unavailable);
    let login = log_in(&mut fallback, LoginMethod::Browser).unwrap();
    assert_eq!(login.warnings.iter().filter(|warning| warning.code == "keyring_fallback").count(), 1);
    assert_lies(&fallback, IN_FILE, IN_KEYRING);
    renews(&mut fallback);
    assert_lies(&fallback, IN_FILE, IN_KEYRING);

    // A keyring that has room for the secret and none for the record.
    small.configuration.store = Some(StoreMode::Auto);
    small.store.room.insert(Place::Keyring, SECRET.len());
    log_in(&mut small, LoginMethod::Browser).unwrap();
    assert_lies(&small, IN_FILE, IN_KEYRING);
    renews(&mut small);
}

#[test]
fn the_secret_moves_along_when_a_refresh_moves_the_record() {
    let mut world = world(METHODS[0].clone());
    world.configuration.store = Some(StoreMode::Auto);
    log_in(&mut world, LoginMethod::Browser).unwrap();
    assert_lies(&world, IN_KEYRING, IN_FILE);
    // The intent has room there, and what comes of it has not.
    world.store.room.insert(Place::Keyring, 400);
    renews(&mut world);
    assert_lies(&world, IN_FILE, IN_KEYRING);
    renews(&mut world);
}

#[test]
fn a_locked_keyring_never_makes_the_secret_plaintext() {
    let mut world = world(METHODS[0].clone());
    world.configuration.store = Some(StoreMode::Auto);
    world.store.troubles.insert(Place::Keyring, StoreTrouble::Locked);
    world.store.reading_works = true;
    assert_eq!(log_in(&mut world, LoginMethod::Browser).unwrap_err().code(), "keyring_locked");
    assert!(world.store.is_empty(), "{:?}", world.store);
}

#[test]
fn the_session_before_is_ended_with_its_own_secret() {
    let mut world = world(METHODS[0].clone());
    log_in(&mut world, LoginMethod::Browser).unwrap();
    let other = "c4n4ry of another client";
    register(&mut world, "other", Registered::Secret(other.to_owned()));
    "other".clone_into(&mut world.configuration.provider.client_id);
    world.requests.clear();
    let request = with_secret(&world, LoginMethod::Browser, other);
    assert_eq!(run(&mut world, request).unwrap().previous, Some(Revocation::Revoked));
    let (body, _) = posted(&world).pop().unwrap();
    assert_eq!(parameter(&body, "client_id").as_deref(), Some("hallpass"));
    assert!(!body.contains("another"), "a secret goes to the server that shares it, and to no other");
    assert_eq!(world.store.get(IN_FILE.1), Some(other));
}

#[test]
fn tokens_that_nobody_wants_are_given_back_with_the_secret_of_their_session() {
    let mut world = world(METHODS[0].clone());
    log_in(&mut world, LoginMethod::Browser).unwrap();
    let other = "c4n4ry of another client";
    register(&mut world, "other", Registered::Secret(other.to_owned()));
    world.wait(3_600_001);
    world.requests.clear();
    // Somebody signs in with another client while the answer to a refresh is on its way.
    world.meanwhile(
        |effect| matches!(effect, Effect::Save { slot: Slot::Parked(_), .. }),
        move |world| {
            let ours = world.configuration.clone();
            world.person.account = Some("grace@example.com".to_owned());
            "other".clone_into(&mut world.configuration.provider.client_id);
            let request = with_secret(world, LoginMethod::Browser, other);
            run(world, request).unwrap();
            world.configuration = ours;
        },
    );
    assert_eq!(world.usable().unwrap_err().code(), "another_account");
    let (body, _) = posted(&world).pop().unwrap();
    assert_eq!(parameter(&body, "token_type_hint").as_deref(), Some("refresh_token"));
    assert_eq!(parameter(&body, "client_id").as_deref(), Some("hallpass"));
    assert!(!body.contains("another"), "a secret goes to the server that shares it, and to no other");
}

fn base64_decoded(text: &str) -> String {
    use base64::Engine as _;
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(text).unwrap()).unwrap()
}

fn base64url_decoded(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap()
}
