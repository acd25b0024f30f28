//! Several accounts side by side: made, chosen, listed, renamed, imported and removed, by the built program.
#![cfg(all(feature = "tls", unix))]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hallpass::authorization_server::Serving;
use support::{Home, Ran, Way, bare, is_accepted, server, sign_in, with_input};

/// A person with a folder of their own, and a project in it.
struct Person {
    folder: Home,
}

impl Person {
    fn new() -> Self {
        let person = Self { folder: Home::new() };
        fs::create_dir(person.path("project")).unwrap();
        person
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.file(name)
    }

    fn profile(&self, name: &str) -> PathBuf {
        self.path("data/profiles").join(name)
    }

    fn command(&self, line: &str) -> Command {
        let mut command = bare(line);
        command.env("HOME", &self.folder.path).env("HALLPASS_HOME", self.path("data")).env("NO_COLOR", "1");
        command.current_dir(self.path("project"));
        command
    }

    fn run(&self, line: &str) -> Ran {
        Ran::of(self.command(line).stdin(Stdio::null()).output().unwrap())
    }

    fn with_key(&self, line: &str, key: &str) -> Ran {
        with_input(self.command(&format!("{line} login --with-api-key")), key.as_bytes())
    }

    fn sign_in(&self, line: &str, serving: &Serving) -> Ran {
        let line = format!("{line} login --json --provider openai --issuer {} --no-browser", serving.issuer);
        sign_in(self.command(&line), serving, Way::Pasted, "")
    }

    fn token(&self, line: &str) -> String {
        self.run(&format!("{line} token")).expect(0).stdout.trim_end().to_owned()
    }
}

#[track_caller]
fn code(ran: &Ran) -> String {
    ran.json()["error"]["code"].as_str().unwrap().to_owned()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in ["auth.json", "hallpass.json"] {
        let _ = fs::copy(from.join(name), to.join(name));
    }
}

#[test]
fn accounts_stand_side_by_side_and_each_has_a_home_of_its_own() {
    let person = Person::new();
    person.with_key("", "sk-default").expect(0);
    person.with_key("--profile work", "sk-work").expect(0);
    assert_eq!((person.token(""), person.token("--profile work")), ("sk-default".into(), "sk-work".into()));
    let mode = fs::metadata(person.profile("work")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700);
    assert_eq!(person.run("--profile work status --json").json()["profile"], "work");
    assert_eq!(person.run("status --json").json()["profile"], "default");
    let list = person.run("profiles --json").expect(0).json();
    let names: Vec<_> = list["profiles"].as_array().unwrap().iter().map(|entry| &entry["name"]).collect();
    assert_eq!(names, ["default", "work"]);
    assert_eq!((&list["profiles"][0]["active"], &list["profiles"][1]["active"]), (&true.into(), &false.into()));
    assert_eq!(list["profiles"][1]["method"], "apikey");
    let said = person.run("profiles list").expect(0).stdout;
    assert_eq!(said, "* default  Logged in with an API key\n  work     Logged in with an API key\n");
    assert!(!list.to_string().contains("sk-") && !said.contains("sk-"));
}

#[test]
fn the_strongest_choice_wins() {
    let person = Person::new();
    for (line, key) in [("", "sk-default"), ("--profile a", "sk-a"), ("--profile b", "sk-b"), ("--profile c", "sk-c")] {
        person.with_key(line, key).expect(0);
    }
    assert_eq!(person.token(""), "sk-default");
    person.run("profiles use a").expect(0);
    assert_eq!(person.token(""), "sk-a");
    fs::write(person.path("project/.hallpass.toml"), "profile = \"b\"\n").unwrap();
    let ran = person.run("token").expect(0);
    assert_eq!(ran.stdout, "sk-b\n");
    assert!(ran.stderr.contains("using the profile b, which") && ran.stderr.contains(".hallpass.toml"), "{ran:?}");
    assert_eq!(person.run("--quiet token").expect(0).stderr, "");
    assert_eq!(person.run("token --json").expect(0).stderr, "");
    let variable = person.command("token").env("CODEX_HOME", person.profile("c")).output().unwrap();
    assert_eq!(Ran::of(variable).expect(0).stdout, "sk-c\n", "what runs under exec stays in its profile");
    let both = person.command("--profile a token").env("CODEX_HOME", person.profile("c")).output().unwrap();
    assert_eq!(Ran::of(both).expect(0).stdout, "sk-a\n");
    assert_eq!(person.token("--profile default"), "sk-default");
    let home = format!("--home {}", person.profile("c").display());
    assert_eq!(person.token(&home), "sk-c");
    assert_eq!(code(&person.run(&format!("{home} --profile a token --json")).expect(2)), "usage");
    let list = person.run("profiles --json").json();
    let active: Vec<_> = list["profiles"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["active"] == true)
        .map(|e| &e["name"])
        .collect();
    assert_eq!(active, ["b"]);
}

#[test]
fn a_hostile_project_neither_redirects_a_login_nor_runs_anything() {
    let person = Person::new();
    person.with_key("", "sk-default").expect(0);
    let ran = person.path("project/ran");
    for text in [
        "profile = \"none\"",
        "[hallpass.providers.openai]\nissuer = \"https://evil.example\"\nclient_id = \"x\"",
        "profile = \"default\"\n[hallpass.exec.variables]\nX = \"access_token\"",
        "home = \"/tmp\"",
        &format!("command = \"touch {}\"", ran.display()),
    ] {
        fs::write(person.path("project/.hallpass.toml"), text).unwrap();
        for line in ["login --with-api-key --json", "token --json", "status --json"] {
            let code = code(&person.run(line).expect(2));
            assert!(matches!(code.as_str(), "invalid_value" | "no_profile"), "{text}: {code}");
        }
    }
    assert!(!person.profile("none").exists(), "a project makes no profile");
    // Whatever a folder holds besides is nobody's business.
    fs::remove_file(person.path("project/.hallpass.toml")).unwrap();
    fs::write(person.path("project/config.toml"), "chatgpt_base_url = \"https://evil.example\"").unwrap();
    fs::create_dir(person.path("project/.codex")).unwrap();
    fs::write(person.path("project/.codex/auth.json"), "{\"OPENAI_API_KEY\":\"sk-evil\"}").unwrap();
    assert_eq!(person.token(""), "sk-default");
    fs::write(person.path("project/.hallpass.toml"), "profile = \"default\"").unwrap();
    fs::set_permissions(person.path("project/.hallpass.toml"), fs::Permissions::from_mode(0o666)).unwrap();
    let warned = person.run("token").expect(0);
    assert!(warned.stderr.contains("passed over") && warned.stderr.contains("everybody"), "{warned:?}");
    assert!(!ran.exists());
}

#[test]
fn a_profile_that_does_not_exist_is_made_by_a_login_only() {
    let person = Person::new();
    for line in ["token", "status", "logout", "profiles use work"] {
        let line = if line.starts_with("profiles") { line.to_owned() } else { format!("--profile work {line} --json") };
        let ran = person.run(&line).expect(2);
        assert!(format!("{ran:?}").contains("there is no profile `work`"), "{ran:?}");
        assert!(format!("{ran:?}").contains("login"), "{ran:?}");
    }
    assert!(!person.path("data").exists());
    assert_eq!(code(&person.run("--profile ../x token --json").expect(2)), "invalid_value");
    assert_eq!(code(&person.run("--profile ../x login --with-api-key --json").expect(2)), "invalid_value");
}

#[test]
fn a_renamed_profile_keeps_its_session() {
    let (person, serving) = (Person::new(), server());
    person.sign_in("--profile work", &serving).expect(0);
    let before = person.token("--profile work");
    person.run("profiles use work").expect(0);
    person.run("profiles rename work job").expect(0);
    assert_eq!(person.token(""), before, "it is still the one in use");
    let after = person.run("--profile job token --refresh").expect(0).stdout;
    assert_ne!(after.trim_end(), before);
    assert!(is_accepted(&serving, after.trim_end()));
    assert_eq!(code(&person.run("--profile work token --json").expect(2)), "no_profile");
    // The same folder under a name that nobody gave it is a copy.
    copy(&person.profile("job"), &person.profile("copy"));
    assert_eq!(code(&person.run("--profile copy token --refresh --json").expect(1)), "copied_home");
    person.run("profiles rename copy copy2").expect(0);
    assert_eq!(code(&person.run("--profile copy2 token --refresh --json").expect(1)), "copied_home");
}

#[test]
fn removing_signs_out_asks_first_and_follows_no_link() {
    let (person, serving) = (Person::new(), server());
    fs::create_dir_all(person.path(".codex/sessions")).unwrap();
    fs::write(person.path(".codex/sessions/one"), "1").unwrap();
    person.sign_in("--profile work", &serving).expect(0);
    assert!(person.profile("work").join("sessions").is_symlink());
    let token = person.token("--profile work");
    let ran = person.run("profiles remove work").expect(2);
    assert!(ran.stderr.contains("--yes"), "{ran:?}");
    assert!(is_accepted(&serving, &token));
    person.run("profiles remove work --yes").expect(0);
    assert!(!person.profile("work").exists());
    assert!(serving.lock().families().all(|family| family.revoked.is_some()), "the session is revoked");
    assert_eq!(fs::read_to_string(person.path(".codex/sessions/one")).unwrap(), "1");
    person.run("profiles remove default --yes").expect(2);
    person.run("profiles remove work --yes").expect(2);
}

#[test]
fn an_imported_home_stays_where_it_is_and_is_used_there() {
    let (person, serving) = (Person::new(), server());
    let elsewhere = person.path(".codex-old");
    let home = format!("--home {}", elsewhere.display());
    person.sign_in(&home, &serving).expect(0);
    let before = fs::read(elsewhere.join("auth.json")).unwrap();
    person.run(&format!("import {}", elsewhere.display())).expect(0);
    assert_eq!(fs::read(elsewhere.join("auth.json")).unwrap(), before);
    assert_eq!(person.token("--profile codex-old"), person.token(&home));
    let refreshed = person.run("--profile codex-old token --refresh").expect(0).stdout;
    assert_eq!(person.token(&home), refreshed.trim_end(), "it is one home, and one session");
    assert_eq!(person.run(&format!("{home} status --json")).json()["profile"], "codex-old");
    person.run(&format!("import {} --as again", elsewhere.display())).expect(2);
    person.run("profiles remove codex-old").expect(0);
    assert!(elsewhere.join("auth.json").exists());
}

#[test]
fn a_home_with_a_session_that_a_profile_has_is_not_imported() {
    let (person, serving) = (Person::new(), server());
    person.sign_in("--profile work", &serving).expect(0);
    // A copy that says so, and one that does not.
    let (marked, bare) = (person.path("marked"), person.path("bare"));
    copy(&person.profile("work"), &marked);
    fs::create_dir(&bare).unwrap();
    fs::copy(person.profile("work").join("auth.json"), bare.join("auth.json")).unwrap();
    let import = |path: &Path| person.run(&format!("import {}", path.display()));
    let ran = import(&marked).expect(1);
    assert!(ran.stderr.contains("this home is a copy"), "{ran:?}");
    let ran = import(&bare).expect(2);
    // Nor where a variable wins over both of them.
    let mut command = person.command(&format!("import {}", bare.display()));
    command.env("CODEX_API_KEY", "sk-variable");
    assert!(with_input(command, b"").expect(2).stderr.contains("holds the session of"));
    let mut command = person.command("profiles");
    command.env("CODEX_API_KEY", "sk-variable");
    assert!(with_input(command, b"").expect(0).stdout.contains("Logged in with ChatGPT"));
    assert!(ran.stderr.contains("the session of the profile `work`") && ran.stderr.contains("help: "), "{ran:?}");
    // It is the same session, however often one of them was refreshed.
    person.run("--profile work token --refresh").expect(0);
    import(&bare).expect(2);
    assert!(!person.profile("bare").exists() && !person.profile("marked").exists());
    import(&person.path("nowhere")).expect(2);
}

#[test]
fn configuration_is_shared_and_credentials_are_not() {
    let (person, serving) = (Person::new(), server());
    fs::create_dir(person.path(".codex")).unwrap();
    let provider = format!("[hallpass.providers.acme]\nissuer = \"{}\"\nclient_id = \"hallpass\"\n", serving.issuer);
    fs::write(person.path(".codex/config.toml"), provider).unwrap();
    let line = "--profile work login --json --provider acme --no-browser";
    sign_in(person.command(line), &serving, Way::Redirected, "").expect(0);
    assert!(person.profile("work").join("config.toml").is_symlink());
    assert!(!person.profile("work").join("auth.json").is_symlink() && !person.path(".codex/auth.json").exists());
    assert_eq!(person.run("--profile work status --json").expect(0).json()["provider"], "acme");
}

#[test]
fn a_logout_of_all_ends_every_session_and_goes_on_where_one_cannot_be_ended() {
    let (person, serving) = (Person::new(), server());
    person.sign_in("", &serving).expect(0);
    person.sign_in("--profile work", &serving).expect(0);
    person.with_key("--profile broken", "sk-broken").expect(0);
    person.with_key("--profile key", "sk-key").expect(0);
    fs::write(person.profile("broken").join("config.toml"), "x = \"sk-canary").unwrap();
    let elsewhere = person.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let with_home = |line: &str| {
        let mut command = person.command(line);
        command.env("CODEX_HOME", &elsewhere);
        command
    };
    with_input(with_home("login --with-api-key"), b"sk-elsewhere").expect(0);
    let tokens = [person.token("--profile default"), person.token("--profile work")];
    assert!(tokens.iter().all(|token| is_accepted(&serving, token)));
    assert_eq!(code(&person.run("logout --all --profile work --json").expect(2)), "usage");
    let ran = with_input(with_home("logout --all --json"), b"").expect(2);
    let answer = ran.json();
    assert_eq!(answer["logged_out"], false);
    let seen: Vec<_> = answer["homes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|home| (home["profile"].as_str(), home["was_logged_in"].as_bool(), home["revocation"].as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            (Some("default"), Some(true), Some("revoked")),
            (Some("broken"), None, None),
            (Some("key"), Some(true), Some("not_needed")),
            (Some("work"), Some(true), Some("revoked")),
            (None, Some(true), Some("not_needed")),
        ]
    );
    assert_eq!(answer["homes"][1]["error"]["code"], "invalid_value");
    assert!(tokens.iter().all(|token| !is_accepted(&serving, token)));
    assert!(!elsewhere.join("auth.json").exists() && !person.profile("key").join("auth.json").exists());
    assert!(!ran.stdout.contains("canary") && person.profile("broken").join("auth.json").exists());
    fs::remove_file(person.profile("broken").join("config.toml")).unwrap();
    let said = person.run("logout --all").expect(0).stderr;
    assert!(said.contains("broken: Logged out.\n") && said.contains("work: Nobody was logged in.\n"), "{said}");
    assert!(!person.profile("broken").join("auth.json").exists());
}
