//! Whether the keyring is there, open, and quick.

use std::time::{Duration, Instant};

use hallpass_core::{Local, Place, StoreFailure, StoreMode, StoreTrouble};

use super::{Case, Finding, Group, Level};
use crate::keyring::Keyring;

/// A keyring that takes longer is noticed by a person.
const SLOW: Duration = Duration::from_secs(1);

/// How much depends on the keyring here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Use {
    None,
    WhereThereIsOne,
    Always,
}

pub(super) fn check(case: &Case) -> Vec<Finding> {
    let place = case.status.as_ref().ok().and_then(|status| status.store);
    let used = match (place, case.configuration.store()) {
        (Some(Place::Keyring), _) | (None, StoreMode::Keyring) => Use::Always,
        (_, StoreMode::Auto) => Use::WhereThereIsOne,
        _ => Use::None,
    };
    let start = Instant::now();
    let probed = Keyring::default().probe();
    vec![judge(probed, start.elapsed(), used)]
}

fn judge(probed: Result<(), StoreFailure>, elapsed: Duration, used: Use) -> Finding {
    let failure = match probed {
        Ok(()) if elapsed >= SLOW && used != Use::None => {
            let message = format!("the keyring needs {} ms for an answer", elapsed.as_millis());
            return Group::Home.warning(
                "keyring_slow",
                message,
                "use `--store file`, or see what the keyring waits for",
            );
        }
        Ok(()) => return Group::Home.ok("keyring", "there is a keyring, and it is unlocked"),
        Err(failure) => failure,
    };
    let level = match (used, failure.kind) {
        (Use::None, _) => Level::Note,
        (Use::WhereThereIsOne, StoreTrouble::Unavailable) => Level::Warning,
        (Use::WhereThereIsOne | Use::Always, _) => Level::Problem,
    };
    let kind = failure.kind;
    let mut finding = Group::Home.of(level, Local::Store(failure));
    if used == Use::None {
        let is_missing = kind == StoreTrouble::Unavailable;
        let state = if is_missing { "there is no keyring here" } else { "the keyring cannot be used now" };
        finding.report.message = format!("{state}, and none is needed");
        finding.report.help = None;
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyring_matters_as_much_as_it_is_used() {
        let failed = |kind| Err(StoreFailure { kind, detail: "x".into() });
        let quick = Duration::from_millis(5);
        for (probed, elapsed, used, level, code) in [
            (Ok(()), quick, Use::Always, Level::Ok, "keyring"),
            (Ok(()), SLOW, Use::Always, Level::Warning, "keyring_slow"),
            (Ok(()), SLOW, Use::None, Level::Ok, "keyring"),
            (failed(StoreTrouble::Locked), quick, Use::Always, Level::Problem, "keyring_locked"),
            (failed(StoreTrouble::Locked), quick, Use::WhereThereIsOne, Level::Problem, "keyring_locked"),
            (failed(StoreTrouble::Locked), quick, Use::None, Level::Note, "keyring_locked"),
            (failed(StoreTrouble::TimedOut), quick, Use::Always, Level::Problem, "store_timed_out"),
            (failed(StoreTrouble::Unavailable), quick, Use::Always, Level::Problem, "keyring_unavailable"),
            (failed(StoreTrouble::Unavailable), quick, Use::WhereThereIsOne, Level::Warning, "keyring_unavailable"),
            (failed(StoreTrouble::Unavailable), quick, Use::None, Level::Note, "keyring_unavailable"),
        ] {
            let finding = judge(probed, elapsed, used);
            assert_eq!((finding.level, finding.report.code.as_str()), (level, code));
            assert_eq!(finding.report.help.is_some(), level > Level::Note, "{finding:?}");
        }
    }
}
