//! One run of a command: which home, which configuration, which shell.

use std::path::PathBuf;

use hallpass::config::Config;
use hallpass::{Person, Shell, home};
use hallpass_core::{Configuration, Provider, Report};

use super::arguments::Global;
use super::failure::Failure;
use super::provider::host;
use super::report::warn;

/// The home and what is known about it, before any flow is started.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) home: PathBuf,
    pub(crate) config: Config,
    encrypts: bool,
}

impl Session {
    /// Finds the home and reads its configuration.
    pub(crate) fn open(global: &Global) -> Result<Self, Failure> {
        let home = home::find(global.home.as_deref())?;
        let mut config = Config::load(&home)?;
        for assignment in &global.config {
            config.set(assignment)?;
        }
        if let Some(store) = global.store {
            config.choose_store(store.into());
        }
        let encrypts = config.encrypts_record()?;
        Ok(Self { home, config, encrypts })
    }

    /// What the flows are told.
    pub(crate) fn configuration(&self, provider: Provider) -> Result<Configuration, Failure> {
        Ok(self.config.configuration(&self.home, provider)?)
    }

    /// A shell for this home.
    pub(crate) fn shell(&self, person: impl Person + 'static) -> Shell {
        let mut shell = Shell::new(self.home.clone(), Box::new(person));
        shell.encrypt_record(self.encrypts);
        shell
    }
}

/// Says that tokens will go where an environment variable points, where that is this machine.
pub(crate) fn warn_of_overrides(configuration: &Configuration) {
    let overrides = [
        ("CODEX_REFRESH_TOKEN_URL_OVERRIDE", &configuration.token_endpoint_override),
        ("CODEX_REVOKE_TOKEN_URL_OVERRIDE", &configuration.revocation_endpoint_override),
    ];
    for (name, url) in overrides.into_iter().filter_map(|(name, url)| Some((name, url.as_deref()?))) {
        if matches!(host(url), Some("127.0.0.1" | "localhost" | "[::1]")) {
            warn(&Report {
                code: "endpoint_override".to_owned(),
                message: format!("{name} sends tokens to {url}"),
                help: Some(format!("unset {name} unless this is a test")),
            });
        }
    }
}
