//! Whoever sits in front of the machine.

use hallpass_core::{LogLine, Prompt};

use super::{Cancellation, Exchange};

/// The lines that a person types, for as long as there are any.
pub type Lines = Box<dyn Iterator<Item = String> + Send>;

/// How a flow speaks with a person. A program that signs people in brings its own; one that only needs tokens
/// takes [`Nobody`].
pub trait Person: Send {
    /// Tells them what to do next.
    fn present(&mut self, prompt: &Prompt);

    /// Tells them something that they can act on in the middle of a flow: that no browser could be opened, or what the
    /// end that they wish for waits for.
    fn notice(&mut self, _message: &str) {}

    /// What they type while a browser login waits: a redirect URL, or `d` for a device code. Asked for once; the
    /// lines are read on a thread of their own.
    fn lines(&mut self) -> Option<Lines> {
        None
    }

    /// A line for the log, without a secret in it.
    fn note(&mut self, _line: &LogLine) {}

    /// What crossed the wire, for the log.
    fn exchanged(&mut self, _exchange: &Exchange) {}

    /// Called once, before the first effect that changes something or may have to wait: the time to catch Ctrl-C
    /// and hand it to `cancellation`. A call that is answered from the store alone never comes here.
    fn engage(&mut self, _cancellation: &Cancellation) {}
}

/// No person: what should be presented is not, and nothing is typed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Person for Nobody {
    fn present(&mut self, _prompt: &Prompt) {}
}

/// A person who is only ever told what to do.
impl<F: FnMut(&Prompt) + Send> Person for F {
    fn present(&mut self, prompt: &Prompt) {
        self(prompt);
    }
}
