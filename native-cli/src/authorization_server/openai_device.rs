//! The device grant in OpenAI's dialect: the server keeps the PKCE verifier and hands it over with
//! the code, which the device then exchanges as if a browser had brought it.

use serde_json::{Value, json};

use super::AuthorizationServer;
use super::authorize::AuthorizationRequest;
use super::device::{Device, DeviceState, LETTERS, normalized};
use super::journal::Happening;
use super::message::Response;
use super::mint::{code_challenge, digest};
use super::options::{Account, Dialect};
use super::parameters::Parameters;
use super::routes::Turn;

/// What the dialect has for a scope, since its device request names none.
const SCOPE: &str = "openid profile email offline_access";

/// What the device gets when the user has allowed it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Handover {
    authorization_code: String,
    code_verifier: String,
}

impl AuthorizationServer {
    /// `POST /api/accounts/deviceauth/usercode`
    pub(super) fn openai_user_code(&mut self, turn: &Turn<'_>) -> Response {
        if !self.options.device_enabled {
            return refusal(404, "not_found", "Device code login is not enabled.");
        }
        let Ok(parameters) = Parameters::of_json(turn.request) else {
            return refusal(400, "invalid_request", "The body is not a JSON object.");
        };
        let client = parameters.get("client_id").and_then(|id| self.find_client(id));
        let Some(client) = client else {
            return refusal(400, "invalid_client", "Unknown client.");
        };
        let user_code = format!(
            "{}-{}",
            self.mint.letters("user code", LETTERS, 4),
            self.mint.letters("user code", "0123456789", 5)
        );
        let device_auth_id = self.start_device(Dialect::OpenAi, &client, SCOPE, &user_code);
        let mut answer = json!({"device_auth_id": device_auth_id, "user_code": user_code});
        if let (Some(interval), Some(members)) = (self.options.device_interval, answer.as_object_mut()) {
            members.insert("interval".to_owned(), json!(interval.to_string()));
        }
        Response::of_json(200, &answer)
    }

    /// `POST /api/accounts/deviceauth/token`: 403 while the user has not decided, 404 for what is
    /// not known, 400 for what will never succeed.
    pub(super) fn openai_device_token(&mut self, turn: &Turn<'_>) -> Response {
        let (word, response) = self.openai_device_outcome(turn);
        self.note(Happening::DevicePolled { outcome: word.to_owned() });
        response
    }

    fn openai_device_outcome(&self, turn: &Turn<'_>) -> (&'static str, Response) {
        let parameters = Parameters::of_json(turn.request).unwrap_or_default();
        let id = parameters.get("device_auth_id").unwrap_or_default();
        let typed = parameters.get("user_code").unwrap_or_default();
        let device = self
            .devices
            .get(&digest(id))
            .filter(|device| device.dialect == Dialect::OpenAi && normalized(&device.user_code) == normalized(typed));
        let refused = |status, word, message| (word, refusal(status, word, message));
        match device {
            None => refused(404, "not_found", "Unknown device."),
            Some(device) if device.expires_at <= self.now => {
                refused(400, "expired_token", "The user code has expired.")
            }
            Some(device) => match &device.state {
                DeviceState::Pending => {
                    let message = "The user has not decided yet.";
                    refused(403, "authorization_pending", message)
                }
                DeviceState::Allowed { handover: Some(handover), .. } => {
                    ("authorized", Response::of_json(200, &handover.json()))
                }
                _ => refused(400, "access_denied", "The user refused."),
            },
        }
    }

    /// Code and verifier for a device of OpenAI's dialect that was allowed.
    pub(super) fn handover(&mut self, device: &Device, account: &Account) -> Option<Handover> {
        if device.dialect != Dialect::OpenAi {
            return None;
        }
        let code_verifier = self.mint.secret("", "code verifier");
        let request = AuthorizationRequest {
            client_id: device.client_id.clone(),
            redirect_uri: format!("{}/deviceauth/callback", self.options.issuer),
            state: None,
            scope: device.scope.clone(),
            nonce: None,
            thumbprint: None,
            challenge: code_challenge(&code_verifier),
        };
        let authorization_code = self.issue_code(&request, account);
        // The device may fetch the code until the user code expires, and needs time to exchange it.
        let lifetime = self.options.authorization_code_lifetime_ms;
        if let Some(code) = self.codes.get_mut(&digest(&authorization_code)) {
            code.expires_at = device.expires_at.saturating_add(lifetime);
        }
        Some(Handover { authorization_code, code_verifier })
    }
}

impl Handover {
    fn json(&self) -> Value {
        json!({
            "authorization_code": self.authorization_code,
            "code_challenge": code_challenge(&self.code_verifier),
            "code_verifier": self.code_verifier,
        })
    }
}

fn refusal(status: u16, code: &str, message: &str) -> Response {
    let error = json!({
        "message": message, "type": "invalid_request_error", "param": null, "code": code,
    });
    Response::of_json(status, &json!({"error": error}))
}
