//! The answer to a request for a device code (RFC 8628, section 3.2).

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::check_page;
use super::polling::Pace;
use crate::browser_login::Client;
use crate::json::{self, FromJson, Integer, Json, Members, quoted};
use crate::preparing::Prepared;
use crate::{Error, HttpRequest, HttpResponse, Prompt, Provider, Secret, Timestamp, form, token_response};

/// A code that names no end is given 15 minutes, as Codex gives it.
const LIFETIME: i64 = 15 * 60;
const LONGEST_LIFETIME: i64 = 24 * 3600;

/// A user code and what is needed to ask for its tokens.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(super) struct DeviceAuthorization {
    /// `device_code`; OpenAI: `device_auth_id`.
    device_code: Secret,
    user_code: Secret,
    verification_uri: String,
    verification_uri_complete: Option<Secret>,
    pub(super) expires_at: Timestamp,
    /// Seconds between polls, as the server asks for.
    interval: Option<i64>,
}

struct Answer {
    device_code: Option<Secret>,
    user_code: Option<Secret>,
    verification_uri: Option<String>,
    verification_uri_complete: Option<String>,
    expires_in: Integer,
    interval: Integer,
}

impl FromJson for Answer {
    fn read(json: Json<'_>) -> Self {
        let members = json.members();
        Self {
            device_code: either(&members, "device_code", "device_auth_id"),
            user_code: either(&members, "user_code", "usercode"),
            // Google's name.
            verification_uri: either(&members, "verification_uri", "verification_url"),
            verification_uri_complete: either(&members, "verification_uri_complete", "verification_url_complete"),
            expires_in: FromJson::read(members.get("expires_in")),
            interval: FromJson::read(members.get("interval")),
        }
    }
}

/// A member that goes by two names.
fn either<T: FromJson>(members: &Members<'_>, name: &str, other: &str) -> Option<T> {
    Option::<T>::read(members.get(name)).or_else(|| FromJson::read(members.get(other)))
}

impl DeviceAuthorization {
    pub(super) fn read(provider: &Provider, response: &HttpResponse, now: Timestamp) -> Result<Self, Error> {
        let server = provider.host();
        if !response.is_success() {
            return Err(token_response::failure(&server, response));
        }
        let malformed = |detail: String| Error::malformed(&server, "a device authorization", detail);
        let answer: Answer = json::parse(response.body.expose()).map_err(malformed)?;
        let missing = |name: &str| malformed(format!("`{name}` is missing"));
        let page = answer.verification_uri.unwrap_or_else(|| {
            let issuer = provider.issuer.trim_end_matches('/');
            if provider.is_openai() { format!("{issuer}/codex/device") } else { String::new() }
        });
        let lifetime = answer.expires_in.0.unwrap_or(LIFETIME).clamp(0, LONGEST_LIFETIME);
        Ok(Self {
            device_code: answer.device_code.ok_or_else(|| missing("device_code"))?,
            user_code: crate::text::plain(answer.user_code.ok_or_else(|| missing("user_code"))?.expose()).into(),
            verification_uri: check_page(&server, &page)?,
            verification_uri_complete: match answer.verification_uri_complete {
                Some(page) => Some(check_page(&server, &page)?.into()),
                None => None,
            },
            expires_at: now.plus(lifetime.saturating_mul(1000)),
            interval: answer.interval.0,
        })
    }

    pub(super) fn prompt(&self) -> Prompt {
        Prompt::UserCode {
            user_code: self.user_code.clone(),
            verification_uri: self.verification_uri.clone(),
            verification_uri_complete: self.verification_uri_complete.clone(),
            expires_at: self.expires_at,
        }
    }

    pub(super) fn pace(&self) -> Pace {
        Pace::new(self.interval)
    }

    /// RFC 8628, section 3.4; OpenAI asks at an endpoint of its own, in JSON.
    pub(super) fn poll(&self, client: &Client, proof: &Prepared) -> HttpRequest {
        if client.provider.is_openai() {
            let usercode = client.endpoints.device_authorization.as_deref().unwrap_or_default();
            let url = usercode.strip_suffix("usercode").unwrap_or(usercode).to_owned() + "token";
            let (id, code) = (quoted(self.device_code.expose()), quoted(self.user_code.expose()));
            return form::post_json(&url, format!(r#"{{"device_auth_id":{id},"user_code":{code}}}"#));
        }
        let parameters = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", self.device_code.expose()),
        ];
        proof.post(&client.provider, &client.endpoints.token, &parameters)
    }
}
