//! The token endpoint (RFC 6749, section 3.2) and the grants that begin a family.

use serde_json::json;

use super::authorize::AuthorizationRequest;
use super::discovery::{DEVICE_GRANT, TOKEN_EXCHANGE_GRANT};
use super::issue::RefreshAnswer;
use super::journal::{Happening, Revocation};
use super::jwt;
use super::message::Response;
use super::mint::{code_challenge, digest};
use super::options::{Client, Dialect, Dpop, PublicKey};
use super::parameters::{Malformed, Parameters};
use super::programs::JWT_BEARER_GRANT;
use super::routes::Turn;
use super::{AuthorizationServer, FamilyId};

/// An authorization code that was issued.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Code {
    pub(super) request: AuthorizationRequest,
    pub(super) account_id: String,
    pub(super) expires_at: i64,
    /// What it was exchanged for.
    pub(super) family: Option<FamilyId>,
}

/// Why the token endpoint refuses (RFC 6749, section 5.2).
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) error: &'static str,
    pub(super) description: &'static str,
    /// OpenAI's code, where it differs.
    pub(super) openai_code: Option<&'static str>,
}

impl Refusal {
    pub(super) const fn new(error: &'static str, description: &'static str) -> Self {
        Self { status: 400, error, description, openai_code: None }
    }

    pub(super) const fn invalid_request(description: &'static str) -> Self {
        Self::new("invalid_request", description)
    }

    pub(super) const fn invalid_grant(description: &'static str) -> Self {
        Self::new("invalid_grant", description)
    }

    pub(super) const fn invalid_client(description: &'static str) -> Self {
        Self { status: 401, ..Self::new("invalid_client", description) }
    }

    pub(super) fn standard(self) -> Response {
        let body = json!({"error": self.error, "error_description": self.description});
        let response = Response::of_json(self.status, &body);
        if self.status == 401 {
            response.with_header("WWW-Authenticate", "Basic realm=\"token endpoint\"")
        } else {
            response
        }
    }

    /// The nested form in which OpenAI refuses a refresh.
    fn openai(self) -> Response {
        let (status, code) = match self.openai_code {
            Some(code) => (401, code),
            None => (self.status, self.error),
        };
        let error = json!({
            "message": self.description,
            "type": "invalid_request_error",
            "param": null,
            "code": code,
        });
        Response::of_json(status, &json!({"error": error}))
    }
}

impl From<Malformed> for Refusal {
    fn from(Malformed(why): Malformed) -> Self {
        Self::invalid_request(why)
    }
}

impl AuthorizationServer {
    pub(super) fn token(&mut self, turn: &Turn<'_>) -> Response {
        self.token_requests += 1;
        let speaks_json = turn.dialect == Dialect::OpenAi && turn.request.is_json();
        let response = self.grant(turn, speaks_json).unwrap_or_else(|refusal| {
            let code = refusal.openai_code.filter(|_| speaks_json);
            self.note(Happening::TokenRefused { error: code.unwrap_or(refusal.error).to_owned() });
            if speaks_json { refusal.openai() } else { refusal.standard() }
        });
        match self.options.dpop {
            Dpop::NonceWanted => response.with_header("DPoP-Nonce", &self.proof_nonce(0)),
            Dpop::NotOffered | Dpop::Offered => response,
        }
    }

    fn grant(&mut self, turn: &Turn<'_>, speaks_json: bool) -> Result<Response, Refusal> {
        let parameters =
            if speaks_json { Parameters::of_json(turn.request)? } else { Parameters::of_form(turn.request)? };
        let grant_type = parameters.get("grant_type");
        if speaks_json && grant_type != Some("refresh_token") {
            let why = "a JSON body is for grant_type refresh_token only";
            return Err(Refusal::invalid_request(why));
        }
        if grant_type == Some(JWT_BEARER_GRANT) && turn.dialect == Dialect::OpenAi {
            return self.federate(turn, &parameters);
        }
        let client = self.authenticate(turn, &parameters)?;
        let thumbprint = self.possession(turn, None)?;
        match grant_type {
            Some("client_credentials") => self.client_credentials(turn, &client, &parameters),
            Some(JWT_BEARER_GRANT) => self.bear_assertion(turn, &client, &parameters),
            Some(TOKEN_EXCHANGE_GRANT) if parameters.get("requested_token").is_none() => {
                self.exchange_token(turn, &client, &parameters)
            }
            Some("authorization_code") => self.exchange_code(turn, &client, &parameters, thumbprint),
            Some("refresh_token") => self.refresh(turn, &client, &parameters, thumbprint.as_deref()),
            Some(DEVICE_GRANT) if self.options.device_enabled => {
                self.poll_device(turn, &client, &parameters, thumbprint)
            }
            Some(TOKEN_EXCHANGE_GRANT) => self.exchange_id_token(turn, &client, &parameters),
            Some(_) => Err(Refusal::new("unsupported_grant_type", "this grant type is not supported")),
            None => Err(Refusal::invalid_request("grant_type is missing")),
        }
    }

    /// RFC 6749, section 4.1.3, and RFC 7636, section 4.6.
    fn exchange_code(
        &mut self,
        turn: &Turn<'_>,
        client: &Client,
        parameters: &Parameters,
        thumbprint: Option<String>,
    ) -> Result<Response, Refusal> {
        let code = parameters.get("code").ok_or(Refusal::invalid_request("code is missing"))?;
        let key = digest(code);
        let known = self
            .codes
            .get(&key)
            .cloned()
            .filter(|known| known.request.client_id == client.id)
            .ok_or(Refusal::invalid_grant("the code is unknown or has expired"))?;
        if let Some(family) = known.family {
            self.note(Happening::CodeReplayed { family });
            self.revoke(family, Revocation::CodeReplayed);
            return Err(Refusal::invalid_grant("the code was used before"));
        }
        if known.expires_at <= self.now {
            return Err(Refusal::invalid_grant("the code is unknown or has expired"));
        }
        if parameters.get("redirect_uri") != Some(&known.request.redirect_uri) {
            let why = "redirect_uri differs from that of the authorization request";
            return Err(Refusal::invalid_grant(why));
        }
        let verifier = parameters.get("code_verifier").ok_or(Refusal::invalid_request("code_verifier is missing"))?;
        if !is_verifier(verifier) || code_challenge(verifier) != known.request.challenge {
            // Whoever holds a code without its verifier gets one attempt.
            self.codes.remove(&key);
            let why = "code_verifier does not belong to this code";
            return Err(Refusal::invalid_grant(why));
        }
        if known.request.thumbprint.is_some() && known.request.thumbprint != thumbprint {
            return Err(Refusal::invalid_grant("the code is bound to another key"));
        }
        let request = &known.request;
        let nonce = request.nonce.clone();
        let family = self.start_family(client, &known.account_id, &request.scope, nonce);
        self.bind(family, thumbprint);
        if let Some(known) = self.codes.get_mut(&key) {
            known.family = Some(family);
        }
        Ok(self.issue_first(turn, client, family))
    }

    /// Begins a family for a user's decision.
    pub(super) fn start_family(
        &mut self,
        client: &Client,
        account_id: &str,
        scope: &str,
        nonce: Option<String>,
    ) -> FamilyId {
        let started = self.families.start(self.now, client, account_id, scope, nonce);
        if let Some(found) = self.families.get_mut(started) {
            found.session.clone_from(&self.options.browser_session);
        }
        self.note(Happening::FamilyStarted { family: started, client_id: client.id.clone() });
        started
    }

    /// The first tokens of a family.
    pub(super) fn issue_first(&mut self, turn: &Turn<'_>, client: &Client, family: FamilyId) -> Response {
        let refresh_token = self.first_refresh_token(client, family);
        let answer = refresh_token.map_or(RefreshAnswer::Absent, RefreshAnswer::Present);
        let scope = self.families.get(family).map(|found| found.scope.clone()).unwrap_or_default();
        self.issue(turn, client, family, &scope, answer)
    }

    /// OpenAI's exchange of an identity token for an API key (in the form of RFC 8693).
    fn exchange_id_token(
        &mut self,
        turn: &Turn<'_>,
        client: &Client,
        parameters: &Parameters,
    ) -> Result<Response, Refusal> {
        const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
        const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
        if parameters.get("requested_token") != Some("openai-api-key") {
            let why = "requested_token must be openai-api-key";
            return Err(Refusal::invalid_request(why));
        }
        if parameters.get("subject_token_type") != Some(ID_TOKEN) {
            let why = "subject_token_type must be that of an identity token";
            return Err(Refusal::invalid_request(why));
        }
        if !self.options.api_keys_enabled {
            let why = "this account may not have an API key";
            return Err(Refusal::new("invalid_target", why));
        }
        let subject_token =
            parameters.get("subject_token").ok_or(Refusal::invalid_request("subject_token is missing"))?;
        let key = PublicKey::Ed25519(self.signing_key().public_key());
        let refusal = Refusal::invalid_grant("the identity token is not valid");
        let claims = jwt::verify(subject_token, &key).ok_or(refusal)?;
        let expires_at = claims.get("exp").and_then(serde_json::Value::as_i64);
        let is_current = expires_at.is_some_and(|at| at.saturating_mul(1000) > self.now);
        let is_theirs = claims
            .get("aud")
            .and_then(|audience| audience.get(0))
            .is_some_and(|audience| *audience == json!(client.id));
        let subject = claims.get("sub").and_then(serde_json::Value::as_str);
        let account = subject
            .filter(|_| is_current && is_theirs)
            .and_then(|subject| self.find_account(subject))
            .ok_or(refusal)?;
        let api_key = self.mint.secret("sk-", "api key");
        self.keys.insert(digest(&api_key), account.id.clone());
        self.note(Happening::ApiKeyIssued { account_id: account.id });
        let fields = [
            ("access_token", json!(api_key).to_string()),
            ("issued_token_type", json!(ACCESS_TOKEN).to_string()),
            ("token_type", json!("Bearer").to_string()),
        ];
        Ok(super::issue::token_answer(turn, &fields))
    }
}

/// RFC 7636, section 4.1.
fn is_verifier(text: &str) -> bool {
    let is_unreserved = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    (43..=128).contains(&text.len()) && text.chars().all(is_unreserved)
}
