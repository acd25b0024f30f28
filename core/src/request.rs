//! What a shell can start, and the configuration that goes with it.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{Environment, ModelProvider, Provider, Secret};

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
            environment: Environment::default(),
            wanted: None,
        }
    }

    /// The store in force where no login has pinned one.
    pub(crate) fn store(&self) -> StoreMode {
        self.store.unwrap_or_default()
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
