//! Tokens that are bound to a key (RFC 9449): the key's file, the program's words, and proofs that a server takes.
#![cfg(feature = "tls")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;

use hallpass::authorization_server::{Dpop, Request, Serving};
use hallpass::{Hallpass, Provider, Shell, now};
use hallpass_core::{Effect, Event, Key, Place, Slot};
use support::{Home, Ran, Way, server_with, sign_in, with_input};

fn signed_in(offered: Dpop) -> (Home, Serving) {
    let (home, serving) = (Home::new(), server_with(|options| options.dpop = offered));
    let line = format!("login --json --issuer {} --client-id hallpass", serving.issuer);
    sign_in(home.command(&line), &serving, Way::Redirected, "").expect(0);
    (home, serving)
}

fn key(home: &Home) -> String {
    fs::read_to_string(home.file("hallpass.proof.pem")).unwrap()
}

fn shows_no_key(ran: &Ran, key: &str) {
    for line in key.lines().filter(|line| !line.starts_with("-----")) {
        assert!(!ran.stdout.contains(line) && !ran.stderr.contains(line), "{ran:#?}");
    }
}

#[test]
fn a_session_of_the_program_is_bound_to_a_key_that_never_shows() {
    let (home, serving) = signed_in(Dpop::NonceWanted);
    let pem = key(&home);
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(home.file("hallpass.proof.pem")).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(serving.lock().families().all(|family| family.thumbprint.is_some()));

    let token = home.run("token").expect(0);
    assert!(token.stderr.contains("warning: ") && token.stderr.contains("DPoP"), "{token:#?}");
    assert_eq!(token.stdout.lines().count(), 1);
    let refreshed = home.run("token --refresh --json").expect(0);
    assert_eq!(refreshed.json()["token_type"], "DPoP");
    assert_ne!(token.stdout.trim(), refreshed.json()["access_token"].as_str().unwrap());
    assert_eq!(key(&home), pem, "a refresh leaves the key as it is");
    let ran = home.run("exec -c hallpass.exec.variables.TOKEN=access_token -- true").expect(0);
    assert!(ran.stderr.contains("DPoP") && !home.run("exec -- true").expect(0).stderr.contains("DPoP"), "{ran:#?}");
    let status = home.run("status --json").expect(0);
    for ran in [&token, &refreshed, &status] {
        shows_no_key(ran, &pem);
    }
    assert!(!home.record().contains("DPoP"), "Codex's file has nothing of ours");

    let out = home.run("logout").expect(0);
    shows_no_key(&out, &pem);
    assert!(!home.file("hallpass.proof.pem").exists() && !home.file("auth.json").exists());
}

#[test]
fn no_other_tool_is_given_a_token_that_it_cannot_use() {
    let (home, _serving) = signed_in(Dpop::Offered);
    let config = "[hallpass.git]\nhosts = [\"git.example.com\"]\n";
    fs::write(home.file("config.toml"), config).unwrap();
    let kubectl = home.run("credential kubectl");
    assert!(kubectl.code != Some(0) && kubectl.stdout.is_empty(), "{kubectl:#?}");
    assert!(kubectl.stderr.contains("bound to a key"), "{kubectl:#?}");
    let git = with_input(home.command("credential git get"), b"protocol=https\nhost=git.example.com\n\n");
    assert!(!git.stdout.contains("password") && git.stderr.contains("bound to a key"), "{git:#?}");
}

#[test]
fn a_lost_key_is_a_new_login_and_costs_the_server_nothing() {
    let (home, serving) = signed_in(Dpop::Offered);
    let before = serving.lock().token_requests();
    for contents in [None, Some("no key"), Some("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")] {
        match contents {
            None => fs::remove_file(home.file("hallpass.proof.pem")).unwrap(),
            Some(text) => fs::write(home.file("hallpass.proof.pem"), text).unwrap(),
        }
        let ran = home.run("token --refresh");
        assert_eq!(ran.code, Some(5), "{ran:#?}");
        assert!(ran.stderr.contains("help: run `hallpass login`"), "{ran:#?}");
    }
    assert_eq!(serving.lock().token_requests(), before);
}

#[test]
fn a_provider_that_is_told_not_to_is_not_bound() {
    let (home, serving) = (Home::new(), server_with(|options| options.dpop = Dpop::Offered));
    let provider = format!("[hallpass.providers.local]\nissuer = \"{}\"\nclient_id = \"hallpass\"\n", serving.issuer);
    fs::write(home.file("config.toml"), provider + "dpop = false\n").unwrap();
    sign_in(home.command("login --json --provider local"), &serving, Way::Redirected, "").expect(0);
    assert_eq!(home.run("token --json").expect(0).json()["token_type"], "Bearer");
    assert!(!home.file("hallpass.proof.pem").exists());
}

#[test]
fn a_program_makes_proofs_that_the_resource_takes() {
    let (home, serving) = signed_in(Dpop::NonceWanted);
    let provider = Provider::discovered(&serving.issuer, "hallpass");
    let hallpass = Hallpass::at(&home.path).unwrap().with_provider(provider);
    let token = hallpass.token().unwrap();
    assert_eq!(token.token_type, "DPoP");
    let url = format!("{}/resource", serving.issuer);
    let visit = |proof: &str| {
        let request = Request::get("/resource")
            .with_header("Authorization", &format!("DPoP {}", token.access_token.expose()))
            .with_header("DPoP", proof);
        let response = serving.lock().respond(now().milliseconds(), &request).response;
        (response.status, response.header("DPoP-Nonce").map(str::to_owned))
    };
    let (status, nonce) = visit(hallpass.proof(&token, "GET", &url, None).unwrap().expose());
    assert_eq!(status, 401, "the resource wants its own nonce");
    let proof = hallpass.proof(&token, "GET", &url, nonce.as_deref()).unwrap();
    assert_eq!(visit(proof.expose()).0, 200);
    let other = hallpass.proof(&token, "POST", &url, nonce.as_deref()).unwrap();
    assert_eq!(visit(other.expose()).0, 401, "a proof is for one method");
    assert!(!format!("{hallpass:?}").contains("PRIVATE KEY"));
}

#[test]
fn keys_are_made_moved_and_kept_apart_by_their_public_halves() {
    let home = Home::new();
    let mut shell = Shell::new(home.path.clone(), Box::new(hallpass::Nobody));
    let made = |shell: &mut Shell| match shell.perform(Effect::Load(Slot::NewProof)) {
        Event::Loaded(Some(jwk)) => jwk,
        other => panic!("{other:?}"),
    };
    let (first, second) = (made(&mut shell), made(&mut shell));
    assert_ne!(first, second, "each login has a key of its own");
    assert!(!second.expose().contains("\"d\""), "the private half stays where it is");
    let keep = |jwk: &hallpass_core::Secret| Effect::Save { slot: Slot::Proof(Place::File), contents: jwk.clone() };
    assert!(matches!(shell.perform(keep(&first)), Event::StoreFailed(_)), "the first has made way for the second");
    assert_eq!(shell.perform(Effect::Load(Slot::Proof(Place::File))), Event::Loaded(None), "a look makes no key");
    assert_eq!(shell.perform(keep(&second)), Event::Saved);
    assert_eq!(shell.perform(Effect::Load(Slot::Proof(Place::File))), Event::Loaded(Some(second.clone())));
    let moves = Effect::Save { slot: Slot::Proof(Place::Ephemeral), contents: second.clone() };
    assert_eq!(shell.perform(moves), Event::Saved, "from one place to another");
    let sign = |key, algorithm: &str| Effect::Sign { key, algorithm: algorithm.to_owned(), input: "e30.e30".into() };
    let proof = |place, public: &hallpass_core::Secret| Key::Proof { place, public: public.expose().to_owned() };
    for place in [Place::File, Place::Ephemeral] {
        assert!(matches!(shell.perform(sign(proof(place, &second), "ES256")), Event::Signed(_)));
    }
    let third = made(&mut shell);
    assert_eq!(shell.perform(keep(&third)), Event::Saved);
    for key in [&second, &third] {
        let signed = shell.perform(sign(proof(Place::File, key), "ES256"));
        assert!(matches!(signed, Event::Signed(_)), "the one before stays until the next one: {signed:?}");
    }
    let fourth = made(&mut shell);
    assert_eq!(shell.perform(keep(&fourth)), Event::Saved);
    assert!(matches!(shell.perform(sign(proof(Place::File, &second), "ES256")), Event::SignFailed { .. }));
    assert_eq!(shell.perform(Effect::Load(Slot::Proof(Place::File))), Event::Loaded(Some(fourth.clone())));
    assert!(matches!(shell.perform(sign(Key::NewProof, "ES256")), Event::SignFailed { .. }), "it has moved");
    assert!(matches!(shell.perform(sign(proof(Place::File, &fourth), "RS256")), Event::SignFailed { .. }));
}
