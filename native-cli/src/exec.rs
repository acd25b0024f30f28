//! Running a tool as its parent: it has the terminal and hears of signals as if nobody stood in between, and its home is
//! kept fresh for as long as it runs.

mod keeper;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

pub use keeper::{CODEX_WINDOW, Keeper};
#[cfg(unix)]
pub use unix::Watch;
#[cfg(windows)]
pub use windows::Watch;

/// How a tool has ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// With an exit code.
    Code(i32),
    /// By a signal, with its number.
    Signal(i32),
}

impl Ending {
    /// The exit code that a shell gives it.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => 128 + signal,
        }
    }
}
