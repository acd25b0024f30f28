//! Taking turns within this process: a lock of a home is wanted by one thread at a time.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hallpass_core::Lock;

use super::{NotHeld, Wait};

static TAKEN: LazyLock<Mutex<HashSet<(PathBuf, Lock)>>> = LazyLock::new(Mutex::default);
static GIVEN_BACK: Condvar = Condvar::new();

/// How often a waiting thread looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(25);

/// A turn, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Turn(PathBuf, Lock);

pub(super) fn take(home: &Path, lock: Lock, wait: &Wait<'_>) -> Result<Turn, NotHeld> {
    let home = home.canonicalize().unwrap_or_else(|_| home.to_owned());
    let mut taken = taken();
    while taken.contains(&(home.clone(), lock)) {
        let pause = wait.pause(LOOK, &|| format!("{}: held by another thread of this process", home.display()))?;
        taken = GIVEN_BACK.wait_timeout(taken, pause).unwrap_or_else(PoisonError::into_inner).0;
    }
    taken.insert((home.clone(), lock));
    Ok(Turn(home, lock))
}

impl Drop for Turn {
    fn drop(&mut self) {
        taken().remove(&(std::mem::take(&mut self.0), self.1));
        GIVEN_BACK.notify_all();
    }
}

fn taken() -> MutexGuard<'static, HashSet<(PathBuf, Lock)>> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}
