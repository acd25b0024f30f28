//! Token commands that behave and misbehave.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use hallpass::command::run;
use hallpass_core::{Command, Event};

use crate::servers::{never, scratch};

fn shell(script: &str) -> Command {
    Command { program: "sh".into(), arguments: vec!["-c".into(), script.into()], directory: None, deadline: 5000 }
}

fn ran(command: &Command) -> (i32, String) {
    match run(command, &never) {
        Event::Ran { status, output } => (status, output.expose().to_owned()),
        other => panic!("{other:?}"),
    }
}

fn failed(command: &Command) -> String {
    match run(command, &never) {
        Event::RunFailed { detail } => detail,
        other => panic!("{other:?}"),
    }
}

/// Whether the process whose number a script wrote is gone.
fn is_gone(record: &std::path::Path) -> bool {
    let number = std::fs::read_to_string(record).expect("a process number");
    let gone =
        || std::fs::read_to_string(format!("/proc/{}/stat", number.trim())).map_or(true, |stat| stat.contains(") Z "));
    (0..50).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        gone()
    })
}

#[test]
fn output_and_status_are_handed_over() {
    assert_eq!(ran(&shell("printf 'token\\n'")), (0, "token\n".into()));
    assert_eq!(ran(&shell("printf x; printf secret >&2; exit 3")), (3, "x".into()));
    assert_eq!(ran(&shell("exit 0")), (0, String::new()));
    assert_eq!(ran(&shell("cat; echo end")), (0, "end\n".into()), "there is nothing to read");
    let (_, output) = ran(&shell("head -c 65536 /dev/zero | tr '\\0' x"));
    assert_eq!(output.len(), 65536);
}

#[test]
fn arguments_are_no_shell_words() {
    let arguments = vec!["%s|".into(), "$(id)".into(), ";reboot".into(), "a b".into()];
    let command = Command { program: "printf".into(), arguments, directory: None, deadline: 5000 };
    assert_eq!(ran(&command).1, "$(id)|;reboot|a b|");
}

#[test]
fn what_prints_too_much_or_no_text_fails() {
    let begin = Instant::now();
    assert!(failed(&shell("exec yes")).contains("64 KiB"));
    assert!(failed(&shell("head -c 65537 /dev/zero")).contains("64 KiB"));
    assert!(failed(&shell("printf '\\377'")).contains("not text"));
    assert!(failed(&shell("kill -9 $$")).contains("signal"));
    assert!(begin.elapsed() < Duration::from_secs(4));
}

#[test]
fn a_deadline_kills_the_whole_group() {
    let record = scratch("grandchild");
    let mut command = shell(&format!("sleep 60 & echo $! > '{}'; wait", record.display()));
    command.deadline = 400;
    let begin = Instant::now();
    let detail = failed(&command);
    assert!(detail.contains("400 ms"), "{detail}");
    assert!(begin.elapsed() < Duration::from_secs(2));
    assert!(is_gone(&record));
}

#[test]
fn cancelling_kills_it_too() {
    let record = scratch("cancelled");
    let command = shell(&format!("echo $$ > '{}'; exec sleep 60", record.display()));
    let begin = Instant::now();
    let after = || begin.elapsed() > Duration::from_millis(300);
    assert_eq!(run(&command, &after), Event::Cancelled);
    assert!(is_gone(&record));
}

#[test]
fn one_that_leaves_something_behind_is_not_waited_for() {
    let begin = Instant::now();
    assert_eq!(ran(&shell("sleep 3 & echo token")), (0, "token\n".into()));
    assert!(begin.elapsed() < Duration::from_secs(2));
}

#[test]
fn names_are_looked_up_and_paths_joined() {
    assert!(failed(&Command { program: "no-such-program".into(), ..shell("") }).contains("not found in PATH"));
    assert!(failed(&Command { program: String::new(), ..shell("") }).contains("no proper name"));
    assert!(failed(&Command { program: "/nowhere/at/all".into(), ..shell("") }).contains("cannot be started"));
    let folder = scratch("tools");
    std::fs::create_dir_all(&folder).expect("a folder");
    let tool = folder.join("tool");
    std::fs::write(&tool, "#!/bin/sh\npwd\n").expect("a file");
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let directory = folder.canonicalize().expect("a path").display().to_string();
    let command = Command { program: "./tool".into(), directory: Some(directory.clone()), ..shell("") };
    assert_eq!(ran(&command), (0, format!("{directory}\n")));
    let bare = Command { program: "tool".into(), directory: Some(directory), ..shell("") };
    assert!(failed(&bare).contains("not found in PATH"), "the folder is not searched for bare names");
}

#[test]
fn what_everybody_may_change_is_not_run() {
    let folder = scratch("open");
    std::fs::create_dir_all(&folder).expect("a folder");
    let tool = folder.join("tool");
    std::fs::write(&tool, "#!/bin/sh\necho ran\n").expect("a file");
    let command = Command { program: tool.display().to_string(), ..shell("") };
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
    };
    for (file, dir, runs) in [(0o755, 0o755, true), (0o777, 0o755, false), (0o755, 0o777, false), (0o755, 0o1777, true)]
    {
        mode(&tool, file);
        mode(&folder, dir);
        match run(&command, &never) {
            Event::Ran { .. } => assert!(runs, "{file:o} {dir:o}"),
            Event::RunFailed { detail } => assert!(!runs && detail.contains("everybody"), "{file:o} {dir:o}: {detail}"),
            other => panic!("{other:?}"),
        }
    }
}
