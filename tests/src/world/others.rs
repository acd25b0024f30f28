//! What happens beside a flow: other processes, and the end of this one.

use hallpass_core::{Effect, Flow, Machine, Request, Seed, Step};

use super::World;

/// Something that happens elsewhere, just before an effect is performed.
pub(super) struct Meanwhile {
    when: fn(&Effect) -> bool,
    what: Box<dyn FnOnce(&mut World)>,
}

impl World {
    /// Just before the first effect that `when` names, `what` happens in another process: it finds the locks of
    /// this one held.
    pub fn meanwhile(&mut self, when: fn(&Effect) -> bool, what: impl FnOnce(&mut Self) + 'static) {
        self.meanwhile = Some(Meanwhile { when, what: Box::new(what) });
    }

    /// Runs a flow in a process that dies just before it performs the effect that `when` names. Its locks die
    /// with it.
    ///
    /// # Panics
    /// When the flow ends before.
    pub fn dies(&mut self, request: Request, when: fn(&Effect) -> bool) {
        assert!(self.cut_off(request, |_, effect| when(effect)), "the flow ended before");
    }

    /// Runs a flow in a process that dies just before this turn; false when the flow has ended before.
    pub fn dies_at(&mut self, request: Request, turn: usize) -> bool {
        self.cut_off(request, |now, _| now == turn)
    }

    fn cut_off(&mut self, request: Request, when: impl Fn(usize, &Effect) -> bool) -> bool {
        self.flows += 1;
        let mut step = Flow::start(request, self.told(), Seed::new([self.flows; 32]));
        for turn in 0.. {
            let Step::Perform { machine, effect, .. } = step else { return false };
            if when(turn, &effect) {
                self.locks.clear();
                return true;
            }
            let event = self.perform(effect, turn);
            step = machine.step(self.told(), event);
        }
        unreachable!("the loop ends by returning")
    }

    /// The shell answers the first effect that `when` names with something else, after it has performed it.
    pub fn misleads(&mut self, when: fn(&Effect) -> bool) {
        self.misleads = Some(when);
    }

    pub(super) fn is_misled(&mut self, effect: &Effect) -> bool {
        self.misleads.take_if(|when| when(effect)).is_some()
    }

    pub(super) fn happens_meanwhile(&mut self, effect: &Effect) {
        let Some(Meanwhile { what, .. }) = self.meanwhile.take_if(|meanwhile| (meanwhile.when)(effect)) else { return };
        let (locks, busy) = (std::mem::take(&mut self.locks), self.busy.clone());
        self.busy.extend(&locks);
        what(self);
        (self.locks, self.busy) = (locks, busy);
    }
}
