//! Opening a file whose name comes from elsewhere: opening a pipe would wait for a writer, and a device has no end.

use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::path::Path;

/// Opens a regular file for reading, behind symbolic links too.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] for everything that is no regular file; otherwise as [`File::open`].
pub(crate) fn open(path: &Path) -> Result<File> {
    let file = without_waiting(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(Error::new(ErrorKind::InvalidInput, "it is not a regular file"))
}

#[cfg(unix)]
fn without_waiting(path: &Path) -> Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

#[cfg(not(unix))]
fn without_waiting(path: &Path) -> Result<File> {
    File::open(path)
}
