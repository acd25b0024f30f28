//! What the server is told before it starts: clients, accounts, lifetimes, policies, faults.

use std::fmt;

use super::fault::PlannedFault;

/// The client id under which the Codex CLI signs in.
pub const CODEX_CLIENT_ID: &str = "app_EMoamEEZ73f0CkXaXp7hrann";

/// How the server behaves.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Options {
    /// The issuer identifier (RFC 8414, section 2), without a slash at the end.
    pub issuer: String,
    /// Every identifier, code, token and key derives from it.
    pub seed: [u8; 32],
    /// If not empty: part of every secret that the server mints, so that a test can search for
    /// leaks. It must consist of unreserved characters (`A-Z a-z 0-9 - . _ ~`) and stay below 40.
    pub canary: String,
    /// Who may ask.
    pub clients: Vec<Client>,
    /// Who may be signed in. The first is preselected on the pages.
    pub users: Vec<Account>,
    /// Personal access tokens that exist from the start.
    pub personal_access_tokens: Vec<PersonalAccessToken>,
    /// Decides at once, without showing a page.
    pub auto_consent: Option<Decision>,
    /// Whether authorization requests can be pushed (RFC 9126).
    pub pushed_authorization: PushedAuthorization,
    /// Whether tokens can be bound to a key (RFC 9449).
    pub dpop: Dpop,
    /// What becomes of a refresh token that is used.
    pub rotation: Rotation,
    /// What the session of a browser that signs in now is called (`sid`; OpenID Connect Front-Channel Logout, section 3).
    /// Every login in it belongs to it, and whoever revokes a token of one ends them all. `None` makes each login a
    /// session of its own, without a name.
    pub browser_session: Option<String>,
    /// Milliseconds.
    pub authorization_code_lifetime_ms: i64,
    /// Milliseconds.
    pub access_token_lifetime_ms: i64,
    /// Milliseconds, counted anew for each successor; `None` is for ever.
    pub refresh_token_lifetime_ms: Option<i64>,
    /// Milliseconds.
    pub id_token_lifetime_ms: i64,
    /// Milliseconds.
    pub device_code_lifetime_ms: i64,
    /// Seconds between polls; `None` leaves it out of the answer, and five are expected (RFC 8628,
    /// section 3.2).
    pub device_interval: Option<u32>,
    /// Without it the device endpoints answer 404, as for a workspace that forbids them.
    pub device_enabled: bool,
    /// Without it an identity token buys no API key.
    pub api_keys_enabled: bool,
    /// The scope that the protected resource demands, beyond a valid token.
    pub resource_scope: Option<String>,
    /// The CI system whose jobs may have tokens, if there is one.
    pub identities: Option<Identities>,
    /// Faults planned from the start.
    pub faults: Vec<PlannedFault>,
}

impl Options {
    /// Two fictitious accounts, the Codex client, the client `hallpass`, strict rotation, and
    /// lifetimes as they are common.
    pub fn new(issuer: &str, seed: [u8; 32]) -> Self {
        Self {
            issuer: issuer.trim_end_matches('/').to_owned(),
            seed,
            canary: String::new(),
            clients: vec![Client::codex(), Client::hallpass()],
            users: vec![Account::ada(), Account::grace()],
            personal_access_tokens: Vec::new(),
            auto_consent: None,
            pushed_authorization: PushedAuthorization::NotOffered,
            dpop: Dpop::NotOffered,
            rotation: Rotation::Strict,
            browser_session: None,
            authorization_code_lifetime_ms: 60_000,
            access_token_lifetime_ms: 3_600_000,
            refresh_token_lifetime_ms: None,
            id_token_lifetime_ms: 3_600_000,
            device_code_lifetime_ms: 900_000,
            device_interval: Some(5),
            device_enabled: true,
            api_keys_enabled: true,
            resource_scope: None,
            identities: None,
            faults: Vec::new(),
        }
    }

    /// What to search for in output to prove that no secret leaked: the canary, and the three ways
    /// in which base64 spells it inside a JWT. Empty without a canary.
    pub fn canary_spellings(&self) -> Vec<String> {
        if self.canary.is_empty() {
            return Vec::new();
        }
        let inside = (0..3).map(|offset: usize| {
            let bytes = self.canary.as_bytes();
            let start = (3 - offset) % 3;
            let end = start + (bytes.len().saturating_sub(start)) / 3 * 3;
            super::mint::base64url(bytes.get(start..end).unwrap_or_default())
        });
        std::iter::once(self.canary.clone()).chain(inside.filter(|spelling| !spelling.is_empty())).collect()
    }
}

impl fmt::Debug for Options {
    /// Shows the issuer only: seed and client secrets are nobody's business.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Options").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// A registered client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// What the pages call it.
    pub name: String,
    /// How it proves who it is at the token endpoint.
    pub authentication: ClientAuthentication,
    /// Redirect URIs. One with `http` and a loopback host stands for all ports (RFC 8252, section
    /// 7.3); all others are compared as they are.
    pub redirect_uris: Vec<String>,
    /// Which claims its tokens carry.
    pub dialect: Dialect,
    /// The form of its access tokens.
    pub access_tokens: AccessTokenStyle,
    /// Whether it gets refresh tokens.
    pub refresh_tokens: RefreshTokens,
    /// The scope that it may have; what it asks beyond is left out of the grant. `None` is all.
    pub scope: Option<Vec<String>>,
}

impl Client {
    /// A public client of the standard dialect.
    pub fn public(id: &str, name: &str, redirect_uris: &[&str]) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            authentication: ClientAuthentication::None,
            redirect_uris: redirect_uris.iter().map(|&uri| uri.to_owned()).collect(),
            dialect: Dialect::Standard,
            access_tokens: AccessTokenStyle::Jwt,
            refresh_tokens: RefreshTokens::Always,
            scope: None,
        }
    }

    /// The Codex CLI, with its client id and OpenAI's dialect.
    pub fn codex() -> Self {
        Self {
            dialect: Dialect::OpenAi,
            ..Self::public(
                CODEX_CLIENT_ID,
                "Codex CLI",
                &["http://127.0.0.1/auth/callback", "http://localhost/auth/callback"],
            )
        }
    }

    /// A client `hallpass` of the standard dialect, for development.
    pub fn hallpass() -> Self {
        Self::public(
            "hallpass",
            "Hallpass",
            &[
                "http://127.0.0.1/auth/callback",
                "http://localhost/auth/callback",
                "http://[::1]/auth/callback",
                "http://127.0.0.1/callback",
                "http://localhost/callback",
                "http://[::1]/callback",
                "http://127.0.0.1/",
                "http://localhost/",
                "http://[::1]/",
            ],
        )
    }
}

/// How a client proves who it is (RFC 6749, section 2.3).
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum ClientAuthentication {
    /// It does not: a public client.
    None,
    /// A secret in the `Authorization` header (`client_secret_basic`) or in the body
    /// (`client_secret_post`).
    Secret(String),
    /// A signed assertion (`private_key_jwt`, RFC 7523, section 2.2).
    PrivateKeyJwt(PublicKey),
}

impl fmt::Debug for ClientAuthentication {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "None",
            Self::Secret(_) => "Secret(..)",
            Self::PrivateKeyJwt(_) => "PrivateKeyJwt(..)",
        })
    }
}

/// A key that checks signatures.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum PublicKey {
    /// `EdDSA`: the 32 bytes of an Ed25519 key (RFC 8037).
    Ed25519(Vec<u8>),
    /// `ES256`: the uncompressed point of a P-256 key, 65 bytes (RFC 7518, section 3.4).
    P256(Vec<u8>),
}

/// A difference between providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// RFC 6749 and OpenID Connect.
    Standard,
    /// What the Codex CLI speaks.
    OpenAi,
}

/// The form of access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessTokenStyle {
    /// A signed JWT (RFC 9068).
    Jwt,
    /// A random string.
    Opaque,
}

/// Whether a client gets refresh tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefreshTokens {
    /// With every grant.
    Always,
    /// If the scope holds `offline_access` (OpenID Connect Core, section 11).
    OfflineAccess,
    /// Never.
    Never,
}

/// Whether authorization requests can be pushed (RFC 9126).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PushedAuthorization {
    /// No.
    NotOffered,
    /// They can.
    Offered,
    /// They must be.
    Required,
}

/// Whether tokens can be bound to a key (RFC 9449).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dpop {
    /// No.
    NotOffered,
    /// They are, where a request proves possession of one.
    Offered,
    /// And each proof holds a nonce of the server's (section 8).
    NonceWanted,
}

/// What becomes of a refresh token that is used (RFC 9700, section 4.14.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rotation {
    /// A new one each time; a spent one that comes again revokes the family.
    Strict,
    /// A new one each time; a spent one that comes again is refused, the family lives.
    RejectOnly,
    /// A new one each time; the immediate parent of the current one brings the current one again.
    /// An older one revokes the family.
    ReplayToParent,
    /// A new one each time; a spent one is good for another successor for this many milliseconds.
    /// Later it revokes the family.
    Grace(i64),
    /// None: the refresh token stays, and the answer does not repeat it (RFC 6749, section 6).
    Keep,
    /// None, and the answer repeats it.
    Repeat,
}

/// A CI system that gives identities to its jobs, and what they are worth here.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Identities {
    /// What a job must show to be given its identity.
    pub request_token: String,
    /// For whom an identity must be meant; for the issuer unless it is said.
    pub audience: Option<String>,
    /// OpenAI's federation rule.
    pub rule_id: String,
    /// The account as which a job is known.
    pub account_id: String,
}

/// A user's account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Account {
    /// The subject identifier, and OpenAI's `chatgpt_user_id`.
    pub id: String,
    /// What the pages call the user.
    pub name: String,
    /// `email`.
    pub email: String,
    /// OpenAI's `chatgpt_account_id`.
    pub workspace_id: String,
    /// OpenAI's `chatgpt_plan_type`.
    pub plan: String,
    /// OpenAI's `chatgpt_account_is_fedramp`.
    pub is_fedramp: bool,
}

impl Account {
    /// Ada, with the plan `pro`.
    pub fn ada() -> Self {
        Self::fictitious("Ada", "user-ada", "ada@example.com", "ws-analytical", "pro")
    }

    /// Grace, with the plan `business`.
    pub fn grace() -> Self {
        let (email, workspace) = ("grace@example.com", "ws-compilers");
        Self::fictitious("Grace", "user-grace", email, workspace, "business")
    }

    /// A client that acts for itself (RFC 9068, section 2.2).
    pub(super) fn of_client(id: &str) -> Self {
        Self::fictitious(id, id, "", "", "")
    }

    pub(super) fn stranger() -> Self {
        let (email, workspace) = ("stranger@example.net", "ws-elsewhere");
        Self::fictitious("Stranger", "user-stranger", email, workspace, "free")
    }

    fn fictitious(name: &str, id: &str, email: &str, workspace_id: &str, plan: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            email: email.to_owned(),
            workspace_id: workspace_id.to_owned(),
            plan: plan.to_owned(),
            is_fedramp: false,
        }
    }
}

/// A personal access token and whose it is.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PersonalAccessToken {
    /// The token, beginning with `at-`.
    pub token: String,
    /// The account's id.
    pub account_id: String,
}

/// What a user answers a client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Yes, with this account.
    Allow {
        /// The account's id or email.
        account: String,
    },
    /// No.
    Deny,
}
