//! Whole lives of a home, by chance: more than a million refreshes of it.
//!
//! `HALLPASS_REFRESHES=1000000000` lives on until so many refreshes are through, `HALLPASS_SEED=7` begins with that
//! seed. A life that breaks a rule is told with its seed.

use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use hallpass_core::StoreTrouble;
use hallpass_tests::exhaustive::Mutation;
use hallpass_tests::simulation::{Counts, live, live_with, stumble};

/// So many refresh tokens are exchanged before it is enough.
const REFRESHES: u64 = 1_000_000;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("the variable holds a number"))
}

/// Past the capture of the test harness, so that it stands in the log of `tests/run world`.
fn print(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("there is a stdout");
}

#[test]
fn a_million_refreshes() {
    let began = Instant::now();
    let (first, enough) = (variable("HALLPASS_SEED").unwrap_or(0), variable("HALLPASS_REFRESHES").unwrap_or(REFRESHES));
    let (next, broken, total) = (AtomicU64::new(first), AtomicBool::new(false), Mutex::new(Counts::default()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !broken.load(Ordering::Relaxed) && total.lock().expect("nobody panics with it").refreshes < enough
                {
                    match live(next.fetch_add(1, Ordering::Relaxed)) {
                        Ok(counts) => *total.lock().expect("nobody panics with it") += counts,
                        Err(failure) => {
                            broken.store(true, Ordering::Relaxed);
                            print(&failure.to_string());
                        }
                    }
                }
            });
        }
    });
    let total = total.into_inner().expect("nobody panics with it");
    let seeds = next.into_inner() - first;
    print(&format!(
        "simulated: seeds {first} to {}, {} refreshes, {} token flows, {} turns, {} years, {:.1} s\n{total:?}",
        first + seeds - 1,
        total.refreshes,
        total.flows,
        total.turns,
        total.time / 31_536_000_000,
        began.elapsed().as_secs_f64(),
    ));
    assert!(!broken.into_inner(), "a seed above has broken a rule");
    assert!(total.refreshes >= enough, "{} refreshes", total.refreshes);
    // An accidental calm fails too.
    let each = [total.deaths, total.power_losses, total.store_failures, total.unanswered, total.logins - seeds];
    assert!(each.iter().all(|count| *count >= enough / 500), "too little has gone wrong: {total:?}");
}

#[test]
fn the_store_fails_at_every_operation() {
    use StoreTrouble as T;
    let kinds =
        [T::Full, T::ReadOnly, T::Denied, T::Busy, T::NoHome, T::Unavailable, T::Locked, T::TimedOut, T::Unsafe];
    let mut lives = 0;
    for processes in 1..=3 {
        for (for_good, lies) in [(false, false), (false, true), (true, false), (true, true)] {
            for kind in kinds {
                let reached = |after: &u32| {
                    lives += 1;
                    stumble(processes, *after, kind, for_good, lies).unwrap_or_else(|failure| panic!("{failure}"))
                };
                let operations = (0..1_000).take_while(reached).count();
                assert!(operations >= 10, "only {operations} operations were there to fail");
            }
        }
    }
    print(&format!("simulated: {lives} lives in which one store operation fails, or all from one on"));
}

#[test]
fn a_broken_shell_is_found_out() {
    use Mutation as M;
    for mutation in [M::NoLock, M::LockIsKept, M::NoSync, M::NoSidecar, M::TroubleIsALogout] {
        let failure = (0..2_000).find_map(|seed| live_with(seed, Some(mutation)).err());
        let failure = failure.unwrap_or_else(|| panic!("nobody notices {mutation:?}"));
        print(&format!("noticed: {mutation:?} by seed {}: {}", failure.seed, failure.what));
        assert!(!failure.transcript.is_empty(), "there is something to tell");
    }
}
