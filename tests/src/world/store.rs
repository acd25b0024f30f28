//! Stores that can be looked into, and that fail on request.

use std::collections::BTreeMap;

use hallpass_core::{Event, Place, Secret, Slot, StoreFailure, StoreTrouble};

/// What a home holds, slot by slot.
#[derive(Clone, Debug, Default)]
pub struct Store {
    slots: BTreeMap<Slot, Secret>,
    /// The kinds of store that fail, and how.
    pub troubles: BTreeMap<Place, StoreTrouble>,
    /// How many more things it does before it fails once.
    pub stumbles_after: Option<usize>,
    /// The kinds of store that cannot take more than so many bytes at once.
    pub room: BTreeMap<Place, usize>,
    /// Whether only writing fails.
    pub reading_works: bool,
    /// Every slot that was written or emptied.
    pub writes: Vec<Slot>,
}

impl Store {
    /// What lies in a slot.
    pub fn get(&self, slot: Slot) -> Option<&str> {
        self.slots.get(&slot).map(Secret::expose)
    }

    /// The record in the file.
    ///
    /// # Panics
    /// When there is none.
    pub fn record(&self) -> serde_json::Value {
        let text = self.get(Slot::Record(Place::File)).expect("the home holds a record");
        serde_json::from_str(text).expect("a record is JSON")
    }

    /// Puts something there behind everybody's back.
    pub fn put(&mut self, slot: Slot, contents: &str) {
        self.slots.insert(slot, contents.into());
    }

    /// Takes it away behind everybody's back.
    pub fn take(&mut self, slot: Slot) {
        self.slots.remove(&slot);
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    pub(super) fn load(&mut self, slot: Slot) -> Event {
        match self.trouble(slot) {
            Some(_) if self.reading_works => Event::Loaded(self.slots.get(&slot).cloned()),
            Some(failure) => Event::StoreFailed(failure),
            None => Event::Loaded(self.slots.get(&slot).cloned()),
        }
    }

    pub(super) fn save(&mut self, slot: Slot, contents: Secret) -> Event {
        if let Some(failure) = self.trouble(slot) {
            return Event::StoreFailed(failure);
        }
        if self.room.get(&place(slot)).is_some_and(|room| contents.len() > *room) {
            return Event::StoreFailed(StoreFailure { kind: StoreTrouble::TooLarge, detail: format!("{slot:?}") });
        }
        self.writes.push(slot);
        self.slots.insert(slot, contents);
        Event::Saved
    }

    pub(super) fn remove(&mut self, slot: Slot) -> Event {
        if let Some(failure) = self.trouble(slot) {
            return Event::StoreFailed(failure);
        }
        self.writes.push(slot);
        Event::Removed(self.slots.remove(&slot).is_some())
    }

    fn trouble(&mut self, slot: Slot) -> Option<StoreFailure> {
        let stumbles = self.stumbles_after == Some(0);
        self.stumbles_after = self.stumbles_after.and_then(|left| left.checked_sub(1));
        let kind = if stumbles { StoreTrouble::Other } else { *self.troubles.get(&place(slot))? };
        Some(StoreFailure { kind, detail: format!("{slot:?}") })
    }
}

fn place(slot: Slot) -> Place {
    match slot {
        Slot::Record(place) | Slot::Parked(place) | Slot::Client(place) | Slot::Proof(place) => place,
        Slot::Sidecar => Place::File,
        Slot::NewProof | Slot::Minted => Place::Ephemeral,
    }
}
