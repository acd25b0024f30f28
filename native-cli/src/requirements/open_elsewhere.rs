//! Opening the managed file where owners are not looked at: who may write it is for the folder's access list to say.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Opens the file; `None` where there is none.
pub(super) fn open(path: &Path) -> Result<Option<File>, String> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => return Err("it is not a regular file".to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    }
    File::open(path).map(Some).map_err(|error| error.to_string())
}
