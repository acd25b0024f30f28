//! `hallpass export`

use std::process::ExitCode;

use hallpass_core::{ExportRequest, Provider};

use super::arguments::{Export, Global};
use super::failure::Failure;
use super::person::Bystander;
use super::report::{Voice, data, warn_of};
use super::session::Session;

pub(super) fn run(global: &Global, arguments: Export, voice: Voice) -> Result<ExitCode, Failure> {
    let session = Session::open(global)?;
    let configuration = session.configuration(Provider::openai())?;
    let mut shell = session.shell(Bystander::new(voice));
    let exported = shell.export(ExportRequest { configuration, if_changed: arguments.if_changed })?;
    warn_of(&exported.warnings);
    match exported.record {
        Some(record) => data(record.expose())?,
        None => voice.say("The home holds what it was seeded with: there is nothing to write back."),
    }
    Ok(ExitCode::SUCCESS)
}
