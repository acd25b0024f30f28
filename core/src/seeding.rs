//! Taking over a record that was handed out by another home: the seed of a CI job.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use crate::claims::Claims;
use crate::home::Held;
use crate::record::{Credential, Record};
use crate::storing::{NewCredential, Storing, Terms};
use crate::{
    Configuration, Error, Event, Local, LoginRequired, Machine, Seed, SeedRequest, SeedUse, Seeded, Step, StoreFailure,
    StoreTrouble, Timestamp, status,
};

/// Stores a seed in a home that holds no credential, or an earlier generation of the same session.
///
/// - `Storing` → (storing) → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Seeding {
    configuration: Configuration,
    step: Box<Storing>,
}

impl Seeding {
    pub(crate) fn start(request: SeedRequest, seed: Seed, now: Timestamp) -> Step<Self> {
        let SeedRequest { configuration, record, store } = request;
        let record = match Record::parse(&record) {
            Ok(record) if *record.credential() == Credential::Nothing => {
                return Step::Done(Err(Error::value("seed", "it holds no credential")));
            }
            Ok(record) => record,
            Err(Error::Local(Local::Corrupt { detail })) => return Step::Done(Err(Error::value("seed", detail))),
            Err(error) => return Step::Done(Err(error)),
        };
        if let Err(error) = configuration.permits_record(&record) {
            return Step::Done(Err(error));
        }
        let credential = NewCredential {
            record,
            store,
            provider: None,
            client_secret: None,
            workspace: None,
            expires_in: None,
            bound: None,
            terms: Terms::Seed,
        };
        let storing = Storing::start(credential, configuration.clone(), seed);
        Self::storing(configuration, storing, now)
    }

    fn storing(configuration: Configuration, step: Step<Storing>, now: Timestamp) -> Step<Self> {
        step.within(
            configuration,
            |configuration, step| Self { configuration, step },
            |configuration, result| {
                Step::Done(result.map(|stored| Seeded {
                    seed: stored.seed,
                    status: status::of(&stored.record, &stored.after, &configuration, now),
                    warnings: stored.warnings,
                }))
            },
        )
    }
}

impl Machine for Seeding {
    type Output = Seeded;

    fn step(self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
        Self::storing(self.configuration, self.step.step(now, event), now)
    }
}

/// What to do with a seed where this is held: to store it, or to leave the record that is there.
///
/// # Errors
/// When the home holds something that a seed must not replace, or the seed is of no use.
pub(crate) fn compare(seed: &Record, before: &Held) -> Result<(SeedUse, Record), Error> {
    let sidecar = &before.sidecar;
    if sidecar.is_newer() {
        return Err(Local::NewerSidecar.into());
    }
    let is_finished = seed.refresh_token().is_some_and(|token| sidecar.is_finished(token));
    let Some(held) = credential(before)? else {
        // The successor was here and is gone: nobody can renew this session any more.
        return if is_finished { Err(LoginRequired::SeedSpent.into()) } else { Ok((SeedUse::Stored, seed.clone())) };
    };
    let keep = |found| Ok((found, held.clone()));
    let (Some(ours), Some(given)) = (held.tokens(), seed.tokens()) else {
        // Keys and tokens that nobody renews have no generations.
        return if held.credential() == seed.credential() {
            keep(SeedUse::Held)
        } else {
            Err(occupied("another credential"))
        };
    };
    if !given.is_known_same_account(ours) {
        return Err(occupied("the session of another account"));
    }
    if ours.refresh_token() == given.refresh_token() && ours.access_token() == given.access_token() {
        return keep(SeedUse::Held);
    }
    let is_over = || ours.refresh_token().is_some_and(|token| sidecar.is_dead(token).is_some());
    match given.same_login(ours) {
        // A session that the server has ended is worth nothing.
        Some(false) if !is_over() || is_finished => Err(occupied("another session of this account")),
        Some(false) => Ok((SeedUse::Stored, seed.clone())),
        _ if !is_finished && is_later(seed, held) => Ok((SeedUse::Stored, seed.clone())),
        _ => keep(SeedUse::Outdated),
    }
}

/// The record that is held, if there is a credential in it. What is damaged is replaced, as by a login.
fn credential(before: &Held) -> Result<Option<&Record>, Error> {
    match &before.record {
        Ok(record) => Ok(record.as_ref().filter(|record| *record.credential() != Credential::Nothing)),
        Err(Error::Local(
            Local::Corrupt { .. } | Local::Store(StoreFailure { kind: StoreTrouble::Unreadable, .. }),
        )) => Ok(None),
        Err(error) => Err(error.clone()),
    }
}

/// Whether a record is a later generation than another one of the same session. What the server's clock says of the
/// access tokens counts before what the clocks of two machines say.
fn is_later(record: &Record, other: &Record) -> bool {
    let claims = |record: &Record| Claims::of(record.tokens()?.access_token());
    let (claims, others) = (claims(record), claims(other));
    let by = |moment: fn(&Claims) -> Option<Timestamp>| {
        let (ours, theirs) = (moment(claims.as_ref()?)?, moment(others.as_ref()?)?);
        (ours != theirs).then_some(ours > theirs)
    };
    by(Claims::issued_at)
        .or_else(|| by(Claims::expires_at))
        .unwrap_or_else(|| record.last_refresh().zip(other.last_refresh()).is_some_and(|(ours, theirs)| ours > theirs))
}

fn occupied(held: &str) -> Error {
    Local::Occupied { held: held.to_owned() }.into()
}
