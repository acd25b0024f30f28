//! The tokens of an OAuth login, as a record holds them.

use alloc::format;
use alloc::string::{String, ToString};

use sha2::{Digest as _, Sha256};

use crate::claims::Claims;
use crate::json::{self, Object};
use crate::token_response::TokenSet;
use crate::{Account, Provider, Secret, Timestamp};

/// `tokens` of `auth.json`. Members that this version does not know are kept.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Tokens {
    object: Object,
    id_token: Secret,
    access_token: Secret,
    times: Times,
    refresh_token: Secret,
    account_id: Option<String>,
    /// `login_owner_id`: new for each login, kept by a refresh.
    owner: Option<Secret>,
    provenance: Option<Provenance>,
}

/// What the access token says of its time, if it is a JWT that says so. It is asked for again and again, and read once.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
struct Times {
    issued_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
}

/// `oauth_provenance`: who issued the tokens, to whom.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Provenance {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
}

json::object! { Provenance { issuer, client_id } }

impl Tokens {
    pub(super) fn read(object: Object) -> Result<Self, String> {
        let access_token = object.member("access_token")?.unwrap_or_default();
        Ok(Self {
            id_token: object.member("id_token")?.unwrap_or_default(),
            times: Times::of(&access_token),
            access_token,
            refresh_token: object.member("refresh_token")?.unwrap_or_default(),
            account_id: object.member("account_id")?,
            owner: object.member("login_owner_id").ok().flatten(),
            provenance: object.member("oauth_provenance")?,
            object,
        })
    }

    /// The tokens of a new login, in Codex's order of members. `owner` is `login_owner_id`: 43 random
    /// characters, new for each login.
    pub(crate) fn granted(set: TokenSet, provider: &Provider, owner: &Secret) -> Self {
        let mut object = Object::default();
        let id_token = set.id_token.unwrap_or_default();
        let refresh_token = set.refresh_token.unwrap_or_default();
        object.set_text("id_token", id_token.expose());
        object.set_text("access_token", set.access_token.expose());
        object.set_text("refresh_token", refresh_token.expose());
        let mut provenance = Object::default();
        provenance.set_text("issuer", &provider.issuer);
        provenance.set_text("client_id", &provider.client_id);
        object.set_object("oauth_provenance", &provenance);
        object.set_text("login_owner_id", owner.expose());
        let account_id = Claims::of(&id_token).as_ref().and_then(Claims::workspace).cloned();
        match &account_id {
            Some(id) => object.set_text("account_id", id),
            None => object.set("account_id", "null"),
        }
        Self {
            object,
            id_token,
            times: Times::of(&set.access_token),
            access_token: set.access_token,
            refresh_token,
            account_id,
            owner: Some(owner.clone()),
            provenance: Some(Provenance { issuer: provider.issuer.clone(), client_id: provider.client_id.clone() }),
        }
    }

    /// The same session with what a refresh answered; what the answer leaves out stays (RFC 6749, section 6).
    pub(crate) fn renewed(mut self, set: &TokenSet) -> Self {
        self.access_token = set.access_token.clone();
        self.times = Times::of(&set.access_token);
        self.object.set_text("access_token", set.access_token.expose());
        if let Some(refresh_token) = &set.refresh_token {
            self.refresh_token = refresh_token.clone();
            self.object.set_text("refresh_token", refresh_token.expose());
        }
        if let Some(id_token) = &set.id_token {
            self.id_token = id_token.clone();
            self.object.set_text("id_token", id_token.expose());
        }
        self
    }

    pub(super) fn object(&self) -> &Object {
        &self.object
    }

    pub(crate) fn access_token(&self) -> &Secret {
        &self.access_token
    }

    /// The refresh token, if there is one.
    pub(crate) fn refresh_token(&self) -> Option<&Secret> {
        Some(&self.refresh_token).filter(|token| !token.is_empty())
    }

    /// The ID token, if there is one.
    pub(crate) fn id_token(&self) -> Option<&Secret> {
        Some(&self.id_token).filter(|token| !token.is_empty())
    }

    pub(crate) fn account_id(&self) -> Option<&String> {
        self.account_id.as_ref()
    }

    /// What tells this login from any other.
    pub(crate) fn owner(&self) -> Option<&Secret> {
        self.owner.as_ref()
    }

    pub(crate) fn provenance(&self) -> Option<&Provenance> {
        self.provenance.as_ref()
    }

    /// When the access token expires, if it is a JWT that says so.
    pub(crate) fn expires_at(&self) -> Option<Timestamp> {
        self.times.expires_at
    }

    /// When the access token was issued, if it is a JWT that says so.
    pub(crate) fn issued_at(&self) -> Option<Timestamp> {
        self.times.issued_at
    }

    /// For how long the access token was issued, in milliseconds, if it is a JWT that says so.
    pub(crate) fn lifetime(&self) -> Option<i64> {
        Some(self.expires_at()?.since(self.issued_at()?)).filter(|lifetime| *lifetime > 0)
    }

    /// Whose session it is, for display.
    pub(crate) fn account(&self) -> Option<Account> {
        let of_access_token = || Claims::of(&self.access_token).map(Claims::account);
        let mut account = Claims::of(&self.id_token).map(Claims::account).or_else(of_access_token)?;
        if account.workspace_id.is_none() {
            account.workspace_id.clone_from(&self.account_id);
            account.id = self.account_id.as_ref().map(ToString::to_string).or(account.id);
        }
        Some(account)
    }

    /// Whether nothing in the two sessions says that they belong to different accounts.
    pub(crate) fn same_account(&self, other: &Self) -> bool {
        let ids_agree = match (&self.account_id, &other.account_id) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        };
        ids_agree && self.issued_to_same(&other.id_token)
    }

    /// A name for the session, the same in every copy of it: of the login where that is known, and so for as long as
    /// it lasts; else of this refresh token.
    pub(crate) fn session(&self) -> Option<String> {
        let known = self.owner.as_ref().filter(|owner| !owner.is_empty());
        let secret = self.refresh_token().map(|token| known.unwrap_or(token))?;
        let digest = Sha256::new().chain_update("hallpass session ").chain_update(secret.expose()).finalize();
        Some(format!("{digest:x}").chars().take(32).collect())
    }

    /// Whether something in the two sessions says that they belong to one account, and nothing that they do not.
    pub(crate) fn is_known_same_account(&self, other: &Self) -> bool {
        let named = |tokens: &Self| tokens.account().map(|account| (account.id, account.user_id));
        let same_provider = match (&self.provenance, &other.provenance) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        };
        let is_known = self.owner.is_some() && self.owner == other.owner
            || named(self).is_some_and(|ours| Some(ours) == named(other))
            || self.account_id.is_some() && self.account_id == other.account_id;
        is_known && same_provider && self.same_account(other)
    }

    /// Whether both stem from one login; `None` where that is not known.
    pub(crate) fn same_login(&self, other: &Self) -> Option<bool> {
        match (&self.owner, &other.owner) {
            (Some(ours), Some(theirs)) => Some(ours == theirs),
            // Tools that know nothing of `login_owner_id` have written both.
            (None, None) => Some(true),
            _ => None,
        }
    }

    /// Whether the server has put both into one session, so that whoever revokes the one ends the other: a second login in
    /// the same browser is such a case with Keycloak. It is known where tokens name their session (`sid`; OpenID Connect
    /// Front-Channel Logout, section 3), which OpenAI's do not promise to be about this.
    pub(crate) fn shares_session(&self, other: &Self, provider: &Provider) -> bool {
        !provider.is_openai()
            && self.provenance.is_some()
            && self.provenance == other.provenance
            && self.sid().is_some_and(|sid| Some(sid) == other.sid())
    }

    fn sid(&self) -> Option<String> {
        [&self.id_token, &self.access_token].into_iter().find_map(|token| Claims::of(token)?.sid.0)
    }

    /// Whether an `id_token` can belong to this session (OpenID Connect Core, section 12.2).
    pub(crate) fn issued_to_same(&self, id_token: &Secret) -> bool {
        let Some(theirs) = Claims::of(id_token) else { return true };
        let workspace_agrees = match (&self.account_id, theirs.workspace()) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        };
        workspace_agrees && Claims::of(&self.id_token).is_none_or(|ours| ours.agrees_with(&theirs))
    }
}

impl Times {
    fn of(access_token: &Secret) -> Self {
        let claims = Claims::of(access_token).unwrap_or_default();
        Self { issued_at: claims.issued_at(), expires_at: claims.expires_at() }
    }
}
