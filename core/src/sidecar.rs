//! What Hallpass remembers beside the record: `hallpass.json`. No secret is in it.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::dpop::{Possession, PublicKey};
use crate::json;
use crate::record::{Provenance, Tokens};
use crate::token_response::TokenSet;
use crate::{
    ClientAuthentication, Dialect, Home, LoginRequired, Place, Provider, Redirect, Secret, Seed, StoreMode, Timestamp,
};

mod failure;
mod parked;

pub(crate) use failure::Failure;
pub(crate) use parked::{Intent, Parked};

/// The version that this one writes; a newer one is left alone.
const VERSION: u32 = 1;
/// How many spent and dead tokens are remembered.
const REMEMBERED: usize = 16;
/// A clock that is wrong by less, in milliseconds, does not matter.
const TOLERANCE: u64 = 60_000;

/// The facts that make a store trustworthy: which one is pinned, what was seen in each, which tokens are
/// spent, whose home it is.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(default)]
pub(crate) struct Sidecar {
    version: u32,
    /// The store that the last login chose.
    pub(crate) store: Option<StoreMode>,
    pub(crate) home: Home,
    /// Where the home is being moved to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) moving: Option<String>,
    /// Makes the hashes of this home unlike those of any other.
    salt: String,
    /// Where the record was written last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<Place>,
    /// The hash of each store's record, as last seen or written; empty where the store was.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keyring: Option<String>,
    spent: Vec<String>,
    dead: Vec<Dead>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<Failure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<Lifetime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<Client>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace: Option<Workspace>,
    /// The hash of the seed that was handed in last: the session is one that other homes may hold copies of.
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<Bound>,
}

/// The key that the tokens of a session are bound to.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Bound {
    /// Which session it is, as a hash: what another tool has put into its place is not bound.
    login: String,
    /// Its public half.
    pub(crate) key: PublicKey,
    /// The nonce for the next proof at the token endpoint, where the server gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nonce: Option<String>,
}

/// The workspace of an access token that does not say so itself.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
struct Workspace {
    token: String,
    id: String,
}

/// A refresh token that the server has finally rejected.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
struct Dead {
    token: String,
    reason: LoginRequired,
}

/// When an access token that does not say so itself expires.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
struct Lifetime {
    token: String,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

/// The provider of the last login, as far as a record does not name it. Its endpoints are never taken from here.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
struct Client {
    name: String,
    issuer: String,
    client_id: String,
    #[serde(default)]
    client_authentication: ClientAuthentication,
    #[serde(default)]
    dialect: Dialect,
    #[serde(default)]
    scopes: Vec<String>,
}

json::object! {
    Sidecar {
        version = VERSION,
        store,
        home = Home::default(),
        moving,
        salt = String::new(),
        place,
        file,
        keyring,
        spent = Vec::new(),
        dead = Vec::new(),
        failure,
        access_token,
        provider,
        workspace,
        seed,
        proof,
    }
}
json::object! { Bound { login, key, nonce } }
json::object! { Workspace { token, id } }
json::object! { Dead { token, reason } }
json::object! { Lifetime { token, issued_at, expires_at } }
json::object! {
    Client {
        name,
        issuer,
        client_id,
        client_authentication = ClientAuthentication::None,
        dialect = Dialect::Standard,
        scopes = Vec::new(),
    }
}

impl Default for Sidecar {
    fn default() -> Self {
        Self {
            version: VERSION,
            store: None,
            home: Home::default(),
            moving: None,
            salt: String::new(),
            place: None,
            file: None,
            keyring: None,
            spent: Vec::new(),
            dead: Vec::new(),
            failure: None,
            access_token: None,
            provider: None,
            workspace: None,
            seed: None,
            proof: None,
        }
    }
}

impl Sidecar {
    /// Reads `hallpass.json`. `None` when it is damaged: then nothing in it can be relied on.
    pub(crate) fn parse(text: &Secret) -> Option<Self> {
        json::read(text.expose()).ok()
    }

    pub(crate) fn text(&self) -> Secret {
        Secret::new(json::write(self))
    }

    /// Whether a newer version wrote it.
    pub(crate) fn is_newer(&self) -> bool {
        self.version > VERSION
    }

    /// Whether it came here with a copy of the home.
    pub(crate) fn is_copied(&self, home: &Home) -> bool {
        let differs = |ours: &str, theirs: &str| !ours.is_empty() && !theirs.is_empty() && ours != theirs;
        let moved = self.moving.as_ref() == Some(&home.path);
        (!moved && differs(&self.home.path, &home.path)) || differs(&self.home.machine, &home.machine)
    }

    /// A sidecar for this home, with a salt of its own.
    pub(crate) fn settled(mut self, home: &Home, seed: &Seed) -> Self {
        if self.salt.is_empty() {
            seed.text("salt").expose().clone_into(&mut self.salt);
        }
        self.home = home.clone();
        self.moving = None;
        self
    }

    /// What a login leaves behind: nothing of the session before it, but what the stores held and which tokens are
    /// finished, so that nothing old counts again.
    pub(crate) fn of_login(self, home: &Home, seed: &Seed, store: StoreMode, provider: Option<&Provider>) -> Self {
        let provider = provider.map(|provider| Client {
            name: provider.name.clone(),
            issuer: provider.issuer.clone(),
            client_id: provider.client_id.clone(),
            client_authentication: provider.client_authentication.clone(),
            dialect: provider.dialect,
            scopes: provider.scopes.clone(),
        });
        let fresh = Self {
            version: VERSION,
            store: Some(store),
            provider,
            failure: None,
            access_token: None,
            workspace: None,
            seed: None,
            proof: None,
            ..self
        };
        fresh.settled(home, seed)
    }

    /// What a seed leaves behind: as a login does, but for who has granted the session, which a record may not say.
    pub(crate) fn of_seed(self, home: &Home, seed: &Seed, store: StoreMode) -> Self {
        let provider = self.provider.clone();
        Self { provider, ..self.of_login(home, seed, store, None) }
    }

    /// Notes the seed that was handed in.
    pub(crate) fn saw_seed(&mut self, record: &Secret) {
        self.seed = Some(self.hash(&json::dense(record)));
    }

    /// Whether this is the seed that was handed in last.
    pub(crate) fn is_seed(&self, record: &Secret) -> bool {
        self.seed.as_ref().is_some_and(|seed| *seed == self.hash(&json::dense(record)))
    }

    /// Why the server has rejected a refresh token, as far as it is known here: of a seed there are other copies.
    pub(crate) fn explained(&self, reason: LoginRequired) -> LoginRequired {
        match reason {
            LoginRequired::SpentElsewhere | LoginRequired::Revoked if self.seed.is_some() => LoginRequired::SeedSpent,
            reason => reason,
        }
    }

    fn hash(&self, value: &Secret) -> String {
        hash(&self.salt, value)
    }

    /// Whether a store holds something else than when it was last seen; `None` when it never was.
    pub(crate) fn changed(&self, place: Place, record: &Secret) -> Option<bool> {
        self.seen(place).map(|seen| *seen != self.hash(&json::dense(record)))
    }

    /// Whether a store held a record when it was last seen.
    pub(crate) fn holds(&self, place: Place) -> bool {
        self.seen(place).is_some_and(|seen| !seen.is_empty())
    }

    fn seen(&self, place: Place) -> Option<&String> {
        match place {
            Place::File => self.file.as_ref(),
            Place::Keyring => self.keyring.as_ref(),
            Place::Ephemeral => None,
        }
    }

    /// Notes what a store holds now.
    pub(crate) fn saw(&mut self, place: Place, record: Option<&Secret>) {
        // Without a salt a hash would not be found again once there is one.
        if self.salt.is_empty() {
            return;
        }
        let hash = Some(record.map(|record| self.hash(&json::dense(record))).unwrap_or_default());
        match place {
            Place::File => self.file = hash,
            Place::Keyring => self.keyring = hash,
            Place::Ephemeral => {}
        }
    }

    /// Notes a refresh token that was exchanged for a new one.
    pub(crate) fn spend(&mut self, token: &Secret) {
        let hash = self.hash(token);
        self.spent.retain(|spent| *spent != hash);
        self.spent.push(hash);
        let excess = self.spent.len().saturating_sub(REMEMBERED);
        self.spent.drain(..excess);
    }

    /// Whether this refresh token was already exchanged here (an old file came back).
    pub(crate) fn is_spent(&self, token: &Secret) -> bool {
        let hash = self.hash(token);
        self.spent.contains(&hash)
    }

    /// Notes a refresh token that must never be sent again, and why.
    pub(crate) fn bury(&mut self, token: &Secret, reason: LoginRequired) {
        let token = self.hash(token);
        self.dead.retain(|dead| dead.token != token);
        self.dead.push(Dead { token, reason });
        let excess = self.dead.len().saturating_sub(REMEMBERED);
        self.dead.drain(..excess);
        self.failure = None;
    }

    /// Why this refresh token must not be sent again, if so.
    pub(crate) fn is_dead(&self, token: &Secret) -> Option<LoginRequired> {
        let hash = self.hash(token);
        self.dead.iter().find(|dead| dead.token == hash).map(|dead| dead.reason)
    }

    /// Whether this refresh token is finished, one way or the other.
    pub(crate) fn is_finished(&self, token: &Secret) -> bool {
        self.is_spent(token) || self.is_dead(token).is_some()
    }

    /// Notes how long an access token lives by this clock, where it does not say so itself or this clock disagrees.
    pub(crate) fn lives(&mut self, tokens: &Tokens, expires_in: Option<i64>, granted: Timestamp) {
        let Some(lifetime) = expires_in.or_else(|| tokens.lifetime()) else { return };
        let expires_at = granted.plus(lifetime);
        if tokens.expires_at().is_none_or(|claimed| claimed.since(expires_at).unsigned_abs() > TOLERANCE) {
            let token = self.hash(tokens.access_token());
            self.access_token = Some(Lifetime { token, issued_at: granted, expires_at });
        }
    }

    /// When this access token was issued and when it expires, if that was noted.
    pub(crate) fn lifetime(&self, token: &Secret) -> Option<(Timestamp, Timestamp)> {
        let noted = self.access_token.as_ref()?;
        (noted.token == self.hash(token)).then_some((noted.issued_at, noted.expires_at))
    }

    /// For how long the last token was issued whose end had to be noted, in milliseconds.
    pub(crate) fn usual_lifetime(&self) -> Option<i64> {
        self.access_token.as_ref().map(|noted| noted.expires_at.since(noted.issued_at))
    }

    /// Notes which workspace the server has named for an access token.
    pub(crate) fn belongs(&mut self, token: &Secret, workspace: String) {
        self.workspace = Some(Workspace { token: self.hash(token), id: workspace });
    }

    /// The workspace of this access token, if that was noted.
    pub(crate) fn workspace(&self, token: &Secret) -> Option<&String> {
        let noted = self.workspace.as_ref()?;
        (noted.token == self.hash(token)).then_some(&noted.id)
    }

    /// The provider of this session, where the last login had the same issuer and client.
    pub(crate) fn provider(&self, provenance: &Provenance) -> Option<Provider> {
        let client = self.provider.as_ref()?;
        if client.issuer != provenance.issuer || client.client_id != provenance.client_id {
            return None;
        }
        let plain = Provider {
            name: client.name.clone(),
            issuer: client.issuer.clone(),
            client_id: client.client_id.clone(),
            client_authentication: client.client_authentication.clone(),
            endpoints: None,
            scopes: client.scopes.clone(),
            authorization_parameters: Vec::new(),
            dialect: client.dialect,
            redirect: Redirect::default(),
            grant: None,
            pushed_authorization: true,
            dpop: true,
        };
        Some(plain.at(&client.issuer))
    }

    /// Notes that the tokens of this session are bound to a key.
    pub(crate) fn bind(&mut self, tokens: &Tokens, possession: &Possession, nonce: Option<String>) {
        let Some(owner) = tokens.owner() else { return };
        self.proof = Some(Bound { login: self.hash(owner), key: possession.public().clone(), nonce });
    }

    /// Notes what a refresh has said about the key: the nonce for the next proof, or that nothing is bound any more.
    pub(crate) fn rebind(&mut self, set: &TokenSet) {
        self.proof = self.proof.take().filter(|_| set.is_bound);
        if let (Some(bound), Some(nonce)) = (&mut self.proof, &set.nonce) {
            bound.nonce = Some(nonce.clone());
        }
    }

    /// The key that these tokens are bound to, if they are.
    pub(crate) fn bound(&self, tokens: &Tokens) -> Option<&Bound> {
        let owner = tokens.owner()?;
        self.proof.as_ref().filter(|bound| bound.login == self.hash(owner))
    }

    /// The key that lies beside the record, or may.
    pub(crate) fn proof_key(&self) -> Option<&PublicKey> {
        self.proof.as_ref().map(|bound| &bound.key)
    }

    /// The provider's name, for display.
    pub(crate) fn provider_name(&self) -> Option<&String> {
        self.provider.as_ref().map(|client| &client.name)
    }

    /// Notes that a refresh did not help, and how long the server asks to be left alone, in milliseconds.
    pub(crate) fn fail(&mut self, now: Timestamp, asked: u64) {
        self.failure = Some(Failure::after(self.failure, now, asked));
    }
}

fn hash(salt: &str, value: &Secret) -> String {
    let digest = Sha256::new().chain_update(salt).chain_update([0]).chain_update(value.expose()).finalize();
    digest.iter().take(16).fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
