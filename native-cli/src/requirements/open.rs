//! Opening a file that only root can have written.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags};

/// As many links as Linux follows.
const LINKS: usize = 40;

/// Opens the file; `None` where there is none.
///
/// Every folder and every link on the way, and the file, must belong to root and be writable for nobody else: whoever
/// can put another file there can say what is permitted.
pub(super) fn open(path: &Path) -> Result<Option<File>, String> {
    match fs::symlink_metadata(path) {
        Ok(_) => {}
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return absent(path).map(|()| None);
        }
        Err(error) => return Err(error.to_string()),
    }
    let target = resolve(path)?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(&target, flags, Mode::empty()).map_err(|error| error.to_string())?);
    let found = file.metadata().map_err(|error| error.to_string())?;
    if !found.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    trust(&target, &found).map(|()| Some(file))
}

/// Where there is no file, nobody but root may be the reason. A folder that is not there either, or belongs to a root that
/// is none of this namespace's, is none.
fn absent(path: &Path) -> Result<(), String> {
    let Some(folder) = path.parent() else { return Ok(()) };
    let Ok(found) = fs::metadata(folder) else { return Ok(()) };
    let user = rustix::process::geteuid();
    if found.mode() & 0o022 != 0 || (found.uid() == user.as_raw() && !user.is_root()) {
        return Err(format!("it is not there, and others than root could have removed it from {}", folder.display()));
    }
    Ok(())
}

/// The path without links, each step of which is trusted.
fn resolve(path: &Path) -> Result<PathBuf, String> {
    let mut left: VecDeque<OsString> = path.components().map(|part| part.as_os_str().to_owned()).collect();
    let mut at = PathBuf::from("/");
    let mut links = 0;
    while let Some(name) = left.pop_front() {
        match Path::new(&name).components().next() {
            Some(Component::RootDir) => at = PathBuf::from("/"),
            Some(Component::ParentDir) => {
                at.pop();
                continue;
            }
            Some(Component::Normal(_)) => at.push(&name),
            Some(Component::CurDir | Component::Prefix(_)) | None => continue,
        }
        let found = fs::symlink_metadata(&at).map_err(|error| format!("{}: {error}", at.display()))?;
        trust(&at, &found)?;
        if found.is_symlink() {
            links += 1;
            if links > LINKS {
                return Err("too many symbolic links".to_owned());
            }
            let target = fs::read_link(&at).map_err(|error| format!("{}: {error}", at.display()))?;
            at.pop();
            for part in target.components().rev() {
                left.push_front(part.as_os_str().to_owned());
            }
        }
    }
    Ok(at)
}

fn trust(path: &Path, found: &Metadata) -> Result<(), String> {
    if found.uid() != 0 {
        return Err(format!("{} belongs to another user than root (uid {})", path.display(), found.uid()));
    }
    // A link's own mode says nothing.
    if !found.is_symlink() && found.mode() & 0o022 != 0 {
        return Err(format!("{} can be written by others than root", path.display()));
    }
    Ok(())
}
