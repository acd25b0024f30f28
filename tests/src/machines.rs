//! The machines of core as data: their states and legal transitions, read from the lists above them.
//!
//! Each machine has a list in its documentation, a line for each state:
//!
//! ```text
//! - `Locking` → `Locked` → `Renewing` · `LockFailed` → `Peeking`, or `Renewing` where locks do not exist
//! ```
//!
//! After the state comes what it waits for: events, or in parentheses the machine that runs inside it; then where it
//! goes. Prose between the names is for the reader. What is written here is drawn for readers of the documentation
//! ([`Machines::page`]) and for the page that shows a flow at work ([`Machines::json`]); and every flow of the world
//! is held against it ([`Machines::follow`], [`Machines::end`]). The words on the arrows are the sources' own: nothing
//! checks them.
//!
//! Every state may end the machine with an error, and what holds a lock leaves through `Unlocking` whatever happens:
//! no list repeats that.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Serialize;

mod drawing;
mod list;
mod source;

/// Every machine, by its name.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Machines(BTreeMap<String, Machine>);

/// One machine.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// Its name in words.
    title: String,
    /// Its source below `core/src`.
    file: String,
    /// The first paragraph of its documentation.
    about: String,
    /// In the order of the list.
    states: Vec<State>,
    /// In the order of the list.
    transitions: Vec<Transition>,
}

/// One state.
#[derive(Debug, Serialize)]
pub struct State {
    name: String,
    /// The machine that runs inside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    runs: Option<String>,
}

/// One legal transition.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Transition {
    from: String,
    /// A state, or `done`.
    to: String,
    /// What it waits for: the names of events, or words. Nothing where that is the end of the machine inside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    on: Vec<String>,
    /// In which case, where there are several.
    #[serde(skip_serializing_if = "String::is_empty")]
    when: String,
}

/// Where every transition that ends a machine goes.
const DONE: &str = "done";
/// Where what holds a lock goes, whatever happens.
const RELEASING: &str = "Unlocking";

impl Machines {
    /// Those of core.
    pub fn of_core() -> &'static Self {
        static MACHINES: LazyLock<Machines> =
            LazyLock::new(|| Machines(source::read(&crate::repository().join("core/src"))));
        &MACHINES
    }

    /// All of it as JSON.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("machines have text keys only") + "\n"
    }

    /// A page of diagrams, for readers of the documentation.
    pub fn page(&self) -> String {
        drawing::page(&self.0)
    }

    /// The states of machines among what [`hallpass_core::Flow::states`] tells.
    ///
    /// # Panics
    /// When a machine is in a state that its list does not know.
    pub fn known<'a>(&self, told: &'a [String]) -> Vec<(&'a str, &'a str)> {
        let places = told.iter().filter_map(|place| place.split_once('.'));
        places
            .filter(|(machine, state)| match self.0.get(*machine) {
                Some(known) => known.has(state) || panic!("{machine} knows no state {state}"),
                None => false,
            })
            .collect()
    }

    /// Checks that a flow may go from the states `before` to the states `after` in one step.
    ///
    /// # Panics
    /// When a transition is not in the list of its machine.
    pub fn follow(&self, before: &[String], after: &[String]) {
        let (before, after) = (self.known(before), self.known(after));
        if let Err(what) = self.goes(&before, &after) {
            panic!("{what} is in no list (from {before:?} to {after:?})");
        }
    }

    /// Checks that a flow may end well from these states.
    ///
    /// # Panics
    /// When the list of its outermost machine does not say so.
    pub fn end(&self, before: &[String]) {
        if let Some((machine, state)) = self.known(before).first() {
            assert!(self.0[*machine].leads(state, DONE), "{machine}: {state} → {DONE} is in no list");
        }
    }

    /// From the outermost machine in: it stays in its state while the one inside goes on, or it goes on itself.
    fn goes(&self, before: &[(&str, &str)], after: &[(&str, &str)]) -> Result<(), String> {
        let (Some(((machine, from), inside)), Some(((other, to), inside_now))) =
            (before.split_first(), after.split_first())
        else {
            // A machine without states of its own went on.
            return Ok(());
        };
        if machine != other {
            return Err(format!("{machine} → {other}"));
        }
        let stays = from == to && !inside.is_empty() && self.goes(inside, inside_now).is_ok();
        if stays || self.0[*machine].leads(from, to) {
            return Ok(());
        }
        match self.goes(inside, inside_now) {
            Err(deeper) if from == to && !inside.is_empty() => Err(deeper),
            _ => Err(format!("{machine}: {from} → {to}")),
        }
    }
}

impl Machine {
    fn has(&self, state: &str) -> bool {
        self.states.iter().any(|known| known.name == state)
    }

    /// Whether a step may lead from one state to the other. A machine inside a state may end before it has asked
    /// anything: such states are passed through.
    fn leads(&self, from: &str, to: &str) -> bool {
        if to == RELEASING {
            return true;
        }
        let mut seen = Vec::new();
        let mut open = Vec::from([from]);
        while let Some(state) = open.pop() {
            for transition in self.transitions.iter().filter(|transition| transition.from == state) {
                let next = &*transition.to;
                if next == to {
                    return true;
                }
                let passes = self.states.iter().any(|state| state.name == next && state.runs.is_some());
                if passes && !seen.contains(&next) {
                    seen.push(next);
                    open.push(next);
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(places: &[&str]) -> Vec<String> {
        places.iter().map(|&place| place.to_owned()).collect()
    }

    fn follow(before: &[&str], after: &[&str]) {
        Machines::of_core().follow(&told(before), &told(after));
    }

    #[test]
    fn machines_go_on_inside_machines() {
        follow(&["Refresh.Peeking", "Reading.Sidecar"], &["Refresh.Peeking", "Place.File", "Reading.Record"]);
        follow(&["Refresh.Peeking", "Reading.Record"], &["Refresh.Locking"]);
        follow(&["Refresh.Locking"], &["Refresh.Renewing", "Renewing.Rereading", "GuardedReading.Locking"]);
    }

    #[test]
    #[should_panic(expected = "Refresh: Discovering → Peeking is in no list")]
    fn what_is_in_no_list_is_not_gone() {
        follow(&["Refresh.Discovering", "Discovery.AskingOpenId"], &["Refresh.Peeking", "Reading.Sidecar"]);
    }

    #[test]
    #[should_panic(expected = "Reading: Record → Sidecar is in no list")]
    fn nor_inside_a_machine_that_stays() {
        follow(&["Login.Probing", "Reading.Record"], &["Login.Probing", "Reading.Sidecar"]);
    }

    #[test]
    #[should_panic(expected = "BrowserLogin: Refusing → done is in no list")]
    fn nor_does_a_flow_end_where_no_list_says_so() {
        Machines::of_core().end(&told(&["Refresh.Unlocking"]));
        Machines::of_core().end(&told(&["BrowserLogin.Refusing"]));
    }

    #[test]
    #[should_panic(expected = "Refresh knows no state Dreaming")]
    fn states_are_known() {
        follow(&["Refresh.Dreaming"], &[]);
    }
}
