//! An operating system's error, sorted into the kinds of trouble that core tells apart.

use std::fmt::Display;
use std::io::{Error, ErrorKind};
use std::path::Path;

use hallpass_core::{StoreFailure, StoreTrouble};

/// What a store operation comes to.
pub(crate) type Result<T> = std::result::Result<T, StoreFailure>;

pub(crate) fn failure(kind: StoreTrouble, place: impl Display, cause: impl Display) -> StoreFailure {
    StoreFailure { kind, detail: format!("{place}: {cause}") }
}

pub(crate) fn at(path: &Path, kind: StoreTrouble, cause: impl Display) -> StoreFailure {
    failure(kind, path.display(), cause)
}

pub(crate) fn from_io(path: &Path, error: &Error) -> StoreFailure {
    let kind = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => StoreTrouble::Full,
        ErrorKind::ReadOnlyFilesystem => StoreTrouble::ReadOnly,
        ErrorKind::PermissionDenied => StoreTrouble::Denied,
        ErrorKind::ResourceBusy | ErrorKind::CrossesDevices | ErrorKind::ExecutableFileBusy | ErrorKind::WouldBlock => {
            StoreTrouble::Busy
        }
        ErrorKind::NotADirectory | ErrorKind::NotFound => StoreTrouble::NoHome,
        ErrorKind::IsADirectory => StoreTrouble::Unsafe,
        ErrorKind::TimedOut => StoreTrouble::TimedOut,
        _ => platform(error),
    };
    at(path, kind, error)
}

#[cfg(unix)]
fn platform(error: &Error) -> StoreTrouble {
    use rustix::io::Errno;
    match Errno::from_io_error(error) {
        // What open(2) says of a symbolic link that must not be followed, and of a socket.
        Some(Errno::LOOP | Errno::MLINK | Errno::NXIO) => StoreTrouble::Unsafe,
        _ => StoreTrouble::Other,
    }
}

#[cfg(windows)]
fn platform(error: &Error) -> StoreTrouble {
    const SHARING_VIOLATION: i32 = 32;
    const LOCK_VIOLATION: i32 = 33;
    match error.raw_os_error() {
        Some(SHARING_VIOLATION | LOCK_VIOLATION) => StoreTrouble::Busy,
        _ => StoreTrouble::Other,
    }
}
