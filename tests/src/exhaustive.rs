//! Every interleaving of a few processes that share a home, with every fault that a budget allows.
//!
//! The processes run the machines of `hallpass_core` themselves, never a model of them. What is modelled is the rest:
//! the store with its unsynced state, the locks of a kernel, the network, the clock and the authorization server. A
//! [`Case`] says who runs and what may go wrong; [`explore`] visits every state that can be reached and checks
//! [`Property`] after [`Property`] in each. `exhaustive/README.md` has the numbers, and what is not covered.

mod actions;
mod asking;
mod case;
mod catalogue;
mod fingerprint;
mod graph;
mod performing;
mod properties;
mod search;
mod server;
mod setting;
mod state;
mod token;
mod world;

pub use case::{Budget, Case, Disk, Mutation, Runs};
pub use fingerprint::Quick;
pub use properties::{Property, Violation};
pub use search::{Counterexample, Explored, explore};
pub use server::{End, Family, Reuse, Verdict};
pub use setting::{BEGINNING, ISSUER, configuration};
pub use token::{LIFETIME, Style, Token, access_token_in, refresh_tokens_in};
