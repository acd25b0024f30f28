//! Visits every state that can be reached, the nearest first, so that a counterexample is a shortest one.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};

use super::actions::Action;
use super::graph::Graph;
use super::state::State;
use super::world::World;
use super::{Case, Property, Quick, Reuse, Violation};

/// What an exploration has found.
#[derive(Clone, Debug)]
pub struct Explored {
    /// The case's name, and its server.
    pub name: String,
    /// How many different states were visited.
    pub states: usize,
    /// How many times something happened in one of them.
    pub transitions: usize,
    /// How many of them were ends, from each of which one more process was run.
    pub ends: usize,
    /// How many different turns of machines there were, and how many steps of theirs were worked out.
    pub turns: (usize, usize),
    /// How long it took.
    pub time: Duration,
    /// The first rule that was broken.
    pub broken: Option<Counterexample>,
}

/// A way to break a rule, as short as there is one.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// The rule.
    pub violation: Violation,
    /// What happened, line by line.
    pub transcript: Vec<String>,
}

/// Visits every state of a case.
///
/// # Panics
/// When there are more states than memory can be expected for.
pub fn explore(case: &Case) -> Explored {
    let began = Instant::now();
    let (world, first) = World::new(case);
    let mut search =
        Search { world, seen: HashMap::default(), ways: Vec::new(), queue: VecDeque::new(), graph: Graph::default() };
    let mut explored = Explored {
        name: format!("{}; {}", case.name, server(case.reuse)),
        states: 0,
        transitions: 0,
        ends: 0,
        turns: (0, 0),
        time: Duration::ZERO,
        broken: None,
    };
    explored.broken = search.run(&first, &mut explored);
    explored.states = search.seen.len();
    explored.turns = search.world.catalogue.size();
    explored.time = began.elapsed();
    explored
}

/// More states than this are a mistake in the case.
const MOST: usize = 60_000_000;

fn server(reuse: Reuse) -> &'static str {
    match reuse {
        Reuse::Strict => "strict",
        Reuse::RejectOnly => "reject only",
        Reuse::ReplayToParent => "replay",
        Reuse::Grace(_) => "grace",
    }
}

struct Search {
    world: World,
    seen: HashMap<u128, u32, Quick>,
    /// From which state, by what.
    ways: Vec<(u32, Action)>,
    queue: VecDeque<(u32, State)>,
    graph: Graph,
}

impl Search {
    fn run(&mut self, first: &State, explored: &mut Explored) -> Option<Counterexample> {
        self.meet(u32::MAX, Action::HourPasses, *first);
        while let Some((number, state)) = self.queue.pop_front() {
            let actions = self.world.actions(&state);
            if let Err(violation) = self.rests(&state, &actions, explored) {
                return Some(self.tell(number, None, violation, first));
            }
            for action in actions {
                explored.transitions += 1;
                match self.world.apply(&state, action) {
                    Ok(next) => {
                        let to = self.meet(number, action, next);
                        // Everything else uses up something, and cannot be part of a circle.
                        if matches!(action, Action::Goes(_)) {
                            self.graph.add(number, to);
                        }
                    }
                    Err(violation) => return Some(self.tell(number, Some(action), violation, first)),
                }
            }
        }
        let number = self.graph.circle(self.ways.len())?;
        let violation = Violation::new(Property::AlwaysEnds, "it can come back to here for ever");
        Some(self.tell(number, None, violation, first))
    }

    #[expect(clippy::large_types_passed_by_value, reason = "it goes into the queue")]
    fn meet(&mut self, from: u32, by: Action, state: State) -> u32 {
        let number = u32::try_from(self.ways.len()).expect("there are not that many");
        match self.seen.entry(state.fingerprint()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(free) => {
                free.insert(number);
                assert!(self.ways.len() < MOST, "{}: there is no end to it", self.world.case.name);
                self.ways.push((from, by));
                self.queue.push_back((number, state));
                number
            }
        }
    }

    fn rests(&mut self, state: &State, actions: &[Action], explored: &mut Explored) -> Result<(), Violation> {
        let goes = |action: &Action| {
            matches!(action, Action::Goes(_) | Action::Flushes(_) | Action::Arrives(_) | Action::Vanishes(_))
        };
        if actions.iter().any(goes) {
            return Ok(());
        }
        if !state.all_ended() {
            return Err(Violation::new(Property::NobodyIsStuck, "somebody waits, and nothing can happen"));
        }
        explored.ends += 1;
        self.world.at_rest(state)
    }

    /// How it came to this, told from the beginning.
    fn tell(&mut self, number: u32, last: Option<Action>, violation: Violation, first: &State) -> Counterexample {
        let mut actions: Vec<Action> = last.into_iter().collect();
        let mut at = number;
        while let Some((from, by)) = self.ways.get(at as usize).filter(|(from, _)| *from != u32::MAX) {
            actions.push(*by);
            at = *from;
        }
        actions.reverse();
        let mut state = *first;
        let mut transcript = Vec::new();
        for action in actions {
            transcript.push(self.world.describe(&state, action));
            match self.world.apply(&state, action) {
                Ok(next) => state = next,
                Err(_) => break,
            }
        }
        Counterexample { violation, transcript }
    }
}

impl fmt::Display for Explored {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, states, transitions, ends, turns: (turns, steps), time, broken } = self;
        let seconds = time.as_secs_f64();
        write!(
            formatter,
            "{name:62} {states:>9} states {transitions:>10} transitions {ends:>7} ends {turns:>6} turns {steps:>6} steps {seconds:>6.1} s"
        )?;
        broken.as_ref().map_or(Ok(()), |broken| write!(formatter, "\n{broken}"))
    }
}

impl fmt::Display for Counterexample {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "  {:?} is broken: {}", self.violation.property, self.violation.detail)?;
        for (number, line) in (1..).zip(&self.transcript) {
            writeln!(formatter, "  {number:>3}. {line}")?;
        }
        Ok(())
    }
}
