//! The world of the exploration: performs effects part by part, and lets things go wrong.

use super::actions::Action;
use super::asking::{Answer, Ask, PARKED, SIDECAR, SLOTS};
use super::catalogue::{Catalogue, Ending, start_of};
use super::setting::BEGINNING;
use super::state::{Contents, Part, Process, Spent, State};
use super::{Case, Disk, End, LIFETIME, Mutation, Runs, Token, Verdict, Violation};

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
            families: [None; 5],
            late: [None; 4],
            spent: [[Spent::No; 10]; 5],
            saved: [0; 5],
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
        world.rejected = record["tokens"]["access_token"].as_str().expect("there is one").to_owned();

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
        match action {
            Action::Goes(index) => return self.go(state, usize::from(index)),
            Action::Flushes(index) => {
                let process = &mut state.processes[usize::from(index)];
                let (slot, text) = process.owed.take().expect("there is a save to be made");
                state.slots[usize::from(slot)].show(text);
                state.slots[usize::from(slot)].sync();
            }
            Action::StoreFails(index) => {
                state.left.store_failures -= 1;
                let process = &mut state.processes[usize::from(index)];
                // What cannot be remembered cannot be known by the next process.
                if let Some(token) = process.buries.take() {
                    *state.spent(token) = Spent::Perhaps;
                }
                return self.tell(state, index, Answer::StoreFailed);
            }
            Action::LockTimesOut(index) => {
                state.left.lock_timeouts -= 1;
                return self.tell(state, index, Answer::LockBusy);
            }
            Action::IsCancelled(index) => {
                state.left.cancellations -= 1;
                return self.tell(state, index, Answer::Cancelled);
            }
            Action::IsNotSent(index) => {
                state.left.not_sent -= 1;
                return self.tell(state, index, Answer::NotSent);
            }
            Action::LosesRequest(index) => {
                state.left.lost_requests -= 1;
                return self.unanswered(state, index, Answer::Unanswered);
            }
            Action::GivesUp(index) => {
                state.left.late_requests -= 1;
                let token = self.spending(&state, usize::from(index)).expect("it waits for an answer");
                state.leave(token, state.now + LATEST);
                return self.unanswered(state, index, Answer::Unanswered);
            }
            Action::FindsServerBusy(index) => {
                state.left.busy_servers -= 1;
                let answer = if self.case.is(Mutation::TroubleIsALogout) { Answer::Rejected } else { Answer::Busy };
                return self.unanswered(state, index, answer);
            }
            Action::FindsGateway(index) => {
                state.left.gateways -= 1;
                return self.unanswered(state, index, Answer::Gateway);
            }
            Action::LosesAnswer(index) => {
                state.left.lost_answers -= 1;
                return self.unanswered(state, index, Answer::Unanswered);
            }
            Action::GetsBrokenAnswer(index) => {
                state.left.broken_answers -= 1;
                return self.unanswered(state, index, Answer::Broken);
            }
            Action::Crashes(index) => {
                state.left.crashes -= 1;
                self.kill(&mut state, usize::from(index));
                self.forget(&mut state);
                return self.begin(state, usize::from(index));
            }
            Action::PowerFails(way) => {
                state.left.power_losses -= 1;
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
            }
            Action::Arrives(number) => {
                let late = state.late[usize::from(number)].take().expect("it is on its way");
                state.late.sort_unstable();
                self.redeem(&mut state, Token { family: late.family, generation: late.generation })?;
            }
            Action::Vanishes(number) => {
                state.late[usize::from(number)] = None;
                state.late.sort_unstable();
            }
            Action::HourPasses => {
                state.left.hours -= 1;
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
        let turn = self.catalogue.start(runs, self.told(state.now), entropy, &self.rejected);
        self.enter(state, index, turn)
    }

    /// The next part of an effect, as it should be.
    fn go(&mut self, mut state: State, index: usize) -> Next {
        let name = u8::try_from(index).expect("at most three");
        let process = state.processes[index];
        match (self.catalogue.ask(process.turn), process.part) {
            (_, Part::Shown(answer)) => {
                let ask = self.catalogue.ask(process.turn);
                self.sync(&mut state, ask)?;
                self.tell(state, name, answer)
            }
            (Ask::Load(slot), _) => {
                let text = self.read(&mut state, index, usize::from(slot));
                self.tell(state, name, Answer::Loaded(text))
            }
            (Ask::Save { slot, text }, _) => self.write(state, index, slot, text, Answer::Saved),
            (Ask::Reserve { slot, text }, _) => self.write(state, index, slot, text, Answer::Reserved),
            (Ask::Remove(slot), _) => {
                let existed = state.slots[usize::from(slot)].shown != 0;
                self.write(state, index, slot, 0, Answer::Removed(existed))
            }
            (Ask::Lock(lock), _) if self.case.is(Mutation::BeginsAgain) && state.holder(lock).is_some() => {
                self.begin(state, index)
            }
            (Ask::Lock(lock), _) => {
                state.processes[index].holds[usize::from(lock)] = true;
                self.tell(state, name, Answer::Locked)
            }
            (Ask::Unlock(lock), _) => {
                state.processes[index].holds[usize::from(lock)] = lock == 0 && self.case.is(Mutation::LockIsKept);
                self.tell(state, name, Answer::Unlocked)
            }
            (Ask::Sleep(_), part) => {
                if let Part::Asleep(until) = part {
                    state.now = state.now.max(until);
                }
                self.tell(state, name, Answer::Slept)
            }
            (Ask::Spend(token), Part::Answered(answer)) => {
                match answer {
                    Answer::Granted { .. } => *state.spent(token) = Spent::Yes,
                    _ => {
                        *state.spent(token) = Spent::Dead;
                        state.processes[index].buries = Some(token);
                    }
                }
                self.tell(state, name, answer)
            }
            (Ask::Spend(token), Part::Sent) => {
                let verdict = self.redeem(&mut state, token)?;
                let answer = match verdict {
                    Verdict::Granted(generation, at) => {
                        let token = Token { generation, ..token };
                        state.processes[index].carries = Some(token);
                        Answer::Granted { token, at }
                    }
                    Verdict::Rejected => Answer::Rejected,
                };
                state.processes[index].part = Part::Answered(answer);
                Ok(state)
            }
            (Ask::Spend(token), _) => {
                self.may_be_sent(&mut state, token)?;
                *state.spent(token) = Spent::Flying;
                state.processes[index].part = Part::Sent;
                Ok(state)
            }
            (Ask::Revoke(token), _) => {
                self.may_be_revoked(&state, index, token)?;
                let family = state.family_mut(token.family);
                family.ended = family.ended.or(Some(End::Asked));
                self.tell(state, name, Answer::Revoked)
            }
            (ask, part) => panic!("{ask:?} is never {part:?}"),
        }
    }

    fn read(&mut self, state: &mut State, index: usize, slot: usize) -> u32 {
        let shown = state.slots[slot].shown;
        let process = &mut state.processes[index];
        let stale = (self.case.is(Mutation::NoReread) && process.holds[0] && process.carries.is_none())
            || (self.case.is(Mutation::NoCompare) && process.carries.is_some());
        if stale {
            return process.seen[slot];
        }
        if self.case.is(Mutation::NoReread) || self.case.is(Mutation::NoCompare) {
            process.seen[slot] = shown;
        }
        shown
    }

    fn write(&mut self, mut state: State, index: usize, slot: u8, text: u32, answer: Answer) -> Next {
        let name = u8::try_from(index).expect("at most three");
        let is_record = slot < PARKED;
        let mut text = text;
        match self.case.mutation.filter(|_| answer == Answer::Saved) {
            Some(Mutation::SaveAfterUse) if slot < SIDECAR => {
                if is_record {
                    state.processes[index].owed = Some((slot, text));
                }
                return self.tell(state, name, answer);
            }
            Some(Mutation::NoParking) if slot < SIDECAR && !is_record => {
                self.note_saved(&mut state, Ask::Save { slot, text });
                self.nothing_saved_is_lost(&state)?;
                return self.tell(state, name, answer);
            }
            Some(Mutation::NoSidecar) if slot == SIDECAR => return self.tell(state, name, answer),
            Some(Mutation::NewerSidecar) if slot == SIDECAR => {
                let newer = self.catalogue.contents(text).replace(r#""version":1"#, r#""version":2"#);
                text = self.catalogue.text(&newer);
            }
            _ => {}
        }
        if self.case.disk == Disk::Ordered {
            // Whatever was renamed before is durable no later than this.
            let before = state.slots.iter_mut().zip(0..).filter(|(_, other)| *other != slot);
            before.for_each(|(contents, _)| contents.sync());
        }
        state.slots[usize::from(slot)].show(text);
        if self.case.is(Mutation::NoSync) {
            let ask = self.catalogue.ask(state.processes[index].turn);
            self.note_saved(&mut state, ask);
            self.nothing_saved_is_lost(&state)?;
            return self.tell(state, name, answer);
        }
        state.processes[index].part = Part::Shown(answer);
        self.nothing_saved_is_lost(&state)?;
        Ok(state)
    }

    fn sync(&mut self, state: &mut State, ask: Ask) -> Result<(), Violation> {
        if let Ask::Save { slot, .. } | Ask::Reserve { slot, .. } | Ask::Remove(slot) = ask {
            state.slots[usize::from(slot)].sync();
        }
        self.note_saved(state, ask);
        self.nothing_saved_is_lost(state)
    }

    /// What was acknowledged as saved must outlive everything.
    fn note_saved(&self, state: &mut State, ask: Ask) {
        let Ask::Save { slot: 0..SIDECAR, text } = ask else { return };
        for token in self.catalogue.tokens(text) {
            let saved = &mut state.saved[usize::from(token.family)];
            *saved = token.generation.max(*saved);
        }
    }

    fn redeem(&self, state: &mut State, token: Token) -> Result<Verdict, Violation> {
        let before = *state.family(token.family);
        let now = state.now;
        let family = state.family_mut(token.family);
        let verdict = family.redeem(token.generation, self.case.reuse, now);
        if before.ended.is_none() && family.ended == Some(End::Reused) {
            let current = Token { generation: before.current, ..token };
            self.may_be_lost(state, current)?;
        }
        Ok(verdict)
    }

    /// What a request ends with that is not the server's answer.
    fn unanswered(&mut self, mut state: State, index: u8, answer: Answer) -> Next {
        let token = self.spending(&state, usize::from(index)).expect("it has asked the server");
        let process = &mut state.processes[usize::from(index)];
        process.carries = None;
        if matches!(answer, Answer::Broken | Answer::Rejected) {
            process.buries = Some(token);
            *state.spent(token) = Spent::Dead;
        } else {
            *state.spent(token) = Spent::Perhaps;
        }
        if answer == Answer::Unanswered && self.case.is(Mutation::ImmediateRetry) {
            state.processes[usize::from(index)].part = Part::Asked;
            return Ok(state);
        }
        self.tell(state, index, answer)
    }

    /// The refresh token that a process has sent and waits for.
    fn spending(&self, state: &State, index: usize) -> Option<Token> {
        let process = &state.processes[index];
        match (self.catalogue.ask(process.turn), process.part) {
            (Ask::Spend(token), Part::Sent | Part::Answered(_)) => Some(token),
            _ => None,
        }
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
    fn told(&self, now: i64) -> i64 {
        if self.case.is(Mutation::FastClock) { now + LIFETIME } else { now }
    }

    fn tell(&mut self, state: State, index: u8, answer: Answer) -> Next {
        let index = usize::from(index);
        let now = self.told(state.now);
        let turn = self.catalogue.step(state.processes[index].turn, answer, now);
        self.enter(state, index, turn)
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
            turn = self.catalogue.step(turn, answer, self.told(state.now));
        }
    }

    fn finish(&mut self, mut state: State, index: usize, turn: u32) -> Next {
        self.last = self.catalogue.ending(turn).cloned();
        self.may_end_so(&state, index, turn)?;
        let process = &mut state.processes[index];
        *process = Process { ended: true, holds: process.holds, owed: process.owed, ..Process::new(process.runs) };
        self.forget(&mut state);
        Ok(state)
    }
}
