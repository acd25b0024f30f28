//! `hallpass logout`

use std::path::PathBuf;
use std::process::ExitCode;

use hallpass::home;
use hallpass::profiles::{Name, Profiles};
use hallpass_core::{LoggedOut, LogoutRequest, Provider, Revocation};
use serde_json::json;

use super::arguments::{Global, Logout};
use super::failure::{Failure, INTERRUPTED, LOCAL};
use super::json;
use super::person::Bystander;
use super::report::{Voice, document, fail, warn, warn_of};
use super::session::{Session, warn_of_overrides};

pub(super) fn run(global: &Global, arguments: &Logout, voice: Voice) -> Result<ExitCode, Failure> {
    if arguments.all {
        return run_all(global, arguments, voice);
    }
    let outcome = end(&Session::open(global)?, arguments.local, voice)?;
    if arguments.json {
        document(&json::logged_out(&outcome))?;
    } else {
        voice.say(words(&outcome, arguments.local));
        say_what_failed(&outcome);
    }
    Ok(exit(&outcome).into())
}

/// Ends the session of a home.
pub(super) fn end(session: &Session, local: bool, voice: Voice) -> Result<LoggedOut, Failure> {
    let configuration = session.configuration(Provider::openai())?;
    if !local {
        warn_of_overrides(&configuration);
    }
    Ok(session.shell(Bystander::new(voice)).logout(LogoutRequest { configuration, local })?)
}

/// A home that may hold a session.
struct Home {
    profile: Option<Name>,
    path: Result<PathBuf, Failure>,
}

impl Home {
    /// The homes of all profiles, and the one in `CODEX_HOME` where that is no profile's.
    fn all() -> Result<Vec<Self>, Failure> {
        let profiles = Profiles::find()?;
        let mut all: Vec<_> = profiles
            .names()?
            .into_iter()
            .map(|name| Self { path: profiles.home(&name).map_err(Into::into), profile: Some(name) })
            .collect();
        match home::find(None) {
            Ok(home) if profiles.named(&home).is_some() => {}
            home => all.push(Self { profile: None, path: home.map_err(Into::into) }),
        }
        Ok(all)
    }

    fn name(&self) -> String {
        match (&self.profile, &self.path) {
            (Some(name), _) => name.to_string(),
            (None, Ok(path)) => path.display().to_string(),
            (None, Err(_)) => "CODEX_HOME".to_owned(),
        }
    }
}

/// What goes wrong in one home keeps none of the others; the first that went wrong gives the exit code.
///
/// `{"logged_out": bool, "homes": [{"profile", "home", …}]}`, each with what a logout answers, or an error.
fn run_all(global: &Global, arguments: &Logout, voice: Voice) -> Result<ExitCode, Failure> {
    if global.home.is_some() || global.profile.is_some() {
        return Err(Failure::usage("`--all` is about every profile", "leave out `--home` and `--profile`"));
    }
    let mut answers = Vec::new();
    let mut exit_code = 0;
    for home in Home::all()? {
        let (name, profile) = (home.name(), home.profile.clone());
        let path = home.path.as_ref().ok().map(|path| path.display().to_string());
        let session = home.path.and_then(|path| Session::at(path, home.profile, global));
        let ended = session.and_then(|session| end(&session, arguments.local, voice));
        let code = ended.as_ref().map_or_else(Failure::exit_code, exit);
        if exit_code == 0 {
            exit_code = code;
        }
        let mut answer = match ended {
            Err(failure) if code == INTERRUPTED => return Err(failure),
            Err(failure) => {
                let report = failure.report();
                if !arguments.json {
                    voice.say(&format!("{name}: Not logged out."));
                    fail(report.as_slice());
                }
                report.as_ref().map(json::error).unwrap_or_default()
            }
            Ok(outcome) => {
                if !arguments.json {
                    voice.say(&format!("{name}: {}", words(&outcome, arguments.local)));
                    say_what_failed(&outcome);
                }
                json::logged_out(&outcome)
            }
        };
        answer["profile"] = profile.map(|name| name.to_string()).into();
        answer["home"] = path.into();
        answers.push(answer);
    }
    if arguments.json {
        document(&json!({ "logged_out": exit_code == 0, "homes": answers }))?;
    }
    Ok(exit_code.into())
}

/// What may still be there was not logged out.
fn exit(outcome: &LoggedOut) -> u8 {
    if outcome.failures.is_empty() { 0 } else { LOCAL }
}

fn words(outcome: &LoggedOut, local: bool) -> &'static str {
    match &outcome.revocation {
        _ if !outcome.failures.is_empty() => match &outcome.revocation {
            Revocation::Revoked => "The session is revoked at the server, but not everything could be deleted here.",
            _ => "Not everything could be deleted here.",
        },
        _ if !outcome.was_logged_in => "Nobody was logged in.",
        Revocation::Revoked => "Logged out; the session is revoked at the server.",
        Revocation::NotNeeded if local => "Logged out here; nothing is revoked at the server.",
        Revocation::NotNeeded => "Logged out.",
        Revocation::NotOffered => "Logged out; this provider revokes no sessions, so it lives on until it expires.",
        Revocation::Failed(_) => "Logged out here; the session could not be revoked and may live on at the server.",
    }
}

fn say_what_failed(outcome: &LoggedOut) {
    if let Revocation::Failed(report) = &outcome.revocation {
        warn(report);
    }
    warn_of(&outcome.warnings);
    fail(&outcome.failures);
}
