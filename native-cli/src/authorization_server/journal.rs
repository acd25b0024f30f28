//! What happened, for tests and for people to read. No entry holds a secret.

use super::{Endpoint, FamilyId};

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// When, in milliseconds since the Unix epoch.
    pub at: i64,
    /// What.
    pub happening: Happening,
}

/// What can happen at the server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Happening {
    /// A consent page was shown for this client.
    ConsentAsked {
        /// The client that asks.
        client_id: String,
    },
    /// The user allowed a client; an authorization code was issued.
    ConsentGiven {
        /// The client that asked.
        client_id: String,
        /// The account that the user chose.
        account_id: String,
    },
    /// The user refused a client, or the request was refused on its way.
    AuthorizationRefused {
        /// The `error` of RFC 6749, section 4.1.2.1.
        error: String,
    },
    /// A device asked for a user code.
    DeviceStarted {
        /// The device's client.
        client_id: String,
    },
    /// A device asked whether the user has decided.
    DevicePolled {
        /// `authorized`, or the `error` of RFC 8628, section 3.5.
        outcome: String,
    },
    /// The user decided about a device.
    DeviceDecided {
        /// The account that the user chose; none if the user refused.
        account_id: Option<String>,
    },
    /// A code was exchanged for tokens: a family begins.
    FamilyStarted {
        /// The new family.
        family: FamilyId,
        /// The client that holds it.
        client_id: String,
    },
    /// A code came a second time (RFC 6749, section 4.1.2).
    CodeReplayed {
        /// The family that the first use began.
        family: FamilyId,
    },
    /// A refresh token was exchanged for new tokens.
    Refreshed {
        /// Its family.
        family: FamilyId,
        /// The generation of the refresh token that the client now holds.
        generation: u64,
    },
    /// A spent parent came again and its successor was handed out again.
    SuccessorReplayed {
        /// Its family.
        family: FamilyId,
        /// The generation of the successor.
        generation: u64,
    },
    /// A spent refresh token came again and was refused.
    RefreshTokenReused {
        /// Its family.
        family: FamilyId,
        /// The generation of the token that came.
        generation: u64,
    },
    /// A family was revoked.
    FamilyRevoked {
        /// The family.
        family: FamilyId,
        /// Why.
        reason: Revocation,
    },
    /// The token endpoint refused.
    TokenRefused {
        /// The `error` of RFC 6749, section 5.2, or OpenAI's code.
        error: String,
    },
    /// An API key was issued for an identity token.
    ApiKeyIssued {
        /// Whose.
        account_id: String,
    },
    /// The revocation endpoint was asked about a token it does not know.
    UnknownTokenRevoked,
    /// The protected resource answered.
    ResourceServed {
        /// 200, 401 or 403.
        status: u16,
    },
    /// A fault was applied.
    FaultApplied {
        /// Where.
        endpoint: Endpoint,
        /// Which, in one or two words.
        fault: &'static str,
    },
}

/// Why a family was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Revocation {
    /// A spent refresh token came again (RFC 9700, section 4.14.2).
    RefreshTokenReused,
    /// A used authorization code came again (RFC 6749, section 4.1.2).
    CodeReplayed,
    /// The client asked for it (RFC 7009).
    Requested,
    /// The operator, by [`super::AuthorizationServer::revoke_family`].
    Operator,
}
