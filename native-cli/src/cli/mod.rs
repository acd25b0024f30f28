//! The commands: what each asks of a machine, and what it says of the outcome.

pub(crate) mod arguments;
mod credential;
mod deferred;
mod doctor;
mod exec;
mod explain;
mod export;
pub(crate) mod failure;
mod hidden;
mod import;
mod json;
mod login;
mod logout;
#[cfg(test)]
mod manual;
pub(crate) mod person;
mod profiles;
mod provider;
mod qr;
pub(crate) mod report;
mod secret;
mod seed;
mod session;
pub(crate) mod status;
mod text;
mod token;
mod usage;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};
use clap_complete::generate;

use arguments::{Arguments, Command, Global, LoginCommand, Shell};
use report::Voice;

use failure::Failure;
use report::{data, tell, word};

/// Reads the arguments, runs the command, and says how it went.
pub(crate) fn main() -> ExitCode {
    let mut arguments = match Arguments::try_parse_from(credential::called_by_name(std::env::args_os())) {
        Ok(arguments) => arguments,
        Err(error) => return misunderstood(&error),
    };
    let Global { quiet, verbose, .. } = arguments.global;
    let voice = Voice { quiet, verbose, json: arguments.command.is_json(), events: arguments.command.has_events() };
    arguments.global.voice = voice;
    match run(arguments, voice) {
        Ok(exit) => exit,
        Err(failure) => {
            voice.fail(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(arguments: Arguments, voice: Voice) -> Result<ExitCode, Failure> {
    let global = &arguments.global;
    match arguments.command {
        Command::Login(login) => match &login.command {
            Some(LoginCommand::Status(status)) => status::run(global, status, voice),
            None => login::run(global, &login, voice),
        },
        Command::Status(status) => status::run(global, &status, voice),
        Command::Token(token) => token::run(global, &token, voice),
        Command::Logout(logout) => logout::run(global, &logout, voice),
        Command::Exec(exec) => exec::run(global, &exec, voice),
        Command::Profiles(profiles) => profiles::run(global, &profiles, voice),
        Command::Seed(_) => seed::run(global, voice),
        Command::Export(export) => export::run(global, *export, voice),
        Command::Import(import) => import::run(global, &import, voice),
        Command::Explain(explain) => explain::run(global, &explain, voice),
        Command::Doctor(doctor) => doctor::run(global, &doctor, voice),
        Command::Credential(credential) => credential::run(global, &credential, voice),
        Command::Demo(demo) => demonstrate(&demo),
        Command::Completions(completions) => complete(completions.shell),
    }
}

#[cfg(feature = "tls")]
fn demonstrate(demo: &arguments::Demo) -> Result<ExitCode, Failure> {
    crate::demo::run(demo)
}

#[cfg(not(feature = "tls"))]
fn demonstrate(_demo: &arguments::Demo) -> Result<ExitCode, Failure> {
    Err(Failure::usage("this build has no server of its own", "build it with the feature `tls`"))
}

fn complete(shell: Shell) -> Result<ExitCode, Failure> {
    use clap_complete::Shell as Known;
    let known = match shell {
        Shell::Bash => Known::Bash,
        Shell::Zsh => Known::Zsh,
        Shell::Fish => Known::Fish,
        Shell::Powershell => Known::PowerShell,
    };
    let mut script = Vec::new();
    generate(known, &mut Arguments::command(), "hallpass", &mut script);
    data(String::from_utf8_lossy(&script).trim_end())?;
    Ok(ExitCode::SUCCESS)
}

/// Help and version were asked for, or the arguments make no sense.
fn misunderstood(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return match tell(error.to_string().trim_end()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => ExitCode::from(failure.exit_code()),
        };
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        word(error.to_string().trim_end());
        return ExitCode::from(failure::USAGE);
    }
    let arguments: Vec<_> = std::env::args_os().collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    let failure = usage::misunderstanding(error, &arguments);
    Voice { json, ..Voice::default() }.fail(&failure);
    ExitCode::from(failure.exit_code())
}
