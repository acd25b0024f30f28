//! The keys that matter here, and the configuration that they make.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Serialize;

use super::{Origin, Setting, Settings, Value};
use crate::endpoint::Endpoint;
use crate::{Configuration, Error, LoginKind, Policy, StoreMode, Timeouts};

/// A key that is read, beside the tables of providers and helpers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Key {
    /// Its dotted name; or the name of a variable that no key stands for.
    pub name: &'static str,
    /// What is in force where nobody sets it, for a person.
    pub default: &'static str,
}

const STORE: &str = "cli_auth_credentials_store";
const ENCRYPTS: &str = "features.secret_auth_storage";
const METHOD: &str = "forced_login_method";
const WORKSPACES: &str = "forced_chatgpt_workspace_id";
const WINDOW: &str = "hallpass.refresh_window";
const HTTP: &str = "hallpass.timeouts.http";
const LOCK: &str = "hallpass.timeouts.lock";

/// The variables that move the token endpoint of refreshes, and the revocation endpoint.
pub const VARIABLES: [&str; 2] = ["CODEX_REFRESH_TOKEN_URL_OVERRIDE", "CODEX_REVOKE_TOKEN_URL_OVERRIDE"];

/// Every key, in the order in which they are explained.
pub const KEYS: [Key; 9] = [
    Key { name: STORE, default: "file" },
    Key { name: ENCRYPTS, default: "false" },
    Key { name: METHOD, default: "any" },
    Key { name: WORKSPACES, default: "any" },
    Key { name: WINDOW, default: "600" },
    Key { name: HTTP, default: "30" },
    Key { name: LOCK, default: "45" },
    Key { name: VARIABLES[0], default: "not set" },
    Key { name: VARIABLES[1], default: "not set" },
];

/// What is in force for a key, and what it stands before.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Explained {
    /// The dotted key.
    pub key: String,
    /// The value in force, for a person.
    pub value: String,
    /// Who has set it.
    pub origin: Origin,
    /// Where; nowhere when it is the default.
    pub place: Option<String>,
    /// The other values, the strongest first. Those of a project are among them: they never count.
    pub shadows: Vec<Setting>,
    /// Why the value cannot be used.
    pub problem: Option<String>,
}

impl Settings {
    /// A configuration with everything that is set.
    ///
    /// # Errors
    /// [`Misused::Value`](crate::Misused::Value) that names the place of a value that cannot be used.
    pub fn apply(&self, configuration: Configuration) -> Result<Configuration, Error> {
        Ok(Configuration {
            store: self.store()?,
            allowed_workspaces: self.texts(WORKSPACES)?.unwrap_or_default(),
            forced_login_method: self.name_of(METHOD, &LoginKind::NAMES)?,
            refresh_window: self.seconds(WINDOW)?,
            timeouts: Timeouts { http: self.seconds(HTTP)?, lock: self.seconds(LOCK)? },
            token_endpoint_override: self.text(VARIABLES[0])?,
            revocation_endpoint_override: self.text(VARIABLES[1])?,
            ..configuration
        })
    }

    /// `cli_auth_credentials_store`
    ///
    /// # Errors
    /// As [`Settings::apply`].
    pub fn store(&self) -> Result<Option<StoreMode>, Error> {
        self.name_of(STORE, &StoreMode::NAMES)
    }

    /// `features.secret_auth_storage`: whether the keyring is only to hold the key of an encrypted record.
    ///
    /// # Errors
    /// As [`Settings::apply`].
    pub fn encrypts_record(&self) -> Result<bool, Error> {
        Ok(self.flag(ENCRYPTS)?.unwrap_or(false))
    }

    /// What a store that was chosen with an option of the command line sets.
    pub fn choose_store(&mut self, option: &str, store: StoreMode) {
        self.add(Setting::argument(STORE, option, store));
    }

    /// What is in force for each key under this policy, why, and what it shadows.
    pub fn explain(&self, policy: &Policy) -> Vec<Explained> {
        let mut explained: Vec<_> = KEYS.iter().map(|key| self.explain_key(*key)).collect();
        if let Some(store) = explained.iter_mut().find(|explained| explained.key == STORE) {
            if store.origin == Origin::Default && policy.usual_store() != StoreMode::default() {
                (store.value, store.origin) = (policy.usual_store().name().to_owned(), Origin::Managed);
            }
            let forbidden = self.store().ok().flatten().and_then(|mode| policy.permits_place(mode.place()).err());
            store.problem = store.problem.take().or_else(|| forbidden.map(|error| error.to_string()));
        }
        explained
    }

    fn explain_key(&self, key: Key) -> Explained {
        let in_force = self.get(key.name);
        let is_shadowed = |one: &&Setting| !in_force.is_some_and(|it| core::ptr::eq(it, *one));
        let mut shadows: Vec<_> = self.of(key.name).filter(is_shadowed).cloned().collect();
        for shadow in &mut shadows {
            shadow.value = Value::Text(shown(shadow));
        }
        shadows.reverse();
        shadows.sort_by_key(|setting| core::cmp::Reverse(setting.origin));
        Explained {
            key: key.name.to_owned(),
            value: in_force.map_or_else(|| key.default.to_owned(), shown),
            origin: in_force.map_or(Origin::Default, |setting| setting.origin),
            place: in_force.map(|setting| setting.place.clone()),
            shadows,
            problem: self.problem(key.name),
        }
    }

    fn problem(&self, key: &str) -> Option<String> {
        let checked = match key {
            STORE => self.store().map(|_| ()),
            ENCRYPTS => self.flag(key).map(|_| ()),
            METHOD => self.name_of(key, &LoginKind::NAMES).map(|_| ()),
            WORKSPACES => self.texts(key).map(|_| ()),
            WINDOW | HTTP | LOCK => self.seconds(key).map(|_| ()),
            _ => self.text(key).map(|_| ()),
        };
        checked.err().map(|error| alloc::format!("{error}"))
    }
}

/// What is made of a value. Of an address only the host is shown, because a secret may stand in the rest.
fn shown(setting: &Setting) -> String {
    let key = setting.key.as_str();
    match &setting.value {
        Value::Text(url) if VARIABLES.contains(&key) => match Endpoint::parse(url) {
            Ok(endpoint) => alloc::format!("set, to {}", endpoint.authority()),
            Err(_) => "set, to something that is no address".to_owned(),
        },
        Value::Number(seconds) if *seconds >= 0 => {
            let milliseconds = seconds.unsigned_abs().saturating_mul(1000);
            let counted = match key {
                WINDOW => Configuration::window_of(milliseconds),
                HTTP => Timeouts::of_http(milliseconds),
                LOCK => Timeouts::of_lock(milliseconds),
                _ => milliseconds,
            };
            (counted / 1000).to_string()
        }
        value => value.shown(),
    }
}
