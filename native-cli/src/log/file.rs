//! The file of the log: for its owner alone, written by several processes, and never larger than it should be.

use std::fmt::{Arguments, Write as _};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::lock::{hand_over, is_still_there, restrict};

/// Codex's name for it.
const NAME: &str = "codex-login.log";
/// A file of so many bytes makes way for a new one; the one before it is kept.
const MOST: u64 = 1024 * 1024;
/// What may lie here while there is no home to write it to.
const MOST_WAITING: usize = 256 * 1024;

/// A log that is opened with its first line.
#[derive(Debug)]
pub(super) struct LogFile {
    folder: PathBuf,
    file: Option<File>,
    /// What is not written yet.
    waiting: String,
    is_given_up: bool,
}

impl LogFile {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, file: None, waiting: String::new(), is_given_up: false }
    }

    /// Adds a line, which the next [`LogFile::write`] writes.
    pub(super) fn add(&mut self, line: Arguments<'_>) {
        if !self.is_given_up && self.waiting.len() < MOST_WAITING {
            // Writing to a `String` cannot fail.
            let _ = self.waiting.write_fmt(line);
        }
    }

    /// Writes what is waiting, once there is a home.
    pub(super) fn write(&mut self) {
        if self.is_given_up {
            return;
        }
        if self.file.is_none() {
            match open(&self.folder) {
                Ok(file) => self.file = Some(file),
                // A home that a login is about to make.
                Err(error) if error.kind() == ErrorKind::NotFound => return,
                Err(_) => self.is_given_up = true,
            }
        }
        if let Some(file) = &mut self.file {
            // All at once, so that the lines of several processes stay whole.
            let _ = file.write_all(self.waiting.as_bytes());
        }
        self.waiting.clear();
    }
}

impl Drop for LogFile {
    fn drop(&mut self) {
        if !self.waiting.is_empty() {
            self.write();
        }
    }
}

fn open(folder: &Path) -> io::Result<File> {
    make(folder)?;
    let path = folder.join(NAME);
    let file = open_file(&path)?;
    if file.metadata()?.len() < MOST {
        return Ok(file);
    }
    make_way(&file, &path)?;
    open_file(&path)
}

/// Makes the folder, in one that exists.
fn make(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    for_owner_alone(&mut builder);
    match builder.create(folder) {
        Ok(()) => hand_over(folder, &File::open(folder)?),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    restrict(&mut options, 0o600);
    let file = options.open(path)?;
    if !is_ours(&file)? {
        return Err(ErrorKind::InvalidInput.into());
    }
    hand_over(path, &file)?;
    Ok(file)
}

/// Moves a file that is full aside. Whoever holds its lock does it; the others go on with what they find then.
fn make_way(file: &File, path: &Path) -> io::Result<()> {
    if file.try_lock().is_ok() && is_still_there(file, path) {
        fs::rename(path, path.with_extension("log.1"))?;
    }
    Ok(())
}

#[cfg(unix)]
fn for_owner_alone(builder: &mut DirBuilder) {
    use std::os::unix::fs::DirBuilderExt as _;
    builder.mode(0o700);
}

#[cfg(windows)]
fn for_owner_alone(_: &mut DirBuilder) {}

/// A regular file with one name, which from now on nobody else may read.
#[cfg(unix)]
fn is_ours(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let found = file.metadata()?;
    if !found.is_file() || found.nlink() != 1 {
        return Ok(false);
    }
    if found.mode() & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    Ok(true)
}

#[cfg(windows)]
fn is_ours(file: &File) -> io::Result<bool> {
    Ok(file.metadata()?.is_file())
}
