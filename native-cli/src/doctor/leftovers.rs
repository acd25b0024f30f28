//! Files that were left behind, by a crash, by an interrupted refresh, or by a login in another store.

use std::path::Path;

use hallpass_core::Place;

use super::{Case, Finding, Group, quoted};

pub(super) fn check(case: &Case) -> Vec<Finding> {
    let Some(home) = &case.home else { return Vec::new() };
    let Ok(entries) = home.read_dir() else { return Vec::new() };
    let mut names: Vec<_> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    if home.join("secrets/codex_auth.age").exists() || home.join("secrets/cli_auth.age").exists() {
        names.push("secrets".to_owned());
    }
    let store = case.status.as_ref().ok().and_then(|status| status.store);
    judge(home, &names, store)
}

fn judge(home: &Path, names: &[String], store: Option<Place>) -> Vec<Finding> {
    let has = |name: &str| names.iter().any(|found| found == name);
    let remove = |name: &str| format!("when nothing runs, `rm {}`", quoted(&home.join(name)));
    let mut findings: Vec<_> = names
        .iter()
        .filter_map(|name| {
            let shown = home.join(name);
            let shown = shown.display();
            if name.ends_with(".hallpass-tmp") || (name.starts_with(".auth-") && name.len() == ".auth-XXXXXX".len()) {
                let message = format!("{shown} was left by a process that died while it saved, and may hold a token");
                return Some(Group::Home.warning("leftover_file", message, &remove(name)));
            }
            match name.as_str() {
                "auth.json.corrupt" => Some(Group::Home.warning(
                    "corrupt_kept",
                    format!("{shown} is a record that could not be read, kept aside"),
                    &remove(name),
                )),
                "hallpass.parked" | "hallpass.parked.age" => Some(Group::Home.warning(
                    "interrupted_refresh",
                    format!("a refresh was interrupted, or is under way: {shown} holds what is known of it"),
                    "run `hallpass token --refresh`, which finishes it",
                )),
                _ => None,
            }
        })
        .collect();
    if has("auth.json") && store == Some(Place::Keyring) {
        findings.push(Group::Home.warning(
            "second_record",
            format!("{} is there although the login is kept in the keyring", home.join("auth.json").display()),
            &remove("auth.json"),
        ));
    }
    if has("secrets") && store == Some(Place::File) {
        findings.push(Group::Home.warning(
            "second_record",
            format!(
                "{} holds an encrypted record although the login is kept in auth.json",
                home.join("secrets").display()
            ),
            "run `hallpass logout`, which empties every store, then `hallpass login`",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::tests::codes;
    use super::*;

    #[test]
    fn what_belongs_in_a_home_is_no_leftover() {
        let judged = |names: &[&str], store| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            codes(&judge(Path::new("/h"), &names, store)).join(" ")
        };
        let usual =
            ["auth.json", "auth.json.lock", "auth.lock", "config.toml", "hallpass.json", "hallpass.lock", "log"];
        assert_eq!(judged(&usual, Some(Place::File)), "");
        assert_eq!(judged(&[".auth.json.hallpass-tmp", ".auth-a1B2c3"], None), "leftover_file leftover_file");
        assert_eq!(judged(&[".auth-notes.txt", ".auth-"], None), "");
        assert_eq!(judged(&["auth.json.corrupt", "hallpass.parked"], None), "corrupt_kept interrupted_refresh");
        assert_eq!(judged(&["auth.json"], Some(Place::Keyring)), "second_record");
        assert_eq!(judged(&["auth.json", "secrets"], Some(Place::File)), "second_record");
        assert_eq!(judged(&["secrets"], Some(Place::Keyring)), "");
    }
}
