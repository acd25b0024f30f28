//! A proof of possession for a request to a resource (RFC 9449, section 7).

use alloc::borrow::ToOwned;

use serde::{Deserialize, Serialize};

use crate::dpop::{Possession, Target};
use crate::endpoint::Endpoint;
use crate::home::{Held, Reading};
use crate::preparing::{proof_id, signed};
use crate::{
    Effect, Error, Event, Key, Local, Machine, Misused, Proof, ProofRequest, Secret, Seed, Slot, Step, Timestamp,
    unexpected,
};

/// Signs for a request of the caller, with the key of the stored session.
///
/// - `Reading` → (reading) → `Finding`
/// - `Finding` → `Loaded` → `Signing` · `StoreFailed` → done
/// - `Signing` → `Signed`, `SignFailed` → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Demonstrating {
    request: ProofRequest,
    seed: Seed,
    state: State,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Reading(Reading),
    Finding { held: Held },
    Signing { input: Secret },
}

impl Demonstrating {
    pub(crate) fn start(request: ProofRequest, seed: Seed) -> Step<Self> {
        if let Err(detail) = Endpoint::parse(request.url.split('#').next().unwrap_or_default()) {
            return Step::Done(Err(Error::value("URL", detail)));
        }
        let reading = Reading::start(&request.configuration);
        Self::reading(request, seed, reading)
    }

    fn reading(request: ProofRequest, seed: Seed, step: Step<Reading>) -> Step<Self> {
        step.within(
            (request, seed),
            |(request, seed), step| Self { request, seed, state: State::Reading(step) },
            |(request, seed), result| match result {
                Ok(held) => match held.is_bound() {
                    Ok(true) => {
                        let effect = Effect::Load(Slot::Proof(held.place));
                        Step::perform(Self { request, seed, state: State::Finding { held } }, effect)
                    }
                    Ok(false) => {
                        let detail = "the tokens of this session are bound to no key: they are sent as they are";
                        Step::failed(Misused::NotApplicable { detail: detail.to_owned() })
                    }
                    Err(error) => Step::Done(Err(error)),
                },
                Err(error) => Step::Done(Err(error)),
            },
        )
    }

    fn found(self, held: &Held, jwk: Option<&Secret>, now: Timestamp) -> Step<Self> {
        let Self { request, seed, .. } = self;
        let possession = match held.possession(jwk) {
            Ok(possession) => possession,
            Err(error) => return Step::Done(Err(error)),
        };
        // The nonce that is remembered is the token endpoint's, and each server has its own.
        let possession = Possession::new(Key::Proof(held.place), possession.public().clone(), request.nonce.clone());
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

    fn step(self, now: Timestamp, event: Event) -> Step<Self> {
        let Self { request, seed, state } = self;
        match (state, event) {
            (State::Reading(step), event) => Self::reading(request, seed, step.step(now, event)),
            (State::Finding { held }, Event::Loaded(jwk)) => {
                let machine = Self { request, seed, state: State::Finding { held: held.clone() } };
                machine.found(&held, jwk.as_ref(), now)
            }
            (State::Finding { .. }, Event::StoreFailed(failure)) => Step::failed(Local::Store(failure)),
            (State::Signing { input }, Event::Signed(signature)) => {
                Step::Done(Ok(Proof { header: signed(&input, &signature) }))
            }
            (State::Signing { .. }, Event::SignFailed { detail }) => Step::failed(Local::ProofKey { detail }),
            (State::Finding { .. } | State::Signing { .. }, event) => Step::Done(Err(unexpected(&event))),
        }
    }
}
