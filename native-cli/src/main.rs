//! The command line of Hallpass: arguments in, reports out.

mod cli;
#[cfg(feature = "tls")]
mod demo;
#[cfg(all(target_env = "musl", panic = "abort"))]
mod unwinding;

use std::process::ExitCode;

// The allocator of musl asks the kernel for nearly every page, which is most of the time that a short command takes.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    cli::main()
}
