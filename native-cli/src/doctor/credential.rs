//! What the stored credential is good for, and for how long. Core has judged it; here it is weighed.

use hallpass_core::{Error, Local, LoginRequired, Method, Report, Status, Timestamp};

use super::{Case, Finding, Group, Level};
use crate::surroundings::Surroundings;

pub(super) fn check(case: &Case) -> Vec<Finding> {
    match &case.status {
        Ok(status) => judge(status, Surroundings::look().ci, crate::now()),
        Err(error @ Error::Local(Local::Store(_) | Local::Corrupt { .. })) => {
            vec![Group::Home.of(Level::Problem, error.clone())]
        }
        Err(error @ Error::Forbidden(_)) => vec![Group::Policy.of(Level::Problem, error.clone())],
        Err(error) => vec![Group::Credential.of(Level::Problem, error.clone())],
    }
}

fn judge(status: &Status, is_ci: bool, now: Timestamp) -> Vec<Finding> {
    let mut findings: Vec<_> = status.warnings.iter().map(weigh).collect();
    if !status.logged_in {
        if findings.iter().all(|finding| finding.level < Level::Problem) {
            findings.push(Group::Credential.of(Level::Problem, LoginRequired::NotLoggedIn));
        }
        return findings;
    }
    let can = |name: &str| status.capabilities.get(name).copied();
    let is_session = matches!(status.method, Some(Method::Chatgpt | Method::Oauth));
    if findings.iter().all(|finding| finding.level < Level::Problem) {
        let provider = status.provider.as_deref().unwrap_or("a provider");
        findings.push(Group::Credential.ok("signed_in", format!("somebody is signed in to {provider}")));
    }
    if status.expires_at.is_some_and(|expiry| expiry <= now) {
        findings.push(Group::Credential.note(
            "expired",
            "the access token has expired, and the next command that needs it renews it",
            "run `hallpass token` to try",
        ));
    }
    if status.stale {
        findings.push(Group::Credential.warning(
            "stale",
            "the session was not renewed for more than 8 days, and the server may have ended it",
            "run `hallpass status --check`, and `hallpass login` if that fails",
        ));
    }
    if status.last_refresh.is_some_and(|last| last.since(now) > 86_400_000) {
        findings.push(Group::Credential.warning(
            "renewed_in_the_future",
            "the session was last renewed at a time that has not come yet by this clock",
            "set the clock of this machine",
        ));
    }
    if is_session && can("refresh") == Some(false) {
        findings.push(Group::Credential.warning(
            "not_renewable",
            "the session has no refresh token, and ends with its access token",
            "run `hallpass login`, with the scope `offline_access` where the provider wants it",
        ));
    }
    if is_ci && is_session && can("refresh") == Some(true) {
        findings.push(Group::Credential.warning(
            "session_in_ci",
            "this is a CI job with a session that each refresh replaces: jobs that run at once, each with a copy, end it",
            "let one job run at a time (a concurrency group in the workflow), or use an API key",
        ));
    }
    let lacking: Vec<_> =
        status.capabilities.iter().filter(|(name, can)| !**can && *name != "refresh").map(|(name, _)| name).collect();
    if !lacking.is_empty() {
        let lacking: Vec<_> = lacking.iter().map(|name| name.replace('_', " ")).collect();
        findings.push(Group::Credential.note(
            "limited_method",
            format!("the way that you are signed in does not give: {}", lacking.join(", ")),
            "run `hallpass login` to sign in with ChatGPT instead",
        ));
    }
    findings
}

/// How bad it is what `status` warns of.
fn weigh(warning: &Report) -> Finding {
    let (group, level) = match warning.code.as_str() {
        "workspace_forbidden"
        | "method_forbidden"
        | "every_method_forbidden"
        | "issuer_forbidden"
        | "store_forbidden"
        | "override_forbidden" => (Group::Policy, Level::Problem),
        "store_pinned" | "keyring_fallback" => (Group::Home, Level::Warning),
        // Only what can be unset stands in the way of a login.
        "shadowed" if warning.help.is_some() => (Group::Environment, Level::Warning),
        "override_ignored" => (Group::Environment, Level::Warning),
        "shadowed" => (Group::Environment, Level::Note),
        "codex_only" => (Group::Credential, Level::Note),
        "backing_off" => (Group::Credential, Level::Warning),
        // What is left are reasons why a login is needed, or another version.
        _ => (Group::Credential, Level::Problem),
    };
    Finding { group, level, report: warning.clone() }
}

#[cfg(test)]
mod tests {
    use super::super::tests::codes;
    use super::*;

    fn session() -> Status {
        Status {
            logged_in: true,
            method: Some(Method::Chatgpt),
            capabilities: [("refresh".to_owned(), true), ("fast_mode".to_owned(), true)].into(),
            last_refresh: Some(Timestamp::from_seconds(0)),
            expires_at: Some(Timestamp::from_seconds(3600)),
            ..Status::default()
        }
    }

    #[test]
    fn what_is_stored_is_weighed() {
        let now = Timestamp::from_seconds(60);
        let judged = |status: &Status, ci| codes(&judge(status, ci, now)).join(" ");
        assert_eq!(judged(&session(), false), "");
        assert_eq!(judged(&Status::default(), false), "not_logged_in");
        assert_eq!(judged(&session(), true), "session_in_ci");
        assert_eq!(judged(&Status { stale: true, ..session() }, false), "stale");
        assert_eq!(judged(&Status { expires_at: Some(now), ..session() }, false), "expired");
        assert_eq!(
            judged(&Status { last_refresh: Some(now.plus(90_000_000)), ..session() }, false),
            "renewed_in_the_future"
        );
        let key = Status {
            method: Some(Method::ApiKey),
            capabilities: [("refresh".to_owned(), false), ("codex_spark".to_owned(), false)].into(),
            ..session()
        };
        assert_eq!(judged(&key, true), "limited_method");
        // A workload's identity is the job's own.
        let workload = Status { method: Some(Method::AccessToken), ..session() };
        assert_eq!(judged(&workload, true), "");
        let warning = |code: &str| Report { code: code.to_owned(), message: String::new(), help: None };
        assert_eq!(judged(&Status { warnings: vec![warning("shadowed")], ..session() }, false), "shadowed");
        let bare = Status { capabilities: [("refresh".to_owned(), false)].into(), ..session() };
        assert_eq!(judged(&bare, false), "not_renewable");
    }

    #[test]
    fn a_dead_session_is_a_problem_and_said_once() {
        let dead = Error::from(LoginRequired::SpentElsewhere).report();
        let status = Status { warnings: vec![dead], ..session() };
        let findings = judge(&status, false, Timestamp::from_seconds(60));
        assert_eq!(codes(&findings), ["spent_elsewhere"]);
        assert_eq!(findings.len(), 1, "nobody is told that all is well: {findings:?}");
        let gone = Status { logged_in: false, warnings: status.warnings, ..Status::default() };
        assert_eq!(codes(&judge(&gone, false, Timestamp::from_seconds(60))), ["spent_elsewhere"]);
    }
}
