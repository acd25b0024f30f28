//! What can happen next.

use super::asking::Ask;
use super::state::{Part, State};
use super::world::World;
use super::{Budget, Mutation, Runs};

/// Something that happens, to the process of this number.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Action {
    /// The next part of its effect is done.
    Goes(u8),
    /// A broken shell makes a save that it has acknowledged.
    Flushes(u8),
    StoreFails(u8),
    LockTimesOut(u8),
    IsCancelled(u8),
    IsNotSent(u8),
    LosesRequest(u8),
    GivesUp(u8),
    FindsServerBusy(u8),
    FindsGateway(u8),
    LosesAnswer(u8),
    GetsBrokenAnswer(u8),
    Crashes(u8),
    /// All lose power; the number says what of the unsynced state is left.
    PowerFails(u16),
    /// A late request arrives at the server, or never will.
    Arrives(u8),
    Vanishes(u8),
    /// An hour passes.
    HourPasses,
}

impl Action {
    /// Takes what it uses up from what is left.
    pub(super) fn uses_up(self, left: &mut Budget) {
        let budget = match self {
            Self::Goes(_) | Self::Flushes(_) | Self::Arrives(_) | Self::Vanishes(_) => return,
            Self::StoreFails(_) => &mut left.store_failures,
            Self::LockTimesOut(_) => &mut left.lock_timeouts,
            Self::IsCancelled(_) => &mut left.cancellations,
            Self::IsNotSent(_) => &mut left.not_sent,
            Self::LosesRequest(_) => &mut left.lost_requests,
            Self::GivesUp(_) => &mut left.late_requests,
            Self::FindsServerBusy(_) => &mut left.busy_servers,
            Self::FindsGateway(_) => &mut left.gateways,
            Self::LosesAnswer(_) => &mut left.lost_answers,
            Self::GetsBrokenAnswer(_) => &mut left.broken_answers,
            Self::Crashes(_) => &mut left.crashes,
            Self::PowerFails(_) => &mut left.power_losses,
            Self::HourPasses => &mut left.hours,
        };
        *budget -= 1;
    }
}

impl World {
    /// Everything that can happen next: first what goes as it should, then the faults that are left.
    pub(super) fn actions(&self, state: &State) -> Vec<Action> {
        let mut actions = Vec::with_capacity(16);
        let processes = || (0_u8..).zip(state.active());
        actions.extend(processes().filter(|(_, index)| self.can_go(state, *index)).map(|(name, _)| Action::Goes(name)));
        actions.extend(
            processes()
                .filter(|(_, index)| state.processes[*index].owed.is_some())
                .map(|(name, _)| Action::Flushes(name)),
        );
        for (name, late) in (0_u8..).zip(&state.late) {
            if late.is_some() {
                actions.extend([Action::Arrives(name), Action::Vanishes(name)]);
            }
        }
        for (name, index) in processes() {
            if !state.processes[index].ended {
                self.faults(state, index, name, &mut actions);
            }
        }
        if state.left.power_losses > 0 {
            let ways: usize = state.slots.iter().map(|slot| slot.possible().count()).product();
            actions.extend((0..u16::try_from(ways).expect("few writes are open at once")).map(Action::PowerFails));
        }
        let quiet = state.late.iter().all(Option::is_none)
            && state.active().all(|index| state.processes[index].part != Part::Sent);
        if state.left.hours > 0 && quiet {
            actions.push(Action::HourPasses);
        }
        actions
    }

    fn can_go(&self, state: &State, index: usize) -> bool {
        let process = &state.processes[index];
        if process.ended {
            return false;
        }
        match (self.catalogue.ask(process.turn), process.part) {
            (Ask::Lock(lock), _) => {
                let free = state.holder(lock).is_none() && !state.stuck[usize::from(lock)];
                let broken = [Mutation::NoLock, Mutation::Steal, Mutation::BeginsAgain];
                free || broken.iter().any(|mutation| self.case.is(*mutation))
            }
            // What is late has arrived by then, or never will.
            (_, Part::Asleep(until)) => {
                let then = until.max(state.now);
                self.case.is(Mutation::NoDrain) || state.late.iter().flatten().all(|late| late.until > then)
            }
            _ => true,
        }
    }

    fn faults(&self, state: &State, index: usize, name: u8, actions: &mut Vec<Action>) {
        let process = &state.processes[index];
        let left = &state.left;
        let ask = self.catalogue.ask(process.turn);
        let mut may = |budget: u8, action: Action| {
            if budget > 0 {
                actions.push(action);
            }
        };
        match (ask, process.part) {
            (Ask::Load(_) | Ask::Save { .. } | Ask::Reserve { .. } | Ask::Remove(_), Part::Asked) => {
                may(left.store_failures, Action::StoreFails(name));
            }
            (Ask::Lock(lock), _) if state.holder(lock).is_some() => {
                may(left.lock_timeouts, Action::LockTimesOut(name));
            }
            (Ask::Spend(_), Part::Asked) => may(left.not_sent, Action::IsNotSent(name)),
            (Ask::Spend(_), Part::Sent) => {
                may(left.lost_requests, Action::LosesRequest(name));
                may(left.late_requests, Action::GivesUp(name));
                may(left.busy_servers, Action::FindsServerBusy(name));
                may(left.gateways, Action::FindsGateway(name));
            }
            (Ask::Spend(_), Part::Answered(_)) => {
                may(left.lost_answers, Action::LosesAnswer(name));
                may(left.gateways, Action::FindsGateway(name));
                if process.carries.is_some() {
                    may(left.broken_answers, Action::GetsBrokenAnswer(name));
                }
            }
            _ => {}
        }
        if self.catalogue.is_interruptible(process.turn) {
            may(left.cancellations, Action::IsCancelled(name));
        }
        may(left.crashes, Action::Crashes(name));
    }

    /// Words for what happens, for a person who reads a transcript.
    pub(super) fn describe(&self, state: &State, action: Action) -> String {
        let who = |name: u8| {
            let process = &state.processes[usize::from(name)];
            let doing = match (self.catalogue.ask(process.turn), process.part) {
                (ask, Part::Asked | Part::Asleep(_)) => self.words(ask),
                (ask, Part::Shown(_)) => format!("{}, synced", self.words(ask)),
                (ask, Part::Sent) => format!("{}, at the server", self.words(ask)),
                (ask, Part::Answered(answer)) => format!("{} is answered: {answer:?}", self.words(ask)),
            };
            let runs = match process.runs {
                Runs::Token | Runs::EarlyToken | Runs::Replacement | Runs::Fresh => "token",
                Runs::Login => "login",
                Runs::Logout => "logout",
            };
            (format!("{} ({runs})", char::from(b'A' + name)), doing)
        };
        match action {
            Action::Goes(name) => format!("{}: {}", who(name).0, who(name).1),
            Action::PowerFails(way) => format!("the power fails; what is left is choice {way}"),
            Action::Arrives(_) => "a late request arrives at the server".to_owned(),
            Action::Vanishes(_) => "a late request is gone for good".to_owned(),
            Action::HourPasses => "an hour passes".to_owned(),
            Action::Flushes(name)
            | Action::StoreFails(name)
            | Action::LockTimesOut(name)
            | Action::IsCancelled(name)
            | Action::IsNotSent(name)
            | Action::LosesRequest(name)
            | Action::GivesUp(name)
            | Action::FindsServerBusy(name)
            | Action::FindsGateway(name)
            | Action::LosesAnswer(name)
            | Action::GetsBrokenAnswer(name)
            | Action::Crashes(name) => {
                let fault = format!("{action:?}");
                let fault = fault.split('(').next().unwrap_or_default();
                format!("{}: {} -- FAULT: {fault}", who(name).0, who(name).1)
            }
        }
    }

    fn words(&self, ask: Ask) -> String {
        let slot = |slot: u8| format!("{:?}", super::asking::SLOTS[usize::from(slot)]);
        let lock = |lock: u8| if lock == 0 { "hallpass.lock" } else { "Codex's locks" };
        let held = |text: u32| match self.catalogue.tokens(text) {
            [] => String::new(),
            [.., token] => format!(" (with {})", token.text()),
        };
        match ask {
            Ask::Load(number) => format!("load {}", slot(number)),
            Ask::Save { slot: number, text } => format!("save {}{}", slot(number), held(text)),
            Ask::Reserve { slot: number, .. } => format!("reserve {}", slot(number)),
            Ask::Remove(number) => format!("remove {}", slot(number)),
            Ask::Lock(number) => format!("lock {}", lock(number)),
            Ask::Unlock(number) => format!("unlock {}", lock(number)),
            Ask::Sleep(milliseconds) => format!("sleep {milliseconds} ms"),
            Ask::Spend(token) => format!("POST /token with {}", token.text()),
            Ask::Revoke(token) => format!("POST /revoke with {}", token.text()),
            other => format!("{other:?}"),
        }
    }
}
