//! The refresh grant (RFC 6749, section 6) and its policies of rotation (RFC 9700, section 4.14.2).

use super::authorize::granted_scope;
use super::families::RefreshToken;
use super::issue::RefreshAnswer;
use super::journal::{Happening, Revocation};
use super::message::Response;
use super::mint::digest;
use super::options::{Client, Dialect, RefreshTokens, Rotation};
use super::parameters::Parameters;
use super::routes::Turn;
use super::token::Refusal;
use super::{AuthorizationServer, FamilyId};

const REUSED: Refusal = Refusal {
    openai_code: Some("refresh_token_reused"),
    ..Refusal::invalid_grant(
        "Your refresh token has already been used to generate a new access token. Please try \
         signing in again.",
    )
};
const EXPIRED: Refusal = Refusal {
    openai_code: Some("refresh_token_expired"),
    ..Refusal::invalid_grant("Your refresh token has expired. Please try signing in again.")
};
const INVALIDATED: Refusal = Refusal {
    openai_code: Some("refresh_token_invalidated"),
    ..Refusal::invalid_grant("Your refresh token is not valid. Please try signing in again.")
};

impl AuthorizationServer {
    pub(super) fn refresh(
        &mut self,
        turn: &Turn<'_>,
        client: &Client,
        parameters: &Parameters,
        thumbprint: Option<&str>,
    ) -> Result<Response, Refusal> {
        let text = parameters.get("refresh_token").ok_or(Refusal::invalid_request("refresh_token is missing"))?;
        let known = self.families.refresh_tokens.get(&digest(text)).cloned();
        let token = known.ok_or(INVALIDATED)?;
        let family = self.families.get(token.family).ok_or(INVALIDATED)?;
        if family.client_id != client.id {
            return Err(INVALIDATED);
        }
        if family.thumbprint.is_some() && family.thumbprint.as_deref() != thumbprint {
            return Err(Refusal::invalid_grant("the refresh token is bound to another key"));
        }
        let scope = match parameters.get("scope") {
            Some(asked) => narrowed(&family.scope, asked)
                .and_then(|asked| granted_scope(client, &asked))
                .ok_or(Refusal::new("invalid_scope", "more than was granted"))?,
            None => family.scope.clone(),
        };
        if family.revoked.is_some() {
            let spent = token.spent_at.is_some();
            return Err(if spent { REUSED } else { INVALIDATED });
        }
        if token.expires_at.is_some_and(|at| at <= self.now) {
            return Err(EXPIRED);
        }
        let answer = match token.spent_at {
            None => self.rotate(client, text, &token),
            Some(spent_at) => self.spent_token_came(client, &token, spent_at)?,
        };
        Ok(self.issue(turn, client, token.family, &scope, answer))
    }

    fn rotate(&mut self, client: &Client, text: &str, token: &RefreshToken) -> RefreshAnswer {
        if matches!(self.options.rotation, Rotation::Keep | Rotation::Repeat) {
            self.note(Happening::Refreshed { family: token.family, generation: token.generation });
            let repeats = self.options.rotation == Rotation::Repeat;
            return if repeats { RefreshAnswer::Present(text.to_owned()) } else { RefreshAnswer::Absent };
        }
        let now = self.now;
        if let Some(found) = self.families.refresh_tokens.get_mut(&digest(text)) {
            found.spent_at = Some(now);
        }
        self.succeed(client, token.family)
    }

    fn spent_token_came(
        &mut self,
        client: &Client,
        token: &RefreshToken,
        spent_at: i64,
    ) -> Result<RefreshAnswer, Refusal> {
        let family = token.family;
        let newest = self.families.get(family);
        let generation = newest.map_or(0, |found| found.generation);
        match self.options.rotation {
            Rotation::ReplayToParent if token.generation + 1 == generation => {
                let current = newest.and_then(|found| found.current.clone());
                let current = current.ok_or(INVALIDATED)?;
                self.note(Happening::SuccessorReplayed { family, generation });
                return Ok(RefreshAnswer::Present(current));
            }
            Rotation::Grace(ms) if self.now.saturating_sub(spent_at) <= ms => {
                return Ok(self.succeed(client, family));
            }
            _ => {}
        }
        self.note(Happening::RefreshTokenReused { family, generation: token.generation });
        if self.options.rotation != Rotation::RejectOnly {
            self.revoke(family, Revocation::RefreshTokenReused);
        }
        Err(REUSED)
    }

    fn succeed(&mut self, client: &Client, family: FamilyId) -> RefreshAnswer {
        let mut generation = 0;
        if let Some(found) = self.families.get_mut(family) {
            found.generation += 1;
            generation = found.generation;
        }
        self.note(Happening::Refreshed { family, generation });
        RefreshAnswer::Present(self.mint_refresh_token(client, family, generation))
    }

    /// The refresh token of a new family, if the client gets one.
    pub(super) fn first_refresh_token(&mut self, client: &Client, family: FamilyId) -> Option<String> {
        let scope = &self.families.get(family)?.scope;
        let wanted = match client.refresh_tokens {
            RefreshTokens::Always => true,
            RefreshTokens::Never => false,
            RefreshTokens::OfflineAccess => scope.split_ascii_whitespace().any(|value| value == "offline_access"),
        };
        wanted.then(|| self.mint_refresh_token(client, family, 0))
    }

    fn mint_refresh_token(&mut self, client: &Client, family: FamilyId, generation: u64) -> String {
        let prefix = match client.dialect {
            Dialect::OpenAi => "rt_",
            Dialect::Standard => "",
        };
        let text = self.mint.secret(prefix, "refresh token");
        let lifetime = self.options.refresh_token_lifetime_ms;
        let token = RefreshToken {
            family,
            generation,
            expires_at: lifetime.map(|ms| self.now.saturating_add(ms)),
            spent_at: None,
        };
        self.families.refresh_tokens.insert(digest(&text), token);
        if let Some(found) = self.families.get_mut(family) {
            found.current = Some(text.clone());
        }
        text
    }
}

/// `asked`, if it is a part of `granted`.
fn narrowed(granted: &str, asked: &str) -> Option<String> {
    let granted: Vec<&str> = granted.split_ascii_whitespace().collect();
    asked.split_ascii_whitespace().all(|value| granted.contains(&value)).then(|| asked.to_owned())
}
