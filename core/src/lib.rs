//! The machines of Hallpass: how a developer tool signs a person in and keeps them signed in.
//!
//! This crate decides and does nothing else. It has no clock, no entropy, no files, no sockets and no
//! threads: a shell (native, Node, browser) performs what it asks for. Five nouns carry it all:
//!
//! - **[`Machine`]**: a flow, as a plain value.
//! - **[`Effect`]**: what it asks the shell to do.
//! - **[`Event`]**: what happened.
//! - **[`Step`]**: one turn: an effect to perform, or the end.
//! - **[`Error`]**: how it ended badly, sorted by blame.
//!
//! The whole protocol between a machine and its shell is this loop:
//!
//! ```
//! use hallpass_core::{Event, Flow, Machine, Outcome, Error, Effect, Step, Timestamp};
//!
//! fn run(mut step: Step<Flow>, now: impl Fn() -> Timestamp, mut perform: impl FnMut(Effect) -> Event) -> Result<Outcome, Error> {
//!     loop {
//!         match step {
//!             Step::Perform { machine, effect, .. } => step = machine.step(now(), perform(effect)),
//!             Step::Done(result) => return result,
//!         }
//!     }
//! }
//! ```
//!
//! [`Flow`] is every machine behind one door; a shell starts one with a [`Request`], the time and a [`Seed`].
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::panic))]
// A build without homes leaves out the flows, and with them whatever only they use.
#![cfg_attr(not(feature = "homes"), allow(dead_code, unused_imports))]

extern crate alloc;

mod authenticating;
mod authorization_request;
mod base64url;
mod browser_login;
mod build;
mod callback;
mod claims;
mod client_authentication;
pub mod codec;
mod demonstrating;
mod device_login;
mod discovery;
mod dpop;
mod effect;
mod endpoint;
mod environment;
mod error;
mod event;
mod exporting;
mod flow;
mod form;
mod grant;
mod header;
mod home;
mod identity;
mod json;
mod key_exchange;
mod login;
mod logout;
mod machine;
mod minting;
mod model_provider;
mod moving;
mod obtaining;
mod outcome;
mod overriding;
mod pkce;
mod policy;
mod precedence;
mod preparing;
mod provider;
mod pushed_authorization;
mod reading;
mod record;
mod refresh;
mod request;
mod revoking;
mod secret;
mod seed;
mod seeding;
pub mod settings;
mod sidecar;
mod status;
mod storing;
mod text;
mod timestamp;
mod token_response;
#[cfg(feature = "trace")]
mod trace;
mod web_identity;
mod whoami;

pub use client_authentication::ClientAuthentication;
pub use effect::{Command, Effect, HttpRequest, Key, Listen, Lock, Method as HttpMethod, Page, Place, Prompt, Slot};
pub use environment::{Environment, FileContents};
pub use error::{Declined, Error, Forbidden, Local, LoginRequired, Misbehaved, Misused, Refused, Report, Unavailable};
pub use event::{
    Call, Event, HttpResponse, LockFailure, LockTrouble, Reach, RequestFailure, StoreFailure, StoreTrouble,
};
pub use flow::{Flow, Suspended};
pub use grant::{Grant, GrantType, SubjectToken};
pub use header::clock_skew;
pub use machine::{Level, LogLine, Machine, Step};
pub use model_provider::{ModelProvider, TokenCommand};
pub use moving::{InKeyring, Move};
pub use outcome::{
    Account, AssumedRole, Enforced, Exported, LoggedIn, LoggedOut, Method, Outcome, Proof, Revocation, SeedUse, Seeded,
    Status, Token, TokenOrigin,
};
pub use policy::{LoginKind, Policy};
pub use precedence::{Precedence, Source, Stored};
pub use provider::{Dialect, Endpoints, Provider, Redirect};
pub use request::{
    Configuration, EnforceRequest, ExportRequest, Home, IdentityToken, LoginMethod, LoginRequest, LogoutRequest, Need,
    ProofRequest, Request, Role, RoleRequest, SeedRequest, StatusRequest, StoreMode, Timeouts, TokenRequest, Wanted,
};
pub use secret::Secret;
pub use seed::Seed;
pub use timestamp::Timestamp;

pub(crate) use build::HOMES;
pub(crate) use machine::{may_hold, unexpected};
