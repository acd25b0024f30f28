//! A lock file: locked by the kernel for as long as it is open.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Error, ErrorKind};
use std::path::Path;
use std::time::Duration;

use hallpass_core::{LockFailure, LockTrouble};

use super::{NotHeld, Wait};

/// The pauses between two attempts.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(25);

/// Locks a file, which is made with this mode if there is none.
pub(super) fn take(path: &Path, mode: u32, wait: &Wait<'_>) -> Result<File, NotHeld> {
    let mut pause = SHORTEST;
    let mut file = open(path, mode)?;
    loop {
        match file.try_lock() {
            // Whoever removed the file or put another in its place has let others lock that one.
            Ok(()) if is_still_there(&file, path) => return Ok(file),
            Ok(()) => file = open(path, mode)?,
            Err(TryLockError::Error(error)) => return Err(failed(path, &error)),
            Err(TryLockError::WouldBlock) => {
                let held = || format!("{}: held by another process", path.display());
                std::thread::sleep(wait.pause(pause, &held)?);
                pause = (pause * 2).min(LONGEST);
            }
        }
    }
}

fn open(path: &Path, mode: u32) -> Result<File, NotHeld> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    restrict(&mut options, mode);
    loop {
        match options.open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            opened => return opened.map_err(|error| failed(path, &error)).and_then(|file| check(path, file)),
        }
        match options.clone().create_new(true).open(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(path, &error)),
            Ok(file) => {
                return hand_over(path, &file).map(|()| file).map_err(|error| failed(path, &error));
            }
        }
    }
}

fn check(path: &Path, file: File) -> Result<File, NotHeld> {
    let found = file.metadata().map_err(|error| failed(path, &error))?;
    if found.is_file() {
        return Ok(file);
    }
    let detail = format!("{}: not a regular file", path.display());
    Err(NotHeld::Failed(LockFailure { kind: LockTrouble::Other, detail }))
}

/// No link is followed, nothing is waited for, and what is made has this mode.
#[cfg(unix)]
pub(crate) fn restrict(options: &mut OpenOptions, mode: u32) {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    options.mode(mode).custom_flags(i32::try_from(flags.bits()).unwrap_or(0));
}

#[cfg(windows)]
pub(crate) fn restrict(_: &mut OpenOptions, _: u32) {}

/// What root makes in another user's home is this user's, so that they, and a Codex of theirs, can open it.
#[cfg(unix)]
pub(crate) fn hand_over(path: &Path, file: &File) -> std::io::Result<()> {
    let folder = File::open(path.parent().unwrap_or(path))?;
    crate::store::keep_owner(file, &folder)
}

#[cfg(windows)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere this can fail")]
pub(crate) fn hand_over(_: &Path, _: &File) -> std::io::Result<()> {
    Ok(())
}

/// Whether a path still names the file that is open.
#[cfg(unix)]
pub(crate) fn is_still_there(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), path.symlink_metadata()) {
        (Ok(held), Ok(named)) => (held.dev(), held.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// An open file cannot be replaced on Windows.
#[cfg(windows)]
pub(crate) fn is_still_there(_: &File, _: &Path) -> bool {
    true
}

fn failed(path: &Path, error: &Error) -> NotHeld {
    let kind = match error.kind() {
        ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::StorageFull
        | ErrorKind::QuotaExceeded => LockTrouble::Denied,
        _ if is_unsupported(error) => LockTrouble::Unsupported,
        _ => LockTrouble::Other,
    };
    NotHeld::Failed(LockFailure { kind, detail: format!("{}: {error}", path.display()) })
}

#[cfg(unix)]
fn is_unsupported(error: &Error) -> bool {
    use rustix::io::Errno;
    let Some(error) = Errno::from_io_error(error) else { return false };
    // The last two are one on Linux and two elsewhere.
    [Errno::NOLCK, Errno::BADF, Errno::NOSYS, Errno::NOTSUP, Errno::OPNOTSUPP].contains(&error)
}

#[cfg(windows)]
fn is_unsupported(error: &Error) -> bool {
    error.kind() == ErrorKind::Unsupported
}
