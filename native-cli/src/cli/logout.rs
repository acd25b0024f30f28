//! `hallpass logout`

use std::process::ExitCode;

use hallpass_core::{LoggedOut, LogoutRequest, Provider, Revocation};

use super::arguments::{Global, Logout};
use super::failure::{Failure, LOCAL};
use super::person::Bystander;
use super::report::{Voice, document, fail, warn, warn_of};
use super::session::{Session, warn_of_overrides};

pub(super) fn run(global: &Global, arguments: &Logout, voice: Voice) -> Result<ExitCode, Failure> {
    let session = Session::open(global)?;
    let configuration = session.configuration(Provider::openai())?;
    if !arguments.local {
        warn_of_overrides(&configuration);
    }
    let mut shell = session.shell(Bystander::new(voice));
    let outcome = shell.logout(LogoutRequest { configuration, local: arguments.local })?;
    if arguments.json {
        document(&super::json::logged_out(&outcome))?;
    } else {
        say(&outcome, arguments.local, voice);
    }
    // What may still be there was not logged out.
    Ok(if outcome.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(LOCAL) })
}

fn say(outcome: &LoggedOut, local: bool, voice: Voice) {
    let words = match &outcome.revocation {
        _ if !outcome.failures.is_empty() => match &outcome.revocation {
            Revocation::Revoked => "The session is revoked at the server, but not everything could be deleted here.",
            _ => "Not everything could be deleted here.",
        },
        _ if !outcome.was_logged_in => "Nobody was logged in.",
        Revocation::Revoked => "Logged out; the session is revoked at the server.",
        Revocation::NotNeeded if local => "Logged out here; the session lives on at the server.",
        Revocation::NotNeeded => "Logged out.",
        Revocation::NotOffered => "Logged out; this provider revokes no sessions, so it lives on until it expires.",
        Revocation::Failed(_) => "Logged out here; the session could not be revoked and may live on at the server.",
    };
    voice.say(words);
    if let Revocation::Failed(report) = &outcome.revocation {
        warn(report);
    }
    warn_of(&outcome.warnings);
    fail(&outcome.failures);
}
