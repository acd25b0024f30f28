//! What an administrator, and a home's own `config.toml`, permit.
//!
//! A policy only ever narrows: `forced_login_method` and `forced_chatgpt_workspace_id` of a person are met with it, and
//! what both permit is permitted. It is asked before a login sends anything, whenever a credential is used, and once
//! more at each save, by a shell that has read the administrator's file again.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::claims::Claims;
use crate::environment::ACCESS_TOKEN as VARIABLE;
use crate::home::{Held, provider_of};
use crate::precedence::Source;
use crate::record::{Credential, Record, Tokens};
use crate::settings::{Setting, Settings, Value};
use crate::{
    Configuration, Error, Forbidden, HOMES, LoginMethod, Place, Request, Secret, Slot, StoreFailure, StoreMode,
    StoreTrouble,
};

/// What an administrator permits: the file `requirements.toml`, whose first two keys are Codex's. `None` permits
/// everything, an empty list nothing.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// `allowed_login_methods`: the ways to sign in.
    #[serde(default)]
    pub login_methods: Option<Vec<LoginKind>>,
    /// `allowed_chatgpt_workspaces`: the workspaces that a session may belong to. API keys belong to none.
    #[serde(default)]
    pub workspaces: Option<Vec<String>>,
    /// `hallpass.allowed_issuers`: who may sign people in, compared exactly.
    #[serde(default)]
    pub issuers: Option<Vec<String>>,
    /// `hallpass.allowed_stores`: where credentials may be kept. `auto` is the keyring and the file.
    #[serde(default)]
    pub stores: Option<Vec<StoreMode>>,
    /// `hallpass.forbid_plaintext`: no credential in a file that is not encrypted.
    #[serde(default)]
    pub forbid_plaintext: bool,
    /// `hallpass.forbid_endpoint_overrides`: no variable says where tokens are sent, not even on loopback.
    #[serde(default)]
    pub forbid_endpoint_overrides: bool,
}

/// A kind of login, as Codex counts them (`forced_login_method`).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LoginKind {
    /// A session, of ChatGPT or of another provider (Codex's record does not tell them apart), and an access token that
    /// was given.
    Chatgpt,
    /// An API key.
    Api,
}

const METHODS: &str = "allowed_login_methods";
const WORKSPACES: &str = "allowed_chatgpt_workspaces";
const ISSUERS: &str = "hallpass.allowed_issuers";
const STORES: &str = "hallpass.allowed_stores";
const FORBID_PLAINTEXT: &str = "hallpass.forbid_plaintext";
const FORBID_ENDPOINT_OVERRIDES: &str = "hallpass.forbid_endpoint_overrides";

impl Policy {
    /// The keys of a `requirements.toml` that are read. One that is unknown in the table that is ours could be one that
    /// forbids something.
    pub(crate) const KEYS: [&'static str; 6] =
        [METHODS, WORKSPACES, ISSUERS, STORES, FORBID_PLAINTEXT, FORBID_ENDPOINT_OVERRIDES];

    /// The policy in the values of a `requirements.toml`. Codex's other keys are left alone.
    ///
    /// # Errors
    /// [`Misused::Value`](crate::Misused::Value) for a value of another type, an unknown name, and a key of the table
    /// `hallpass` that this version does not know.
    pub fn of(values: &Settings) -> Result<Self, Error> {
        if values.get("hallpass").is_some_and(|table| table.value != Value::TABLE) {
            return Err(values.unusable("hallpass", "it is not a table"));
        }
        let is_unknown =
            |setting: &&Setting| setting.key.starts_with("hallpass.") && !Self::KEYS.contains(&setting.key.as_str());
        if let Some(unknown) = values.all().find(is_unknown) {
            return Err(values.unusable(&unknown.key, "this version does not know it, and it may forbid something"));
        }
        Ok(Self {
            login_methods: values.names_of(METHODS, &LoginKind::NAMES)?,
            workspaces: values.texts(WORKSPACES)?,
            issuers: values.texts(ISSUERS)?,
            stores: values.names_of(STORES, &StoreMode::NAMES)?,
            forbid_plaintext: values.flag(FORBID_PLAINTEXT)?.unwrap_or(false),
            forbid_endpoint_overrides: values.flag(FORBID_ENDPOINT_OVERRIDES)?.unwrap_or(false),
        })
    }

    /// Whether this may be written to a slot. A shell asks it of the policy that is in force at the moment of each
    /// `Save` and `Reserve`; `contents` is what is saved.
    ///
    /// # Errors
    /// [`StoreTrouble::Forbidden`], to answer the effect with.
    pub fn permits_save(&self, slot: Slot, contents: &Secret) -> Result<(), StoreFailure> {
        let permitted = match slot {
            // No secret is in the first, and the others never leave memory.
            Slot::Sidecar | Slot::NewProof | Slot::Minted => return Ok(()),
            Slot::Parked(place) | Slot::Client(place) | Slot::Proof(place) => self.permits_place(place),
            Slot::Record(place) => self.permits_place(place).and_then(|()| match Record::parse(contents) {
                Ok(record) => {
                    Rules { policy: self, forced: None, workspaces: self.workspaces.clone() }.permit_record(&record)
                }
                Err(_) => Ok(()),
            }),
        };
        permitted.map_err(|error| StoreFailure { kind: StoreTrouble::Forbidden, detail: error.to_string() })
    }

    fn permits_issuer(&self, issuer: &str) -> Result<(), Error> {
        let is_permitted = self.issuers.as_ref().is_none_or(|issuers| issuers.iter().any(|one| one == issuer));
        if is_permitted { Ok(()) } else { Err(Forbidden::Issuer { issuer: crate::text::plain(issuer) }.into()) }
    }

    /// Whether credentials may lie there.
    pub(crate) fn permits_place(&self, place: Place) -> Result<(), Error> {
        let (mode, name) = match place {
            Place::File => (StoreMode::File, "the file"),
            Place::Keyring => (StoreMode::Keyring, "the keyring"),
            Place::Ephemeral => (StoreMode::Ephemeral, "this process's memory"),
        };
        if self.permits_mode(mode) {
            return Ok(());
        }
        Err(Forbidden::Store { detail: format!("the policy forbids to keep credentials in {name}") }.into())
    }

    /// What is to be said of a store that failed: a keyring that is not there is the policy's doing, where nothing else is
    /// permitted.
    pub(crate) fn blame(&self, failure: StoreFailure) -> Error {
        match self.permits_place(Place::File) {
            Err(forbidden) if failure.kind == StoreTrouble::Unavailable => {
                Forbidden::Store { detail: format!("{forbidden}, and there is no keyring here: {}", failure.detail) }
                    .into()
            }
            _ => failure.into(),
        }
    }

    /// Whether a login may choose this store. `auto` needs the keyring; without the file it has no way out of it.
    fn permits_mode(&self, mode: StoreMode) -> bool {
        if !HOMES {
            return true;
        }
        let is_listed = |mode| self.stores.as_ref().is_none_or(|stores| stores.contains(&mode));
        match mode {
            StoreMode::File => !self.forbid_plaintext && (is_listed(StoreMode::File) || is_listed(StoreMode::Auto)),
            StoreMode::Keyring | StoreMode::Auto => is_listed(StoreMode::Keyring) || is_listed(StoreMode::Auto),
            StoreMode::Ephemeral => is_listed(StoreMode::Ephemeral),
        }
    }

    /// The store where nobody has chosen one: Codex's default, unless it is forbidden.
    pub(crate) fn usual_store(&self) -> StoreMode {
        let permitted = [StoreMode::File, StoreMode::Keyring, StoreMode::Ephemeral];
        permitted.into_iter().find(|mode| self.permits_mode(*mode)).unwrap_or_default()
    }
}

const SESSION: &str = "ChatGPT";
const API_KEY: &str = "API key";
const ACCESS_TOKEN: &str = "access token";

impl Configuration {
    /// Whether a flow may begin at all; nothing is read and nothing is sent before.
    pub(crate) fn permits(&self, request: &Request) -> Result<(), Error> {
        match request {
            Request::Login(login) => self.permits_login(&login.method, login.store),
            Request::Token(_) | Request::Logout(_) | Request::Export(_) | Request::Proof(_) | Request::Role(_) => {
                self.permits_overrides()
            }
            Request::Status(status) if status.check => self.permits_overrides(),
            Request::Status(_) | Request::Seed(_) | Request::Enforce(_) => Ok(()),
        }
    }

    /// Whether somebody may sign in this way, and choose this store. A shell may ask it before it asks a person for a
    /// secret; what the method holds is not looked at.
    ///
    /// # Errors
    /// [`Error::Forbidden`]
    pub fn permits_login(&self, method: &LoginMethod, store: Option<StoreMode>) -> Result<(), Error> {
        if !HOMES {
            return Ok(());
        }
        self.permits_overrides()?;
        let (kind, name) = match method {
            LoginMethod::ApiKey(_) => (LoginKind::Api, API_KEY),
            LoginMethod::AccessToken(_) => (LoginKind::Chatgpt, ACCESS_TOKEN),
            LoginMethod::Browser | LoginMethod::DeviceCode => (LoginKind::Chatgpt, SESSION),
        };
        self.rules().permit_kind(kind, name)?;
        if kind == LoginKind::Chatgpt {
            self.policy.permits_issuer(&self.provider.issuer)?;
        }
        self.store_for_login(store.or(self.store), self.store()).map(|_| ())
    }

    fn permits_overrides(&self) -> Result<(), Error> {
        let is_forbidden = HOMES && self.policy.forbid_endpoint_overrides;
        match self.overrides().into_iter().find(|(_, url)| is_forbidden && url.is_some()) {
            Some((variable, _)) => Err(Forbidden::Override { variable: variable.to_owned() }.into()),
            None => Ok(()),
        }
    }

    /// Whether the credential that a home holds may be used.
    pub(crate) fn permits_held(&self, record: &Record, held: &Held) -> Result<(), Error> {
        if !HOMES {
            return Ok(());
        }
        let rules = self.rules();
        match record.credential() {
            Credential::Tokens(tokens) => {
                rules.permit_kind(LoginKind::Chatgpt, SESSION)?;
                self.policy.permits_issuer(&provider_of(tokens, &held.sidecar, self).issuer)?;
                rules.permit_workspaces(|| workspaces(tokens))?;
            }
            Credential::ApiKey(_) => rules.permit_kind(LoginKind::Api, API_KEY)?,
            Credential::AccessToken(token) => {
                rules.permit_kind(LoginKind::Chatgpt, ACCESS_TOKEN)?;
                self.policy.permits_issuer(&self.provider.issuer)?;
                rules.permit_workspaces(|| {
                    let claimed = Claims::of(token).and_then(|claims| claims.workspace().cloned());
                    claimed.or_else(|| held.sidecar.workspace(token).cloned()).into_iter().collect()
                })?;
            }
            Credential::Other(_) | Credential::Nothing => return Ok(()),
        }
        self.policy.permits_place(held.place)
    }

    /// Whether a record that another home has handed out may be stored here, as far as it says itself.
    pub(crate) fn permits_record(&self, record: &Record) -> Result<(), Error> {
        self.rules().permit_record(record)
    }

    /// Whether a credential may be used that no home holds. The rules are about logins to an authorization server: what a
    /// provider of models has of its own is none.
    pub(crate) fn permits_source(&self, source: &Source) -> Result<(), Error> {
        let rules = self.rules();
        match source {
            Source::ApiKey => rules.permit_kind(LoginKind::Api, API_KEY),
            Source::AccessToken => {
                rules.permit_kind(LoginKind::Chatgpt, ACCESS_TOKEN)?;
                self.policy.permits_issuer(&self.provider.issuer)?;
                rules.permit_workspaces(|| {
                    let token = self.environment.credential(VARIABLE).ok();
                    token.and_then(|token| Claims::of(&token)?.workspace().cloned()).into_iter().collect()
                })
            }
            // Whose workspace a minted token is of shows when it is there.
            Source::WorkloadIdentity | Source::Grant(_) => {
                rules.permit_kind(LoginKind::Chatgpt, "workload identity")?;
                self.policy.permits_issuer(&self.provider.issuer)
            }
            Source::ModelProvider(_) | Source::Store(_) => Ok(()),
        }
    }

    /// Whether a session may be made of these tokens.
    pub(crate) fn permits_tokens(&self, tokens: &Tokens) -> Result<(), Error> {
        if !HOMES {
            return Ok(());
        }
        self.rules().permit_workspaces(|| workspaces(tokens))
    }

    /// Whether an access token may be kept that belongs to this workspace, as far as anybody knows.
    pub(crate) fn permits_workspace(&self, found: Option<&String>) -> Result<(), Error> {
        self.rules().permit_workspaces(|| found.into_iter().cloned().collect())
    }

    /// The workspaces that a login may belong to; `None` is any.
    pub(crate) fn workspaces(&self) -> Option<Vec<String>> {
        let forced = &self.allowed_workspaces;
        match &self.policy.workspaces {
            None => (!forced.is_empty()).then(|| forced.clone()),
            Some(managed) if forced.is_empty() => Some(managed.clone()),
            Some(managed) => Some(managed.iter().filter(|one| forced.contains(one)).cloned().collect()),
        }
    }

    /// The store that a login writes: `chosen` by it, else the one in force, unless that is a leftover which the policy
    /// forbids and nobody asks for.
    pub(crate) fn store_for_login(&self, chosen: Option<StoreMode>, in_force: StoreMode) -> Result<StoreMode, Error> {
        let mode = chosen.unwrap_or(in_force);
        let is_asked_for = chosen.is_some() || self.store == Some(mode);
        let mode = if self.policy.permits_mode(mode) || is_asked_for { mode } else { self.policy.usual_store() };
        self.policy.permits_place(mode.place()).map(|()| mode)
    }

    fn rules(&self) -> Rules<'_> {
        Rules { policy: &self.policy, forced: self.forced_login_method, workspaces: self.workspaces() }
    }
}

/// What a policy and a person's own configuration permit together.
struct Rules<'a> {
    policy: &'a Policy,
    forced: Option<LoginKind>,
    workspaces: Option<Vec<String>>,
}

impl Rules<'_> {
    fn permits(&self, kind: LoginKind) -> bool {
        let can_belong = kind == LoginKind::Api || self.workspaces.as_ref().is_none_or(|all| !all.is_empty());
        can_belong
            && self.forced.is_none_or(|forced| forced == kind)
            && self.policy.login_methods.as_ref().is_none_or(|methods| methods.contains(&kind))
    }

    fn permit_kind(&self, kind: LoginKind, name: &str) -> Result<(), Error> {
        if self.permits(kind) {
            return Ok(());
        }
        let other = if kind == LoginKind::Api { LoginKind::Chatgpt } else { LoginKind::Api };
        Err(if self.permits(other) { Forbidden::Method { method: name.to_owned() } } else { Forbidden::EveryMethod }
            .into())
    }

    /// What a record says by itself.
    fn permit_record(&self, record: &Record) -> Result<(), Error> {
        match record.credential() {
            Credential::Tokens(tokens) => {
                self.permit_kind(LoginKind::Chatgpt, SESSION)?;
                tokens.provenance().map_or(Ok(()), |provenance| self.policy.permits_issuer(&provenance.issuer))?;
                self.permit_workspaces(|| workspaces(tokens))
            }
            Credential::ApiKey(_) => self.permit_kind(LoginKind::Api, API_KEY),
            Credential::AccessToken(_) => self.permit_kind(LoginKind::Chatgpt, ACCESS_TOKEN),
            Credential::Other(_) | Credential::Nothing => Ok(()),
        }
    }

    /// Every workspace that a credential names must be permitted, and it must name one.
    fn permit_workspaces(&self, found: impl FnOnce() -> Vec<String>) -> Result<(), Error> {
        let Some(allowed) = &self.workspaces else { return Ok(()) };
        let found = found();
        match found.iter().find(|found| !allowed.contains(found)) {
            None if !found.is_empty() => Ok(()),
            foreign => {
                let found = foreign.map_or_else(|| "none".to_owned(), |found| crate::text::plain(found));
                Err(Forbidden::Workspace { allowed: allowed.join(", "), found }.into())
            }
        }
    }
}

/// The workspaces that a session names: in its tokens, and beside them, where Codex takes the one that it sends.
fn workspaces(tokens: &Tokens) -> Vec<String> {
    let claimed = tokens.id_token().into_iter().chain([tokens.access_token()]);
    let claimed = claimed.filter_map(|token| Claims::of(token)?.workspace().cloned());
    claimed.chain(tokens.account_id().cloned()).collect()
}

impl LoginKind {
    /// Codex's names.
    pub(crate) const NAMES: [(&'static str, Self); 2] = [("chatgpt", Self::Chatgpt), ("api", Self::Api)];
}

#[cfg(test)]
mod tests;
