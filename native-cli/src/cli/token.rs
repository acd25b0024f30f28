//! `hallpass token`

use std::process::ExitCode;

use hallpass_core::{Declined, Error, Need, Provider, Report, TokenRequest};

use super::arguments::{Global, Token};
use super::failure::Failure;
use super::person::Bystander;
use super::report::{Voice, data, document, warn_of};
use super::session::{Session, warn_of_overrides};

pub(super) fn run(global: &Global, arguments: &Token, voice: Voice) -> Result<ExitCode, Failure> {
    let session = Session::open(global)?;
    let mut configuration = session.configuration(Provider::openai())?;
    if let Some(name) = &arguments.provider {
        session.config.want(name, &mut configuration)?;
    }
    warn_of_overrides(&configuration);
    let mut shell = session.shell(Bystander::new(voice));
    let token = shell.token(TokenRequest { configuration, need: need(arguments) })?;
    warn_of(&token.warnings);
    warn_of(proof_needed(&token).as_slice());
    if shell.cancellation().is_wished() {
        // What was renewed is saved; whoever asked for an end does not want it printed.
        return Err(Error::from(Declined::Cancelled).into());
    }
    if arguments.json {
        document(&super::json::token(&token))?;
    } else {
        data(token.access_token.expose())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What whoever gets this token should know.
pub(super) fn proof_needed(token: &hallpass_core::Token) -> Option<Report> {
    (token.token_type != "Bearer").then(|| Report {
        code: "proof_needed".to_owned(),
        message: "this token is bound to a key: a server takes it only with a proof for each request (DPoP)".to_owned(),
        help: Some(
            "make the proofs with `Hallpass::proof` of the library, or set `dpop = false` for the provider".to_owned(),
        ),
    })
}

fn need(arguments: &Token) -> Need {
    if arguments.refresh {
        return Need::Fresh;
    }
    Need::Usable { minimum_lifetime: arguments.min_ttl.saturating_mul(1000) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_milliseconds_without_overflow() {
        let need_of = |min_ttl, refresh| need(&Token { json: false, min_ttl, refresh, provider: None });
        assert_eq!(need_of(300, false), Need::Usable { minimum_lifetime: 300_000 });
        assert_eq!(need_of(u64::MAX, false), Need::Usable { minimum_lifetime: u64::MAX });
        assert_eq!(need_of(300, true), Need::Fresh);
    }
}
