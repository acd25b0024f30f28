//! Which home a command works on, and what has chosen it.

use std::env;
use std::path::{Path, PathBuf};

use hallpass_core::{Error, Misused, Report};

use super::project::{self, Found};
use super::{Name, Profiles};
use crate::home;

/// What the command line asks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish<'a> {
    /// `--home`
    pub home: Option<&'a Path>,
    /// `--profile`
    pub profile: Option<&'a str>,
    /// Whether a profile that does not exist yet is made, once it is known which.
    pub makes: bool,
}

/// A home that is chosen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Choice {
    /// The home, canonical.
    pub home: PathBuf,
    /// The profile, where one was chosen by its name.
    pub profile: Option<Name>,
    /// What has chosen it.
    pub by: Chosen,
    /// What was passed over on the way, and why.
    pub warnings: Vec<Report>,
}

/// What can choose a home, the strongest first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Chosen {
    /// `--home`
    Home,
    /// `--profile`
    Profile,
    /// `$CODEX_HOME`: so what is started under `hallpass exec` stays in its profile.
    Variable,
    /// The nearest `.hallpass.toml`, which is this one.
    Project(PathBuf),
    /// `hallpass profiles use`
    Used,
    /// Nothing: it is `~/.codex`.
    Nothing,
}

impl Choice {
    /// Chooses.
    ///
    /// # Errors
    /// [`Misused::NoProfile`] for a profile that does not exist, `no_home` for a home that cannot be used,
    /// [`Misused::Value`] for a file that says something else than a profile's name.
    pub fn make(wish: Wish<'_>) -> Result<Self, Error> {
        let chosen = |home, by| Self { home, profile: None, by, warnings: Vec::new() };
        if wish.home.is_some() && wish.profile.is_some() {
            let detail = "`--home` and `--profile` name two homes: give one of them".to_owned();
            return Err(Misused::NotApplicable { detail }.into());
        }
        if let Some(home) = wish.home {
            return Ok(chosen(home::find(Some(home))?, Chosen::Home));
        }
        if let Some(name) = wish.profile {
            return Self::of_profile(Name::new(name)?, Chosen::Profile, wish.makes);
        }
        if let Some(home) = home::from_variable()? {
            return Ok(chosen(home, Chosen::Variable));
        }
        let folder = env::current_dir().ok();
        let person = env::home_dir().and_then(|person| person.canonicalize().ok());
        let project = folder.map(|folder| project::find(&folder, person.as_deref())).transpose()?.flatten();
        let mut warnings = Vec::new();
        match project {
            Some(Found::Profile(name, path)) => return Self::of_profile(name, Chosen::Project(path), false),
            Some(Found::Refused(report)) => warnings.push(report),
            None => {}
        }
        let used = Profiles::find().and_then(|profiles| project::read(&profiles.used_file()))?;
        let choice = match used {
            Some(name) => Self::of_profile(name, Chosen::Used, wish.makes)?,
            None => Self { profile: Some(Name::default()), ..chosen(home::usual()?, Chosen::Nothing) },
        };
        Ok(Self { warnings, ..choice })
    }

    /// The profile whose home this is, however it was chosen.
    pub fn profile(&self) -> Option<Name> {
        self.profile.clone().or_else(|| Profiles::find().ok()?.named(&self.home))
    }

    fn of_profile(name: Name, by: Chosen, makes: bool) -> Result<Self, Error> {
        let profiles = Profiles::find()?;
        let home = if makes { profiles.make(&name) } else { profiles.home(&name) }?;
        Ok(Self { home, profile: Some(name), by, warnings: Vec::new() })
    }
}
