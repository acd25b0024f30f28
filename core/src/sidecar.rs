//! What Hallpass remembers beside the record: `hallpass.json`. No secret is in it.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::json;
use crate::record::Provenance;
use crate::{
    ClientAuthentication, Dialect, Home, LoginRequired, Place, Provider, Redirect, Secret, Seed, StoreMode, Timestamp,
};

/// The version that this one writes; a newer one is left alone.
const VERSION: u32 = 1;
/// How many spent and dead tokens are remembered.
const REMEMBERED: usize = 16;

/// The facts that make a store trustworthy: which one is pinned, what was seen in each, which tokens are
/// spent, whose home it is.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(default)]
pub(crate) struct Sidecar {
    version: u32,
    /// The store that the last login chose.
    pub(crate) store: Option<StoreMode>,
    pub(crate) home: Home,
    /// Makes the hashes of this home unlike those of any other.
    salt: String,
    /// The hash of each store's record, as last seen or written.
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
}

/// A refresh token that the server has finally rejected.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
struct Dead {
    token: String,
    reason: LoginRequired,
}

/// The last refresh that failed, so that the next process does not try at once.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Failure {
    at: Timestamp,
    count: u32,
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

impl Default for Sidecar {
    fn default() -> Self {
        Self {
            version: VERSION,
            store: None,
            home: Home::default(),
            salt: String::new(),
            file: None,
            keyring: None,
            spent: Vec::new(),
            dead: Vec::new(),
            failure: None,
            access_token: None,
            provider: None,
        }
    }
}

impl Sidecar {
    /// Reads `hallpass.json`. `None` when it is damaged: then nothing in it can be relied on.
    pub(crate) fn parse(text: &Secret) -> Option<Self> {
        json::read::from_str(text.expose()).ok()
    }

    pub(crate) fn text(&self) -> Secret {
        // Plain data: serialising cannot fail.
        Secret::new(serde_json::to_string(self).unwrap_or_default())
    }

    /// Whether a newer version wrote it.
    pub(crate) fn is_newer(&self) -> bool {
        self.version > VERSION
    }

    /// Whether it came here with a copy of the home.
    pub(crate) fn is_copied(&self, home: &Home) -> bool {
        let differs = |ours: &str, theirs: &str| !ours.is_empty() && !theirs.is_empty() && ours != theirs;
        differs(&self.home.path, &home.path) || differs(&self.home.machine, &home.machine)
    }

    /// A sidecar for this home, with a salt of its own.
    pub(crate) fn settled(mut self, home: &Home, seed: &Seed) -> Self {
        if self.salt.is_empty() {
            seed.text("salt").expose().clone_into(&mut self.salt);
        }
        self.home = home.clone();
        self
    }

    /// What a login leaves behind: nothing of the session before it.
    pub(crate) fn of_login(home: &Home, seed: &Seed, store: StoreMode, provider: Option<&Provider>) -> Self {
        let provider = provider.map(|provider| Client {
            name: provider.name.clone(),
            issuer: provider.issuer.clone(),
            client_id: provider.client_id.clone(),
            client_authentication: provider.client_authentication.clone(),
            dialect: provider.dialect,
            scopes: provider.scopes.clone(),
        });
        Self { store: Some(store), provider, ..Self::default() }.settled(home, seed)
    }

    fn hash(&self, value: &Secret) -> String {
        hash(&self.salt, value)
    }

    /// Whether the record in a store is the one last seen there.
    pub(crate) fn has_seen(&self, place: Place, record: &Secret) -> bool {
        let seen = match place {
            Place::File => &self.file,
            Place::Keyring => &self.keyring,
            Place::Ephemeral => return true,
        };
        seen.as_ref().is_some_and(|seen| *seen == self.hash(record))
    }

    /// Notes what a store holds now.
    pub(crate) fn saw(&mut self, place: Place, record: Option<&Secret>) {
        let hash = record.map(|record| self.hash(record));
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
        self.failure = None;
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

    /// Notes when an access token expires.
    pub(crate) fn expires(&mut self, token: &Secret, issued_at: Timestamp, expires_at: Timestamp) {
        self.access_token = Some(Lifetime { token: self.hash(token), issued_at, expires_at });
    }

    /// When this access token was issued and when it expires, if that was noted.
    pub(crate) fn lifetime(&self, token: &Secret) -> Option<(Timestamp, Timestamp)> {
        let noted = self.access_token.as_ref()?;
        (noted.token == self.hash(token)).then_some((noted.issued_at, noted.expires_at))
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
        };
        Some(plain.at(&client.issuer))
    }

    /// The provider's name, for display.
    pub(crate) fn provider_name(&self) -> Option<&String> {
        self.provider.as_ref().map(|client| &client.name)
    }

    /// Notes that a refresh failed.
    pub(crate) fn fail(&mut self, now: Timestamp) {
        let count = self.failure.map_or(0, |failure| failure.count);
        self.failure = Some(Failure { at: now, count: count.saturating_add(1) });
    }
}

impl Failure {
    /// Milliseconds until the next attempt: 1, 2, 4, … 60 seconds after the failure. A clock that was set back
    /// does not make the wait longer.
    pub(crate) fn wait(self, now: Timestamp) -> Option<u64> {
        let wait = 1000_i64.saturating_mul(1 << self.count.saturating_sub(1).min(6)).min(60_000);
        let elapsed = now.since(self.at);
        if elapsed < 0 || elapsed >= wait {
            return None;
        }
        u64::try_from(wait.saturating_sub(elapsed)).ok()
    }
}

/// What stands in the reserved place, a JSON object: the intent to refresh, and the answer once it has arrived.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Parked {
    pub(crate) intent: Intent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) answer: Option<Secret>,
}

/// Who is about to spend which refresh token. It stands for itself: a crash may leave nothing else behind, least
/// of all the sidecar of a home that another tool has made.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Intent {
    salt: String,
    /// The salted hash of the token.
    token: String,
    pub(crate) started: Timestamp,
    /// 1 for the first, more after an attempt that was not finished.
    pub(crate) attempt: u32,
}

impl Intent {
    pub(crate) fn new(token: &Secret, seed: &Seed, started: Timestamp, attempt: u32) -> Self {
        let salt = seed.text("intent").expose().to_owned();
        Self { token: hash(&salt, token), salt, started, attempt }
    }

    /// Whether it is about this token.
    pub(crate) fn is_of(&self, token: &Secret) -> bool {
        self.token == hash(&self.salt, token)
    }

    /// The intent as it stands before the answer.
    pub(crate) fn text(&self) -> Secret {
        Parked { intent: self.clone(), answer: None }.text()
    }

    /// The intent with the answer beside it, as it came.
    pub(crate) fn with_answer(&self, answer: &Secret) -> Secret {
        Parked { intent: self.clone(), answer: Some(answer.clone()) }.text()
    }
}

impl Parked {
    /// Reads the reserved place. `None` when it is not one of ours.
    pub(crate) fn parse(text: &Secret) -> Option<Self> {
        json::read::from_str(text.expose()).ok()
    }

    fn text(&self) -> Secret {
        // Plain data: serialising cannot fail.
        Secret::new(serde_json::to_string(self).unwrap_or_default())
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
mod tests {
    use super::*;
    use alloc::format;

    fn sidecar() -> Sidecar {
        Sidecar::default().settled(&Home { path: "/home/u/.codex".into(), machine: "m1".into() }, &Seed::new([7; 32]))
    }

    #[test]
    fn it_says_what_it_was_told_and_holds_no_token() {
        let mut sidecar = sidecar();
        let (old, dead, access) = (Secret::new("canary-old"), Secret::new("canary-dead"), Secret::new("canary-access"));
        sidecar.spend(&old);
        sidecar.bury(&dead, LoginRequired::Revoked);
        sidecar.expires(&access, Timestamp::from_seconds(1), Timestamp::from_seconds(9));
        sidecar.saw(Place::File, Some(&Secret::new("canary-record")));
        let text = sidecar.text();
        assert!(!text.expose().contains("canary"), "{}", text.expose());
        let read = Sidecar::parse(&text).unwrap();
        assert_eq!(read, sidecar);
        assert!(read.is_spent(&old) && !read.is_spent(&dead));
        assert_eq!(read.is_dead(&dead), Some(LoginRequired::Revoked));
        assert_eq!(read.lifetime(&access), Some((Timestamp::from_seconds(1), Timestamp::from_seconds(9))));
        assert!(read.has_seen(Place::File, &Secret::new("canary-record")) && !read.has_seen(Place::Keyring, &old));
    }

    #[test]
    fn it_forgets_the_oldest_first() {
        let mut sidecar = sidecar();
        let token = |n: usize| Secret::new(format!("t{n}"));
        (0..40).for_each(|n| sidecar.spend(&token(n)));
        assert!(sidecar.is_spent(&token(39)) && sidecar.is_spent(&token(24)) && !sidecar.is_spent(&token(23)));
    }

    #[test]
    fn a_copied_home_is_recognised() {
        let home = |path: &str, machine: &str| Home { path: path.into(), machine: machine.into() };
        let sidecar = sidecar();
        assert!(!sidecar.is_copied(&home("/home/u/.codex", "m1")) && !sidecar.is_copied(&home("", "")));
        assert!(sidecar.is_copied(&home("/backup/.codex", "m1")) && sidecar.is_copied(&home("/home/u/.codex", "m2")));
    }

    #[test]
    fn failures_back_off_and_a_clock_set_back_does_not_lock_out() {
        let mut sidecar = sidecar();
        let at = Timestamp::from_seconds(1000);
        for (count, wait) in [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000].into_iter().enumerate() {
            sidecar.fail(at);
            assert_eq!(sidecar.failure.unwrap().wait(at), Some(wait), "after {count}");
        }
        let failure = sidecar.failure.unwrap();
        assert_eq!(failure.wait(at.plus(60_000)), None);
        assert_eq!(failure.wait(at.plus(-1)), None);
    }

    #[test]
    fn a_newer_version_and_a_damaged_one() {
        assert!(Sidecar::parse(&Secret::new(r#"{"version":2,"unknown":{}}"#)).unwrap().is_newer());
        assert_eq!(Sidecar::parse(&Secret::new("{")), None);
    }

    #[test]
    fn what_is_parked_is_found_again() {
        let token = Secret::new("canary-token");
        let intent = Intent::new(&token, &Seed::new([7; 32]), Timestamp::from_seconds(5), 1);
        assert!(intent.is_of(&token) && !intent.is_of(&"another".into()));
        assert!(!intent.text().expose().contains("canary"));
        assert_eq!(Parked::parse(&intent.text()), Some(Parked { intent: intent.clone(), answer: None }));
        let answered = intent.with_answer(&"{\"a\":\n1}".into());
        assert!(!answered.expose().contains('\n'), "one line");
        assert_eq!(Parked::parse(&answered).unwrap().answer, Some("{\"a\":\n1}".into()));
        assert_eq!(Parked::parse(&Secret::new("\0\0\0")), None);
    }
}
