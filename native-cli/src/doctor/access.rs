//! Who may read and write what lies in the home, and the folders above it.

#[cfg(not(unix))]
use super::{Case, Finding, Group};

/// Windows keeps access lists, which the store sets; no mode is there to be looked at.
#[cfg(not(unix))]
pub(super) fn check(case: &Case) -> Vec<Finding> {
    case.home.iter().map(|home| Group::Home.ok("home", format!("the home is {}", home.display()))).collect()
}

#[cfg(unix)]
pub(super) use unix::check;

#[cfg(unix)]
mod unix {
    use std::fs::Metadata;
    use std::os::unix::fs::MetadataExt;
    use std::path::{Path, PathBuf};

    use super::super::{Case, Finding, Group, quoted};

    /// What a path is to us, and so what others may do with it.
    #[derive(Clone, Copy, Debug, Eq, PartialEq)]
    enum Role {
        Home,
        /// A folder that the home lies in.
        Above,
        /// For the owner's eyes only.
        Secret,
        /// May be read by others, and written by nobody else.
        Public,
    }

    const FILES: [(&str, Role); 11] = [
        ("auth.json", Role::Secret),
        ("auth.json.corrupt", Role::Secret),
        ("hallpass.parked", Role::Secret),
        ("hallpass.client.json", Role::Secret),
        ("hallpass.proof.pem", Role::Secret),
        ("secrets/codex_auth.age", Role::Public),
        ("hallpass.json", Role::Public),
        ("hallpass.lock", Role::Public),
        ("auth.lock", Role::Public),
        ("auth.json.lock", Role::Public),
        ("config.toml", Role::Public),
    ];

    /// What is known of a path.
    #[derive(Clone, Debug)]
    struct Facts {
        path: PathBuf,
        role: Role,
        is_as_expected: bool,
        mode: u32,
        owner: u32,
        links: u64,
    }

    impl Facts {
        fn of(path: PathBuf, role: Role, found: &Metadata) -> Self {
            let is_as_expected = match role {
                Role::Home | Role::Above => found.is_dir(),
                Role::Secret | Role::Public => found.is_file(),
            };
            let (mode, owner, links) = (found.mode() & 0o7777, found.uid(), found.nlink());
            Self { path, role, is_as_expected, mode, owner, links }
        }
    }

    pub(in super::super) fn check(case: &Case) -> Vec<Finding> {
        let Some(home) = &case.home else { return Vec::new() };
        let Ok(found) = home.metadata() else {
            let message = format!("the home {} does not exist yet", home.display());
            return vec![Group::Home.note("home_missing", message, "run `hallpass login`, which makes it")];
        };
        let mut facts = vec![Facts::of(home.clone(), Role::Home, &found)];
        let above = home.ancestors().skip(1).filter_map(|path| Some((path, path.metadata().ok()?)));
        facts.extend(above.map(|(path, found)| Facts::of(path.to_owned(), Role::Above, &found)));
        for (name, role) in FILES {
            let path = home.join(name);
            // A link counts as what it leads to: so it does for those who read it.
            facts.extend(path.metadata().ok().map(|found| Facts::of(path.clone(), role, &found)));
        }
        let findings = judge(&facts, rustix::process::geteuid().as_raw());
        if findings.is_empty() {
            return vec![Group::Home.ok("home", format!("{} is its owner's alone", home.display()))];
        }
        findings
    }

    fn judge(facts: &[Facts], user: u32) -> Vec<Finding> {
        facts.iter().filter_map(|facts| judge_one(facts, user)).collect()
    }

    /// The worst of what is wrong with a path.
    fn judge_one(facts: &Facts, user: u32) -> Option<Finding> {
        let (shown, typed) = (facts.path.display(), quoted(&facts.path));
        let may_others = |bits: u32| facts.mode & bits != 0;
        if !facts.is_as_expected {
            let kind = if facts.role == Role::Home { "folder" } else { "regular file" };
            let help = format!("move it away: `mv {typed} {}`", quoted(&with_suffix(&facts.path)));
            return Some(Group::Home.problem("not_a_file", format!("{shown} is no {kind}"), &help));
        }
        if facts.owner != user && facts.role != Role::Above && user != 0 {
            let message = format!("{shown} belongs to another user (uid {})", facts.owner);
            return Some(Group::Home.problem("foreign_owner", message, &format!("run `sudo chown {user} {typed}`")));
        }
        match facts.role {
            // Where the sticky bit is set, as it is in /tmp, nobody can take away what another has made.
            Role::Above if may_others(0o002) && !may_others(0o1000) => Some(Group::Home.problem(
                "folder_writable",
                format!("anybody can put another folder in the place of the home, in {shown}"),
                &format!("run `chmod o-w {typed}`"),
            )),
            Role::Home if may_others(0o022) => Some(Group::Home.problem(
                "folder_writable",
                format!("other users can write in {shown} (mode {:04o})", facts.mode),
                &format!("run `chmod 700 {typed}`"),
            )),
            Role::Home if may_others(0o055) => Some(Group::Home.note(
                "folder_readable",
                format!(
                    "other users can see what {shown} holds, though not read the credentials (mode {:04o})",
                    facts.mode
                ),
                &format!("run `chmod 700 {typed}`"),
            )),
            Role::Secret if may_others(0o077) => Some(Group::Home.problem(
                "file_readable",
                format!("other users can read {shown} (mode {:04o})", facts.mode),
                &format!("run `chmod 600 {typed}`, and sign in again if they may have done so"),
            )),
            Role::Public if may_others(0o022) => Some(Group::Home.problem(
                "file_writable",
                format!("other users can write to {shown} (mode {:04o})", facts.mode),
                &format!("run `chmod go-w {typed}`"),
            )),
            Role::Secret if !may_others(0o200) => Some(Group::Home.problem(
                "file_read_only",
                format!("{shown} is read-only, so that no refresh can be saved"),
                &format!("run `chmod 600 {typed}`"),
            )),
            Role::Secret if facts.links > 1 => Some(Group::Home.problem(
                "hard_link",
                format!("{shown} has a second name (a hard link), so that it cannot be replaced"),
                &format!("run `cp -p {typed} {0} && mv {0} {typed}`", quoted(&with_suffix(&facts.path))),
            )),
            _ => None,
        }
    }

    fn with_suffix(path: &Path) -> PathBuf {
        let mut name = path.as_os_str().to_owned();
        name.push(".old");
        name.into()
    }

    #[cfg(test)]
    mod tests {
        use super::super::super::tests::codes;
        use super::*;

        #[test]
        fn modes_and_owners_are_judged_by_what_a_path_is_for() {
            let facts = |role, mode, owner| Facts {
                path: "/home/u/x y".into(),
                role,
                is_as_expected: true,
                mode,
                owner,
                links: 1,
            };
            for (facts, expected) in [
                (facts(Role::Home, 0o700, 1000), None),
                (facts(Role::Home, 0o755, 1000), Some("folder_readable")),
                (facts(Role::Home, 0o770, 1000), Some("folder_writable")),
                (facts(Role::Above, 0o755, 0), None),
                (facts(Role::Above, 0o1777, 0), None),
                (facts(Role::Above, 0o777, 0), Some("folder_writable")),
                (facts(Role::Secret, 0o600, 1000), None),
                (facts(Role::Secret, 0o640, 1000), Some("file_readable")),
                (facts(Role::Secret, 0o400, 1000), Some("file_read_only")),
                (facts(Role::Secret, 0o600, 1001), Some("foreign_owner")),
                (facts(Role::Secret, 0o600, 0), Some("foreign_owner")),
                (facts(Role::Public, 0o644, 1000), None),
                (facts(Role::Public, 0o664, 1000), Some("file_writable")),
                (Facts { links: 2, ..facts(Role::Secret, 0o600, 1000) }, Some("hard_link")),
                (Facts { is_as_expected: false, ..facts(Role::Secret, 0o600, 1000) }, Some("not_a_file")),
            ] {
                let found = judge(std::slice::from_ref(&facts), 1000);
                assert_eq!(codes(&found).first().copied(), expected, "{facts:?}");
                assert!(
                    found.iter().all(|finding| finding
                        .report
                        .help
                        .as_ref()
                        .is_some_and(|help| help.contains("'/home/u/x y")))
                );
            }
            assert!(judge(&[facts(Role::Secret, 0o600, 1000)], 0).is_empty(), "root works on the homes of others");
        }
    }
}
