//! A proof of possession for a request to a resource (RFC 9449, section 7).

use alloc::borrow::ToOwned;
use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use crate::dpop::{Possession, Target};
use crate::endpoint::Endpoint;
use crate::home::Reading;
use crate::preparing::{proof_id, signed};
use crate::{Error, Event, Local, Machine, Misused, Proof, ProofRequest, Secret, Seed, Step, Timestamp, unexpected};

/// Signs for a request of the caller, with the key of the stored session.
///
/// - `Reading` → (reading) → `Signing`
/// - `Signing` → `Signed`, `SignFailed` → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Demonstrating {
    request: ProofRequest,
    seed: Seed,
    state: State,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Reading(Box<Reading>),
    Signing { input: Secret },
}

impl Demonstrating {
    pub(crate) fn start(request: ProofRequest, seed: Seed, now: Timestamp) -> Step<Self> {
        if let Err(detail) = Endpoint::parse(request.url.split('#').next().unwrap_or_default()) {
            return Step::Done(Err(Error::value("URL", detail)));
        }
        let reading = Reading::start(&request.configuration);
        Self::reading(request, seed, reading, now)
    }

    fn reading(request: ProofRequest, seed: Seed, step: Step<Reading>, now: Timestamp) -> Step<Self> {
        step.within(
            (request, seed),
            |(request, seed), step| Self { request, seed, state: State::Reading(step) },
            |(request, seed), result| match result.and_then(|held| held.record().map(|_| held.possession())) {
                Ok(Some(possession)) => Self::prove(request, seed, possession, now),
                Ok(None) => {
                    let detail = "the tokens of this session are bound to no key: they are sent as they are";
                    Step::failed(Misused::NotApplicable { detail: detail.to_owned() })
                }
                Err(error) => Step::Done(Err(error)),
            },
        )
    }

    fn prove(request: ProofRequest, seed: Seed, possession: Possession, now: Timestamp) -> Step<Self> {
        // The nonce that is remembered is the token endpoint's, and each server has its own.
        let possession = possession.with_nonce(request.nonce.clone());
        let id = proof_id(&seed, "resource", now);
        let target = Target {
            method: &request.method,
            url: &request.url,
            id: id.expose(),
            access_token: Some(&request.access_token),
        };
        let input = possession.signing_input(&target, now);
        let effect = possession.sign(input.clone());
        Step::perform(Self { request, seed, state: State::Signing { input } }, effect)
    }
}

impl Machine for Demonstrating {
    type Output = Proof;

    fn step(self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
        let Self { request, seed, state } = *self;
        match (state, event) {
            (State::Reading(step), event) => Self::reading(request, seed, step.step(now, event), now),
            (State::Signing { input }, Event::Signed(signature)) => {
                Step::Done(Ok(Proof { header: signed(&input, &signature) }))
            }
            (State::Signing { .. }, Event::SignFailed { detail }) => Step::failed(Local::ProofKey { detail }),
            (State::Signing { .. }, event) => Step::Done(Err(unexpected(&event))),
        }
    }
}
