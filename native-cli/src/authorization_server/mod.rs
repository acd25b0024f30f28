//! An authorization server in a value: for tests, for `hallpass demo`, and for developing a client
//! without an account.
//!
//! [`AuthorizationServer::respond`] is a pure function of its state, the time and a request. It has
//! no clock, no socket and no entropy: what it mints derives from [`Options::seed`]. [`serve()`] puts
//! it on a loopback port.
//!
//! It speaks the standards (OAuth 2.0 with PKCE, the device grant, the grants for programs, revocation,
//! OpenID Connect discovery and identity tokens) and, at other paths, the dialect of the Codex CLI.

mod account_pages;
mod authorize;
mod client_authentication;
mod device;
mod discovery;
mod dpop;
mod families;
mod fault;
mod interaction;
mod issue;
mod journal;
mod jwt;
mod message;
mod mint;
mod openai_device;
mod options;
mod pages;
mod parameters;
mod programs;
mod pushed_authorization;
mod redirect_uri;
mod refresh;
mod resource;
mod revoke;
mod routes;
mod serve;
mod token;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub use families::Family;
pub use fault::{Endpoint, Fault, PlannedFault};
pub use journal::{Entry, Happening, Revocation};
pub use message::{Delivery, Request, Response, Served};
pub use options::{
    AccessTokenStyle, Account, CODEX_CLIENT_ID, Client, ClientAuthentication, Decision, Dialect, Dpop, Identities,
    Options, PersonalAccessToken, PublicKey, PushedAuthorization, RefreshTokens, Rotation,
};
pub use serve::{Aside, Serving, serve, serve_beside};

use device::Device;
use families::Families;
use interaction::Interaction;
use jwt::SigningKey;
use mint::{Digest, Mint, digest};
use pushed_authorization::Pushed;
use token::Code;

/// The number of a token family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FamilyId(pub u64);

/// An authorization server.
///
/// A clone is a branch: both go on from the same state and mint the same secrets for the same
/// requests. Equality and hash cover the whole state, the journal included.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AuthorizationServer {
    options: Arc<Options>,
    mint: Mint,
    interactions: BTreeMap<Digest, Interaction>,
    /// Authorization requests that wait for their browser.
    pushed: BTreeMap<Digest, Pushed>,
    codes: BTreeMap<Digest, Code>,
    families: Families,
    devices: BTreeMap<Digest, Device>,
    /// API keys and personal access tokens, and whose they are.
    keys: BTreeMap<Digest, String>,
    /// The client assertions and proofs of possession seen, until they expire (RFC 7523, section 3; RFC 9449, section 11.1).
    assertions: BTreeMap<Digest, i64>,
    faults: Vec<PlannedFault>,
    journal: Vec<Entry>,
    token_requests: u64,
    now: i64,
}

/// The journal forgets its older half when it grows beyond this.
const JOURNAL_LIMIT: usize = 20_000;

impl AuthorizationServer {
    /// A server that has seen nothing yet.
    pub fn new(options: Options) -> Self {
        let keys = options.personal_access_tokens.iter();
        Self {
            mint: Mint::new(options.seed, &options.canary),
            interactions: BTreeMap::new(),
            pushed: BTreeMap::new(),
            codes: BTreeMap::new(),
            families: Families::default(),
            devices: BTreeMap::new(),
            keys: keys.map(|known| (digest(&known.token), known.account_id.clone())).collect(),
            assertions: BTreeMap::new(),
            faults: options.faults.clone(),
            journal: Vec::new(),
            token_requests: 0,
            now: 0,
            options: Arc::new(options),
        }
    }

    /// What the server was told.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Changes what the server was told, from the next request on. Tokens that exist keep their
    /// lifetimes; `seed`, `canary`, `personal_access_tokens` and `faults` matter only at the start.
    pub fn options_mut(&mut self) -> &mut Options {
        Arc::make_mut(&mut self.options)
    }

    /// Everything that happened, oldest first.
    pub fn journal(&self) -> &[Entry] {
        &self.journal
    }

    /// How many requests reached the token endpoint, refused ones included, lost ones not.
    pub fn token_requests(&self) -> u64 {
        self.token_requests
    }

    /// Mints a personal access token (`at-…`) for the account with this id or email.
    pub fn issue_personal_access_token(&mut self, account: &str) -> Option<String> {
        let account_id = self.find_account(account)?.id;
        let token = self.mint.secret("at-", "personal access token");
        self.keys.insert(digest(&token), account_id);
        Some(token)
    }

    fn note(&mut self, happening: Happening) {
        if self.journal.len() >= JOURNAL_LIMIT {
            self.journal.drain(..JOURNAL_LIMIT / 2);
        }
        let at = self.now;
        self.journal.push(Entry { at, happening });
    }

    fn signing_key(&self) -> SigningKey {
        SigningKey::of_seed(&self.mint.fixed("signing key"))
    }

    fn find_client(&self, id: &str) -> Option<Client> {
        let mut clients = self.options.clients.iter();
        clients.find(|client| client.id == id).cloned()
    }

    fn find_account(&self, id_or_email: &str) -> Option<Account> {
        let mut users = self.options.users.iter();
        users.find(|user| user.id == id_or_email || user.email == id_or_email).cloned()
    }

    /// Forgets what nobody can use any more, so that a server may run for weeks.
    fn prune(&mut self) {
        const KEEP_MS: i64 = 3_600_000;
        let now = self.now;
        self.interactions.retain(|_, shown| shown.expires_at > now);
        self.pushed.retain(|_, pushed| pushed.expires_at > now);
        self.codes.retain(|_, code| code.expires_at.saturating_add(KEEP_MS) > now);
        self.devices.retain(|_, device| device.expires_at.saturating_add(KEEP_MS) > now);
        self.assertions.retain(|_, expires_at| *expires_at > now);
        self.families.prune(now);
    }
}

impl fmt::Debug for AuthorizationServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AuthorizationServer")
            .field("issuer", &self.options.issuer)
            .field("token_requests", &self.token_requests)
            .field("families", &self.families.by_id.len())
            .finish_non_exhaustive()
    }
}
