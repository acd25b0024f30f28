//! Variables that put something else in the place of what is stored, or that look as if they did.

use std::ffi::OsString;
use std::path::Path;

use super::{Case, Finding, Group};

pub(super) fn check(_: &Case) -> Vec<Finding> {
    judge(&|name| std::env::var_os(name), &|path| path.is_file())
}

fn judge(variable: &dyn Fn(&str) -> Option<OsString>, is_file: &dyn Fn(&Path) -> bool) -> Vec<Finding> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let mut findings = Vec::new();
    if set("OPENAI_API_KEY").is_some() {
        findings.push(Group::Environment.note(
            "unused_key",
            "OPENAI_API_KEY is set: neither Codex nor Hallpass takes it for a login",
            "run `printenv OPENAI_API_KEY | hallpass login --with-api-key` to use it",
        ));
    }
    if set("CODEX_AUTH_JSON").is_some() {
        findings.push(Group::Environment.warning(
            "seed_in_environment",
            "CODEX_AUTH_JSON is set: every program that is started from here can read the session",
            "set it for the one step that needs it, or run `unset CODEX_AUTH_JSON`",
        ));
    }
    for name in ["CODEX_REFRESH_TOKEN_URL_OVERRIDE", "CODEX_REVOKE_TOKEN_URL_OVERRIDE"] {
        if set(name).is_some() {
            let message = format!("{name} is set: tokens are sent where it says, as far as that is allowed");
            let help = format!("run `unset {name}` unless this is a test");
            findings.push(Group::Environment.warning("endpoint_override", message, &help));
        }
    }
    findings.extend(federation(set("OPENAI_FEDERATION_RULE_ID"), set("OPENAI_IDENTITY_TOKEN_FILE"), is_file));
    // What these shadow, or do not, is known where the credential that wins is.
    let wins = ["CODEX_ACCESS_TOKEN", "CODEX_API_KEY"].into_iter().any(|name| set(name).is_some());
    if findings.is_empty() && !wins {
        findings.push(Group::Environment.ok("environment", "no variable takes the place of what is stored"));
    }
    findings
}

/// Workload identity takes two variables, and one of them alone is an error.
fn federation(rule: Option<OsString>, file: Option<OsString>, is_file: &dyn Fn(&Path) -> bool) -> Option<Finding> {
    match (rule, file) {
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => Some(Group::Environment.problem(
            "federation_incomplete",
            "of OPENAI_FEDERATION_RULE_ID and OPENAI_IDENTITY_TOKEN_FILE only one is set",
            "set both, or neither",
        )),
        (Some(_), Some(file)) if !Path::new(&file).is_absolute() || !is_file(Path::new(&file)) => {
            Some(Group::Environment.problem(
                "federation_incomplete",
                "OPENAI_IDENTITY_TOKEN_FILE does not name a file by its absolute path",
                "let it name the file that holds the identity token",
            ))
        }
        (Some(_), Some(_)) => Some(Group::Environment.note(
            "federation",
            "workload identity is set up: it is used in the place of a login to OpenAI that is stored",
            "",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::codes;
    use super::*;

    #[test]
    fn variables_are_named_and_their_values_are_not() {
        for (variables, expected) in [
            (&[][..], ""),
            (&[("CODEX_API_KEY", "")], ""),
            (&[("CODEX_API_KEY", "canary")], ""),
            (&[("CODEX_ACCESS_TOKEN", "canary")], ""),
            (&[("OPENAI_API_KEY", "canary")], "unused_key"),
            (&[("CODEX_AUTH_JSON", "canary")], "seed_in_environment"),
            (&[("CODEX_REFRESH_TOKEN_URL_OVERRIDE", "https://u:canary@x")], "endpoint_override"),
            (&[("OPENAI_FEDERATION_RULE_ID", "canary")], "federation_incomplete"),
            (&[("OPENAI_IDENTITY_TOKEN_FILE", "/canary")], "federation_incomplete"),
            (
                &[("OPENAI_FEDERATION_RULE_ID", "r"), ("OPENAI_IDENTITY_TOKEN_FILE", "/missing/canary")],
                "federation_incomplete",
            ),
            (&[("OPENAI_FEDERATION_RULE_ID", "r"), ("OPENAI_IDENTITY_TOKEN_FILE", "/there")], "federation"),
        ] {
            let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
            let findings = judge(&lookup, &|path| path == Path::new("/there"));
            assert_eq!(codes(&findings).join(" "), expected, "{variables:?}");
            assert!(!format!("{findings:?}").contains("canary"), "{findings:?}");
        }
    }
}
