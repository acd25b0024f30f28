//! `hallpass exec`

use std::env;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::process::{Command, ExitCode};

use hallpass::config::Variable;
use hallpass::exec::{CODEX_WINDOW, Ending, Keeper, Watch};
use hallpass::{Exchange, Nobody, Person, Shell};
use hallpass_core::{
    Configuration, Declined, EnforceRequest, Error, LogLine, Method, Misused, Need, Prompt, Provider, Report,
    StatusRequest, Token, TokenOrigin, TokenRequest,
};

use super::arguments::{Exec, Global};
use super::failure::{CANNOT_RUN, Failure, NOT_FOUND, NOT_STARTED};
use super::report::{Voice, warn, warn_of};
use super::session::Session;
use super::token::proof_needed;

/// Variables that would move a refresh token, and one that is a credential of its own.
const WITHHELD: [&str; 3] =
    ["CODEX_REFRESH_TOKEN_URL_OVERRIDE", "CODEX_REVOKE_TOKEN_URL_OVERRIDE", hallpass::command::WITHHELD];
/// Variables that Codex uses before what a home holds.
const STRONGER: [&str; 3] = ["CODEX_API_KEY", "CODEX_ACCESS_TOKEN", "OPENAI_IDENTITY_TOKEN_FILE"];

pub(super) fn run(global: &Global, arguments: &Exec, voice: Voice) -> Result<ExitCode, Failure> {
    let ending = attempt(global, arguments, voice).map_err(Failure::before_the_tool)?;
    ending.die_of_it();
    Ok(ExitCode::from(u8::try_from(ending.code()).unwrap_or(NOT_STARTED)))
}

fn attempt(global: &Global, arguments: &Exec, voice: Voice) -> Result<Ending, Failure> {
    let (session, mut sharing) = Session::open_shared(global)?;
    let exec = session.config.exec()?;
    let configuration = Configuration { strict_overrides: true, ..session.configuration(Provider::openai())? };
    let mut shell = session.shell(Passenger(voice));
    let watch = Watch::begin(&shell.cancellation()).map_err(|error| cannot("signals", &error))?;
    let token = first(&mut shell, &configuration).or_else(|failure| enforced(failure, &mut shell, &configuration))?;
    let mut command = command(arguments, &session.home);
    if let Some(sharing) = sharing.as_ref().filter(|_| env::var_os("CODEX_SQLITE_HOME").is_none()) {
        // What Codex keeps in SQLite is not linked: it has a variable of its own for where that is.
        command.env("CODEX_SQLITE_HOME", sharing.shared());
    }
    for (name, variable) in &exec.variables {
        let value = match variable {
            Variable::AccessToken => token.as_ref().map(|token| token.access_token.expose().to_owned()),
            Variable::ApiKey if is_key(&mut shell, &configuration)? => {
                token.as_ref().map(|token| token.access_token.expose().to_owned())
            }
            Variable::ApiKey => None,
            Variable::AccountId => token.as_ref().and_then(|token| token.account_id.clone()),
            Variable::Home => session.home.to_str().map(str::to_owned),
            Variable::Profile => session.profile(),
        };
        match value {
            Some(value) => _ = command.env(name, value),
            None => warn(&unset(name)),
        }
    }
    if exec.variables.values().any(|variable| *variable == Variable::AccessToken) {
        warn_of(token.as_ref().and_then(proof_needed).as_slice());
    }
    if shell.cancellation().is_wished() {
        return Err(Error::from(Declined::Cancelled).into());
    }
    let mut child = watch.start(&mut command).map_err(|error| not_started(arguments, &error))?;
    shell.set_person(Box::new(Nobody));
    // What somebody has given is renewed by nobody, and what is minted for us is not the tool's.
    let is_kept = |token: &Token| !matches!(token.origin, TokenOrigin::Given | TokenOrigin::Minted);
    let keeper = token.as_ref().is_some_and(is_kept).then(|| Keeper::start(shell, configuration));
    let ending = watch.wait(&mut child).map_err(|error| cannot("the tool", &error));
    // Only now: while it ran, the terminal was the tool's.
    match keeper {
        Some(Ok(keeper)) => warn_of(keeper.stop().as_slice()),
        Some(Err(error)) => warn_of(cannot("the keeper of the home", &error).report().as_slice()),
        None => {}
    }
    if let Some(sharing) = &mut sharing {
        warn_of(&sharing.settle());
    }
    ending
}

/// A token to start with, so fresh that the tool renews nothing; `None` for what only Codex can use.
fn first(shell: &mut Shell, configuration: &Configuration) -> Result<Option<Token>, Failure> {
    let need = Need::Ahead { of: CODEX_WINDOW };
    match shell.token(TokenRequest { configuration: configuration.clone(), need }) {
        Ok(token) => {
            warn_of(&token.warnings);
            if let Some(name) =
                STRONGER.into_iter().find(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
            {
                warn(&Report {
                    code: "shadowed".to_owned(),
                    message: format!("{name} is set, and Codex uses it before what the profile holds"),
                    help: Some(format!("unset {name} to use the profile")),
                });
            }
            Ok(Some(token))
        }
        Err(error @ Error::Misused(Misused::NotApplicable { .. })) => {
            warn(&error.report());
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// A credential that must not be used here is deleted where Codex deletes it, at the start of a tool, after saying so.
fn enforced<T>(failure: Failure, shell: &mut Shell, configuration: &Configuration) -> Result<T, Failure> {
    if matches!(failure, Failure::Flow(Error::Forbidden(_))) {
        let enforced = shell.enforce(EnforceRequest { configuration: configuration.clone() })?;
        warn_of(&enforced.failures);
    }
    Err(failure)
}

/// The tool, in this home. Nothing secret is among its arguments.
fn command(arguments: &Exec, home: &Path) -> Command {
    let mut words = arguments.command.iter();
    let mut command = Command::new(words.next().cloned().unwrap_or_default());
    command.args(words).env("CODEX_HOME", home);
    for name in WITHHELD {
        command.env_remove(name);
    }
    command
}

fn is_key(shell: &mut Shell, configuration: &Configuration) -> Result<bool, Failure> {
    let status = shell.status(StatusRequest { configuration: configuration.clone(), check: false })?;
    Ok(status.method == Some(Method::ApiKey))
}

fn unset(name: &str) -> Report {
    Report {
        code: "variable_unset".to_owned(),
        message: format!("{name} is not set: this profile has nothing for it"),
        help: Some("see `[hallpass.exec.variables]` in config.toml".to_owned()),
    }
}

/// As a shell ends: 127 where there is no such command, 126 where it cannot be run.
fn not_started(arguments: &Exec, error: &io::Error) -> Failure {
    let name = arguments.command.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let exists = name.contains(std::path::MAIN_SEPARATOR) && Path::new(&name).exists();
    if error.kind() == ErrorKind::NotFound && !exists {
        return Failure::command(NOT_FOUND, "not_found", format!("`{name}` is not found"), "check its name, and PATH");
    }
    Failure::command(CANNOT_RUN, "cannot_run", format!("`{name}` cannot be run: {error}"), "")
}

fn cannot(what: &str, error: &io::Error) -> Failure {
    Failure::local("exec", format!("{what} cannot be looked after: {error}"), "")
}

/// Somebody who is spoken to before the tool has the terminal, and whose signals are watched already.
struct Passenger(Voice);

impl Person for Passenger {
    fn present(&mut self, _prompt: &Prompt) {}

    fn note(&mut self, line: &LogLine) {
        self.0.log(line);
    }

    fn exchanged(&mut self, exchange: &Exchange) {
        self.0.detail(&exchange.to_string());
    }
}
