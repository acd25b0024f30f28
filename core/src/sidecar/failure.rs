//! The last refresh that did not help, so that the next process does not try at once.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, json};

/// The last of some refreshes that did not help.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Failure {
    at: Timestamp,
    count: u32,
    /// What the server asked for, in milliseconds.
    #[serde(default)]
    asked: u64,
}

json::object! { Failure { at, count, asked = 0 } }

impl Failure {
    /// One more.
    pub(crate) fn after(before: Option<Self>, at: Timestamp, asked: u64) -> Self {
        Self { at, count: before.map_or(0, |before| before.count).saturating_add(1), asked }
    }

    /// Milliseconds until the next attempt: 1, 2, 4, … 60 seconds after the failure, or what the server asked for
    /// where that is longer. A clock that was set back does not make the wait longer.
    pub(crate) fn wait(self, now: Timestamp) -> Option<u64> {
        let wait = (1000_u64 << self.count.saturating_sub(1).min(6)).min(60_000).max(self.asked);
        let elapsed = u64::try_from(now.since(self.at)).ok()?;
        wait.checked_sub(elapsed).filter(|left| *left > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_back_off_and_a_clock_set_back_does_not_lock_out() {
        let at = Timestamp::from_seconds(1000);
        let mut failure = None;
        for (count, wait) in [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000].into_iter().enumerate() {
            failure = Some(Failure::after(failure, at, 0));
            assert_eq!(failure.unwrap().wait(at), Some(wait), "after {count}");
        }
        assert_eq!(failure.unwrap().wait(at.plus(60_000)), None);
        assert_eq!(failure.unwrap().wait(at.plus(-1)), None);
        let asked = Failure::after(None, at, 5000);
        assert_eq!((asked.wait(at.plus(4999)), asked.wait(at.plus(5000))), (Some(1), None));
        assert_eq!(Failure::after(failure, at, 5000).wait(at), Some(60_000));
    }
}
