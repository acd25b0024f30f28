//! The native shell of Hallpass: sign a person in and keep them signed in, from Rust.
//!
//! [`Hallpass`] is all that most programs need. [`Shell`] is what it stands on: the performer of
//! [effects](hallpass_core::Effect), for those who start the [machines](hallpass_core::Flow) themselves.

#[cfg(feature = "tls")]
pub mod authorization_server;
pub mod browser;
pub mod command;
pub mod config;
pub mod doctor;
pub mod environment;
pub mod exec;
mod hallpass;
pub mod home;
pub mod http;
mod keyring;
pub mod listener;
mod lock;
mod log;
pub mod page;
pub mod profiles;
mod proof_key;
mod regular_file;
pub mod requirements;
mod shell;
pub mod signing;
mod store;
pub mod surroundings;

pub use hallpass::Hallpass;
pub use hallpass_core::{
    Account, Error, LoggedIn, LoggedOut, LoginMethod, Method, ModelProvider, Prompt, Provider, Revocation, Secret,
    Status, StoreMode, Timestamp, Token, TokenCommand,
};
pub use lock::Locks;
pub use shell::{Cancellation, Exchange, Lines, Nobody, Opener, Person, Shell, now};
pub use store::Stores;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
struct Libraries;
