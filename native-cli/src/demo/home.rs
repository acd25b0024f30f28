//! A home that lives as long as the demo.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A folder that is removed when this is dropped.
#[derive(Debug)]
pub(super) struct TemporaryHome {
    path: PathBuf,
}

impl TemporaryHome {
    pub(super) fn new() -> io::Result<Self> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let name = format!("hallpass-demo-{:016x}", u64::from_ne_bytes(random));
        let path = fs::canonicalize(std::env::temp_dir())?.join(name);
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path)?;
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What lies in it, a line for each file that is not empty (as locks are), without a secret.
    pub(super) fn contents(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.path) else { return Vec::new() };
        let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.sort();
        files.iter().filter_map(|path| describe(path)).collect()
    }
}

impl Drop for TemporaryHome {
    fn drop(&mut self) {
        // A folder that is left behind in the place for temporary things is no reason to fail.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// `auth.json  rw-------  2180 bytes: auth_mode, tokens (id_token, …)`
fn describe(path: &Path) -> Option<String> {
    let metadata = fs::symlink_metadata(path).ok().filter(|metadata| metadata.is_file() && metadata.len() > 0)?;
    let name = path.file_name()?.to_string_lossy().into_owned();
    let names = fs::read_to_string(path).ok().and_then(|text| names(&text));
    let names = names.map(|names| format!(": {names}")).unwrap_or_default();
    Some(format!("{name:<14} {}{:>5} bytes{names}", permissions(&metadata), metadata.len()))
}

/// The names of an object's members and of those within, as they stand in the file; what is no object has none.
fn names(text: &str) -> Option<String> {
    let Members(members) = serde_json::from_str(text).ok()?;
    let named = members.into_iter().map(|(name, value)| match names(value.get()) {
        Some(inner) => format!("{name} ({inner})"),
        None => name,
    });
    Some(named.collect::<Vec<_>>().join(", "))
}

/// An object in the order in which it was written.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(unix)]
fn permissions(metadata: &fs::Metadata) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode();
    let bits = (0..9).rev().zip("rwxrwxrwx".chars());
    bits.map(|(bit, letter)| if mode >> bit & 1 == 1 { letter } else { '-' }).chain([' ']).collect()
}

#[cfg(not(unix))]
fn permissions(_metadata: &fs::Metadata) -> String {
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_described_without_secrets_and_removed() {
        let home = TemporaryHome::new().unwrap();
        let path = home.path().to_owned();
        fs::write(
            path.join("auth.json"),
            r#"{"tokens":{"id_token":"s3cret","access_token":"s3cret"},"auth_mode":"chatgpt"}"#,
        )
        .unwrap();
        let text = home.contents().join("\n");
        assert!(text.starts_with("auth.json"), "{text}");
        assert!(text.ends_with("78 bytes: tokens (id_token, access_token), auth_mode"), "{text}");
        drop(home);
        assert!(!path.exists());
    }
}
