//! Giving the folder of a profile another name, with what the keyring holds of it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use hallpass_core::{Error, Event, Local, Lock, Misused, Move, Secret, Slot};

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
            let sidecar = loaded(&mut stores)?;
            let configured = Config::load(old)?.store()?;
            let begun = Move::begin(sidecar.as_ref(), configured, &home::identity(old), &home::identity(new))?;
            if let Some(text) = begun.announcement() {
                saved(stores.save(Slot::Sidecar, &text))?;
            }
            // On Windows a folder in which a file is open keeps its name.
            if cfg!(windows) {
                drop(locks);
                go(old, new)?;
            } else {
                go(old, new)?;
                // The locks are those of the files, which have moved along.
                let _held = locks;
            }
            if begun.in_keyring() { settle(old, new) } else { end(new) }
        }
    }
}

fn go(old: &Path, new: &Path) -> Result<(), Error> {
    fs::rename(old, new).map_err(|error| unreadable(old, &error))
}

fn is_announced(new: &Path) -> Result<bool, Error> {
    let sidecar = loaded(&mut Stores::new(new.to_owned()))?;
    Ok(Move::end(sidecar.as_ref(), &home::identity(new)).is_some())
}

/// The keyring's entries follow the folder.
fn settle(old: &Path, new: &Path) -> Result<(), Error> {
    Stores::new(new.to_owned()).take_over(old).map_err(Local::Store)?;
    end(new)
}

fn end(new: &Path) -> Result<(), Error> {
    let mut stores = Stores::new(new.to_owned());
    let sidecar = loaded(&mut stores)?;
    match Move::end(sidecar.as_ref(), &home::identity(new)) {
        Some(text) => saved(stores.save(Slot::Sidecar, &text)),
        None => Ok(()),
    }
}

fn loaded(stores: &mut Stores) -> Result<Option<Secret>, Error> {
    match stores.load(Slot::Sidecar) {
        Event::Loaded(text) => Ok(text),
        Event::StoreFailed(failure) => Err(Local::Store(failure).into()),
        _ => Ok(None),
    }
}

fn saved(event: Event) -> Result<(), Error> {
    match event {
        Event::StoreFailed(failure) => Err(Local::Store(failure).into()),
        _ => Ok(()),
    }
}
