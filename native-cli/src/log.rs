//! The log of a home: what a flow did, step by step, enough to support somebody by mail.
//!
//! It is the file in which Codex logs its sign-ins, and its lines begin as Codex's do: the time, the level, who says
//! it. Names, times, statuses and the reasons of failures are in it; queries, headers, bodies, codes and tokens never
//! are.

mod file;
mod words;

use std::fmt::Arguments;
use std::path::{Path, PathBuf};
use std::process;
use std::time::Instant;

use hallpass_core::{Effect, Error, Event, LogLine, Outcome};

use crate::shell::{Exchange, now};
use file::LogFile;
use words::{Level, answer, plain, question};

/// One run of a flow, as it is logged.
///
/// Nothing is written before the flow takes a lock, writes or sends: what is answered from the store alone leaves no
/// trace and costs nothing. A log that cannot be written is nobody's concern.
#[derive(Debug)]
pub(crate) struct Log {
    file: LogFile,
    flow: &'static str,
    begun: Instant,
    steps: u32,
    /// A number for this run, once it is worth one.
    run: Option<u32>,
}

/// A step that is not answered yet.
#[derive(Debug)]
pub(crate) struct Asked {
    begun: Instant,
    question: String,
    exchange: Option<Exchange>,
}

impl Log {
    /// The log in this folder, of a flow that is called so.
    pub(crate) fn begin(folder: &Path, flow: &'static str) -> Self {
        Self { file: LogFile::new(folder.to_owned()), flow, begun: Instant::now(), steps: 0, run: None }
    }

    /// Where the log of a home is, unless its configuration says otherwise.
    pub(crate) fn folder(home: &Path) -> PathBuf {
        home.join("log")
    }

    /// A step begins; `lines` is what its flow says about it.
    pub(crate) fn asked(&mut self, effect: &Effect, lines: &[LogLine]) -> Option<Asked> {
        self.steps += 1;
        if self.run.is_none() && matches!(effect, Effect::Load(_)) {
            return None;
        }
        if self.run.is_none() {
            self.run = Some(number());
            let (version, os, machine) = (env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH);
            self.say(
                Level::Info,
                format_args!("begins: hallpass {version}, {os} {machine}, process {}", process::id()),
            );
        }
        for line in lines {
            self.say(Level::Info, format_args!("note: {}", plain(&line.message)));
        }
        let exchange = match effect {
            Effect::Http(request) => Some(Exchange::begun(request)),
            _ => None,
        };
        Some(Asked { begun: Instant::now(), question: question(effect), exchange })
    }

    /// It has ended with this.
    pub(crate) fn answered(&mut self, asked: Option<Asked>, event: &Event) {
        let Some(Asked { begun, question, exchange }) = asked else { return };
        let (elapsed, step) = (begun.elapsed().as_millis(), self.steps);
        if let Some(exchange) = exchange.map(|exchange| exchange.ended(event)) {
            let went_well = exchange.answer.as_ref().is_ok_and(|status| *status < 400);
            let level = if went_well { Level::Info } else { Level::Warn };
            // What has come may have to be stored before anything else is done, this line among it.
            self.note(level, format_args!("step {step}: {} ({elapsed} ms)", plain(&exchange.to_string())));
        } else {
            let (level, answer) = answer(event);
            self.say(level, format_args!("step {step}: {question} -> {answer} ({elapsed} ms)"));
        }
    }

    /// The flow has ended.
    pub(crate) fn ended(mut self, result: &Result<Outcome, Error>) {
        if self.run.is_none() {
            return;
        }
        let elapsed = self.begun.elapsed().as_millis();
        match result {
            Ok(_) => self.say(Level::Info, format_args!("ended well ({elapsed} ms)")),
            Err(error) => {
                let (code, message) = (error.code(), plain(&error.to_string()));
                self.say(Level::Error, format_args!("ended with {code}: {message} ({elapsed} ms)"));
            }
        }
    }

    fn say(&mut self, level: Level, words: Arguments<'_>) {
        self.note(level, words);
        self.file.write();
    }

    /// Writes it with the next line.
    fn note(&mut self, level: Level, words: Arguments<'_>) {
        let (flow, run) = (self.flow, self.run.unwrap_or_default());
        self.file.add(format_args!("{} {} hallpass: {flow} {run:08x} {words}\n", now(), level.name()));
    }
}

/// Chance, to tell the lines of this run from those of others.
fn number() -> u32 {
    let mut bytes = [0; 4];
    // Without it, the process and the time tell them apart.
    let _ = getrandom::fill(&mut bytes);
    u32::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests;
