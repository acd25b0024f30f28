//! Other homes of this person: which tools use them, and whether one holds the session of this one.

use std::env;
use std::path::{Path, PathBuf};

use hallpass_core::{Configuration, Environment, Status, StatusRequest};

use super::{Case, Finding, Group};
use crate::profiles::Profiles;
use crate::{Nobody, Shell, home};

pub(super) fn check(case: &Case) -> Vec<Finding> {
    let Some(home) = &case.home else { return Vec::new() };
    let usual = env::home_dir().map(|folder| folder.join(".codex"));
    let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let profiles = Profiles::find().ok();
    let names = profiles.as_ref().and_then(|profiles| profiles.names().ok()).unwrap_or_default();
    let inside = names.iter().filter_map(|name| profiles.as_ref()?.home(name).ok());
    let others = usual.clone().into_iter().chain(variable("CODEX_HOME"));
    let mut others: Vec<_> =
        others.chain(inside).filter_map(|path| path.canonicalize().ok()).filter(|path| path != home).collect();
    others.sort();
    others.dedup();
    let ours = case.status.as_ref().ok().and_then(|status| status.session.clone());
    let usual = usual.and_then(|path| path.canonicalize().ok());
    let found = others.into_iter().filter_map(|path| {
        let theirs = status(&path, &case.configuration)?;
        let is_shared = ours.is_some() && ours == theirs.session;
        // Whoever keeps profiles knows that there are several.
        let is_profile = profiles.as_ref().is_some_and(|profiles| profiles.is_own(home));
        let is_usual = usual.as_ref() == Some(&path) && !is_profile;
        judge(home, &path, is_shared, is_usual)
    });
    found.collect()
}

/// Who is signed in there, where a file says so: for another home no keyring is opened.
fn status(home: &Path, configuration: &Configuration) -> Option<Status> {
    if !home.join("auth.json").exists() {
        return None;
    }
    let environment = Environment::default();
    let configuration = Configuration { home: home::identity(home), environment, ..configuration.clone() };
    let request = StatusRequest { configuration, check: false };
    Shell::new(home.to_owned(), Box::new(Nobody)).status(request).ok().filter(|status| status.logged_in)
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
