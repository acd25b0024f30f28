//! Reads the variables, and the files they name, that may hold a credential.

use std::env;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use hallpass_core::{Configuration, Environment, FileContents, Secret};
use zeroize::Zeroizing;

use crate::regular_file;

/// The most that a file with an identity token may hold.
const MOST: u64 = 64 * 1024;

/// What this process's environment says about credentials, as far as it matters to this configuration. Files are read
/// anew each time.
#[must_use]
pub fn look(configuration: &Configuration) -> Environment {
    Environment::gather(configuration, &variable, &file)
}

/// What is not text is no credential either, which the core says when it is needed.
fn variable(name: &str) -> Option<Secret> {
    env::var_os(name).map(|value| Secret::new(value.to_string_lossy()))
}

fn file(path: &str) -> Option<FileContents> {
    let unreadable = |why: &dyn std::fmt::Display| Some(FileContents::Unreadable(format!("{path}: {why}")));
    let file = match regular_file::open(Path::new(path)) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => return unreadable(&error),
    };
    let mut text = Zeroizing::new(String::new());
    match file.take(MOST + 1).read_to_string(&mut text) {
        Ok(_) if text.len() as u64 > MOST => unreadable(&"it is larger than 64 KiB"),
        Ok(_) => Some(FileContents::Read(Secret::new(text.as_str()))),
        Err(error) => unreadable(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let folder = env::temp_dir().join(format!("hallpass-environment-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("token").display().to_string();
        assert_eq!(file(&path), None);
        std::fs::write(&path, "canary\n").unwrap();
        assert_eq!(file(&path), Some(FileContents::Read("canary\n".into())));
        for contents in [vec![b'x'; 64 * 1024 + 1], vec![0xff, 0xfe]] {
            std::fs::write(&path, contents).unwrap();
            let Some(FileContents::Unreadable(why)) = file(&path) else { panic!("it was read") };
            assert!(why.contains(&path), "{why}");
        }
        assert!(matches!(file(&folder.display().to_string()), Some(FileContents::Unreadable(_))));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
