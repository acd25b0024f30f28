//! The people that flows speak with.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use hallpass::{Cancellation, Exchange, Lines, Person};
use hallpass_core::{LogLine, Prompt, Timestamp};

use super::failure::{CANCELLED, Failure, INTERRUPTED};
use super::json;
use super::qr;
use super::report::{Style, Voice, document, paint, word};
use super::text::{moment, safe};

/// Somebody who is not asked anything: a flow that needs no person.
#[derive(Debug)]
pub(super) struct Bystander {
    voice: Voice,
}

impl Bystander {
    pub(super) fn new(voice: Voice) -> Self {
        Self { voice }
    }
}

impl Person for Bystander {
    fn present(&mut self, _prompt: &Prompt) {}

    fn notice(&mut self, message: &str) {
        self.voice.notice(message);
    }

    fn note(&mut self, line: &LogLine) {
        self.voice.log(line);
    }

    fn exchanged(&mut self, exchange: &Exchange) {
        self.voice.detail(&exchange.to_string());
    }

    fn engage(&mut self, cancellation: &Cancellation) {
        catch_interrupts(self.voice, cancellation);
    }
}

/// Somebody who signs in: at a terminal, or through a program that reads events.
#[derive(Debug)]
pub(super) struct Applicant {
    pub(super) voice: Voice,
    /// Whether a browser is opened for them.
    pub(super) opens_browser: bool,
    /// Whether stdin is still theirs.
    pub(super) can_type: bool,
}

impl Person for Applicant {
    fn present(&mut self, prompt: &Prompt) {
        if self.voice.json {
            // When the reader has gone, the login goes on: the browser may still finish it.
            let _ = document(&json::prompt(prompt)).and_then(|()| document(&json::waiting()));
            return;
        }
        let now = hallpass::now();
        let lines = match prompt {
            Prompt::Browser { authorization_url, can_switch, .. } => {
                self.browser(authorization_url.expose(), *can_switch)
            }
            Prompt::UserCode { user_code, verification_uri, verification_uri_complete, expires_at } => {
                let scan = verification_uri_complete.as_ref().map_or(verification_uri.as_str(), |uri| uri.expose());
                user_code_page(user_code.expose(), verification_uri, scan, *expires_at, now)
            }
        };
        for line in lines {
            word(&line);
        }
    }

    fn notice(&mut self, message: &str) {
        self.voice.notice(message);
    }

    fn lines(&mut self) -> Option<Lines> {
        (self.can_type && !is_in_background()).then(|| Box::new(Typed) as Lines)
    }

    fn note(&mut self, line: &LogLine) {
        self.voice.log(line);
    }

    fn exchanged(&mut self, exchange: &Exchange) {
        self.voice.detail(&exchange.to_string());
    }

    fn engage(&mut self, cancellation: &Cancellation) {
        catch_interrupts(self.voice, cancellation);
    }
}

impl Applicant {
    fn browser(&self, url: &str, can_switch: bool) -> Vec<String> {
        let first = if self.opens_browser {
            "Opening your browser to sign in. If nothing opens, go to:"
        } else {
            "To sign in, open this address in a browser:"
        };
        let mut lines = vec![first.to_owned(), String::new(), safe(url), String::new()];
        if self.can_type && io::stdin().is_terminal() {
            let device = if can_switch { ", or type d and press Enter for a device code" } else { "" };
            lines.push(format!("If that browser is on another machine, paste the redirect URL here{device}."));
        }
        lines.push("Waiting for the sign-in; Ctrl-C stops it.".to_owned());
        lines
    }
}

fn user_code_page(code: &str, page: &str, scan: &str, expires_at: Timestamp, now: Timestamp) -> Vec<String> {
    let mut lines = qr::lines(scan).unwrap_or_default();
    lines.extend([
        "To sign in, open this page on any device:".to_owned(),
        String::new(),
        format!("  {}", safe(page)),
        String::new(),
        "and enter this code:".to_owned(),
        String::new(),
        format!("  {}", paint(Style::Strong, &safe(code))),
        String::new(),
        format!("It expires {}.", moment(expires_at, now)),
        "Go on only if you started this sign-in yourself: whoever gets you to enter their code is signed in as you."
            .to_owned(),
        "Waiting for the sign-in; Ctrl-C stops it.".to_owned(),
    ]);
    lines
}

/// What is typed on stdin, line by line, until its end or a line that no redirect URL can be.
struct Typed;

impl Iterator for Typed {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        const LIMIT: u64 = 64 * 1024;
        let mut line = String::new();
        let read = io::stdin().lock().take(LIMIT).read_line(&mut line).ok()?;
        (read > 0 && (read as u64) < LIMIT).then_some(line)
    }
}

/// From here on Ctrl-C, and a polite request to end, are a wish: a token that was asked for is saved first. Whoever wishes
/// it twice while the save waits for another tool is let go.
pub(crate) fn catch_interrupts(voice: Voice, cancellation: &Cancellation) {
    let cancellation = cancellation.clone();
    // When there is a handler already, it is this one.
    let _ = ctrlc::set_handler(move || {
        if cancellation.is_wished() && cancellation.can_end() {
            let help = "what was renewed is kept, and the next command saves it";
            voice.fail(&Failure::command(INTERRUPTED, CANCELLED, "cancelled", help));
            std::process::exit(INTERRUPTED.into());
        }
        cancellation.cancel();
    });
}

/// Whether reading from the terminal would stop this process.
#[cfg(unix)]
fn is_in_background() -> bool {
    let stdin = io::stdin();
    stdin.is_terminal() && rustix::termios::tcgetpgrp(&stdin).is_ok_and(|group| group != rustix::process::getpgrp())
}

#[cfg(not(unix))]
fn is_in_background() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_stands_on_a_line_of_its_own() {
        let applicant = Applicant { voice: Voice::default(), opens_browser: false, can_type: false };
        let lines = applicant.browser("https://id.example.com/authorize?a=b", true);
        assert_eq!(lines[2], "https://id.example.com/authorize?a=b");
    }

    #[test]
    fn a_device_code_comes_with_its_page_its_end_and_a_caution() {
        let now = Timestamp::from_seconds(1_795_454_709);
        let page = user_code_page("ABCD-\u{1b}1234", "https://id.example.com/device", "", now.plus(900_000), now);
        let text = page.join("\n");
        for expected in ["https://id.example.com/device", "ABCD-1234", "in 15 minutes", "started this sign-in yourself"]
        {
            assert!(text.contains(expected), "{text}");
        }
    }
}
