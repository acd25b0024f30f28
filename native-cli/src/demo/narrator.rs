//! The story, as it is told.

use std::sync::{Arc, Mutex, PoisonError};

use crate::cli::failure::Failure;
use crate::cli::report::tell;

/// What crossed the wire since it was last told. A clone writes on the same page.
#[derive(Clone, Debug, Default)]
pub(super) struct Wire(Arc<Mutex<Vec<String>>>);

impl Wire {
    /// `who` has sent something, and this came of it.
    pub(super) fn note(&self, who: &str, what: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{who:<9} {what}"));
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Tells the story on stdout.
#[derive(Debug)]
pub(super) struct Narrator {
    wire: Wire,
    /// What every URL begins with, and need not be repeated.
    issuer: String,
    chapter: u8,
}

impl Narrator {
    pub(super) fn new(issuer: String) -> Self {
        Self { wire: Wire::default(), issuer, chapter: 0 }
    }

    pub(super) fn wire(&self) -> Wire {
        self.wire.clone()
    }

    /// A new chapter, and what it is about.
    pub(super) fn begin(&mut self, title: &str, about: &str) -> Result<(), Failure> {
        self.chapter += 1;
        tell(&format!("\n{}. {title}\n   {about}", self.chapter))
    }

    /// What happened on the wire, and what is known now.
    pub(super) fn end(&self, facts: &[(&str, String)]) -> Result<(), Failure> {
        for line in self.wire.take() {
            tell(&format!("   {}", line.replace(&self.issuer, "")))?;
        }
        for (name, fact) in facts {
            tell(&format!("   {name:<9} {fact}"))?;
        }
        Ok(())
    }
}
