//! What the world looks like at one moment, small enough to have millions of it.

use std::hash::{Hash, Hasher};

use super::asking::{Answer, SLOTS};
use super::fingerprint::Fingerprint;
use super::{Budget, Family, Runs, Token};

/// The most generations that any run comes to.
pub(super) const GENERATIONS: usize = 10;
/// The most sessions: one to begin with, and one for each time that a login begins.
pub(super) const FAMILIES: usize = 7;

/// One moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    pub(super) now: i64,
    pub(super) count: u8,
    pub(super) processes: [Process; 3],
    pub(super) slots: [Contents; SLOTS.len()],
    pub(super) families: [Option<Family>; FAMILIES],
    /// Requests that nobody waits for any more.
    pub(super) late: [Option<Late>; 4],
    /// What is known to the clients about each refresh token.
    pub(super) spent: [[Spent; GENERATIONS]; FAMILIES],
    /// The newest generation of each session that a completed save holds.
    pub(super) saved: [u16; FAMILIES],
    /// Locks that a broken kernel does not take from the dead.
    pub(super) stuck: [bool; 2],
    pub(super) left: Budget,
}

/// A process.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Process {
    pub(super) runs: Runs,
    /// Its machine's turn; 0 once it has ended.
    pub(super) turn: u32,
    pub(super) part: Part,
    pub(super) holds: [bool; 2],
    /// The token that the server has answered it with.
    pub(super) carries: Option<Token>,
    /// The token that it knows to be finished.
    pub(super) buries: Option<Token>,
    /// An hour has passed since it began.
    pub(super) overtaken: bool,
    /// It has ended since it was last started.
    pub(super) ended: bool,
    /// It was a login or a logout, and has said that all is done.
    pub(super) done: bool,
    /// A broken shell's memory: what the slots held when it looked first, and a save that is still to be made.
    pub(super) seen: [u32; SLOTS.len()],
    pub(super) owed: Option<(u8, u32)>,
}

/// How far an effect has got.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Part {
    /// Asked for, and nothing done.
    Asked,
    /// The slot shows it; it is not synced, and this is what will be said then.
    Shown(Answer),
    /// The request is on its way.
    Sent,
    /// The server has done it, and its answer is on its way.
    Answered(Answer),
    /// Asleep until then.
    Asleep(i64),
}

/// A slot.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Contents {
    /// What a reader sees.
    pub(super) shown: u32,
    /// What else a power loss may leave, where anything is not synced.
    pub(super) older: [Option<u32>; 6],
}

/// A request that is still on its way although its client has given up.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Late {
    pub(super) family: u16,
    pub(super) generation: u16,
    /// It arrives before this, or never.
    pub(super) until: i64,
}

/// What the clients can know about a refresh token.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(super) enum Spent {
    /// It was never sent, or nothing came of it.
    #[default]
    No,
    /// It is being sent.
    Flying,
    /// It was sent, and nobody knows what became of it.
    Perhaps,
    /// The server has answered with its successor.
    Yes,
    /// The server has refused it, or what it answered is lost for certain.
    Dead,
}

impl Process {
    /// One that has not begun.
    pub(super) fn new(runs: Runs) -> Self {
        Self {
            runs,
            turn: 0,
            part: Part::Asked,
            holds: [false; 2],
            carries: None,
            buries: None,
            overtaken: false,
            ended: false,
            done: false,
            seen: [0; SLOTS.len()],
            owed: None,
        }
    }
}

impl Contents {
    /// Puts something there, without syncing it.
    pub(super) fn show(&mut self, text: u32) {
        if !self.older.contains(&Some(self.shown)) && self.shown != text {
            let free = self.older.iter_mut().find(|older| older.is_none());
            *free.expect("so many writes are never open at once") = Some(self.shown);
        }
        self.shown = text;
    }

    pub(super) fn sync(&mut self) {
        self.older = [None; 6];
    }

    /// Everything that a power loss may leave.
    pub(super) fn possible(&self) -> impl Iterator<Item = u32> {
        std::iter::once(self.shown).chain(self.older.into_iter().flatten())
    }
}

impl State {
    pub(super) fn active(&self) -> std::ops::Range<usize> {
        0..usize::from(self.count)
    }

    pub(super) fn family(&self, family: u16) -> &Family {
        self.families[usize::from(family)].as_ref().expect("the server has begun it")
    }

    pub(super) fn family_mut(&mut self, family: u16) -> &mut Family {
        self.families[usize::from(family)].as_mut().expect("the server has begun it")
    }

    pub(super) fn spent(&mut self, token: Token) -> &mut Spent {
        &mut self.spent[usize::from(token.family)][usize::from(token.generation)]
    }

    /// Begins a session.
    pub(super) fn begin_family(&mut self) -> u16 {
        let free = self.families.iter_mut().zip(0..).find(|(family, _)| family.is_none());
        let (family, number) = free.expect("nobody signs in that often");
        *family = Some(Family::default());
        number
    }

    /// Leaves a request on its way.
    pub(super) fn leave(&mut self, token: Token, until: i64) {
        let Token { family, generation } = token;
        let free = self.late.iter_mut().find(|late| late.is_none());
        *free.expect("no budget allows more") = Some(Late { family, generation, until });
        self.late.sort_unstable();
    }

    /// Who holds a lock, counting the dead.
    pub(super) fn holder(&self, lock: u8) -> Option<usize> {
        self.active().find(|process| self.processes[*process].holds[usize::from(lock)])
    }

    pub(super) fn all_ended(&self) -> bool {
        self.active().all(|process| self.processes[process].ended)
    }

    /// 128 bits for all of it. Processes that run the same are interchangeable.
    pub(super) fn fingerprint(&self) -> u128 {
        let mut processes = [0; 3];
        for process in self.active() {
            processes[process] = Fingerprint::of(&self.processes[process]);
        }
        processes.sort_unstable();
        Fingerprint::of(&Rest { state: self, processes })
    }
}

struct Rest<'a> {
    state: &'a State,
    processes: [u128; 3],
}

impl Hash for Rest<'_> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let State { now, count: _, processes: _, slots, families, late, spent, saved, stuck, left } = self.state;
        (self.processes, now, slots, families, late, spent, saved, stuck, left).hash(hasher);
    }
}
