use super::*;
use alloc::format;

fn sidecar() -> Sidecar {
    Sidecar::default().settled(&Home { path: "/home/u/.codex".into(), machine: "m1".into() }, &Seed::new([7; 32]))
}

#[test]
fn it_says_what_it_was_told_and_holds_no_token() {
    let mut sidecar = sidecar();
    let (old, dead, record) = (Secret::new("canary-old"), Secret::new("canary-dead"), Secret::new("canary-record"));
    sidecar.spend(&old);
    sidecar.bury(&dead, LoginRequired::Revoked);
    sidecar.saw(Place::File, Some(&record));
    let text = sidecar.text();
    assert!(!text.expose().contains("canary"), "{}", text.expose());
    let read = Sidecar::parse(&text).unwrap();
    assert_eq!(read, sidecar);
    assert!(read.is_spent(&old) && !read.is_spent(&dead));
    assert_eq!(read.is_dead(&dead), Some(LoginRequired::Revoked));
    assert!(read.is_finished(&old) && read.is_finished(&dead) && !read.is_finished(&record));
    assert_eq!(read.changed(Place::File, &record), Some(false));
    assert_eq!(read.changed(Place::File, &old), Some(true));
    assert_eq!(read.changed(Place::Keyring, &record), None, "it was never looked into");
    assert!(read.holds(Place::File) && !read.holds(Place::Keyring));
}

#[test]
fn a_record_is_the_same_on_one_line_and_on_many() {
    let mut sidecar = sidecar();
    sidecar.saw(Place::Keyring, Some(&Secret::new("{\n  \"a\": [1, \"b c\"]\n}")));
    assert_eq!(sidecar.changed(Place::Keyring, &Secret::new("{\"a\":[1,\"b c\"]}")), Some(false));
    assert_eq!(sidecar.changed(Place::Keyring, &Secret::new("{\"a\":[1,\"bc\"]}")), Some(true));
}

#[test]
fn a_login_forgets_nothing_that_could_bring_an_old_session_back() {
    let (old, dead, record) = (Secret::new("old"), Secret::new("dead"), Secret::new("record"));
    let mut before = sidecar();
    before.spend(&old);
    before.bury(&dead, LoginRequired::Revoked);
    before.saw(Place::Keyring, Some(&record));
    before.fail(Timestamp::from_seconds(1), 0);
    before.saw_seed(&record);
    assert_eq!(before.explained(LoginRequired::SpentElsewhere), LoginRequired::SeedSpent);
    let home = before.home.clone();
    let after = before.of_login(&home, &Seed::new([8; 32]), StoreMode::File, None);
    assert!(after.is_finished(&old) && after.is_finished(&dead) && after.failure.is_none());
    assert!(!after.is_seed(&record) && after.explained(LoginRequired::Revoked) == LoginRequired::Revoked);
    assert_eq!(after.changed(Place::Keyring, &record), Some(false));
}

#[test]
fn it_forgets_the_oldest_first() {
    let mut sidecar = sidecar();
    let token = |n: usize| Secret::new(format!("t{n}"));
    (0..40).for_each(|n| sidecar.spend(&token(n)));
    assert!(sidecar.is_spent(&token(39)) && sidecar.is_spent(&token(24)) && !sidecar.is_spent(&token(23)));
}

#[test]
fn a_copied_home_is_recognised() {
    let home = |path: &str, machine: &str| Home { path: path.into(), machine: machine.into() };
    let sidecar = sidecar();
    assert!(!sidecar.is_copied(&home("/home/u/.codex", "m1")) && !sidecar.is_copied(&home("", "")));
    assert!(sidecar.is_copied(&home("/backup/.codex", "m1")) && sidecar.is_copied(&home("/home/u/.codex", "m2")));
}

#[test]
fn a_newer_version_and_a_damaged_one() {
    assert!(Sidecar::parse(&Secret::new(r#"{"version":2,"unknown":{}}"#)).unwrap().is_newer());
    assert_eq!(Sidecar::parse(&Secret::new("{")), None);
}
