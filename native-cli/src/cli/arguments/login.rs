//! The arguments of `hallpass login`.

#![allow(clippy::doc_markdown, reason = "clap shows these words to people, without a markdown")]

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Status, port};

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Login {
    #[command(subcommand)]
    pub(crate) command: Option<LoginCommand>,
    /// Use a code that is entered on any device
    #[arg(long, group = "way")]
    pub(crate) device_auth: bool,
    /// Sign in with an API key: piped in, or typed and not shown
    #[arg(long, group = "way")]
    pub(crate) with_api_key: bool,
    /// Sign in with an access token: piped in, or typed and not shown
    #[arg(long, group = "way")]
    pub(crate) with_access_token: bool,
    /// Open no browser: only show the address
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// The port on this machine that the browser comes back to
    #[arg(long, value_name = "N", value_parser = port)]
    pub(crate) port: Option<u16>,
    /// Print one event per line, in JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) provider: Provider,
}

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Provider")]
pub(crate) struct Provider {
    /// openai (the default), local (`hallpass demo --serve`), or one of config.toml
    #[arg(long = "provider", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Any OAuth 2 or OpenID provider; with --provider, where to find that one
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// The client id that the provider knows this program by
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// A scope to ask for; may be repeated
    #[arg(long, value_name = "SCOPE")]
    pub(crate) scope: Vec<String>,
    /// none, client_secret_post, client_secret_basic or private_key_jwt
    #[arg(long, value_name = "METHOD", hide_possible_values = true)]
    pub(crate) client_authentication: Option<ClientAuthentication>,
    /// Take the client's secret, piped in or typed, and keep it in the store
    #[arg(long, conflicts_with_all = ["with_api_key", "with_access_token"])]
    pub(crate) with_client_secret: bool,
    /// The client's private key: a PEM file (PKCS #8)
    #[arg(long, value_name = "FILE")]
    pub(crate) client_key: Option<PathBuf>,
    /// The id (`kid`) of the client's key
    #[arg(long, value_name = "ID", requires = "client_key")]
    pub(crate) client_key_id: Option<String>,
    /// Its algorithm: ES256, EdDSA, RS256 or PS256 [default: ES256]
    #[arg(long, value_name = "ALGORITHM", requires = "client_key")]
    pub(crate) client_key_algorithm: Option<String>,
}

/// `--client-authentication`: the names of the OpenID registration.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum ClientAuthentication {
    None,
    ClientSecretPost,
    ClientSecretBasic,
    PrivateKeyJwt,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum LoginCommand {
    /// Show who is signed in: the same as `hallpass status`
    #[command(after_help = "Example:\n  hallpass login status")]
    Status(Status),
}
