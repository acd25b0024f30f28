//! Tools that renew tokens themselves, under `hallpass exec`: they never have to.

use std::time::Duration;

use crate::running::Running;
use crate::stage::Stage;

/// The server's tokens live so long that the window of Codex (five minutes) opens after this.
const UNTIL_WINDOW: i64 = 12_000;
const PATIENCE: Duration = Duration::from_secs(120);

fn tool() -> String {
    format!("{}/tests/processes/codex.py", env!("CARGO_MANIFEST_DIR"))
}

/// A stage whose token is good for an hour, at a server whose next ones live a little longer than Codex's window.
fn stage() -> Stage {
    let stage = Stage::ageing();
    stage.serving.lock().options_mut().access_token_lifetime_ms = 300_000 + UNTIL_WINDOW;
    stage
}

#[test]
fn sixteen_that_renew_tokens_themselves_never_have_to() {
    let stage = stage();
    let log = stage.home.file("spent");
    let line = format!("exec -- python3 {} 36 {}", tool(), log.display());
    let tools: Vec<_> = (0..16).map(|_| Running::start(stage.home.command(&line))).collect();
    let ends: Vec<_> = tools.into_iter().map(|tool| tool.finish(PATIENCE).expect(0)).collect();
    assert!(!log.exists(), "a tool has spent a refresh token");
    // Each has lived through several tokens, and each token was asked for once.
    for end in &ends {
        assert!(end.stdout.trim_end().parse::<u64>().unwrap() >= 4, "{end:?}");
        assert_eq!(end.stderr, "");
    }
    assert_eq!(stage.requests(), stage.rotations(), "every request was answered with a new token");
    let most = 1 + 40_000 / (UNTIL_WINDOW.unsigned_abs() / 2);
    assert!(stage.requests() <= most + 6, "{} requests", stage.requests());
    stage.assert_alive();
}

#[test]
fn without_a_parent_that_keeps_the_home_they_do() {
    let stage = stage();
    stage.home.run("token --refresh").expect(0);
    let log = stage.home.file("spent");
    let mut command = std::process::Command::new("python3");
    command.args([tool(), "20".to_owned(), log.display().to_string()]).env("CODEX_HOME", &stage.home.path);
    Running::start(command).finish(PATIENCE).expect(0);
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "spent\n");
}

#[test]
fn a_tool_whose_parent_cannot_renew_goes_on_and_the_person_is_told_afterwards() {
    let Stage { home, serving, before, .. } = Stage::ageing();
    serving.stop();
    let ran = Running::start(home.command("exec -- echo the tool has run")).finish(PATIENCE).expect(0);
    assert_eq!(ran.stdout, "the tool has run\n");
    assert!(ran.stderr.contains("warning: ") && ran.stderr.contains("help: "), "{ran:?}");
    assert_eq!(home.record(), before);
}
