//! What a shell can start, and the configuration that goes with it.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{Environment, HOMES, LoginKind, ModelProvider, Place, Policy, Provider, Secret, form};

/// What a [`Flow`](crate::Flow) is started with.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Sign a person in, or store a key. Ends with [`Outcome::Login`](crate::Outcome::Login).
    Login(LoginRequest),
    /// Get a usable access token, refreshing if need be. Ends with [`Outcome::Token`](crate::Outcome::Token).
    Token(TokenRequest),
    /// Revoke and delete. Ends with [`Outcome::Logout`](crate::Outcome::Logout).
    Logout(LogoutRequest),
    /// Say who is signed in. Ends with [`Outcome::Status`](crate::Outcome::Status).
    Status(StatusRequest),
    /// Take over the record that a CI job was given. Ends with [`Outcome::Seed`](crate::Outcome::Seed).
    Seed(SeedRequest),
    /// Hand out the record. Ends with [`Outcome::Export`](crate::Outcome::Export).
    Export(ExportRequest),
    /// Prove that a request comes from the holder of a token. Ends with [`Outcome::Proof`](crate::Outcome::Proof).
    Proof(ProofRequest),
    /// Get keys of Amazon Web Services. Ends with [`Outcome::Role`](crate::Outcome::Role).
    Role(RoleRequest),
    /// Delete a credential that must not be used here. Ends with [`Outcome::Enforce`](crate::Outcome::Enforce).
    Enforce(EnforceRequest),
}

impl Request {
    pub(crate) fn configuration(&self) -> &Configuration {
        match self {
            Self::Login(request) => &request.configuration,
            Self::Token(request) => &request.configuration,
            Self::Logout(request) => &request.configuration,
            Self::Status(request) => &request.configuration,
            Self::Seed(request) => &request.configuration,
            Self::Export(request) => &request.configuration,
            Self::Proof(request) => &request.configuration,
            Self::Role(request) => &request.configuration,
            Self::Enforce(request) => &request.configuration,
        }
    }
}

/// What every flow needs to know.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Configuration {
    /// The provider of a login, and of a record that names none.
    pub provider: Provider,
    /// Further providers that a record may belong to.
    #[serde(default)]
    pub providers: Vec<Provider>,
    /// Where credentials are to be kept, where anybody has said so: a login pins its store, and from then on a
    /// configuration that disagrees is only a warning.
    #[serde(default)]
    pub store: Option<StoreMode>,
    /// What tells a home from a copy of it.
    #[serde(default)]
    pub home: Home,
    /// `CODEX_REFRESH_TOKEN_URL_OVERRIDE`: another token endpoint for refreshes. Only the provider's own
    /// origin and loopback addresses are accepted.
    #[serde(default)]
    pub token_endpoint_override: Option<String>,
    /// `CODEX_REVOKE_TOKEN_URL_OVERRIDE`: another revocation endpoint, under the same rule.
    #[serde(default)]
    pub revocation_endpoint_override: Option<String>,
    /// Whether the two overrides only count where the record's own issuer is a loopback address: so it is where a tool
    /// is started in somebody's place.
    #[serde(default)]
    pub strict_overrides: bool,
    /// `forced_chatgpt_workspace_id`: the workspaces that a login may belong to; empty allows any.
    #[serde(default)]
    pub allowed_workspaces: Vec<String>,
    /// `forced_login_method`: the only way to sign in.
    #[serde(default)]
    pub forced_login_method: Option<LoginKind>,
    /// What an administrator permits: the managed `requirements.toml`.
    #[serde(default)]
    pub policy: Policy,
    /// `hallpass.refresh_window`: how long before its end a token is renewed, in milliseconds. Counted as at least six
    /// minutes (Codex renews at five) and at most an hour; ten minutes where nobody says anything.
    #[serde(default)]
    pub refresh_window: Option<u64>,
    /// How long things may take.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// What variables say about credentials.
    #[serde(default, skip_serializing_if = "Environment::is_empty")]
    pub environment: Environment,
    /// Whose token is wanted, where somebody has said so; else the most important credential is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Wanted>,
}

/// Whose token is wanted.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// The one of the configured provider.
    Provider,
    /// The one with which Codex speaks to this provider of models.
    ModelProvider(ModelProvider),
}

/// `hallpass.timeouts`: how long things may take, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Timeouts {
    /// An HTTP exchange, from first to last byte: 5 s to 300 s, 30 s where nobody says anything.
    #[serde(default)]
    pub http: Option<u64>,
    /// The wait for another process's refresh: 5 s to 600 s, 45 s where nobody says anything.
    #[serde(default)]
    pub lock: Option<u64>,
}

impl Timeouts {
    /// What is made of a configured wait for a lock.
    pub(crate) fn of_lock(configured: u64) -> u64 {
        configured.clamp(5_000, 600_000)
    }

    /// What is made of a configured limit of an exchange.
    pub(crate) fn of_http(configured: u64) -> u64 {
        configured.clamp(5_000, 300_000)
    }

    /// How long an exchange may take that would take at most `usual`: where that is the usual limit of one, it is
    /// replaced, and where it is a shorter one, it is not stretched.
    pub(crate) fn of_exchange(self, usual: u64) -> u64 {
        let Some(configured) = self.http.map(Self::of_http) else { return usual };
        if usual >= form::DEADLINE { configured } else { configured.min(usual) }
    }
}

impl Configuration {
    /// What is in force where nobody has configured anything but the provider.
    pub fn new(provider: Provider) -> Self {
        Self {
            provider,
            providers: Vec::new(),
            store: None,
            home: Home::default(),
            token_endpoint_override: None,
            revocation_endpoint_override: None,
            strict_overrides: false,
            allowed_workspaces: Vec::new(),
            forced_login_method: None,
            policy: Policy::default(),
            refresh_window: None,
            timeouts: Timeouts::default(),
            environment: Environment::default(),
            wanted: None,
        }
    }

    /// How long before its end a token is renewed, in milliseconds, before jitter: well before the tool beside us, which
    /// is Codex and does it five minutes before.
    pub(crate) fn refresh_window(&self) -> u64 {
        self.refresh_window.map_or(10 * 60_000, Self::window_of)
    }

    /// What is made of a configured window.
    pub(crate) fn window_of(configured: u64) -> u64 {
        configured.clamp(6 * 60_000, 60 * 60_000)
    }

    /// The store in force where no login has pinned one.
    pub fn store(&self) -> StoreMode {
        self.store.unwrap_or_else(|| self.policy.usual_store())
    }
}

/// What tells a home from a copy of it.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Home {
    /// Its canonical path; empty where there is none (a browser).
    pub path: String,
    /// A stable identifier of this machine; empty when unknown.
    pub machine: String,
}

/// `cli_auth_credentials_store`: where credentials are kept.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StoreMode {
    /// `auth.json` in the home (Codex's default).
    #[default]
    File,
    /// The operating system's keyring.
    Keyring,
    /// The keyring where there is one, else the file.
    Auto,
    /// This process's memory.
    Ephemeral,
}

impl StoreMode {
    /// Codex's names.
    pub(crate) const NAMES: [(&'static str, Self); 4] =
        [("file", Self::File), ("keyring", Self::Keyring), ("auto", Self::Auto), ("ephemeral", Self::Ephemeral)];

    /// Codex's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Keyring => "keyring",
            Self::Auto => "auto",
            Self::Ephemeral => "ephemeral",
        }
    }

    /// Whether the keyring comes before the file.
    pub(crate) fn is_auto(self) -> bool {
        HOMES && self == Self::Auto
    }

    /// Where a record goes first.
    pub(crate) fn place(self) -> Place {
        match self {
            Self::File => Place::File,
            Self::Keyring | Self::Auto => Place::Keyring,
            Self::Ephemeral => Place::Ephemeral,
        }
    }
}

/// How to sign in, and where to keep what comes of it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct LoginRequest {
    /// The configuration in force.
    pub configuration: Configuration,
    /// The way to sign in.
    pub method: LoginMethod,
    /// A store chosen for this login; it stays pinned until the next one.
    #[serde(default)]
    pub store: Option<StoreMode>,
    /// The client's secret, for a provider whose client has one; it is kept in the store.
    #[serde(default)]
    pub client_secret: Option<Secret>,
}

/// The ways to sign in.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginMethod {
    /// In a browser, with an authorization code and PKCE.
    Browser,
    /// On any device, with a user code.
    DeviceCode,
    /// With an API key that the person already has.
    ApiKey(Secret),
    /// With an access token that the person already has.
    AccessToken(Secret),
}

/// What the caller needs of an access token.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct TokenRequest {
    /// The configuration in force.
    pub configuration: Configuration,
    /// Why one is asked for.
    pub need: Need,
}

/// Why an access token is asked for.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// One that is good for at least so many milliseconds.
    Usable {
        /// The least time to live, in milliseconds.
        minimum_lifetime: u64,
    },
    /// One that is renewed before a tool beside us renews it, wherever the server's tokens live long enough for that.
    Ahead {
        /// How long before its expiry the tool renews a token itself, in milliseconds (Codex: 300,000).
        of: u64,
    },
    /// A new one, whatever is stored.
    Fresh,
    /// Another one than this, which a resource has answered with a 401.
    Replacement {
        /// The access token that was rejected.
        rejected: Secret,
    },
}

/// How to log out.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct LogoutRequest {
    /// The configuration in force.
    pub configuration: Configuration,
    /// Revoke nothing at the server.
    #[serde(default)]
    pub local: bool,
}

/// What to say about who is signed in.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct StatusRequest {
    /// The configuration in force.
    pub configuration: Configuration,
    /// Ask the server too.
    #[serde(default)]
    pub check: bool,
}

/// What to start a home with that holds nothing yet, or something older.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct SeedRequest {
    /// The configuration in force.
    pub configuration: Configuration,
    /// A whole record: the text of an `auth.json`.
    pub record: Secret,
    /// A store chosen for it; it stays pinned until the next login.
    #[serde(default)]
    pub store: Option<StoreMode>,
}

/// What to hand out.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct ExportRequest {
    /// The configuration in force.
    pub configuration: Configuration,
    /// Nothing, where the record is the seed that was handed in last.
    #[serde(default)]
    pub if_changed: bool,
}

/// Which request to make a proof of possession for (RFC 9449, section 7), where [`Token::token_type`](crate::Token) is
/// `DPoP`.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct ProofRequest {
    /// The configuration in force.
    pub configuration: Configuration,
    /// The access token that goes with the request.
    pub access_token: Secret,
    /// The request's method, in upper case.
    pub method: String,
    /// The request's URL: https, or http on a loopback address.
    pub url: String,
    /// The nonce that the resource has asked for (`DPoP-Nonce`), if it has.
    #[serde(default)]
    pub nonce: Option<String>,
}

/// How to get keys of Amazon Web Services with a session.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct RoleRequest {
    /// The configuration in force.
    pub configuration: Configuration,
    /// The role to assume.
    pub role: Role,
}

/// A role of Amazon Web Services, assumed with a web identity (STS, `AssumeRoleWithWebIdentity`).
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Role {
    /// The role (`RoleArn`).
    pub role_arn: String,
    /// What the session is called in AWS's logs (`RoleSessionName`): 2 to 64 letters, digits or `_+=,.@-`.
    pub session_name: String,
    /// Where STS is: https, or http on a loopback address.
    pub endpoint: String,
    /// For how many seconds the keys are to be good (`DurationSeconds`): 900 to 43200.
    #[serde(default)]
    pub duration: Option<u32>,
    /// Which token is the web identity.
    pub token: IdentityToken,
}

/// Which token of a session says who somebody is.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityToken {
    /// The ID token (OpenID Connect Core, section 2).
    #[default]
    IdToken,
    /// The access token, where that is a JWT.
    AccessToken,
}

/// Whether what a home holds may be used there, and its end if not: what Codex does when a tool starts.
///
/// A credential of a login method or a workspace that is not permitted is deleted, after a notice has said so; nothing is
/// revoked, since the session may be welcome elsewhere. Whatever else the policy forbids is not used, and stays.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct EnforceRequest {
    /// The configuration in force.
    pub configuration: Configuration,
}
