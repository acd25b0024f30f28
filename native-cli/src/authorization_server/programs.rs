//! Tokens for programs: the grants that need no person (RFC 6749, section 4.4; RFC 8693; RFC 7523), and the identity
//! that a CI system gives to a job, with which two of them begin.

use serde_json::{Value, json};

use super::AuthorizationServer;
use super::issue::RefreshAnswer;
use super::jwt::{self, SigningKey};
use super::message::Response;
use super::mint::digest;
use super::options::{CODEX_CLIENT_ID, Client, ClientAuthentication, Identities, PublicKey};
use super::parameters::Parameters;
use super::routes::Turn;
use super::token::Refusal;

pub(super) const JWT_BEARER_GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
/// For how long a job's identity is good, in milliseconds.
const IDENTITY_LIFETIME_MS: i64 = 300_000;

impl AuthorizationServer {
    /// An identity token for a job, as a CI system signs it: for `audience`, good for five minutes from `now`.
    pub fn issue_identity_token(&mut self, now: i64, audience: &str) -> String {
        let claims = json!({
            "iss": self.identity_issuer(),
            "sub": "repo:example/tools:ref:refs/heads/main",
            "aud": audience,
            "jti": self.mint.secret("", "identity"),
            "iat": now.div_euclid(1000),
            "exp": now.saturating_add(IDENTITY_LIFETIME_MS).div_euclid(1000),
        });
        self.identity_key().sign("JWT", &claims)
    }

    /// The endpoint that a job of GitHub Actions asks for its identity.
    pub(super) fn identity(&mut self, turn: &Turn<'_>) -> Response {
        let Some(Identities { request_token, .. }) = self.options.identities.clone() else {
            return Response::empty(404);
        };
        if turn.request.bearer().is_none_or(|token| digest(token) != digest(&request_token)) {
            return Response::empty(401);
        }
        let Ok(parameters) = Parameters::of_query(turn.request) else { return Response::empty(400) };
        let audience = parameters.get("audience").unwrap_or("nobody").to_owned();
        let token = self.issue_identity_token(self.now, &audience);
        Response::of_json(200, &json!({"count": 1, "value": token}))
    }

    /// RFC 6749, section 4.4: only for clients that can keep a secret.
    pub(super) fn client_credentials(
        &mut self,
        turn: &Turn<'_>,
        client: &Client,
        parameters: &Parameters,
    ) -> Result<Response, Refusal> {
        if client.authentication == ClientAuthentication::None {
            return Err(Refusal::new("unauthorized_client", "a public client has no credentials"));
        }
        Ok(self.issue_to_program(turn, client, &client.id, parameters, RefreshAnswer::Absent))
    }

    /// RFC 8693, section 2: the identity of a job for an access token.
    pub(super) fn exchange_token(
        &mut self,
        turn: &Turn<'_>,
        client: &Client,
        parameters: &Parameters,
    ) -> Result<Response, Refusal> {
        let subject = parameters.get("subject_token").ok_or(Refusal::invalid_request("subject_token is missing"))?;
        if parameters.get("subject_token_type") != Some(JWT) {
            return Err(Refusal::invalid_request("subject_token_type must be that of a JWT"));
        }
        let account = self.identified(subject).ok_or(Refusal::invalid_request("the subject token is not valid"))?;
        let answer = match parameters.get("requested_token_type") {
            None | Some(ACCESS_TOKEN) => RefreshAnswer::Exchanged { token_type: "Bearer" },
            Some(JWT) => RefreshAnswer::Exchanged { token_type: "N_A" },
            Some(_) => return Err(Refusal::invalid_request("requested_token_type is not supported")),
        };
        Ok(self.issue_to_program(turn, client, &account, parameters, answer))
    }

    /// RFC 7523, section 2.1.
    pub(super) fn bear_assertion(
        &mut self,
        turn: &Turn<'_>,
        client: &Client,
        parameters: &Parameters,
    ) -> Result<Response, Refusal> {
        let assertion = parameters.get("assertion").ok_or(Refusal::invalid_request("assertion is missing"))?;
        let account = self.identified(assertion).ok_or(Refusal::invalid_grant("the assertion is not valid"))?;
        Ok(self.issue_to_program(turn, client, &account, parameters, RefreshAnswer::Absent))
    }

    /// OpenAI's workload identity: the same, by a rule instead of a client.
    pub(super) fn federate(&mut self, turn: &Turn<'_>, parameters: &Parameters) -> Result<Response, Refusal> {
        let rule = self.options.identities.as_ref().map(|identities| identities.rule_id.clone());
        if rule.is_none() || rule.as_deref() != parameters.get("federation_rule_id") {
            return Err(Refusal::invalid_grant("there is no such federation rule"));
        }
        let client = self.find_client(CODEX_CLIENT_ID).ok_or(Refusal::invalid_client("unknown client"))?;
        self.bear_assertion(turn, &client, parameters)
    }

    fn issue_to_program(
        &mut self,
        turn: &Turn<'_>,
        client: &Client,
        account_id: &str,
        parameters: &Parameters,
        answer: RefreshAnswer,
    ) -> Response {
        let may_have = |scope: &&str| client.scope.as_ref().is_none_or(|all| all.iter().any(|known| known == scope));
        let asked = parameters.get("scope").unwrap_or_default();
        let scope = asked.split_ascii_whitespace().filter(may_have).collect::<Vec<_>>().join(" ");
        let family = self.start_family(client, account_id, &scope, None);
        self.issue(turn, client, family, &scope, answer)
    }

    /// The account of whoever holds this identity token, if it is one for us.
    fn identified(&self, token: &str) -> Option<String> {
        let identities = self.options.identities.as_ref()?;
        let claims = jwt::verify(token, &PublicKey::Ed25519(self.identity_key().public_key()))?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let expires_at = claims.get("exp").and_then(Value::as_i64)?;
        let is_good = expires_at.saturating_mul(1000) > self.now
            && text("iss") == Some(self.identity_issuer().as_str())
            && text("aud") == Some(identities.audience.as_deref().unwrap_or(&self.options.issuer));
        is_good.then(|| identities.account_id.clone())
    }

    fn identity_issuer(&self) -> String {
        format!("{}/identity", self.options.issuer)
    }

    fn identity_key(&self) -> SigningKey {
        SigningKey::of_seed(&self.mint.fixed("identity key"))
    }
}
