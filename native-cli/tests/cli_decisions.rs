//! Which way to sign in for whom: the decision matrix that users of such tools are given, each branch taken for real.
#![cfg(all(feature = "tls", unix))]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use hallpass::authorization_server::Serving;
use support::{Home, Ran, Way, is_accepted, server, sign_in, with_input};

/// A login in surroundings that these variables describe.
fn login(home: &Home, serving: &Serving, variables: &[(&str, &str)]) -> Command {
    let mut command = home.command(&format!("login --provider openai --issuer {} --port 0", serving.issuer));
    command.envs(variables.iter().copied());
    command
}

fn works(home: &Home, serving: &Serving) {
    assert!(is_accepted(serving, home.run("token").expect(0).stdout.trim_end()));
}

#[test]
fn a_local_desktop_and_a_subscription_are_a_browser() {
    let (home, serving) = (Home::new(), server());
    // A browser that goes where it is sent, and follows the redirect back.
    let browser = home.file("browser");
    fs::write(&browser, format!("#!/bin/sh\nexec {} \"$1\"\n", home.file("visit").display())).unwrap();
    let visit = "#!/usr/bin/env python3\nimport sys, urllib.request\nurllib.request.urlopen(sys.argv[1]).read()\n";
    fs::write(home.file("visit"), visit).unwrap();
    for file in [&browser, &home.file("visit")] {
        fs::set_permissions(file, fs::Permissions::from_mode(0o700)).unwrap();
    }
    let browser = browser.to_str().unwrap().to_owned();
    let mut command = login(&home, &serving, &[("DISPLAY", ":0"), ("BROWSER", &browser)]);
    let ran = Ran::of(command.stdin(Stdio::null()).output().unwrap()).expect(0);
    assert!(ran.stderr.contains("with your browser"), "{ran:?}");
    works(&home, &serving);
}

#[test]
fn a_local_desktop_and_an_api_account_are_a_key() {
    let home = Home::new();
    home.run_with_input("login --with-api-key", b"sk-mine\n").expect(0);
    assert_eq!(home.run("token").expect(0).stdout, "sk-mine\n");
    let status = home.run("status --json").expect(0).json();
    assert_eq!((&status["method"], &status["capabilities"]["codex_cloud"]), (&"apikey".into(), &false.into()));
}

#[test]
fn a_remote_machine_is_a_device_code() {
    let remote = [
        (("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22"), "this is an SSH session"),
        (("container", "podman"), "this is a container"),
        (("CODESPACES", "true"), "this is a GitHub codespace"),
    ];
    for (variable, why) in remote {
        let (home, serving) = (Home::new(), server());
        let mut command = login(&home, &serving, &[variable, ("DISPLAY", ":0")]);
        command.arg("--json");
        let ran = sign_in(command, &serving, Way::Redirected, "").expect(0);
        assert!(ran.stdout.contains("\"user_code\"") && !ran.stdout.contains("authorization_url"), "{why}: {ran:?}");
        works(&home, &serving);
    }
}

#[test]
fn a_ci_job_with_a_subscription_is_a_seed() {
    let (trusted, job, serving) = (Home::new(), Home::new(), server());
    let mut command = login(&trusted, &serving, &[("SSH_TTY", "/dev/pts/0")]);
    command.arg("--json");
    sign_in(command, &serving, Way::Redirected, "").expect(0);
    let mut seed = job.command("seed");
    seed.env("CI", "true").env("CODEX_AUTH_JSON", trusted.record());
    with_input(seed, b"").expect(0);
    works(&job, &serving);
    // The second run of the job keeps what the first one has renewed.
    let renewed = job.run("token --refresh").expect(0).stdout;
    let mut seed = job.command("seed");
    seed.env("CI", "true").env("CODEX_AUTH_JSON", trusted.record());
    with_input(seed, b"").expect(0);
    assert_eq!(job.run("token").expect(0).stdout, renewed);
}

#[test]
fn a_ci_job_that_pays_by_usage_is_a_key_in_the_environment() {
    let home = Home::new();
    let mut command = home.command("token");
    command.env("CI", "true").env("CODEX_API_KEY", "sk-of-the-job");
    assert_eq!(with_input(command, b"").expect(0).stdout, "sk-of-the-job\n");
    assert!(!home.file("auth.json").exists(), "nothing is stored");
}
