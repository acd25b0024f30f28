//! Every interleaving of a few processes that renew one session, with every fault that a budget allows.

use hallpass_tests::exhaustive::{Budget, Case, Reuse, Runs, explore};

#[test]
fn trial() {
    let two = [Runs::Token, Runs::Token];
    let three = [Runs::Token; 3];
    let crash = Budget { crashes: 1, ..Budget::default() };
    let none = Budget::default();
    let mut bad = 0;
    for case in [
        Case::new("two, no faults", &two),
        Case::new("three, no faults", &three),
        Case::new("two, one crash", &two).with(crash),
        Case::new("three, one crash", &three).with(crash),
        Case::new("three, one crash, replay", &three).with(crash).at(Reuse::ReplayToParent),
        Case::new("three, one crash, reject", &three).with(crash).at(Reuse::RejectOnly),
        Case::new("three, one crash, grace", &three).with(crash).at(Reuse::Grace(10_000)),
        Case::new("two, two crashes", &two).with(Budget { crashes: 2, ..none }),
        Case::new("three, two crashes", &three).with(Budget { crashes: 2, ..none }),
        Case::new("two, power", &two).with(Budget { power_losses: 1, ..none }),
        Case::new("two, lost answer", &two).with(Budget { lost_answers: 1, ..none }),
        Case::new("two, late request", &two).with(Budget { late_requests: 1, ..none }),
        Case::new("two, lost request", &two).with(Budget { lost_requests: 1, ..none }),
        Case::new("two, not sent", &two).with(Budget { not_sent: 1, ..none }),
        Case::new("two, broken", &two).with(Budget { broken_answers: 1, ..none }),
        Case::new("two, busy", &two).with(Budget { busy_servers: 1, ..none }),
        Case::new("two, gateway", &two).with(Budget { gateways: 1, ..none }),
        Case::new("two, lock timeout", &two).with(Budget { lock_timeouts: 2, ..none }),
        Case::new("two, store failure", &two).with(Budget { store_failures: 1, ..none }),
        Case::new("two, cancel", &two).with(Budget { cancellations: 1, ..none }),
        Case::new("two, hour", &two).with(Budget { hours: 1, ..none }),
        Case::new("two, crash hour", &two).with(Budget { hours: 1, crashes: 1, ..none }),
        Case::new("two, crash late", &two).with(Budget { late_requests: 1, crashes: 1, ..none }),
        Case::new("early two, crash late", &[Runs::EarlyToken; 2]).with(Budget { late_requests: 1, crashes: 1, ..none }),
        Case::new("replacement two", &[Runs::Replacement; 2]),
        Case::new("replacement two, crash late", &[Runs::Replacement; 2]).with(Budget { late_requests: 1, crashes: 1, ..none }),
        Case::new("token and logout", &[Runs::Token, Runs::Logout]),
        Case::new("token and login", &[Runs::Token, Runs::Login]),
        Case::new("token and login, lock timeout", &[Runs::Token, Runs::Login]).with(Budget { lock_timeouts: 2, ..none }),
        Case::new("token and logout, lock timeout", &[Runs::Token, Runs::Logout]).with(Budget { lock_timeouts: 2, ..none }),
        Case::new("token and logout, crash", &[Runs::Token, Runs::Logout]).with(Budget { lock_timeouts: 1, crashes: 1, ..none }),
        Case::new("token and login, crash", &[Runs::Token, Runs::Login]).with(Budget { lock_timeouts: 1, crashes: 1, ..none }),
        Case::new("two and login", &[Runs::Token, Runs::Token, Runs::Login]),
        Case::new("two and logout", &[Runs::Token, Runs::Token, Runs::Logout]),
    ] {
        let explored = explore(&case);
        println!("{explored}");
        bad += usize::from(explored.broken.is_some());
    }
    assert_eq!(bad, 0);
}
