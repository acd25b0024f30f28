//! A store that knows what a loss of power would leave.

use std::collections::BTreeMap;

use hallpass_core::{Place, Secret, Slot};

use super::random::Random;
use crate::exhaustive::{Token, refresh_tokens_in};

/// The slots of a home.
#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    shown: BTreeMap<Slot, Contents>,
    /// What was there before each write that is not synced, the oldest first.
    unsynced: Vec<(Slot, Option<Contents>)>,
}

/// What a slot holds, and the refresh tokens in it.
#[derive(Clone, Debug)]
struct Contents {
    text: Secret,
    tokens: Vec<Token>,
}

const RECORDS: [Slot; 2] = [Slot::Record(Place::File), Slot::Record(Place::Keyring)];
const KEPT: [Slot; 4] = [RECORDS[0], RECORDS[1], Slot::Parked(Place::File), Slot::Parked(Place::Keyring)];

impl Store {
    pub(super) fn load(&self, slot: Slot) -> Option<&Secret> {
        self.shown.get(&slot).map(|contents| &contents.text)
    }

    /// Shows new contents to every reader; nothing of it is durable yet.
    pub(super) fn write(&mut self, slot: Slot, text: Option<Secret>) -> bool {
        let before = match text {
            Some(text) => {
                let tokens = refresh_tokens_in(text.expose());
                self.shown.insert(slot, Contents { text, tokens })
            }
            None => self.shown.remove(&slot),
        };
        let existed = before.is_some();
        self.unsynced.push((slot, before));
        existed
    }

    /// Makes everything durable: all files lie in one folder.
    pub(super) fn sync(&mut self) {
        self.unsynced.clear();
    }

    /// The power fails: the last few writes were never made.
    pub(super) fn lose_power(&mut self, random: &mut Random) {
        let lost = random.below(self.unsynced.len() as u64 + 1);
        for _ in 0..lost {
            match self.unsynced.pop() {
                Some((slot, Some(before))) => drop(self.shown.insert(slot, before)),
                Some((slot, None)) => drop(self.shown.remove(&slot)),
                None => {}
            }
        }
        self.unsynced.clear();
    }

    /// Every refresh token that lies anywhere.
    pub(super) fn tokens(&self) -> impl Iterator<Item = Token> {
        KEPT.iter().filter_map(|slot| self.shown.get(slot)).flat_map(|contents| contents.tokens.iter().copied())
    }

    /// Whether anybody is signed in.
    pub(super) fn has_record(&self) -> bool {
        RECORDS.iter().any(|slot| self.shown.contains_key(slot))
    }

    /// The newest generation of a session.
    pub(super) fn newest(&self, family: u16) -> Option<u16> {
        self.tokens().filter(|token| token.family == family).map(|token| token.generation).max()
    }
}
