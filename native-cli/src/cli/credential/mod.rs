//! `hallpass credential`: the protocols in which other tools ask for a credential.

mod aws;
mod docker;
mod git;
mod git_request;
mod input;
mod kubectl;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use hallpass_core::{Error, Misused, Need, Provider, Token, TokenRequest};

use super::arguments::{Credential, Global, Tool};
use super::failure::Failure;
use super::person::Bystander;
use super::report::{Voice, warn_of};
use super::session::{Session, warn_of_overrides};

pub(super) fn run(global: &Global, arguments: &Credential, voice: Voice) -> Result<ExitCode, Failure> {
    match &arguments.tool {
        Tool::Git { operation } => git::run(global, operation, voice),
        Tool::Docker { action } => Ok(docker::run(global, *action, voice)),
        Tool::Aws => aws::run(global, voice),
        Tool::Kubectl => kubectl::run(global, voice),
    }
}

/// The arguments, with those that the program's own name stands for: git and docker look for their helpers by name.
pub(super) fn called_by_name(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<_> = arguments.collect();
    let name = arguments.first().and_then(|path| Path::new(path).file_stem()?.to_str());
    let tool = match name {
        Some("git-credential-hallpass") => "git",
        Some("docker-credential-hallpass") => "docker",
        _ => return arguments,
    };
    arguments.splice(1..1, ["credential".into(), tool.into()]);
    arguments
}

/// A token that is good for as long as one of `hallpass token`.
const USABLE: Need = Need::Usable { minimum_lifetime: 300_000 };

fn token(session: &Session, need: Need, voice: Voice) -> Result<Token, Failure> {
    let configuration = session.configuration(Provider::openai())?;
    warn_of_overrides(&configuration);
    let token = session.shell(Bystander::new(voice)).token(TokenRequest { configuration, need })?;
    warn_of(&token.warnings);
    if token.token_type != "Bearer" {
        // None of these tools could prove possession of its key, and without that it is worth nothing.
        let detail =
            "the token of this session is bound to a key, and other tools cannot prove that they hold it".to_owned();
        return Err(Error::from(Misused::NotApplicable { detail }).into());
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_helper_stands_for_its_arguments() {
        for (line, expected) in [
            ("hallpass token", "hallpass token"),
            ("/a/git-credential-hallpass get", "/a/git-credential-hallpass credential git get"),
            ("docker-credential-hallpass.exe list", "docker-credential-hallpass.exe credential docker list"),
            ("git-credential-hallpass", "git-credential-hallpass credential git"),
            ("git-credential-hallpassport get", "git-credential-hallpassport get"),
        ] {
            let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
            assert_eq!(called_by_name(words(line).into_iter()), words(expected));
        }
        assert_eq!(called_by_name(std::iter::empty()), Vec::<OsString>::new());
    }
}
