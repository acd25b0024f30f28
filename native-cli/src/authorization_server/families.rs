//! Grants and the tokens that descend from them.

use std::collections::BTreeMap;

use super::journal::{Happening, Revocation};
use super::mint::{Digest, digest};
use super::options::Client;
use super::{AuthorizationServer, FamilyId};

/// One sign-in and all tokens that descend from it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Family {
    /// Its number; the first is 1.
    pub id: FamilyId,
    /// The client that holds it.
    pub client_id: String,
    /// The account's id.
    pub account_id: String,
    /// The granted scope, separated by spaces.
    pub scope: String,
    /// How often its refresh token was replaced.
    pub generation: u64,
    /// Why it is dead, if it is.
    pub revoked: Option<Revocation>,
    /// The thumbprint of the key that its tokens are bound to, if they are (RFC 9449).
    pub thumbprint: Option<String>,
    pub(super) nonce: Option<String>,
    /// The browser's session that it belongs to.
    pub(super) session: Option<String>,
    pub(super) started_at: i64,
    /// The text of the newest refresh token.
    pub(super) current: Option<String>,
}

impl std::fmt::Debug for Family {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Family")
            .field("id", &self.id)
            .field("client_id", &self.client_id)
            .field("account_id", &self.account_id)
            .field("generation", &self.generation)
            .field("revoked", &self.revoked)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct RefreshToken {
    pub(super) family: FamilyId,
    pub(super) generation: u64,
    pub(super) expires_at: Option<i64>,
    pub(super) spent_at: Option<i64>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct AccessToken {
    pub(super) family: FamilyId,
    pub(super) account_id: String,
    pub(super) scope: String,
    pub(super) expires_at: i64,
}

/// All families, and their tokens by digest.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Families {
    pub(super) by_id: BTreeMap<FamilyId, Family>,
    pub(super) refresh_tokens: BTreeMap<Digest, RefreshToken>,
    pub(super) access_tokens: BTreeMap<Digest, AccessToken>,
    started: u64,
}

impl Families {
    pub(super) fn get(&self, id: FamilyId) -> Option<&Family> {
        self.by_id.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: FamilyId) -> Option<&mut Family> {
        self.by_id.get_mut(&id)
    }

    pub(super) fn start(
        &mut self,
        now: i64,
        client: &Client,
        account_id: &str,
        scope: &str,
        nonce: Option<String>,
    ) -> FamilyId {
        self.started += 1;
        let id = FamilyId(self.started);
        let family = Family {
            id,
            client_id: client.id.clone(),
            account_id: account_id.to_owned(),
            scope: scope.to_owned(),
            generation: 0,
            revoked: None,
            thumbprint: None,
            nonce,
            session: None,
            started_at: now,
            current: None,
        };
        self.by_id.insert(id, family);
        id
    }

    /// Forgets access tokens that expired, and families that were revoked long ago.
    pub(super) fn prune(&mut self, now: i64) {
        const DAY_MS: i64 = 86_400_000;
        self.access_tokens.retain(|_, token| token.expires_at.saturating_add(DAY_MS) > now);
        self.by_id.retain(|_, family| family.revoked.is_none() || family.started_at.saturating_add(30 * DAY_MS) > now);
        let families = &self.by_id;
        self.refresh_tokens.retain(|_, token| families.contains_key(&token.family));
    }
}

impl AuthorizationServer {
    /// The families, oldest first.
    pub fn families(&self) -> impl Iterator<Item = &Family> {
        self.families.by_id.values()
    }

    /// The family from which an access or refresh token descends.
    pub fn family_of(&self, token: &str) -> Option<FamilyId> {
        let key = digest(token);
        let refresh = self.families.refresh_tokens.get(&key);
        let access = self.families.access_tokens.get(&key);
        refresh.map(|found| found.family).or_else(|| access.map(|found| found.family))
    }

    /// Whether the token endpoint would accept this refresh token as unspent at `now`.
    pub fn is_live_refresh_token(&self, now: i64, token: &str) -> bool {
        let Some(found) = self.families.refresh_tokens.get(&digest(token)) else {
            return false;
        };
        let family = self.families.get(found.family);
        found.spent_at.is_none()
            && found.expires_at.is_none_or(|at| at > now)
            && family.is_some_and(|family| family.revoked.is_none())
    }

    /// Whether the protected resource would accept this access token at `now`.
    pub fn is_live_access_token(&self, now: i64, token: &str) -> bool {
        self.access_token(now, token).is_some()
    }

    /// Revokes a family: its tokens are worth nothing any more. Returns whether it was alive.
    pub fn revoke_family(&mut self, id: FamilyId) -> bool {
        self.revoke(id, Revocation::Operator)
    }

    /// Makes all access tokens expire at `now`, whatever they say themselves. Returns how many.
    pub fn expire_access_tokens(&mut self, now: i64) -> usize {
        let tokens = self.families.access_tokens.values_mut();
        let live = tokens.filter(|token| token.expires_at > now);
        live.map(|token| token.expires_at = now).count()
    }

    /// The family, and every other one of the same client in the same browser's session.
    pub(super) fn families_of_session(&self, family: FamilyId) -> Vec<FamilyId> {
        let known = self.families.get(family);
        let is_same = |other: &Family| {
            known.is_some_and(|known| {
                other.id == known.id
                    || known.session.is_some()
                        && (&other.session, &other.client_id) == (&known.session, &known.client_id)
            })
        };
        self.families().filter(|other| is_same(other)).map(|other| other.id).collect()
    }

    pub(super) fn access_token(&self, now: i64, token: &str) -> Option<&AccessToken> {
        let found = self.families.access_tokens.get(&digest(token))?;
        let family = self.families.get(found.family)?;
        (found.expires_at > now && family.revoked.is_none()).then_some(found)
    }

    pub(super) fn revoke(&mut self, family: FamilyId, reason: Revocation) -> bool {
        let Some(found) = self.families.get_mut(family) else {
            return false;
        };
        if found.revoked.is_some() {
            return false;
        }
        found.revoked = Some(reason);
        self.note(Happening::FamilyRevoked { family, reason });
        true
    }
}
