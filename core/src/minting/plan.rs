//! What a token is minted from.

use alloc::string::String;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::base64url;
use crate::model_provider::Bearer;
use crate::{Configuration, Error, Grant, GrantType, Misused, Provider, Source, SubjectToken, TokenCommand, Wanted};

/// What a token is minted from.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Plan {
    /// A command prints it.
    Command(TokenCommand),
    /// The token endpoint of this provider gives it for this grant.
    Grant { provider: Provider, grant: Grant },
}

impl Plan {
    /// The plan for a source that has won; `None` where nothing is to be minted.
    ///
    /// # Errors
    /// When what it needs is not there or cannot be used.
    pub(crate) fn of(source: &Source, configuration: &Configuration) -> Result<Option<Self>, Error> {
        let provider = &configuration.provider;
        match source {
            Source::ModelProvider(_) => match &configuration.wanted {
                Some(Wanted::ModelProvider(wanted)) => match wanted.bearer() {
                    Some(Bearer::Command(command)) => Ok(Some(Self::Command(command.clone()))),
                    _ => Ok(None),
                },
                _ => Ok(None),
            },
            Source::Grant(_) => {
                Ok(provider.grant.clone().map(|grant| Self::Grant { provider: provider.clone(), grant }))
            }
            Source::WorkloadIdentity => {
                let Some((rule, path)) = configuration.environment.federation()? else { return Ok(None) };
                let grant = Grant {
                    subject_token: Some(SubjectToken::File(path)),
                    federation_rule_id: Some(rule),
                    ..Grant::new(GrantType::JwtBearer)
                };
                Ok(Some(Self::Grant { provider: provider.clone(), grant }))
            }
            Source::ApiKey | Source::AccessToken | Source::Store(_) => Ok(None),
        }
    }

    pub(crate) fn is_command(&self) -> bool {
        matches!(self, Self::Command(_))
    }

    /// Whether it can be carried out at all.
    ///
    /// # Errors
    /// Names what cannot be, and why.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self {
            Self::Command(command) if command.timeout_ms == 0 || command.command.is_empty() => {
                let detail = "a token command needs a name and a timeout".into();
                Err(Misused::NotApplicable { detail }.into())
            }
            Self::Command(_) => Ok(()),
            Self::Grant { provider, .. } => provider.check(),
        }
    }

    /// Under what its token is remembered: two plans share one only where they are the same to the letter.
    pub(crate) fn key(&self) -> String {
        // Texts, numbers and lists of them can always be written.
        let text = crate::json::write(self);
        base64url::encode(Sha256::digest(text))
    }
}
