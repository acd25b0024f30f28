//! `hallpass demo`: the whole cycle against an authorization server of our own.

mod controls;
mod cycle;
mod home;
mod narrator;
mod playground;
mod serve;
mod visitor;

use std::process::ExitCode;
use std::sync::Arc;

use hallpass::authorization_server::{Aside, Options, Serving, serve_beside};

use crate::cli::arguments::Demo;
use crate::cli::failure::Failure;

pub(crate) fn run(arguments: &Demo) -> Result<ExitCode, Failure> {
    if arguments.serve {
        serve::run(arguments.port.unwrap_or(serve::PORT))
    } else {
        cycle::run(arguments.port.unwrap_or(0), arguments.open)
    }
}

/// A server on this port that mints other secrets each time, and what answers beside it.
fn start(port: u16, adjust: impl FnOnce(&mut Options), aside: Arc<Aside>) -> Result<Serving, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| Failure::local("entropy", format!("no random numbers: {error}"), ""))?;
    let mut options = Options::new("", seed);
    adjust(&mut options);
    serve_beside(options, port, aside).map_err(|error| {
        Failure::local("no_port", format!("port {port} cannot be had: {error}"), "choose another with `--port`")
    })
}
