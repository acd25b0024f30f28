//! Performing effects, part by part, as they should be done or as a broken shell does them.

use super::asking::{Answer, Ask, PARKED, SIDECAR};
use super::state::{Part, Spent, State};
use super::world::{Next, World};
use super::{Disk, End, Mutation, Token, Verdict, Violation};

impl World {
    /// The next part of an effect, as it should be.
    pub(super) fn go(&mut self, mut state: State, index: usize) -> Next {
        let name = u8::try_from(index).expect("at most three");
        let process = state.processes[index];
        match (self.catalogue.ask(process.turn), process.part) {
            (_, Part::Shown(answer)) => {
                let ask = self.catalogue.ask(process.turn);
                self.sync(&mut state, ask)?;
                self.tell(&state, name, answer)
            }
            (Ask::Load(slot), _) => {
                let text = self.read(&mut state, index, usize::from(slot));
                self.tell(&state, name, Answer::Loaded(text))
            }
            (Ask::Save { slot, text }, _) => self.write(state, index, slot, text, Answer::Saved),
            (Ask::Reserve { slot, text }, _) => {
                if slot == PARKED && state.slots[usize::from(slot)].shown != 0 {
                    // The shell syncs the folder before it writes over what may be the only copy of an answer.
                    state.slots[0].sync();
                    state.slots[usize::from(SIDECAR)].sync();
                }
                self.write(state, index, slot, text, Answer::Reserved)
            }
            (Ask::Remove(slot), _) => {
                let existed = state.slots[usize::from(slot)].shown != 0;
                self.write(state, index, slot, 0, Answer::Removed(existed))
            }
            (Ask::Lock(lock), _) if self.case.is(Mutation::BeginsAgain) && state.holder(lock).is_some() => {
                self.begin(state, index)
            }
            (Ask::Lock(lock), _) => {
                state.processes[index].holds[usize::from(lock)] = true;
                self.tell(&state, name, Answer::Locked)
            }
            (Ask::Unlock(lock), _) => {
                state.processes[index].holds[usize::from(lock)] = lock == 0 && self.case.is(Mutation::LockIsKept);
                self.tell(&state, name, Answer::Unlocked)
            }
            (Ask::Sleep(_), part) => {
                if let Part::Asleep(until) = part {
                    state.now = state.now.max(until);
                }
                self.tell(&state, name, Answer::Slept)
            }
            (Ask::Spend(token), Part::Answered(answer)) => {
                if let Answer::Granted { .. } = answer {
                    *state.spent(token) = Spent::Yes;
                } else {
                    *state.spent(token) = Spent::Dead;
                    state.processes[index].buries = Some(token);
                }
                self.tell(&state, name, answer)
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
                self.tell(&state, name, Answer::Revoked)
            }
            (ask, part) => panic!("{ask:?} is never {part:?}"),
        }
    }

    fn read(&self, state: &mut State, index: usize, slot: usize) -> u32 {
        let shown = state.slots[slot].shown;
        let process = &mut state.processes[index];
        let old = (self.case.is(Mutation::NoReread) && process.holds[0] && process.carries.is_none())
            || (self.case.is(Mutation::NoCompare) && process.carries.is_some());
        if old {
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
                return self.tell(&state, name, answer);
            }
            Some(Mutation::NoParking) if slot < SIDECAR && !is_record => {
                self.note_saved(&mut state, Ask::Save { slot, text });
                self.nothing_saved_is_lost(&state)?;
                return self.tell(&state, name, answer);
            }
            Some(Mutation::NoSidecar) if slot == SIDECAR => return self.tell(&state, name, answer),
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
            return self.tell(&state, name, answer);
        }
        state.processes[index].part = Part::Shown(answer);
        self.nothing_saved_is_lost(&state)?;
        Ok(state)
    }

    fn sync(&self, state: &mut State, ask: Ask) -> Result<(), Violation> {
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

    pub(super) fn redeem(&self, state: &mut State, token: Token) -> Result<Verdict, Violation> {
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
    pub(super) fn unanswered(&mut self, mut state: State, index: u8, answer: Answer) -> Next {
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
        self.tell(&state, index, answer)
    }

    /// The refresh token that a process has sent and waits for.
    pub(super) fn spending(&self, state: &State, index: usize) -> Option<Token> {
        let process = &state.processes[index];
        match (self.catalogue.ask(process.turn), process.part) {
            (Ask::Spend(token), Part::Sent | Part::Answered(_)) => Some(token),
            _ => None,
        }
    }
}
