//! Processes that are looked after: started, watched, signalled, and never left behind.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::stage::until;
use crate::support::Ran;

/// A process that runs; killed if the test forgets it.
pub(crate) struct Running(Option<Child>);

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(Some(command.spawn().unwrap()))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.as_ref().unwrap().id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        signal_to(self.id(), signal);
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.as_mut().unwrap().try_wait().unwrap().is_some()
    }

    /// How it ends, within so much time.
    #[track_caller]
    pub(crate) fn finish(mut self, within: Duration) -> Ran {
        let end = Instant::now() + within;
        while !self.has_ended() {
            assert!(Instant::now() < end, "still running after {within:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
        Ran::of(self.0.take().unwrap().wait_with_output().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

pub(crate) fn signal_to(process: u32, signal: Signal) {
    let process = Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
    kill_process(process, signal).unwrap();
}

/// Waits until a process has this file open.
#[track_caller]
pub(crate) fn wait_for_open(process: u32, path: &Path) {
    until(|| has_open(process, path), "a file to be opened");
}

/// Waits until each of these processes has this file open.
#[track_caller]
pub(crate) fn wait_for_all_to_open(processes: &[Running], path: &Path) {
    for process in processes {
        wait_for_open(process.id(), path);
    }
}

fn has_open(process: u32, path: &Path) -> bool {
    let Ok(descriptors) = std::fs::read_dir(format!("/proc/{process}/fd")) else { return false };
    descriptors.flatten().any(|entry| std::fs::read_link(entry.path()).is_ok_and(|target| target == path))
}

/// The process that another has started.
#[track_caller]
pub(crate) fn child_of(process: u32) -> u32 {
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap();
    children.split_whitespace().next().unwrap().parse().unwrap()
}

/// Whether a process is stopped, and not for a moment only.
pub(crate) fn is_stopped(process: u32) -> bool {
    (0..20).all(|_| {
        std::thread::sleep(Duration::from_millis(2));
        let status = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        status.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['T', 't']))
    })
}

/// Does these jobs a few at a time: most of them wait.
pub(crate) fn side_by_side<T: Send>(jobs: Vec<T>, work: impl Fn(T) + Sync) {
    let jobs = Mutex::new(jobs.into_iter());
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                loop {
                    let job = jobs.lock().unwrap().next();
                    let Some(job) = job else { return };
                    work(job);
                }
            });
        }
    });
}
