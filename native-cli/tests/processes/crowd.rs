//! Many processes that want a token at the same moment.

use std::fs::File;
use std::time::Duration;

use crate::running::{Running, wait_for_all_to_open};
use crate::stage::Stage;

/// Longer than any of them may take on a busy machine; shorter than waiting for a lock that nobody gives back.
const PATIENCE: Duration = Duration::from_secs(40);

fn rounds() -> u32 {
    std::env::var("HALLPASS_ROUNDS").map_or(20, |rounds| rounds.parse().unwrap())
}

/// How a crowd begins.
#[derive(Clone, Copy, Debug)]
enum Start {
    /// One after the other, as fast as they can be started.
    AtOnce,
    /// All have read the expired token and wait for the lock, before the first of them gets it.
    Gathered,
}

fn crowd(size: usize, start: Start) {
    let stage = Stage::expired();
    let lock = stage.home.file("hallpass.lock");
    let gate = File::create(&lock).unwrap();
    stage.set_mode("hallpass.lock", 0o600);
    if let Start::Gathered = start {
        gate.lock().unwrap();
    }
    let crowd: Vec<_> = (0..size).map(|_| Running::start(stage.home.command("token"))).collect();
    if let Start::Gathered = start {
        wait_for_all_to_open(&crowd, &lock);
    }
    drop(gate);
    let tokens: Vec<_> = crowd.into_iter().map(|process| process.finish(PATIENCE).expect(0).stdout).collect();
    assert!(tokens.iter().all(|token| *token == tokens[0]), "all have the same token");
    assert_eq!(tokens[0].trim_end(), stage.tokens().access);
    assert_eq!((stage.requests(), stage.rotations()), (1, 1), "one request, of {size}");
    stage.assert_alive();
}

#[test]
fn sixteen_spend_the_token_once() {
    for round in 0..rounds() {
        crowd(16, if round % 2 == 0 { Start::Gathered } else { Start::AtOnce });
    }
}

#[test]
fn sixty_four_spend_the_token_once() {
    for round in 0..rounds() {
        crowd(64, if round % 2 == 0 { Start::Gathered } else { Start::AtOnce });
    }
}
