//! `hallpass credential aws`: a `credential_process` of the AWS tools.

use std::process::ExitCode;

use hallpass_core::{AssumedRole, Provider, RoleRequest};
use serde_json::{Value, json};

use super::super::arguments::Global;
use super::super::failure::Failure;
use super::super::person::Bystander;
use super::super::report::{Voice, document, warn_of};
use super::super::session::{Session, warn_of_overrides};

pub(super) fn run(global: &Global, voice: Voice) -> Result<ExitCode, Failure> {
    let session = Session::open(global)?;
    let role = session.config.role()?;
    let configuration = session.configuration(Provider::openai())?;
    warn_of_overrides(&configuration);
    let assumed = session.shell(Bystander::new(voice)).assume_role(RoleRequest { configuration, role })?;
    warn_of(&assumed.warnings);
    document(&answer(&assumed))?;
    Ok(ExitCode::SUCCESS)
}

/// Version 1 of what the AWS tools read from a `credential_process`.
fn answer(role: &AssumedRole) -> Value {
    json!({
        "Version": 1,
        "AccessKeyId": role.access_key_id,
        "SecretAccessKey": role.secret_access_key.expose(),
        "SessionToken": role.session_token.expose(),
        "Expiration": role.expiration.to_string(),
    })
}
