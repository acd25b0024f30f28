//! Locks of a kernel: taken in any order, given back by the dead.

use hallpass_core::Lock;

use super::random::Random;

/// The two locks of a home.
#[derive(Clone, Debug, Default)]
pub(super) struct Locks {
    holders: [Option<usize>; 2],
    waiting: [Vec<usize>; 2],
}

fn index(lock: Lock) -> usize {
    match lock {
        Lock::Transaction => 0,
        Lock::Commit | Lock::Minting => 1,
    }
}

impl Locks {
    /// Takes a lock if it is free, else queues for it.
    pub(super) fn take(&mut self, lock: Lock, process: usize) -> bool {
        let lock = index(lock);
        if self.holders[lock].is_none() {
            self.holders[lock] = Some(process);
            return true;
        }
        self.waiting[lock].push(process);
        false
    }

    /// Stops waiting.
    pub(super) fn give_up(&mut self, lock: Lock, process: usize) {
        self.waiting[index(lock)].retain(|waiting| *waiting != process);
    }

    /// Gives a lock back, and names who has it now: kernels promise no order.
    pub(super) fn give_back(&mut self, lock: Lock, process: usize, random: &mut Random) -> Option<usize> {
        self.release(index(lock), process, random)
    }

    /// Takes everything from a dead process, and names who has which lock now.
    pub(super) fn bury(&mut self, process: usize, random: &mut Random) -> Vec<usize> {
        for waiting in &mut self.waiting {
            waiting.retain(|other| *other != process);
        }
        (0..2).filter_map(|lock| self.release(lock, process, random)).collect()
    }

    /// Whether somebody else holds this one, or nobody.
    pub(super) fn is_free_of_one(&self, lock: Lock, process: usize) -> bool {
        self.holders[index(lock)] != Some(process)
    }

    pub(super) fn is_free_of(&self, process: usize) -> bool {
        !self.holders.contains(&Some(process))
    }

    fn release(&mut self, lock: usize, process: usize, random: &mut Random) -> Option<usize> {
        if self.holders[lock] != Some(process) {
            return None;
        }
        self.holders[lock] = None;
        let waiting = &mut self.waiting[lock];
        if waiting.is_empty() {
            return None;
        }
        let next = waiting.swap_remove(usize::try_from(random.below(waiting.len() as u64)).unwrap_or(0));
        self.holders[lock] = Some(next);
        Some(next)
    }
}
