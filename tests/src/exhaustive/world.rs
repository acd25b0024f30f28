//! The world of the exploration: what becomes of it when something happens.

use super::actions::Action;
use super::asking::{Answer, Ask, SLOTS};
use super::catalogue::{Catalogue, Ending, start_of};
use super::setting::BEGINNING;
use super::state::{Contents, FAMILIES, GENERATIONS, Part, Process, Spent, State};
use super::{Case, LIFETIME, Mutation, Runs, Token, Violation};

/// A request whose client has given up arrives within so many milliseconds, or never.
const LATEST: i64 = 3_000;

/// One case, and all that is known about its machines.
pub(super) struct World {
    pub(super) case: Case,
    pub(super) catalogue: Catalogue,
    /// The access token that a 401 was about: the one of the first login.
    rejected: String,
    /// How the last flow ended.
    pub(super) last: Option<Ending>,
}

/// What became of the world, or which rule was broken.
pub(super) type Next = Result<State, Violation>;

impl World {
    /// The world after a login, when the first processes begin.
    pub(super) fn new(case: &Case) -> (Self, State) {
        let mut world =
            Self { case: case.clone(), catalogue: Catalogue::new(case), rejected: String::new(), last: None };
        world.case = Case { runs: vec![Runs::Login], mutation: None, ..case.clone() };
        let mut state = State {
            now: BEGINNING,
            count: 1,
            processes: [Process::new(Runs::Login); 3],
            slots: [Contents::default(); SLOTS.len()],
            families: [None; FAMILIES],
            late: [None; 4],
            spent: [[Spent::No; GENERATIONS]; FAMILIES],
            saved: [0; FAMILIES],
            stuck: [false; 2],
            left: super::Budget::default(),
        };
        let step = |state: Next| state.expect("a login breaks no rule");
        state = step(world.begin(state, 0));
        while !state.all_ended() {
            state = step(world.apply(&state, Action::Goes(0)));
        }
        world.case = case.clone();
        let record =
            state.slots.iter().map(|slot| world.catalogue.contents(slot.shown)).find(|text| text.contains("at_"));
        let record: serde_json::Value = serde_json::from_str(record.expect("it is saved")).expect("a record is JSON");
        record["tokens"]["access_token"].as_str().expect("there is one").clone_into(&mut world.rejected);

        state.now = start_of(case);
        state.count = u8::try_from(case.runs.len()).expect("at most three");
        state.left = case.budget;
        for (index, runs) in case.runs.iter().enumerate() {
            state.processes[index] = Process::new(*runs);
            state = step(world.begin(state, index));
        }
        (world, state)
    }

    /// What the world is like after something has happened.
    pub(super) fn apply(&mut self, before: &State, action: Action) -> Next {
        let mut state = *before;
        action.uses_up(&mut state.left);
        match action {
            Action::Goes(index) => return self.go(state, usize::from(index)),
            Action::Flushes(index) => {
                let process = &mut state.processes[usize::from(index)];
                let (slot, text) = process.owed.take().expect("there is a save to be made");
                state.slots[usize::from(slot)].show(text);
                state.slots[usize::from(slot)].sync();
            }
            Action::StoreFails(index) => {
                // What cannot be remembered cannot be known by the next process.
                if let Some(token) = state.processes[usize::from(index)].buries.take() {
                    *state.spent(token) = Spent::Perhaps;
                }
                return self.tell(&state, index, Answer::StoreFailed);
            }
            Action::LockTimesOut(index) => return self.tell(&state, index, Answer::LockBusy),
            Action::IsCancelled(index) => return self.tell(&state, index, Answer::Cancelled),
            Action::IsNotSent(index) => return self.tell(&state, index, Answer::NotSent),
            Action::LosesRequest(index) | Action::LosesAnswer(index) => {
                return self.unanswered(state, index, Answer::Unanswered);
            }
            Action::GivesUp(index) => {
                let token = self.spending(&state, usize::from(index)).expect("it waits for an answer");
                state.leave(token, state.now + LATEST);
                return self.unanswered(state, index, Answer::Unanswered);
            }
            Action::FindsServerBusy(index) => {
                let answer = if self.case.is(Mutation::TroubleIsALogout) { Answer::Rejected } else { Answer::Busy };
                return self.unanswered(state, index, answer);
            }
            Action::FindsGateway(index) => return self.unanswered(state, index, Answer::Gateway),
            Action::GetsBrokenAnswer(index) => return self.unanswered(state, index, Answer::Broken),
            Action::Crashes(index) => {
                self.kill(&mut state, usize::from(index));
                self.forget(&mut state);
                return self.begin(state, usize::from(index));
            }
            Action::PowerFails(way) => return self.lose_power(state, way),
            Action::Arrives(number) => {
                let late = state.late[usize::from(number)].take().expect("it is on its way");
                state.late.sort_unstable();
                self.redeem(&mut state, Token { family: late.family, generation: late.generation })?;
            }
            Action::Vanishes(number) => {
                state.late[usize::from(number)] = None;
                state.late.sort_unstable();
            }
            Action::HourPasses => return self.pass_an_hour(state),
        }
        Ok(state)
    }

    fn lose_power(&mut self, mut state: State, way: u16) -> Next {
        for index in state.active() {
            self.kill(&mut state, index);
        }
        let mut way = usize::from(way);
        for slot in &mut state.slots {
            let possible: Vec<u32> = slot.possible().collect();
            slot.shown = possible[way % possible.len()];
            slot.sync();
            way /= possible.len();
        }
        self.forget(&mut state);
        for index in state.active() {
            state = self.begin(state, index)?;
        }
        Ok(state)
    }

    fn pass_an_hour(&mut self, mut state: State) -> Next {
        state.now += LIFETIME + 1_000;
        // No kernel keeps anything to itself for so long.
        state.slots.iter_mut().for_each(Contents::sync);
        for index in state.active() {
            if state.processes[index].ended {
                state.processes[index] = Process::new(state.processes[index].runs);
                state = self.begin(state, index)?;
            } else {
                state.processes[index].overtaken = true;
            }
        }
        Ok(state)
    }

    /// Starts what a process runs.
    pub(super) fn begin(&mut self, mut state: State, index: usize) -> Next {
        let runs = state.processes[index].runs;
        state.processes[index] = Process { owed: state.processes[index].owed, ..Process::new(runs) };
        // Each login has an owner of its own.
        let sessions = state.families.iter().flatten().count();
        let entropy = if runs == Runs::Login { 100 + u8::try_from(sessions).expect("there are few") } else { 7 };
        let turn = self.catalogue.start(runs, self.told(&state), entropy, &self.rejected);
        self.enter(state, index, turn)
    }

    fn kill(&self, state: &mut State, index: usize) {
        if let Some(token) = self.spending(state, index) {
            *state.spent(token) = Spent::Perhaps;
            if state.processes[index].part == Part::Sent {
                state.leave(token, state.now + LATEST);
            }
        }
        if let Some(token) = state.processes[index].buries {
            *state.spent(token) = Spent::Perhaps;
        }
        if self.case.is(Mutation::LockOutlivesItsHolder) {
            for lock in 0..2 {
                state.stuck[lock] |= state.processes[index].holds[lock];
            }
        }
        let dead = Process::new(state.processes[index].runs);
        state.processes[index] = dead;
    }

    /// What only the dead have known is not known any more.
    pub(super) fn forget(&self, state: &mut State) {
        for family in 0..state.families.len() {
            for generation in 0..state.spent[family].len() {
                let number = |value: usize| u16::try_from(value).expect("there are few");
                let token = Token { family: number(family), generation: number(generation) };
                if *state.spent(token) != Spent::Yes {
                    continue;
                }
                let living = state
                    .active()
                    .any(|index| state.processes[index].carries.is_some_and(|carried| carried.family == token.family));
                let newest =
                    state.slots.iter().filter_map(|slot| self.catalogue.newest(slot.shown, token.family)).max();
                if !living && newest.is_none_or(|newest| newest <= token.generation) {
                    *state.spent(token) = Spent::Perhaps;
                }
            }
        }
    }

    /// The time that a machine is told.
    fn told(&self, state: &State) -> i64 {
        let leaps = if self.case.is(Mutation::FastClock) { i64::from(state.family(0).current) } else { 0 };
        state.now + leaps * 2 * LIFETIME
    }

    pub(super) fn tell(&mut self, state: &State, index: u8, answer: Answer) -> Next {
        let index = usize::from(index);
        let now = self.told(state);
        let turn = self.catalogue.step(state.processes[index].turn, answer, now);
        self.enter(*state, index, turn)
    }

    /// Puts a process to its next effect. What nobody else can notice is done at once.
    fn enter(&mut self, mut state: State, index: usize, mut turn: u32) -> Next {
        loop {
            let answer = match self.catalogue.ask(turn) {
                Ask::Nothing => return self.finish(state, index, turn),
                Ask::Present => Answer::Presented,
                Ask::RemoveElsewhere => Answer::Removed(false),
                Ask::DeviceCode => Answer::DeviceCode,
                Ask::DeviceToken => {
                    let family = state.begin_family();
                    Answer::Granted { token: Token { family, generation: 0 }, at: state.now }
                }
                Ask::Sleep(_) if state.processes[index].runs == Runs::Login => Answer::Slept,
                ask => {
                    let process = &mut state.processes[index];
                    process.turn = turn;
                    process.part = match ask {
                        Ask::Sleep(milliseconds) => Part::Asleep(state.now + milliseconds),
                        _ => Part::Asked,
                    };
                    return Ok(state);
                }
            };
            turn = self.catalogue.step(turn, answer, self.told(&state));
        }
    }

    fn finish(&mut self, mut state: State, index: usize, turn: u32) -> Next {
        self.last = self.catalogue.ending(turn).cloned();
        self.may_end_so(&state, index, turn)?;
        let done = matches!(self.last, Some(Ending::Login | Ending::Logout { clean: true }));
        let process = &mut state.processes[index];
        *process =
            Process { ended: true, done, holds: process.holds, owed: process.owed, ..Process::new(process.runs) };
        self.forget(&mut state);
        Ok(state)
    }
}
