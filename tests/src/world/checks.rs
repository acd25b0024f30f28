//! What must hold at every turn of every flow.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};

use hallpass_core::{
    Effect, Error, Event, Flow, HttpResponse, Lock, LockFailure, LockTrouble, Machine, Outcome, Step, StoreFailure,
    StoreTrouble, Timestamp,
};

use super::{CANARY, events};

/// Before a flow that was told nonsense is through with giving back what it holds.
const PATIENCE: usize = 400;

/// A machine is data: written down and read again it is the same.
pub(super) fn survives_json(machine: &Flow) {
    let text = serde_json::to_string(machine).expect("a machine can be written down");
    let read: Flow = serde_json::from_str(&text).expect("a machine can be read again");
    assert!(read == *machine, "a machine is another after it was written down: {machine:?}");
}

/// Whatever event comes, the machine answers; and whatever comes after that, it ends and gives back its locks.
/// `effect` is what the machine has asked for.
pub(super) fn answers_every_event(machine: &Flow, effect: &Effect, now: Timestamp, held: &[Lock]) {
    if !is_new(machine) {
        return;
    }
    for event in events() {
        let name = event.name();
        let mut held = held.to_vec();
        match (effect, &event) {
            (Effect::Lock { .. }, Event::LockFailed(_) | Event::Cancelled) => {}
            // A shell that answers nonsense may have taken it.
            (Effect::Lock { lock, .. }, _) => held.push(*lock),
            (Effect::Unlock(lock), _) => held.retain(|other| other != lock),
            _ => {}
        }
        let mut step = Box::new(machine.clone()).step(now, event);
        let mut turns = 0;
        while let Step::Perform { machine, effect, .. } = step {
            turns += 1;
            assert!(turns < PATIENCE, "told `{name}`, {machine:?} does not end");
            step = machine.step(now, fails(&effect, &mut held));
        }
        assert!(held.is_empty(), "told `{name}`, {machine:?} keeps {held:?}");
    }
}

/// Whether this state was not met before: scenarios share most of their way.
fn is_new(machine: &Flow) -> bool {
    static MET: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());
    let mut hasher = DefaultHasher::new();
    machine.hash(&mut hasher);
    MET.lock().unwrap_or_else(PoisonError::into_inner).insert(hasher.finish())
}

/// A world in which nothing works any more but giving back a lock.
fn fails(effect: &Effect, held: &mut Vec<Lock>) -> Event {
    let broken = || StoreFailure { kind: StoreTrouble::Other, detail: String::new() };
    match effect {
        Effect::Unlock(lock) => {
            held.retain(|other| other != lock);
            Event::Unlocked
        }
        Effect::Lock { .. } => Event::LockFailed(LockFailure { kind: LockTrouble::Other, detail: String::new() }),
        Effect::Http(_) => Event::Responded(HttpResponse { status: 500, headers: Vec::new(), body: "".into() }),
        Effect::Load(_) | Effect::Save { .. } | Effect::Remove(_) | Effect::Reserve { .. } => {
            Event::StoreFailed(broken())
        }
        Effect::Sleep { .. } | Effect::Listen(_) | Effect::Await { .. } | Effect::Run(_) => Event::Cancelled,
        Effect::Reply(_) => Event::Replied,
        Effect::Present(_) => Event::Presented,
        Effect::Sign { .. } => Event::SignFailed { detail: String::new() },
    }
}

/// No secret in what a person or a log can see: errors, warnings, lines, `Debug`.
pub(super) fn shows_nothing(result: &Result<Outcome, Error>, log: &[String]) {
    let mut shown = format!("{result:?}{log:?}");
    match result {
        Ok(Outcome::Token(_) | Outcome::Export(_)) => {}
        Ok(outcome) => shown += &serde_json::to_string(outcome).expect("an outcome can be written down"),
        Err(error) => shown += &serde_json::to_string(&error.report()).expect("a report can be written down"),
    }
    assert!(!shown.contains(CANARY), "a secret shows: {shown}");
}
