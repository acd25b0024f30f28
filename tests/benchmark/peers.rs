//! The same work as other programs do it: the `oauth2` crate, and plain serde.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth2::basic::{BasicClient, BasicTokenType};
use oauth2::{
    AuthUrl, ClientId, CsrfToken, EndpointNotSet, EndpointSet, ExtraTokenFields, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, StandardTokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};

pub(crate) const AUTHORIZATION: &str = "https://id.example/authorize";
pub(crate) const TOKEN: &str = "https://id.example/token";
pub(crate) const CLIENT_ID: &str = "hallpass";

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

pub(crate) fn oauth2_client(redirect_uri: &str) -> Client {
    BasicClient::new(ClientId::new(CLIENT_ID.into()))
        .set_auth_uri(AuthUrl::new(AUTHORIZATION.into()).unwrap())
        .set_token_uri(TokenUrl::new(TOKEN.into()).unwrap())
        .set_redirect_uri(RedirectUrl::new(redirect_uri.into()).unwrap())
}

pub(crate) fn authorization_request(client: &Client) -> (String, CsrfToken, PkceCodeVerifier) {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let scopes = ["openid", "profile", "email", "offline_access"].map(|scope| Scope::new(scope.into()));
    let (url, state) = client
        .authorize_url(CsrfToken::new_random)
        .add_scopes(scopes)
        .add_extra_param("prompt", "consent")
        .set_pkce_challenge(challenge)
        .url();
    (url.into(), state, verifier)
}

/// What the crate leaves to its users.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct IdToken {
    id_token: String,
}

impl ExtraTokenFields for IdToken {}

pub(crate) fn oauth2_response(body: &str) -> StandardTokenResponse<IdToken, BasicTokenType> {
    serde_json::from_str(body).unwrap()
}

#[derive(Debug, Deserialize)]
pub(crate) struct Response {
    access_token: String,
    token_type: String,
    expires_in: i64,
    id_token: String,
    refresh_token: String,
    scope: String,
}

pub(crate) fn response(body: &str) -> Response {
    serde_json::from_str(body).unwrap()
}

/// Reads a response and its claims, and makes the record of it, as a tool without Hallpass would.
pub(crate) fn response_to_record(body: &str) -> (Record, i64, String) {
    let Response { access_token, token_type, expires_in, id_token, refresh_token, scope } = response(body);
    assert!(token_type.eq_ignore_ascii_case("bearer"));
    let account_id = claims(&id_token).auth.chatgpt_account_id;
    let tokens = Tokens { id_token, access_token, refresh_token, account_id };
    let last_refresh = "2026-11-24T00:00:00.000000000Z".to_owned();
    let record = Record { auth_mode: "chatgpt".to_owned(), api_key: None, tokens, last_refresh };
    (record, expires_in, scope)
}

#[derive(Debug, Deserialize)]
pub(crate) struct Record {
    auth_mode: String,
    #[serde(rename = "OPENAI_API_KEY")]
    api_key: Option<String>,
    tokens: Tokens,
    last_refresh: String,
}

#[derive(Debug, Deserialize)]
struct Tokens {
    id_token: String,
    access_token: String,
    #[allow(dead_code, reason = "parsed like the rest")]
    refresh_token: String,
    account_id: Option<String>,
}

pub(crate) fn record(text: &str) -> Record {
    let record: Record = serde_json::from_str(text).unwrap();
    assert!(record.auth_mode == "chatgpt" && record.api_key.is_none() && !record.last_refresh.is_empty());
    record
}

#[derive(Debug, Deserialize)]
pub(crate) struct Claims {
    exp: i64,
    iat: i64,
    email: Option<String>,
    #[serde(rename = "https://api.openai.com/auth")]
    auth: Auth,
}

#[derive(Debug, Deserialize)]
struct Auth {
    chatgpt_account_id: Option<String>,
    chatgpt_plan_type: Option<String>,
    chatgpt_user_id: Option<String>,
}

fn claims(token: &str) -> Claims {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// An access token, its account and until when it is good.
pub(crate) fn record_with_expiry(text: &str) -> (String, Option<String>, i64) {
    let Tokens { access_token, account_id, .. } = record(text).tokens;
    let Claims { exp, iat, .. } = claims(&access_token);
    (access_token, account_id, exp.min(iat + 86_400))
}

/// Who is signed in and until when.
pub(crate) fn record_with_account(text: &str) -> (Claims, i64) {
    let Tokens { id_token, access_token, .. } = record(text).tokens;
    let account = claims(&id_token);
    let Auth { chatgpt_account_id, chatgpt_plan_type, chatgpt_user_id } = &account.auth;
    assert!(account.email.is_some() && chatgpt_account_id.is_some());
    assert!(chatgpt_plan_type.is_some() && chatgpt_user_id.is_some());
    let expires_at = claims(&access_token).exp;
    (account, expires_at)
}
