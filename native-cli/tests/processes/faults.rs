//! Storage that cannot take a new token: it shows before the old one is spent.

use std::os::unix::fs::chown;
use std::process::{Command, Stdio};
use std::time::Duration;

use hallpass::authorization_server::{Endpoint, Fault};

use crate::running::Running;
use crate::stage::{Stage, error_code};
use crate::support::{Home, Ran};

const SOON: Duration = Duration::from_secs(20);
/// A user who is not root: root may write where others may not.
const NOBODY: u32 = 65_534;

/// A home with something wrong: `before` runs as root in a mount namespace of its own, where `$home` is the home and
/// `$out` a folder outside; then the program runs, as this user.
struct Broken {
    before: &'static str,
    user: u32,
    /// How `token --json` fails when the access token has expired.
    code: &'static str,
}

const TMPFS: &str =
    "cp $home/auth.json $out/; mount -t tmpfs -o mode=700,size=256k none $home; cp -p $out/auth.json $home/";

/// Runs a script in a mount namespace of its own, as a user; `$0` is the program, with its environment.
fn script(stage: &Stage, out: &Home, before: &str, user: u32, script: &str) -> Ran {
    let hallpass = stage.home.command("");
    let mut command = Command::new("unshare");
    let namespace = if rustix::process::geteuid().is_root() { "-m" } else { "-mUr" };
    let user = format!("setpriv --reuid {user} --regid {user} --clear-groups");
    let text = format!("set -e\n{before}\nexport home out\nexec {user} sh -c '{script}' \"$0\"");
    command.args([namespace, "sh", "-c", &text]).arg(hallpass.get_program()).env_clear();
    command.envs(hallpass.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("home", &stage.home.path).env("out", &out.path).stdin(Stdio::null());
    Running::start(command).finish(SOON)
}

impl Broken {
    /// How the command ends; the record as it is then.
    fn run(&self, stage: &Stage, arguments: &str) -> (Ran, String) {
        let out = Home::new();
        for path in [&stage.home.path, &stage.home.file("auth.json"), &out.path] {
            chown(path, Some(self.user), Some(self.user)).unwrap();
        }
        let after = format!("code=0; \"$0\" {arguments} || code=$?; cat $home/auth.json >$out/after; exit $code");
        let ran = script(stage, &out, self.before, self.user, &after);
        assert!(out.file("after").exists(), "the fault could not be made: {ran:?}");
        (ran, std::fs::read_to_string(out.file("after")).unwrap())
    }

    /// That nothing is spent: an expired token is an error with a name, one that still works is used.
    fn spends_nothing(&self) {
        let stage = Stage::expired();
        let (ran, after) = self.run(&stage, "token --json");
        assert_eq!((ran.code, error_code(&ran).as_str()), (Some(5), self.code), "{ran:?}");
        assert!(ran.json()["error"]["help"].is_string(), "{ran:?}");
        assert_eq!((stage.requests(), after == stage.before), (0, true), "{}", self.before);

        let stage = Stage::ageing();
        let (ran, after) = self.run(&stage, "token");
        assert_eq!((ran.code, ran.stdout.trim_end()), (Some(0), stage.tokens().access.as_str()), "{ran:?}");
        assert!(ran.stderr.contains("warning: "), "{ran:?}");
        assert_eq!((stage.requests(), after == stage.before), (0, true), "{}", self.before);
    }
}

#[test]
fn a_full_disk() {
    let before = format!("{TMPFS}; head -c 1M /dev/zero >$home/ballast || true");
    Broken { before: before.leak(), user: 0, code: "store_full" }.spends_nothing();
}

#[test]
fn a_disk_with_room_for_less_than_an_answer() {
    let before = format!("{TMPFS}; head -c 200K /dev/zero >$home/ballast");
    Broken { before: before.leak(), user: 0, code: "store_full" }.spends_nothing();
}

#[test]
fn a_disk_without_inodes() {
    let before = format!(
        "{TMPFS}; mount -o remount,nr_inodes=5 $home; \
         touch $home/hallpass.lock $home/auth.lock $home/auth.json.lock; ! touch $home/more"
    );
    Broken { before: before.leak(), user: 0, code: "store_full" }.spends_nothing();
}

#[test]
fn a_read_only_file_system() {
    let before = "mount --bind $home $home; mount -o remount,ro,bind $home";
    Broken { before, user: 0, code: "lock_failed" }.spends_nothing();
    let before = "touch $home/hallpass.lock; mount --bind $home $home; mount -o remount,ro,bind $home";
    Broken { before, user: 0, code: "lock_failed" }.spends_nothing();
}

#[test]
fn a_read_only_file() {
    for user in [0, NOBODY] {
        Broken { before: "chmod 400 $home/auth.json", user, code: "store_read_only" }.spends_nothing();
    }
}

#[test]
fn a_folder_that_others_own() {
    Broken { before: "chmod 555 $home; chown root $home", user: NOBODY, code: "lock_failed" }.spends_nothing();
    let before = "touch $home/hallpass.lock $home/auth.lock $home/auth.json.lock; chown 65534 $home/*; \
                  chmod 555 $home; chown root $home";
    Broken { before, user: NOBODY, code: "store_denied" }.spends_nothing();
}

#[test]
fn a_record_that_is_mounted_by_itself() {
    let before = "cp $home/auth.json $out/; mount --bind $out/auth.json $home/auth.json";
    Broken { before, user: 0, code: "store_busy" }.spends_nothing();
    let before = "mkdir $out/other; mount -t tmpfs none $out/other; cp $home/auth.json $out/other/; \
                  mount --bind $out/other/auth.json $home/auth.json";
    Broken { before, user: 0, code: "store_busy" }.spends_nothing();
}

#[test]
fn a_disk_that_is_full_when_the_answer_comes() {
    let (stage, out) = (Stage::expired(), Home::new());
    stage.serving.lock().inject(Endpoint::Token, Fault::Latency { ms: 1500 });
    let then = "\"$0\" token >$out/first 2>$out/words & \
                until [ -e $home/hallpass.parked ]; do sleep 0.05; done; \
                head -c 1M /dev/zero >$home/ballast 2>$out/filled || true; \
                wait $!; echo $? >$out/code; cat $home/auth.json >$out/after; \
                rm $home/ballast; \"$0\" token; code=$?; cat $home/auth.json >$out/last; exit $code";
    let ran = script(&stage, &out, TMPFS, 0, then).expect(0);
    let read = |name| std::fs::read_to_string(out.file(name)).unwrap();
    assert_eq!(read("code"), "0\n", "{}", read("words"));
    assert!(read("words").contains("not saved"), "{}", read("words"));
    assert_eq!(read("after"), stage.before);
    assert_eq!((stage.requests(), stage.reuses(), stage.revoked()), (1, 0, None));
    assert_eq!(read("first"), ran.stdout, "the next process finds what could not be saved");
    stage.assert_accepted(&ran.stdout);
    assert!(read("last").contains(ran.stdout.trim_end()));
}
