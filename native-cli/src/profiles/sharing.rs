//! One configuration and one history for all profiles: links in a profile's home to those of the default one.
//!
//! Only what is known to be configuration or history is linked: what nobody knows may be a credential. Databases are
//! never linked, since what `SQLite` keeps beside them would not follow everywhere; `exec` tells Codex where they are.
//!
//! A tool that replaces a file by renaming puts its own in the place of the link. What it wrote is brought to the
//! shared place and the link is put back; where the shared file has changed too, both are kept. So nothing is lost,
//! whenever a process dies: each step leaves all contents under some name.

mod ledger;

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use hallpass_core::{Error, Lock, Report};

use super::{PATIENCE, Profiles, held};
use crate::config::Config;
use crate::lock::Locks;
use crate::store;
use ledger::Ledger;

/// What is shared where nothing else is configured: Codex's configuration, instructions and history.
pub const SHARED: [&str; 18] = [
    "config.toml",
    "AGENTS.md",
    "AGENTS.override.md",
    "agents",
    "archived_sessions",
    "attachments",
    "history.jsonl",
    "hooks",
    "hooks.json",
    "instructions.md",
    "memories",
    "plugins",
    "prompts",
    "rules",
    "session_index.jsonl",
    "sessions",
    "skills",
    "themes",
];

/// The links of one profile's home.
#[derive(Debug)]
pub struct Sharing {
    home: PathBuf,
    shared: PathBuf,
    names: Vec<String>,
    /// What neither home had when the links were made: what a tool makes of it is shared afterwards.
    absent: Vec<String>,
}

impl Sharing {
    /// Between a profile's home and the one that it shares with. Touches nothing yet.
    pub fn new(home: &Path, shared: &Path, names: Vec<String>) -> Self {
        Self { home: home.to_owned(), shared: shared.to_owned(), names, absent: Vec::new() }
    }

    /// Whether this may be shared: the name of a file or folder that is neither a credential, nor a lock, nor a
    /// database, nor ours.
    pub fn may_share(name: &str) -> bool {
        let lower = name.to_ascii_lowercase();
        let is_name = !name.is_empty() && !lower.starts_with('.') && !name.contains(['/', '\\', '\0', ':']);
        let is_private = ["auth", "hallpass", "secret", "credential", "gateway_oauth", "installation"]
            .iter()
            .any(|private| lower.starts_with(private));
        let is_database = [".sqlite", ".db", ".lock"].iter().any(|part| lower.contains(part));
        is_name && !is_private && !is_database && !matches!(lower.as_str(), "log" | "logs" | "sqlite" | "tmp")
    }

    /// What a home shares with that of the default profile: nothing where it is no folder of ours, or where
    /// `[hallpass.exec]` says so.
    ///
    /// # Errors
    /// When `config.toml` cannot be used.
    pub fn of_profile(home: &Path) -> Result<Option<Self>, Error> {
        let profiles = Profiles::find()?;
        let usual = profiles.usual();
        if !profiles.is_own(home) || !usual.is_dir() {
            return Ok(None);
        }
        // A home that is new has no configuration yet: it is about to be linked.
        let is_linked = home.join("config.toml").symlink_metadata().is_ok();
        let names = Config::load(if is_linked { home } else { usual })?.exec()?.shared;
        Ok((!names.is_empty()).then(|| Self::new(home, usual, names)))
    }

    /// The home that it shares with.
    pub fn shared(&self) -> &Path {
        &self.shared
    }

    /// Puts back what a tool has replaced, and makes the links that are missing. What the profile has of its own is
    /// left alone. What could not be done is said.
    pub fn link(&mut self) -> Vec<Report> {
        self.locked(Self::link_all)
    }

    /// Brings to the shared place what a tool has made or replaced while it ran. What could not be done is said.
    pub fn settle(&mut self) -> Vec<Report> {
        self.locked(Self::settle_all)
    }

    /// Does it while no other process does.
    fn locked(&mut self, work: fn(&mut Self) -> Vec<Report>) -> Vec<Report> {
        let mut locks = Locks::new(self.home.clone());
        match held(locks.lock(Lock::Transaction, PATIENCE, &|| false)) {
            Ok(()) => work(self),
            Err(error) => vec![Report { code: "not_shared".to_owned(), ..error.report() }],
        }
    }

    fn link_all(&mut self) -> Vec<Report> {
        let mut reports = self.bring_back();
        self.absent.clear();
        for name in self.names.clone() {
            let (own, shared) = (self.home.join(&name), self.shared.join(&name));
            if own.symlink_metadata().is_ok() {
                continue;
            }
            let Ok(found) = shared.metadata() else {
                self.absent.push(name);
                continue;
            };
            match symlink(&shared, &own, found.is_dir()) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => reports.push(not_linked(&own, &error)),
                _ => {}
            }
        }
        self.remember();
        reports
    }

    fn settle_all(&mut self) -> Vec<Report> {
        let mut reports = self.bring_back();
        for name in std::mem::take(&mut self.absent) {
            let (own, shared) = (self.home.join(&name), self.shared.join(&name));
            let is_own = own.symlink_metadata().is_ok_and(|found| !found.is_symlink());
            if is_own && shared.symlink_metadata().is_err() {
                reports.extend(self.bring(&name, &own, None).err().map(|error| not_linked(&own, &error)));
            }
        }
        self.remember();
        reports
    }

    /// What stands in the place of a link that was made earlier goes to the shared place.
    fn bring_back(&self) -> Vec<Report> {
        let ledger = Ledger::read(&self.home);
        let mut reports = Vec::new();
        for name in &self.names {
            let own = self.home.join(name);
            let aside = aside(&own);
            // A process has died before it was done with this one.
            if aside.symlink_metadata().is_ok() {
                reports.extend(self.merge(name, &aside, ledger.stamp(name)));
            }
            let Some(stamp) = ledger.stamp(name) else { continue };
            let is_replaced = own.symlink_metadata().is_ok_and(|found| !found.is_symlink());
            if is_replaced {
                match self.bring(name, &own, Some(stamp)) {
                    Ok(said) => reports.extend(said),
                    Err(error) => reports.push(not_linked(&own, &error)),
                }
            }
        }
        reports
    }

    /// Takes what stands in the place of a link out of the way in one step, links, then merges it: what a tool writes
    /// in the meantime is found the next time.
    fn bring(&self, name: &str, own: &Path, stamp: Option<&str>) -> io::Result<Option<Report>> {
        let aside = aside(own);
        fs::rename(own, &aside)?;
        let shared = self.shared.join(name);
        let is_folder = aside.is_dir();
        match symlink(&shared, own, is_folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                fs::rename(&aside, own)?;
                Err(error)
            }
            _ => Ok(self.merge(name, &aside, stamp)),
        }
    }

    /// Brings what was taken aside to the shared place; what cannot go there is kept beside the link, and said.
    fn merge(&self, name: &str, aside: &Path, stamp: Option<&str>) -> Option<Report> {
        let shared = self.shared.join(name);
        let is_as_left = stamp.is_none_or(|stamp| stamp == ledger::stamp(&shared));
        let merged = if aside.is_dir() {
            move_into(aside, &shared)
        } else if shared.symlink_metadata().is_err() || is_as_left {
            replace(aside, &shared)
        } else {
            same_contents(aside, &shared)
        };
        match merged {
            Ok(true) => {
                fs::remove_file(aside).or_else(|_| fs::remove_dir(aside)).err().map(|error| not_linked(aside, &error))
            }
            Ok(false) | Err(_) => Some(self.keep(name, aside)),
        }
    }

    fn keep(&self, name: &str, aside: &Path) -> Report {
        let kept = (1..).map(|number| self.home.join(format!("{name}.kept-{number}")));
        let kept = kept.into_iter().find(|kept| kept.symlink_metadata().is_err()).unwrap_or_else(|| aside.to_owned());
        let place = if fs::rename(aside, &kept).is_ok() { kept } else { aside.to_owned() };
        Report {
            code: "shared_twice".to_owned(),
            message: format!("`{name}` was changed here and in {} at once; both are kept", self.shared.display()),
            help: Some(format!("compare it with {}, then delete that", place.display())),
        }
    }

    /// What the shared files are like now, so that it shows who has changed what.
    fn remember(&self) {
        let is_link = |name: &&String| fs::read_link(self.home.join(name)).is_ok_and(|to| to == self.shared.join(name));
        Ledger::of(self.names.iter().filter(is_link), &self.shared).write(&self.home);
    }
}

/// The name under which what was replaced waits to be merged.
fn aside(own: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(own.file_name().unwrap_or_default());
    name.push(".hallpass-replaced");
    own.with_file_name(name)
}

/// Puts a file in the place of the shared one, in one durable step; where that is a link, what it names is replaced.
fn replace(from: &Path, shared: &Path) -> io::Result<bool> {
    let target = match fs::canonicalize(shared) {
        Ok(target) => target,
        Err(error) if error.kind() == ErrorKind::NotFound => shared.to_owned(),
        Err(error) => return Err(error),
    };
    store::replace(&target, &fs::read(from)?).map_err(|failure| io::Error::other(failure.detail))?;
    Ok(true)
}

fn same_contents(one: &Path, other: &Path) -> io::Result<bool> {
    Ok(fs::read(one)? == fs::read(other)?)
}

/// Moves what a folder holds into another; `false` when something is in both and stays.
fn move_into(from: &Path, to: &Path) -> io::Result<bool> {
    if to.symlink_metadata().is_err() {
        return fs::rename(from, to).and_then(|()| fs::create_dir(from)).map(|()| true);
    }
    let mut is_empty = true;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if target.symlink_metadata().is_err() {
            fs::rename(entry.path(), &target)?;
        } else if entry.file_type()?.is_dir() && target.is_dir() {
            if move_into(&entry.path(), &target)? {
                fs::remove_dir(entry.path())?;
            } else {
                is_empty = false;
            }
        } else {
            is_empty = false;
        }
    }
    Ok(is_empty)
}

#[cfg(unix)]
fn symlink(to: &Path, link: &Path, _is_folder: bool) -> io::Result<()> {
    std::os::unix::fs::symlink(to, link)
}

#[cfg(windows)]
fn symlink(to: &Path, link: &Path, is_folder: bool) -> io::Result<()> {
    if is_folder { std::os::windows::fs::symlink_dir(to, link) } else { std::os::windows::fs::symlink_file(to, link) }
}

fn not_linked(path: &Path, error: &io::Error) -> Report {
    Report {
        code: "not_shared".to_owned(),
        message: format!("{} is not shared with the default profile: {error}", path.display()),
        help: None,
    }
}

#[cfg(test)]
mod tests;
