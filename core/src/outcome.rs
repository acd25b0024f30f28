//! What flows end with when they end well.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{Place, Precedence, Report, Secret, Timestamp};

/// What a [`Flow`](crate::Flow) ends with.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Somebody is signed in.
    Login(LoggedIn),
    /// An access token.
    Token(Token),
    /// Nobody is signed in any more.
    Logout(LoggedOut),
    /// Who is signed in.
    Status(Status),
    /// What became of a seed.
    Seed(Seeded),
    /// The record.
    Export(Exported),
    /// A proof of possession.
    Proof(Proof),
    /// Keys of Amazon Web Services.
    Role(AssumedRole),
    /// Whether what is stored may be used.
    Enforce(Enforced),
}

/// A login that is saved.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct LoggedIn {
    /// Who is signed in now, and how.
    pub status: Status,
    /// What became of the session that was there before.
    pub previous: Option<Revocation>,
    /// What the person should know.
    pub warnings: Vec<Report>,
}

/// An access token (or API key) to send as a bearer token.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Token {
    /// The token itself.
    pub access_token: Secret,
    /// How to send it: `Bearer` (RFC 6750), or `DPoP` with a proof of possession for each request (RFC 9449).
    pub token_type: String,
    /// When it expires, where that is known.
    pub expires_at: Option<Timestamp>,
    /// The account that it belongs to (`chatgpt-account-id` for OpenAI).
    pub account_id: Option<String>,
    /// Where it came from.
    pub origin: TokenOrigin,
    /// What the person should know.
    pub warnings: Vec<Report>,
}

/// A proof of possession for one request.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Proof {
    /// The value of the `DPoP` header (RFC 9449, section 4.1); the token goes beside it, as `Authorization: DPoP …`.
    pub header: Secret,
}

/// Where a token came from.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenOrigin {
    /// It was stored and is still good.
    Stored,
    /// Another process had just renewed it.
    Adopted,
    /// It was renewed now.
    Refreshed,
    /// It was given, in the environment or in a configuration.
    Given,
    /// It was made for this process, now or a while ago, and is not stored.
    Minted,
}

/// A logout that is done.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct LoggedOut {
    /// Whether anybody was signed in.
    pub was_logged_in: bool,
    /// What became of the session at the server.
    pub revocation: Revocation,
    /// What could not be deleted, and why: the credential may still be there.
    pub failures: Vec<Report>,
    /// What the person should know: a variable with a credential is left alone by a logout.
    #[serde(default)]
    pub warnings: Vec<Report>,
}

/// What a policy has made of what was stored.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Enforced {
    /// Why the credential must not be used; `None` when there is none, or it may.
    pub violation: Option<Report>,
    /// Whether it was deleted for that.
    pub deleted: bool,
    /// What could not be deleted, and why.
    pub failures: Vec<Report>,
}

/// What became of a session at the server.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Revocation {
    /// The server has revoked it (RFC 7009).
    Revoked,
    /// There was nothing to revoke (an API key, nobody signed in, or the session that goes on as another), or revoking was
    /// not asked for.
    NotNeeded,
    /// The provider offers no revocation.
    NotOffered,
    /// It was tried and did not work; the session may live on at the server.
    Failed(Report),
}

/// A seed that was looked at.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Seeded {
    /// What became of it.
    pub seed: SeedUse,
    /// Who is signed in now, and how.
    pub status: Status,
    /// What the person should know.
    pub warnings: Vec<Report>,
}

/// What became of a seed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SeedUse {
    /// It is the record now.
    Stored,
    /// The home held the same credential before.
    Held,
    /// The home holds a later generation of the same session, which stays.
    Outdated,
}

/// A record that is handed out.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Exported {
    /// The text of `auth.json`; nothing where only a change was asked for and there is none.
    pub record: Option<Secret>,
    /// What the person should know.
    pub warnings: Vec<Report>,
}

/// How somebody is signed in.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// With a ChatGPT account.
    Chatgpt,
    /// With an API key.
    #[serde(rename = "apikey")]
    ApiKey,
    /// With an account of another OAuth 2 or OpenID provider.
    Oauth,
    /// With an access token that was given.
    AccessToken,
    /// With a token that a command prints.
    Command,
}

/// Who is signed in, as far as this machine knows.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Status {
    /// Whether there is a credential that can be used or renewed.
    pub logged_in: bool,
    /// How.
    pub method: Option<Method>,
    /// Who.
    pub account: Option<Account>,
    /// The provider's name.
    pub provider: Option<String>,
    /// The issuer of a session.
    #[serde(default)]
    pub issuer: Option<String>,
    /// The store that holds the credential.
    pub store: Option<Place>,
    /// Which credential is used, and what it shadows.
    #[serde(default)]
    pub precedence: Precedence,
    /// When the access token expires.
    pub expires_at: Option<Timestamp>,
    /// When it was last renewed.
    pub last_refresh: Option<Timestamp>,
    /// Whether it was not renewed for more than 8 days, so that the server may have ended the session.
    pub stale: bool,
    /// A name for the session, the same in every home that holds it: two homes must not. It tells nothing about the
    /// tokens; absent where there is nothing to renew.
    pub session: Option<String>,
    /// What the method can and cannot do.
    pub capabilities: BTreeMap<String, bool>,
    /// What the person should know.
    pub warnings: Vec<Report>,
}

/// Whose credential it is, from claims that nobody has verified: for display.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Account {
    /// The e-mail address.
    pub email: Option<String>,
    /// The account (`chatgpt_account_id`, else `sub`).
    pub id: Option<String>,
    /// The person within the account (`chatgpt_user_id`, else `sub`).
    pub user_id: Option<String>,
    /// The workspace (`chatgpt_account_id`).
    pub workspace_id: Option<String>,
    /// The plan (`chatgpt_plan_type`).
    pub plan: Option<String>,
}

/// Keys of Amazon Web Services, for as long as a role is assumed.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct AssumedRole {
    /// The key's name (`AccessKeyId`).
    pub access_key_id: String,
    /// The key (`SecretAccessKey`).
    pub secret_access_key: Secret,
    /// What goes along with it (`SessionToken`).
    pub session_token: Secret,
    /// When they expire (`Expiration`).
    pub expiration: Timestamp,
    /// What the person should know.
    pub warnings: Vec<Report>,
}
