//! Whether the locks of the home work, and who holds them.

use std::path::Path;
use std::time::Duration;

use hallpass_core::{Event, Lock, LockFailure, LockTrouble};

use super::{Case, Finding, Group, Level};
use crate::Locks;

pub(super) fn check(case: &Case) -> Vec<Finding> {
    let Some(home) = &case.home else { return Vec::new() };
    // Where nothing has run yet there are no lock files, and this is not the time to make them.
    let known = [(Lock::Transaction, &["hallpass.lock"][..]), (Lock::Commit, &["auth.lock", "auth.json.lock"])];
    let known: Vec<_> =
        known.into_iter().filter(|(_, files)| files.iter().all(|file| home.join(file).exists())).collect();
    let findings: Vec<_> = known
        .iter()
        .filter_map(|(lock, files)| match Locks::new(home.clone()).lock(*lock, Duration::ZERO, &|| false) {
            Event::LockFailed(failure) => {
                Some(judge(failure, files.iter().find_map(|file| holder(&home.join(file))).as_deref()))
            }
            _ => None,
        })
        .collect();
    if findings.is_empty() && !known.is_empty() {
        return vec![Group::Home.ok("locks", "the locks work, and nobody holds them")];
    }
    findings
}

fn judge(failure: LockFailure, holder: Option<&str>) -> Finding {
    match failure.kind {
        LockTrouble::Busy => Group::Home.note(
            "lock_held",
            format!("{} renews or saves this session right now", holder.unwrap_or("another process")),
            "wait a moment; if it stays so, see what that process is waiting for",
        ),
        LockTrouble::Unsupported => Group::Home.of(Level::Warning, hallpass_core::Local::Lock(failure)),
        LockTrouble::Denied | LockTrouble::Other => Group::Home.of(Level::Problem, hallpass_core::Local::Lock(failure)),
    }
}

/// The process that holds a lock on a file, where the system tells it: its name and id.
#[cfg(target_os = "linux")]
fn holder(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let inode = path.metadata().ok()?.ino();
    let table = std::fs::read_to_string("/proc/locks").ok()?;
    let process = table.lines().find_map(|line| holding_process(line, inode))?;
    Some(crate::listener::process_name(process))
}

#[cfg(not(target_os = "linux"))]
fn holder(_: &Path) -> Option<String> {
    None
}

/// The process of a line of `/proc/locks`, if it is about this file: `1: FLOCK ADVISORY WRITE 4711 08:01:131 0 EOF`.
#[cfg(target_os = "linux")]
fn holding_process(line: &str, inode: u64) -> Option<u32> {
    let mut fields = line.split_whitespace().skip_while(|field| !["READ", "WRITE"].contains(field)).skip(1);
    let process = fields.next()?.parse().ok()?;
    let (_, found) = fields.next()?.rsplit_once(':')?;
    (found.parse() == Ok(inode) && !line.contains("->")).then_some(process)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn lines_of_the_lock_table() {
        let line = "2: FLOCK  ADVISORY  WRITE 4711 00:2f:131 0 EOF";
        assert_eq!(holding_process(line, 131), Some(4711));
        assert_eq!(holding_process(line, 13), None);
        assert_eq!(
            holding_process("2: -> FLOCK  ADVISORY  WRITE 9 00:2f:131 0 EOF", 131),
            None,
            "who waits holds nothing"
        );
        assert_eq!(holding_process("", 131), None);
    }

    #[test]
    fn a_lock_that_is_held_is_no_problem_and_one_that_fails_is() {
        let judged = |kind| judge(LockFailure { kind, detail: "x".into() }, Some("codex (process 4711)"));
        let held = judged(LockTrouble::Busy);
        assert_eq!(held.level, Level::Note);
        assert!(held.report.message.starts_with("codex (process 4711)"));
        assert_eq!(judged(LockTrouble::Unsupported).level, Level::Warning);
        assert_eq!(judged(LockTrouble::Denied).level, Level::Problem);
    }
}
