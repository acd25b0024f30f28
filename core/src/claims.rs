//! What a JWT says about itself: for display and expiry, never for a decision about rights.

use alloc::string::String;

use crate::base64url;
use crate::json::{self, FromJson, Integer, Json, Text};
use crate::{Account, Secret, Timestamp};

/// Longer tokens are not looked into.
const LONGEST: usize = 64 * 1024;

/// The claims of a JWT's payload (RFC 7519), unverified; a claim of the wrong type counts as absent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claims {
    pub(crate) iss: Text,
    pub(crate) sub: Text,
    /// What the server calls the session (OpenID Connect Front-Channel Logout, section 3).
    pub(crate) sid: Text,
    email: Text,
    exp: Integer,
    iat: Integer,
    openai: OpenAiClaims,
    profile: Profile,
}

#[derive(Clone, Debug, Default)]
struct OpenAiClaims {
    chatgpt_account_id: Text,
    chatgpt_plan_type: Text,
    chatgpt_user_id: Text,
    user_id: Text,
}

#[derive(Clone, Debug, Default)]
struct Profile {
    email: Text,
}

json::object! { OpenAiClaims { chatgpt_account_id, chatgpt_plan_type, chatgpt_user_id, user_id } }
json::object! { Profile { email } }

impl FromJson for Claims {
    fn read(json: Json<'_>) -> Self {
        let members = json.members();
        Self {
            iss: FromJson::read(members.get("iss")),
            sub: FromJson::read(members.get("sub")),
            sid: FromJson::read(members.get("sid")),
            email: FromJson::read(members.get("email")),
            exp: FromJson::read(members.get("exp")),
            iat: FromJson::read(members.get("iat")),
            openai: json::member!(members.get("https://api.openai.com/auth"), OpenAiClaims::default()),
            profile: json::member!(members.get("https://api.openai.com/profile"), Profile::default()),
        }
    }
}

impl Claims {
    /// Reads the payload of a JWT. `None` when the token is not one (opaque tokens are common).
    pub(crate) fn of(token: &Secret) -> Option<Self> {
        let token = token.expose();
        if token.len() > LONGEST {
            return None;
        }
        let mut parts = token.splitn(4, '.');
        let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
        if header.is_empty() || signature.is_empty() || parts.next().is_some() {
            return None;
        }
        json::parse(core::str::from_utf8(&base64url::decode(payload)?).ok()?).ok()
    }

    /// When the token expires (`exp`).
    pub(crate) fn expires_at(&self) -> Option<Timestamp> {
        self.exp.0.map(Timestamp::from_seconds)
    }

    /// When the token was issued (`iat`).
    pub(crate) fn issued_at(&self) -> Option<Timestamp> {
        self.iat.0.map(Timestamp::from_seconds)
    }

    /// Whose token it is.
    pub(crate) fn account(self) -> Account {
        let workspace_id = self.openai.chatgpt_account_id.0;
        Account {
            email: self.email.0.or(self.profile.email.0),
            id: workspace_id.clone().or_else(|| self.sub.0.clone()),
            user_id: self.openai.chatgpt_user_id.0.or(self.openai.user_id.0).or(self.sub.0),
            workspace_id,
            plan: self.openai.chatgpt_plan_type.0,
        }
    }

    /// `chatgpt_account_id`, which is also the workspace.
    pub(crate) fn workspace(&self) -> Option<&String> {
        self.openai.chatgpt_account_id.0.as_ref()
    }

    /// Whether both can be about the same person: they contradict each other in nothing that names one.
    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        let same = |a: &Text, b: &Text| a.0.is_none() || b.0.is_none() || a == b;
        same(&self.openai.chatgpt_account_id, &other.openai.chatgpt_account_id)
            && same(&self.openai.chatgpt_user_id, &other.openai.chatgpt_user_id)
            && same(&self.sub, &other.sub)
            && same(&self.iss, &other.iss)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;

    fn token(payload: &str) -> Secret {
        Secret::new(format!("e30.{}.c2ln", base64url::encode(payload)))
    }

    #[test]
    fn the_claims_that_codex_reads() {
        let claims = Claims::of(&token(
            r#"{"email":"a@b.c","exp":1795462912,"https://api.openai.com/auth":{"chatgpt_account_id":"acct-1","chatgpt_plan_type":"pro","user_id":"user-1"}}"#,
        ))
        .unwrap();
        assert_eq!(claims.expires_at(), Some(Timestamp::from_seconds(1_795_462_912)));
        let account = claims.account();
        assert_eq!(account.email.as_deref(), Some("a@b.c"));
        assert_eq!(account.workspace_id.as_deref(), Some("acct-1"));
        assert_eq!(account.user_id.as_deref(), Some("user-1"));
        assert_eq!(account.plan.as_deref(), Some("pro"));
    }

    #[test]
    fn claims_of_the_wrong_type_are_absent() {
        let claims = Claims::of(&token(r#"{"exp":"1795462912","iat":[1],"email":{"x":1},"sub":7}"#)).unwrap();
        assert_eq!(claims.expires_at(), Some(Timestamp::from_seconds(1_795_462_912)));
        assert_eq!((claims.issued_at(), claims.account()), (None, Account::default()));
    }

    #[test]
    fn what_is_no_jwt_has_no_claims() {
        for text in ["", "opaque", "a.b", "a.b.c.d", "..", "e30.!!.c2ln", ".e30.x", "e30.e30.", "e30.W10.c2ln"] {
            assert!(Claims::of(&Secret::new(text)).is_none(), "{text}");
        }
        assert!(Claims::of(&Secret::new(".".repeat(1_000_000))).is_none());
        assert!(Claims::of(&Secret::new("e30=.e30=.c2ln".to_string())).is_some());
    }
}
