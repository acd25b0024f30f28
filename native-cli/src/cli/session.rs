//! One run of a command: which home, which configuration, which shell.

use std::path::PathBuf;

use hallpass::config::Config;
use hallpass::profiles::{Choice, Chosen, Name, Sharing, Wish};
use hallpass::{Person, Shell};
use hallpass_core::{Configuration, Environment, Provider, Report, Status, StatusRequest};

use super::arguments::Global;
use super::failure::Failure;
use super::person::Bystander;
use super::provider::host;
use super::report::{Voice, warn, warn_of};

/// The home and what is known about it, before any flow is started.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) home: PathBuf,
    pub(crate) config: Config,
    /// What has chosen the home.
    pub(crate) choice: Choice,
}

impl Session {
    /// Finds the home and reads its configuration.
    pub(crate) fn open(global: &Global) -> Result<Self, Failure> {
        Self::chosen(Self::choose(global, false)?, global)
    }

    /// The same for a login: a profile that does not exist yet is made.
    pub(crate) fn open_or_make(global: &Global) -> Result<Self, Failure> {
        Self::linked(Self::choose(global, true)?, global).map(|(session, _)| session)
    }

    /// The same for a tool: with what the profile shares, and the means to bring back what the tool replaces.
    pub(crate) fn open_shared(global: &Global) -> Result<(Self, Option<Sharing>), Failure> {
        Self::linked(Self::choose(global, false)?, global)
    }

    /// The configuration may be among what is shared, so it is read afterwards.
    fn linked(choice: Choice, global: &Global) -> Result<(Self, Option<Sharing>), Failure> {
        let mut sharing = Sharing::of_profile(&choice.home)?;
        if let Some(sharing) = &mut sharing {
            warn_of(&sharing.link());
        }
        Ok((Self::chosen(choice, global)?, sharing))
    }

    /// The session of another home than the one that is chosen.
    pub(crate) fn at(home: PathBuf, profile: Option<Name>, global: &Global) -> Result<Self, Failure> {
        Self::chosen(Choice { home, profile, by: Chosen::Profile, warnings: Vec::new() }, global)
    }

    fn choose(global: &Global, makes: bool) -> Result<Choice, Failure> {
        if global.home.is_some() && global.profile.is_some() {
            return Err(Failure::usage("`--home` and `--profile` name two homes", "give one of them"));
        }
        let wish = Wish { home: global.home.as_deref(), profile: global.profile.as_deref(), makes };
        let choice = Choice::make(wish)?;
        warn_of(&choice.warnings);
        if let (Some(name), Chosen::Project(file)) = (&choice.profile, &choice.by) {
            global.voice.notice(&format!("using the profile {name}, which {} chooses", file.display()));
        }
        Ok(choice)
    }

    fn chosen(choice: Choice, global: &Global) -> Result<Self, Failure> {
        let home = choice.home.clone();
        let mut config = Config::load(&home)?;
        for assignment in &global.config {
            config.set(assignment)?;
        }
        if let Some(store) = global.store {
            config.choose_store(store.into());
        }
        Ok(Self { home, config, choice })
    }

    /// The name of the profile whose home this is, if it is one's.
    pub(crate) fn profile(&self) -> Option<String> {
        self.choice.profile().map(|name| name.to_string())
    }

    /// What the flows are told.
    pub(crate) fn configuration(&self, provider: Provider) -> Result<Configuration, Failure> {
        Ok(self.config.configuration(&self.home, provider)?)
    }

    /// Who is signed in here as the store says, whatever the variables of this run would put in its place.
    pub(crate) fn stored(&self, voice: Voice) -> Result<Status, Failure> {
        let configuration = self.configuration(Provider::openai())?;
        let configuration = Configuration { environment: Environment::default(), ..configuration };
        Ok(self.shell(Bystander::new(voice)).status(StatusRequest { configuration, check: false })?)
    }

    /// A shell for this home. What its configuration asks for and cannot be done has stopped [`Self::configuration`].
    pub(crate) fn shell(&self, person: impl Person + 'static) -> Shell {
        let mut shell = Shell::new(self.home.clone(), Box::new(person));
        shell.encrypt_record(self.config.encrypts_record().unwrap_or_default());
        shell.set_log(self.config.log_folder(&self.home));
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
