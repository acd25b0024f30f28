//! Files on Windows: opened without following links, replaced by renaming. Who may read them is inherited from
//! the home, which is in the user's profile.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind, Write};
use std::os::windows::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hallpass_core::StoreTrouble;

use super::super::failure::{Result, at, from_io};
use super::temporary_name;

const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;
const ERROR_SHARING_VIOLATION: i32 = 32;

/// How long a rename is tried again while another program (a virus scanner, an indexer) has the file open.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is under a path.
pub(in crate::store) enum Found {
    Nothing,
    Link,
    File(Opened),
}

/// A regular file.
pub(in crate::store) struct Opened {
    pub(in crate::store) file: File,
    pub(in crate::store) size: u64,
    path: PathBuf,
    is_read_only: bool,
}

/// Opens what is under a path for reading, or for reading and writing, without following a link in its last step.
pub(in crate::store) fn open(path: &Path, writable: bool) -> Result<Found> {
    let mut options = OpenOptions::new();
    options.read(true).write(writable).custom_flags(FILE_FLAG_OPEN_REPARSE_POINT);
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(_) if path.is_dir() => return Err(at(path, StoreTrouble::Unsafe, "not a regular file")),
        Err(error) => return Err(from_io(path, &error)),
    };
    let found = file.metadata().map_err(|error| from_io(path, &error))?;
    if found.is_symlink() {
        return Ok(Found::Link);
    }
    if !found.is_file() {
        return Err(at(path, StoreTrouble::Unsafe, "not a regular file"));
    }
    let is_read_only = found.permissions().readonly();
    Ok(Found::File(Opened { file, size: found.len(), path: path.to_owned(), is_read_only }))
}

impl Opened {
    /// Who may write is inherited from the folder.
    #[expect(clippy::unused_self, reason = "elsewhere the file says it")]
    pub(in crate::store) fn is_writable_by_all(&self) -> bool {
        false
    }

    /// Whether this file may be replaced by another of the same name.
    pub(in crate::store) fn check_replaceable(&self) -> Result<()> {
        if self.is_read_only {
            return Err(at(&self.path, StoreTrouble::ReadOnly, "the file is read-only"));
        }
        Ok(())
    }
}

/// A folder in which files are replaced and removed.
pub(in crate::store) struct Folder(PathBuf);

impl Folder {
    /// Opens a folder that exists.
    pub(in crate::store) fn open(path: &Path) -> Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => Ok(Some(Self(path.to_owned()))),
            Ok(_) => Err(at(path, StoreTrouble::NoHome, "not a folder")),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(from_io(path, &error)),
        }
    }

    /// Puts a file there in one step: what is read under its name is the old contents or the new.
    pub(in crate::store) fn replace(&self, name: &OsStr, contents: &[u8]) -> Result<()> {
        let (temporary, target) = (self.0.join(temporary_name(name)), self.0.join(name));
        let replaced = write(&temporary, contents).and_then(|()| rename(&temporary, &target));
        replaced.map_err(|error| {
            let _ = fs::remove_file(&temporary);
            from_io(&target, &error)
        })
    }

    /// Removes a file; `false` when there is none.
    pub(in crate::store) fn remove(&self, name: &OsStr) -> Result<bool> {
        let path = self.0.join(name);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(from_io(&path, &error)),
        }
    }

    /// Renaming and removing are as durable as this system makes them: a folder cannot be flushed.
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "where folders can be flushed, this does it")]
    pub(in crate::store) fn sync(&self) -> Result<()> {
        Ok(())
    }
}

fn write(temporary: &Path, contents: &[u8]) -> std::io::Result<()> {
    let create = || OpenOptions::new().write(true).create_new(true).open(temporary);
    let mut file = match create() {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fs::remove_file(temporary)?;
            create()
        }
        created => created,
    }?;
    file.write_all(contents)?;
    file.sync_all()
}

fn rename(temporary: &Path, target: &Path) -> std::io::Result<()> {
    let start = Instant::now();
    loop {
        match fs::rename(temporary, target) {
            Err(error) if is_passing(&error) && start.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(20));
            }
            renamed => return renamed,
        }
    }
}

fn is_passing(error: &Error) -> bool {
    error.kind() == ErrorKind::PermissionDenied || error.raw_os_error() == Some(ERROR_SHARING_VIOLATION)
}

/// Writes within a file, durably, and leaves the rest of it as it is.
pub(in crate::store) fn write_at(opened: &Opened, mut contents: &[u8], mut offset: u64) -> Result<()> {
    let failed = |error: Error| from_io(&opened.path, &error);
    while !contents.is_empty() {
        let written = opened.file.seek_write(contents, offset).map_err(failed)?;
        if written == 0 {
            return Err(failed(ErrorKind::WriteZero.into()));
        }
        contents = &contents[written..];
        offset += written as u64;
    }
    opened.file.sync_all().map_err(failed)
}

/// Makes the home if it is missing.
pub(crate) fn create_home(home: &Path) -> Result<()> {
    if home.is_dir() {
        return Ok(());
    }
    if home.as_os_str().is_empty() {
        return Err(at(home, StoreTrouble::NoHome, "no folder is named"));
    }
    fs::create_dir_all(home).map_err(|error| at(home, StoreTrouble::NoHome, error))
}

/// Single files are not mounted here.
pub(crate) fn is_mount_point(_path: &Path) -> bool {
    false
}
