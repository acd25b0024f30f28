//! `hallpass import`

use std::path::Path;
use std::process::ExitCode;

use hallpass::home;
use hallpass::profiles::{Name, Profiles};
use hallpass_core::{Error, LoginRequired, Misused, Status};

use super::arguments::{Global, Import};
use super::failure::Failure;
use super::report::Voice;
use super::session::Session;

pub(super) fn run(global: &Global, arguments: &Import, voice: Voice) -> Result<ExitCode, Failure> {
    let home = home::find(Some(&arguments.dir))?;
    if !home.is_dir() {
        return Err(Failure::usage(format!("`{}` does not exist", home.display()), "name the folder of a Codex home"));
    }
    let name = match &arguments.name {
        Some(name) => Name::new(name)?,
        None => name_of(&home).ok_or_else(|| {
            Failure::usage("the folder's name cannot be that of a profile", "choose a name with `--as NAME`")
        })?,
    };
    let profiles = Profiles::find()?;
    let status = status(global, &home, voice)?;
    check(global, &profiles, &home, &status, voice)?;
    profiles.adopt(&home, &name)?;
    voice.say(&format!("The profile {name} is the home {}, which stays where it is.", home.display()));
    Ok(ExitCode::SUCCESS)
}

/// A home whose session is another one's too would end it: both would spend one refresh token.
fn check(global: &Global, profiles: &Profiles, home: &Path, status: &Status, voice: Voice) -> Result<(), Failure> {
    if status.warnings.iter().any(|warning| warning.code == Error::from(LoginRequired::CopiedHome).code()) {
        return Err(Error::from(LoginRequired::CopiedHome).into());
    }
    let Some(session) = &status.session else { return Ok(()) };
    for name in profiles.names()? {
        let Ok(other) = profiles.home(&name) else { continue };
        if other == home {
            continue;
        }
        // A profile that cannot be read now may hold it: that is no reason to go on.
        if self::status(global, &other, voice)?.session.as_ref() == Some(session) {
            return Err(Error::from(Misused::SharedSession { profile: name.to_string() }).into());
        }
    }
    Ok(())
}

fn status(global: &Global, home: &Path, voice: Voice) -> Result<Status, Failure> {
    Session::at(home.to_owned(), None, global)?.stored(voice)
}

/// `.codex-work` is `codex-work`.
fn name_of(home: &Path) -> Option<Name> {
    Name::new(home.file_name()?.to_str()?.trim_start_matches('.')).ok()
}
