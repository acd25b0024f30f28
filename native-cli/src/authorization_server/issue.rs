//! The successful answer of the token endpoint (RFC 6749, section 5.1) and the claims in it.

use serde_json::{Value, json};

use super::families::{AccessToken, Family};
use super::fault::Fault;
use super::message::Response;
use super::mint::digest;
use super::options::{AccessTokenStyle, Account, Client, Dialect};
use super::routes::Turn;
use super::{AuthorizationServer, FamilyId};

/// What the answer says about the refresh token.
pub(super) enum RefreshAnswer {
    Present(String),
    Absent,
    /// There is none after an exchange, and the answer says what was issued (RFC 8693, section 2.2.1).
    Exchanged {
        token_type: &'static str,
    },
}

impl RefreshAnswer {
    fn token_type(&self) -> &'static str {
        match self {
            Self::Present(_) | Self::Absent => "Bearer",
            Self::Exchanged { token_type } => token_type,
        }
    }
}

impl AuthorizationServer {
    pub(super) fn issue(
        &mut self,
        turn: &Turn<'_>,
        client: &Client,
        family: FamilyId,
        scope: &str,
        refresh: RefreshAnswer,
    ) -> Response {
        let known = self.families.get(family).cloned();
        let account_id = known.as_ref().map_or("", |found| &found.account_id);
        let account = self.account_in_answer(turn, account_id);
        let is_bound = known.as_ref().is_some_and(|found| found.thumbprint.is_some());
        let lifetime = self.options.access_token_lifetime_ms;
        let access_token = match client.access_tokens {
            AccessTokenStyle::Opaque => self.mint.secret("", "access token"),
            AccessTokenStyle::Jwt => self.access_token_jwt(client, &account, scope, known.as_ref()),
        };
        let noted = AccessToken {
            family,
            account_id: account.id.clone(),
            scope: scope.to_owned(),
            expires_at: self.now.saturating_add(lifetime),
        };
        self.families.access_tokens.insert(digest(&access_token), noted);
        let mut fields = vec![
            ("access_token", json!(access_token).to_string()),
            ("token_type", json!(if is_bound { "DPoP" } else { refresh.token_type() }).to_string()),
            ("expires_in", (lifetime / 1000).to_string()),
        ];
        match refresh {
            RefreshAnswer::Present(refresh_token) => {
                fields.push(("refresh_token", json!(refresh_token).to_string()));
            }
            RefreshAnswer::Absent => {}
            RefreshAnswer::Exchanged { .. } => {
                let issued = "urn:ietf:params:oauth:token-type:access_token";
                fields.push(("issued_token_type", json!(issued).to_string()));
            }
        }
        if !scope.is_empty() {
            fields.push(("scope", json!(scope).to_string()));
        }
        if has_scope(scope, "openid") {
            let id_token = self.id_token(client, &account, known.as_ref());
            fields.push(("id_token", json!(id_token).to_string()));
        }
        token_answer(turn, &fields)
    }

    fn account_in_answer(&self, turn: &Turn<'_>, account_id: &str) -> Account {
        let mut users = self.options.users.iter();
        let account = if turn.fault == Some(Fault::OtherAccount) {
            users.find(|user| user.id != account_id).cloned()
        } else {
            self.find_account(account_id)
        };
        let client = || self.find_client(account_id).map(|client| Account::of_client(&client.id));
        account.or_else(client).unwrap_or_else(Account::stranger)
    }

    /// RFC 9068, section 2.2; for OpenAI's dialect with its claims.
    fn access_token_jwt(&mut self, client: &Client, account: &Account, scope: &str, family: Option<&Family>) -> String {
        let lifetime = self.options.access_token_lifetime_ms;
        let mut claims = self.common_claims(account, family, lifetime);
        let issuer = self.options.issuer.clone();
        add(&mut claims, "jti", json!(self.mint.secret("", "jti")));
        add(&mut claims, "client_id", json!(client.id));
        if let Some(thumbprint) = family.and_then(|found| found.thumbprint.as_ref()) {
            // RFC 9449, section 6.1.
            add(&mut claims, "cnf", json!({"jkt": thumbprint}));
        }
        match client.dialect {
            Dialect::Standard => {
                add(&mut claims, "aud", json!(format!("{issuer}/resource")));
                add(&mut claims, "scope", json!(scope));
            }
            Dialect::OpenAi => {
                let scopes: Vec<&str> = scope.split_ascii_whitespace().collect();
                add(&mut claims, "aud", json!(["https://api.openai.com/v1"]));
                add(&mut claims, "scp", json!(scopes));
                add_openai_claims(&mut claims, account);
            }
        }
        self.signing_key().sign("at+jwt", &claims)
    }

    /// OpenID Connect Core, section 2; for OpenAI's dialect with its claims.
    fn id_token(&mut self, client: &Client, account: &Account, family: Option<&Family>) -> String {
        let lifetime = self.options.id_token_lifetime_ms;
        let mut claims = self.common_claims(account, family, lifetime);
        add(&mut claims, "jti", json!(self.mint.secret("", "jti")));
        add(&mut claims, "aud", json!([client.id]));
        add(&mut claims, "azp", json!(client.id));
        add(&mut claims, "name", json!(account.name));
        add(&mut claims, "email", json!(account.email));
        add(&mut claims, "email_verified", json!(true));
        if let Some(nonce) = family.and_then(|found| found.nonce.as_ref()) {
            add(&mut claims, "nonce", json!(nonce));
        }
        if client.dialect == Dialect::OpenAi {
            add_openai_claims(&mut claims, account);
        }
        self.signing_key().sign("JWT", &claims)
    }

    fn common_claims(&self, account: &Account, family: Option<&Family>, lifetime_ms: i64) -> Value {
        let mut claims = json!({
            "iss": self.options.issuer,
            "sub": account.id,
            "iat": self.now.div_euclid(1000),
            "exp": self.now.saturating_add(lifetime_ms).div_euclid(1000),
        });
        if let Some(session) = family.and_then(|found| found.session.as_ref()) {
            add(&mut claims, "sid", json!(session));
        }
        claims
    }
}

/// A token answer of `fields`, each a name and JSON text, as the turn's fault leaves it.
pub(super) fn token_answer(turn: &Turn<'_>, fields: &[(&str, String)]) -> Response {
    let members: Vec<String> = fields
        .iter()
        .filter_map(|(name, value)| match (&turn.fault, *name) {
            (Some(Fault::OmitAccessToken), "access_token") => None,
            (Some(Fault::ExpiresIn { json }), "expires_in") if json.is_empty() => None,
            (Some(Fault::ExpiresIn { json }), "expires_in") => Some(format!("\"{name}\":{json}")),
            _ => Some(format!("\"{name}\":{value}")),
        })
        .collect();
    Response::of_json_text(200, format!("{{{}}}", members.join(",")))
}

pub(super) fn has_scope(scope: &str, wanted: &str) -> bool {
    scope.split_ascii_whitespace().any(|value| value == wanted)
}

fn add(claims: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = claims {
        members.insert(name.to_owned(), value);
    }
}

fn add_openai_claims(claims: &mut Value, account: &Account) {
    let organization = format!("org-{}", account.workspace_id);
    let auth = json!({
        "chatgpt_account_id": account.workspace_id,
        "chatgpt_account_is_fedramp": account.is_fedramp,
        "chatgpt_plan_type": account.plan,
        "chatgpt_user_id": account.id,
        "user_id": account.id,
        "organization_id": organization,
        "organizations": [{
            "id": organization, "is_default": true, "role": "owner", "title": account.name,
        }],
        "project_id": format!("proj-{}", account.workspace_id),
        "completed_platform_onboarding": true,
        "is_org_owner": true,
    });
    let profile = json!({"email": account.email, "email_verified": true});
    add(claims, "email", json!(account.email));
    add(claims, "https://api.openai.com/auth", auth);
    add(claims, "https://api.openai.com/profile", profile);
}
