//! The refresh transaction between real processes: the built program, many at once, killed, stopped, interrupted and
//! starved, against a server that ends the session when a refresh token comes twice.
//!
//! `HALLPASS_ROUNDS` says how often a crowd starts at once (20): `HALLPASS_ROUNDS=100 tests/run processes`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and say what it has seen")]

#[path = "../support/mod.rs"]
mod support;

mod beside;
mod calls;
mod crowd;
mod errors;
mod exec;
mod faults;
mod holders;
#[cfg(feature = "keyring")]
mod keyring;
mod kills;
mod peer;
mod running;
mod signals;
mod stage;
mod tracing;
