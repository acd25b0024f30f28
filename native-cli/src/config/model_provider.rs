//! Codex's providers of models: `[model_providers.X]`, as far as it is about credentials.
//!
//! ```toml
//! [model_providers.corporate]
//! base_url = "https://llm.example.com/v1"
//! http_headers = { "x-team" = "tools" }
//!
//! [model_providers.corporate.auth]
//! command = "vault"
//! args = ["read", "-field=token", "llm/token"]
//! ```

use std::collections::BTreeMap;

use hallpass_core::settings::Settings;
use hallpass_core::{Configuration, Error, Misused, ModelProvider, Provider, Secret, TokenCommand, Wanted};
use toml::{Table, Value};

use super::{Config, value_error};

/// Ways to get credentials that only Codex knows.
const FOREIGN: [&str; 2] = ["aws", "gateway_oauth"];

impl Config {
    /// The model provider of this id; `None` where the file has none.
    ///
    /// # Errors
    /// [`Misused::Value`] when it cannot be used, or is one that Codex refuses.
    pub fn model_provider(&self, id: &str) -> Result<Option<ModelProvider>, Error> {
        let key = format!("model_providers.{id}");
        let fields = match self.table("model_providers")?.and_then(|tables| tables.get(id)) {
            None => return Ok(None),
            Some(Value::Table(fields)) => Fields { settings: self.settings(), key, fields },
            Some(_) => return Err(self.settings().unusable(&key, "it is not a table")),
        };
        let provider = ModelProvider {
            id: id.to_owned(),
            env_key: fields.text("env_key")?,
            env_key_instructions: fields.text("env_key_instructions")?,
            experimental_bearer_token: fields.text("experimental_bearer_token")?.map(Secret::new),
            auth: fields.table("auth")?.map(|auth| command(&auth)).transpose()?,
            requires_openai_auth: fields.truth("requires_openai_auth")?,
            http_headers: fields.texts("http_headers")?.into_iter().map(|(k, v)| (k, Secret::new(v))).collect(),
            env_http_headers: fields.texts("env_http_headers")?,
            foreign: FOREIGN.iter().find(|name| fields.fields.contains_key(**name)).map(|name| (*name).to_owned()),
        };
        provider.check()?;
        Ok(Some(provider))
    }

    /// Sets whose token is wanted: the one of a provider of Hallpass (`[hallpass.providers.NAME]`, or a built-in one),
    /// or that with which Codex speaks to a model provider. A model provider without a credential of its own takes the
    /// token of the provider with the same name.
    ///
    /// # Errors
    /// [`Misused::Value`] when there is none of this name, when it cannot be used, or when two are meant.
    pub fn want(&self, name: &str, configuration: &mut Configuration) -> Result<(), Error> {
        let provider = self.names()?.iter().any(|known| known == name).then(|| self.provider(name)).transpose()?;
        // Codex's own id means what it means without any table.
        let wanted = match (self.model_provider(name)?, provider) {
            (None, None) => {
                let detail = format!(
                    "there is no `{name}` in config.toml, under `[model_providers.{name}]` or `[hallpass.providers.{name}]`"
                );
                return Err(value_error("provider", &detail));
            }
            (Some(model), None) => {
                if model.requires_openai_auth {
                    configuration.provider = Provider::openai();
                }
                Wanted::ModelProvider(model)
            }
            (Some(model), Some(_)) if model.has_credential() => {
                let detail = format!(
                    "`[model_providers.{name}]` and `[hallpass.providers.{name}]` both say how its token is had: rename one of them"
                );
                return Err(Misused::Value { what: format!("provider `{name}`"), detail }.into());
            }
            (_, Some(provider)) => {
                configuration.provider = provider;
                Wanted::Provider
            }
        };
        configuration.wanted = Some(wanted);
        configuration.environment = crate::environment::look(configuration);
        Ok(())
    }
}

fn command(auth: &Fields<'_>) -> Result<TokenCommand, Error> {
    let mut command = TokenCommand::new(auth.text("command")?.unwrap_or_default());
    command.args = auth.list("args")?;
    command.timeout_ms = auth.number("timeout_ms")?.unwrap_or(command.timeout_ms);
    command.refresh_interval_ms = auth.number("refresh_interval_ms")?.unwrap_or(command.refresh_interval_ms);
    command.cwd = auth.text("cwd")?;
    Ok(command)
}

/// The fields of a table. Those that nobody asks for are passed over, as Codex does.
struct Fields<'a> {
    settings: &'a Settings,
    key: String,
    fields: &'a Table,
}

impl Fields<'_> {
    fn text(&self, name: &str) -> Result<Option<String>, Error> {
        match self.fields.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.error(name, "it is not a text")),
        }
    }

    fn truth(&self, name: &str) -> Result<bool, Error> {
        match self.fields.get(name) {
            None => Ok(false),
            Some(Value::Boolean(truth)) => Ok(*truth),
            Some(_) => Err(self.error(name, "it is neither true nor false")),
        }
    }

    fn number(&self, name: &str) -> Result<Option<u64>, Error> {
        let error = || self.error(name, "it is not a whole number of milliseconds");
        match self.fields.get(name) {
            None => Ok(None),
            Some(value) => value.as_integer().and_then(|n| u64::try_from(n).ok()).map(Some).ok_or_else(error),
        }
    }

    fn list(&self, name: &str) -> Result<Vec<String>, Error> {
        let error = || self.error(name, "it is not a list of texts");
        let Some(value) = self.fields.get(name) else { return Ok(Vec::new()) };
        let values = value.as_array().ok_or_else(error)?;
        values.iter().map(|value| value.as_str().map(ToOwned::to_owned)).collect::<Option<_>>().ok_or_else(error)
    }

    fn texts(&self, name: &str) -> Result<BTreeMap<String, String>, Error> {
        let error = || self.error(name, "it is not a table of texts");
        let Some(table) = self.table(name)? else { return Ok(BTreeMap::new()) };
        let pair = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
        table.fields.iter().map(pair).collect::<Option<_>>().ok_or_else(error)
    }

    fn table(&self, name: &str) -> Result<Option<Fields<'_>>, Error> {
        match self.fields.get(name) {
            None => Ok(None),
            Some(Value::Table(fields)) => {
                Ok(Some(Fields { settings: self.settings, key: format!("{}.{name}", self.key), fields }))
            }
            Some(_) => Err(self.error(name, "it is not a table")),
        }
    }

    fn error(&self, name: &str, detail: &str) -> Error {
        self.settings.unusable(&format!("{}.{name}", self.key), detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::parse(text, "config.toml").unwrap()
    }

    #[test]
    fn a_model_provider_is_read_as_codex_reads_it() {
        let text = r#"
            [model_providers.px]
            name = "PX"
            base_url = "https://px.example/v1"
            wire_api = "responses"
            http_headers = { "x-a" = "1" }
            env_http_headers = { "x-b" = "B" }
            [model_providers.px.auth]
            command = "vault"
            args = ["read", "a b"]
            cwd = "/srv"
            something_new = [1]
        "#;
        let provider = config(text).model_provider("px").unwrap().unwrap();
        let auth = provider.auth.unwrap();
        assert_eq!(
            (auth.command.as_str(), auth.args.as_slice()),
            ("vault", &["read".to_owned(), "a b".to_owned()][..])
        );
        assert_eq!((auth.timeout_ms, auth.refresh_interval_ms, auth.cwd.as_deref()), (5_000, 300_000, Some("/srv")));
        assert_eq!(provider.http_headers["x-a"].expose(), "1");
        assert_eq!(provider.env_http_headers["x-b"], "B");
        assert_eq!(config(text).model_provider("other").unwrap(), None);
    }

    #[test]
    fn a_mistake_is_named_and_nothing_is_quoted() {
        for (text, expected) in [
            ("model_providers = 1", "model_providers: it is not a table"),
            ("model_providers.px = 1", "model_providers.px: it is not a table"),
            ("[model_providers.px]\nenv_key = 1", "model_providers.px.env_key: it is not a text"),
            ("[model_providers.px]\nauth = \"canary\"", "model_providers.px.auth: it is not a table"),
            (
                "[model_providers.px.auth]\ncommand = \"a\"\nargs = \"canary\"",
                "model_providers.px.auth.args: it is not a list",
            ),
            ("[model_providers.px.auth]\ncommand = \"a\"\nargs = [1]", "model_providers.px.auth.args"),
            ("[model_providers.px.auth]\ncommand = \"a\"\ntimeout_ms = -1", "model_providers.px.auth.timeout_ms"),
            ("[model_providers.px.auth]\ncommand = \"a\"\ntimeout_ms = 0", "must be greater than zero"),
            ("[model_providers.px.auth]\nargs = []", "model_providers.px: provider auth.command must not be empty"),
            ("[model_providers.px]\nhttp_headers = { a = 1 }", "model_providers.px.http_headers"),
            ("[model_providers.px]\nhttp_headers = { a = \"canary\\r\\nb: c\" }", "http_headers.a"),
            (
                "[model_providers.px]\nexperimental_bearer_token = \"canary\"\n[model_providers.px.auth]\ncommand = \"a\"",
                "model_providers.px: provider auth cannot be combined with experimental_bearer_token",
            ),
        ] {
            let error = config(text).model_provider("px").unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("canary"), "{text}: {error}");
        }
        let built_in = config("[model_providers.openai]\nenv_key = \"X\"").model_provider("openai").unwrap_err();
        assert!(built_in.to_string().contains("built in"), "{built_in}");
    }

    #[test]
    fn a_name_means_one_provider() {
        const MODEL: &str = "[model_providers.x]\nenv_key = \"X_KEY\"\n";
        const BARE: &str = "[model_providers.x]\nbase_url = \"https://x.example\"\n";
        const OAUTH: &str = "[hallpass.providers.x]\nissuer = \"https://id.example\"\nclient_id = \"c\"\n";
        let wanted = |text: &str, name: &str| {
            let mut configuration = Configuration::new(Provider::openai());
            config(text).want(name, &mut configuration).map(|()| configuration)
        };
        let model = wanted(MODEL, "x").unwrap();
        assert!(matches!(model.wanted, Some(Wanted::ModelProvider(ModelProvider { env_key: Some(_), .. }))));
        let oauth = wanted(OAUTH, "x").unwrap();
        assert_eq!((oauth.wanted, oauth.provider.name.as_str()), (Some(Wanted::Provider), "x"));
        let both = wanted(&format!("{BARE}{OAUTH}"), "x").unwrap();
        assert_eq!((both.wanted, both.provider.issuer.as_str()), (Some(Wanted::Provider), "https://id.example"));
        for (text, name, expected) in
            [(format!("{MODEL}{OAUTH}"), "x", "rename one of them"), (MODEL.to_owned(), "y", "there is no `y`")]
        {
            let error = wanted(&text, name).unwrap_err();
            assert!(error.code() == "invalid_value" && error.to_string().contains(expected), "{error}");
        }
        assert_eq!(wanted("", "openai").unwrap().wanted, Some(Wanted::Provider));
    }
}
