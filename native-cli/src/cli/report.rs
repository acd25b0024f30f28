//! The only place that writes: data to stdout, words for people to stderr.

use std::io::{self, IsTerminal as _, Write as _};

use hallpass_core::{Level, LogLine, Report};
use serde_json::Value;
use terminal_size::{Height, Width};
use zeroize::Zeroizing;

use super::failure::{CANCELLED, Failure};
use super::json;
use super::text::{escape, safe, wrap};

/// How this run talks to people.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Voice {
    /// Only errors, warnings and what must be acted on.
    pub(crate) quiet: bool,
    /// Each step, too.
    pub(crate) verbose: bool,
    /// Answers are for programs.
    pub(crate) json: bool,
    /// Answers are events, one a line.
    pub(crate) events: bool,
}

impl Voice {
    /// What is nice to know.
    pub(crate) fn say(self, line: &str) {
        if !self.quiet && !self.json {
            word(line);
        }
    }

    /// What is being done, for those who asked to see it.
    pub(crate) fn detail(self, line: &str) {
        if self.verbose {
            word(&paint(Style::Dim, &safe(line)));
        }
    }

    /// What the person who waits should know now.
    pub(crate) fn notice(self, message: &str) {
        self.say(&format!("{} {}", paint(Style::Warning, "note:"), safe(message)));
    }

    /// A line of a flow's log, for whom it is.
    pub(crate) fn log(self, line: &LogLine) {
        match line.level {
            Level::Notice => self.notice(&line.message),
            Level::Detail => self.detail(&line.message),
        }
    }

    /// Why the command failed: the last that it says. With JSON it goes to stdout.
    pub(crate) fn fail(self, failure: &Failure) {
        let Some(report) = failure.report() else { return };
        if self.json {
            // Where nobody reads the answer, the exit code is all that is left.
            let answer = if self.events { json::failed(&report) } else { json::error(&report) };
            let _ = document(&answer);
        } else {
            if report.code == CANCELLED && io::stderr().is_terminal() {
                // The terminal has shown `^C` on the line where we are.
                word("");
            }
            fail(std::slice::from_ref(&report));
        }
    }
}

/// Says what should be known although the command goes on.
pub(crate) fn warn(report: &Report) {
    warn_of(std::slice::from_ref(report));
}

/// The same of several things: each once, and advice that they share after the last of them.
pub(crate) fn warn_of(reports: &[Report]) {
    announce("warning", Style::Warning, reports);
}

/// Says why the command failed.
pub(crate) fn fail(reports: &[Report]) {
    announce("error", Style::Error, reports);
}

/// Writes a line of data to stdout, all of it at once. It may be a secret.
pub(crate) fn data(line: &str) -> Result<(), Failure> {
    let mut whole = Zeroizing::new(String::with_capacity(line.len() + 1));
    whole.push_str(line);
    whole.push('\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(whole.as_bytes())?;
    Ok(stdout.flush()?)
}

/// Writes a JSON document to stdout, on one line.
pub(crate) fn document(value: &Value) -> Result<(), Failure> {
    data(&escape(&value.to_string()))
}

/// Writes a line of words to stderr. A stderr that nobody reads is no reason to fail.
pub(crate) fn word(line: &str) {
    let line = fitted(line, terminal_size::terminal_size_of(io::stderr()));
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Writes lines that are read by people, and that are what they asked for, to stdout.
pub(crate) fn tell(lines: &str) -> Result<(), Failure> {
    data(&fitted(lines, terminal_size::terminal_size_of(io::stdout())))
}

/// Lines that break between words where they meet the edge of a terminal.
fn fitted(lines: &str, terminal: Option<(Width, Height)>) -> String {
    let Some((width, _)) = terminal else { return lines.to_owned() };
    lines.split('\n').map(|line| wrap(line, usize::from(width.0))).collect::<Vec<_>>().join("\n")
}

/// What a piece of text is, for its colour.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Style {
    Error,
    Warning,
    Help,
    Strong,
    Dim,
}

/// A text in its colour, where stderr shows colours.
pub(crate) fn paint(style: Style, text: &str) -> String {
    if !has_colour() {
        return text.to_owned();
    }
    let code = match style {
        Style::Error => "1;31",
        Style::Warning => "1;33",
        Style::Help => "1;36",
        Style::Strong => "1",
        Style::Dim => "2",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// Whether stderr shows colours, and nobody asked for none (<https://no-color.org>).
pub(crate) fn has_colour() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// How many columns and rows stderr has; `None` when it is no terminal.
pub(crate) fn size() -> Option<(usize, usize)> {
    let (width, height) = terminal_size::terminal_size_of(io::stderr())?;
    Some((usize::from(width.0), usize::from(height.0)))
}

fn announce(kind: &str, style: Style, reports: &[Report]) {
    for (index, report) in reports.iter().enumerate() {
        let (before, after) = (reports.get(..index).unwrap_or_default(), reports.get(index + 1..).unwrap_or_default());
        if before.iter().any(|earlier| earlier.message == report.message) {
            continue;
        }
        word(&format!("{} {}", paint(style, &format!("{kind}:")), safe(&report.message)));
        let is_repeated = after.iter().any(|later| later.help == report.help && later.message != report.message);
        if let Some(help) = report.help.as_ref().filter(|_| !is_repeated) {
            word(&format!("{} {}", paint(Style::Help, "help:"), safe(help)));
        }
    }
}
