//! The end of a tool, as Windows has it.

use std::io;
use std::process::{Child, Command};

use super::Ending;
use crate::Cancellation;

/// Ctrl-C and its kind go to every process of a console, so the tool hears of them by itself.
#[derive(Debug)]
pub struct Watch(());

impl Watch {
    /// Begins: before there is a tool Ctrl-C is a wish to stop, then it is the tool's.
    ///
    /// # Errors
    /// When Ctrl-C cannot be caught.
    pub fn begin(cancellation: &Cancellation) -> io::Result<Self> {
        let cancellation = cancellation.clone();
        ctrlc::set_handler(move || cancellation.cancel()).map_err(io::Error::other)?;
        Ok(Self(()))
    }

    /// Starts a tool.
    ///
    /// # Errors
    /// As for [`Command::spawn`].
    pub fn start(&self, command: &mut Command) -> io::Result<Child> {
        command.spawn()
    }

    /// Waits for the end of the tool.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn wait(&self, child: &mut Child) -> io::Result<Ending> {
        Ok(Ending::Code(child.wait()?.code().unwrap_or(1)))
    }
}

impl Ending {
    /// Nothing ends by a signal here.
    pub fn die_of_it(self) {}
}
