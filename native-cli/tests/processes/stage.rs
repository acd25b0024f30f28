//! One home, one session, one server that rotates strictly and counts.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use hallpass::authorization_server::{CODEX_CLIENT_ID, Happening, Request, Revocation, Rotation, Serving};
use serde_json::{Value, json};

use crate::support::{Home, Ran, server};

const HOUR: i64 = 3_600_000;
const CALLBACK: &str = "http://127.0.0.1:1455/auth/callback";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// What may lie in a home when nothing runs there.
const OURS: [&str; 8] = [
    "auth.json",
    "auth.json.lock",
    "auth.lock",
    "config.toml",
    "hallpass.json",
    "hallpass.lock",
    "hallpass.parked",
    "log/codex-login.log",
];

/// A home in which somebody signed in some time ago.
pub(crate) struct Stage {
    pub(crate) home: Home,
    pub(crate) serving: Serving,
    /// The record as it was written, before anybody touched it.
    pub(crate) before: String,
    requests: u64,
}

/// A record's tokens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Stage {
    /// The access token has expired an hour ago.
    pub(crate) fn expired() -> Self {
        Self::signed_in(2 * HOUR)
    }

    /// The access token is good for five more minutes: nothing but a refresh will do, and it still works.
    pub(crate) fn ageing() -> Self {
        Self::signed_in(55 * HOUR / 60)
    }

    /// The access token is good for an hour.
    pub(crate) fn fresh() -> Self {
        Self::signed_in(0)
    }

    fn signed_in(milliseconds_ago: i64) -> Self {
        let (home, serving) = (Home::new(), server());
        let before = record(&serving, hallpass::now().milliseconds() - milliseconds_ago);
        let requests = serving.lock().token_requests();
        let stage = Self { home, serving, before, requests };
        stage.write_record(&stage.before);
        stage
    }

    /// The same, at a server that refuses a spent token and lets the session live.
    pub(crate) fn lenient(self) -> Self {
        self.serving.lock().options_mut().rotation = Rotation::RejectOnly;
        self
    }

    /// The same, with the record that lies there by now; requests count from here on.
    #[cfg(feature = "keyring")]
    pub(crate) fn with_record(self, before: String) -> Self {
        let requests = self.serving.lock().token_requests();
        Self { before, requests, ..self }
    }

    pub(crate) fn write_record(&self, text: &str) {
        std::fs::write(self.home.file("auth.json"), text).unwrap();
        self.set_mode("auth.json", 0o600);
    }

    pub(crate) fn set_mode(&self, name: &str, mode: u32) {
        std::fs::set_permissions(self.home.file(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// The record's tokens, now.
    #[track_caller]
    pub(crate) fn tokens(&self) -> Tokens {
        Tokens::of(&self.home.record())
    }

    /// How many requests have reached the token endpoint since the login.
    pub(crate) fn requests(&self) -> u64 {
        self.serving.lock().token_requests() - self.requests
    }

    /// How often the refresh token has been replaced.
    pub(crate) fn rotations(&self) -> u64 {
        self.serving.lock().families().next().unwrap().generation
    }

    pub(crate) fn revoked(&self) -> Option<Revocation> {
        self.serving.lock().families().next().unwrap().revoked
    }

    /// How often a spent refresh token has come.
    pub(crate) fn reuses(&self) -> usize {
        let server = self.serving.lock();
        server.journal().iter().filter(|entry| matches!(entry.happening, Happening::RefreshTokenReused { .. })).count()
    }

    /// That the server takes this access token.
    #[track_caller]
    pub(crate) fn assert_accepted(&self, token: &str) {
        let now = hallpass::now().milliseconds();
        assert!(self.serving.lock().is_live_access_token(now, token.trim_end()), "the server takes the token");
    }

    /// That the session goes on: the tokens in the record are the newest, and nothing lies about.
    #[track_caller]
    pub(crate) fn assert_alive(&self) {
        assert_eq!(self.revoked(), None, "the session lives");
        assert_eq!(self.reuses(), 0, "no refresh token came twice");
        let tokens = self.tokens();
        self.assert_accepted(&tokens.access);
        let now = hallpass::now().milliseconds();
        assert!(self.serving.lock().is_live_refresh_token(now, &tokens.refresh), "the record has the newest tokens");
        assert_eq!(self.leftovers(), Vec::<String>::new());
        self.assert_private();
    }

    /// That nobody but the owner can read what has a secret in it.
    #[track_caller]
    pub(crate) fn assert_private(&self) {
        for name in self.names().iter().filter(|name| name.as_str() != "auth.lock") {
            let mode = std::fs::symlink_metadata(self.home.file(name)).unwrap().permissions().mode() & 0o7777;
            assert_eq!(mode, 0o600, "{name}");
        }
    }

    /// The files in the home and in the folder of its log.
    pub(crate) fn names(&self) -> Vec<String> {
        let within = |folder: &str| {
            let entries = std::fs::read_dir(self.home.file(folder)).into_iter().flatten();
            entries.map(|entry| folder.to_owned() + entry.unwrap().file_name().to_str().unwrap()).collect::<Vec<_>>()
        };
        within("").into_iter().filter(|name| name != "log").chain(within("log/")).collect()
    }

    /// What a crash has left in the home.
    pub(crate) fn leftovers(&self) -> Vec<String> {
        self.names().into_iter().filter(|name| !OURS.contains(&name.as_str())).collect()
    }

    /// Waits until so many requests have reached the token endpoint.
    pub(crate) fn wait_for_requests(&self, count: u64) {
        until(|| self.requests() >= count, "a request");
    }
}

impl Tokens {
    #[track_caller]
    pub(crate) fn of(record: &str) -> Self {
        let record: Value = serde_json::from_str(record).unwrap();
        let text = |name: &str| record["tokens"][name].as_str().unwrap().to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token") }
    }
}

/// Waits for what must come within a few seconds.
#[track_caller]
pub(crate) fn until(done: impl Fn() -> bool, what: &str) {
    for _ in 0..10_000 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("waited for {what} in vain");
}

/// The code of an error that was asked for with `--json`.
#[track_caller]
pub(crate) fn error_code(ran: &Ran) -> String {
    ran.json()["error"]["code"].as_str().unwrap_or_else(|| panic!("{ran:?}")).to_owned()
}

/// The record that Codex writes after a login at that time.
fn record(serving: &Serving, at: i64) -> String {
    let mut server = serving.lock();
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", CODEX_CLIENT_ID)
        .append_pair("redirect_uri", CALLBACK)
        .append_pair("scope", "openid profile email offline_access")
        .append_pair("state", "state")
        .append_pair("code_challenge", CHALLENGE)
        .append_pair("code_challenge_method", "S256")
        .finish();
    let redirect = server.respond(at, &Request::get(&format!("/oauth/authorize?{query}"))).response;
    let (_, query) = redirect.header("Location").unwrap().split_once('?').unwrap();
    let code = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code").unwrap().1;
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", CODEX_CLIENT_ID),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let response = server.respond(at, &Request::post_form("/oauth/token", &fields)).response;
    assert_eq!(response.status, 200);
    let answer: Value = serde_json::from_slice(&response.body).unwrap();
    let record = json!({
        "auth_mode": "chatgpt",
        "OPENAI_API_KEY": null,
        "tokens": {
            "id_token": answer["id_token"],
            "access_token": answer["access_token"],
            "refresh_token": answer["refresh_token"],
            "account_id": "ws-analytical",
            "oauth_provenance": {"issuer": serving.issuer, "client_id": CODEX_CLIENT_ID},
        },
        "last_refresh": "2026-11-01T00:00:00Z",
        "x_kept": {"by": "hallpass"},
    });
    serde_json::to_string_pretty(&record).unwrap()
}
