//! Opening, replacing and removing files safely, as each operating system does it.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

use std::fs;
use std::path::{Path, PathBuf};

use hallpass_core::StoreTrouble;

use super::failure::{Result, at, from_io};

pub(super) use system::{Folder, Found, Opened, open, write_at};
pub(crate) use system::{create_home, is_mount_point};
#[cfg(unix)]
pub(crate) use unix::keep_owner;

/// Where the record really is: `auth.json`, or what the symbolic link of that name leads to.
pub(crate) fn record_target(path: &Path) -> Result<PathBuf> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => follow(path),
        _ => Ok(path.to_owned()),
    }
}

/// What a symbolic link leads to, resolved once; it need not exist.
pub(super) fn follow(link: &Path) -> Result<PathBuf> {
    match fs::canonicalize(link) {
        Ok(target) => Ok(target),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let target = fs::read_link(link).map_err(|error| from_io(link, &error))?;
            let target = folder_of(link).join(target);
            let folder = fs::canonicalize(folder_of(&target)).map_err(|error| from_io(&target, &error))?;
            let name = target.file_name().ok_or_else(|| at(link, StoreTrouble::Unsafe, "a link to no file"))?;
            Ok(folder.join(name))
        }
        Err(error) => Err(from_io(link, &error)),
    }
}

pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The one temporary name of a file: under it, at most one leftover of a crash can ever be.
pub(super) fn temporary_name(name: &std::ffi::OsStr) -> std::ffi::OsString {
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(".hallpass-tmp");
    temporary
}
