//! Profiles: several accounts and providers side by side, each a home of its own.
//!
//! The profile `default` is the Codex home. Each further one is a folder `profiles/NAME` under `$HALLPASS_HOME`, or,
//! where it was imported, a file of that name that says where its home is: nothing is copied or moved by that.

mod choice;
mod moving;
mod name;
mod pointer;
mod project;
mod sharing;

use std::env;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hallpass_core::{Error, Event, Local, Lock, Misused};

pub use choice::{Choice, Chosen, Wish};
pub use name::Name;
pub use sharing::{SHARED, Sharing};

use crate::lock::Locks;
use crate::{home, store};

/// How long another process is waited for that is changing the profiles.
const PATIENCE: Duration = Duration::from_secs(10);

/// The profiles of a person.
#[derive(Clone, Debug)]
pub struct Profiles {
    /// `$HALLPASS_HOME`.
    folder: PathBuf,
    /// The home of the default profile.
    usual: PathBuf,
}

/// A profile that exists.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Profile {
    /// What it is called.
    pub name: Name,
    /// Its home, canonical.
    pub home: PathBuf,
    /// Whether it is a home elsewhere that was imported.
    pub is_imported: bool,
}

impl Profiles {
    /// The profiles under `$HALLPASS_HOME`, else in the platform's folder for data.
    ///
    /// # Errors
    /// [`StoreTrouble::NoHome`](hallpass_core::StoreTrouble::NoHome) when there is no such folder to be found.
    pub fn find() -> Result<Self, Error> {
        let folder = match env::var_os("HALLPASS_HOME").filter(|value| !value.is_empty()) {
            Some(folder) => PathBuf::from(folder),
            None => data_folder().ok_or_else(|| home::no_home("neither HALLPASS_HOME nor HOME is set"))?,
        };
        let folder = home::given(&folder, &format!("`{}`, which HALLPASS_HOME names,", folder.display()))?;
        Ok(Self { folder, usual: home::usual()? })
    }

    /// The home of a profile.
    ///
    /// # Errors
    /// [`Misused::NoProfile`] when there is none.
    pub fn home(&self, name: &Name) -> Result<PathBuf, Error> {
        Ok(self.profile(name)?.home)
    }

    /// The home of a profile, which is made if there is none: a folder for its owner alone.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make(&self, name: &Name) -> Result<PathBuf, Error> {
        match self.profile(name) {
            Err(Error::Misused(Misused::NoProfile { .. })) => {}
            found => return Ok(found?.home),
        }
        let _locks = self.lock()?;
        store::create_home(&self.folder.join("profiles")).map_err(Local::Store)?;
        store::create_home(&self.place(name)).map_err(Local::Store)?;
        self.home(name)
    }

    /// Every profile, the default one first, the others by name.
    ///
    /// # Errors
    /// When the folder of profiles cannot be read.
    pub fn names(&self) -> Result<Vec<Name>, Error> {
        let folder = self.folder.join("profiles");
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries.collect::<Result<Vec<_>, _>>(),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        let entries = entries.map_err(|error| unreadable(&folder, &error))?;
        let to_name = |entry: &fs::DirEntry| Name::new(entry.file_name().to_str()?).ok();
        let mut names: Vec<_> = entries.iter().filter_map(to_name).filter(|name| !name.is_default()).collect();
        names.sort();
        names.insert(0, Name::default());
        Ok(names)
    }

    /// Which profile a home belongs to, if any.
    pub fn named(&self, home: &Path) -> Option<Name> {
        if home == self.usual {
            return Some(Name::default());
        }
        self.names().ok()?.into_iter().find(|name| self.home(name).is_ok_and(|other| other == home))
    }

    /// The home of the default profile, whose configuration and history the others share.
    pub fn usual(&self) -> &Path {
        &self.usual
    }

    /// Whether a home is a folder of ours, so that links may be put into it.
    pub fn is_own(&self, home: &Path) -> bool {
        home.parent().is_some_and(|above| fs::canonicalize(self.folder.join("profiles")).is_ok_and(|own| own == above))
    }

    /// From now on this profile is used where nothing else is chosen.
    ///
    /// # Errors
    /// [`Misused::NoProfile`] when there is none.
    pub fn set_used(&self, name: &Name) -> Result<(), Error> {
        self.profile(name)?;
        let _locks = self.lock()?;
        project::write(&self.used_file(), name)
    }

    /// Gives a profile another name.
    ///
    /// # Errors
    /// [`Misused::NoProfile`], [`Misused::ProfileExists`]; when another process holds its locks; when its folder, or
    /// what the keyring holds of it, cannot be moved.
    pub fn rename(&self, old: &Name, new: &Name) -> Result<(), Error> {
        if old.is_default() || new.is_default() {
            let detail = "the default profile is the Codex home, and keeps its name".to_owned();
            return Err(Misused::NotApplicable { detail }.into());
        }
        // Homes are known by their canonical paths.
        let profiles = fs::canonicalize(self.folder.join("profiles")).map_err(|_| no_profile(old))?;
        let _locks = self.lock()?;
        moving::rename(&profiles.join(old.as_str()), &profiles.join(new.as_str()), old, new)?;
        if project::read(&self.used_file())?.as_ref() == Some(old) {
            project::write(&self.used_file(), new)?;
        }
        Ok(())
    }

    /// Makes a home elsewhere a profile: it stays where it is, and nothing of it is copied.
    ///
    /// # Errors
    /// [`Misused::ProfileExists`] when there is a profile of this name, or the home is one under another name.
    pub fn adopt(&self, home: &Path, name: &Name) -> Result<(), Error> {
        let _locks = self.lock()?;
        let is_taken = name.is_default() || self.place(name).symlink_metadata().is_ok();
        if let Some(name) = self.named(home).or_else(|| is_taken.then(|| name.clone())) {
            return Err(Misused::ProfileExists { name: name.to_string() }.into());
        }
        store::create_home(&self.folder.join("profiles")).map_err(Local::Store)?;
        pointer::write(&self.place(name), home)
    }

    /// Forgets a profile. The folder of one that is ours is deleted, a home that was imported is left as it is. Links
    /// are deleted and never followed.
    ///
    /// # Errors
    /// [`Misused::NoProfile`] when there is none, or it is the default one; when something cannot be deleted.
    pub fn remove(&self, name: &Name) -> Result<(), Error> {
        if name.is_default() {
            let detail = "the default profile is the Codex home, and cannot be removed".to_owned();
            return Err(Misused::NotApplicable { detail }.into());
        }
        let place = self.place(name);
        let found = place.symlink_metadata().map_err(|_| no_profile(name))?;
        let _locks = self.lock()?;
        let removed = if found.is_dir() { fs::remove_dir_all(&place) } else { fs::remove_file(&place) };
        removed.map_err(|error| unreadable(&place, &error))?;
        if project::read(&self.used_file())?.as_ref() == Some(name) {
            fs::remove_file(self.used_file()).map_err(|error| unreadable(&self.used_file(), &error))?;
        }
        Ok(())
    }

    /// A profile.
    ///
    /// # Errors
    /// [`Misused::NoProfile`] when there is none; when an imported one does not say where its home is, or that home
    /// has gone.
    pub fn profile(&self, name: &Name) -> Result<Profile, Error> {
        if name.is_default() {
            return Ok(Profile { name: name.clone(), home: self.usual.clone(), is_imported: false });
        }
        let place = self.place(name);
        let found = place.metadata().map_err(|_| no_profile(name))?;
        let is_imported = !found.is_dir();
        let home = if is_imported { pointer::read(&place)? } else { home::given(&place, name.as_str())? };
        Ok(Profile { name: name.clone(), home, is_imported })
    }

    /// Where a profile's home is, or what says so.
    fn place(&self, name: &Name) -> PathBuf {
        self.folder.join("profiles").join(name.as_str())
    }

    /// What `profiles use` has chosen.
    fn used_file(&self) -> PathBuf {
        self.folder.join("hallpass.toml")
    }

    /// Keeps other processes from changing the profiles.
    fn lock(&self) -> Result<Locks, Error> {
        let mut locks = Locks::new(self.folder.clone());
        held(locks.lock(Lock::Transaction, PATIENCE, &|| false))?;
        Ok(locks)
    }
}

/// What taking a lock came to.
fn held(event: Event) -> Result<(), Error> {
    match event {
        Event::LockFailed(failure) => Err(Local::Lock(failure).into()),
        _ => Ok(()),
    }
}

fn no_profile(name: &Name) -> Error {
    Misused::NoProfile { name: name.to_string() }.into()
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Local::Store(store::from_io(path, error)).into()
}

/// Where the platform keeps data that does not roam with a person.
#[cfg(not(any(windows, target_os = "macos")))]
fn data_folder() -> Option<PathBuf> {
    // A relative path is to be passed over (XDG Base Directory Specification).
    let given = env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    Some(given.or_else(|| Some(env::home_dir()?.join(".local/share")))?.join("hallpass"))
}

#[cfg(target_os = "macos")]
fn data_folder() -> Option<PathBuf> {
    Some(env::home_dir()?.join("Library/Application Support/hallpass"))
}

#[cfg(windows)]
fn data_folder() -> Option<PathBuf> {
    Some(PathBuf::from(env::var_os("LOCALAPPDATA")?).join("hallpass"))
}

#[cfg(test)]
mod tests;
