//! `hallpass status`

use std::process::ExitCode;

use hallpass_core::{Account, Method, Place, Provider, Source, Status, StatusRequest, Timestamp};

use super::arguments::{self, Global};
use super::failure::{Failure, LOGIN_REQUIRED};
use super::person::Bystander;
use super::report::{Voice, document, tell, warn_of};
use super::session::Session;
use super::text::{moment, safe};

pub(super) fn run(global: &Global, arguments: &arguments::Status, voice: Voice) -> Result<ExitCode, Failure> {
    let session = Session::open(global)?;
    let configuration = session.configuration(Provider::openai())?;
    let mut shell = session.shell(Bystander::new(voice));
    let status = shell.status(StatusRequest { configuration, check: arguments.check })?;
    let location = status.store.map(|place| shell.location(place));
    if arguments.json {
        document(&super::json::status(&status, location.as_deref(), session.profile().as_deref()))?;
    } else if status.logged_in {
        let mut lines = describe(&status, location.as_deref(), hallpass::now());
        lines.extend(session.profile().map(|profile| format!("  {:<13} {profile}", "profile")));
        tell(&lines.join("\n"))?;
        warn_of(&status.warnings);
    } else {
        warn_of(&status.warnings);
        return Err(hallpass_core::Error::from(hallpass_core::LoginRequired::NotLoggedIn).into());
    }
    Ok(ExitCode::from(if status.logged_in { 0 } else { LOGIN_REQUIRED }))
}

/// The facts, one a line; those that are absent are left out.
pub(crate) fn describe(status: &Status, location: Option<&str>, now: Timestamp) -> Vec<String> {
    let account = status.account.clone().unwrap_or_default();
    let mut lines = vec![headline(status, &account)];
    let mut fact = |name: &str, value: Option<String>| {
        lines.extend(value.map(|value| format!("  {name:<13} {value}")));
    };
    fact("workspace", account.workspace_id.as_deref().map(safe));
    fact("plan", account.plan.as_deref().map(safe));
    fact("provider", status.provider.as_deref().map(safe));
    let variable = status.precedence.winner.as_ref().and_then(Source::variable);
    fact("given in", variable.map(ToOwned::to_owned));
    fact("stored in", location.map(|location| format!("{} ({})", safe(location), status.store.map_or("", store))));
    let expiry = if status.expires_at.is_some_and(|at| at <= now) { "expired" } else { "expires" };
    fact(expiry, status.expires_at.map(|at| moment(at, now)));
    let stale = if status.stale { "; stale: the server may have ended the session" } else { "" };
    fact("last refresh", status.last_refresh.map(|at| format!("{}{stale}", moment(at, now))));
    fact("can", capabilities(status, true));
    fact("cannot", capabilities(status, false));
    lines
}

/// `Logged in with ChatGPT as ada@example.com`
pub(super) fn headline(status: &Status, account: &Account) -> String {
    let method = match status.method {
        Some(Method::Chatgpt) => " with ChatGPT".to_owned(),
        Some(Method::ApiKey) => " with an API key".to_owned(),
        Some(Method::AccessToken) => " with an access token".to_owned(),
        Some(Method::Command) => " with a token command".to_owned(),
        Some(Method::Oauth) => {
            status.provider.as_deref().map(|provider| format!(" to {}", safe(provider))).unwrap_or_default()
        }
        None => String::new(),
    };
    let who = account.email.as_deref().or(account.user_id.as_deref()).or(account.id.as_deref());
    let who = who.map(|who| format!(" as {}", safe(who))).unwrap_or_default();
    format!("Logged in{method}{who}")
}

fn store(place: Place) -> &'static str {
    match place {
        Place::File => "file",
        Place::Keyring => "keyring",
        Place::Ephemeral => "this process only",
    }
}

fn capabilities(status: &Status, able: bool) -> Option<String> {
    let names: Vec<_> =
        status.capabilities.iter().filter(|(_, is)| **is == able).map(|(name, _)| name.replace('_', " ")).collect();
    (!names.is_empty()).then(|| safe(&names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_known_is_said() {
        let now = Timestamp::from_seconds(1_795_454_709);
        let status = Status {
            logged_in: true,
            method: Some(Method::Chatgpt),
            account: Some(Account {
                email: Some("ada@example.com\u{1b}[2J".into()),
                workspace_id: Some("ws-analytical".into()),
                plan: Some("pro".into()),
                ..Account::default()
            }),
            provider: Some("openai".into()),
            issuer: None,
            store: Some(Place::File),
            expires_at: Some(now.plus(3_120_000)),
            last_refresh: Some(now.plus(-9 * 86_400_000)),
            stale: true,
            session: None,
            capabilities: [("refresh".to_owned(), true), ("platform_api".to_owned(), false)].into(),
            ..Status::default()
        };
        let expected = "\
Logged in with ChatGPT as ada@example.com[2J
  workspace     ws-analytical
  plan          pro
  provider      openai
  stored in     /home/u/.codex/auth.json (file)
  expires       in 52 minutes (2026-11-23T18:17:09Z)
  last refresh  9 days ago (2026-11-14T17:25:09Z); stale: the server may have ended the session
  can           refresh
  cannot        platform api";
        assert_eq!(describe(&status, Some("/home/u/.codex/auth.json"), now).join("\n"), expected);
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let status = Status { logged_in: true, method: Some(Method::ApiKey), ..Status::default() };
        assert_eq!(describe(&status, None, Timestamp::default()), ["Logged in with an API key"]);
    }
}
