//! The device grant (RFC 8628) and the page on which the user decides.

use serde_json::json;

use super::AuthorizationServer;
use super::account_pages::{self, Consent};
use super::authorize::granted_scope;
use super::discovery::DEVICE_GRANT;
use super::fault::{Endpoint, Fault};
use super::interaction::Question;
use super::journal::Happening;
use super::message::Response;
use super::mint::{Digest, digest};
use super::openai_device::Handover;
use super::options::{Account, Client, Decision, Dialect};
use super::pages;
use super::parameters::Parameters;
use super::routes::Turn;
use super::token::Refusal;

/// The letters of user codes: no vowels, so that no words come up (RFC 8628, section 6.1).
pub(super) const LETTERS: &str = "BCDFGHJKLMNPQRSTVWXZ";

/// How long to wait between polls if the answer does not say (RFC 8628, section 3.2).
const DEFAULT_INTERVAL_S: u32 = 5;

/// A device that waits for its user.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Device {
    pub(super) dialect: Dialect,
    pub(super) client_id: String,
    pub(super) scope: String,
    /// As it is shown; compared without hyphens and case.
    pub(super) user_code: String,
    pub(super) expires_at: i64,
    pub(super) state: DeviceState,
    interval_ms: i64,
    last_poll: Option<i64>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum DeviceState {
    Pending,
    Denied,
    /// `handover` is for OpenAI's dialect only.
    Allowed {
        account_id: String,
        handover: Option<Handover>,
    },
}

impl AuthorizationServer {
    /// Allows the device with this user code to sign in the account with this id or email.
    ///
    /// Returns whether there is such a device, undecided, and such an account.
    pub fn approve_device(&mut self, user_code: &str, account: &str) -> bool {
        let (Some(device), Some(account)) = (self.find_device(user_code), self.find_account(account)) else {
            return false;
        };
        self.decide_device(&device, Some(&account))
    }

    /// Refuses the device with this user code. Returns whether there is such a device, undecided.
    pub fn deny_device(&mut self, user_code: &str) -> bool {
        match self.find_device(user_code) {
            Some(device) => self.decide_device(&device, None),
            None => false,
        }
    }

    /// The user codes that wait for a decision.
    pub fn pending_user_codes(&self) -> impl Iterator<Item = &str> {
        let pending = |device: &&Device| device.state == DeviceState::Pending;
        let devices = self.devices.values().filter(pending);
        devices.map(|device| device.user_code.as_str())
    }

    /// RFC 8628, sections 3.1 and 3.2.
    pub(super) fn device_authorization(&mut self, turn: &Turn<'_>) -> Response {
        if !self.options.device_enabled {
            return Response::of_json(404, &json!({"error": "not_found"}));
        }
        match self.start_standard_device(turn) {
            Ok(response) => response,
            Err(refusal) => refusal.standard(),
        }
    }

    fn start_standard_device(&mut self, turn: &Turn<'_>) -> Result<Response, Refusal> {
        let parameters = Parameters::of_form(turn.request)?;
        let client = self.authenticate(turn, &parameters)?;
        let scope = granted_scope(&client, parameters.get("scope").unwrap_or_default());
        let scope = scope.ok_or(Refusal::new("invalid_scope", "not for this client"))?;
        let letters = self.mint.letters("user code", LETTERS, 8);
        let user_code = format!("{}-{}", letters.get(..4).unwrap_or_default(), letters.get(4..).unwrap_or_default());
        let device_code = self.start_device(Dialect::Standard, &client, &scope, &user_code);
        let page = format!("{}/device", self.options.issuer);
        let mut answer = json!({
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": page,
            "verification_uri_complete": format!("{page}?user_code={user_code}"),
            "expires_in": self.options.device_code_lifetime_ms / 1000,
        });
        if let (Some(interval), Some(members)) = (self.options.device_interval, answer.as_object_mut()) {
            members.insert("interval".to_owned(), json!(interval));
        }
        Ok(Response::of_json(200, &answer))
    }

    /// Remembers a new device and returns its device code.
    pub(super) fn start_device(&mut self, dialect: Dialect, client: &Client, scope: &str, user_code: &str) -> String {
        let device_code = self.mint.secret("", "device code");
        let interval = self.options.device_interval.unwrap_or(DEFAULT_INTERVAL_S);
        let lifetime = self.options.device_code_lifetime_ms;
        let device = Device {
            dialect,
            client_id: client.id.clone(),
            scope: scope.to_owned(),
            user_code: user_code.to_owned(),
            expires_at: self.now.saturating_add(lifetime),
            state: DeviceState::Pending,
            interval_ms: i64::from(interval) * 1000,
            last_poll: None,
        };
        self.devices.insert(digest(&device_code), device);
        self.note(Happening::DeviceStarted { client_id: client.id.clone() });
        device_code
    }

    /// RFC 8628, sections 3.4 and 3.5.
    pub(super) fn poll_device(
        &mut self,
        turn: &Turn<'_>,
        client: &Client,
        parameters: &Parameters,
        thumbprint: Option<String>,
    ) -> Result<Response, Refusal> {
        debug_assert_eq!(parameters.get("grant_type"), Some(DEVICE_GRANT));
        let code = parameters.get("device_code").ok_or(Refusal::invalid_request("device_code is missing"))?;
        let key = digest(code);
        let outcome = self.device_outcome(&key, client);
        let word = outcome.as_ref().map_or_else(|refusal| refusal.error.to_owned(), |_| "authorized".to_owned());
        self.note(Happening::DevicePolled { outcome: word });
        let (account_id, scope) = outcome?;
        self.devices.remove(&key);
        let family = self.start_family(client, &account_id, &scope, None);
        self.bind(family, thumbprint);
        Ok(self.issue_first(turn, client, family))
    }

    fn device_outcome(&mut self, key: &Digest, client: &Client) -> Result<(String, String), Refusal> {
        const SLOWER_MS: i64 = 5000;
        let now = self.now;
        let told_to_slow_down = self.take_fault(Endpoint::Token, |fault| *fault == Fault::SlowDown).is_some();
        let device = self
            .devices
            .get_mut(key)
            .filter(|found| found.dialect == Dialect::Standard && found.client_id == client.id)
            .ok_or(Refusal::invalid_grant("unknown device code"))?;
        if device.expires_at <= now {
            return Err(Refusal::new("expired_token", "the device code has expired"));
        }
        let last = device.last_poll.replace(now);
        let too_fast = last.is_some_and(|last| now.saturating_sub(last) < device.interval_ms);
        if too_fast || told_to_slow_down {
            device.interval_ms = device.interval_ms.saturating_add(SLOWER_MS);
            return Err(Refusal::new("slow_down", "poll less often"));
        }
        match &device.state {
            DeviceState::Pending => Err(Refusal::new("authorization_pending", "the user has not decided yet")),
            DeviceState::Denied => Err(Refusal::new("access_denied", "the user refused")),
            DeviceState::Allowed { account_id, .. } => Ok((account_id.clone(), device.scope.clone())),
        }
    }

    pub(super) fn device_page(&mut self, turn: &Turn<'_>) -> Response {
        let action = turn.request.path();
        if turn.request.method == "POST" {
            return self.device_decided(turn);
        }
        let parameters = Parameters::of_query(turn.request).unwrap_or_default();
        let Some(typed) = parameters.get("user_code") else {
            return account_pages::enter_code(action, None);
        };
        let found = self.find_device(typed).and_then(|key| Some((key, self.devices.get(&key)?.clone())));
        let Some((key, device)) = found else {
            return account_pages::enter_code(action, Some(typed));
        };
        match self.options.auto_consent.clone() {
            Some(Decision::Deny) => self.conclude(&key, None),
            Some(Decision::Allow { account }) => {
                let account = self.find_account(&account);
                self.conclude(&key, account.as_ref())
            }
            None => {
                let client = self.find_client(&device.client_id);
                let interaction = self.ask(Question::Device(key));
                self.note(Happening::ConsentAsked { client_id: device.client_id });
                account_pages::consent(&Consent {
                    client: client.as_ref().map_or("A device", |client| &client.name),
                    scope: &device.scope,
                    users: &self.options.users,
                    interaction: &interaction,
                    action,
                    destination: None,
                    user_code: Some(&device.user_code),
                    form_action: "",
                })
            }
        }
    }

    fn device_decided(&mut self, turn: &Turn<'_>) -> Response {
        let answered = Parameters::of_form(turn.request).ok().and_then(|parameters| self.answered(&parameters));
        match answered {
            Some((Question::Device(key), account)) => self.conclude(&key, account.as_ref()),
            _ => out_of_date(),
        }
    }

    fn conclude(&mut self, key: &Digest, account: Option<&Account>) -> Response {
        if !self.decide_device(key, account) {
            return out_of_date();
        }
        match account {
            Some(account) => pages::notice(
                "Signed in",
                &format!("The device now acts for {}. You can close this page.", account.email),
            ),
            None => pages::notice("Not signed in", "You refused, and the device was told so. You can close this page."),
        }
    }

    fn decide_device(&mut self, key: &Digest, account: Option<&Account>) -> bool {
        let now = self.now;
        let undecided = |device: &&Device| device.state == DeviceState::Pending && device.expires_at > now;
        let Some(device) = self.devices.get(key).filter(undecided).cloned() else {
            return false;
        };
        self.note(Happening::DeviceDecided { account_id: account.map(|account| account.id.clone()) });
        let state = match account {
            None => DeviceState::Denied,
            Some(account) => {
                DeviceState::Allowed { account_id: account.id.clone(), handover: self.handover(&device, account) }
            }
        };
        if let Some(device) = self.devices.get_mut(key) {
            device.state = state;
        }
        true
    }

    fn find_device(&self, user_code: &str) -> Option<Digest> {
        let wanted = normalized(user_code);
        let mut devices = self.devices.iter();
        devices
            .find(|(_, device)| {
                device.state == DeviceState::Pending
                    && device.expires_at > self.now
                    && normalized(&device.user_code) == wanted
            })
            .map(|(key, _)| *key)
    }
}

/// What a person types: any case, with or without hyphens and spaces (RFC 8628, section 6.1).
pub(super) fn normalized(user_code: &str) -> String {
    let letters = user_code.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_uppercase()).collect()
}

fn out_of_date() -> Response {
    pages::problem(
        400,
        "This page is out of date",
        "It was answered before, or the code has expired. Start the sign-in again.",
    )
}
