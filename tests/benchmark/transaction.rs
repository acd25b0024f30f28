//! What a refresh costs over a plain durable save, and what it costs to wait for one.
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a program for developers"
)]
#![cfg(target_os = "linux")]

#[path = "../../native-cli/tests/processes/running.rs"]
mod running;
#[path = "../../native-cli/tests/processes/stage.rs"]
mod stage;
#[path = "../../native-cli/tests/support/mod.rs"]
mod support;

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::time::{Duration, Instant};

use hallpass::{Hallpass, http};
use hallpass_core::{Event, HttpMethod, HttpRequest};

use running::{Running, wait_for_all_to_open};
use stage::Stage;

const PATIENCE: Duration = Duration::from_secs(40);

fn main() {
    // cargo says `--bench` too.
    let rounds: u32 = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(200);
    let (mut saves, mut answers, mut refreshes) = (Vec::new(), Vec::new(), Vec::new());
    let stage = Stage::expired();
    let hallpass = Hallpass::at(&stage.home.path).unwrap();
    for _ in 0..rounds {
        saves.push(timed(|| save(&stage)));
        answers.push(timed(|| ask(&stage)));
        let token = stage.tokens().access.as_str().into();
        refreshes.push(timed(|| drop(hallpass.replace(&token).unwrap())));
    }
    let [save, answer, refresh] = [saves, answers, refreshes].map(Spread::of);
    println!("{rounds} rounds, in one process            median      p90");
    row("a plain durable save", save, save);
    row("a request over loopback", answer, save);
    row("a refresh, request included", refresh, save);
    let without = Spread { median: refresh.median - answer.median, late: refresh.late - answer.median };
    row("a refresh without its request", without, save);

    let crowds = [1, 16, 64].map(|size| (size, (0..rounds.div_ceil(20)).map(|_| crowd(size)).collect::<Vec<_>>()));
    println!("\n{} rounds, in whole processes      median      p90", rounds.div_ceil(20));
    let alone = Spread::of(crowds[0].1.iter().map(|ends| ends[0]).collect());
    for (size, rounds) in &crowds {
        let first = Spread::of(rounds.iter().map(|ends| ends[0]).collect());
        let last = Spread::of(rounds.iter().map(|ends| ends[size - 1]).collect());
        row(&format!("of {size}, the first is done"), first, alone);
        row(&format!("of {size}, the last is done"), last, alone);
    }
}

#[derive(Clone, Copy)]
struct Spread {
    median: f64,
    late: f64,
}

impl Spread {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        let at = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1000.0;
        Self { median: at(50), late: at(90) }
    }
}

fn row(what: &str, spread: Spread, base: Spread) {
    println!("{what:34} {:7.2} ms {:7.2} ms  {:6.2} x", spread.median, spread.late, spread.median / base.median);
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// What every careful program does: a temporary file, fsync, rename, fsync of the folder.
fn save(stage: &Stage) {
    let (temporary, target) = (stage.home.file("plain.tmp"), stage.home.file("plain"));
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(&temporary).unwrap();
    file.write_all(stage.before.as_bytes()).unwrap();
    file.sync_all().unwrap();
    std::fs::rename(temporary, target).unwrap();
    File::open(&stage.home.path).unwrap().sync_all().unwrap();
}

/// A request that the server answers without a rotation.
fn ask(stage: &Stage) {
    let request = HttpRequest {
        method: HttpMethod::Get,
        url: format!("{}/.well-known/openid-configuration", stage.serving.issuer),
        headers: Vec::new(),
        body: None,
        deadline: 10_000,
        interruptible: false,
    };
    let client = http::Client::new(http::Settings::from_variables(&|_| None));
    assert!(matches!(client.send(&request, &|| false), Event::Responded(_)));
}

/// When each of so many processes is done that all wait for the lock, from the moment at which it is free.
fn crowd(size: usize) -> Vec<Duration> {
    let stage = Stage::expired();
    let lock = stage.home.file("hallpass.lock");
    let gate = File::create(&lock).unwrap();
    gate.lock().unwrap();
    let mut crowd: Vec<_> = (0..size).map(|_| Running::start(stage.home.command("token"))).collect();
    wait_for_all_to_open(&crowd, &lock);
    let start = Instant::now();
    drop(gate);
    let mut ends = Vec::new();
    while !crowd.is_empty() {
        assert!(start.elapsed() < PATIENCE);
        crowd.retain_mut(|process| {
            let ended = process.has_ended();
            if ended {
                ends.push(start.elapsed());
            }
            !ended
        });
        std::thread::sleep(Duration::from_micros(200));
    }
    assert_eq!(stage.requests(), 1);
    ends
}
