//! A provider of models, as Codex's `config.toml` describes one: how a request to it is authorized.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::environment::Environment;
use crate::text::trimmed;
use crate::{Command, Error, Misused, Secret};

/// The ids that Codex keeps for itself.
const RESERVED: [&str; 4] = ["openai", "amazon-bedrock", "ollama", "lmstudio"];

/// `[model_providers.X]`, as far as it is about credentials.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(default)]
pub struct ModelProvider {
    /// Its id, the `X` of the table.
    pub id: String,
    /// The environment variable that holds its key.
    pub env_key: Option<String>,
    /// How a person gets that key.
    pub env_key_instructions: Option<String>,
    /// Its key, in clear.
    pub experimental_bearer_token: Option<Secret>,
    /// The command that prints its token.
    pub auth: Option<TokenCommand>,
    /// Whether it takes OpenAI's own credentials.
    pub requires_openai_auth: bool,
    /// Header fields of every request.
    pub http_headers: BTreeMap<String, Secret>,
    /// Header fields whose values are in environment variables.
    pub env_http_headers: BTreeMap<String, String>,
    /// A way to get credentials that only Codex knows: the name of its table.
    pub foreign: Option<String>,
}

/// `[model_providers.X.auth]`: a command that prints a token.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct TokenCommand {
    /// A name that is looked up in `PATH`, or a path.
    pub command: String,
    /// Its arguments; no shell reads them.
    #[serde(default)]
    pub args: Vec<String>,
    /// The longest it may run, in milliseconds.
    #[serde(default = "default_timeout")]
    pub timeout_ms: u64,
    /// How long its token is used, in milliseconds; with 0 until a server rejects it.
    #[serde(default = "default_interval")]
    pub refresh_interval_ms: u64,
    /// The folder to run it in.
    #[serde(default)]
    pub cwd: Option<String>,
}

pub(crate) fn default_timeout() -> u64 {
    5_000
}

pub(crate) fn default_interval() -> u64 {
    300_000
}

/// Where the bearer token of a model provider comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Bearer<'a> {
    /// An environment variable.
    Variable(&'a str),
    /// The configuration.
    Text(&'a Secret),
    /// A command.
    Command(&'a TokenCommand),
}

impl TokenCommand {
    /// This command, with Codex's defaults.
    pub fn new(command: impl Into<String>) -> Self {
        Self {
            command: command.into(),
            args: Vec::new(),
            timeout_ms: default_timeout(),
            refresh_interval_ms: default_interval(),
            cwd: None,
        }
    }

    pub(crate) fn order(&self) -> Command {
        Command {
            program: self.command.clone(),
            arguments: self.args.clone(),
            directory: self.cwd.clone(),
            deadline: self.timeout_ms,
        }
    }
}

impl ModelProvider {
    /// Whether Codex would take it, in its words: ways to authorize a request that exclude each other, an id that is
    /// Codex's own. Values of headers are looked at, too.
    ///
    /// # Errors
    /// [`Misused::Value`] that names what cannot be.
    pub fn check(&self) -> Result<(), Error> {
        if RESERVED.contains(&self.id.as_str()) {
            return self.refused("this id is built in and cannot be given to another provider");
        }
        let others = [
            ("env_key", self.env_key.is_some()),
            ("experimental_bearer_token", self.experimental_bearer_token.is_some()),
            ("requires_openai_auth", self.requires_openai_auth),
        ];
        if let Some(auth) = &self.auth {
            if let Some((name, _)) = others.iter().find(|(_, is_set)| *is_set) {
                return self.refused(&format!("provider auth cannot be combined with {name}"));
            }
            if auth.command.trim().is_empty() {
                return self.refused("provider auth.command must not be empty");
            }
            if auth.timeout_ms == 0 {
                return self.refused("provider auth.timeout_ms must be greater than zero");
            }
        }
        for name in self.http_headers.keys().chain(self.env_http_headers.keys()) {
            if !is_field_name(name) {
                return self.refused("a header field has a name that HTTP does not allow");
            }
        }
        match self.http_headers.iter().find(|(_, value)| !is_field_value(value)) {
            Some((name, _)) => self.refused(&format!("http_headers.{name} has a character that a header cannot have")),
            None => Ok(()),
        }
    }

    /// Whether it has a credential of its own, or takes OpenAI's.
    pub fn has_credential(&self) -> bool {
        self.requires_openai_auth || self.foreign.is_some() || self.bearer().is_some()
    }

    /// Where its bearer token comes from, if it has one of its own; in Codex's order.
    pub(crate) fn bearer(&self) -> Option<Bearer<'_>> {
        let command = self.auth.as_ref().map(Bearer::Command);
        let variable = || self.env_key.as_deref().map(Bearer::Variable);
        command.or_else(variable).or_else(|| self.experimental_bearer_token.as_ref().map(Bearer::Text))
    }

    /// A bearer token that is at hand.
    pub(crate) fn token(&self, bearer: Bearer<'_>, environment: &Environment) -> Result<Secret, Error> {
        match bearer {
            Bearer::Text(text) => {
                trimmed(text).map_err(|why| Error::value(&self.key(), format!("experimental_bearer_token {why}")))
            }
            Bearer::Variable(name) if environment.get(name).is_none() => {
                let instructions = self.env_key_instructions.as_ref();
                let instructions = instructions.map(|text| format!(": {}", crate::text::plain(text)));
                let detail = format!("is not set{}", instructions.unwrap_or_default());
                Err(Misused::Variable { name: name.to_owned(), detail }.into())
            }
            Bearer::Variable(name) => environment.credential(name),
            Bearer::Command(_) => Err(self.without_bearer()),
        }
    }

    /// The header fields of a request to it: its own ones, those from variables that are set, and the bearer token.
    ///
    /// # Errors
    /// [`Misused::Value`] when it cannot be used, [`Misused::Variable`] when a variable holds what no header can.
    pub fn headers(&self, environment: &Environment, bearer: Option<&Secret>) -> Result<Vec<(String, Secret)>, Error> {
        self.check()?;
        let mut headers: Vec<(String, Secret)> =
            self.http_headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        for (header, variable) in &self.env_http_headers {
            let Some(value) = environment.get(variable) else { continue };
            let value = Secret::new(value.expose().trim());
            if !is_field_value(&value) {
                let detail = "has a character that a header cannot have".to_owned();
                return Err(Misused::Variable { name: variable.clone(), detail }.into());
            }
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case(header));
            headers.push((header.clone(), value));
        }
        if let Some(bearer) = bearer {
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
            headers.push(("authorization".to_owned(), Secret::new(format!("Bearer {}", bearer.expose()))));
        }
        Ok(headers)
    }

    /// The variables that it names.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.env_key.iter().chain(self.env_http_headers.values()).map(String::as_str)
    }

    /// There is no bearer token to be had.
    pub(crate) fn without_bearer(&self) -> Error {
        let detail = match &self.foreign {
            Some(table) => format!("{} gets its credentials by `{table}`, which only Codex can do", self.key()),
            None => format!("{} has no bearer token: its requests carry nothing but header fields", self.key()),
        };
        Misused::NotApplicable { detail }.into()
    }

    fn refused(&self, detail: &str) -> Result<(), Error> {
        Err(Error::value(&self.key(), detail))
    }

    fn key(&self) -> String {
        format!("model_providers.{}", self.id)
    }
}

/// A token of RFC 9110, section 5.6.2.
fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// A value of RFC 9110, section 5.5: no line can be added, and no byte ends it early.
fn is_field_value(value: &Secret) -> bool {
    value.expose().bytes().all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider() -> ModelProvider {
        ModelProvider { id: "px".to_owned(), ..ModelProvider::default() }
    }

    fn headers(pairs: &[(&str, &str)]) -> BTreeMap<String, Secret> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect()
    }

    #[test]
    fn what_codex_refuses_is_refused_in_its_words() {
        let auth = || Some(TokenCommand::new("vault"));
        let text = |text: &str| Some(text.to_owned());
        for (provider, expected) in [
            (
                ModelProvider { auth: auth(), env_key: text("K"), ..provider() },
                "provider auth cannot be combined with env_key",
            ),
            (
                ModelProvider { auth: auth(), experimental_bearer_token: Some("t".into()), ..provider() },
                "provider auth cannot be combined with experimental_bearer_token",
            ),
            (
                ModelProvider { auth: auth(), requires_openai_auth: true, ..provider() },
                "provider auth cannot be combined with requires_openai_auth",
            ),
            (
                ModelProvider { auth: Some(TokenCommand::new(" ")), ..provider() },
                "provider auth.command must not be empty",
            ),
            (
                ModelProvider { auth: Some(TokenCommand { timeout_ms: 0, ..TokenCommand::new("a") }), ..provider() },
                "must be greater than zero",
            ),
            (ModelProvider { http_headers: headers(&[("x-a", "canary\r\nx-b: 1")]), ..provider() }, "http_headers.x-a"),
            (ModelProvider { http_headers: headers(&[("x-a", "canary\0")]), ..provider() }, "http_headers.x-a"),
            (ModelProvider { http_headers: headers(&[("x a", "")]), ..provider() }, "name that HTTP does not allow"),
            (ModelProvider { id: "openai".to_owned(), ..provider() }, "built in"),
        ] {
            let error = provider.check().unwrap_err();
            let message = format!("{error}");
            assert!(message.starts_with(&format!("model_providers.{}: ", provider.id)), "{message}");
            assert!(message.contains(expected) && !message.contains("canary"), "{message}");
        }
        assert_eq!(provider().check(), Ok(()));
        assert_eq!(
            ModelProvider { auth: auth(), http_headers: headers(&[("x-a", "b c")]), ..provider() }.check(),
            Ok(())
        );
    }

    #[test]
    fn headers_are_its_own_then_those_of_variables_then_the_bearer() {
        let names = [("X-Team".to_owned(), "TEAM".to_owned()), ("X-None".to_owned(), "NONE".to_owned())];
        let provider = ModelProvider {
            http_headers: headers(&[("Authorization", "Basic eA=="), ("x-team", "default"), ("x-version", "1")]),
            env_http_headers: names.into(),
            ..provider()
        };
        let set = |value: &str| Environment {
            variables: [("TEAM".to_owned(), value.into()), ("NONE".to_owned(), " ".into())].into(),
            ..Environment::default()
        };
        let of = |environment: &Environment, bearer: Option<&Secret>| {
            let headers = provider.headers(environment, bearer)?;
            Ok::<_, Error>(
                headers.iter().map(|(name, value)| format!("{name}: {}", value.expose())).collect::<Vec<_>>(),
            )
        };
        let token = Secret::new("t1");
        let expected = ["x-version: 1", "X-Team: blue", "authorization: Bearer t1"].map(ToOwned::to_owned);
        assert_eq!(of(&set(" blue "), Some(&token)).unwrap(), expected);
        let expected = ["Authorization: Basic eA==", "x-team: default", "x-version: 1"].map(ToOwned::to_owned);
        assert_eq!(of(&Environment::default(), None).unwrap(), expected);
        for value in ["a\r\nx: y", "a\nb", "a\0b"] {
            assert_eq!(of(&set(value), None).unwrap_err().code(), "invalid_variable", "{value:?}");
        }
    }

    #[test]
    fn a_key_that_is_not_there_is_an_error_with_the_way_to_get_it() {
        let instructions = Some("ask the \u{1b}[1mplatform team".to_owned());
        let provider =
            ModelProvider { env_key: Some("PX_KEY".to_owned()), env_key_instructions: instructions, ..provider() };
        let error = provider.token(provider.bearer().unwrap(), &Environment::default()).unwrap_err();
        assert_eq!(format!("{error}"), "the environment variable `PX_KEY` is not set: ask the [1mplatform team");
    }
}
