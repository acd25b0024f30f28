//! Giving the folder of a profile another name, with what the keyring holds of it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use hallpass_core::{Error, Event, InKeyring, Local, Lock, Misused, Move, Place, Secret, Slot, StoreTrouble};

use super::{Name, held, no_profile, unreadable};
use crate::config::Config;
use crate::home;
use crate::lock::Locks;
use crate::store::Stores;

/// A refresh that is under way is waited for so long: it must not lose its folder.
const PATIENCE: Duration = Duration::from_secs(45);

/// Renames, or goes on with a renaming that was interrupted.
///
/// The entries of the keyring are named after the path of the home. They follow the folder: what lies under the old
/// name is of no use to anybody once the folder has gone, so that no moment has two homes with one session.
pub(super) fn rename(old: &Path, new: &Path, old_name: &Name, new_name: &Name) -> Result<(), Error> {
    let exists = |place: &Path| place.symlink_metadata().is_ok();
    match (exists(old), exists(new)) {
        (true, true) => Err(Misused::ProfileExists { name: new_name.to_string() }.into()),
        (false, true) if is_announced(new)? => settle(old, new),
        (false, _) => Err(no_profile(old_name)),
        // What only says where a home is, or is a link of the person's own, moves nothing.
        (true, false) if !old.is_dir() || old.is_symlink() => go(old, new),
        (true, false) => {
            let mut locks = Locks::new(old.to_owned());
            held(locks.lock(Lock::Transaction, PATIENCE, &|| false))?;
            held(locks.lock(Lock::Commit, PATIENCE, &|| false))?;
            let mut stores = Stores::new(old.to_owned());
            let begun = begin(old, old, new)?;
            // A keyring that does not answer is found out while nothing has moved.
            if begun.keyring() == InKeyring::Something {
                done(stores.load(Slot::Record(Place::Keyring)))?;
            }
            if let Some(text) = begun.announcement() {
                done(stores.save(Slot::Sidecar, &text))?;
            }
            // On Windows a folder in which a file is open keeps its name. Elsewhere the locks are those of the files,
            // which move along.
            let _held = if cfg!(windows) { None } else { Some(locks) };
            go(old, new)?;
            settle(old, new)
        }
    }
}

fn go(old: &Path, new: &Path) -> Result<(), Error> {
    fs::rename(old, new).map_err(|error| unreadable(old, &error))
}

fn is_announced(new: &Path) -> Result<bool, Error> {
    Ok(Move::end(sidecar(new)?.as_ref(), &home::identity(new)).is_some())
}

/// The move of a home that is at `at`.
fn begin(at: &Path, from: &Path, to: &Path) -> Result<Move, Error> {
    let configured = Config::load(at)?.settings().store()?;
    Move::begin(sidecar(at)?.as_ref(), configured, &home::identity(from), &home::identity(to))
}

/// The keyring's entries follow the folder; then it is settled in its new place.
fn settle(old: &Path, new: &Path) -> Result<(), Error> {
    let mut stores = Stores::new(new.to_owned());
    let keyring = begin(new, new, new)?.keyring();
    if keyring != InKeyring::Nothing {
        match stores.take_over(old) {
            Err(failure) if failure.kind == StoreTrouble::Unavailable && keyring == InKeyring::Perhaps => {}
            taken => taken.map_err(Local::Store)?,
        }
    }
    match Move::end(sidecar(new)?.as_ref(), &home::identity(new)) {
        Some(text) => done(stores.save(Slot::Sidecar, &text)).map(drop),
        None => Ok(()),
    }
}

fn sidecar(home: &Path) -> Result<Option<Secret>, Error> {
    match done(Stores::new(home.to_owned()).load(Slot::Sidecar))? {
        Event::Loaded(text) => Ok(text),
        _ => Ok(None),
    }
}

fn done(event: Event) -> Result<Event, Error> {
    match event {
        Event::StoreFailed(failure) => Err(Local::Store(failure).into()),
        event => Ok(event),
    }
}
