//! How a provider gives tokens to a program, without a person.

use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::environment::is_absolute;
use crate::{ClientAuthentication, Error, Provider, identity};

/// The grant with which tokens are had from a provider that signs nobody in. They are never stored.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Which grant.
    pub grant_type: GrantType,
    /// The identity that is exchanged; without it, the one that the CI system gives to this job.
    #[serde(default)]
    pub subject_token: Option<SubjectToken>,
    /// What kind of token that is (RFC 8693, section 3); a JWT unless it is said.
    #[serde(default)]
    pub subject_token_type: Option<String>,
    /// What kind of token is wanted (RFC 8693, section 2.1).
    #[serde(default)]
    pub requested_token_type: Option<String>,
    /// For whom the token is meant, by a name that the server knows (RFC 8693, section 2.1).
    #[serde(default)]
    pub audience: Option<String>,
    /// For which resource it is meant, by its URI (RFC 8707, section 2).
    #[serde(default)]
    pub resource: Option<String>,
    /// OpenAI: the rule by which an identity of elsewhere is taken for one of its own.
    #[serde(default)]
    pub federation_rule_id: Option<String>,
    /// The environment variable that holds the client's secret.
    #[serde(default)]
    pub client_secret_variable: Option<String>,
}

/// The grants that need nobody.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// The client itself (RFC 6749, section 4.4).
    ClientCredentials,
    /// The token of another issuer for one of this server (RFC 8693).
    TokenExchange,
    /// The same as an assertion (RFC 7523, section 2.1).
    JwtBearer,
}

/// Where the identity comes from that is exchanged.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectToken {
    /// GitHub Actions is asked for one.
    GithubActions {
        /// Whom it shall be for; the issuer of the provider unless it is said.
        #[serde(default)]
        audience: Option<String>,
    },
    /// It is in this environment variable.
    Variable(String),
    /// It is in this file.
    File(String),
}

impl Grant {
    /// A grant of this type, and nothing more.
    pub fn new(grant_type: GrantType) -> Self {
        Self {
            grant_type,
            subject_token: None,
            subject_token_type: None,
            requested_token_type: None,
            audience: None,
            resource: None,
            federation_rule_id: None,
            client_secret_variable: None,
        }
    }

    /// The name by which configurations call the grant.
    pub fn name(&self) -> &'static str {
        match self.grant_type {
            GrantType::ClientCredentials => "client_credentials",
            GrantType::TokenExchange => "token_exchange",
            GrantType::JwtBearer => "jwt_bearer",
        }
    }

    /// Whether the grant can be used with its provider at all.
    ///
    /// # Errors
    /// Names what cannot be, and why.
    pub(crate) fn check(&self, provider: &Provider) -> Result<(), Error> {
        let error = |detail: &str| Err(Error::value(&format!("the grant of `{}`", provider.name), detail));
        if provider.client_authentication.has_secret() && self.client_secret_variable.is_none() {
            // What is in the store is the secret of whoever has signed in, and may be another client's.
            return error("`client_secret_variable` must name the environment variable with the client's secret");
        }
        match (self.grant_type, &self.subject_token) {
            (GrantType::ClientCredentials, Some(_)) => error("client credentials have no `subject_token`"),
            (GrantType::ClientCredentials, None) if provider.client_authentication == ClientAuthentication::None => {
                error("client credentials need a `client_authentication` (RFC 6749, section 4.4)")
            }
            (_, Some(SubjectToken::File(path))) if !is_absolute(path) => {
                error("the file of the `subject_token` must be an absolute path")
            }
            _ => Ok(()),
        }
    }

    /// The variables that it names.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        let subject = match &self.subject_token {
            Some(SubjectToken::Variable(name)) => Some(name.as_str()),
            _ => None,
        };
        subject.into_iter().chain(self.client_secret_variable.as_deref())
    }

    /// The file that it needs.
    pub(crate) fn file(&self) -> Option<&str> {
        match &self.subject_token {
            Some(SubjectToken::File(path)) => Some(path),
            None if self.grant_type != GrantType::ClientCredentials => Some(identity::KUBERNETES),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(authentication: ClientAuthentication, grant: Grant) -> Result<(), Error> {
        let provider = Provider {
            client_authentication: authentication,
            grant: Some(grant),
            ..Provider::discovered("https://id.example", "ci")
        };
        provider.check()
    }

    #[test]
    fn what_cannot_be_is_refused_before_anything_is_sent() {
        let with_secret =
            Grant { client_secret_variable: Some("SECRET".into()), ..Grant::new(GrantType::ClientCredentials) };
        let exchange = Grant::new(GrantType::TokenExchange);
        let file = |path: &str| Some(SubjectToken::File(path.into()));
        assert_eq!(check(ClientAuthentication::ClientSecretPost, with_secret.clone()), Ok(()));
        assert_eq!(check(ClientAuthentication::None, exchange.clone()), Ok(()));
        assert_eq!(
            check(ClientAuthentication::None, Grant { subject_token: file("/run/token"), ..exchange.clone() }),
            Ok(())
        );
        for (authentication, grant, expected) in [
            (ClientAuthentication::None, with_secret.clone(), "section 4.4"),
            (
                ClientAuthentication::ClientSecretBasic,
                Grant { subject_token: file("/t"), ..with_secret },
                "have no `subject_token`",
            ),
            (ClientAuthentication::ClientSecretPost, exchange.clone(), "client_secret_variable"),
            (ClientAuthentication::None, Grant { subject_token: file("token"), ..exchange }, "absolute path"),
        ] {
            let error = check(authentication, grant).unwrap_err();
            assert!(error.code() == "invalid_value" && format!("{error}").contains(expected), "{error}");
        }
    }
}
