//! Where the home lies: in a folder that is copied to other machines, on a drive that several share, or on one that
//! forgets.

use std::path::Path;

use super::{Case, Finding, Group};

pub(super) fn check(case: &Case) -> Vec<Finding> {
    let Some(home) = case.home.as_deref().filter(|home| home.is_dir()) else { return Vec::new() };
    let mut findings = Vec::new();
    findings.extend(carrier(home, &Path::exists, &Path::is_file).map(|carrier| judge_carrier(home, carrier)));
    findings.extend(file_system(home).map(|kind| judge_file_system(home, kind)));
    findings
}

/// What takes copies of a folder elsewhere.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Carrier {
    Service(&'static str),
    Repository,
}

/// Who takes copies of the home: known by the name of a folder above it, or by what a service leaves in its own.
fn carrier(home: &Path, exists: &dyn Fn(&Path) -> bool, is_file: &dyn Fn(&Path) -> bool) -> Option<Carrier> {
    home.ancestors().find_map(|folder| {
        let name = folder.file_name()?.to_string_lossy();
        let by_name = match name.as_ref() {
            "Dropbox" => "Dropbox",
            "Mobile Documents" | "com~apple~CloudDocs" => "iCloud Drive",
            "Google Drive" | "GoogleDrive" | "My Drive" => "Google Drive",
            "Nextcloud" | "ownCloud" => "Nextcloud",
            "CloudStorage" => "a cloud drive",
            "Box" | "Box Sync" => "Box",
            name if name.starts_with("OneDrive") => "OneDrive",
            name if name.starts_with("Dropbox (") => "Dropbox",
            _ => "",
        };
        let marked = |marker: &str| exists(&folder.join(marker));
        if !by_name.is_empty() {
            Some(Carrier::Service(by_name))
        } else if marked(".dropbox.cache") || is_file(&folder.join(".dropbox")) {
            // A `.dropbox` that is a folder is no such sign: it holds the service's own settings.
            Some(Carrier::Service("Dropbox"))
        } else if marked(".stfolder") {
            Some(Carrier::Service("Syncthing"))
        } else if marked(".nextcloudsync.log") || marked(".owncloudsync.log") {
            Some(Carrier::Service("Nextcloud"))
        } else if marked(".git") {
            Some(Carrier::Repository)
        } else {
            None
        }
    })
}

fn judge_carrier(home: &Path, carrier: Carrier) -> Finding {
    match carrier {
        Carrier::Service(name) => Group::Home.warning(
            "synchronised_folder",
            format!("{} is copied to other machines by {name}, and with it the session", home.display()),
            "keep the home elsewhere: set CODEX_HOME, or use `--home DIR`, and run `hallpass login` there",
        ),
        Carrier::Repository => Group::Home.note(
            "in_repository",
            format!("{} lies in a git repository, where credentials are easily committed", home.display()),
            "add it to `.gitignore`, or keep the home elsewhere",
        ),
    }
}

/// A kind of file system on which a home lives otherwise than on a disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Shared(&'static str),
    Windows,
    Volatile(&'static str),
}

fn judge_file_system(home: &Path, kind: Kind) -> Finding {
    let home = home.display();
    match kind {
        Kind::Shared(name) => Group::Home.warning(
            "network_file_system",
            format!("{home} is on a network drive ({name}): its locks may not reach the other machines that use it"),
            "give each machine a home of its own on a local disk: set CODEX_HOME, and run `hallpass login` there",
        ),
        Kind::Windows => Group::Home.warning(
            "windows_drive",
            format!("{home} is on a drive of Windows or of the host, which keeps no file modes"),
            "keep the home on the disk of this system: set CODEX_HOME",
        ),
        Kind::Volatile(name) => Group::Home.note(
            "volatile_file_system",
            format!("{home} is on {name}: the login is lost with it"),
            "mount a folder that stays, or seed each start",
        ),
    }
}

/// What statfs(2) says about where the home lies.
#[cfg(target_os = "linux")]
fn file_system(home: &Path) -> Option<Kind> {
    let magic = rustix::fs::statfs(home).ok()?.f_type;
    // Some of them have the highest bit set, and the type of the field differs between machines.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the numbers have 32 bits")]
    kind(magic as u32)
}

#[cfg(not(target_os = "linux"))]
fn file_system(_: &Path) -> Option<Kind> {
    None
}

/// The magic numbers of statfs(2).
#[cfg(target_os = "linux")]
fn kind(magic: u32) -> Option<Kind> {
    Some(match magic {
        0x6969 => Kind::Shared("NFS"),
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => Kind::Shared("SMB"),
        0x5346_414f | 0x6b41_4653 => Kind::Shared("AFS"),
        0x00c3_6400 => Kind::Shared("Ceph"),
        0x0102_1997 => Kind::Windows,
        0x0102_1994 => Kind::Volatile("a file system in memory"),
        0x794c_7630 => Kind::Volatile("the container's own layer"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_carries_a_home_away_is_known_by_name_and_by_mark() {
        for (home, marks, expected) in [
            ("/home/u/.codex", &[][..], None),
            ("/home/u/.codex", &["/home/u/.dropbox"], None),
            ("/home/u/Dropbox/.codex", &[], Some("Dropbox")),
            ("/home/u/Dropbox (Work)/x/.codex", &[], Some("Dropbox")),
            ("/home/u/stuff/.codex", &["/home/u/stuff/.dropbox.cache"], Some("Dropbox")),
            ("/Users/u/Library/Mobile Documents/com~apple~CloudDocs/codex", &[], Some("iCloud Drive")),
            ("/Users/u/Library/CloudStorage/X/codex", &[], Some("a cloud drive")),
            ("/c/Users/u/OneDrive - Example/codex", &[], Some("OneDrive")),
            ("/home/u/Google Drive/codex", &[], Some("Google Drive")),
            ("/home/u/sync/codex", &["/home/u/sync/.stfolder"], Some("Syncthing")),
            ("/home/u/cloud/codex", &["/home/u/cloud/.nextcloudsync.log"], Some("Nextcloud")),
        ] {
            let exists = |path: &Path| marks.iter().any(|mark| Path::new(mark) == path);
            let found = carrier(Path::new(home), &exists, &|_| false);
            assert_eq!(found, expected.map(Carrier::Service), "{home}");
        }
        let at = |path: &Path| path == Path::new("/r/.git");
        assert_eq!(carrier(Path::new("/r/codex"), &at, &|_| false), Some(Carrier::Repository));
        assert_eq!(
            carrier(Path::new("/d/codex"), &|_| false, &|path| path.ends_with("d/.dropbox")),
            Some(Carrier::Service("Dropbox"))
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn file_systems_are_told_apart() {
        for (magic, expected) in [
            (0x6969, Some("network_file_system")),
            (0xfe53_4d42, Some("network_file_system")),
            (0x0102_1997, Some("windows_drive")),
            (0x0102_1994, Some("volatile_file_system")),
            (0x794c_7630, Some("volatile_file_system")),
            (0xef53, None),
            (0x9123_683e, None),
        ] {
            let found = kind(magic).map(|kind| judge_file_system(Path::new("/h"), kind));
            assert_eq!(found.map(|finding| finding.report.code).as_deref(), expected, "{magic:x}");
        }
    }
}
