//! The administrator's `requirements.toml`: when it counts, when nothing does, and that nobody gets around it.
#![cfg(all(feature = "tls", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use support::{Home, Ran};

const RECORD: &str = include_str!("vectors/auth.apikey.json");
const CHATGPT_ONLY: &str = "allowed_login_methods = [\"chatgpt\"]\n";

/// A root folder of its own, in which `/etc` holds nothing but `codex/requirements.toml`, and all else is as outside.
/// Whoever runs this is root in it. `$root` and `$file` are for the preparation.
const ROOT: &str = r#"
set -e
umask 022
mount -t tmpfs -o mode=755 none "$root"
for entry in /*; do
    name=${entry#/}
    if [ "$name" = etc ]; then mkdir "$root/etc"
    elif [ -L "$entry" ]; then cp -P "$entry" "$root/"
    elif [ -d "$entry" ]; then mkdir "$root/$name"; mount --rbind "$entry" "$root/$name"
    fi
done
mkdir "$root/etc/codex"
file="$root/etc/codex/requirements.toml"
printf '%s' "$requirements" > "$file"
"#;

struct Machine {
    home: Home,
    requirements: String,
    preparation: String,
    variables: Vec<(&'static str, String)>,
}

impl Machine {
    /// A machine with this managed file, after a preparation of its root folder, and an API key in the home.
    fn new(requirements: &str, preparation: &str) -> Self {
        let home = Home::new();
        fs::write(home.file("auth.json"), RECORD).unwrap();
        let (requirements, preparation) = (requirements.to_owned(), preparation.to_owned());
        Self { home, requirements, preparation, variables: Vec::new() }
    }

    fn run(&self, line: &str) -> Ran {
        let root = self.home.path.with_extension("root");
        fs::create_dir_all(&root).unwrap();
        let program = self.home.command(line);
        let mut command = Command::new("unshare");
        let namespaces = if rustix::process::geteuid().is_root() { "-m" } else { "-mUr" };
        let script = format!(
            "{ROOT}\n{}\ncd \"$CODEX_HOME\"\nexec chroot \"$root\" sh -c 'cd \"$CODEX_HOME\"; exec \"$0\" \"$@\"' \"$0\" \"$@\"",
            self.preparation
        );
        command.args([namespaces, "sh", "-c", &script]);
        command.arg(program.get_program()).args(program.get_args()).env_clear();
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.env("root", &root).env("requirements", &self.requirements).stdin(Stdio::null());
        let ran = Ran::of(command.output().unwrap());
        fs::remove_dir(root).unwrap();
        ran
    }

    #[track_caller]
    fn fails(&self, line: &str, exit: i32, code: &str) -> Ran {
        let ran = self.run(line).expect(exit);
        assert_eq!(ran.json()["error"]["code"], code, "{ran:?}");
        ran
    }
}

#[test]
fn without_requirements_everything_is_permitted() {
    for (requirements, preparation) in [
        ("", ""),
        ("", "rm -r \"$root/etc/codex\""),
        ("", "rm \"$file\""),
        ("allowed_approval_policies = [\"never\"]\n[rules]\nx = 1\n[hallpass]\n", ""),
        ("allowed_login_methods = [\"api\", \"chatgpt\"]", ""),
    ] {
        let ran = Machine::new(requirements, preparation).run("token").expect(0);
        assert_eq!(ran.stdout.trim_end(), "sk-test-0123456789abcdefXYZ", "{ran:?}");
    }
}

#[test]
fn a_credential_that_is_forbidden_is_not_used_and_not_deleted() {
    let machine = Machine::new(CHATGPT_ONLY, "");
    machine.fails("token --json", 3, "method_forbidden");
    let ran = machine.run("credential kubectl").expect(3);
    assert!(ran.stderr.contains("API key login is disabled by policy"), "{ran:?}");
    let ran = machine.run("status").expect(1);
    assert!(ran.stderr.contains("API key login is disabled") && ran.stderr.contains("not logged in"), "{ran:?}");
    let status = machine.run("status --json").expect(1).json();
    assert_eq!((&status["logged_in"], &status["warnings"][0]["code"]), (&false.into(), &"method_forbidden".into()));
    assert_eq!(machine.home.record(), RECORD);
    // A logout is always permitted.
    machine.run("logout").expect(0);
}

#[test]
fn a_login_that_is_forbidden_asks_for_nothing() {
    let machine = Machine::new(CHATGPT_ONLY, "");
    let ran = machine.run("login --with-api-key").expect(3);
    assert!(!ran.stderr.contains("Reading the"), "{ran:?}");
    assert!(ran.stderr.contains("error: API key login is disabled by policy\nhelp: run `hallpass login`"), "{ran:?}");
    assert_eq!(machine.home.record(), RECORD);
    let machine = Machine::new("allowed_login_methods = [\"api\"]", "");
    for line in ["login --json --no-browser", "login --json --device-auth", "login --json --with-access-token"] {
        let ran = machine.run(line).expect(3);
        assert!(ran.stdout.contains("\"method_forbidden\""), "{ran:?}");
    }
    let machine = Machine::new("allowed_login_methods = [\"api\"]\n[hallpass]\nallowed_stores = [\"keyring\"]", "");
    machine.fails("token --json", 3, "store_forbidden");
    let ran = machine.run("login --json --with-api-key --store file").expect(3);
    assert!(ran.stdout.contains("\"store_forbidden\""), "{ran:?}");
    let machine = Machine::new("[hallpass]\nallowed_issuers = [\"https://id.example.com\"]", "");
    let ran = machine.run("login --json --no-browser").expect(3);
    assert!(ran.stdout.contains("\"issuer_forbidden\""), "{ran:?}");
}

/// Requirements, and what is done to them; each time nothing is permitted.
const UNUSABLE: [(&str, &str, &str); 20] = [
    ("allowed_login_methods = [\"sk-secret", "", "requirements.toml:1: "),
    ("a = 1\nallowed_login_methods = \"sk-secret\"", "", "requirements.toml:2: allowed_login_methods: "),
    ("allowed_chatgpt_workspaces = 1", "", "requirements.toml:1: allowed_chatgpt_workspaces: "),
    ("[hallpass]\nforbid_plaintxt = true", "", "requirements.toml:2: hallpass.forbid_plaintxt: "),
    ("[hallpass]\nrefresh_window = 1", "", "requirements.toml:2: hallpass.refresh_window: "),
    ("hallpass = 1", "", "requirements.toml:1: hallpass: "),
    ("[hallpass]\nforbid_plaintext = \"true\"", "", "requirements.toml:2: hallpass.forbid_plaintext: "),
    ("a = 1\na = 2", "", "requirements.toml:2: "),
    ("", "printf '\\377\\376' > \"$file\"", "it is not UTF-8"),
    ("", "head -c 1048577 /dev/zero | tr '\\0' '#' > \"$file\"", "it is larger than 1 MiB"),
    ("", "rm \"$file\"; mkdir \"$file\"", "it is not a regular file"),
    ("", "rm \"$file\"; mkfifo \"$file\"", "it is not a regular file"),
    ("", "chmod 666 \"$file\"", "requirements.toml can be written by others than root"),
    ("", "chmod 664 \"$file\"", "requirements.toml can be written by others than root"),
    ("", "chmod 777 \"$root/etc/codex\"", "/etc/codex can be written by others than root"),
    ("", "chmod 1777 \"$root/etc\"", "/etc can be written by others than root"),
    ("", "chown 1 \"$file\" || mount --bind /usr/bin/env \"$file\"", "belongs to another user than root"),
    ("", "rm \"$file\"; ln -s /nonexistent \"$file\"", "/nonexistent: "),
    (
        "",
        "mv \"$file\" \"$CODEX_HOME/theirs\"; ln -s \"$CODEX_HOME/theirs\" \"$file\"",
        "can be written by others than root",
    ),
    ("", "rm \"$file\"; chmod 777 \"$root/etc/codex\"", "others than root could have removed it"),
];

#[test]
fn requirements_that_do_not_count_permit_nothing() {
    for (requirements, preparation, expected) in UNUSABLE {
        let machine = Machine::new(requirements, preparation);
        let ran = machine.fails("token --json", 3, "requirements_unusable");
        let message = ran.json()["error"]["message"].to_string();
        assert!(
            message.contains(expected) && message.contains("/etc/codex/requirements.toml"),
            "{expected}: {message}"
        );
        assert!(!message.contains("sk-secret"), "{message}");
    }
    let machine = Machine::new("hallpass = 1", "");
    for line in ["status --json", "logout --json", "logout --json --local", "login --json --with-api-key"] {
        let ran = machine.run(line).expect(3);
        assert!(ran.stdout.contains("\"requirements_unusable\""), "{line}: {ran:?}");
    }
    assert_eq!(machine.home.record(), RECORD);
    // Whoever has to find out can.
    assert_eq!(machine.run("explain --json").expect(0).json()["problems"][0]["code"], "requirements_unusable");
    for line in ["--help", "token --help", "--version", "completions bash"] {
        machine.run(line).expect(0);
    }
}

#[test]
fn links_of_root_are_followed() {
    let preparation = "mkdir -p \"$root/etc/managed\"; mv \"$file\" \"$root/etc/managed/policy.toml\"; \
                       ln -s policy.toml \"$root/etc/managed/current\"; ln -s ../managed/current \"$file\"";
    Machine::new(CHATGPT_ONLY, preparation).fails("token --json", 3, "method_forbidden");
}

#[test]
fn nobody_gets_around_them() {
    let mut machine = Machine::new(CHATGPT_ONLY, "");
    // What a person, or a folder that they have cloned, can say.
    let permissive = "allowed_login_methods = [\"api\"]\nforced_login_method = \"api\"\n\
                      policy = { login_methods = [\"api\"] }\n[hallpass]\nallowed_stores = [\"file\"]\n";
    fs::create_dir(machine.home.file(".codex")).unwrap();
    for name in ["config.toml", "requirements.toml", ".codex/config.toml", ".codex/requirements.toml"] {
        fs::write(machine.home.file(name), permissive).unwrap();
    }
    for name in ["HALLPASS_REQUIREMENTS", "CODEX_REQUIREMENTS", "ProgramData"] {
        machine.variables.push((name, machine.home.file("requirements.toml").display().to_string()));
    }
    for arguments in [
        "",
        "-c allowed_login_methods=[\"api\"]",
        "-c policy.login_methods=[\"api\"]",
        "-c forced_login_method=api",
        "-c hallpass.policy={}",
        "--store ephemeral",
    ] {
        let ran = machine.run(&format!("{arguments} token --json"));
        assert!(matches!(ran.code, Some(3 | 1)) && ran.json().get("access_token").is_none(), "{arguments}: {ran:?}");
        let ran = machine.run(&format!("{arguments} login --json --with-api-key")).expect(3);
        assert!(ran.stdout.contains("method_forbidden") || ran.stdout.contains("every_method_forbidden"), "{ran:?}");
    }
    assert_eq!(machine.home.record(), RECORD);
}

#[test]
fn endpoint_overrides_can_be_forbidden() {
    let mut machine = Machine::new("[hallpass]\nforbid_endpoint_overrides = true", "");
    machine.run("token").expect(0);
    machine.variables.push(("CODEX_REFRESH_TOKEN_URL_OVERRIDE", "http://127.0.0.1:1/".to_owned()));
    let ran = machine.fails("token --json", 3, "override_forbidden");
    assert_eq!(ran.json()["error"]["help"], "unset CODEX_REFRESH_TOKEN_URL_OVERRIDE");
}

#[test]
fn the_policy_is_explained() {
    let machine = Machine::new(CHATGPT_ONLY, "");
    let explained = machine.run("explain --json").expect(0).json();
    assert_eq!(explained["policy"]["file"], "/etc/codex/requirements.toml");
    assert_eq!(explained["policy"]["login_methods"][0], "chatgpt");
    assert_eq!(explained["credential"]["logged_in"], false);
    let text = machine.run("explain").expect(0).stdout;
    assert!(text.contains("policy      /etc/codex/requirements.toml\n  allowed_login_methods = chatgpt\n"), "{text}");
    assert!(text.contains("it cannot be used: API key login is disabled by policy"), "{text}");
}

#[test]
fn a_folder_that_is_linked_in_is_not_a_way_in() {
    let home = Home::new();
    let theirs = home.file("codex");
    fs::create_dir(&theirs).unwrap();
    symlink(&theirs, home.file("link")).unwrap();
    let path = home.file("link/requirements.toml");
    assert!(
        hallpass::requirements::Requirements::read_from(&path).unwrap().is_none()
            == rustix::process::geteuid().is_root()
    );
    fs::write(&path, "").unwrap();
    let error = hallpass::requirements::Requirements::read_from(&path).unwrap_err();
    assert_eq!(error.code(), "requirements_unusable");
}

#[test]
fn the_doctor_looks_at_the_store_that_a_policy_leaves() {
    let level = |requirements: &str| {
        let machine = Machine::new(requirements, "");
        fs::remove_file(machine.home.file("auth.json")).unwrap();
        let findings = machine.run("doctor --json --offline").json()["findings"].clone();
        let keyring = findings.as_array().unwrap().iter().find(|finding| finding["code"] == "keyring_unavailable");
        keyring.unwrap()["level"].clone()
    };
    assert_eq!(level(""), "note", "the file is used");
    assert_eq!(level("[hallpass]\nforbid_plaintext = true\n"), "problem", "the keyring is, and there is none");
}
