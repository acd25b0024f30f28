//! What a home's `config.toml` says about signing in.
//!
//! The file is Codex's. Of its own keys `cli_auth_credentials_store`, `features.secret_auth_storage`,
//! `forced_login_method` and `forced_chatgpt_workspace_id` matter here; ours stand in tables that Codex passes over.
//! What a key means, and which of several values counts, is for [`hallpass_core::settings`] to say.
//!
//! ```toml
//! cli_auth_credentials_store = "keyring"
//!
//! [hallpass]
//! refresh_window = 900              # seconds before its end that a token is renewed, 360 to 3600
//! timeouts = { http = 60, lock = 90 }
//!
//! [hallpass.providers.corporate]
//! issuer = "https://id.example.com"
//! client_id = "developer-tools"
//! scopes = ["openid", "offline_access"]
//! client_authentication = "client_secret_basic"
//! ```

mod aws;
mod document;
mod exec;
mod grant;
mod helper;
mod model_provider;

use std::path::{Path, PathBuf};

use hallpass_core::settings::{Origin, Setting, Settings, VARIABLES, Value as Shown};
use hallpass_core::{Configuration, Error, Misused, Provider, StoreMode};
use serde::Deserialize as _;
use toml::{Table, Value};

use crate::requirements;
pub(crate) use document::{Document, read, text_of_configuration};

pub use exec::{Exec, Variable};
pub use helper::Helper;

/// The values of `config.toml`, and those that stand in for them in this run.
#[derive(Clone, Debug, Default)]
pub struct Config {
    values: Table,
    settings: Settings,
}

/// The issuer of `hallpass demo --serve`, where the provider `local` is.
pub const LOCAL_ISSUER: &str = "http://127.0.0.1:8765";

impl Config {
    /// Reads the `config.toml` of a home, and the variables. Where there is no file, it says nothing.
    ///
    /// # Errors
    /// [`Misused::Value`] when it cannot be read, or with the line that is not TOML.
    pub fn load(home: &Path) -> Result<Self, Error> {
        let path = home.join("config.toml");
        let name = path.display().to_string();
        let mut config = match text_of_configuration(&path).map_err(|cause| value_error(&name, &cause))? {
            Some(text) => Self::parse(&text, &name)?,
            None => Self::default(),
        };
        for name in VARIABLES {
            if let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) {
                let value = value.into_string().map_or(Shown::Other("no text"), Shown::Text);
                config.add(name, value, Origin::Environment, name.to_owned());
            }
        }
        Ok(config)
    }

    fn parse(text: &str, name: &str) -> Result<Self, Error> {
        let Document { values, settings } = Document::parse(text, name, Origin::Home)?;
        Ok(Self { values, settings })
    }

    /// Sets one value for this run: `KEY=VALUE`, a dotted key and a TOML value. What is no TOML value is text.
    ///
    /// # Errors
    /// [`Misused::Value`] when there is no key, or the key goes through something that is no table.
    pub fn set(&mut self, assignment: &str) -> Result<(), Error> {
        let (key, value) =
            assignment.split_once('=').ok_or_else(|| value_error("-c", "what follows is not KEY=VALUE"))?;
        let (key, value) = (key.trim(), value.trim());
        let place = format!("-c {key}");
        let value = toml::from_str::<Table>(&format!("value = {value}"))
            .ok()
            .and_then(|mut table| table.remove("value"))
            .unwrap_or_else(|| Value::String(value.to_owned()));
        let mut names: Vec<&str> = key.split('.').collect();
        let last = names.pop().filter(|name| !name.is_empty()).ok_or_else(|| value_error(&place, "it is no key"))?;
        let mut table = &mut self.values;
        for name in names {
            let entry = table.entry(name).or_insert_with(|| Value::Table(Table::new()));
            table =
                entry.as_table_mut().ok_or_else(|| value_error(&place, "it goes through a value that is no table"))?;
        }
        table.insert(last.to_owned(), value.clone());
        self.assign(key, &value, &place);
        Ok(())
    }

    fn assign(&mut self, key: &str, value: &Value, place: &str) {
        self.add(key, document::shown(value), Origin::Assignment, place.to_owned());
        for (name, value) in value.as_table().into_iter().flatten() {
            self.assign(&format!("{key}.{name}"), value, place);
        }
    }

    fn add(&mut self, key: &str, value: Shown, origin: Origin, place: String) {
        self.settings.add(Setting { key: key.to_owned(), value, origin, place });
    }

    /// Keeps credentials in this store, as the option `--store` says.
    pub fn choose_store(&mut self, store: StoreMode) {
        self.settings.choose_store("--store", store);
    }

    /// Shows what a project's folder says: `.codex/config.toml` in it. None of it ever counts.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn show_project(&mut self, folder: &Path) -> Result<(), Error> {
        let path = folder.join(".codex").join("config.toml");
        let name = path.display().to_string();
        let Some(text) = text_of_configuration(&path).map_err(|cause| value_error(&name, &cause))? else {
            return Ok(());
        };
        let document = Document::parse(&text, &name, Origin::Project)?;
        self.settings.extend(document.settings);
        Ok(())
    }

    /// Every value that is set, and where.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What flows are to know: this configuration with `provider` in charge, and with the policy of the administrator,
    /// whose file is read now.
    ///
    /// # Errors
    /// [`Misused::Value`] that names the value that cannot be used, and
    /// [`Forbidden::Requirements`](hallpass_core::Forbidden::Requirements) when nobody can say what is permitted.
    pub fn configuration(&self, home: &Path, provider: Provider) -> Result<Configuration, Error> {
        self.encrypts_record()?;
        let mut configuration = self.settings.apply(Configuration {
            providers: self.providers()?,
            home: crate::home::identity(home),
            policy: requirements::in_force()?,
            ..Configuration::new(provider)
        })?;
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
        let tables = self.table("hallpass.providers")?;
        let named = tables.into_iter().flatten().map(|(name, fields)| self.provider_of(name, fields));
        let mut providers = named.collect::<Result<Vec<_>, _>>()?;
        for built_in in [Provider::openai(), local()] {
            if providers.iter().all(|provider| provider.name != built_in.name) {
                providers.push(built_in);
            }
        }
        Ok(providers)
    }

    fn provider_of(&self, name: &str, fields: &Value) -> Result<Provider, Error> {
        let key = format!("hallpass.providers.{name}");
        let Value::Table(fields) = fields else { return Err(self.settings.unusable(&key, "it is not a table")) };
        let mut fields = fields.clone();
        fields.insert("name".to_owned(), Value::String(name.to_owned()));
        let gives_tokens = grant::gather(&self.settings, &key, &mut fields)?;
        let has_scopes = fields.contains_key("scopes") || gives_tokens;
        // The first line of what the reader says: the others quote the file, and a secret may stand in it.
        let mut provider =
            Provider::deserialize(fields).map_err(|error| self.settings.unusable(&key, error.message()))?;
        if !has_scopes {
            provider.scopes = Provider::discovered("", "").scopes;
        }
        Ok(provider)
    }

    /// The table of this dotted key; `None` where there is none.
    fn table(&self, key: &str) -> Result<Option<&Table>, Error> {
        let mut table = &self.values;
        let mut path = String::new();
        for name in key.split('.') {
            path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            table = match table.get(name) {
                None => return Ok(None),
                Some(Value::Table(inner)) => inner,
                Some(_) => return Err(self.settings.unusable(&path, "it is not a table")),
            };
        }
        Ok(Some(table))
    }

    /// The folder of the log: Codex's `log_dir`, else `log` in the home.
    pub fn log_folder(&self, home: &Path) -> PathBuf {
        let chosen = self.values.get("log_dir").and_then(Value::as_str).filter(|folder| !folder.is_empty());
        home.join(chosen.unwrap_or("log"))
    }

    /// Whether the keyring is only to hold the key of an encrypted record: `features.secret_auth_storage`.
    ///
    /// # Errors
    /// [`Misused::Value`] when it is no truth value.
    pub fn encrypts_record(&self) -> Result<bool, Error> {
        self.settings.encrypts_record()
    }
}

/// The server of `hallpass demo --serve`, on its usual port.
fn local() -> Provider {
    Provider { name: "local".to_owned(), ..Provider::discovered(LOCAL_ISSUER, "hallpass") }
}

fn value_error(what: &str, detail: &str) -> Error {
    Misused::Value { what: what.to_owned(), detail: detail.to_owned() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_core::{ClientAuthentication, Dialect};

    fn config(text: &str) -> Config {
        Config::parse(text, "config.toml").unwrap()
    }

    fn allowed_workspaces(config: &Config) -> Vec<String> {
        config.settings.apply(Configuration::new(Provider::openai())).unwrap().allowed_workspaces
    }

    #[test]
    fn without_a_file_there_are_the_built_in_providers() {
        let config = Config::load(Path::new("/nonexistent/hallpass")).unwrap();
        assert_eq!(config.provider("openai").unwrap(), Provider::openai());
        assert_eq!(config.provider("local").unwrap().issuer, LOCAL_ISSUER);
        assert_eq!(config.settings.store().unwrap(), None);
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
        assert_eq!(config.settings.store().unwrap(), Some(StoreMode::Keyring));
        config.set("cli_auth_credentials_store=auto").unwrap();
        assert_eq!(config.settings.store().unwrap(), Some(StoreMode::Auto));
        config.set("cli_auth_credentials_store = \"ephemeral\"").unwrap();
        assert_eq!(config.settings.store().unwrap(), Some(StoreMode::Ephemeral));
        config.set("forced_chatgpt_workspace_id = [\"a\", \"b\"]").unwrap();
        assert_eq!(allowed_workspaces(&config), ["a", "b"]);
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
        assert!(config.settings.store().unwrap_err().to_string().contains("`file`"));
    }

    #[test]
    fn an_error_names_the_place_and_never_quotes_the_file() {
        for (text, expected) in [
            ("a = 1\nkey = \"sk-secret\n", "config.toml:2: "),
            ("a = 1\na = \"sk-secret\"", "config.toml:2: "),
            ("\n\ncli_auth_credentials_store = \"sk-secret\"", "config.toml:3: cli_auth_credentials_store: it is none"),
            ("cli_auth_credentials_store = { a = \"sk-secret\" }", "config.toml:1: cli_auth_credentials_store: "),
            (
                "forced_login_method = \"sk-secret\"",
                "config.toml:1: forced_login_method: it is none of `chatgpt` and `api`",
            ),
            ("forced_login_method = true", "config.toml:1: forced_login_method"),
            ("[forced_chatgpt_workspace_id]\nx = 1", "config.toml:1: forced_chatgpt_workspace_id: it is neither"),
            ("forced_chatgpt_workspace_id = [1]", "config.toml:1: forced_chatgpt_workspace_id: it is neither"),
            ("[hallpass]\nrefresh_window = \"soon\"", "config.toml:2: hallpass.refresh_window: it is not a whole"),
            ("[hallpass]\nrefresh_window = -1", "config.toml:2: hallpass.refresh_window: it is not a whole"),
            ("[hallpass]\nrefresh_window = 99999999999999999999", "config.toml:2: hallpass.refresh_window: "),
            ("[hallpass.timeouts]\nhttp = 1.5", "config.toml:2: hallpass.timeouts.http: it is not a whole"),
            ("\n[hallpass]\nproviders = 1", "config.toml:3: hallpass.providers: it is not a table"),
            ("hallpass = 1", "config.toml:1: hallpass: it is not a table"),
            ("[hallpass.providers.x]\nissuer = 5", "config.toml:1: hallpass.providers.x: "),
            ("[hallpass.git]\nhosts = 1", "config.toml:2: hallpass.git.hosts: "),
        ] {
            let error = Config::parse(text, "config.toml")
                .and_then(|config| {
                    config.helper("git")?;
                    config
                        .settings
                        .apply(Configuration { providers: config.providers()?, ..Configuration::new(local()) })
                })
                .unwrap_err()
                .to_string();
            assert!(error.starts_with(expected) && !error.contains("sk-secret"), "{text:?}: {error}");
        }
    }

    #[test]
    fn what_is_not_ours_is_left_alone() {
        let text = "unknown = { a = [1, {}] }\n[mcp_servers.x.env]\nTOKEN = \"sk-secret\"\n[hallpass.later]\nx = 1";
        let config = config(text);
        assert!(config.settings.apply(Configuration::new(local())).is_ok());
        assert!(!format!("{config:?}").contains("sk-secret"), "nothing of it is kept");
    }

    #[test]
    fn a_project_changes_nothing() {
        let folder = std::env::temp_dir().join(format!("hallpass-project-{}", std::process::id()));
        std::fs::create_dir_all(folder.join(".codex")).unwrap();
        std::fs::write(
            folder.join(".codex/config.toml"),
            "cli_auth_credentials_store = \"ephemeral\"\nforced_login_method = \"api\"\n\
             [hallpass.providers.openai]\nissuer = \"https://evil.example\"\nclient_id = \"x\"",
        )
        .unwrap();
        let mut config = config("");
        config.show_project(&folder).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(config.provider("openai").unwrap(), Provider::openai());
        let plain = Configuration::new(Provider::openai());
        assert_eq!(config.settings.apply(plain.clone()).unwrap(), plain);
        let explained = config.settings.explain(&hallpass_core::Policy::default());
        assert_eq!(explained[0].shadows[0].origin, Origin::Project);
        assert!(explained[0].shadows[0].place.ends_with("config.toml:1"));
    }
}
