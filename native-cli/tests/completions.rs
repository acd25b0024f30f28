//! Completion scripts do what a shell expects of them.
#![cfg(all(feature = "tls", unix))]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::path::Path;
use std::process::Command;

use support::{Home, Ran};

/// Runs a script with the program in its `PATH`.
fn shell(home: &Home, name: &str, script: &str) -> Ran {
    let folder = Path::new(env!("CARGO_BIN_EXE_hallpass")).parent().unwrap().display();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
    let mut command = Command::new(name);
    Ran::of(command.args(["-c", script]).env_clear().env("PATH", path).env("HOME", &home.path).output().unwrap())
}

#[test]
fn bash_completes_commands_and_options() {
    let home = Home::new();
    let script = "set -e\nsource <(hallpass completions bash)\ncomplete -p hallpass\n\
                  complete() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMPREPLY=()\n\
                  _hallpass hallpass \"${@: -1}\" \"${@: -2:1}\"; echo \"${COMPREPLY[*]}\"; }\n\
                  complete hallpass doc\ncomplete hallpass doctor --off\ncomplete hallpass credential a";
    let ran = shell(&home, "bash", script).expect(0);
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert!(lines[0].starts_with("complete ") && lines[0].ends_with(" hallpass"), "{ran:?}");
    assert_eq!(lines[1..], ["doctor", "--offline", "aws"], "{ran:?}");
    assert_eq!(ran.stderr, "");
}

#[test]
fn other_shells_can_read_theirs() {
    let home = Home::new();
    for (name, script) in [
        ("zsh", "hallpass completions zsh | zsh -n"),
        (
            "fish",
            "hallpass completions fish > s.fish; fish -c 'source s.fish; complete -C \"hallpass doc\"' | grep -q doctor",
        ),
    ] {
        let is_there = Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
        assert!(is_there, "install {name}: without it nothing is proved");
        let ran = shell(&home, "sh", &format!("cd \"$HOME\"; {script}")).expect(0);
        assert_eq!(ran.stderr, "", "{name}");
    }
}
