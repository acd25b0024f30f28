//! What a home's `config.toml` says about signing in.
//!
//! The file is Codex's. Of its own keys `cli_auth_credentials_store`, `features.secret_auth_storage` and
//! `forced_chatgpt_workspace_id` matter here; providers of Hallpass stand in tables that Codex passes over:
//!
//! ```toml
//! cli_auth_credentials_store = "keyring"
//!
//! [hallpass.providers.corporate]
//! issuer = "https://id.example.com"
//! client_id = "developer-tools"
//! scopes = ["openid", "offline_access"]
//! client_authentication = "client_secret_basic"
//! ```

mod exec;
mod grant;
mod helper;
mod model_provider;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use hallpass_core::{Configuration, Error, Local, Misused, Provider, StoreFailure, StoreMode, StoreTrouble};
use serde::Deserialize as _;
use toml::{Table, Value};

pub use exec::{Exec, Variable};
pub use helper::Helper;

/// The values of `config.toml`, and those that stand in for them in this run.
#[derive(Clone, Debug, Default)]
pub struct Config {
    values: Table,
}

/// The issuer of `hallpass demo --serve`, where the provider `local` is.
pub const LOCAL_ISSUER: &str = "http://127.0.0.1:8765";

impl Config {
    /// Reads the `config.toml` of a home. Where there is none, nothing is said.
    ///
    /// # Errors
    /// [`Local::Store`] when it cannot be read, [`Misused::Value`] when it is not TOML.
    pub fn load(home: &Path) -> Result<Self, Error> {
        let path = home.join("config.toml");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(Self::default());
            }
            Err(error) => {
                let detail = format!("{}: {error}", path.display());
                return Err(Local::Store(StoreFailure { kind: StoreTrouble::Unreadable, detail }).into());
            }
        };
        let values = text.parse().map_err(|error| unusable(&path.display().to_string(), &error))?;
        Ok(Self { values })
    }

    /// Sets one value for this run: `KEY=VALUE`, a dotted key and a TOML value. What is no TOML value is text.
    ///
    /// # Errors
    /// [`Misused::Value`] when there is no key, or the key goes through something that is no table.
    pub fn set(&mut self, assignment: &str) -> Result<(), Error> {
        let (key, value) = assignment
            .split_once('=')
            .ok_or_else(|| value_error(&format!("-c {assignment}"), "it is not KEY=VALUE"))?;
        let (key, value) = (key.trim(), value.trim());
        let value = toml::from_str::<Table>(&format!("value = {value}"))
            .ok()
            .and_then(|mut table| table.remove("value"))
            .unwrap_or_else(|| Value::String(value.to_owned()));
        let mut names: Vec<&str> = key.split('.').collect();
        let last = names.pop().filter(|name| !name.is_empty()).ok_or_else(|| value_error(key, "it is no key"))?;
        let mut table = &mut self.values;
        for name in names {
            let entry = table.entry(name).or_insert_with(|| Value::Table(Table::new()));
            table = entry.as_table_mut().ok_or_else(|| value_error(key, "it goes through a value that is no table"))?;
        }
        table.insert(last.to_owned(), value);
        Ok(())
    }

    /// What flows are to know: this configuration with `provider` in charge.
    ///
    /// # Errors
    /// [`Misused::Value`] that names the value that cannot be used.
    pub fn configuration(&self, home: &Path, provider: Provider) -> Result<Configuration, Error> {
        let mut configuration = Configuration {
            providers: self.providers()?,
            store: self.store()?,
            home: crate::home::identity(home),
            token_endpoint_override: variable("CODEX_REFRESH_TOKEN_URL_OVERRIDE"),
            revocation_endpoint_override: variable("CODEX_REVOKE_TOKEN_URL_OVERRIDE"),
            allowed_workspaces: self.allowed_workspaces()?,
            ..Configuration::new(provider)
        };
        configuration.environment = crate::environment::look(&configuration);
        Ok(configuration)
    }

    /// The provider of this name: `openai`, `local`, or one of the file.
    ///
    /// # Errors
    /// [`Misused::Value`] when there is none, or it cannot be used.
    pub fn provider(&self, name: &str) -> Result<Provider, Error> {
        if let Some(provider) = self.providers()?.into_iter().find(|provider| provider.name == name) {
            return Ok(provider);
        }
        Err(value_error(
            "provider",
            &format!("there is no `{name}` in config.toml, under `[hallpass.providers.{name}]`"),
        ))
    }

    /// The names of the providers that are known here.
    ///
    /// # Errors
    /// [`Misused::Value`] when one of them cannot be used.
    pub fn names(&self) -> Result<Vec<String>, Error> {
        let mut names: Vec<_> = self.providers()?.into_iter().map(|provider| provider.name).collect();
        names.sort();
        Ok(names)
    }

    /// Every provider that is known here. One of the file may stand in for a built-in one.
    fn providers(&self) -> Result<Vec<Provider>, Error> {
        let tables = self.values.get("hallpass").and_then(|hallpass| hallpass.get("providers"));
        let mut providers = match tables {
            None => Vec::new(),
            Some(Value::Table(tables)) => {
                tables.iter().map(|(name, fields)| provider(name, fields)).collect::<Result<Vec<_>, _>>()?
            }
            Some(_) => return Err(value_error("hallpass.providers", "it is not a table")),
        };
        for built_in in [Provider::openai(), local()] {
            if providers.iter().all(|provider| provider.name != built_in.name) {
                providers.push(built_in);
            }
        }
        Ok(providers)
    }

    /// The folder of the log: Codex's `log_dir`, else `log` in the home.
    pub fn log_folder(&self, home: &Path) -> PathBuf {
        let chosen = self.values.get("log_dir").and_then(Value::as_str).filter(|folder| !folder.is_empty());
        home.join(chosen.unwrap_or("log"))
    }

    pub(crate) fn store(&self) -> Result<Option<StoreMode>, Error> {
        const KEY: &str = "cli_auth_credentials_store";
        let Some(value) = self.values.get(KEY) else { return Ok(None) };
        StoreMode::deserialize(value.clone())
            .map(Some)
            .map_err(|_| value_error(KEY, "it is none of `file`, `keyring`, `auto` and `ephemeral`"))
    }

    /// Whether the keyring is only to hold the key of an encrypted record: `features.secret_auth_storage`.
    ///
    /// # Errors
    /// [`Misused::Value`] when it is no truth value.
    pub fn encrypts_record(&self) -> Result<bool, Error> {
        let Some(features) = self.values.get("features") else { return Ok(false) };
        match features.get("secret_auth_storage") {
            None => Ok(false),
            Some(Value::Boolean(encrypts)) => Ok(*encrypts),
            Some(_) => Err(value_error("features.secret_auth_storage", "it is neither true nor false")),
        }
    }

    fn allowed_workspaces(&self) -> Result<Vec<String>, Error> {
        const KEY: &str = "forced_chatgpt_workspace_id";
        let texts = match self.values.get(KEY) {
            None => return Ok(Vec::new()),
            Some(Value::Array(values)) => values.iter().map(Value::as_str).collect::<Option<Vec<_>>>(),
            Some(value) => value.as_str().map(|text| vec![text]),
        };
        let texts = texts.ok_or_else(|| value_error(KEY, "it is neither a text nor a list of texts"))?;
        Ok(texts.into_iter().map(str::trim).filter(|text| !text.is_empty()).map(ToOwned::to_owned).collect())
    }
}

/// The server of `hallpass demo --serve`, on its usual port.
fn local() -> Provider {
    Provider { name: "local".to_owned(), ..Provider::discovered(LOCAL_ISSUER, "hallpass") }
}

fn provider(name: &str, fields: &Value) -> Result<Provider, Error> {
    let key = format!("hallpass.providers.{name}");
    let Value::Table(fields) = fields else { return Err(value_error(&key, "it is not a table")) };
    let mut fields = fields.clone();
    fields.insert("name".to_owned(), Value::String(name.to_owned()));
    let gives_tokens = grant::gather(&key, &mut fields)?;
    let has_scopes = fields.contains_key("scopes") || gives_tokens;
    let mut provider = Provider::deserialize(fields).map_err(|error| unusable(&key, &error))?;
    if !has_scopes {
        provider.scopes = Provider::discovered("", "").scopes;
    }
    Ok(provider)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The first line of what the TOML reader says: the others quote the file, and a secret may stand in it.
fn unusable(what: &str, error: &toml::de::Error) -> Error {
    value_error(what, error.message())
}

fn value_error(what: &str, detail: &str) -> Error {
    Misused::Value { what: what.to_owned(), detail: detail.to_owned() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_core::{ClientAuthentication, Dialect};

    fn config(text: &str) -> Config {
        Config { values: text.parse().unwrap() }
    }

    #[test]
    fn without_a_file_there_are_the_built_in_providers() {
        let config = Config::load(Path::new("/nonexistent/hallpass")).unwrap();
        assert_eq!(config.provider("openai").unwrap(), Provider::openai());
        assert_eq!(config.provider("local").unwrap().issuer, LOCAL_ISSUER);
        assert_eq!(config.store().unwrap(), None);
        assert_eq!(config.provider("corporate").unwrap_err().code(), "invalid_value");
    }

    #[test]
    fn a_provider_is_a_few_lines() {
        let config = config(
            "model = \"gpt-5\"\n[mcp_servers.x]\ncommand = \"y\"\n\
             [hallpass.providers.corporate]\nissuer = \"https://id.example.com\"\nclient_id = \"tools\"\n\
             client_authentication = { private_key_jwt = { algorithm = \"ES256\", key = \"/k.pem\" } }\n\
             authorization_parameters = [[\"audience\", \"api\"]]\nredirect = { ports = [4000], path = \"/back\" }",
        );
        let provider = config.provider("corporate").unwrap();
        assert_eq!(provider.name, "corporate");
        assert_eq!(provider.dialect, Dialect::Standard);
        assert_eq!(provider.redirect.ports, [4000]);
        assert_eq!(provider.authorization_parameters, [("audience".to_owned(), "api".to_owned())]);
        assert_eq!(provider.scopes, ["openid", "profile", "email", "offline_access"]);
        let ClientAuthentication::PrivateKeyJwt { algorithm, key_id: None, key } = provider.client_authentication
        else {
            panic!("not a key")
        };
        assert_eq!((algorithm.as_str(), key.as_str()), ("ES256", "/k.pem"));
    }

    #[test]
    fn a_mistake_in_a_provider_is_named() {
        for (text, expected) in [
            ("[hallpass.providers.x]\nissuer = \"https://a.example\"", "client_id"),
            ("[hallpass.providers.x]\nissuer = \"https://a.example\"\nclient_id = \"b\"\nscope = []", "scope"),
            ("[hallpass.providers]\nx = 1", "not a table"),
            ("hallpass.providers = 1", "not a table"),
        ] {
            let error = config(text).provider("x").unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn values_of_this_run_stand_in_for_those_of_the_file() {
        let mut config = config("cli_auth_credentials_store = \"keyring\"");
        assert_eq!(config.store().unwrap(), Some(StoreMode::Keyring));
        config.set("cli_auth_credentials_store=auto").unwrap();
        assert_eq!(config.store().unwrap(), Some(StoreMode::Auto));
        config.set("cli_auth_credentials_store = \"ephemeral\"").unwrap();
        assert_eq!(config.store().unwrap(), Some(StoreMode::Ephemeral));
        config.set("forced_chatgpt_workspace_id = [\"a\", \"b\"]").unwrap();
        assert_eq!(config.allowed_workspaces().unwrap(), ["a", "b"]);
        config.set("hallpass.providers.x.issuer=https://id.example.com").unwrap();
        config.set("hallpass.providers.x.client_id=tools").unwrap();
        assert_eq!(config.provider("x").unwrap().issuer, "https://id.example.com");
    }

    #[test]
    fn what_cannot_be_set_is_refused() {
        let mut config = config("a = 1");
        for assignment in ["key", "=1", "a.b=1", "a.=1"] {
            assert_eq!(config.set(assignment).unwrap_err().code(), "invalid_value", "{assignment}");
        }
        config.set("cli_auth_credentials_store=drawer").unwrap();
        assert!(config.store().unwrap_err().to_string().contains("`file`"));
    }

    #[test]
    fn an_error_never_quotes_the_file() {
        let error =
            "key = \"sk-secret\n".parse::<Table>().map_err(|error| unusable("config.toml", &error)).unwrap_err();
        assert!(!error.to_string().contains("sk-secret"), "{error}");
    }
}
