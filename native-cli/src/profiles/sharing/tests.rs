#![cfg(unix)]

use super::*;

/// Two homes that are gone when the test ends.
struct Homes {
    own: PathBuf,
    shared: PathBuf,
}

impl Homes {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("hallpass-sharing-{name}-{}", std::process::id()));
        let homes = Self { own: root.join("own"), shared: root.join("shared") };
        for folder in [&homes.own, &homes.shared] {
            fs::create_dir_all(folder).unwrap();
        }
        homes
    }

    fn sharing(&self) -> Sharing {
        Sharing::new(&self.own, &self.shared, SHARED.map(str::to_owned).to_vec())
    }

    fn share(&self, name: &str, text: &str) {
        fs::write(self.shared.join(name), text).unwrap();
    }

    /// What a tool does that replaces a file by renaming.
    fn replace(&self, name: &str, text: &str) {
        fs::write(self.own.join("temporary"), text).unwrap();
        fs::rename(self.own.join("temporary"), self.own.join(name)).unwrap();
    }

    fn is_linked(&self, name: &str) -> bool {
        fs::read_link(self.own.join(name)).is_ok_and(|to| to == self.shared.join(name))
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.shared.join(name)).unwrap()
    }
}

impl Drop for Homes {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.own.parent().unwrap());
    }
}

#[test]
fn what_is_configured_and_remembered_is_linked_and_nothing_else() {
    let homes = Homes::new("links");
    for name in ["config.toml", "history.jsonl", "auth.json", "auth.lock", "state_5.sqlite", ".credentials.json"] {
        homes.share(name, "x");
    }
    fs::create_dir(homes.shared.join("sessions")).unwrap();
    assert!(homes.sharing().link().is_empty());
    for name in ["config.toml", "history.jsonl", "sessions"] {
        assert!(homes.is_linked(name), "{name}");
    }
    let mut names: Vec<_> = fs::read_dir(&homes.own).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["config.toml", "hallpass.lock", "hallpass.shared.json", "history.jsonl", "sessions"]);
}

#[test]
fn what_a_tool_replaces_by_renaming_reaches_the_shared_place() {
    let homes = Homes::new("renamed");
    homes.share("config.toml", "old");
    let mut sharing = homes.sharing();
    sharing.link();
    homes.replace("config.toml", "new");
    assert!(sharing.settle().is_empty());
    assert!(homes.is_linked("config.toml"));
    assert_eq!(homes.read("config.toml"), "new");
    // The same when nobody was there at the end.
    homes.replace("config.toml", "newer");
    assert!(homes.sharing().link().is_empty());
    assert!(homes.is_linked("config.toml"));
    assert_eq!(homes.read("config.toml"), "newer");
}

#[test]
fn what_was_changed_in_both_places_is_kept_twice_and_said() {
    let homes = Homes::new("both");
    homes.share("config.toml", "old");
    let mut sharing = homes.sharing();
    sharing.link();
    homes.replace("config.toml", "ours");
    homes.share("config.toml", "theirs, longer");
    let reports = sharing.settle();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].code, "shared_twice");
    assert!(homes.is_linked("config.toml"));
    assert_eq!(homes.read("config.toml"), "theirs, longer");
    assert_eq!(fs::read_to_string(homes.own.join("config.toml.kept-1")).unwrap(), "ours");
}

#[test]
fn what_is_made_while_a_tool_runs_is_shared_and_what_was_there_before_is_the_profiles_own() {
    let homes = Homes::new("made");
    fs::write(homes.own.join("AGENTS.md"), "mine").unwrap();
    let mut sharing = homes.sharing();
    sharing.link();
    homes.replace("history.jsonl", "line");
    fs::create_dir_all(homes.own.join("sessions/2026")).unwrap();
    fs::write(homes.own.join("sessions/2026/one"), "1").unwrap();
    assert!(sharing.settle().is_empty());
    assert!(homes.is_linked("history.jsonl") && homes.is_linked("sessions"));
    assert_eq!((homes.read("history.jsonl"), homes.read("sessions/2026/one")), ("line".into(), "1".into()));
    assert!(!homes.is_linked("AGENTS.md") && !homes.shared.join("AGENTS.md").exists());
}

#[test]
fn a_folder_that_takes_the_place_of_a_link_is_merged() {
    let homes = Homes::new("folder");
    fs::create_dir_all(homes.shared.join("sessions/2026")).unwrap();
    homes.share("sessions/2026/one", "1");
    homes.sharing().link();
    fs::remove_file(homes.own.join("sessions")).unwrap();
    fs::create_dir_all(homes.own.join("sessions/2026")).unwrap();
    fs::write(homes.own.join("sessions/2026/two"), "2").unwrap();
    assert!(homes.sharing().link().is_empty());
    assert!(homes.is_linked("sessions"));
    assert_eq!((homes.read("sessions/2026/one"), homes.read("sessions/2026/two")), ("1".into(), "2".into()));
}

#[test]
fn whoever_dies_in_between_loses_nothing() {
    let homes = Homes::new("died");
    homes.share("config.toml", "old");
    homes.sharing().link();
    homes.replace("config.toml", "new");
    fs::rename(homes.own.join("config.toml"), homes.own.join(".config.toml.hallpass-replaced")).unwrap();
    assert!(homes.sharing().link().is_empty());
    assert!(homes.is_linked("config.toml"));
    assert_eq!(homes.read("config.toml"), "new");
    assert!(!homes.own.join(".config.toml.hallpass-replaced").exists());
}

#[test]
fn the_target_of_a_shared_link_is_replaced_and_the_link_is_kept() {
    let homes = Homes::new("dotfiles");
    fs::write(homes.shared.join("elsewhere"), "old").unwrap();
    symlink(&homes.shared.join("elsewhere"), &homes.shared.join("config.toml"), false).unwrap();
    let mut sharing = homes.sharing();
    sharing.link();
    homes.replace("config.toml", "new");
    assert!(sharing.settle().is_empty());
    assert!(homes.shared.join("config.toml").is_symlink());
    assert_eq!(homes.read("elsewhere"), "new");
}

#[test]
fn no_credential_lock_or_database_can_be_shared() {
    for name in SHARED {
        assert!(Sharing::may_share(name), "{name}");
    }
    for name in [
        "",
        "auth.json",
        "AUTH.JSON",
        "auth.lock",
        "auth.json.lock",
        "gateway_oauth.json",
        ".credentials.json",
        "secrets",
        "hallpass.json",
        "state_5.sqlite",
        "state_5.sqlite-wal",
        "a.db",
        "../x",
        "a/b",
        "log",
        "x.lock",
    ] {
        assert!(!Sharing::may_share(name), "{name}");
    }
}
