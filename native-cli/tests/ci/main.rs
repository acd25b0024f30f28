//! The workflows in `examples/ci`, run as a CI system runs them, and the commands that they are made of.
#![cfg(all(unix, feature = "tls"))]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../support/mod.rs"]
mod support;

mod runner;

use std::fs;
use std::sync::Arc;
use std::thread;

use hallpass::authorization_server::Serving;
use runner::{Machine, Secrets, Workflow};
use support::{Home, Ran, Way, is_accepted, server, sign_in, with_input};

const PERSISTENT: &str = include_str!("../../examples/ci/github-persistent.yml");
const EPHEMERAL: &str = include_str!("../../examples/ci/github-ephemeral.yml");

/// A person signs in on their own machine and hands the record to the CI system. Its access token is about to expire.
fn hand_over(serving: &Serving) -> String {
    hand_over_with(serving, 240_000)
}

/// The same, with an access token that lives for so many milliseconds.
fn hand_over_with(serving: &Serving, milliseconds: i64) -> String {
    let home = Home::new();
    let lifetime = serving.lock().options().access_token_lifetime_ms;
    serving.lock().options_mut().access_token_lifetime_ms = milliseconds;
    let line = format!("login --json --provider openai --issuer {} --no-browser --port 0", serving.issuer);
    sign_in(home.command(&line), serving, Way::Redirected, "").expect(0);
    serving.lock().options_mut().access_token_lifetime_ms = lifetime;
    let exported = home.run("export").expect(0);
    assert_eq!(exported.stdout, format!("{}\n", home.record()));
    exported.stdout
}

fn requests(serving: &Serving) -> u64 {
    serving.lock().token_requests()
}

/// A job did what it was there for: its Codex had a token that the server takes.
#[track_caller]
fn assert_worked(job: &runner::Job, serving: &Serving) {
    assert!(job.failed.is_none(), "{job:#?}");
    assert!(is_accepted(serving, job.token.as_deref().unwrap().trim()), "{job:#?}");
    assert_silent(job, serving);
}

/// Nothing that a CI system would keep in its log shows a secret.
#[track_caller]
fn assert_silent(job: &runner::Job, serving: &Serving) {
    for spelling in serving.lock().options().canary_spellings() {
        assert!(!job.log.contains(&spelling), "{job:#?}");
    }
}

#[test]
fn twenty_jobs_on_one_machine_need_no_concurrency_group() {
    let serving = server();
    let secrets = Secrets::with("CODEX_AUTH_JSON", &hand_over(&serving));
    let machine = Arc::new(Machine::new());
    let before = requests(&serving);
    let jobs: Vec<_> = (0..20)
        .map(|_| {
            let (machine, secrets) = (machine.clone(), secrets.clone());
            thread::spawn(move || machine.run(&Workflow::read(PERSISTENT), &secrets))
        })
        .collect();
    let jobs: Vec<_> = jobs.into_iter().map(|job| job.join().unwrap()).collect();
    for job in &jobs {
        assert_worked(job, &serving);
        assert_eq!(job.token, jobs[0].token);
    }
    assert_eq!(requests(&serving) - before, 1, "one refresh for all of them");
    // The secret is as old as ever, and the home goes on with what it has.
    assert_worked(&machine.run(&Workflow::read(PERSISTENT), &secrets), &serving);
    assert_eq!(requests(&serving) - before, 1);
}

#[test]
fn a_second_machine_with_the_same_seed_is_told_the_rule() {
    // While the seed's own access token lives, it is used; then nothing is left.
    for (lifetime, level) in [(240_000, "warning"), (1, "error")] {
        let serving = server();
        let secrets = Secrets::with("CODEX_AUTH_JSON", &hand_over_with(&serving, lifetime));
        assert_worked(&Machine::new().run(&Workflow::read(PERSISTENT), &secrets), &serving);
        let job = Machine::new().run(&Workflow::read(PERSISTENT), &secrets);
        assert_eq!(job.failed.as_deref(), (level == "error").then_some("Run Codex"), "{job:#?}");
        assert!(
            job.log.contains(&format!("{level}: the server no longer accepts the session of this seed")),
            "{job:#?}"
        );
        assert!(job.log.contains("one copy of a seed may be renewed at a time"), "{job:#?}");
        assert_silent(&job, &serving);
    }
}

#[test]
fn runners_that_are_new_each_time_hand_the_session_on() {
    let serving = server();
    let secrets = Secrets::with("CODEX_AUTH_JSON", &hand_over(&serving));
    let workflow = Workflow::read(EPHEMERAL);
    let mut seeds = vec![secrets.get("CODEX_AUTH_JSON")];
    for renews in [true, false, true, true] {
        if renews && seeds.len() > 1 {
            // The next job finds a token that is about to expire.
            let seed = seeds.last().unwrap().clone();
            secrets.set("CODEX_AUTH_JSON", &aged(&serving, &seed));
        }
        let before = secrets.get("CODEX_AUTH_JSON");
        let job = Machine::new().run(&workflow, &secrets);
        assert_worked(&job, &serving);
        assert_eq!(secrets.get("CODEX_AUTH_JSON") != before, renews, "{job:#?}");
        assert_eq!(job.log.contains("nothing to write back"), !renews, "{job:#?}");
        seeds.push(secrets.get("CODEX_AUTH_JSON"));
    }
    let calls = fs::read_to_string(secrets.calls()).unwrap();
    assert_eq!(calls.lines().count(), 3, "{calls}");
    assert!(calls.lines().all(|line| line == "secret set CODEX_AUTH_JSON --repo acme/widgets"), "{calls}");
}

/// The same session, renewed once more into an access token that is about to expire.
fn aged(serving: &Serving, seed: &str) -> String {
    let home = Home::new();
    home.run_with_input("seed", seed.as_bytes()).expect(0);
    let lifetime = serving.lock().options().access_token_lifetime_ms;
    serving.lock().options_mut().access_token_lifetime_ms = 240_000;
    home.run("token --refresh").expect(0);
    serving.lock().options_mut().access_token_lifetime_ms = lifetime;
    home.run("export --if-changed").expect(0).stdout
}

#[test]
fn what_a_job_renewed_is_put_back_even_when_the_job_fails() {
    let serving = server();
    let secrets = Secrets::with("CODEX_AUTH_JSON", &hand_over(&serving));
    let before = secrets.get("CODEX_AUTH_JSON");
    let workflow = Workflow::read(&EPHEMERAL.replace("codex exec", "sh -c 'hallpass token > /dev/null; exit 1'"));
    let job = Machine::new().run(&workflow, &secrets);
    assert_eq!(job.failed.as_deref(), Some("Run Codex"), "{job:#?}");
    assert_ne!(secrets.get("CODEX_AUTH_JSON"), before);
    assert_worked(&Machine::new().run(&Workflow::read(EPHEMERAL), &secrets), &serving);
}

#[test]
fn the_seed_comes_from_the_variable_and_else_from_stdin() {
    let serving = server();
    let seed = hand_over(&serving);
    for (variable, input, expected) in [
        (Some(seed.as_str()), "", Some("The home is seeded.")),
        (Some(""), seed.as_str(), Some("The home is seeded.")),
        (None, seed.as_str(), Some("The home is seeded.")),
        (Some(seed.as_str()), "{}", Some("The home is seeded.")),
        (None, "", None),
        (None, "{}", None),
        (Some("canary"), seed.as_str(), None),
    ] {
        let home = Home::new();
        let mut command = home.command("seed");
        variable.map(|value| command.env("CODEX_AUTH_JSON", value));
        let ran = with_input(command, input.as_bytes()).expect(if expected.is_some() { 0 } else { 2 });
        assert_eq!(ran.stdout, "", "{ran:?}");
        assert!(!ran.stderr.contains("canary"), "{ran:?}");
        assert!(expected.is_none_or(|expected| ran.stderr.starts_with(expected)), "{ran:?}");
        assert!(expected.is_some() || ran.stderr.contains("\nhelp: "), "{ran:?}");
        assert_eq!(home.file("auth.json").exists(), expected.is_some());
    }
}

#[test]
fn a_seed_that_is_too_large_is_refused() {
    let home = Home::new();
    let large = format!(r#"{{"auth_mode":"apikey","OPENAI_API_KEY":"{}"}}"#, "x".repeat(64 * 1024));
    let ran = home.run_with_input("seed", large.as_bytes()).expect(2);
    assert!(ran.stderr.contains("larger than 64 KiB"), "{ran:?}");
    assert!(!home.file("auth.json").exists());
}

#[test]
fn a_home_that_holds_something_else_says_what_to_do() {
    let serving = server();
    let (home, seed) = (Home::new(), hand_over(&serving));
    home.run_with_input("login --with-api-key", b"sk-1").expect(0);
    let ran = home.run_with_input("seed", seed.as_bytes()).expect(5);
    assert!(ran.stderr.starts_with("error: this home holds another credential"), "{ran:?}");
    assert!(ran.stderr.contains("`hallpass logout`"), "{ran:?}");
    assert_eq!(home.run("token").expect(0).stdout, "sk-1\n");
}

#[test]
fn an_export_prints_the_record_and_nothing_else() {
    let (home, key) = (Home::new(), include_str!("../vectors/auth.apikey.json"));
    let ran: Ran = home.run("export").expect(1);
    assert_eq!(ran.stdout, "");
    home.run_with_input("seed", key.as_bytes()).expect(0);
    assert_eq!(home.run("export").expect(0).stdout, format!("{key}\n"));
    let same = home.run("export --if-changed").expect(0);
    assert_eq!(same.stdout, "");
    assert_eq!(home.run("export --if-changed --quiet").expect(0).stderr, "");
}

#[test]
fn what_no_store_keeps_is_neither_seeded_nor_exported() {
    let home = Home::new();
    let ran = home.run_with_input("seed --store ephemeral", b"{}").expect(2);
    assert!(ran.stderr.contains("gone when this command ends") && ran.stderr.contains("--store file"), "{ran:?}");
    let mut command = home.command("export");
    command.env("CODEX_API_KEY", "sk-canary");
    let ran = with_input(command, b"").expect(2);
    assert!(ran.stderr.contains("CODEX_API_KEY holds the credential") && !ran.stderr.contains("canary"), "{ran:?}");
    home.run("export").expect(1);
}
