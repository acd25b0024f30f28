#![cfg(unix)]

use super::project::Found;
use super::*;
use hallpass_core::Secret;

/// A person's folder, gone when the test ends.
struct Person(PathBuf);

impl Person {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("hallpass-profiles-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(fs::canonicalize(path).unwrap())
    }

    fn profiles(&self) -> Profiles {
        Profiles { folder: self.0.join("data"), usual: self.0.join(".codex") }
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

#[track_caller]
fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.unwrap_err().code()
}

#[test]
fn a_profile_is_made_listed_used_renamed_and_removed() {
    let person = Person::new("life");
    let profiles = person.profiles();
    assert_eq!(profiles.names().unwrap(), [Name::default()]);
    assert_eq!(code(profiles.home(&name("work"))), "no_profile");
    let home = profiles.make(&name("work")).unwrap();
    assert_eq!(profiles.make(&name("work")).unwrap(), home);
    assert_eq!(profiles.named(&home), Some(name("work")));
    assert!(profiles.is_own(&home) && !profiles.is_own(profiles.usual()));
    profiles.set_used(&name("work")).unwrap();
    assert_eq!(code(profiles.set_used(&name("play"))), "no_profile");
    profiles.rename(&name("work"), &name("job")).unwrap();
    assert_eq!(profiles.names().unwrap(), [Name::default(), name("job")]);
    assert_eq!(project::read(&profiles.used_file()).unwrap(), Some(name("job")));
    profiles.remove(&name("job")).unwrap();
    assert_eq!(profiles.names().unwrap(), [Name::default()]);
    assert_eq!(project::read(&profiles.used_file()).unwrap(), None);
    assert_eq!(code(profiles.remove(&name("job"))), "no_profile");
}

#[test]
fn the_default_profile_keeps_its_name_and_its_place() {
    let person = Person::new("default");
    let profiles = person.profiles();
    profiles.make(&name("work")).unwrap();
    assert_eq!(profiles.home(&Name::default()).unwrap(), profiles.usual());
    for result in [
        profiles.rename(&Name::default(), &name("x")),
        profiles.rename(&name("work"), &Name::default()),
        profiles.remove(&Name::default()),
    ] {
        assert_eq!(code(result), "not_applicable");
    }
}

#[test]
fn a_name_that_is_taken_is_not_given_twice() {
    let person = Person::new("taken");
    let profiles = person.profiles();
    profiles.make(&name("a")).unwrap();
    profiles.make(&name("b")).unwrap();
    assert_eq!(code(profiles.rename(&name("a"), &name("b"))), "profile_exists");
    assert_eq!(code(profiles.rename(&name("c"), &name("d"))), "no_profile");
    assert!(profiles.home(&name("a")).is_ok() && profiles.home(&name("b")).is_ok());
}

#[test]
fn an_imported_home_stays_where_it_is() {
    let person = Person::new("imported");
    let profiles = person.profiles();
    let home = person.0.join("elsewhere");
    fs::create_dir(&home).unwrap();
    fs::write(home.join("auth.json"), "{}").unwrap();
    profiles.adopt(&home, &name("old")).unwrap();
    assert_eq!(
        profiles.profile(&name("old")).unwrap(),
        Profile { name: name("old"), home: home.clone(), is_imported: true }
    );
    assert_eq!(code(profiles.adopt(&home, &name("again"))), "profile_exists");
    profiles.rename(&name("old"), &name("new")).unwrap();
    assert_eq!(profiles.home(&name("new")).unwrap(), home);
    profiles.remove(&name("new")).unwrap();
    assert_eq!(fs::read_to_string(home.join("auth.json")).unwrap(), "{}");
}

#[test]
fn removing_follows_no_link() {
    let person = Person::new("links");
    let profiles = person.profiles();
    let home = profiles.make(&name("work")).unwrap();
    let outside = person.0.join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("kept"), "x").unwrap();
    std::os::unix::fs::symlink(&outside, home.join("sessions")).unwrap();
    std::os::unix::fs::symlink(outside.join("kept"), home.join("config.toml")).unwrap();
    profiles.remove(&name("work")).unwrap();
    assert!(!home.exists() && outside.join("kept").exists());
}

/// What is beside the record of a home that was settled at a path.
fn sidecar(home: &Path) -> Secret {
    let text = serde_json::json!({"version": 1, "home": home::identity(home), "salt": "s", "spent": [], "dead": []});
    Secret::new(text.to_string())
}

#[test]
fn a_renamed_home_is_known_by_its_new_path_and_a_rename_that_was_interrupted_goes_on() {
    let person = Person::new("moved");
    let profiles = person.profiles();
    let old = profiles.make(&name("old")).unwrap();
    let path = |home: &Path| {
        let text = fs::read_to_string(home.join("hallpass.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["home"]["path"].as_str().unwrap().to_owned()
    };
    fs::write(old.join("hallpass.json"), sidecar(&old).expose()).unwrap();
    profiles.rename(&name("old"), &name("new")).unwrap();
    let new = profiles.home(&name("new")).unwrap();
    assert_eq!(path(&new), new.display().to_string());
    // Died after the folder had its new name.
    let third = new.with_file_name("third");
    let begun = hallpass_core::Move::begin(Some(&sidecar(&new)), None, &home::identity(&new), &home::identity(&third));
    fs::write(new.join("hallpass.json"), begun.unwrap().announcement().unwrap().expose()).unwrap();
    fs::rename(&new, &third).unwrap();
    profiles.rename(&name("new"), &name("third")).unwrap();
    assert_eq!(path(&third), third.display().to_string());
    assert_eq!(code(profiles.rename(&name("new"), &name("third"))), "no_profile");
}

#[test]
fn the_nearest_project_file_chooses_and_can_say_nothing_but_a_name() {
    let person = Person::new("project");
    let inner = person.0.join("src/deep");
    fs::create_dir_all(&inner).unwrap();
    let file = person.0.join("src/.hallpass.toml");
    let find = |above: Option<&Path>| project::find(&inner, above);
    assert_eq!(find(Some(&person.0)).unwrap(), None);
    fs::write(&file, "profile = \"work\"\n").unwrap();
    assert_eq!(find(Some(&person.0)).unwrap(), Some(Found::Profile(name("work"), file.clone())));
    assert_eq!(find(Some(&person.0.join("src"))).unwrap(), None, "not in the person's own folder");
    for (text, expected) in [
        ("profile = \"work\"\n[hallpass.providers.openai]\nissuer = \"https://evil.example\"", "`hallpass`"),
        ("home = \"/tmp/evil\"", "`home`"),
        ("profile = \"work\"\nexec = \"evil\"", "`exec`"),
        ("profile = \"../../tmp/evil\"", "no name"),
        ("profile = 1", "no `profile"),
        ("", "no `profile"),
        ("profile = \"sk-canary", ".hallpass.toml"),
    ] {
        fs::write(&file, text).unwrap();
        let error = find(Some(&person.0)).unwrap_err();
        assert_eq!(error.code(), "invalid_value", "{text}");
        assert!(error.to_string().contains(expected) && !error.to_string().contains("evil"), "{text}: {error}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}

#[test]
fn a_project_file_that_others_can_write_or_that_is_no_file_is_passed_over() {
    use std::os::unix::fs::PermissionsExt as _;
    let person = Person::new("refused");
    let file = person.0.join(".hallpass.toml");
    let refused = || matches!(project::find(&person.0, None).unwrap(), Some(Found::Refused(_)));
    fs::write(&file, "profile = \"work\"\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(refused());
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &file).unwrap();
    assert!(refused());
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(refused());
    fs::remove_dir(&file).unwrap();
    fs::write(&file, "#".repeat(5000)).unwrap();
    assert!(refused());
}
