//! Who the client is at the token and revocation endpoints (RFC 6749, section 2.3; RFC 7523).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::AuthorizationServer;
use super::jwt;
use super::message::authorization;
use super::mint::digest;
use super::options::{Client, ClientAuthentication, PublicKey};
use super::parameters::Parameters;
use super::routes::Turn;
use super::token::Refusal;

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl AuthorizationServer {
    /// The client that sent `parameters`, if it proved to be that.
    pub(super) fn authenticate(&mut self, turn: &Turn<'_>, parameters: &Parameters) -> Result<Client, Refusal> {
        let basic = basic_credentials(turn)?;
        let assertion = parameters.get("client_assertion");
        let id = match (&basic, parameters.get("client_id"), assertion) {
            (Some((id, _)), Some(other), _) if id != other => {
                return Err(Refusal::invalid_client("two client ids that differ"));
            }
            (Some((id, _)), _, _) => id.clone(),
            (None, Some(id), _) => id.to_owned(),
            (None, None, Some(assertion)) => unverified_subject(assertion)
                .ok_or_else(|| Refusal::invalid_client("the client assertion is malformed"))?,
            (None, None, None) => return Err(Refusal::invalid_client("client_id is missing")),
        };
        let client = self.find_client(&id).ok_or_else(|| Refusal::invalid_client("unknown client"))?;
        let posted = parameters.get("client_secret");
        let ways = [basic.is_some(), posted.is_some(), assertion.is_some()];
        if ways.into_iter().filter(|used| *used).count() > 1 {
            return Err(Refusal::invalid_request("more than one client authentication"));
        }
        match &client.authentication {
            ClientAuthentication::None if ways.contains(&true) => {
                Err(Refusal::invalid_client("this is a public client; it must not authenticate"))
            }
            ClientAuthentication::None => Ok(client),
            ClientAuthentication::Secret(secret) => {
                let sent = basic.as_ref().map(|(_, secret)| secret.as_str()).or(posted);
                if sent.is_some_and(|sent| digest(sent) == digest(secret)) {
                    Ok(client)
                } else {
                    Err(Refusal::invalid_client("the client secret is wrong"))
                }
            }
            ClientAuthentication::PrivateKeyJwt(key) => {
                let kind = parameters.get("client_assertion_type");
                let assertion = assertion.filter(|_| kind == Some(JWT_BEARER));
                let valid = assertion.is_some_and(|assertion| self.accept_assertion(assertion, key, &client.id));
                if valid { Ok(client) } else { Err(Refusal::invalid_client("the client assertion is not valid")) }
            }
        }
    }

    /// RFC 7523, section 3. An assertion is accepted once.
    fn accept_assertion(&mut self, assertion: &str, key: &PublicKey, client_id: &str) -> bool {
        let Some(claims) = jwt::verify(assertion, key) else {
            return false;
        };
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let seconds = |name: &str| claims.get(name).and_then(Value::as_f64);
        #[allow(clippy::cast_precision_loss)] // Exact for the next 285,000 years.
        let now = self.now as f64 / 1000.0;
        let Some(expires_at) = seconds("exp").filter(|at| *at > now && *at <= now + 86_400.0) else {
            return false;
        };
        let issuer = &self.options.issuer;
        let accepted = [issuer.clone(), format!("{issuer}/token"), format!("{issuer}/oauth/token")];
        let is_for_us = match claims.get("aud") {
            Some(Value::String(audience)) => accepted.contains(audience),
            Some(Value::Array(audiences)) => audiences
                .iter()
                .filter_map(Value::as_str)
                .any(|audience| accepted.iter().any(|found| found == audience)),
            _ => false,
        };
        let is_about_client = text("iss") == Some(client_id) && text("sub") == Some(client_id);
        let has_begun = seconds("nbf").is_none_or(|at| at <= now + 60.0);
        let Some(id) = text("jti").filter(|_| is_for_us && is_about_client && has_begun) else {
            return false;
        };
        #[allow(clippy::cast_possible_truncation)] // At most a day ahead of now.
        let keep_until = (expires_at * 1000.0).ceil() as i64;
        let seen = digest(&format!("{client_id}\n{id}"));
        self.assertions.insert(seen, keep_until).is_none()
    }
}

/// `client_id` and secret of HTTP Basic, each form-encoded before (RFC 6749, section 2.3.1).
fn basic_credentials(turn: &Turn<'_>) -> Result<Option<(String, String)>, Refusal> {
    let Some(credentials) = authorization(turn.request, "Basic") else {
        return Ok(None);
    };
    let decoded = STANDARD.decode(credentials).ok();
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = text.as_deref().and_then(|text| text.split_once(':'));
    match pair {
        Some((id, secret)) => Ok(Some((form_decoded(id), form_decoded(secret)))),
        None => Err(Refusal::invalid_client("malformed Basic credentials")),
    }
}

fn form_decoded(text: &str) -> String {
    let pair = format!("v={}", text.replace('&', "%26"));
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// Whose assertion it claims to be; the signature is checked with that client's key afterwards.
fn unverified_subject(assertion: &str) -> Option<String> {
    let payload = assertion.split('.').nth(1)?;
    let claims = jwt::claims(payload)?;
    claims.get("sub").and_then(Value::as_str).map(str::to_owned)
}
