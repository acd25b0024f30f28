//! Signals and the end of a tool, as Unix has them.

use std::io::{self, IsTerminal as _};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use nix::sys::signal::{SigSet, Signal};
use rustix::process::{Pid, WaitId, WaitIdOptions, getpid, kill_process, waitid};

use super::Ending;
use crate::Cancellation;

/// What is passed on. A terminal sends some of it to the tool as well, which is in the same process group: that is not
/// passed on a second time.
const CAUGHT: [Signal; 9] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGWINCH,
    Signal::SIGTSTP,
    Signal::SIGCONT,
];

/// The signals of this process, from its making on: before there is a tool they are a wish to stop, then they are the
/// tool's.
#[derive(Debug)]
pub struct Watch {
    subject: Arc<Mutex<Subject>>,
    /// The mask that the tool starts with.
    before: SigSet,
}

/// Whom signals are for.
#[derive(Debug)]
enum Subject {
    Ourselves(Cancellation),
    Tool(Pid),
    Nobody,
}

/// A signal that has come.
#[derive(Clone, Copy, Debug)]
struct Caught {
    signal: Signal,
    /// Whether the tool has got it as well.
    is_shared: bool,
    /// Who has sent it, where that is known.
    sender: Option<i32>,
}

impl Watch {
    /// Begins. The process must have no other thread yet: one that is there keeps dying of signals.
    ///
    /// # Errors
    /// When signals cannot be waited for here.
    pub fn begin(cancellation: &Cancellation) -> io::Result<Self> {
        let before = SigSet::thread_get_mask()?;
        let mut signals = SigSet::empty();
        for signal in CAUGHT {
            signals.add(signal);
        }
        signals.thread_block()?;
        let subject = Arc::new(Mutex::new(Subject::Ourselves(cancellation.clone())));
        let arriving = Arriving::new(signals)?;
        let heard = Arc::clone(&subject);
        thread::Builder::new().name("hallpass-signals".to_owned()).spawn(move || {
            while let Ok(caught) = arriving.next() {
                pass_on(&lock(&heard), caught);
            }
        })?;
        Ok(Self { subject, before })
    }

    /// Starts a tool. From here on signals are its.
    ///
    /// # Errors
    /// As for [`Command::spawn`].
    pub fn start(&self, command: &mut Command) -> io::Result<Child> {
        // A signal that comes now waits until it is known whose it is.
        let mut subject = lock(&self.subject);
        unblock(command, self.before);
        let child = command.spawn()?;
        *subject = Subject::Tool(pid(&child)?);
        Ok(child)
    }

    /// Waits for the end of the tool. Where it is stopped at a terminal this process stops with it, so that the shell
    /// takes the terminal back, and goes on with it.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn wait(&self, child: &mut Child) -> io::Result<Ending> {
        let tool = pid(child)?;
        let wait = |options| loop {
            match waitid(WaitId::Pid(tool), options) {
                Err(rustix::io::Errno::INTR) => {}
                waited => return waited,
            }
        };
        loop {
            let peek = WaitIdOptions::EXITED | WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT;
            let Some(status) = wait(peek)? else { continue };
            if status.stopped() {
                let is_still = wait(WaitIdOptions::STOPPED | WaitIdOptions::NOHANG)?.is_some();
                if is_still && has_terminal() {
                    kill_process(getpid(), rustix::process::Signal::STOP)?;
                }
                continue;
            }
            // Its number may be another process's as soon as it is reaped.
            *lock(&self.subject) = Subject::Nobody;
            wait(WaitIdOptions::EXITED)?;
            let signal = status.terminating_signal();
            return Ok(signal.map_or_else(|| Ending::Code(status.exit_status().unwrap_or(1)), Ending::Signal));
        }
    }
}

impl Ending {
    /// Ends this process as the tool has ended: whoever waits for it shall see no difference. Returns where that
    /// cannot be, or the tool has exited.
    pub fn die_of_it(self) {
        let Self::Signal(number) = self else { return };
        let Some(signal) = rustix::process::Signal::from_named_raw(number) else { return };
        // The tool has left a core, or not; one of ours helps nobody.
        let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
        let _ = rustix::process::setrlimit(rustix::process::Resource::Core, none);
        if let Ok(signal) = Signal::try_from(number) {
            let mut signals = SigSet::empty();
            signals.add(signal);
            let _ = signals.thread_unblock();
        }
        let _ = kill_process(getpid(), signal);
    }
}

fn pass_on(subject: &Subject, caught: Caught) {
    match subject {
        Subject::Ourselves(cancellation) => match caught.signal {
            Signal::SIGTSTP => {
                let _ = kill_process(getpid(), rustix::process::Signal::STOP);
            }
            Signal::SIGHUP | Signal::SIGINT | Signal::SIGQUIT | Signal::SIGTERM => cancellation.cancel(),
            _ => {}
        },
        // A tool that stops or ends its whole process group has counted itself.
        Subject::Tool(tool) if caught.is_shared || caught.sender == Some(tool.as_raw_nonzero().get()) => {}
        Subject::Tool(tool) => {
            if let Some(signal) = rustix::process::Signal::from_named_raw(caught.signal as i32) {
                let _ = kill_process(*tool, signal);
            }
        }
        Subject::Nobody => {}
    }
}

/// Gives the tool a mask of its own, which it would inherit from this process.
#[allow(unsafe_code, reason = "what runs between fork and exec sets a mask that is at hand, and allocates nothing")]
fn unblock(command: &mut Command, before: SigSet) {
    use std::os::unix::process::CommandExt as _;
    unsafe {
        command.pre_exec(move || Ok(before.thread_set_mask()?));
    }
}

fn pid(child: &Child) -> io::Result<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(|| io::Error::other("no process"))
}

fn has_terminal() -> bool {
    io::stdin().is_terminal() || io::stdout().is_terminal() || io::stderr().is_terminal()
}

fn lock(subject: &Mutex<Subject>) -> MutexGuard<'_, Subject> {
    subject.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The signals as they come, with what the kernel knows of each.
#[cfg(target_os = "linux")]
struct Arriving(nix::sys::signalfd::SignalFd);

#[cfg(target_os = "linux")]
impl Arriving {
    fn new(signals: SigSet) -> nix::Result<Self> {
        use nix::sys::signalfd::{SfdFlags, SignalFd};
        SignalFd::with_flags(&signals, SfdFlags::SFD_CLOEXEC).map(Self)
    }

    fn next(&self) -> io::Result<Caught> {
        loop {
            match self.0.read_signal() {
                Err(nix::Error::EINTR) | Ok(None) => {}
                Err(error) => return Err(error.into()),
                Ok(Some(found)) => {
                    let number = i32::try_from(found.ssi_signo).unwrap_or(0);
                    let Ok(signal) = Signal::try_from(number) else { continue };
                    // The kernel sends by itself what a terminal says, to the whole group (sigaction(2), SI_KERNEL).
                    let is_shared = found.ssi_code > 0;
                    let sender = (!is_shared).then(|| i32::try_from(found.ssi_pid).unwrap_or(0));
                    return Ok(Caught { signal, is_shared, sender });
                }
            }
        }
    }
}

/// The signals as they come. Who has sent one cannot be asked here: what a terminal sends is taken to come from it for
/// as long as this process is in its foreground.
#[cfg(not(target_os = "linux"))]
struct Arriving(SigSet);

#[cfg(not(target_os = "linux"))]
impl Arriving {
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere this can fail")]
    fn new(signals: SigSet) -> nix::Result<Self> {
        Ok(Self(signals))
    }

    fn next(&self) -> io::Result<Caught> {
        let signal = self.0.wait()?;
        let from_terminal =
            matches!(signal, Signal::SIGINT | Signal::SIGQUIT | Signal::SIGTSTP | Signal::SIGWINCH | Signal::SIGHUP);
        Ok(Caught { signal, is_shared: from_terminal && is_in_foreground(), sender: None })
    }
}

#[cfg(not(target_os = "linux"))]
fn is_in_foreground() -> bool {
    let Ok(terminal) = std::fs::File::open("/dev/tty") else { return false };
    rustix::termios::tcgetpgrp(&terminal).is_ok_and(|group| group == rustix::process::getpgrp())
}
