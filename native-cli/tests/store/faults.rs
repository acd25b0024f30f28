//! File systems that are full, read-only, mounted in parts, or somebody else's.

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use crate::{Sandbox, child, is_root, text};

const OLD: &str = "{\"old\":1}";

fn home_with_record() -> Sandbox {
    let sandbox = Sandbox::with_home();
    fs::write(sandbox.file("auth.json"), OLD).unwrap();
    sandbox
}

/// Runs a script in a home prepared like this.
fn run(sandbox: &Sandbox, preparation: &str, script: &str) -> Vec<String> {
    let preparation = format!("cd {}\n{preparation}", sandbox.0.display());
    child::run(child::mounted(&preparation), &sandbox.home(), script)
}

#[test]
fn a_full_disk_shows_before_the_token_is_spent() {
    let sandbox = Sandbox::with_home();
    let preparation = "mount -t tmpfs -o size=64k none home; printf '{\"old\":1}' > home/auth.json";
    let script = "reserve file 200000; load parked; fill ballast; reserve file 8192; load parked; \
                  save record {\"new\":1}; load record";
    let answers = run(&sandbox, preparation, script);
    assert!(answers[0].starts_with("Full "), "{answers:?}");
    assert_eq!(answers[1..3], ["nothing", "filled"]);
    assert!(answers[3].starts_with("Full "), "{answers:?}");
    assert_eq!(answers[4], "nothing");
    assert!(answers[5].starts_with("Full "), "{answers:?}");
    assert_eq!(answers[6], format!("loaded {OLD}"));
}

#[test]
fn reserved_room_holds_the_answer_when_the_disk_is_full_by_then() {
    let sandbox = Sandbox::with_home();
    let answer = format!("{{\"answer\":\"{}\"}}", "x".repeat(20_000));
    let script = format!("reserve file 32768; fill ballast; save parked {answer}; load parked");
    let answers = run(&sandbox, "mount -t tmpfs -o size=64k none home", &script);
    assert_eq!(answers, ["reserved", "filled", "saved", &format!("loaded {answer}")]);
}

#[test]
fn a_failed_reservation_leaves_the_earlier_intent() {
    let sandbox = Sandbox::with_home();
    let script = "save parked {\"earlier\":1}; fill ballast; reserve file 8192; load parked";
    let answers = run(&sandbox, "mount -t tmpfs -o size=64k none home", script);
    assert!(answers[2].starts_with("Full "), "{answers:?}");
    assert_eq!(answers[3], "loaded {\"earlier\":1}");
}

#[test]
fn a_record_mounted_by_itself_is_found_before_the_token_is_spent() {
    let sandbox = home_with_record();
    fs::write(sandbox.0.join("outside"), "{\"outside\":1}").unwrap();
    let script = "reserve file 8192; load parked; save record {\"new\":1}; load record";
    for preparation in [
        "mount --bind outside home/auth.json",
        "mkdir other; mount -t tmpfs none other; cp outside other/; mount --bind other/outside home/auth.json",
    ] {
        let answers = run(&sandbox, preparation, script);
        assert!(answers[0].starts_with("Busy ") && answers[0].contains("mounted by itself"), "{answers:?}");
        assert_eq!(answers[1], "nothing");
        assert!(answers[2].starts_with("Busy "), "{answers:?}");
        assert_eq!(answers[3], "loaded {\"outside\":1}");
        assert_eq!(sandbox.names(), ["auth.json"]);
    }
}

#[test]
fn a_link_to_a_full_disk_shows_before_the_token_is_spent() {
    let sandbox = Sandbox::with_home();
    fs::create_dir(sandbox.0.join("other")).unwrap();
    symlink("../other/auth.json", sandbox.file("auth.json")).unwrap();
    let preparation = "mount -t tmpfs -o size=16k none other";
    let answers = run(&sandbox, preparation, "reserve file 32768; load parked; reserve file 4096");
    assert!(answers[0].starts_with("Full "), "{answers:?}");
    assert_eq!(answers[1..], ["nothing", "reserved"]);
}

#[test]
fn a_read_only_file_system_is_named() {
    let sandbox = home_with_record();
    let preparation = "mount --bind home home; mount -o remount,ro,bind home";
    let script =
        "load record; reserve file 64; save record {\"new\":1}; remove record; lock transaction 100; remove parked";
    let answers = run(&sandbox, preparation, script);
    assert_eq!(answers[0], format!("loaded {OLD}"));
    assert!(answers[1..4].iter().all(|answer| answer.starts_with("ReadOnly ")), "{answers:?}");
    assert!(answers[4].starts_with("Denied "), "{answers:?}");
    // What is not there is gone, as far as anybody can tell.
    assert_eq!(answers[5], "removed false");
}

/// The other process as a user who is not root.
fn as_nobody() -> Option<Command> {
    let mut command = child::plain();
    is_root().then(|| {
        command.uid(65534).gid(65534);
        command
    })
}

#[test]
fn a_folder_that_may_not_be_written_is_named() {
    let sandbox = home_with_record();
    let Some(command) = as_nobody() else { return };
    chown(sandbox.file("auth.json"), Some(65534), Some(65534)).unwrap();
    let script = "load record; reserve file 64; save record {\"new\":1}; remove record; lock commit 100";
    let answers = child::run(command, &sandbox.home(), script);
    assert_eq!(answers[0], format!("loaded {OLD}"));
    assert!(answers[1..].iter().all(|answer| answer.starts_with("Denied ")), "{answers:?}");
    assert_eq!(text(&sandbox.file("auth.json")), OLD);
    assert_eq!(sandbox.names(), ["auth.json"]);
}

#[test]
fn the_files_of_others_are_not_trusted() {
    let sandbox = home_with_record();
    let Some(command) = as_nobody() else { return };
    chown(sandbox.home(), Some(65534), Some(65534)).unwrap();
    chown(sandbox.file("auth.json"), Some(4321), None).unwrap();
    let answers = child::run(command, &sandbox.home(), "load record; save record {}; reserve file 64");
    assert!(answers.iter().all(|answer| answer.starts_with("Unsafe ")), "{answers:?}");
    chown(sandbox.file("auth.json"), Some(0), None).unwrap();
    let answers = child::run(as_nobody().unwrap(), &sandbox.home(), "load record; save record {}; reserve file 64");
    assert_eq!(answers[0], format!("loaded {OLD}"));
    assert!(answers[1..].iter().all(|answer| answer.starts_with("Denied ")), "{answers:?}");
}

#[test]
fn whoever_is_killed_while_saving_leaves_the_old_record_or_the_new() {
    let sandbox = home_with_record();
    let new = format!("{{\"a\":\"{}\"}}", "x".repeat(5000));
    for round in 0..40 {
        let process = child::Process::start(child::plain(), &sandbox.home());
        process.kill_during("save-forever 5000", Duration::from_micros(4000 + 433 * round));
        let found = text(&sandbox.file("auth.json"));
        assert!(found == OLD || found == new, "{found}");
        let leftovers = sandbox.names().into_iter().filter(|name| name != "auth.json").collect::<Vec<_>>();
        assert!(leftovers.is_empty() || leftovers == [".auth.json.hallpass-tmp"], "{leftovers:?}");
    }
    assert_eq!(sandbox.stores().save(crate::RECORD, &"{}".into()), hallpass_core::Event::Saved);
    assert_eq!(sandbox.names(), ["auth.json"]);
}

#[test]
fn a_save_makes_few_system_calls() {
    let sandbox = home_with_record();
    let has_strace = Command::new("strace").arg("-V").output().is_ok_and(|output| output.status.success());
    assert!(has_strace, "install strace: without it nobody counts");
    let trace = sandbox.0.join("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-o"]).arg(&trace).arg(std::env::current_exe().unwrap());
    let answers =
        child::run(command, &sandbox.home(), "load record; save record {\"a\":1}; load record; save record {\"b\":2}");
    assert_eq!(answers[1], "saved");
    let trace = text(&trace);
    let home = sandbox.home().display().to_string();
    let calls = |from: usize, answer: &str| {
        let start = trace.match_indices("ANSWER ").nth(from).unwrap().0;
        let length = trace[start + 1..].find(answer).unwrap();
        // A debug build looks at each descriptor before closing it.
        let calls =
            trace[start..start + length].lines().filter(|call| call.contains(&home) && !call.contains("F_GETFD"));
        calls.map(str::to_owned).collect::<Vec<_>>()
    };
    let load = calls(1, "ANSWER loaded");
    assert_eq!(load.len(), 4, "open, fstat, read and close: {load:#?}");
    let save = calls(2, "ANSWER saved");
    assert_eq!(save.iter().filter(|call| call.contains("fsync(")).count(), 2, "{save:#?}");
    assert!(save.len() <= 16, "{} calls: {save:#?}", save.len());
}
