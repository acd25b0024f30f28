//! Tokens that need no session: minted from an identity, a client or a command, kept in memory, never stored.

use hallpass::authorization_server::{
    Account, Client, ClientAuthentication as Registered, Endpoint, Fault, Identities, Options,
};
use hallpass_core::{
    ClientAuthentication, Configuration, Effect, Environment, Error, Event, FileContents, Grant, GrantType, Lock,
    Method, ModelProvider, Need, Place, Provider, Secret, Slot, Source, SubjectToken, Token, TokenCommand, TokenOrigin,
    Wanted,
};
use hallpass_tests::key::base64url;
use hallpass_tests::world::{BEGINNING, ISSUER, World, response};

const RULE: &str = "OPENAI_FEDERATION_RULE_ID";
const FILE: &str = "OPENAI_IDENTITY_TOKEN_FILE";
const PATH: &str = "/run/identity/token";
/// With every kind of character that the form encoding changes.
const SECRET: &str = "c4n4ry: a+b/c=d&e%f ü";
const MINUTE: i64 = 60_000;

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.expect_err("it fails").code()
}

fn trusting(options: &mut Options) {
    options.identities = Some(Identities {
        request_token: "c4n4ry-runner".to_owned(),
        audience: None,
        rule_id: "rule-1".to_owned(),
        account_id: Account::ada().id,
    });
}

fn set(world: &mut World, variables: &[(&str, &str)]) {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value)));
    world.configuration.environment.variables.extend(variables);
}

fn write(world: &mut World, path: &str) -> String {
    let now = world.now.milliseconds();
    let token = world.server.issue_identity_token(now, ISSUER);
    let contents = FileContents::Read(format!("{token}\n").into());
    world.configuration.environment.files.insert(path.to_owned(), contents);
    token
}

/// A workload in OpenAI's world.
fn workload() -> World {
    let mut world = World::openai();
    trusting(world.server.options_mut());
    set(&mut world, &[(RULE, "rule-1"), (FILE, PATH)]);
    write(&mut world, PATH);
    world
}

/// A program at a standard provider, with this grant.
fn program(grant: Grant) -> World {
    let mut world = World::standard();
    trusting(world.server.options_mut());
    let authentication = Registered::Secret(SECRET.to_owned());
    let client = Client { id: "ci".to_owned(), authentication, ..Client::hallpass() };
    world.server.options_mut().clients.push(client);
    set(&mut world, &[("CI_SECRET", SECRET)]);
    let known = world.configuration.provider.clone();
    world.configuration.provider = Provider {
        client_id: "ci".to_owned(),
        client_authentication: ClientAuthentication::ClientSecretBasic,
        scopes: vec!["deploy".to_owned()],
        grant: Some(Grant { client_secret_variable: Some("CI_SECRET".to_owned()), ..grant }),
        ..known
    };
    world
}

fn model(auth: TokenCommand) -> World {
    let mut world = World::openai();
    let provider = ModelProvider { id: "px".to_owned(), auth: Some(auth), ..ModelProvider::default() };
    world.configuration.wanted = Some(Wanted::ModelProvider(provider));
    world
}

fn prints(world: &mut World, output: &str) {
    world.commands.push(Event::Ran { status: 0, output: output.into() });
}

fn replace(world: &mut World, rejected: &Token) -> Result<Token, Error> {
    world.token(Need::Replacement { rejected: rejected.access_token.clone() })
}

fn bodies(world: &World) -> Vec<&str> {
    world.requests.iter().filter_map(|request| request.body.as_ref()).map(Secret::expose).collect()
}

fn tokens_asked(world: &World) -> usize {
    world.sent.iter().filter(|line| line.ends_with("/token")).count()
}

/// Nothing was written but what this process remembers.
#[track_caller]
fn nothing_is_stored(world: &World) {
    assert!(world.store.writes.iter().all(|slot| *slot == Slot::Minted), "{:?}", world.store.writes);
}

#[test]
fn a_workload_identity_is_exchanged_as_codex_does_it() {
    let mut world = workload();
    let assertion = write(&mut world, PATH);
    set(&mut world, &[("CODEX_API_KEY", "sk-1"), ("CODEX_ACCESS_TOKEN", "at-1")]);
    let token = world.usable().unwrap();
    assert_eq!(token.origin, TokenOrigin::Minted);
    assert_eq!(token.account_id.as_deref(), Some("ws-analytical"));
    assert!(world.server.is_live_access_token(BEGINNING, token.access_token.expose()));
    let grant = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
    assert_eq!(bodies(&world), [format!("grant_type={grant}&assertion={assertion}&federation_rule_id=rule-1")]);
    assert_eq!(world.sent, ["POST /oauth/token"]);
    nothing_is_stored(&world);
}

#[test]
fn a_minted_token_is_remembered_and_had_anew_in_time() {
    let mut world = workload();
    let first = world.usable().unwrap();
    world.wait(46 * MINUTE);
    assert_eq!(world.usable().unwrap().access_token, first.access_token, "13 minutes are the longest window");
    assert_eq!(tokens_asked(&world), 1);
    world.wait(4 * MINUTE);
    write(&mut world, PATH);
    let second = world.usable().unwrap();
    assert_ne!(second.access_token, first.access_token, "10 minutes are the shortest");
    assert_eq!(tokens_asked(&world), 2);
    // A short life has a short window: a fifth of it.
    world.server.options_mut().access_token_lifetime_ms = 10 * MINUTE;
    let third = world.token(Need::Fresh).unwrap();
    world.wait(7 * MINUTE);
    assert_eq!(world.token(Need::Usable { minimum_lifetime: 0 }).unwrap().access_token, third.access_token);
    world.wait(MINUTE + 1);
    write(&mut world, PATH);
    assert_ne!(world.token(Need::Usable { minimum_lifetime: 0 }).unwrap().access_token, third.access_token);
    nothing_is_stored(&world);
}

#[test]
fn a_lifetime_that_no_token_has_is_asked_for_once() {
    let mut world = workload();
    world.server.options_mut().access_token_lifetime_ms = 4 * MINUTE;
    for _ in 0..3 {
        let token = world.usable().unwrap();
        assert_eq!(token.warnings.first().unwrap().code, "short_lived");
    }
    assert_eq!(tokens_asked(&world), 1);
    world.server.options_mut().access_token_lifetime_ms = 60 * MINUTE;
    world.token(Need::Fresh).unwrap();
    world.wait(20 * MINUTE);
    write(&mut world, PATH);
    let lasting = world.token(Need::Usable { minimum_lifetime: 50 * 60_000 }).unwrap();
    assert!(lasting.warnings.is_empty() && tokens_asked(&world) == 3);
}

#[test]
fn the_file_is_read_anew_for_each_token() {
    let mut world = workload();
    world.usable().unwrap();
    world.wait(10 * MINUTE);
    assert_eq!(code(world.token(Need::Fresh)), "refused", "this identity has expired");
    write(&mut world, PATH);
    world.token(Need::Fresh).unwrap();
    let files = &mut world.configuration.environment.files;
    files.insert(PATH.to_owned(), FileContents::Unreadable(format!("{PATH}: permission denied")));
    assert_eq!(code(world.token(Need::Fresh)), "identity_token");
    world.configuration.environment.files.clear();
    assert_eq!(code(world.token(Need::Fresh)), "identity_token");
    for contents in ["", "\n", "two words", "a\u{0}b"] {
        world.configuration.environment.files.insert(PATH.to_owned(), FileContents::Read(contents.into()));
        assert_eq!(code(world.token(Need::Fresh)), "identity_token", "{contents:?}");
    }
}

#[test]
fn half_a_workload_identity_is_an_error_and_sends_nothing() {
    for name in [RULE, FILE] {
        let mut world = World::openai();
        world.login();
        let sent = world.sent.len();
        set(&mut world, &[(name, PATH), ("CODEX_API_KEY", "sk-1")]);
        assert_eq!(code(world.usable()), "invalid_variable");
        assert_eq!(code(world.status(false)), "invalid_variable");
        assert_eq!(world.sent.len(), sent);
    }
}

#[test]
fn what_is_given_is_handed_out_and_never_renewed() {
    for (name, value) in [("CODEX_API_KEY", "sk-c4n4ry"), ("CODEX_ACCESS_TOKEN", "at-c4n4ry")] {
        let mut world = World::openai();
        world.login();
        let (sent, written) = (world.sent.len(), world.store.writes.len());
        set(&mut world, &[(name, &format!(" {value}\n"))]);
        let token = world.usable().unwrap();
        assert_eq!((token.access_token.expose(), token.origin), (value, TokenOrigin::Given));
        assert_eq!(code(world.token(Need::Fresh)), "not_applicable");
        assert_eq!(code(replace(&mut world, &token)), "given_rejected");
        let other = Need::Replacement { rejected: "another".into() };
        assert_eq!(world.token(other).unwrap().access_token.expose(), value);
        set(&mut world, &[(name, "two words")]);
        assert_eq!(code(world.usable()), "invalid_variable");
        assert_eq!((world.sent.len(), world.store.writes.len()), (sent, written));
    }
}

#[test]
fn a_variable_does_not_wait_for_a_store_that_does_not_work() {
    let mut world = World::openai();
    world.configuration.store = Some(hallpass_core::StoreMode::Keyring);
    world.store.troubles.insert(Place::Keyring, hallpass_core::StoreTrouble::Locked);
    world.store.troubles.insert(Place::File, hallpass_core::StoreTrouble::Denied);
    set(&mut world, &[("CODEX_API_KEY", "sk-1")]);
    assert_eq!(world.usable().unwrap().access_token.expose(), "sk-1");
}

#[test]
fn a_login_elsewhere_is_not_given_away_for_a_key_of_openai() {
    let mut world = World::standard();
    world.login();
    let corporate = world.configuration.provider.clone();
    world.configuration.provider = Provider::openai();
    world.configuration.providers = vec![corporate];
    set(&mut world, &[("CODEX_API_KEY", "sk-1")]);
    assert_eq!(world.usable().unwrap().origin, TokenOrigin::Stored);
    let status = world.status(false).unwrap();
    assert_eq!(status.precedence.shadowed, [Source::ApiKey]);
    assert_eq!(status.warnings.last().unwrap().code, "shadowed");
    world.configuration.wanted = Some(Wanted::Provider);
    assert_eq!(world.usable().unwrap().access_token.expose(), "sk-1", "OpenAI was asked for by name");
}

#[test]
fn client_credentials() {
    let mut world = program(Grant {
        audience: Some("api".to_owned()),
        resource: Some("https://api.example/".to_owned()),
        ..Grant::new(GrantType::ClientCredentials)
    });
    let token = world.usable().unwrap();
    assert!(world.server.is_live_access_token(BEGINNING, token.access_token.expose()));
    let resource = "resource=https%3A%2F%2Fapi.example%2F";
    assert_eq!(bodies(&world), [format!("grant_type=client_credentials&{resource}&audience=api&scope=deploy")]);
    let headers = &world.requests.last().unwrap().headers;
    assert!(headers.iter().any(|(name, value)| name == "authorization" && value.expose().starts_with("Basic ")));
    assert_eq!(world.sent, ["GET /.well-known/openid-configuration", "POST /token"]);
    assert!(world.server.families().next().unwrap().scope == "deploy");
    nothing_is_stored(&world);
    world.configuration.environment = Environment::default();
    assert_eq!(code(world.token(Need::Fresh)), "no_client_secret");
    set(&mut world, &[("CI_SECRET", "wrong")]);
    assert_eq!(code(world.token(Need::Fresh)), "client_refused");
}

#[test]
fn an_identity_is_exchanged_wherever_it_comes_from() {
    let github = SubjectToken::GithubActions { audience: None };
    let variable = SubjectToken::Variable("JOB_TOKEN".to_owned());
    let file = SubjectToken::File(PATH.to_owned());
    let url = format!("{ISSUER}/identity?api=1");
    for grant_type in [GrantType::TokenExchange, GrantType::JwtBearer] {
        for (subject, from) in [
            (Some(github.clone()), "github"),
            (Some(variable.clone()), "JOB_TOKEN"),
            (Some(file.clone()), PATH),
            (None, "github"),
            (None, "HALLPASS_ID_TOKEN"),
            (None, "/var/run/secrets/tokens/hallpass"),
        ] {
            let mut world = program(Grant { subject_token: subject.clone(), ..Grant::new(grant_type) });
            let mut expected = vec!["GET /.well-known/openid-configuration", "POST /token"];
            if from == "github" {
                let runner = [
                    ("ACTIONS_ID_TOKEN_REQUEST_URL", url.as_str()),
                    ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "c4n4ry-runner"),
                ];
                set(&mut world, &runner);
                expected.insert(1, "GET /identity");
            } else if from.starts_with('/') {
                write(&mut world, from);
            } else {
                let token = world.server.issue_identity_token(BEGINNING, ISSUER);
                set(&mut world, &[(from, &token)]);
            }
            let token = world.usable().unwrap();
            assert!(world.server.is_live_access_token(BEGINNING, token.access_token.expose()), "{from}");
            assert_eq!(world.sent, expected, "{from}");
            let body = bodies(&world).pop().unwrap().to_owned();
            match grant_type {
                GrantType::TokenExchange => assert!(
                    body.starts_with(
                        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token="
                    ) && body.contains("&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt&"),
                    "{body}"
                ),
                _ => assert!(body.contains("jwt-bearer&assertion="), "{body}"),
            }
            nothing_is_stored(&world);
        }
        let mut world = program(Grant::new(grant_type));
        assert_eq!(code(world.usable()), "identity_token", "no CI system gives one");
        assert_eq!(tokens_asked(&world), 0);
    }
}

#[test]
fn an_exchange_says_what_was_issued() {
    let exchange = || {
        let mut world = program(Grant {
            requested_token_type: Some("urn:ietf:params:oauth:token-type:jwt".to_owned()),
            ..Grant::new(GrantType::TokenExchange)
        });
        let token = world.server.issue_identity_token(BEGINNING, ISSUER);
        set(&mut world, &[("HALLPASS_ID_TOKEN", &token)]);
        world
    };
    let error = exchange().usable().unwrap_err();
    assert!(error.code() == "malformed_answer" && error.to_string().contains("`N_A`"), "{error}");
    let issued = r#""issued_token_type":"urn:ietf:params:oauth:token-type:access_token""#;
    for (body, accepted) in [
        (format!(r#"{{"access_token":"a","token_type":"Bearer",{issued}}}"#), true),
        (r#"{"access_token":"a","token_type":"Bearer"}"#.to_owned(), false),
        (format!(r#"{{"access_token":"a","token_type":"n_a",{issued}}}"#), false),
        (format!(r#"{{"access_token":"a","token_type":"mac",{issued}}}"#), false),
        (format!(r#"{{"token_type":"Bearer",{issued}}}"#), false),
        (r#"{"error":"invalid_target"}"#.to_owned(), false),
        ("<html>".to_owned(), false),
    ] {
        let mut world = exchange();
        world.answers(&format!("{ISSUER}/token"), response(200, &body));
        assert_eq!(world.usable().is_ok(), accepted, "{body}");
    }
}

#[test]
fn trouble_is_left_alone_for_a_while_and_a_good_token_goes_on() {
    let mut world = workload();
    let failing = || Fault::Status { status: 503, retry_after: Some(20), processed: false };
    world.server.inject(Endpoint::Token, failing());
    assert_eq!(code(world.usable()), "server_unavailable");
    for _ in 0..3 {
        assert_eq!(code(world.usable()), "backing_off");
    }
    assert_eq!(tokens_asked(&world), 1, "what failed is not tried again at once");
    world.wait(20_001);
    let token = world.usable().unwrap();
    world.wait(51 * MINUTE);
    world.server.inject(Endpoint::Token, failing());
    let same = world.usable().unwrap();
    assert_eq!(same.access_token, token.access_token, "it is good for nine minutes more");
    assert_eq!(same.warnings.first().unwrap().code, "server_unavailable");
    assert_eq!(world.usable().unwrap().warnings.first().unwrap().code, "backing_off");
    world.wait(10 * MINUTE);
    write(&mut world, PATH);
    world.usable().unwrap();
    assert_eq!(tokens_asked(&world), 4);
}

#[test]
fn a_rejected_token_is_replaced_once_and_a_storm_is_slow() {
    let mut world = workload();
    let first = world.usable().unwrap();
    let second = replace(&mut world, &first).unwrap();
    assert_ne!(first.access_token, second.access_token);
    for _ in 0..5 {
        let again = replace(&mut world, &first).unwrap();
        assert_eq!(again.access_token, second.access_token, "whoever comes late finds it");
    }
    assert_eq!(tokens_asked(&world), 2);
    assert_eq!(code(replace(&mut world, &second)), "backing_off");
    world.wait(1_001);
    replace(&mut world, &second).unwrap();
    assert_eq!(tokens_asked(&world), 3);
}

#[test]
fn whoever_waits_finds_what_another_flow_of_the_process_has_minted() {
    let mut world = workload();
    world.meanwhile(
        |effect| matches!(effect, Effect::Lock { lock: Lock::Minting, .. }),
        |world| {
            let busy = std::mem::take(&mut world.busy);
            world.usable().unwrap();
            world.busy = busy;
        },
    );
    world.usable().unwrap();
    assert_eq!(tokens_asked(&world), 1);
    world.busy = vec![Lock::Minting];
    assert_eq!(code(world.token(Need::Fresh)), "lock_busy");
}

#[test]
fn a_flow_that_is_stopped_gives_back_its_lock_and_remembers_nothing() {
    let github = Some(SubjectToken::GithubActions { audience: None });
    let url = format!("{ISSUER}/identity");
    for turn in 0..8 {
        let mut world = program(Grant { subject_token: github.clone(), ..Grant::new(GrantType::TokenExchange) });
        set(
            &mut world,
            &[("ACTIONS_ID_TOKEN_REQUEST_URL", url.as_str()), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "c4n4ry-runner")],
        );
        world.cancel_at = Some(turn);
        match world.usable() {
            Ok(_) => assert!(turn > 5, "turn {turn} can be interrupted"),
            Err(error) => {
                assert_eq!(error.code(), "cancelled");
                assert!(world.store.is_empty(), "no pause is made after a wish");
            }
        }
        world.cancel_at = None;
        world.usable().unwrap();
    }
}

#[test]
fn a_command_is_run_once_for_an_interval() {
    let mut world = model(TokenCommand {
        args: vec!["read".to_owned(), "a b".to_owned()],
        cwd: Some("/srv".to_owned()),
        ..TokenCommand::new("vault")
    });
    for number in 1..4 {
        prints(&mut world, &format!("  tok-{number}\r\n"));
    }
    for _ in 0..64 {
        assert_eq!(world.usable().unwrap().access_token.expose(), "tok-1");
    }
    let [command] = world.ran.as_slice() else { panic!("{:?}", world.ran) };
    assert_eq!(
        (command.program.as_str(), command.arguments.as_slice()),
        ("vault", &["read".to_owned(), "a b".to_owned()][..])
    );
    assert_eq!((command.directory.as_deref(), command.deadline), (Some("/srv"), 5_000));
    world.wait(5 * MINUTE - 1);
    assert_eq!(world.usable().unwrap().access_token.expose(), "tok-1");
    world.wait(1);
    assert_eq!(world.usable().unwrap().access_token.expose(), "tok-2");
    assert_eq!(world.token(Need::Fresh).unwrap().access_token.expose(), "tok-3");
    assert_eq!(world.ran.len(), 3);
    assert!(world.sent.is_empty());
    nothing_is_stored(&world);
}

#[test]
fn without_an_interval_only_a_rejection_runs_it_again() {
    let mut world = model(TokenCommand { refresh_interval_ms: 0, ..TokenCommand::new("vault") });
    for output in ["tok-1", "tok-2", "tok-2", "tok-3"] {
        prints(&mut world, output);
    }
    let first = world.usable().unwrap();
    world.wait(1_000 * MINUTE);
    assert_eq!(world.usable().unwrap().access_token, first.access_token);
    let second = replace(&mut world, &first).unwrap();
    assert_eq!((second.access_token.expose(), world.ran.len()), ("tok-2", 2));
    assert_eq!(code(replace(&mut world, &second)), "backing_off", "one forced run for a rejection");
    world.wait(1_001);
    assert_eq!(code(replace(&mut world, &second)), "credential_rejected", "the same token again is no other one");
    assert_eq!((code(replace(&mut world, &second)), world.ran.len()), ("backing_off", 3));
    world.wait(2_001);
    assert_eq!(replace(&mut world, &second).unwrap().access_token.expose(), "tok-3");
}

#[test]
fn a_command_that_prints_no_token_is_an_error_that_shows_nothing() {
    let failed = |detail: &str| Event::RunFailed { detail: detail.to_owned() };
    let ran = |status, output: &str| Event::Ran { status, output: output.into() };
    for event in [
        ran(1, "c4n4ry"),
        ran(0, ""),
        ran(0, " \n\n"),
        ran(0, "c4n4ry\nsecond"),
        ran(0, "c4n4ry\u{0}"),
        ran(0, "\u{1b}[1mc4n4ry\u{1b}[0m"),
        ran(0, "c4n4ry two"),
        ran(0, "c4n4ry\r\nx-injected: 1"),
        ran(0, "c4n4ry\u{202e}"),
        failed("the command vault did not end within 5000 ms"),
    ] {
        let mut world = model(TokenCommand::new("vault"));
        // Good for hours by its own words: what a command has printed before is no answer to what it prints now.
        let claims = format!(r#"{{"exp":{}}}"#, BEGINNING / 1000 + 36_000);
        prints(&mut world, &format!("e30.{}.c2ln", base64url(claims.as_bytes())));
        world.usable().unwrap();
        world.wait(5 * MINUTE);
        world.commands = vec![event.clone()];
        let error = world.usable().unwrap_err();
        assert_eq!(error.code(), "token_command", "{event:?}");
        assert!(!error.to_string().contains("c4n4ry"), "{error}");
        assert_eq!(code(world.usable()), "backing_off", "and no storm follows, and no old token is sent");
        assert_eq!(world.ran.len(), 2);
        world.wait(1_001);
        prints(&mut world, "tok-1");
        assert_eq!(world.usable().unwrap().access_token.expose(), "tok-1");
    }
}

#[test]
fn a_model_provider_with_a_key_or_with_nothing() {
    let mut world = World::openai();
    let wanted = |world: &mut World, provider: ModelProvider| {
        world.configuration.wanted = Some(Wanted::ModelProvider(ModelProvider { id: "px".to_owned(), ..provider }));
    };
    set(&mut world, &[("PX_KEY", "px-1\n"), ("CODEX_API_KEY", "sk-1")]);
    wanted(&mut world, ModelProvider { env_key: Some("PX_KEY".to_owned()), ..ModelProvider::default() });
    assert_eq!(world.usable().unwrap().access_token.expose(), "px-1");
    wanted(&mut world, ModelProvider { env_key: Some("NONE".to_owned()), ..ModelProvider::default() });
    assert_eq!(code(world.usable()), "invalid_variable");
    wanted(&mut world, ModelProvider { experimental_bearer_token: Some("px-2".into()), ..ModelProvider::default() });
    assert_eq!(world.usable().unwrap().access_token.expose(), "px-2");
    wanted(&mut world, ModelProvider { requires_openai_auth: true, ..ModelProvider::default() });
    assert_eq!(world.usable().unwrap().access_token.expose(), "sk-1");
    wanted(
        &mut world,
        ModelProvider { http_headers: [("x".to_owned(), "y".into())].into(), ..ModelProvider::default() },
    );
    let error = world.usable().unwrap_err();
    assert!(error.to_string().contains("no bearer token"), "{error}");
    wanted(&mut world, ModelProvider { foreign: Some("aws".to_owned()), ..ModelProvider::default() });
    assert!(world.usable().unwrap_err().to_string().contains("only Codex"));
    let both = ModelProvider {
        env_key: Some("PX_KEY".to_owned()),
        auth: Some(TokenCommand::new("a")),
        ..ModelProvider::default()
    };
    wanted(&mut world, both);
    assert_eq!(
        world.usable().unwrap_err().to_string(),
        "model_providers.px: provider auth cannot be combined with env_key"
    );
    assert!(world.ran.is_empty() && world.sent.is_empty() && world.store.is_empty());
}

#[test]
fn status_shows_what_wins_and_says_what_it_shadows() {
    let mut world = World::openai();
    world.login();
    let sent = world.sent.len();
    set(&mut world, &[("CODEX_ACCESS_TOKEN", "at-1")]);
    let status = world.status(false).unwrap();
    assert!(status.logged_in && status.method == Some(Method::AccessToken) && status.store.is_none());
    assert_eq!(status.precedence.winner, Some(Source::AccessToken));
    assert_eq!(status.precedence.shadowed, [Source::Store(Place::File)]);
    assert_eq!(status.warnings.first().unwrap().code, "shadowed");
    set(&mut world, &[("CODEX_API_KEY", "sk-1")]);
    assert_eq!(world.status(false).unwrap().method, Some(Method::ApiKey));
    assert_eq!(world.status(true).unwrap().warnings.last().unwrap().code, "not_checked");
    assert_eq!(world.sent.len(), sent, "it works offline");
    let out = world.log_out(true).unwrap();
    assert_eq!(out.warnings.first().unwrap().code, "still_given");
    let login = world.login();
    assert_eq!(login.warnings.last().unwrap().code, "shadowed");
    trusting(world.server.options_mut());
    set(&mut world, &[(RULE, "rule-1"), (FILE, PATH)]);
    write(&mut world, PATH);
    let status = world.status(true).unwrap();
    assert_eq!(status.precedence.winner, Some(Source::WorkloadIdentity));
    assert!(status.expires_at.is_some(), "it was asked");
    world.configuration.environment = Environment::default();
    let token = world.server.issue_personal_access_token("grace@example.com").unwrap();
    set(&mut world, &[("CODEX_ACCESS_TOKEN", &token)]);
    assert_eq!(world.status(true).unwrap().account.unwrap().email.as_deref(), Some("grace@example.com"));
}

#[test]
fn a_provider_for_programs_signs_nobody_in() {
    let mut world = program(Grant::new(GrantType::ClientCredentials));
    assert_eq!(code(world.log_in(hallpass_core::LoginMethod::Browser)), "not_applicable");
    let Configuration { provider, .. } = &mut world.configuration;
    provider.client_authentication = ClientAuthentication::None;
    assert_eq!(code(world.usable()), "invalid_value");
    assert!(world.sent.is_empty());
}
