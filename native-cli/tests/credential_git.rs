//! The real git client asks for credentials, says that they work, and says that they were refused.
#![cfg(feature = "tls")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use hallpass::authorization_server::Serving;
use support::{Home, Ran, Way, is_accepted, server, sign_in, with_input};

const HOSTS: &str = "[hallpass.git]\nhosts = [\"git.example.com\", \"git.example.com:8443\"]\n";
const HERE: &str = "protocol=https\nhost=git.example.com\n";

/// A home with a session, whose token is for git.
fn signed_in() -> (Home, Serving) {
    let (home, serving) = (Home::new(), server());
    let line = format!("login --json --provider local --issuer {} --no-browser", serving.issuer);
    sign_in(home.command(&line), &serving, Way::Redirected, "").expect(0);
    fs::write(home.file("config.toml"), HOSTS).unwrap();
    (home, serving)
}

fn git(home: &Home, line: &str) -> Command {
    let mut git = Command::new("git");
    git.args(line.split(' ')).env_clear().current_dir(&home.path).env("HOME", &home.path);
    git.env("CODEX_HOME", &home.path).env("PATH", std::env::var_os("PATH").unwrap());
    git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null());
    git
}

/// Writes the line of the help page into git's configuration, for these URLs.
fn configure(home: &Home, context: &str) {
    let helper = format!("!'{}' credential git", env!("CARGO_BIN_EXE_hallpass"));
    let mut git = git(home, "config --global");
    Ran::of(git.arg(format!("credential{context}.helper")).arg(helper).output().unwrap()).expect(0);
}

fn credential(home: &Home, operation: &str, input: &str) -> Ran {
    with_input(git(home, &format!("credential {operation}")), input.as_bytes())
}

fn value<'a>(ran: &'a Ran, key: &str) -> Option<&'a str> {
    ran.stdout.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
}

fn stored(home: &Home) -> String {
    home.run("token").expect(0).stdout.trim_end().to_owned()
}

#[test]
fn git_is_given_the_token_as_a_password() {
    let (home, serving) = signed_in();
    configure(&home, ".https://git.example.com");
    let ran = credential(&home, "fill", HERE).expect(0);
    assert_eq!(value(&ran, "username"), Some("x-access-token"));
    assert_eq!(value(&ran, "password"), Some(stored(&home).as_str()));
    let expiry: i64 = value(&ran, "password_expiry_utc").unwrap().parse().unwrap();
    let left = expiry - hallpass::now().milliseconds() / 1000;
    assert!((300..=serving.lock().options().access_token_lifetime_ms / 1000).contains(&left), "{left}");
    assert_eq!(ran.stderr, "");

    let named = credential(&home, "fill", &format!("{HERE}username=ada\n")).expect(0);
    assert_eq!((value(&named, "username"), value(&named, "password")), (Some("ada"), value(&ran, "password")));
    fs::write(home.file("config.toml"), format!("{HOSTS}username = \"oauth2\"\n")).unwrap();
    assert_eq!(value(&credential(&home, "fill", HERE).expect(0), "username"), Some("oauth2"));
}

#[test]
fn git_is_given_a_bearer_token_where_it_and_the_host_know_one() {
    let (home, _serving) = signed_in();
    configure(&home, "");
    let input = format!("capability[]=authtype\n{HERE}wwwauth[]=Basic realm=\"a\"\nwwwauth[]=Bearer\n");
    let ran = credential(&home, "fill", &input).expect(0);
    assert_eq!((value(&ran, "authtype"), value(&ran, "ephemeral")), (Some("Bearer"), Some("1")));
    assert_eq!(value(&ran, "credential"), Some(stored(&home).as_str()));
    assert!(value(&ran, "password_expiry_utc").is_some());
    assert_eq!(value(&ran, "password"), None);

    let input = format!("capability[]=authtype\n{HERE}wwwauth[]=Basic realm=\"a\"\n");
    let ran = credential(&home, "fill", &input).expect(0);
    assert_eq!((value(&ran, "authtype"), value(&ran, "password")), (None, Some(stored(&home).as_str())));
}

#[test]
fn a_token_that_was_refused_is_replaced_and_the_session_lives_on() {
    for capability in ["", "capability[]=authtype\n"] {
        // A session of its own: a second replacement within a second would be held back.
        let (home, serving) = signed_in();
        configure(&home, "");
        let given = credential(&home, "fill", &format!("{capability}{HERE}")).expect(0);
        let old = stored(&home);
        // What works is stored nowhere else, and changes nothing here.
        let before = home.record();
        credential(&home, "approve", &given.stdout).expect(0);
        assert_eq!(home.record(), before);
        // Git writes all that it was given.
        let refused = credential(&home, "reject", &given.stdout).expect(0);
        assert_eq!((refused.stdout.as_str(), refused.stderr.as_str()), ("", ""));
        let new = stored(&home);
        assert_ne!(new, old);
        assert!(is_accepted(&serving, &new));
        // The same again is old news: no further refresh.
        credential(&home, "reject", &given.stdout).expect(0);
        assert_eq!(stored(&home), new);
    }
}

#[test]
fn what_another_helper_gave_is_none_of_ours() {
    let (home, _serving) = signed_in();
    let before = home.record();
    for input in [
        format!("{HERE}username=ada\npassword=hunter2\n"),
        HERE.to_owned(),
        format!("protocol=https\nhost=evil.example\npassword={}\n", stored(&home)),
        format!("protocol=http\nhost=git.example.com\npassword={}\n", stored(&home)),
    ] {
        let ran = home.run_with_input("credential git erase", input.as_bytes()).expect(0);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""), "{input}");
        assert_eq!(home.record(), before, "{input}");
    }
    let nobody = Home::new();
    fs::write(nobody.file("config.toml"), HOSTS).unwrap();
    let input = format!("{HERE}username=ada\npassword=hunter2\n");
    let ran = nobody.run_with_input("credential git erase", input.as_bytes()).expect(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
}

#[test]
fn a_foreign_host_is_given_nothing() {
    let (home, _serving) = signed_in();
    configure(&home, "");
    for input in [
        "protocol=https\nhost=evil.example\n",
        "protocol=https\nhost=git.example.com.evil.example\n",
        "protocol=https\nhost=example.com\n",
        "protocol=https\nhost=git.example.com:8080\n",
        "protocol=http\nhost=git.example.com\n",
        "protocol=cert\nhost=git.example.com\n",
        "url=https://git.example.com@evil.example/\n",
        "url=https://evil.example/git.example.com\n",
        "url=https://git.example.com%40evil.example/\n",
    ] {
        // Git would ask the person next.
        let ran = credential(&home, "fill", input).expect(128);
        assert_eq!(ran.stdout, "", "{input}");
        assert!(!ran.stderr.contains("error: "), "{input}: {ran:?}");
    }
    for input in ["url=https://GIT.example.com/a.git\n", "url=https://git.example.com:8443/\n"] {
        assert!(value(&credential(&home, "fill", input).expect(0), "password").is_some(), "{input}");
    }
    // Without the table no host is meant.
    fs::remove_file(home.file("config.toml")).unwrap();
    assert_eq!(credential(&home, "fill", HERE).expect(128).stdout, "");
}

#[test]
fn hostile_requests_are_given_nothing() {
    let (home, _serving) = signed_in();
    let before = home.record();
    let long = format!("{HERE}wwwauth[]={}\n", "x".repeat(70_000));
    for input in [
        b"protocol=https\nhost=git.example.com\0.evil.example\n".as_slice(),
        b"protocol=https\nhost=git.example.com\rhost=evil.example\n",
        b"protocol=https\r\nhost=git.example.com\r\n",
        b"protocol=https\nhost=evil.example\nhost=git.example.com\n",
        b"protocol=https\nhost=git.example.com\nwwwauth[]=\xff\xfe\n",
        b"protocol=https\nhost=git.example.com\nnonsense\n",
        long.as_bytes(),
    ] {
        for operation in ["get", "store", "erase"] {
            let ran = home.run_with_input(&format!("credential git {operation}"), input).expect(2);
            assert_eq!(ran.stdout, "");
            assert!(ran.stderr.starts_with("error: the request of git cannot be understood"), "{ran:?}");
            assert!(!ran.stderr.contains("evil"), "{ran:?}");
        }
    }
    for input in ["", "\n", "\nprotocol=https\nhost=git.example.com\n", "host=git.example.com\n", "protocol=https\n"] {
        let ran = home.run_with_input("credential git get", input.as_bytes()).expect(0);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""), "{input:?}");
    }
    let input = format!("{HERE}future=1\nfuture[]=2\ncapability[]=state\nwwwauth[]=a\nwwwauth[]=b\n=\n");
    assert!(home.run_with_input("credential git get", input.as_bytes()).expect(0).stdout.contains("password="));
    let ran = home.run_with_input("credential git capability", HERE.as_bytes()).expect(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""), "an operation of the future is ignored");
    assert_eq!(home.record(), before);
}

#[test]
fn a_login_is_asked_for_in_words_and_git_goes_on() {
    let home = Home::new();
    fs::write(home.file("config.toml"), HOSTS).unwrap();
    configure(&home, "");
    let next = "!printf 'username=ada\\npassword=from-elsewhere\\n';:";
    Ran::of(git(&home, "config --global --add credential.helper").arg(next).output().unwrap()).expect(0);
    let ran = credential(&home, "fill", HERE).expect(0);
    assert_eq!(value(&ran, "password"), Some("from-elsewhere"));
    assert_eq!(ran.stderr, "error: not logged in\nhelp: run `hallpass login`\n");
    let mistaken = "[hallpass.git]\nhosts = [\"https://git.example.com\"]\n";
    fs::write(home.file("config.toml"), mistaken).unwrap();
    assert!(credential(&home, "fill", HERE).expect(0).stderr.contains("hallpass.git.hosts"));
}

#[cfg(unix)]
#[test]
fn git_finds_the_helper_by_its_name() {
    let (home, _serving) = signed_in();
    std::os::unix::fs::symlink(Path::new(env!("CARGO_BIN_EXE_hallpass")), home.file("git-credential-hallpass"))
        .unwrap();
    Ran::of(git(&home, "config --global credential.helper hallpass").output().unwrap()).expect(0);
    let mut git = git(&home, "credential fill");
    let path = format!("{}:{}", home.path.display(), std::env::var("PATH").unwrap());
    let ran = with_input(
        {
            git.env("PATH", path);
            git
        },
        HERE.as_bytes(),
    )
    .expect(0);
    assert_eq!(value(&ran, "password"), Some(stored(&home).as_str()));
}

#[test]
fn what_cannot_be_replaced_is_said_and_stays() {
    let home = Home::new();
    fs::write(home.file("config.toml"), HOSTS).unwrap();
    home.run_with_input("login --with-api-key", b"sk-test-0123456789abcdefXYZ").expect(0);
    configure(&home, "");
    let given = credential(&home, "fill", HERE).expect(0);
    let before = home.record();
    let refused = credential(&home, "reject", &given.stdout).expect(0);
    assert!(refused.stderr.starts_with("error: the credential was rejected and cannot be renewed\n"), "{refused:?}");
    assert_eq!(home.record(), before);
}

/// Git shows the commands that it starts, with their arguments.
#[test]
fn the_token_is_in_no_argument_and_in_no_word() {
    let (home, serving) = signed_in();
    configure(&home, "");
    let traced = |operation: &str, input: &str| {
        let mut git = git(&home, &format!("credential {operation}"));
        git.env("GIT_TRACE", "1").env("GIT_TRACE_SETUP", "1");
        with_input(git, input.as_bytes()).expect(0)
    };
    let given = traced("fill", &format!("capability[]=authtype\n{HERE}"));
    let refused = traced("reject", &given.stdout);
    for spelling in serving.lock().options().canary_spellings() {
        assert!(!given.stderr.contains(&spelling) && !refused.stderr.contains(&spelling), "{given:?} {refused:?}");
    }
    assert!(given.stderr.contains("credential git get"), "{given:?}");
    assert!(refused.stderr.contains("credential git erase"), "{refused:?}");
    let loud = home.run_with_input("credential git get --verbose", HERE.as_bytes()).expect(0);
    assert!(!loud.stderr.contains(value(&loud, "password").unwrap()), "{loud:?}");
}
