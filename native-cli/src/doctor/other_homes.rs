//! Other homes of this person: which tools use them, and whether one holds the session of this one.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use hallpass_core::{Event, Place, Secret, Slot, is_same_session};

use super::{Case, Finding, Group};
use crate::Stores;

pub(super) fn check(case: &Case) -> Vec<Finding> {
    let Some(home) = &case.home else { return Vec::new() };
    let usual = env::home_dir().map(|folder| folder.join(".codex"));
    let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let profiles = variable("HALLPASS_HOME").and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten();
    let others = usual.clone().into_iter().chain(variable("CODEX_HOME"));
    let mut others: Vec<_> = others
        .chain(profiles.filter_map(|entry| Some(entry.ok()?.path())))
        .filter_map(|path| path.canonicalize().ok())
        .filter(|path| path != home)
        .collect();
    others.sort();
    others.dedup();
    let ours = record(home);
    let usual = usual.and_then(|path| path.canonicalize().ok());
    let found = others.into_iter().filter_map(|path| {
        let theirs = record(&path)?;
        let is_shared = ours.as_ref().is_some_and(|ours| is_same_session(ours, &theirs));
        let is_usual = usual.as_ref() == Some(&path);
        judge(home, &path, is_shared, is_usual)
    });
    found.collect()
}

fn record(home: &Path) -> Option<Secret> {
    match Stores::new(home.to_owned()).load(Slot::Record(Place::File)) {
        Event::Loaded(record) => record,
        _ => None,
    }
}

fn judge(home: &Path, other: &Path, is_shared: bool, is_usual: bool) -> Option<Finding> {
    let (home, other) = (home.display(), other.display());
    if is_shared {
        return Some(Group::Home.problem(
            "shared_session",
            format!("{home} and {other} hold one session: the first of them that refreshes ends it for the other"),
            "run `hallpass login` in one of them: each home needs a session of its own",
        ));
    }
    is_usual.then(|| {
        Group::Home.note(
            "other_home",
            format!("{other} holds a login of its own, which tools use that are not told of {home}"),
            "set CODEX_HOME for those tools too",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_in_two_homes_is_a_problem_and_a_second_login_a_note() {
        let judged =
            |shared, usual| judge(Path::new("/a"), Path::new("/b"), shared, usual).map(|finding| finding.report.code);
        assert_eq!(judged(true, false).as_deref(), Some("shared_session"));
        assert_eq!(judged(true, true).as_deref(), Some("shared_session"));
        assert_eq!(judged(false, true).as_deref(), Some("other_home"));
        assert_eq!(judged(false, false), None);
    }
}
