//! Locks between threads and between processes.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::process::Command;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use hallpass::Locks;
use hallpass_core::{Event, Lock, LockTrouble};

use crate::child::{Process, plain};
use crate::{Sandbox, is_root, mode};

const NEVER: &dyn Fn() -> bool = &|| false;
const SOON: Duration = Duration::from_millis(100);
const LATE: Duration = Duration::from_secs(20);

#[track_caller]
fn assert_refused(event: &Event, kind: LockTrouble) {
    assert!(matches!(event, Event::LockFailed(failure) if failure.kind == kind), "{event:?}");
}

#[test]
fn lock_files_are_made_once_and_stay() {
    let sandbox = Sandbox::new();
    let mut locks = Locks::new(sandbox.home());
    for _ in 0..2 {
        assert_eq!(locks.lock(Lock::Transaction, SOON, NEVER), Event::Locked);
        assert_eq!(locks.lock(Lock::Commit, SOON, NEVER), Event::Locked);
        assert_refused(&locks.lock(Lock::Commit, SOON, NEVER), LockTrouble::Other);
        assert_eq!(locks.unlock(Lock::Commit), Event::Unlocked);
        assert_eq!(locks.unlock(Lock::Commit), Event::Unlocked);
        assert_eq!(locks.unlock(Lock::Transaction), Event::Unlocked);
        fs::write(sandbox.file("hallpass.lock"), "left by whoever").unwrap();
    }
    assert_eq!(sandbox.names(), ["auth.json.lock", "auth.lock", "hallpass.lock"]);
    assert_eq!(mode(&sandbox.home()), 0o700);
    assert_eq!(mode(&sandbox.file("hallpass.lock")), 0o600);
    assert_eq!(mode(&sandbox.file("auth.json.lock")), 0o600);
    assert_eq!(mode(&sandbox.file("auth.lock")), 0o644);
    assert_eq!(fs::read(sandbox.file("hallpass.lock")).unwrap(), b"left by whoever");
}

#[test]
fn another_process_is_waited_for_until_the_deadline() {
    let sandbox = Sandbox::new();
    let mut other = Process::start(plain(), &sandbox.home());
    for (lock, name) in [(Lock::Transaction, "transaction"), (Lock::Commit, "commit")] {
        assert_eq!(other.tell(&format!("lock {name} 0")), "locked");
        let mut locks = Locks::new(sandbox.home());
        let start = Instant::now();
        assert_refused(&locks.lock(lock, SOON, NEVER), LockTrouble::Busy);
        assert!(start.elapsed() >= SOON && start.elapsed() < Duration::from_secs(2));
        assert_eq!(other.tell(&format!("unlock {name}")), "unlocked");
        assert_eq!(locks.lock(lock, SOON, NEVER), Event::Locked);
        assert!(other.tell(&format!("lock {name} 50")).starts_with("Busy "));
        drop(locks);
        assert_eq!(other.tell(&format!("lock {name} 50")), "locked");
    }
}

#[test]
fn a_lock_dies_with_its_holder_and_not_before() {
    let sandbox = Sandbox::new();
    let mut other = Process::start(plain(), &sandbox.home());
    assert_eq!(other.tell("lock transaction 0"), "locked");
    let id = other.id().to_string();
    assert!(Command::new("kill").args(["-STOP", &id]).status().unwrap().success());
    let mut locks = Locks::new(sandbox.home());
    assert_refused(&locks.lock(Lock::Transaction, Duration::from_millis(300), NEVER), LockTrouble::Busy);
    other.kill();
    assert_eq!(locks.lock(Lock::Transaction, SOON, NEVER), Event::Locked);
}

#[test]
fn a_lock_is_not_inherited() {
    let sandbox = Sandbox::new();
    let mut other = Process::start(plain(), &sandbox.home());
    assert_eq!(other.tell("lock transaction 0"), "locked");
    assert_eq!(other.tell("lock commit 0"), "locked");
    let grandchild = other.tell("spawn 30");
    other.kill();
    let mut locks = Locks::new(sandbox.home());
    let taken = [locks.lock(Lock::Transaction, SOON, NEVER), locks.lock(Lock::Commit, SOON, NEVER)];
    assert!(Command::new("kill").arg(&grandchild).status().unwrap().success(), "it was still running");
    assert_eq!(taken, [Event::Locked, Event::Locked]);
}

#[test]
fn half_a_commit_lock_is_given_back() {
    let sandbox = Sandbox::with_home();
    let codex = fs::File::create(sandbox.file("auth.json.lock")).unwrap();
    codex.lock().unwrap();
    let mut locks = Locks::new(sandbox.home());
    assert_refused(&locks.lock(Lock::Commit, SOON, NEVER), LockTrouble::Busy);
    fs::File::open(sandbox.file("auth.lock")).unwrap().try_lock().unwrap();
    drop(codex);
    assert_eq!(locks.lock(Lock::Commit, SOON, NEVER), Event::Locked);
    for name in ["auth.lock", "auth.json.lock"] {
        assert!(fs::File::open(sandbox.file(name)).unwrap().try_lock().is_err(), "{name}");
    }
}

#[test]
fn a_linked_record_is_locked_where_it_is() {
    let sandbox = Sandbox::with_home();
    fs::write(sandbox.0.join("credentials"), "{}").unwrap();
    symlink("../credentials", sandbox.file("auth.json")).unwrap();
    let mut locks = Locks::new(sandbox.home());
    assert_eq!(locks.lock(Lock::Commit, SOON, NEVER), Event::Locked);
    assert!(fs::File::open(sandbox.0.join("credentials.lock")).unwrap().try_lock().is_err());
    assert_eq!(sandbox.names(), ["auth.json", "auth.lock"]);
}

#[test]
fn a_lock_file_that_was_replaced_is_locked_anew() {
    let sandbox = Sandbox::with_home();
    let path = sandbox.file("hallpass.lock");
    let holder = fs::File::create(&path).unwrap();
    holder.lock().unwrap();
    let started = Barrier::new(2);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut locks = Locks::new(sandbox.home());
            started.wait();
            let event = locks.lock(Lock::Transaction, LATE, NEVER);
            assert!(fs::File::open(&path).unwrap().try_lock().is_err(), "what is there now is locked");
            event
        });
        started.wait();
        std::thread::sleep(Duration::from_millis(60));
        fs::remove_file(&path).unwrap();
        let newcomer = fs::File::create(&path).unwrap();
        newcomer.lock().unwrap();
        drop(holder);
        std::thread::sleep(Duration::from_millis(60));
        assert!(!waiting.is_finished());
        drop(newcomer);
        assert_eq!(waiting.join().unwrap(), Event::Locked);
    });
}

#[test]
fn threads_take_turns() {
    let sandbox = Sandbox::new();
    let (inside, done) = (AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for lock in [Lock::Transaction, Lock::Commit, Lock::Transaction] {
                    let mut locks = Locks::new(sandbox.0.join("home/../home"));
                    fs::create_dir_all(sandbox.home()).unwrap();
                    assert_eq!(locks.lock(Lock::Transaction, LATE, NEVER), Event::Locked);
                    if lock == Lock::Commit {
                        assert_eq!(locks.lock(lock, LATE, NEVER), Event::Locked);
                    }
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    std::thread::sleep(Duration::from_millis(1));
                    inside.fetch_sub(1, Ordering::SeqCst);
                    done.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(done.into_inner(), 24);
}

#[test]
fn whoever_gives_up_waiting_is_let_go() {
    let sandbox = Sandbox::new();
    let mut holder = Locks::new(sandbox.home());
    assert_eq!(holder.lock(Lock::Transaction, SOON, NEVER), Event::Locked);
    let wanted = AtomicBool::new(true);
    let cancelled = || !wanted.load(Ordering::SeqCst);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| Locks::new(sandbox.home()).lock(Lock::Transaction, LATE, &cancelled_by(&wanted)));
        std::thread::sleep(Duration::from_millis(50));
        wanted.store(false, Ordering::SeqCst);
        assert_eq!(waiting.join().unwrap(), Event::Cancelled);
    });
    let mut other = Process::start(plain(), &sandbox.0.join("second"));
    assert_eq!(other.tell("lock transaction 0"), "locked");
    assert_eq!(Locks::new(sandbox.0.join("second")).lock(Lock::Transaction, LATE, &cancelled), Event::Cancelled);
    assert_refused(&Locks::new(sandbox.home()).lock(Lock::Transaction, Duration::ZERO, NEVER), LockTrouble::Busy);
}

fn cancelled_by(wanted: &AtomicBool) -> impl Fn() -> bool + '_ {
    move || !wanted.load(Ordering::SeqCst)
}

#[test]
fn a_lock_file_is_neither_a_link_nor_a_pipe() {
    let sandbox = Sandbox::with_home();
    fs::write(sandbox.0.join("victim"), "").unwrap();
    symlink("../victim", sandbox.file("hallpass.lock")).unwrap();
    assert_refused(&Locks::new(sandbox.home()).lock(Lock::Transaction, SOON, NEVER), LockTrouble::Other);
    let fifo = sandbox.file("auth.lock");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    assert_refused(&Locks::new(sandbox.home()).lock(Lock::Commit, SOON, NEVER), LockTrouble::Other);
}

#[test]
fn root_leaves_locks_that_the_owner_of_the_home_can_open() {
    // Nobody else can give a file away: where this is not root the rule has nothing to rule.
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::with_home();
    chown(sandbox.home(), Some(4321), Some(4321)).unwrap();
    let mut locks = Locks::new(sandbox.home());
    assert_eq!(locks.lock(Lock::Commit, SOON, NEVER), Event::Locked);
    for name in ["auth.lock", "auth.json.lock"] {
        assert_eq!(fs::metadata(sandbox.file(name)).unwrap().uid(), 4321, "{name}");
    }
}
