//! `hallpass demo`: the whole cycle against an authorization server of our own.

mod cycle;
mod home;
mod narrator;
mod serve;
mod visitor;

use std::process::ExitCode;

use hallpass::authorization_server::{Options, Serving, serve};

use crate::cli::arguments::Demo;
use crate::cli::failure::Failure;

pub(crate) fn run(arguments: &Demo) -> Result<ExitCode, Failure> {
    if arguments.serve {
        serve::run(arguments.port.unwrap_or(serve::PORT))
    } else {
        cycle::run(arguments.port.unwrap_or(0), arguments.open)
    }
}

/// A server on this port that mints other secrets each time.
fn start(port: u16, adjust: impl FnOnce(&mut Options)) -> Result<Serving, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| Failure::local("entropy", format!("no random numbers: {error}"), ""))?;
    let mut options = Options::new("", seed);
    adjust(&mut options);
    serve(options, port).map_err(|error| {
        Failure::local("no_port", format!("port {port} cannot be had: {error}"), "choose another with `--port`")
    })
}
