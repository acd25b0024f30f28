//! The JSON shapes that programs rely on. A fact that is absent is `null`.

use hallpass_core::{LoggedIn, LoggedOut, Place, Prompt, Report, Revocation, Secret, Source, Status, Timestamp, Token};
use serde_json::{Map, Value, json};

use hallpass::doctor::{Finding, Level};

use super::doctor;

/// `{"error": {"code", "message", "help"}}`
pub(crate) fn error(report: &Report) -> Value {
    json!({ "error": entry(report) })
}

/// The answer of `status --json`.
pub(crate) fn status(status: &Status, location: Option<&str>, profile: Option<&str>) -> Value {
    let variable = status.precedence.winner.as_ref().and_then(Source::variable);
    json!({
        "logged_in": status.logged_in,
        "method": status.method,
        "account": status.account,
        "provider": status.provider,
        "profile": profile,
        "store": status.store.map(store).or_else(|| variable.map(|_| "env")),
        "location": location.or(variable),
        "expires_at": time(status.expires_at),
        "last_refresh": time(status.last_refresh),
        "stale": status.stale,
        "capabilities": status.capabilities,
        "warnings": entries(&status.warnings),
    })
}

/// The answer of `token --json`.
pub(crate) fn token(token: &Token) -> Value {
    json!({
        "access_token": token.access_token.expose(),
        "token_type": token.token_type,
        "expires_at": time(token.expires_at),
        "account_id": token.account_id,
    })
}

/// The answer of `logout --json`.
pub(crate) fn logged_out(outcome: &LoggedOut) -> Value {
    let failed = match &outcome.revocation {
        Revocation::Failed(report) => Some(report),
        Revocation::Revoked | Revocation::NotNeeded | Revocation::NotOffered => None,
    };
    json!({
        "logged_out": outcome.failures.is_empty(),
        "was_logged_in": outcome.was_logged_in,
        "revocation": revocation(&outcome.revocation),
        "warnings": failed.into_iter().chain(&outcome.failures).chain(&outcome.warnings).map(entry).collect::<Value>(),
    })
}

/// The `prompt` event of `login --json`.
pub(crate) fn prompt(prompt: &Prompt) -> Value {
    match prompt {
        Prompt::Browser { authorization_url, redirect_uri, can_switch } => json!({
            "event": "prompt",
            "authorization_url": authorization_url.expose(),
            "redirect_uri": redirect_uri,
            "can_switch": can_switch,
        }),
        Prompt::UserCode { user_code, verification_uri, verification_uri_complete, expires_at } => json!({
            "event": "prompt",
            "verification_uri": verification_uri,
            "verification_uri_complete": verification_uri_complete.as_ref().map(Secret::expose),
            "user_code": user_code.expose(),
            "expires_at": time(Some(*expires_at)),
        }),
    }
}

/// The `waiting` event of `login --json`.
pub(crate) fn waiting() -> Value {
    json!({ "event": "waiting" })
}

/// The `done` event of `login --json`.
pub(crate) fn done(outcome: &LoggedIn, location: Option<&str>, profile: Option<&str>) -> Value {
    json!({
        "event": "done",
        "status": status(&outcome.status, location, profile),
        "previous": outcome.previous.as_ref().map(revocation),
        "warnings": entries(&outcome.warnings),
    })
}

/// The answer of `doctor --json`: what was found, and how often each level is among it.
pub(crate) fn diagnosis(findings: &[Finding]) -> Value {
    let mut summary = Map::new();
    for level in [Level::Ok, Level::Note, Level::Warning, Level::Problem] {
        let count = findings.iter().filter(|finding| finding.level == level).count();
        summary.insert(doctor::name(level).to_owned(), count.into());
    }
    let finding = |Finding { group, level, report }: &Finding| {
        let mut entry = entry(report);
        entry["level"] = doctor::name(*level).into();
        entry["group"] = doctor::title(*group).into();
        entry
    };
    json!({ "findings": findings.iter().map(finding).collect::<Value>(), "summary": summary })
}

/// The `error` event of `login --json`: an error like any other, with the event's name.
pub(crate) fn failed(report: &Report) -> Value {
    json!({ "event": "error", "error": entry(report) })
}

fn entries(reports: &[Report]) -> Value {
    reports.iter().map(entry).collect()
}

pub(crate) fn entry(report: &Report) -> Value {
    json!({ "code": report.code, "message": report.message, "help": report.help })
}

fn revocation(revocation: &Revocation) -> &'static str {
    match revocation {
        Revocation::Revoked => "revoked",
        Revocation::NotNeeded => "not_needed",
        Revocation::NotOffered => "not_offered",
        Revocation::Failed(_) => "failed",
    }
}

fn store(place: Place) -> &'static str {
    match place {
        Place::File => "file",
        Place::Keyring => "keyring",
        Place::Ephemeral => "ephemeral",
    }
}

fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_core::{Account, LoginRequired, Method, TokenOrigin};

    fn pretty(value: &Value) -> String {
        serde_json::to_string_pretty(value).unwrap()
    }

    #[test]
    fn status_of_nobody() {
        assert_eq!(
            status(&Status::default(), None, None),
            json!({
                "logged_in": false, "method": null, "account": null, "provider": null, "profile": null,
                "store": null, "location": null, "expires_at": null, "last_refresh": null, "stale": false,
                "capabilities": {}, "warnings": [],
            })
        );
    }

    #[test]
    fn status_of_somebody() {
        let somebody = Status {
            logged_in: true,
            method: Some(Method::ApiKey),
            account: Some(Account { email: Some("ada@example.com".into()), ..Account::default() }),
            provider: Some("openai".into()),
            issuer: None,
            store: Some(Place::Keyring),
            expires_at: Some(Timestamp::from_seconds(0)),
            last_refresh: Some(Timestamp::from_milliseconds(1)),
            stale: true,
            session: None,
            capabilities: [("refresh".to_owned(), false)].into(),
            warnings: vec![Report { code: "stale".into(), message: "m".into(), help: None }],
            ..Status::default()
        };
        assert_eq!(
            status(&somebody, Some("/home/u/.codex/auth.json"), Some("work")),
            json!({
                "logged_in": true,
                "method": "apikey",
                "account":
                    {"email": "ada@example.com", "id": null, "user_id": null, "workspace_id": null, "plan": null},
                "provider": "openai",
                "profile": "work",
                "store": "keyring",
                "location": "/home/u/.codex/auth.json",
                "expires_at": "1970-01-01T00:00:00.000Z",
                "last_refresh": "1970-01-01T00:00:00.001Z",
                "stale": true,
                "capabilities": {"refresh": false},
                "warnings": [{"code": "stale", "message": "m", "help": null}],
            })
        );
    }

    #[test]
    fn a_token() {
        let key = Token {
            access_token: Secret::from("at-1"),
            token_type: "Bearer".into(),
            expires_at: None,
            account_id: None,
            origin: TokenOrigin::Stored,
            warnings: Vec::new(),
        };
        let expected = json!({"access_token": "at-1", "token_type": "Bearer", "expires_at": null, "account_id": null});
        assert_eq!(token(&key), expected);
    }

    #[test]
    fn an_error() {
        let report = hallpass_core::Error::from(LoginRequired::NotLoggedIn).report();
        let expected =
            json!({"error": {"code": "not_logged_in", "message": "not logged in", "help": "run `hallpass login`"}});
        assert_eq!(error(&report), expected, "{}", pretty(&expected));
        assert_eq!(failed(&report)["event"], "error");
        assert_eq!(failed(&report)["error"], expected["error"]);
    }

    #[test]
    fn a_prompt() {
        let code = Prompt::UserCode {
            user_code: Secret::from("ABCD-1234"),
            verification_uri: "https://id.example.com/device".into(),
            verification_uri_complete: None,
            expires_at: Timestamp::from_seconds(900),
        };
        assert_eq!(
            prompt(&code),
            json!({
                "event": "prompt",
                "verification_uri": "https://id.example.com/device",
                "verification_uri_complete": null,
                "user_code": "ABCD-1234",
                "expires_at": "1970-01-01T00:15:00.000Z",
            })
        );
    }
}
