//! What can be typed: the arguments of the command line.

#![allow(clippy::doc_markdown, reason = "clap shows these words to people, without a markdown")]

mod credential;
mod login;
mod profiles;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use hallpass_core::StoreMode;

pub(crate) use credential::{Credential, DockerAction, Tool};
pub(crate) use login::{ClientAuthentication, Login, LoginCommand, Provider};
pub(crate) use profiles::{Import, Profiles, ProfilesCommand};

use super::deferred::Deferred;
use super::report::Voice;

/// Signs developer tools in and keeps them signed in.
#[derive(Debug, Parser)]
#[command(
    name = "hallpass",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Examples:\n  hallpass login     sign in, with a browser or a device code\n  \
                  hallpass status    see who is signed in\n  \
                  hallpass demo      watch it all, without an account\n  \
                  curl -H \"Authorization: Bearer $(hallpass token)\" https://api.example.com/"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The folder for credentials, like Codex's [default: $CODEX_HOME, else ~/.codex]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// The profile to use; `login` makes one that does not exist yet
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Where credentials are kept: file, keyring, auto or ephemeral
    #[arg(long, global = true, value_name = "STORE", hide_possible_values = true)]
    pub(crate) store: Option<Store>,
    /// Set a value of config.toml, for this run
    #[arg(short = 'c', long = "config", global = true, value_name = "KEY=VALUE")]
    pub(crate) config: Vec<String>,
    /// Show what is done, step by step
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// Show errors and what must be acted on, nothing else
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// How this run talks to people.
    #[arg(skip)]
    pub(crate) voice: Voice,
}

/// `--store`
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Store {
    /// auth.json in the home
    File,
    /// The operating system's keyring
    Keyring,
    /// The keyring where there is one, else the file
    Auto,
    /// This process's memory
    Ephemeral,
}

impl From<Store> for StoreMode {
    fn from(store: Store) -> Self {
        match store {
            Store::File => Self::File,
            Store::Keyring => Self::Keyring,
            Store::Auto => Self::Auto,
            Store::Ephemeral => Self::Ephemeral,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sign in, with a browser, a device code or a key
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "Examples:\n  hallpass login\n  hallpass login --device-auth\n  \
                      printenv OPENAI_API_KEY | hallpass login --with-api-key\n  \
                      hallpass login --issuer https://id.example.com --client-id my-tool --scope openid --scope offline_access"
    )]
    Login(Deferred<Login>),
    /// Show who is signed in, how, and until when
    #[command(after_help = "Examples:\n  hallpass status\n  hallpass status --json | jq -r .account.email")]
    Status(Deferred<Status>),
    /// Print an access token that is good, refreshed if need be
    #[command(
        after_help = "Examples:\n  curl -H \"Authorization: Bearer $(hallpass token)\" https://api.example.com/\n  \
                      hallpass token --provider ci     in a CI job, without a login"
    )]
    Token(Deferred<Token>),
    /// End the session, at the server and here
    #[command(after_help = "Examples:\n  hallpass logout\n  hallpass logout --all    of every profile")]
    Logout(Deferred<Logout>),
    /// Run a tool with a profile's home and credential, and keep that fresh
    #[command(
        after_help = "Examples:\n  hallpass exec codex\n  hallpass --profile work exec -- codex exec \"fix the tests\"\n\n\
                      Other tools find what they need in variables that config.toml names:\n  \
                      [hallpass.exec.variables]\n  ACME_TOKEN = \"access_token\"    or api_key, account_id, home, profile"
    )]
    Exec(Deferred<Exec>),
    /// List the profiles, choose one, rename or remove it
    #[command(
        args_conflicts_with_subcommands = true,
        after_help = "Examples:\n  hallpass --profile work login    makes it\n  hallpass profiles\n  hallpass profiles use work\n\n\
                      A project chooses one in a file `.hallpass.toml` in its folder:\n  profile = \"work\""
    )]
    Profiles(Deferred<Profiles>),
    /// Start a CI job's home with the record in CODEX_AUTH_JSON, never over a newer one
    #[command(after_help = "Examples:\n  CODEX_AUTH_JSON=\"$SECRET\" hallpass seed\n  \
                      hallpass seed < auth.json\n\n\
                      A home without a credential takes the seed, and so does one that holds an earlier generation of\n\
                      the same session. Anything else stays. One copy of a session may be renewed at a time: within\n\
                      a home the lock sees to that, between machines the jobs must come one after the other.")]
    Seed(Deferred<Seed>),
    /// Print the record, for writing back to a CI secret store
    #[command(after_help = "Example:\n  record=\"$(hallpass export --if-changed)\"\n  \
                      [ -z \"$record\" ] || printf %s \"$record\" | gh secret set CODEX_AUTH_JSON")]
    Export(Deferred<Export>),
    /// Make a Codex home that is elsewhere a profile; it stays where it is
    #[command(after_help = "Example:\n  hallpass import ~/.codex-work --as work")]
    Import(Deferred<Import>),
    /// Show which settings, policy and credential count here, from where, and what they shadow
    #[command(after_help = "Example:\n  hallpass explain --json | jq '.settings[] | select(.origin != \"default\")'")]
    Explain(Deferred<Explain>),
    /// Find out what keeps you from signing in, or from staying signed in
    #[command(
        after_help = "Examples:\n  hallpass doctor\n  hallpass doctor --json | jq '.findings[] | select(.level == \"problem\")'\n\n\
                      It ends with 0 where there is no problem; otherwise with what other commands would end with,\n\
                      because of the first one. No secret is shown: what it prints can be given to others."
    )]
    Doctor(Deferred<Doctor>),
    /// Give the token to git, docker, AWS or kubectl, each in its own protocol
    #[command(
        after_help = "Example:\n  hallpass credential git --help     what to write into git's configuration, and into ours"
    )]
    Credential(Deferred<Credential>),
    /// Watch a whole cycle, with a server of its own and no account
    #[command(
        after_help = "Examples:\n  hallpass demo\n  hallpass demo --serve     a server to develop against, and a page to watch it"
    )]
    Demo(Deferred<Demo>),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  hallpass completions bash > ~/.local/share/bash-completion/completions/hallpass"
    )]
    Completions(Deferred<Completions>),
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Status {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Ask the server too: a session is refreshed
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Token {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// How long it must be good for
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = seconds)]
    pub(crate) min_ttl: u64,
    /// Refresh even when it need not be
    #[arg(long)]
    pub(crate) refresh: bool,
    /// The token of this provider of config.toml, whoever is signed in
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: Option<String>,
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Logout {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Delete it here only, and revoke nothing at the server
    #[arg(long)]
    pub(crate) local: bool,
    /// End the sessions of all profiles
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct Seed {}

#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct Export {
    /// Print nothing when it is what the home was last seeded with
    #[arg(long)]
    pub(crate) if_changed: bool,
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Explain {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Doctor {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Ask nobody over the network
    #[arg(long)]
    pub(crate) offline: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Exec {
    /// The tool and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Demo {
    /// Only run the server, to develop against, until Ctrl-C
    #[arg(long, conflicts_with = "open")]
    pub(crate) serve: bool,
    /// The server's port [default: any free one; 8765 with --serve]
    #[arg(long, value_name = "N", value_parser = port)]
    pub(crate) port: Option<u16>,
    /// Sign in with your own browser
    #[arg(long)]
    pub(crate) open: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Completions {
    /// The shell that it is for
    pub(crate) shell: Shell,
}

fn seconds(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "it is not a whole number")
}

fn port(text: &str) -> Result<u16, &'static str> {
    text.parse().map_err(|_| "it is not a whole number up to 65535")
}

/// The shells that completions are written for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

impl Command {
    /// Whether the person asked for JSON.
    pub(crate) fn is_json(&self) -> bool {
        match self {
            Self::Login(login) => match &login.command {
                Some(LoginCommand::Status(status)) => status.json,
                None => login.json,
            },
            Self::Status(status) => status.json,
            Self::Token(token) => token.json,
            Self::Logout(logout) => logout.json,
            Self::Profiles(profiles) => match profiles.command {
                Some(ProfilesCommand::List { json }) => json,
                Some(_) => false,
                None => profiles.json,
            },
            Self::Explain(explain) => explain.json,
            Self::Doctor(doctor) => doctor.json,
            Self::Exec(_)
            | Self::Seed(_)
            | Self::Export(_)
            | Self::Import(_)
            | Self::Credential(_)
            | Self::Demo(_)
            | Self::Completions(_) => false,
        }
    }

    /// Whether its answer is a line for each event.
    pub(crate) fn has_events(&self) -> bool {
        matches!(self, Self::Login(login) if login.json && login.command.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_definition_holds_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example_on_a_page_that_fits_a_terminal() {
        let mut all = vec![Arguments::command()];
        while let Some(mut command) = all.pop() {
            // What is needed for the global options to arrive everywhere.
            command.build();
            let help = command.render_help().to_string();
            assert!(help.contains("\nExample"), "{help}");
            assert!(help.lines().count() <= 50 && help.lines().all(|line| line.chars().count() <= 110), "{help}");
            all.extend(command.get_subcommands().cloned());
        }
    }

    #[test]
    fn global_options_stand_before_and_after_the_command() {
        let before = parse("hallpass --home /a --store keyring token").unwrap();
        let after = parse("hallpass token --home /a --store keyring").unwrap();
        for arguments in [before, after] {
            assert_eq!(arguments.global.home, Some(PathBuf::from("/a")));
            assert_eq!(arguments.global.store, Some(Store::Keyring));
        }
    }

    #[test]
    fn the_ways_to_sign_in_exclude_each_other() {
        for line in [
            "hallpass login --device-auth --with-api-key",
            "hallpass login --with-api-key --with-access-token",
            "hallpass login --with-api-key --with-client-secret",
            "hallpass token --verbose --quiet",
            "hallpass login --api-key sk-1",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn login_status_is_status() {
        let arguments = parse("hallpass login status --json").unwrap();
        assert!(arguments.command.is_json());
        let Command::Login(login) = arguments.command else { panic!("not a login") };
        assert!(matches!(login.command, Some(LoginCommand::Status(Status { json: true, check: false }))));
    }
}
