//! The wish to stop, from wherever it comes.

use std::fmt;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hallpass_core::Event;

/// A handle with which a flow is stopped from another thread, or from a signal handler's thread.
///
/// A wish is delivered once, at the first moment at which the flow may be stopped: never between a refresh and
/// the saving of what came of it.
#[derive(Clone, Default)]
pub struct Cancellation(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    wished: bool,
    can_end: bool,
    waker: Option<Sender<Event>>,
}

impl Cancellation {
    /// A handle that nobody has used yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wishes that the flow stops.
    pub fn cancel(&self) {
        let mut state = self.state();
        state.wished = true;
        if let Some(waker) = &state.waker {
            // Where nobody receives, nobody waits.
            let _ = waker.send(Event::Cancelled);
        }
        self.0.changed.notify_all();
    }

    /// Whether there is a wish that is not delivered yet.
    pub fn is_wished(&self) -> bool {
        self.state().wished
    }

    /// Whether this process may end at this moment although a wish cannot be delivered: what the flow has is kept, and the
    /// next process finds it.
    pub fn can_end(&self) -> bool {
        self.state().can_end
    }

    pub(super) fn allow_end(&self, can_end: bool) {
        self.state().can_end = can_end;
    }

    /// Delivers the wish: true when there was one.
    pub(super) fn take(&self) -> bool {
        std::mem::take(&mut self.state().wished)
    }

    /// Who is to be woken by a wish.
    pub(super) fn wake(&self, waker: Sender<Event>) {
        self.state().waker = Some(waker);
    }

    /// Waits, or until there is a wish.
    pub(super) fn sleep(&self, duration: Duration) {
        let end = Instant::now().checked_add(duration);
        let mut state = self.state();
        while !state.wished {
            let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return;
            }
            let waited = self.0.changed.wait_timeout(state, left.min(LONGEST));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cancellation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Cancellation").field("wished", &self.is_wished()).finish()
    }
}

/// Some systems cannot wait for centuries at a time.
const LONGEST: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn a_wish_is_delivered_once() {
        let cancellation = Cancellation::new();
        assert!(!cancellation.take());
        cancellation.clone().cancel();
        assert!(cancellation.is_wished());
        assert!(cancellation.take());
        assert!(!cancellation.take());
    }

    #[test]
    fn a_wish_ends_a_sleep() {
        let cancellation = Cancellation::new();
        let other = cancellation.clone();
        let start = Instant::now();
        let thread = thread::spawn(move || other.cancel());
        cancellation.sleep(Duration::from_secs(60));
        assert!(start.elapsed() < Duration::from_secs(30));
        thread.join().unwrap();
        cancellation.sleep(Duration::from_secs(60));
        assert!(cancellation.take());
        cancellation.sleep(Duration::ZERO);
    }
}
