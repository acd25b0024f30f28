//! The text of everything that crosses a boundary or is stored, kept so that a change of it is a decision.
//!
//! `HALLPASS_RECORD=1 cargo test -p hallpass-tests --test wire` writes the files anew.

use hallpass_core::*;
use hallpass_tests::world::{World, events};
use serde::Serialize;

/// One line of JSON for each value, compared with the file that is kept.
fn settle<T: Serialize>(name: &str, values: &[T]) {
    let lines: Vec<String> =
        values.iter().map(|value| serde_json::to_string(value).expect("it can be written down") + "\n").collect();
    let path = hallpass_tests::repository().join("tests/snapshots").join(name).with_extension("jsonl");
    hallpass_tests::settle(&path, &lines.concat());
}

fn at() -> Timestamp {
    Timestamp::from_seconds(1_795_478_400)
}

#[test]
fn events_as_a_shell_writes_them() {
    settle("events", &events());
}

#[test]
fn effects_as_a_shell_reads_them() {
    let slots = [Slot::Sidecar, Slot::NewProof, Slot::Minted].into_iter().chain(
        [Place::File, Place::Keyring, Place::Ephemeral]
            .into_iter()
            .flat_map(|place| [Slot::Record(place), Slot::Parked(place), Slot::Client(place), Slot::Proof(place)]),
    );
    let pages = [
        Page::SignedIn,
        Page::Declined,
        Page::Failed,
        Page::NotSaved,
        Page::Forbidden,
        Page::BadRequest,
        Page::NotFound,
    ];
    let mut effects = vec![
        Effect::Http(HttpRequest {
            method: HttpMethod::Post,
            url: "https://id.example/token".into(),
            headers: vec![("accept".into(), "application/json".into())],
            body: Some("a=b".into()),
            deadline: 30_000,
            interruptible: false,
        }),
        Effect::Http(HttpRequest {
            method: HttpMethod::Get,
            url: "https://id.example/".into(),
            headers: Vec::new(),
            body: None,
            deadline: 1,
            interruptible: true,
        }),
        Effect::Lock { lock: Lock::Transaction, deadline: 45_000 },
        Effect::Lock { lock: Lock::Commit, deadline: 2_000 },
        Effect::Lock { lock: Lock::Minting, deadline: 120_000 },
        Effect::Unlock(Lock::Commit),
        Effect::Reserve { place: Place::File, intent: "{}".into(), size: 65_536 },
        Effect::Sleep { milliseconds: 5_000 },
        Effect::Listen(Listen { ports: vec![1455, 1457, 0], path: "/auth/callback".into() }),
        Effect::Await { until: at() },
        Effect::Present(Prompt::Browser {
            authorization_url: "https://id.example/authorize?state=s".into(),
            redirect_uri: "http://127.0.0.1:1455/auth/callback".into(),
            can_switch: true,
        }),
        Effect::Present(Prompt::UserCode {
            user_code: "ABCD-1234".into(),
            verification_uri: "https://id.example/device".into(),
            verification_uri_complete: None,
            expires_at: at(),
        }),
        Effect::Run(Command {
            program: "vault".into(),
            arguments: vec!["token".into()],
            directory: None,
            deadline: 5_000,
        }),
        Effect::Sign { key: Key::Client("client.pem".into()), algorithm: "ES256".into(), input: "e30.e30".into() },
        Effect::Sign {
            key: Key::Proof { place: Place::File, public: "{}".into() },
            algorithm: "ES256".into(),
            input: "e30.e30".into(),
        },
        Effect::Sign { key: Key::NewProof, algorithm: "EdDSA".into(), input: "e30.e30".into() },
    ];
    effects.extend(slots.map(Effect::Load));
    effects.push(Effect::Save { slot: Slot::Record(Place::File), contents: "{}".into() });
    effects.push(Effect::Remove(Slot::Sidecar));
    effects.extend(pages.map(Effect::Reply));
    settle("effects", &effects);
}

#[test]
fn requests_as_a_host_writes_them() {
    let configuration = World::openai().configuration;
    let login = |method| {
        Request::Login(LoginRequest {
            configuration: configuration.clone(),
            method,
            store: Some(StoreMode::Auto),
            client_secret: None,
        })
    };
    let needs =
        [Need::Usable { minimum_lifetime: 300_000 }, Need::Fresh, Need::Replacement { rejected: "rejected".into() }];
    let mut requests = vec![
        login(LoginMethod::Browser),
        login(LoginMethod::DeviceCode),
        login(LoginMethod::ApiKey("sk-1".into())),
        login(LoginMethod::AccessToken("at-1".into())),
        Request::Logout(LogoutRequest { configuration: configuration.clone(), local: true }),
        Request::Status(StatusRequest { configuration: configuration.clone(), check: true }),
        Request::Seed(SeedRequest {
            configuration: configuration.clone(),
            record: "{}".into(),
            store: Some(StoreMode::File),
        }),
        Request::Export(ExportRequest { configuration: configuration.clone(), if_changed: true }),
        Request::Enforce(EnforceRequest { configuration: configuration.clone() }),
    ];
    requests.push(Request::Proof(ProofRequest {
        configuration: configuration.clone(),
        access_token: "access".into(),
        method: "GET".into(),
        url: "https://api.example/x".into(),
        nonce: Some("nonce".into()),
    }));
    requests.extend(needs.map(|need| Request::Token(TokenRequest { configuration: configuration.clone(), need })));
    requests.extend([IdentityToken::IdToken, IdentityToken::AccessToken].map(|token| {
        let role = Role {
            role_arn: "arn:aws:iam::123456789012:role/dev".into(),
            session_name: "ada".into(),
            endpoint: "https://sts.eu-central-1.amazonaws.com/".into(),
            duration: Some(900),
            token,
        };
        Request::Role(RoleRequest { configuration: configuration.clone(), role })
    }));
    requests.push(Request::Token(TokenRequest { configuration: elsewhere(), need: Need::Fresh }));
    settle("requests", &requests);
}

/// A configuration in which no login has a say.
fn elsewhere() -> Configuration {
    let grant = Grant {
        subject_token: Some(SubjectToken::GithubActions { audience: Some("id.example".into()) }),
        resource: Some("https://api.example".into()),
        client_secret_variable: Some("SECRET".into()),
        ..Grant::new(GrantType::TokenExchange)
    };
    let contents = FileContents::Unreadable("/run/token: it is a folder".into());
    let environment = Environment {
        variables: [("SECRET".to_owned(), "secret".into())].into(),
        files: [("/run/token".to_owned(), contents)].into(),
    };
    let model = ModelProvider {
        id: "px".into(),
        auth: Some(TokenCommand::new("vault")),
        http_headers: [("x-team".to_owned(), "tools".into())].into(),
        ..ModelProvider::default()
    };
    let provider = Provider { grant: Some(grant), ..World::standard().configuration.provider };
    Configuration { environment, wanted: Some(Wanted::ModelProvider(model)), ..Configuration::new(provider) }
}

#[test]
fn a_host_may_leave_out_what_has_a_default() {
    let provider = r#"{"name":"x","issuer":"https://id.example","client_id":"c"}"#;
    let request = format!(r#"{{"status":{{"configuration":{{"provider":{provider}}}}}}}"#);
    let Request::Status(status) = serde_json::from_str(&request).unwrap() else { panic!() };
    assert!(!status.check && status.configuration.provider.dialect == Dialect::Standard);
    let unknown =
        format!(r#"{{"status":{{"configuration":{{"provider":{}}}}}}}"#, provider.replace("client_id", "client"));
    assert!(serde_json::from_str::<Request>(&unknown).is_err());
}

#[test]
fn outcomes_as_a_host_reads_them() {
    let report = Report { code: "code".into(), message: "message".into(), help: Some("help".into()) };
    let status = Status {
        logged_in: true,
        method: Some(Method::Chatgpt),
        account: Some(Account { email: Some("ada@example.com".into()), ..Account::default() }),
        provider: Some("openai".into()),
        issuer: Some("https://auth.openai.com".into()),
        store: Some(Place::File),
        precedence: Precedence {
            winner: Some(Source::Store(Place::File)),
            shadowed: vec![
                Source::WorkloadIdentity,
                Source::ApiKey,
                Source::AccessToken,
                Source::Grant("ci".into()),
                Source::ModelProvider("px".into()),
            ],
            why: "why".into(),
        },
        expires_at: Some(at()),
        last_refresh: None,
        stale: false,
        session: Some("0123456789abcdef0123456789abcdef".into()),
        capabilities: [("refresh".to_owned(), true)].into(),
        warnings: vec![report.clone()],
    };
    let revocations =
        [Revocation::Revoked, Revocation::NotNeeded, Revocation::NotOffered, Revocation::Failed(report.clone())];
    let mut outcomes = vec![
        Outcome::Status(Status::default()),
        Outcome::Login(LoggedIn { status: status.clone(), previous: None, warnings: Vec::new() }),
        Outcome::Status(status.clone()),
        Outcome::Export(Exported { record: Some("{}".into()), warnings: Vec::new() }),
        Outcome::Export(Exported { record: None, warnings: vec![report.clone()] }),
        Outcome::Enforce(Enforced { violation: Some(report.clone()), deleted: true, failures: vec![report.clone()] }),
    ];
    outcomes.extend(
        [SeedUse::Stored, SeedUse::Held, SeedUse::Outdated]
            .map(|seed| Outcome::Seed(Seeded { seed, status: status.clone(), warnings: Vec::new() })),
    );
    outcomes.extend(
        [TokenOrigin::Stored, TokenOrigin::Adopted, TokenOrigin::Refreshed, TokenOrigin::Given, TokenOrigin::Minted]
            .map(|origin| {
                Outcome::Token(Token {
                    access_token: "access".into(),
                    token_type: "Bearer".into(),
                    expires_at: Some(at()),
                    account_id: None,
                    origin,
                    warnings: Vec::new(),
                })
            }),
    );
    outcomes.extend(revocations.map(|revocation| {
        Outcome::Logout(LoggedOut {
            was_logged_in: true,
            revocation,
            failures: vec![report.clone()],
            warnings: Vec::new(),
        })
    }));
    outcomes.push(Outcome::Proof(Proof { header: "proof".into() }));
    outcomes.push(Outcome::Role(AssumedRole {
        access_key_id: "ASIA1".into(),
        secret_access_key: "secret".into(),
        session_token: "session".into(),
        expiration: at(),
        warnings: Vec::new(),
    }));
    settle("outcomes", &outcomes);
}

/// Codes are for ever: programs depend on them.
#[test]
fn errors_as_people_and_programs_read_them() {
    let server = || "id.example".to_owned();
    let said = || Some("what the server said".to_owned());
    let store = |kind| Error::from(Local::Store(StoreFailure { kind, detail: "/home/ada/.codex/auth.json".into() }));
    let lock = |kind| Error::from(Local::Lock(LockFailure { kind, detail: "hallpass.lock".into() }));
    let mut errors: Vec<Error> = vec![
        Refused::AccessDenied { description: said() }.into(),
        Refused::AccessDenied { description: None }.into(),
        Refused::NotEntitled.into(),
        Refused::DeviceCodeExpired.into(),
        Refused::DeviceLoginDisabled { server: server() }.into(),
        Refused::Client { server: server(), error: "invalid_client".into(), description: said() }.into(),
        Refused::Other { server: server(), error: "invalid_scope".into(), description: None }.into(),
        Refused::Credential { server: server() }.into(),
        Misbehaved::Malformed { server: server(), expected: "a token response".into(), detail: "not JSON".into() }
            .into(),
        Misbehaved::Status { server: server(), status: 418, detail: None }.into(),
        Misbehaved::Redirected { server: server() }.into(),
        Misbehaved::Issuer { expected: "https://a.example".into(), found: "https://b.example".into() }.into(),
        Misbehaved::IssuerMissing.into(),
        Misbehaved::NoS256 { server: server() }.into(),
        Misbehaved::AnotherAccount { server: server() }.into(),
        Misbehaved::Endpoint { server: server(), endpoint: "token endpoint".into(), detail: "must be https".into() }
            .into(),
        Unavailable::Network { server: server(), failure: RequestFailure::new(Reach::NotSent, "connection refused") }
            .into(),
        Unavailable::Server { server: server(), status: 503 }.into(),
        Unavailable::BackingOff { seconds: 4 }.into(),
        Declined::Cancelled.into(),
        Declined::TimedOut.into(),
        Forbidden::Workspace { allowed: "ws-a".into(), found: "ws-b".into() }.into(),
        Forbidden::Method { method: "API key".into() }.into(),
        Forbidden::Method { method: "ChatGPT".into() }.into(),
        Forbidden::EveryMethod.into(),
        Forbidden::Issuer { issuer: "https://id.example".into() }.into(),
        Forbidden::Store { detail: "the policy forbids to keep credentials in the file".into() }.into(),
        Forbidden::Override { variable: "CODEX_REFRESH_TOKEN_URL_OVERRIDE".into() }.into(),
        Forbidden::Requirements { detail: "/etc/codex/requirements.toml: it is not UTF-8".into() }.into(),
        Local::Corrupt { detail: "not JSON (line 1, column 2)".into() }.into(),
        Local::Listen { detail: "ports 1455 and 1457 are in use".into() }.into(),
        Local::Key { detail: "client.pem does not exist".into() }.into(),
        Local::ProofKey { detail: "it is gone".into() }.into(),
        Local::NoClientSecret.into(),
        Local::IdentityToken { detail: "/run/token does not exist".into() }.into(),
        Local::Command { detail: "the command vault ended with status 1".into() }.into(),
        Local::Occupied { held: "the session of another account".into() }.into(),
        Local::NewerSidecar.into(),
        Misused::Unexpected { event: "slept".into() }.into(),
        Misused::Value { what: "issuer".into(), detail: "it has a query".into() }.into(),
        Misused::Variable { name: "OPENAI_IDENTITY_TOKEN_FILE".into(), detail: "is not set".into() }.into(),
        Misused::Variable { name: "PX_KEY".into(), detail: "is not set".into() }.into(),
        Misused::Variable { name: "https_proxy".into(), detail: "does not hold a proper proxy address".into() }.into(),
        Misused::Variable { name: "SSL_CERT_FILE".into(), detail: "names the certificate file /ca.pem".into() }.into(),
        Misused::NotApplicable { detail: "`agent` credentials can only be used by Codex".into() }.into(),
        Misused::NotRefreshable.into(),
        Misused::Message { detail: "it is not what is expected at byte 3".into() }.into(),
        LoginRequired::NotLoggedIn.into(),
        LoginRequired::NoRefreshToken.into(),
        LoginRequired::Expired.into(),
        LoginRequired::Revoked.into(),
        LoginRequired::SpentElsewhere.into(),
        LoginRequired::SeedSpent.into(),
        LoginRequired::RotationLost.into(),
        LoginRequired::AnotherAccount.into(),
        LoginRequired::CopiedHome.into(),
        LoginRequired::Rejected.into(),
        LoginRequired::GivenRejected.into(),
    ];
    errors.extend(
        [
            StoreTrouble::Full,
            StoreTrouble::ReadOnly,
            StoreTrouble::Denied,
            StoreTrouble::Busy,
            StoreTrouble::NoHome,
            StoreTrouble::Unavailable,
            StoreTrouble::Locked,
            StoreTrouble::TimedOut,
            StoreTrouble::TooLarge,
            StoreTrouble::Unreadable,
            StoreTrouble::Unsafe,
            StoreTrouble::Other,
        ]
        .map(store),
    );
    errors.extend([LockTrouble::Busy, LockTrouble::Unsupported, LockTrouble::Denied, LockTrouble::Other].map(lock));
    let reports: Vec<Report> = errors.iter().map(Error::report).collect();
    for report in &reports {
        let ends_like_a_clause = !report.message.ends_with('.') && !report.message.is_empty();
        assert!(ends_like_a_clause, "{report:?}");
    }
    settle("errors", &reports);
    for error in &errors {
        let sorted = serde_json::to_value(error).expect("it can be written down");
        let failure = serde_json::to_value(codec::Failure::from(error)).expect("it can be written down");
        let blame = failure["blame"].as_str().expect("it is named");
        assert!(sorted.get(blame).is_some(), "{blame} is not to blame for {sorted}");
    }
}
