//! Files on Unix: opened without following links, replaced through a folder's descriptor.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File, Permissions};
use std::io::{Error, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use hallpass_core::StoreTrouble;
use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Stat, Uid};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::super::failure::{Result, at, from_io};
use super::{folder_of, temporary_name};

const READ: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC).union(OFlags::NOCTTY);
const ONLY_OWNER: Mode = Mode::RUSR.union(Mode::WUSR);

/// What is under a path.
pub(in crate::store) enum Found {
    Nothing,
    Link,
    File(Opened),
}

/// A regular file, of an owner who is trusted.
pub(in crate::store) struct Opened {
    pub(in crate::store) file: File,
    pub(in crate::store) size: u64,
    path: PathBuf,
    stat: Stat,
}

/// Opens what is under a path for reading, or for reading and writing, without waiting and without following
/// a link in its last step.
pub(in crate::store) fn open(path: &Path, writable: bool) -> Result<Found> {
    let access = if writable { OFlags::RDWR } else { OFlags::RDONLY };
    let file = match rustix::fs::open(path, READ | access, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(Found::Nothing),
        Err(Errno::LOOP | Errno::MLINK) if path.is_symlink() => return Ok(Found::Link),
        Err(error) => return Err(from_io(path, &error.into())),
    };
    let stat = rustix::fs::fstat(&file).map_err(|error| from_io(path, &error.into()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(at(path, StoreTrouble::Unsafe, "not a regular file"));
    }
    let user = geteuid();
    if stat.st_uid != user.as_raw()
        && stat.st_uid != 0
        && !(user.is_root() && owner_of_folder(path) == Some(stat.st_uid))
    {
        return Err(at(path, StoreTrouble::Unsafe, format_args!("belongs to another user (uid {})", stat.st_uid)));
    }
    Ok(Found::File(Opened { size: u64::try_from(stat.st_size).unwrap_or(0), file, path: path.to_owned(), stat }))
}

/// Root in a container works on the home of the user outside: the files there stay that user's.
fn owner_of_folder(path: &Path) -> Option<u32> {
    rustix::fs::stat(folder_of(path)).ok().map(|stat| stat.st_uid)
}

impl Opened {
    /// Whether every user of this machine may write into it.
    pub(in crate::store) fn is_writable_by_all(&self) -> bool {
        Mode::from_raw_mode(self.stat.st_mode).contains(Mode::WOTH)
    }

    /// Whether this file may be replaced by another of the same name.
    pub(in crate::store) fn check_replaceable(&self) -> Result<()> {
        let refuse = |kind, cause| Err(at(&self.path, kind, cause));
        if self.stat.st_nlink > 1 {
            return refuse(StoreTrouble::Unsafe, "atomic replacement does not support hard-linked files");
        }
        if !Mode::from_raw_mode(self.stat.st_mode).contains(Mode::WUSR) {
            return refuse(StoreTrouble::ReadOnly, "the file is read-only");
        }
        if self.stat.st_uid == 0 && !geteuid().is_root() {
            return refuse(StoreTrouble::Denied, "the file belongs to root");
        }
        Ok(())
    }
}

/// An open folder, in which files are replaced and removed.
pub(in crate::store) struct Folder {
    folder: File,
    path: PathBuf,
}

impl Folder {
    /// Opens a folder that exists.
    pub(in crate::store) fn open(path: &Path) -> Result<Option<Self>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(folder) => Ok(Some(Self { folder: folder.into(), path: path.to_owned() })),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(from_io(path, &error.into())),
        }
    }

    /// Puts a file there in one durable step: what is read under its name is the old contents or the new.
    pub(in crate::store) fn replace(&self, name: &OsStr, contents: &[u8]) -> Result<()> {
        let temporary = temporary_name(name);
        let failed = |error: Error| from_io(&self.path.join(name), &error);
        self.write(&temporary, contents)
            .and_then(|()| Ok(rustix::fs::renameat(&self.folder, &temporary, &self.folder, name)?))
            .map_err(|error| {
                let _ = self.unlink(&temporary);
                failed(error)
            })?;
        self.sync()
    }

    fn write(&self, temporary: &OsStr, contents: &[u8]) -> std::io::Result<()> {
        let mut file = match self.create(temporary) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                self.unlink(temporary)?;
                self.create(temporary)
            }
            created => created,
        }?;
        // The mode given at creation has lost what the umask forbids.
        rustix::fs::fchmod(&file, ONLY_OWNER)?;
        keep_owner(&file, &self.folder)?;
        file.write_all(contents)?;
        file.sync_all()
    }

    fn create(&self, temporary: &OsStr) -> std::io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&self.folder, temporary, flags, ONLY_OWNER)?.into())
    }

    /// Removes a file; `false` when there is none.
    pub(in crate::store) fn remove(&self, name: &OsStr) -> Result<bool> {
        self.unlink(name).map_err(|error| from_io(&self.path.join(name), &error))
    }

    fn unlink(&self, name: &OsStr) -> std::io::Result<bool> {
        match rustix::fs::unlinkat(&self.folder, name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            // Linux says so before it looks whether there is such a file.
            Err(Errno::ROFS) if self.lacks(name) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn lacks(&self, name: &OsStr) -> bool {
        matches!(rustix::fs::statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW), Err(Errno::NOENT))
    }

    /// Makes renaming and removing durable. Some file systems have nothing to do for that and say so.
    pub(in crate::store) fn sync(&self) -> Result<()> {
        match self.folder.sync_all() {
            Err(error) if error.kind() == ErrorKind::InvalidInput || error.kind() == ErrorKind::Unsupported => Ok(()),
            synced => synced.map_err(|error| from_io(&self.path, &error)),
        }
    }
}

/// Writes within a file, durably, and leaves the rest of it as it is.
pub(in crate::store) fn write_at(opened: &Opened, contents: &[u8], offset: u64) -> Result<()> {
    let written = opened.file.write_all_at(contents, offset).and_then(|()| opened.file.sync_all());
    written.map_err(|error| from_io(&opened.path, &error))
}

/// Gives what root made in another user's folder to that user.
pub(crate) fn keep_owner(file: &File, folder: &File) -> std::io::Result<()> {
    if geteuid().is_root() {
        let stat = rustix::fs::fstat(folder)?;
        if stat.st_uid != 0 {
            rustix::fs::fchown(file, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)))?;
        }
    }
    Ok(())
}

/// Makes the home if it is missing, for its owner alone, and makes that durable.
pub(crate) fn create_home(home: &Path) -> Result<()> {
    if home.is_dir() {
        return Ok(());
    }
    let cannot = |error: Error| at(home, StoreTrouble::NoHome, error);
    if home.as_os_str().is_empty() {
        return Err(at(home, StoreTrouble::NoHome, "no folder is named"));
    }
    DirBuilder::new().recursive(true).mode(0o700).create(home).map_err(cannot)?;
    std::fs::set_permissions(home, Permissions::from_mode(0o700)).map_err(cannot)?;
    match Folder::open(folder_of(home)) {
        Ok(Some(parent)) => parent.sync(),
        // A parent that cannot be read cannot be synced either; the home is there all the same.
        Ok(None) | Err(_) => Ok(()),
    }
}

/// Whether a file is mounted there by itself (as containers do), so that nothing can take its place.
#[cfg(target_os = "linux")]
pub(crate) fn is_mount_point(path: &Path) -> bool {
    use rustix::fs::{CWD, StatxAttributes, StatxFlags};
    match rustix::fs::statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS) {
        Ok(found) if found.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT) => {
            found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)
        }
        Err(Errno::NOENT) => false,
        Ok(_) | Err(_) => is_listed_mount(path),
    }
}

/// The same question to a kernel before 5.8: whether the list of mounts has it.
#[cfg(target_os = "linux")]
fn is_listed_mount(path: &Path) -> bool {
    use std::os::unix::ffi::OsStrExt;
    let (Ok(list), Ok(path)) = (std::fs::read("/proc/self/mountinfo"), path.canonicalize()) else { return false };
    let path: Vec<u8> = path
        .as_os_str()
        .as_bytes()
        .iter()
        .flat_map(|&byte| match byte {
            b' ' | b'\t' | b'\n' | b'\\' => format!("\\{byte:03o}").into_bytes(),
            _ => vec![byte],
        })
        .collect();
    list.split(|&byte| byte == b'\n').any(|line| line.split(|&byte| byte == b' ').nth(4) == Some(&path[..]))
}

/// Whether a file is mounted there by itself, so that nothing can take its place.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_mount_point(path: &Path) -> bool {
    match (rustix::fs::lstat(path), rustix::fs::stat(folder_of(path))) {
        (Ok(file), Ok(folder)) => file.st_dev != folder.st_dev,
        _ => false,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_found_either_way() {
        for (path, mounted) in [("/proc", true), ("/proc/self", false), ("/nonexistent", false)] {
            assert_eq!(is_mount_point(Path::new(path)), mounted, "{path}");
        }
        assert!(is_listed_mount(Path::new("/proc")));
        assert!(!is_listed_mount(Path::new("/proc/self/stat")));
    }
}
