//! The pushed authorization request endpoint (RFC 9126).

use serde_json::json;

use super::AuthorizationServer;
use super::authorize::{AuthorizationRequest, check};
use super::message::Response;
use super::mint::{Digest, digest};
use super::options::PushedAuthorization;
use super::parameters::Parameters;
use super::routes::Turn;
use super::token::Refusal;

/// For how long a pushed request waits for its browser, in milliseconds.
const LIFETIME_MS: i64 = 60_000;

/// An authorization request that was pushed and not used yet.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Pushed {
    request: AuthorizationRequest,
    pub(super) expires_at: i64,
}

impl AuthorizationServer {
    pub(super) fn pushed_authorization(&mut self, turn: &Turn<'_>) -> Response {
        if self.options.pushed_authorization == PushedAuthorization::NotOffered {
            return Response::of_json(404, &json!({"error": "not_found"}));
        }
        self.push(turn).unwrap_or_else(Refusal::standard)
    }

    fn push(&mut self, turn: &Turn<'_>) -> Result<Response, Refusal> {
        let parameters = Parameters::of_form(turn.request)?;
        let client = self.authenticate(turn, &parameters)?;
        if parameters.get("request_uri").is_some() {
            return Err(Refusal::invalid_request("a pushed request holds no request_uri"));
        }
        let (named, redirect_uri) = self.where_to_answer(&parameters).map_err(Refusal::invalid_request)?;
        if named.id != client.id {
            return Err(Refusal::invalid_request("client_id is not that of this client"));
        }
        let request = check(&client, &redirect_uri, &parameters)
            .map_err(|(error, description)| Refusal::new(error, description))?;
        let secret = self.mint.secret("", "request uri");
        let request_uri = format!("urn:ietf:params:oauth:request_uri:{secret}");
        let expires_at = self.now.saturating_add(LIFETIME_MS);
        self.pushed.insert(digest(&request_uri), Pushed { request, expires_at });
        Ok(Response::of_json(201, &json!({"request_uri": request_uri, "expires_in": LIFETIME_MS / 1000})))
    }

    /// The request that was pushed under this reference by this client. It can be had once.
    pub(super) fn pushed_request(&mut self, request_uri: &str, client_id: &str) -> Option<AuthorizationRequest> {
        let key: Digest = digest(request_uri);
        let is_theirs = self.pushed.get(&key).is_some_and(|pushed| pushed.request.client_id == client_id);
        let pushed = if is_theirs { self.pushed.remove(&key) } else { None }?;
        (pushed.expires_at > self.now).then_some(pushed.request)
    }
}
