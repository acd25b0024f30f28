//! What is handed to a browser, and what never is.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hallpass::browser::open;

use crate::servers::scratch;

/// A program that writes its arguments to a file, one on a line.
fn recorder(name: &str) -> (PathBuf, PathBuf) {
    let (program, record) = (scratch(&format!("{name}.sh")), scratch(&format!("{name}.txt")));
    let _ = std::fs::remove_file(&record);
    script(&program, &format!("printf '%s\\n' \"$@\" > '{}'", record.display()));
    (program, record)
}

#[cfg(unix)]
fn script(path: &Path, text: &str) {
    // Another process writes it: what this one has open for writing, a child of another test may hold open too, and
    // then nobody can run it.
    let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$0\" && chmod 755 \"$0\"";
    let written = std::process::Command::new("sh").arg("-c").arg(write).arg(path).arg(text).status();
    assert!(written.expect("a shell").success());
}

#[cfg(not(unix))]
fn script(_: &Path, _: &str) {}

const GOOD: &str =
    "https://auth.openai.com/oauth/authorize?response_type=code&scope=openid+profile%20email&state=a-b_c.~";

#[cfg(unix)]
#[test]
fn the_address_is_one_argument() {
    let (program, record) = recorder("plain");
    for url in [GOOD, "http://127.0.0.1:1455/authorize?x=%E2%82%AC", "http://[::1]:1/", "https://example.com"] {
        open(url, Some(program.as_os_str())).expect("opened");
        assert_eq!(std::fs::read_to_string(&record).expect("a record"), format!("{url}\n"));
    }
}

#[cfg(unix)]
#[test]
fn a_browser_variable_may_list_programs_with_arguments_and_a_place() {
    let (program, record) = recorder("listed");
    let path = program.display();
    for (variable, expected) in [
        (format!("/nowhere/browser:{path}"), format!("{GOOD}\n")),
        (format!("{path} --new-window"), format!("--new-window\n{GOOD}\n")),
        (format!("{path} --app=%s -x"), format!("--app={GOOD}\n-x\n")),
        (format!("false:{path} %s"), format!("{GOOD}\n")),
        (format!("{path} $(id) ;reboot `id`"), format!("$(id)\n;reboot\n`id`\n{GOOD}\n")),
    ] {
        let _ = std::fs::remove_file(&record);
        open(GOOD, Some(OsStr::new(&variable))).expect("opened");
        assert_eq!(std::fs::read_to_string(&record).expect("a record"), expected, "{variable}");
    }
    let spaced = scratch("with space.sh");
    let copied = std::process::Command::new("cp").arg(&program).arg(&spaced).status();
    assert!(copied.expect("cp").success());
    open(GOOD, Some(spaced.as_os_str())).expect("opened");
}

#[cfg(unix)]
#[test]
fn a_program_that_fails_is_an_error_and_one_that_stays_is_not_waited_for() {
    let why = open(GOOD, Some(OsStr::new("false"))).expect_err("it failed");
    assert!(why.contains("false did not open it"), "{why}");
    let why = open(GOOD, Some(OsStr::new("/nowhere/browser:-x"))).expect_err("there is none");
    assert!(why.contains("/nowhere/browser") && !why.contains("state="), "{why}");
    let stays = scratch("stays.sh");
    script(&stays, "sleep 3");
    let begin = Instant::now();
    open(GOOD, Some(stays.as_os_str())).expect("opened");
    assert!(begin.elapsed() < Duration::from_secs(1));
}

#[cfg(unix)]
#[test]
fn nothing_is_started_for_what_is_no_plain_address() {
    let (program, record) = recorder("never");
    let long = format!("https://example.com/?{}", "x".repeat(9000));
    for url in [
        "",
        "-",
        "--help",
        "-a Calculator",
        "/usr/bin/id",
        "example.com",
        "//example.com",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "file://example.com/share/x.exe",
        "\\\\example.com\\share\\x.exe",
        "vscode://x",
        "ms-msdt:/id",
        "http:$(calc.exe)",
        "http://example.com/",
        "http://127.0.0.1.evil.com/",
        "http://127.0.0.1@evil.com/",
        "https://user:pass@example.com/",
        "https://$(calc.exe)/",
        "https://example.com/$(calc.exe)",
        "https://example.com/?a=$(cmd.exe /c whoami > c:\\temp\\pwned.txt)&response_type=code",
        "https://example.com/`id`",
        "https://example.com/;id",
        "https://example.com/|id",
        "https://example.com/\"&calc&\"",
        "https://example.com/'&calc&'",
        "https://example.com/ --flag",
        "https://example.com/\nid",
        "https://example.com/\r\nid",
        "https://example.com/\0",
        "https://example.com/\t",
        "https://example.com/<script>",
        "https://example.com/%00",
        "https://example.com/%0a",
        "https://example.com/%0D%0Aid",
        "https://example.com/%7f",
        "https://example.com/%",
        "https://example.com/%zz",
        "https://example.com/\u{202e}gpj.exe",
        "https://exämple.com/",
        "https://-oProxyCommand=id/",
        "https://[::1/",
        "https://example.com:port/",
        " https://example.com/",
        "HTTPS://example.com/",
        long.as_str(),
    ] {
        assert!(open(url, Some(program.as_os_str())).is_err(), "{url}");
    }
    std::thread::sleep(Duration::from_millis(100));
    assert!(!record.exists());
}
