//! The record: Codex's `auth.json`, read and written member for member.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::claims::Claims;
use crate::json::{self, Object};
use crate::timestamp::rfc3339;
use crate::{Account, Error, Local, Secret, Timestamp};

mod tokens;

pub(crate) use tokens::{Provenance, Tokens};

/// What a home holds about who is signed in. Members that this version does not know are kept.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Record {
    object: Object,
    credential: Credential,
    last_refresh: Option<Timestamp>,
}

/// The credential in a record, by the mode that Codex resolves.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Credential {
    /// `apikey`
    ApiKey(Secret),
    /// `chatgpt`, `chatgptAuthTokens`: tokens of an OAuth login, Codex's word for any of them.
    Tokens(Tokens),
    /// `personalAccessToken`, or `agentIdentity` as a JWT
    AccessToken(Secret),
    /// A mode that Codex knows and Hallpass leaves alone (its name).
    Other(String),
    /// Nothing that could be used.
    Nothing,
}

impl Record {
    /// Reads the text of `auth.json` (a byte order mark is no error).
    pub(crate) fn parse(text: &Secret) -> Result<Self, Error> {
        let text = text.expose();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self::read(text).map_err(|detail| Local::Corrupt { detail }.into())
    }

    fn read(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("the file is empty".to_owned());
        }
        let object: Object = json::parse(text)?;
        let last_refresh = object.member::<String>("last_refresh")?.and_then(|text| Timestamp::parse(&text));
        let credential = Credential::of(&object)?;
        Ok(Self { object, credential, last_refresh })
    }

    /// The record of an API key, as Codex writes it.
    pub(crate) fn api_key(key: Secret) -> Self {
        let mut object = Object::default();
        object.set_text("auth_mode", "apikey");
        object.set_text("OPENAI_API_KEY", key.expose());
        Self { object, credential: Credential::ApiKey(key), last_refresh: None }
    }

    /// The record of a personal access token: Codex writes no `auth_mode` here.
    pub(crate) fn personal_access_token(token: Secret) -> Self {
        let mut object = Object::default();
        object.set("OPENAI_API_KEY", "null");
        object.set_text("personal_access_token", token.expose());
        Self { object, credential: Credential::AccessToken(token), last_refresh: None }
    }

    /// The record of an agent identity, a JWT.
    pub(crate) fn agent_identity(token: Secret) -> Self {
        let mut object = Object::default();
        object.set_text("auth_mode", "agentIdentity");
        object.set("OPENAI_API_KEY", "null");
        object.set_text("agent_identity", token.expose());
        Self { object, credential: Credential::AccessToken(token), last_refresh: None }
    }

    /// The record of a new OAuth login, and the API key that OpenAI gave along with it.
    pub(crate) fn login(tokens: Tokens, api_key: Option<&Secret>, now: Timestamp) -> Self {
        let mut object = Object::default();
        object.set_text("auth_mode", "chatgpt");
        match api_key {
            Some(key) => object.set_text("OPENAI_API_KEY", key.expose()),
            None => object.set("OPENAI_API_KEY", "null"),
        }
        Self { object, credential: Credential::Tokens(tokens), last_refresh: Some(now) }.stamped(now)
    }

    /// The same record with renewed tokens.
    pub(crate) fn renewed(self, tokens: Tokens, now: Timestamp) -> Self {
        Self { credential: Credential::Tokens(tokens), ..self }.stamped(now)
    }

    fn stamped(mut self, now: Timestamp) -> Self {
        if let Credential::Tokens(tokens) = &self.credential {
            self.object.set_object("tokens", tokens.object());
        }
        self.object.set_text("last_refresh", &rfc3339(now));
        self.last_refresh = Some(now);
        self
    }

    /// The text of `auth.json`.
    pub(crate) fn text(&self) -> Secret {
        self.object.pretty()
    }

    pub(crate) fn credential(&self) -> &Credential {
        &self.credential
    }

    /// The tokens, when an OAuth login is recorded.
    pub(crate) fn tokens(&self) -> Option<&Tokens> {
        match &self.credential {
            Credential::Tokens(tokens) => Some(tokens),
            Credential::ApiKey(_) | Credential::AccessToken(_) | Credential::Other(_) | Credential::Nothing => None,
        }
    }

    /// The refresh token, if there is one.
    pub(crate) fn refresh_token(&self) -> Option<&Secret> {
        self.tokens()?.refresh_token()
    }

    /// When the tokens were last renewed.
    pub(crate) fn last_refresh(&self) -> Option<Timestamp> {
        self.last_refresh
    }

    /// Whose credential it is, for display.
    pub(crate) fn account(&self) -> Option<Account> {
        match &self.credential {
            Credential::Tokens(tokens) => tokens.account(),
            Credential::AccessToken(token) => Claims::of(token).map(Claims::account),
            Credential::ApiKey(_) | Credential::Other(_) | Credential::Nothing => None,
        }
    }
}

impl Credential {
    /// Resolves the mode as Codex does: the named one, else by what is there.
    fn of(object: &Object) -> Result<Self, String> {
        let api_key = object.member::<Secret>("OPENAI_API_KEY")?.filter(|key| !key.is_empty());
        let personal = object.member::<Secret>("personal_access_token")?.filter(|token| !token.is_empty());
        let tokens = object.object("tokens")?.map(Tokens::read).transpose()?;
        let tokens = tokens.filter(|tokens| !tokens.access_token().is_empty() || tokens.refresh_token().is_some());
        let or_nothing = |credential: Option<Self>| credential.unwrap_or(Self::Nothing);
        let mode = object.member::<String>("auth_mode")?;
        Ok(match mode.as_deref() {
            Some("apikey") => or_nothing(api_key.map(Self::ApiKey)),
            Some("chatgpt" | "chatgptAuthTokens") => or_nothing(tokens.map(Self::Tokens)),
            Some("personalAccessToken") => or_nothing(personal.map(Self::AccessToken)),
            Some("agentIdentity") => match object.member::<Secret>("agent_identity") {
                Ok(token) => or_nothing(token.map(Self::AccessToken)),
                // An object: the keys of an agent, which only Codex can use.
                Err(_) => Self::Other("agentIdentity".to_owned()),
            },
            Some(mode @ ("bedrockApiKey" | "bedrockAccessKeys")) => Self::Other(mode.to_owned()),
            Some(_) => return Err("`auth_mode` is one that this version does not know".to_owned()),
            None => personal
                .map(Self::AccessToken)
                .or_else(|| api_key.map(Self::ApiKey))
                .or_else(|| tokens.map(Self::Tokens))
                .unwrap_or(Self::Nothing),
        })
    }
}

impl Serialize for Record {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.object.compact().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Secret::deserialize(deserializer)?;
        Self::read(text.expose()).map_err(|detail| serde::de::Error::custom(format!("record: {detail}")))
    }
}

#[cfg(test)]
mod tests;
