//! What a seed stands for: how many processes, which server, and what weather.

use hallpass_core::StoreMode;

use super::random::Random;
use crate::exhaustive::{Mutation, Reuse, Style};

/// One simulated life of a home. Faults are in ten thousand.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many processes share the home.
    pub processes: usize,
    /// How many times the access token runs out while things go wrong.
    pub rounds: u32,
    /// What the server does with a refresh token that comes again.
    pub reuse: Reuse,
    /// What access tokens look like.
    pub style: Style,
    /// Where the record is kept.
    pub store: StoreMode,
    /// What goes wrong.
    pub faults: Faults,
    /// What is broken in the shell.
    pub mutation: Option<Mutation>,
}

/// How often each thing goes wrong, in ten thousand times.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// A process dies, at each boundary between the parts of its effects.
    pub crash: u16,
    /// All lose power, in each round.
    pub power: u16,
    /// A process is stopped for up to eight hours, at each boundary.
    pub suspend: u16,
    /// The clock jumps, in each round.
    pub clock: u16,
    /// The request does not arrive.
    pub lost_request: u16,
    /// The answer does not arrive.
    pub lost_answer: u16,
    /// The body of the answer does not arrive.
    pub broken: u16,
    /// The connection cannot be made.
    pub not_sent: u16,
    /// The server says 503, 429 or 500 and has done nothing.
    pub busy: u16,
    /// A gateway says 502 or 504 and the server may have done it.
    pub gateway: u16,
    /// The answer takes longer than the client waits.
    pub slow: u16,
    /// The store does not do what it is asked to.
    pub store: u16,
    /// The store does it and says that it did not.
    pub lie: u16,
    /// Somebody rewrites the record in place, and half of it is read.
    pub torn: u16,
    /// The person gives up where that is possible.
    pub cancel: u16,
}

impl Plan {
    /// The plan of a seed.
    pub(super) fn of(random: &mut Random) -> Self {
        let processes = match random.below(100) {
            0..80 => 1 + random.below(2),
            80..95 => 3 + random.below(4),
            95..99 => 7 + random.below(10),
            _ => 17 + random.below(48),
        };
        let reuse = random.choose(&[
            Reuse::Strict,
            Reuse::Strict,
            Reuse::RejectOnly,
            Reuse::ReplayToParent,
            Reuse::Grace(10_000),
            Reuse::Grace(60_000),
        ]);
        let store = match random.below(10) {
            0 => StoreMode::Keyring,
            1 => StoreMode::Auto,
            _ => StoreMode::File,
        };
        Self {
            processes: usize::try_from(processes).unwrap_or(1),
            rounds: 24,
            reuse,
            style: if random.below(5) == 0 { Style::Opaque } else { Style::Jwt },
            store,
            faults: Faults::of(random, reuse),
            mutation: None,
        }
    }
}

impl Plan {
    pub(super) fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }
}

impl Faults {
    fn of(random: &mut Random, reuse: Reuse) -> Self {
        // Each kind of trouble is there in a third of all lives, so that they meet in all combinations.
        let mut now_and_then = |often: u16| if random.below(3) == 0 { often } else { 0 };
        Self {
            crash: now_and_then(50),
            power: now_and_then(1_500),
            suspend: now_and_then(20),
            clock: now_and_then(2_000),
            lost_request: now_and_then(1_000),
            lost_answer: now_and_then(1_000),
            // What was broken is never sent again by design, though these servers would take it.
            broken: if matches!(reuse, Reuse::Strict | Reuse::RejectOnly) { now_and_then(500) } else { 0 },
            not_sent: now_and_then(1_000),
            busy: now_and_then(1_000),
            gateway: now_and_then(700),
            slow: now_and_then(700),
            store: now_and_then(150),
            lie: now_and_then(50),
            torn: now_and_then(100),
            cancel: now_and_then(100),
        }
    }
}
