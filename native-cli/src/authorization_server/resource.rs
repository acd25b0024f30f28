//! The protected resource (RFC 6750) and OpenAI's question who a personal access token is.

use serde_json::{Value, json};

use super::AuthorizationServer;
use super::issue::has_scope;
use super::journal::Happening;
use super::message::{Response, authorization};
use super::mint::digest;
use super::options::Account;
use super::routes::Turn;

impl AuthorizationServer {
    /// `GET /resource`, and `GET /me` as the endpoint of OpenID Connect Core, section 5.3.
    pub(super) fn resource(&mut self, turn: &Turn<'_>) -> Response {
        let response = self.resource_answer(turn);
        self.note(Happening::ResourceServed { status: response.status });
        response
    }

    fn resource_answer(&mut self, turn: &Turn<'_>) -> Response {
        let shown = turn.request.bearer().or_else(|| authorization(turn.request, "DPoP"));
        let Some(token) = shown else {
            // Without credentials the challenge says no more (RFC 6750, section 3.1).
            return challenge(401, "Bearer realm=\"resource\"", "a bearer token is missing");
        };
        if let Err(response) = self.check_possession(turn, token) {
            return response;
        }
        let (account, scope) = match self.access_token(self.now, token) {
            Some(found) => (self.find_account(&found.account_id), Some(&found.scope)),
            None => (self.key_holder(token), None),
        };
        let Some(account) = account else {
            let header = "Bearer realm=\"resource\", error=\"invalid_token\", \
                          error_description=\"The access token is unknown, expired or revoked\"";
            return challenge(401, header, "invalid_token");
        };
        let wanted = self.options.resource_scope.as_deref();
        if let (Some(wanted), Some(scope)) = (wanted, scope)
            && turn.path == "/resource"
            && !has_scope(scope, wanted)
        {
            let wanted = wanted.replace(['"', '\\'], "");
            let header = format!("Bearer realm=\"resource\", error=\"insufficient_scope\", scope=\"{wanted}\"");
            return challenge(403, &header, "insufficient_scope");
        }
        let mut body = identity(&account);
        if let Some(members) = body.as_object_mut() {
            members.insert("sub".to_owned(), json!(account.id));
            members.insert("name".to_owned(), json!(account.name));
            members.insert("email_verified".to_owned(), json!(true));
        }
        Response::of_json(200, &body)
    }

    /// A token that is bound to a key comes with a proof of its possession (RFC 9449, section 7.1).
    fn check_possession(&mut self, turn: &Turn<'_>, token: &str) -> Result<(), Response> {
        let family = self.access_token(self.now, token).and_then(|found| self.families.get(found.family));
        let Some(bound) = family.and_then(|family| family.thumbprint.clone()) else { return Ok(()) };
        let refuse = |error: &str, nonce: String| {
            let header = format!("DPoP realm=\"resource\", algs=\"ES256 EdDSA\", error=\"{error}\"");
            challenge(401, &header, error).with_header("DPoP-Nonce", &nonce)
        };
        let nonce = self.proof_nonce(0);
        if turn.request.bearer().is_some() {
            return Err(refuse("invalid_token", nonce));
        }
        match self.possession(turn, Some(token)) {
            Ok(Some(shown)) if shown == bound => Ok(()),
            Ok(_) => Err(refuse("invalid_token", nonce)),
            Err(refusal) => Err(refuse(refusal.error, nonce)),
        }
    }

    /// `GET /api/accounts/v1/user-auth-credential/whoami`
    pub(super) fn whoami(&self, turn: &Turn<'_>) -> Response {
        let token = turn.request.bearer();
        let account = token.filter(|token| token.starts_with("at-")).and_then(|token| self.key_holder(token));
        match account {
            Some(account) => Response::of_json(200, &identity(&account)),
            None => challenge(401, "Bearer realm=\"resource\", error=\"invalid_token\"", "invalid_token"),
        }
    }

    fn key_holder(&self, key: &str) -> Option<Account> {
        let id = self.keys.get(&digest(key))?;
        self.find_account(id)
    }
}

fn identity(account: &Account) -> Value {
    json!({
        "email": account.email,
        "chatgpt_user_id": account.id,
        "chatgpt_account_id": account.workspace_id,
        "chatgpt_plan_type": account.plan,
        "chatgpt_account_is_fedramp": account.is_fedramp,
    })
}

fn challenge(status: u16, header: &str, error: &str) -> Response {
    Response::of_json(status, &json!({"error": error})).with_header("WWW-Authenticate", header)
}
