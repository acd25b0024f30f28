//! Client authentication where every client is a public one: there is nothing to prove (RFC 6749, section 2.1).

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Occasion, SecretSource, named};
use crate::{Event, HttpRequest, Machine, Provider, Secret, Step, Timestamp, form};

/// Never under way: it ends as it begins.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) enum Authenticating {}

/// That nothing is proven.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) enum ClientProof {
    #[default]
    None,
}

impl Authenticating {
    pub(crate) fn start(_: &Provider, _: &SecretSource, _: &Occasion<'_>) -> Step<Self> {
        Step::Done(Ok(ClientProof::None))
    }

    pub(crate) fn rehearse(_: &Provider) -> Step<Self> {
        Step::Done(Ok(ClientProof::None))
    }
}

impl Machine for Authenticating {
    type Output = ClientProof;

    fn step(self: Box<Self>, _: Timestamp, _: Event) -> Step<Self> {
        match *self {}
    }
}

#[expect(clippy::unused_self, reason = "it has the face of a proof that proves something")]
impl ClientProof {
    pub(crate) fn shared_secret(&self) -> Option<&Secret> {
        None
    }

    pub(crate) fn post(&self, provider: &Provider, url: &str, parameters: &[(&str, &str)]) -> HttpRequest {
        form::post(url, &named(provider, parameters), Vec::new())
    }
}
