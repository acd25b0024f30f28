//! `hallpass exec`

use std::process::ExitCode;

use super::arguments::{Exec, Global};
use super::failure::Failure;
use super::report::Voice;

pub(super) fn run(_global: &Global, _arguments: &Exec, _voice: Voice) -> Result<ExitCode, Failure> {
    Err(Failure::usage("not yet", ""))
}
