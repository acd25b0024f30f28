//! `hallpass profiles`

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use hallpass::profiles::{Name, Profile, Profiles, Sharing};
use hallpass_core::{Declined, Error, Misused, Report, Revocation, Status, Timestamp};
use serde_json::{Value, json};

use super::arguments::{self, Global, ProfilesCommand};
use super::failure::{Failure, LOCAL};
use super::logout;
use super::report::{Voice, document, fail, tell, warn, warn_of, word};
use super::session::Session;
use super::status::headline;
use super::text::{moment, safe};

pub(super) fn run(global: &Global, arguments: &arguments::Profiles, voice: Voice) -> Result<ExitCode, Failure> {
    let profiles = Profiles::find()?;
    match &arguments.command {
        None | Some(ProfilesCommand::List { .. }) => list(global, &profiles, voice)?,
        Some(ProfilesCommand::Use { name }) => {
            profiles.set_used(&Name::new(name)?)?;
            voice.say(&format!("The profile {name} is used from now on, where nothing else is chosen."));
        }
        Some(ProfilesCommand::Rename { old, new }) => {
            profiles.rename(&Name::new(old)?, &Name::new(new)?)?;
            voice.say(&format!("The profile {old} is {new} now."));
        }
        Some(ProfilesCommand::Remove { name, yes }) => return remove(global, &profiles, name, *yes, voice),
    }
    Ok(ExitCode::SUCCESS)
}

/// What is known of a profile.
struct Entry {
    name: Name,
    is_active: bool,
    is_imported: bool,
    home: Option<String>,
    status: Result<Status, Report>,
}

fn list(global: &Global, profiles: &Profiles, voice: Voice) -> Result<(), Failure> {
    let active = Session::open(global).map(|session| session.home).ok();
    let entries: Vec<_> = profiles
        .names()?
        .into_iter()
        .map(|name| {
            let profile = profiles.profile(&name);
            let status = match &profile {
                Ok(profile) => Session::at(profile.home.clone(), Some(name.clone()), global)
                    .and_then(|session| session.stored(voice))
                    .map_err(|failure| failure.report()),
                Err(error) => Err(Some(error.report())),
            };
            let home = profile.as_ref().ok().map(|profile| profile.home.clone());
            Entry {
                is_active: home.is_some() && home == active,
                is_imported: profile.is_ok_and(|profile| profile.is_imported),
                home: home.map(|home| home.display().to_string()),
                status: status.map_err(|report| report.unwrap_or_else(unknown)),
                name,
            }
        })
        .collect();
    if voice.json {
        return document(&json!({ "profiles": entries.iter().map(Entry::json).collect::<Value>() }));
    }
    let width = entries.iter().map(|entry| entry.name.as_str().len()).max().unwrap_or(0);
    let lines: Vec<_> = entries.iter().map(|entry| entry.line(width, hallpass::now())).collect();
    tell(&lines.join("\n"))?;
    if let Some(active) = active.filter(|_| entries.iter().all(|entry| !entry.is_active)) {
        voice.notice(&format!("in force is {}, which is no profile", active.display()));
    }
    Ok(())
}

fn unknown() -> Report {
    Report { code: "unknown".to_owned(), message: "nothing is known of it".to_owned(), help: None }
}

impl Entry {
    fn json(&self) -> Value {
        let status = self.status.as_ref().ok();
        json!({
            "name": self.name.as_str(),
            "active": self.is_active,
            "imported": self.is_imported,
            "home": self.home,
            "logged_in": status.is_some_and(|status| status.logged_in),
            "method": status.and_then(|status| status.method),
            "account": status.and_then(|status| status.account.as_ref()),
            "provider": status.and_then(|status| status.provider.as_ref()),
            "expires_at": status.and_then(|status| status.expires_at).map(|at| at.to_string()),
            "error": self.status.as_ref().err(),
        })
    }

    /// `* work     Logged in with ChatGPT as ada@example.com; expires in 52 minutes (…)`
    fn line(&self, width: usize, now: Timestamp) -> String {
        let mark = if self.is_active { "*" } else { " " };
        let what = match &self.status {
            Ok(status) if status.logged_in => {
                let account = status.account.clone().unwrap_or_default();
                let word = if status.expires_at.is_some_and(|at| at <= now) { "expired" } else { "expires" };
                let expiry = status.expires_at.map(|at| format!("; {word} {}", moment(at, now)));
                format!("{}{}", headline(status, &account), expiry.unwrap_or_default())
            }
            Ok(_) => "Not logged in".to_owned(),
            Err(report) => safe(&report.message),
        };
        let imported = if self.is_imported { " (imported)" } else { "" };
        format!("{mark} {:<width$}  {what}{imported}", self.name.as_str())
    }
}

fn remove(global: &Global, profiles: &Profiles, name: &str, yes: bool, voice: Voice) -> Result<ExitCode, Failure> {
    let name = Name::new(name)?;
    let profile = match profiles.profile(&name) {
        Ok(profile) => Some(profile),
        Err(error @ Error::Misused(Misused::NoProfile { .. })) => return Err(error.into()),
        // The imported home has gone, and what says where it was is of no use.
        Err(_) => None,
    };
    let ours = profile.filter(|profile| !profile.is_imported && !name.is_default());
    if let Some(profile) = &ours {
        if !yes {
            confirm(&name)?;
        }
        let failures = sign_out(global, profile, voice)?;
        if !failures.is_empty() {
            fail(&failures);
            return Ok(ExitCode::from(LOCAL));
        }
    }
    profiles.remove(&name)?;
    let became = if ours.is_some() { "signed out and removed" } else { "forgotten; its home is as it was" };
    voice.say(&format!("The profile {name} is {became}."));
    Ok(ExitCode::SUCCESS)
}

/// Gives the session up, and back what belongs to every profile; what could not be deleted.
fn sign_out(global: &Global, profile: &Profile, voice: Voice) -> Result<Vec<Report>, Failure> {
    let session = Session::at(profile.home.clone(), Some(profile.name.clone()), global)?;
    if let Some(mut sharing) = Sharing::of_profile(&profile.home)? {
        warn_of(&sharing.link());
    }
    let outcome = logout::end(&session, false, voice)?;
    if let Revocation::Failed(report) = &outcome.revocation {
        warn(report);
    }
    Ok(outcome.failures)
}

/// Asks the person at the terminal.
fn confirm(name: &Name) -> Result<(), Failure> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::usage("a profile is removed once somebody agrees", "add `--yes`"));
    }
    word(&format!("This signs the profile {name} out and deletes its folder. Type its name to go on:"));
    let mut typed = String::new();
    io::stdin().read_line(&mut typed)?;
    if typed.trim() == name.as_str() {
        return Ok(());
    }
    Err(Error::from(Declined::Cancelled).into())
}
