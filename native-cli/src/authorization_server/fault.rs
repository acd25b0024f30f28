//! Faults: what a network and a server can do wrong, on request.

use super::AuthorizationServer;
use super::journal::Happening;

/// The endpoints of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// `/.well-known/openid-configuration` and `/.well-known/oauth-authorization-server`.
    Discovery,
    /// `/jwks.json`.
    Keys,
    /// `/authorize` and `/oauth/authorize`.
    Authorization,
    /// `/par`.
    PushedAuthorization,
    /// `/token` and `/oauth/token`.
    Token,
    /// `/device_authorization`.
    DeviceAuthorization,
    /// `/device` and `/codex/device`, the pages on which the user decides.
    DevicePage,
    /// `/api/accounts/deviceauth/usercode`.
    OpenAiUserCode,
    /// `/api/accounts/deviceauth/token`.
    OpenAiDeviceToken,
    /// `/revoke` and `/oauth/revoke`.
    Revocation,
    /// `/api/accounts/v1/user-auth-credential/whoami`.
    Whoami,
    /// `/resource` and `/me`.
    Resource,
    /// `/identity`, where a job of a CI system is given its identity.
    Identity,
}

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The answer is held back this long. Combines with any other fault.
    Latency {
        /// Milliseconds.
        ms: u64,
    },
    /// An error status in place of the answer.
    Status {
        /// Such as 429, 500, 502 or 503.
        status: u16,
        /// `Retry-After`, in seconds.
        retry_after: Option<u32>,
        /// Whether the request was processed all the same, as behind a gateway that gave up.
        processed: bool,
    },
    /// A device that polls is told to slow down (RFC 8628, section 3.5).
    SlowDown,
    /// The request is processed, the answer is dropped.
    LoseAnswer,
    /// The request is dropped.
    LoseRequest,
    /// The request is processed; half of the answer's body arrives.
    BreakBody,
    /// Not processed: a page in HTML with status 200, as a captive portal sends.
    Html,
    /// The request is processed; the answer is JSON of another shape.
    WrongShape,
    /// The request is processed; the tokens are those of another account.
    OtherAccount,
    /// The request is processed; the answer lacks `access_token`.
    OmitAccessToken,
    /// The request is processed; `expires_in` is this JSON text, or absent if it is empty.
    ExpiresIn {
        /// JSON, put into the answer as it is.
        json: String,
    },
    /// Not processed: a redirection.
    Redirect {
        /// Such as 302, 307 or 308.
        status: u16,
        /// Where to.
        location: String,
    },
}

impl Fault {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Latency { .. } => "latency",
            Self::Status { .. } => "status",
            Self::SlowDown => "slow down",
            Self::LoseAnswer => "lost answer",
            Self::LoseRequest => "lost request",
            Self::BreakBody => "broken body",
            Self::Html => "html",
            Self::WrongShape => "wrong shape",
            Self::OtherAccount => "other account",
            Self::OmitAccessToken => "no access token",
            Self::ExpiresIn { .. } => "expires_in",
            Self::Redirect { .. } => "redirect",
        }
    }
}

/// A fault, where it strikes, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PlannedFault {
    /// Where.
    pub endpoint: Endpoint,
    /// What.
    pub fault: Fault,
    /// How many requests it strikes; `None` is every one.
    pub times: Option<u32>,
}

impl AuthorizationServer {
    /// Plans `fault` for the next request to `endpoint` that no earlier plan strikes.
    pub fn inject(&mut self, endpoint: Endpoint, fault: Fault) {
        self.plan(PlannedFault { endpoint, fault, times: Some(1) });
    }

    /// Plans a fault for several requests or for all. Plans strike in the order in which they came.
    pub fn plan(&mut self, planned: PlannedFault) {
        self.faults.push(planned);
    }

    /// Forgets all planned faults.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// Takes the first planned fault for `endpoint` that `wanted` accepts.
    pub(super) fn take_fault(&mut self, endpoint: Endpoint, wanted: impl Fn(&Fault) -> bool) -> Option<Fault> {
        let index = self.faults.iter().position(|planned| planned.endpoint == endpoint && wanted(&planned.fault))?;
        let planned = self.faults.get_mut(index)?;
        let fault = planned.fault.clone();
        let left = planned.times.map(|times| times.saturating_sub(1));
        planned.times = left;
        if left == Some(0) {
            self.faults.remove(index);
        }
        self.note(Happening::FaultApplied { endpoint, fault: fault.name() });
        Some(fault)
    }
}
