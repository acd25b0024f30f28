//! What the environment of a process says about credentials: variables, and the files that they name.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::identity;
use crate::text::trimmed;
use crate::{Configuration, Error, Local, Misused, Secret, Wanted};

/// `CODEX_API_KEY`: an API key of OpenAI.
pub(crate) const API_KEY: &str = "CODEX_API_KEY";
/// `CODEX_ACCESS_TOKEN`: a personal access token or an agent's identity.
pub(crate) const ACCESS_TOKEN: &str = "CODEX_ACCESS_TOKEN";
/// `OPENAI_FEDERATION_RULE_ID`: half of a workload identity.
pub(crate) const FEDERATION_RULE_ID: &str = "OPENAI_FEDERATION_RULE_ID";
/// `OPENAI_IDENTITY_TOKEN_FILE`: its other half, the path of a file.
pub(crate) const IDENTITY_TOKEN_FILE: &str = "OPENAI_IDENTITY_TOKEN_FILE";

/// The variables and files that matter to a flow, as a shell has read them just before it starts the flow.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Environment {
    /// Variables by name; one that is not set, or empty, is left out.
    #[serde(default)]
    pub variables: BTreeMap<String, Secret>,
    /// Files by path; one that does not exist is left out.
    #[serde(default)]
    pub files: BTreeMap<String, FileContents>,
}

/// What came of reading a file.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileContents {
    /// What it holds.
    Read(Secret),
    /// Why it cannot be read, for a person.
    Unreadable(String),
}

impl Environment {
    /// Reads what this configuration makes matter, and nothing else, through `variable` (`None` where it is not set)
    /// and `file` (`None` where there is none). A file is read anew each time: an identity token lives for minutes.
    pub fn gather(
        configuration: &Configuration,
        variable: &dyn Fn(&str) -> Option<Secret>,
        file: &dyn Fn(&str) -> Option<FileContents>,
    ) -> Self {
        let mut environment = Self::default();
        for name in names(configuration) {
            if let Some(value) = variable(name).filter(|value| !value.is_empty()) {
                environment.variables.insert(name.to_owned(), value);
            }
        }
        let federated = environment.get(IDENTITY_TOKEN_FILE).map(|path| path.expose().to_owned());
        let granted = configuration.provider.grant.iter().filter_map(|grant| grant.file().map(ToOwned::to_owned));
        for path in federated.into_iter().chain(granted) {
            if let Some(contents) = file(&path) {
                environment.files.insert(path, contents);
            }
        }
        environment
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.variables.is_empty() && self.files.is_empty()
    }

    /// The value of a variable, if there is anything in it.
    pub(crate) fn get(&self, name: &str) -> Option<&Secret> {
        self.variables.get(name).filter(|value| !value.expose().trim().is_empty())
    }

    /// A credential in a variable, made fit to be sent.
    ///
    /// # Errors
    /// [`Misused::Variable`] when it is not set, or holds what no credential has.
    pub(crate) fn credential(&self, name: &str) -> Result<Secret, Error> {
        let value = self.get(name).ok_or_else(|| variable(name, "is not set"))?;
        trimmed(value).map_err(|why| variable(name, why))
    }

    /// A workload identity: the rule's id and the path of the file with the identity token.
    ///
    /// # Errors
    /// [`Misused::Variable`] when one of the two variables is set without the other, as in Codex: whoever sets one
    /// means a workload identity, and is not given something else.
    pub(crate) fn federation(&self) -> Result<Option<(String, String)>, Error> {
        let text = |name| self.get(name).map(|value| value.expose().trim().to_owned());
        match (text(FEDERATION_RULE_ID), text(IDENTITY_TOKEN_FILE)) {
            (None, None) => Ok(None),
            (Some(_), None) => {
                Err(variable(IDENTITY_TOKEN_FILE, "is not set, although `OPENAI_FEDERATION_RULE_ID` is"))
            }
            (None, Some(_)) => {
                Err(variable(FEDERATION_RULE_ID, "is not set, although `OPENAI_IDENTITY_TOKEN_FILE` is"))
            }
            (Some(_), Some(path)) if !is_absolute(&path) => Err(variable(IDENTITY_TOKEN_FILE, "is no absolute path")),
            (Some(rule), Some(path)) => Ok(Some((rule, path))),
        }
    }

    /// The identity token in a file.
    ///
    /// # Errors
    /// [`Local::IdentityToken`] when there is none, or it is none.
    pub(crate) fn identity_token(&self, path: &str) -> Result<Secret, Error> {
        let why = |why: &str| Error::from(Local::IdentityToken { detail: alloc::format!("{path} {why}") });
        match self.files.get(path) {
            Some(FileContents::Read(contents)) => trimmed(contents).map_err(why),
            Some(FileContents::Unreadable(detail)) => Err(Local::IdentityToken { detail: detail.clone() }.into()),
            None => Err(why("does not exist")),
        }
    }
}

/// The variables that matter to a configuration.
fn names(configuration: &Configuration) -> Vec<&str> {
    let mut names = Vec::new();
    if configuration.provider.is_openai() {
        names.extend([API_KEY, ACCESS_TOKEN, FEDERATION_RULE_ID, IDENTITY_TOKEN_FILE]);
    }
    if let Some(grant) = &configuration.provider.grant {
        names.extend(identity::VARIABLES);
        names.extend(grant.variables());
    }
    if let Some(Wanted::ModelProvider(provider)) = &configuration.wanted {
        names.extend(provider.variables());
    }
    names
}

/// As Codex demands of `OPENAI_IDENTITY_TOKEN_FILE`; a shell of either kind of operating system may ask.
pub(crate) fn is_absolute(path: &str) -> bool {
    path.starts_with(['/', '\\']) || path.get(1..3).is_some_and(|rest| rest == ":\\" || rest == ":/")
}

fn variable(name: &str, detail: &str) -> Error {
    Misused::Variable { name: name.to_owned(), detail: detail.to_owned() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Provider;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value)));
        Environment { variables: variables.collect(), ..Environment::default() }
    }

    #[test]
    fn only_what_matters_is_read() {
        let variable = |name: &str| Some(Secret::new(alloc::format!("/{name}")));
        let file = |_: &str| Some(FileContents::Read("token".into()));
        let openai = Environment::gather(&Configuration::new(Provider::openai()), &variable, &file);
        let names: Vec<_> = openai.variables.keys().map(String::as_str).collect();
        assert_eq!(names, [ACCESS_TOKEN, API_KEY, FEDERATION_RULE_ID, IDENTITY_TOKEN_FILE]);
        assert_eq!(openai.files.keys().collect::<Vec<_>>(), ["/OPENAI_IDENTITY_TOKEN_FILE"]);
        let other = Configuration::new(Provider::discovered("https://id.example", "app"));
        assert!(Environment::gather(&other, &variable, &file).is_empty());
        let nothing = Environment::gather(&Configuration::new(Provider::openai()), &|_| Some("".into()), &file);
        assert!(nothing.is_empty(), "an empty variable is not set");
    }

    #[test]
    fn half_a_workload_identity_is_an_error() {
        let both = [(FEDERATION_RULE_ID, "rule"), (IDENTITY_TOKEN_FILE, "/run/token")];
        assert_eq!(environment(&both).federation(), Ok(Some(("rule".to_owned(), "/run/token".to_owned()))));
        assert_eq!(environment(&[]).federation(), Ok(None));
        for half in
            [&both[..1], &both[1..], &[both[0], (IDENTITY_TOKEN_FILE, " ")], &[both[0], (IDENTITY_TOKEN_FILE, "a/b")]]
        {
            assert_eq!(environment(half).federation().unwrap_err().code(), "invalid_variable", "{half:?}");
        }
    }

    #[test]
    fn a_credential_is_fit_to_be_sent_or_refused_without_its_contents() {
        assert_eq!(environment(&[("X", " sk-1\r\n")]).credential("X").unwrap().expose(), "sk-1");
        for value in ["", " ", "canary two", "canary\u{0}", "canary\nx: y", "canary-\u{fffd}"] {
            let error = environment(&[("X", value)]).credential("X").unwrap_err();
            assert!(error.code() == "invalid_variable" && !alloc::format!("{error}").contains("canary"), "{error}");
        }
    }

    #[test]
    fn paths_of_both_kinds_of_system_are_absolute() {
        for path in ["/a", "C:\\a", "c:/a", "\\\\server\\share"] {
            assert!(is_absolute(path), "{path}");
        }
        for path in ["", "a/b", "./a", "~/a", "C:", "é:\\"] {
            assert!(!is_absolute(path), "{path}");
        }
    }
}
