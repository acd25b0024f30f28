//! Getting ready to prove to an authorization server which client is asking.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{Place, Provider, Secret, Seed, Timestamp};

#[cfg(feature = "homes")]
mod confidential;
#[cfg(not(feature = "homes"))]
mod public;

#[cfg(feature = "homes")]
pub(crate) use confidential::{Authenticating, ClientProof};
#[cfg(not(feature = "homes"))]
pub(crate) use public::{Authenticating, ClientProof};

/// Where a client's secret is had.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) enum SecretSource {
    /// It is at hand, if there is one.
    Given(Option<Secret>),
    /// It lies beside the record.
    Stored(Place),
}

/// What an assertion must be new for: `purpose` tells one request of a flow from another.
pub(crate) struct Occasion<'a> {
    pub(crate) audience: &'a str,
    pub(crate) purpose: &'a str,
    pub(crate) seed: &'a Seed,
    pub(crate) now: Timestamp,
}

/// The parameters with `client_id` where it belongs (RFC 6749, section 4.1.3): right after the first one, as Codex has
/// it.
fn named<'a>(provider: &'a Provider, parameters: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = parameters.to_vec();
    if !parameters.iter().any(|(name, _)| *name == "client_id") {
        all.insert(parameters.len().min(1), ("client_id", &provider.client_id));
    }
    all
}
