//! Every interleaving of a few processes that renew one session, with every fault that a budget allows.
//!
//! What is counted is printed, and must not become less: an exploration that stops early fails. With
//! `HALLPASS_EXPLORE=more` the budgets are larger, and it takes some minutes and 10 GB. `src/exhaustive/README.md` has the numbers.

use std::io::Write as _;

use hallpass_core::StoreMode;
use hallpass_tests::exhaustive::{Budget, Case, Explored, Mutation, Property, Reuse, Runs, Style, explore};

const NONE: Budget = Budget {
    crashes: 0,
    power_losses: 0,
    lost_answers: 0,
    lost_requests: 0,
    late_requests: 0,
    not_sent: 0,
    broken_answers: 0,
    busy_servers: 0,
    gateways: 0,
    lock_timeouts: 0,
    store_failures: 0,
    cancellations: 0,
    hours: 0,
};
/// One of everything that a network does.
const NETWORK: Budget = Budget {
    lost_answers: 1,
    lost_requests: 1,
    late_requests: 1,
    not_sent: 1,
    broken_answers: 1,
    busy_servers: 1,
    gateways: 1,
    ..NONE
};
const TWO: [Runs; 2] = [Runs::Token; 2];
const THREE: [Runs; 3] = [Runs::Token; 3];
const GRACE: Reuse = Reuse::Grace(10_000);

/// Past the capture of the test harness, so that it stands in the log of `tests/run world`.
fn print(explored: &Explored) {
    writeln!(std::io::stdout(), "explored: {explored}").expect("there is a stdout");
}

/// Explores, and expects at least so many states and nothing broken.
fn holds(least: usize, case: &Case) {
    let explored = explore(case);
    print(&explored);
    assert!(explored.broken.is_none(), "{explored}");
    assert!(explored.states >= least, "only {} states of {least}: {}", explored.states, case.name);
}

#[test]
fn nothing_goes_wrong() {
    for reuse in [Reuse::Strict, Reuse::RejectOnly, Reuse::ReplayToParent, GRACE] {
        holds(97, &Case::new("2 tokens, no fault", &TWO).at(reuse));
        holds(241, &Case::new("3 tokens, no fault", &THREE).at(reuse));
    }
    holds(241, &Case::new("3 after a 401, no fault", &[Runs::Replacement; 3]));
    holds(241, &Case::new("3 early, no fault", &[Runs::EarlyToken; 3]));
    holds(241, &Case::new("3 opaque, no fault", &THREE).styled(Style::Opaque));
    holds(271, &Case::new("3 in the keyring, no fault", &THREE).kept_in(StoreMode::Keyring));
    holds(38_000, &Case::new("3 tokens, 2 hours, no fault", &THREE).with(Budget { hours: 2, ..NONE }));
    holds(615, &Case::new("2 tokens, login, no fault", &[Runs::Token, Runs::Token, Runs::Login]));
    holds(333, &Case::new("2 tokens, logout, no fault", &[Runs::Token, Runs::Token, Runs::Logout]));
    holds(671, &Case::new("token, login, logout, no fault", &[Runs::Token, Runs::Login, Runs::Logout]));
    holds(943, &Case::new("token, 2 logins, no fault", &[Runs::Token, Runs::Login, Runs::Login]));
}

#[test]
fn the_network_fails_and_processes_die() {
    let budget = Budget { crashes: 1, power_losses: 1, ..NETWORK };
    let readable = Budget { crashes: 2, broken_answers: 0, ..budget };
    holds(610_000, &Case::new("3 tokens, network, crash, power", &THREE).with(budget));
    holds(560_000, &Case::new("3 tokens, network, crash, power", &THREE).with(budget).at(Reuse::RejectOnly));
    holds(
        1_200_000,
        &Case::new("3 tokens, network, 2 crashes, power", &THREE).with(readable).at(Reuse::ReplayToParent),
    );
    holds(1_700_000, &Case::new("3 tokens, network, 2 crashes, power", &THREE).with(readable).at(GRACE));
    holds(950_000, &Case::new("2 tokens, network, 2 crashes, power", &TWO).with(Budget { crashes: 2, ..budget }));
    let twice = Budget { lost_answers: 2, late_requests: 2, crashes: 2, ..NONE };
    holds(63_000, &Case::new("3 tokens, 2 crashes, 2 lost, 2 late", &THREE).with(twice).at(Reuse::ReplayToParent));
    if explores_more() {
        let twice = Budget { crashes: 2, power_losses: 1, lost_answers: 2, late_requests: 2, ..NETWORK };
        let readable = Budget { broken_answers: 0, ..twice };
        holds(
            1_200_000,
            &Case::new("3 tokens, network, 2 crashes, power", &THREE).with(Budget { crashes: 2, ..budget }),
        );
        holds(950_000, &Case::new("2 tokens, network twice", &TWO).with(twice));
        holds(950_000, &Case::new("2 tokens, network twice", &TWO).with(twice).at(Reuse::RejectOnly));
        holds(1_200_000, &Case::new("3 tokens, network twice", &THREE).with(readable).at(Reuse::ReplayToParent));
        holds(1_200_000, &Case::new("3 tokens, network twice", &THREE).with(readable).at(GRACE));
    }
}

#[test]
fn this_machine_fails() {
    let local = Budget { lock_timeouts: 1, store_failures: 1, cancellations: 1, crashes: 1, ..NONE };
    let network = Budget { lost_answers: 1, late_requests: 1, ..NONE };
    let worse = Budget { store_failures: 2, power_losses: 1, ..local };
    holds(130_000, &Case::new("2 tokens, store, lock, cancel, crash, power", &TWO).with(worse));
    holds(28_000, &Case::new("3 tokens, store, lock, cancel, crash", &THREE).with(local));
    let early = Budget { lock_timeouts: 1, cancellations: 1, crashes: 1, power_losses: 1, ..NETWORK };
    holds(100_000, &Case::new("3 early, network, lock, cancel, crash, power", &[Runs::EarlyToken; 3]).with(early));
    let keyring = Budget { store_failures: 1, crashes: 1, ..network };
    let kept = |name, runs, store| Case::new(name, runs).kept_in(store);
    holds(55_000, &kept("3 in the keyring, store, crash, network", &THREE, StoreMode::Keyring).with(keyring));
    let auto = Budget { power_losses: 1, ..keyring };
    holds(190_000, &kept("2 in auto, store, crash, power, network", &TWO, StoreMode::Auto).with(auto));
}

#[test]
fn time_passes() {
    let hour = Budget { hours: 1, crashes: 1, power_losses: 1, ..NONE };
    holds(320_000, &Case::new("3 tokens, hour, crash, power", &THREE).with(hour).ordered());
    // What was renamed may become durable in any order.
    holds(77_000, &Case::new("2 tokens, hour, crash, power, any order", &TWO).with(hour));
    let twice = Budget { hours: 2, crashes: 1, lost_answers: 1, late_requests: 1, ..NONE };
    holds(920_000, &Case::new("2 tokens, 2 hours, crash, network", &TWO).with(twice).ordered());
    if explores_more() {
        let power = Budget { power_losses: 1, ..twice };
        holds(920_000, &Case::new("2 tokens, 2 hours, crash, power, network", &TWO).with(power).ordered());
    }
    let store = Budget { store_failures: 1, cancellations: 1, ..hour };
    holds(
        1_700_000,
        &Case::new("2 tokens, hour, all local", &TWO).with(Budget { lock_timeouts: 1, ..store }).ordered(),
    );
    let network = Budget { hours: 1, ..NETWORK };
    holds(270_000, &Case::new("3 early, hour, network", &[Runs::EarlyToken; 3]).with(network));
}

#[test]
fn the_server_says_401() {
    let budget = Budget { crashes: 1, power_losses: 1, ..NETWORK };
    holds(610_000, &Case::new("3 after a 401, network, crash, power", &[Runs::Replacement; 3]).with(budget));
    let mixed = [Runs::Replacement, Runs::Replacement, Runs::EarlyToken];
    let budget = Budget { power_losses: 0, ..budget };
    holds(170_000, &Case::new("2 after a 401, 1 early, network, crash", &mixed).with(budget));
}

#[test]
fn somebody_signs_in_or_out() {
    let local = Budget { crashes: 1, power_losses: 1, store_failures: 1, cancellations: 1, ..NONE };
    let network = Budget { crashes: 1, ..NETWORK };
    let lost = Budget { crashes: 1, lost_answers: 1, late_requests: 1, ..NONE };
    let login = |name, budget| Case::new(name, &[Runs::Token, Runs::Login]).with(budget);
    let logout = |name, budget| Case::new(name, &[Runs::Token, Runs::Logout]).with(budget);
    let busy = |budget| Budget { lock_timeouts: 1, ..budget };
    holds(3_400_000, &login("token, login, lock, store, cancel, crash, power", busy(local)));
    holds(1_200_000, &login("token, login, lock, network, crash", busy(network)));
    holds(470_000, &logout("token, logout, lock, store, crash, power", busy(Budget { cancellations: 0, ..local })));
    holds(27_000, &logout("token, logout, cancel, crash, power", Budget { store_failures: 0, ..local }));
    holds(300_000, &logout("token, logout, lock, network, crash", busy(network)));
    holds(
        1_400_000,
        &Case::new("2 tokens, login, lock, crash, lost", &[Runs::Token, Runs::Token, Runs::Login]).with(busy(lost)),
    );
    let two = [Runs::Token, Runs::Token, Runs::Logout];
    holds(350_000, &Case::new("2 tokens, logout, lock, crash, lost", &two).with(busy(lost)));
    let power = Budget { crashes: 1, power_losses: 1, ..NONE };
    holds(
        310_000,
        &Case::new("token, login, logout, crash, power", &[Runs::Token, Runs::Login, Runs::Logout]).with(power),
    );
}

/// With `HALLPASS_EXPLORE=more`.
fn explores_more() -> bool {
    std::env::var_os("HALLPASS_EXPLORE").is_some_and(|value| value == "more")
}

#[test]
fn other_company() {
    let network = Budget { crashes: 1, ..NETWORK };
    let local = Budget { crashes: 1, power_losses: 1, store_failures: 1, cancellations: 1, ..NONE };
    let busy = Budget { lock_timeouts: 1, ..local };
    holds(563, &Case::new("3 forced, no fault", &[Runs::Fresh; 3]));
    let forced = [Runs::Fresh, Runs::EarlyToken];
    holds(
        64_000,
        &Case::new("forced, early, network, crash, power", &forced)
            .with(Budget { power_losses: 1, ..network })
            .ordered(),
    );
    holds(67_000, &Case::new("forced, early, all local", &forced).with(busy).ordered());
    holds(970_000, &Case::new("2 logins, all local", &[Runs::Login; 2]).with(busy));
    holds(31_000, &Case::new("2 logouts, all local", &[Runs::Logout; 2]).with(busy));
    holds(620_000, &Case::new("login, logout, all local", &[Runs::Login, Runs::Logout]).with(busy));
    holds(10_000, &Case::new("early, login, network, crash", &[Runs::EarlyToken, Runs::Login]).with(network));
    let rejected = Budget { lock_timeouts: 1, ..network };
    holds(300_000, &Case::new("401, logout, lock, network, crash", &[Runs::Replacement, Runs::Logout]).with(rejected));
    let lost = Budget { crashes: 1, power_losses: 1, lost_answers: 1, ..NONE };
    let keyring = Case::new("token, logout in the keyring, lock, lost", &[Runs::Token, Runs::Logout]);
    holds(230_000, &keyring.kept_in(StoreMode::Keyring).with(Budget { lock_timeouts: 1, ..lost }));
    let auto = Case::new("token, login in auto, crash, power, lost", &[Runs::Token, Runs::Login]);
    holds(210_000, &auto.kept_in(StoreMode::Auto).with(lost));
    holds(
        210_000,
        &Case::new("2 opaque, network, crash, power", &TWO)
            .styled(Style::Opaque)
            .with(Budget { power_losses: 1, ..network }),
    );
}

/// What is known not to hold. Where one of these fails, it is mended: the case belongs among the others then.
#[test]
fn open_findings() {
    let busier = Budget { lock_timeouts: 2, ..NONE };
    let hour = Budget { hours: 1, crashes: 1, ..NONE };
    let half = Budget { crashes: 1, store_failures: 1, cancellations: 1, ..NONE };
    for (case, property) in [
        // Who is suspended between the comparison and the save overwrites what others did who lost patience twice.
        (Case::new("a logout is undone", &[Runs::Token, Runs::Logout]).with(busier), Property::LastWordStands),
        // A logout that cannot remove the record removes the open intent, and the next refresh does not wait.
        (Case::new("a logout half done", &[Runs::Token, Runs::Logout]).with(half), Property::HealthyLivesOn),
        // An opaque token's lifetime is saved after the token.
        (Case::new("a lifetime is late", &TWO).with(hour).styled(Style::Opaque).ordered(), Property::EndsWell),
    ] {
        let broken = explore(&case).broken.unwrap_or_else(|| panic!("mended, so move it: {}", case.name));
        writeln!(std::io::stdout(), "open finding, {}:\n{broken}", case.name).expect("there is a stdout");
        assert_eq!(broken.violation.property, property, "it is another one now: {}", case.name);
    }
}

/// Whoever breaks a rule is found out.
#[test]
fn every_property_can_fail() {
    use Mutation as M;
    use Property as P;
    let one = |budget| Case::new("2 processes, a broken shell", &TWO).with(budget);
    let plain = || one(NONE);
    let with_login = |budget| Case::new("a token, a login, a broken shell", &[Runs::Token, Runs::Login]).with(budget);
    let with_logout =
        |budget| Case::new("a token, a logout, a broken shell", &[Runs::Token, Runs::Logout]).with(budget);
    let crash = Budget { crashes: 1, ..NONE };
    let late = Budget { late_requests: 1, ..NONE };
    let lost = Budget { lost_answers: 1, ..NONE };
    let timeout = Budget { lock_timeouts: 1, ..NONE };
    let busy = Budget { busy_servers: 1, ..NONE };
    let hour = Budget { hours: 1, ..NONE };
    for (mutation, case, property) in [
        (M::NoLock, plain(), P::SentOnce),
        (M::Steal, plain(), P::SentOnce),
        (M::NoReread, plain(), P::SentOnce),
        (M::NoSidecar, one(lost), P::SentOnce),
        (M::ImmediateRetry, one(late), P::HealthyLivesOn),
        (M::NoDrain, one(late), P::HealthyLivesOn),
        (M::NoDrain, one(crash), P::HealthyLivesOn),
        (M::NoSync, plain(), P::NothingSavedIsLost),
        (M::NoParking, plain(), P::NothingSavedIsLost),
        (M::SaveAfterUse, Case::new("1 process, a broken shell", &[Runs::Token]), P::SavedBeforeUse),
        (M::LockIsKept, plain(), P::LocksAreGivenBack),
        (M::LockOutlivesItsHolder, one(crash), P::NobodyIsStuck),
        (M::FastClock, plain(), P::OneRequestPerExpiry),
        (M::TroubleIsALogout, one(busy), P::LoginOnlyWhenNeeded),
        (M::ImmediateRetry, one(lost), P::LossIsNamed),
        (M::NoCompare, with_logout(timeout), P::LastWordStands),
        (M::NoCompare, with_login(timeout), P::RevokedWhenOver),
        (M::NewerSidecar, one(busy), P::Heals),
        (M::BeginsAgain, plain(), P::AlwaysEnds),
        (M::NewerSidecar, one(hour), P::EndsWell),
    ] {
        let broken = explore(&case.broken(mutation)).broken;
        let broken = broken.unwrap_or_else(|| panic!("nobody notices {mutation:?}"));
        writeln!(std::io::stdout(), "noticed: {mutation:?}\n{broken}").expect("there is a stdout");
        assert_eq!(broken.violation.property, property, "{mutation:?} is noticed otherwise: {broken}");
        assert!((1..80).contains(&broken.transcript.len()), "{broken}");
    }
}
