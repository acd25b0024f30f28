//! The arguments of `hallpass profiles` and `hallpass import`.

#![allow(clippy::doc_markdown, reason = "clap shows these words to people, without a markdown")]

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Profiles {
    #[command(subcommand)]
    pub(crate) command: Option<ProfilesCommand>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ProfilesCommand {
    /// List the profiles, and who is signed in to each
    #[command(after_help = "Example:\n  hallpass profiles list --json | jq -r '.profiles[].name'")]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Use a profile from now on, where nothing else is chosen
    #[command(
        after_help = "Examples:\n  hallpass profiles use work\n  hallpass profiles use default    the Codex home"
    )]
    Use {
        /// The profile
        name: String,
    },
    /// Give a profile another name
    #[command(after_help = "Example:\n  hallpass profiles rename work acme")]
    Rename {
        /// The profile
        old: String,
        /// What it is to be called
        new: String,
    },
    /// Sign a profile out and delete its folder; an imported home is left as it is
    #[command(after_help = "Example:\n  hallpass profiles remove work")]
    Remove {
        /// The profile
        name: String,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Import {
    /// The Codex home
    pub(crate) dir: PathBuf,
    /// What the profile is called [default: the folder's name]
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) name: Option<String>,
}
