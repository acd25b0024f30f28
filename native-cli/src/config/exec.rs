//! What `hallpass exec` gives to the tools that it starts.
//!
//! ```toml
//! [hallpass.exec]
//! share = ["config.toml", "sessions"]     # or false; what is shared without it is in `profiles::SHARED`
//!
//! [hallpass.exec.variables]
//! ACME_TOKEN = "access_token"
//! ```

use std::collections::BTreeMap;

use hallpass_core::Error;
use serde::Deserialize as _;
use toml::{Table, Value};

use super::Config;
use crate::profiles::{SHARED, Sharing};

/// `[hallpass.exec]`
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exec {
    /// The files and folders that a profile shares with the default one.
    pub shared: Vec<String>,
    /// The variables of the environment that a tool finds, and what is in each.
    pub variables: BTreeMap<String, Variable>,
}

/// What a variable holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variable {
    /// The access token of a session, or what else is sent as a bearer token.
    AccessToken,
    /// The API key of a home that has one.
    ApiKey,
    /// The account that the token belongs to.
    AccountId,
    /// The path of the home.
    Home,
    /// The name of the profile.
    Profile,
}

impl Variable {
    /// Whether it is a secret.
    #[must_use]
    pub fn is_secret(self) -> bool {
        matches!(self, Self::AccessToken | Self::ApiKey)
    }
}

impl Config {
    /// What `[hallpass.exec]` says. Without it configuration and history are shared, and no variable is set.
    ///
    /// # Errors
    /// [`Misused::Value`](hallpass_core::Misused::Value) that names the value that cannot be used.
    pub fn exec(&self) -> Result<Exec, Error> {
        const KEY: &str = "hallpass.exec";
        let none = Table::new();
        let table = self.table(KEY)?.unwrap_or(&none);
        if let Some(name) = table.keys().find(|name| !["share", "variables"].contains(&name.as_str())) {
            return Err(self.settings().unusable(KEY, &format!("it has no `{name}`")));
        }
        let shared = shared(table.get("share"));
        let shared = shared.map_err(|detail| self.settings().unusable("hallpass.exec.share", detail))?;
        let variables = self.table("hallpass.exec.variables")?.into_iter().flatten().map(|(name, value)| {
            let key = || format!("hallpass.exec.variables.{name}");
            variable(name, value).map_err(|detail| self.settings().unusable(&key(), detail))
        });
        Ok(Exec { shared, variables: variables.collect::<Result<_, _>>()? })
    }
}

fn shared(value: Option<&Value>) -> Result<Vec<String>, &'static str> {
    match value {
        None | Some(Value::Boolean(true)) => Ok(SHARED.map(str::to_owned).to_vec()),
        Some(Value::Boolean(false)) => Ok(Vec::new()),
        Some(Value::Array(names)) => {
            let name = |value: &Value| value.as_str().filter(|name| Sharing::may_share(name)).map(str::to_owned);
            let names: Option<_> = names.iter().map(name).collect();
            names.ok_or("each must name a file or folder of the home that is no credential, lock, log or database")
        }
        Some(_) => Err("it is neither true, false nor a list of names"),
    }
}

fn variable(name: &str, value: &Value) -> Result<(String, Variable), &'static str> {
    let is_name = !name.is_empty() && !name.contains(['=', '\0']) && !name.starts_with("CODEX_");
    if !is_name {
        return Err("it is no name for a variable; those of Codex are set as they must be");
    }
    let variable = Variable::deserialize(value.clone());
    let variable =
        variable.map_err(|_| "it is none of `access_token`, `api_key`, `account_id`, `home` and `profile`")?;
    Ok((name.to_owned(), variable))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exec(text: &str) -> Result<Exec, Error> {
        Config::parse(text, "config.toml").unwrap().exec()
    }

    #[test]
    fn without_a_table_everything_is_shared_and_no_secret_is_given() {
        for text in ["", "[hallpass.exec]", "hallpass.exec.share = true"] {
            let exec = exec(text).unwrap();
            assert_eq!((exec.shared.len(), exec.variables.len()), (SHARED.len(), 0), "{text}");
        }
        assert!(exec("hallpass.exec.share = false").unwrap().shared.is_empty());
    }

    #[test]
    fn variables_are_named_one_by_one() {
        let text =
            "[hallpass.exec]\nshare = [\"config.toml\"]\n[hallpass.exec.variables]\nA = \"access_token\"\nB = \"home\"";
        let exec = exec(text).unwrap();
        assert_eq!(exec.shared, ["config.toml"]);
        assert_eq!(exec.variables["A"], Variable::AccessToken);
        assert!(exec.variables["A"].is_secret() && !exec.variables["B"].is_secret());
    }

    #[test]
    fn a_mistake_is_named() {
        for (text, expected) in [
            ("hallpass.exec = 1", "hallpass.exec"),
            ("hallpass.exec.command = \"x\"", "`command`"),
            ("hallpass.exec.share = 1", "hallpass.exec.share"),
            ("hallpass.exec.share = [\"auth.json\"]", "credential"),
            ("hallpass.exec.share = [\"../x\"]", "credential"),
            ("hallpass.exec.variables = 1", "not a table"),
            ("hallpass.exec.variables.A = \"refresh_token\"", "access_token"),
            ("hallpass.exec.variables.CODEX_HOME = \"home\"", "Codex"),
        ] {
            let error = exec(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
