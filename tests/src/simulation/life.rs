//! A life from the first login to the last token.

use std::fmt;

use hallpass_core::{StoreMode, StoreTrouble};

use super::effects::Stumble;
use super::plan::{Faults, Plan};
use super::random::Random;
use super::world::{Counts, Happening, World};
use crate::exhaustive::{Mutation, Reuse, Style};

/// A life in which a rule was broken.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What to live again.
    pub seed: u64,
    /// What was broken.
    pub what: String,
    /// What the seed stands for.
    pub plan: Plan,
    /// What happened before, line by line.
    pub transcript: Vec<String>,
}

const HOUR: i64 = 3_600_000;
const YEAR: i64 = 365 * 24 * HOUR;
/// So many lines of a transcript are shown.
const SHOWN: usize = 120;

/// Lives the life of a seed.
///
/// # Errors
/// When a rule is broken, with the transcript.
pub fn live(seed: u64) -> Result<Counts, Box<Failure>> {
    live_with(seed, None)
}

/// Lives the life of a seed with a broken shell.
///
/// # Errors
/// When a rule is broken, with the transcript.
///
/// # Panics
/// When the same life takes another course the second time.
pub fn live_with(seed: u64, mutation: Option<Mutation>) -> Result<Counts, Box<Failure>> {
    let mut world = of(seed, mutation, false);
    world.lives();
    if world.broken.is_none() {
        return Ok(world.counts);
    }
    // It is told only where there is something to tell.
    let mut world = of(seed, mutation, true);
    world.lives();
    let what = world.broken.clone().expect("a seed determines everything");
    Err(Box::new(world.failure(seed, what)))
}

/// Lives a short life in which the store fails at its operation number `after`: once or for good, doing nothing or
/// doing it and denying it. Nothing else goes wrong, so in the end everybody is signed in without a new login, but where
/// the disk is gone for good when the answer comes.
///
/// Whether there were so many operations.
///
/// # Errors
/// When a rule is broken, with the transcript.
pub fn stumble(
    processes: usize,
    after: u32,
    kind: StoreTrouble,
    for_good: bool,
    lies: bool,
) -> Result<bool, Box<Failure>> {
    let plan = Plan {
        processes,
        rounds: 1,
        reuse: Reuse::Strict,
        style: Style::Jwt,
        store: StoreMode::File,
        faults: Faults::default(),
        mutation: None,
    };
    let seed = u64::from(after);
    let mut world = World::new(plan, Random::new(seed), true);
    world.log_in();
    world.fails_at = Some(Stumble { after, kind, for_good, lies });
    world.chaos = true;
    world.round();
    world.chaos = false;
    world.fails_at = None;
    let reached = world.counts.store_failures > 0;
    let logins = world.counts.logins;
    world.heals();
    // A disk that breaks for good between the reservation and the answer takes the answer with it.
    if world.broken.is_none() && world.counts.logins > logins && (!for_good || lies) {
        world.fail("a login was needed although only the store has failed".to_owned());
    }
    match world.broken.clone() {
        None => Ok(reached),
        Some(what) => Err(Box::new(world.failure(seed, what))),
    }
}

fn of(seed: u64, mutation: Option<Mutation>, told: bool) -> World {
    let mut random = Random::new(seed);
    let plan = Plan { mutation, ..Plan::of(&mut random) };
    World::new(plan, random, told)
}

impl World {
    fn lives(&mut self) {
        self.log_in();
        self.chaos = true;
        for _ in 0..self.plan.rounds {
            self.round();
            if self.broken.is_some() {
                return;
            }
            if self.is_signed_out() {
                self.log_in();
            }
        }
        self.chaos = false;
        self.heals();
        self.counts.time = u64::try_from(self.now - crate::exhaustive::BEGINNING).unwrap_or(0);
    }

    /// The access token runs out, and everybody wants another.
    fn round(&mut self) {
        let faults = self.plan.faults;
        if self.chaos && self.random.happens(faults.clock) {
            self.offset = self.random.choose(&[0, 0, HOUR, -HOUR, 10 * YEAR, -10 * YEAR, 90_000, -90_000]);
        }
        // From a little before the access token expires to some hours after.
        let before = self.random.milliseconds(9 * 60_000);
        let after = if self.random.below(4) == 0 { self.random.milliseconds(3 * HOUR) } else { 0 };
        self.now = self.now.max(self.expires_at - before + after);
        let spread = self.random.choose(&[1, 100, 5_000, 60_000]);
        for process in 0..self.processes.len() {
            let delay = self.random.milliseconds(spread);
            self.later(delay, Happening::Begin(process));
        }
        if self.chaos && self.random.happens(faults.power) {
            let delay = self.random.milliseconds(10_000);
            self.later(delay, Happening::PowerFails);
        }
        self.run();
    }

    /// Nothing goes wrong any more.
    fn heals(&mut self) {
        self.offset = 0;
        for last in [false, false, true] {
            // An answer that is lost is missed when the access token has run out.
            self.now = (self.now + 120_000).max(self.expires_at);
            self.last = last;
            self.round();
            if self.broken.is_some() {
                return;
            }
            self.calm = true;
            let needed = self.has_healed(last);
            if needed && last {
                self.fail("a login did not help".to_owned());
            }
            if needed {
                self.log_in();
            }
        }
    }

    fn failure(&mut self, seed: u64, what: String) -> Failure {
        let mut transcript = self.transcript.take().unwrap_or_default();
        let begin = transcript.len().saturating_sub(SHOWN);
        Failure { seed, what, plan: self.plan.clone(), transcript: transcript.split_off(begin) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "seed {}: {}\n{:?}", self.seed, self.what, self.plan)?;
        self.transcript.iter().try_for_each(|line| writeln!(formatter, "{line}"))
    }
}
