//! `hallpass seed`

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use hallpass::command::WITHHELD;
use hallpass_core::{Provider, Secret, SeedRequest, SeedUse, StoreMode};

use super::arguments::Global;
use super::failure::Failure;
use super::person::Bystander;
use super::report::{Voice, warn_of};
use super::secret;
use super::session::Session;
use super::status::headline;

const HELP: &str =
    "set CODEX_AUTH_JSON from the CI system's secrets, or pipe the record in: `hallpass seed < auth.json`";

pub(super) fn run(global: &Global, voice: Voice) -> Result<ExitCode, Failure> {
    let session = Session::open_or_make(global)?;
    let configuration = session.configuration(Provider::openai())?;
    if configuration.store() == StoreMode::Ephemeral {
        return Err(Failure::usage(
            "a seed that is kept in this process's memory is gone when this command ends",
            "choose a store that lasts, as in `hallpass seed --store file`",
        ));
    }
    let record = record()?;
    let mut shell = session.shell(Bystander::new(voice));
    let seeded = shell.seed(SeedRequest { configuration, record, store: global.store.map(Into::into) })?;
    let account = seeded.status.account.clone().unwrap_or_default();
    voice.say(match seeded.seed {
        SeedUse::Stored => "The home is seeded.",
        SeedUse::Held => "The home holds this credential already; nothing is changed.",
        SeedUse::Outdated => "The home holds a later generation of this session, which stays.",
    });
    voice.say(&format!("{}.", headline(&seeded.status, &account)));
    warn_of(&seeded.warnings);
    Ok(ExitCode::SUCCESS)
}

/// The record from the variable that no child of ours gets, else from stdin. Nobody types one.
fn record() -> Result<Secret, Failure> {
    if let Some(value) = std::env::var_os(WITHHELD).filter(|value| !value.is_empty()) {
        return secret::read("seed", HELP, value.as_encoded_bytes());
    }
    if io::stdin().is_terminal() {
        return Err(Failure::usage("there is no seed: CODEX_AUTH_JSON is not set, and stdin is a terminal", HELP));
    }
    secret::read("seed", HELP, io::stdin().lock())
}
