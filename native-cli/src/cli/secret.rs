//! Secrets that a person hands in: hidden on a terminal, from stdin otherwise, never as an argument.

use std::io::{self, IsTerminal as _, Read};

use hallpass::Cancellation;
use hallpass_core::{Declined, Error, Secret};

use super::failure::Failure;
use super::hidden;
use super::person::catch_interrupts;
use super::report::{Voice, word};

/// No key, token or record is as long as this.
const LIMIT: usize = 64 * 1024;
const HELP: &str =
    "pipe it in, as in `printenv OPENAI_API_KEY | hallpass login --with-api-key`, or type it on a terminal";

/// Asks for a secret, which is called `what`.
pub(super) fn ask(what: &str, voice: Voice, cancellation: &Cancellation) -> Result<Secret, Failure> {
    if io::stdin().is_terminal() {
        word(&format!("Paste the {what} (it is not shown), then press Enter:"));
        if cfg!(unix) {
            catch_interrupts(voice, cancellation);
        }
        let line = hidden::read(LIMIT, cancellation).map_err(|error| unreadable(what, &error))?;
        let line = line.ok_or(Error::Declined(Declined::Cancelled))?;
        return read(what, HELP, line.as_slice());
    }
    voice.say(&format!("Reading the {what} from stdin…"));
    read(what, HELP, io::stdin().lock())
}

/// Reads a secret to its end; `help` says how to hand one in.
pub(super) fn read(what: &str, help: &str, source: impl Read) -> Result<Secret, Failure> {
    let mut bytes = Vec::new();
    source.take(LIMIT as u64 + 1).read_to_end(&mut bytes).map_err(|error| unreadable(what, &error))?;
    if bytes.len() > LIMIT {
        return Err(Failure::usage(format!("what was given as {what} is larger than 64 KiB"), ""));
    }
    let text = String::from_utf8(bytes).map_err(|_| Failure::usage(format!("the {what} is not text"), ""))?;
    tidy(what, help, text)
}

fn tidy(what: &str, help: &str, text: String) -> Result<Secret, Failure> {
    let whole = Secret::from(text);
    let secret = Secret::new(whole.expose().trim_start_matches('\u{feff}').trim());
    if secret.is_empty() {
        return Err(Failure::usage(format!("no {what} was given"), help));
    }
    Ok(secret)
}

fn unreadable(what: &str, error: &io::Error) -> Failure {
    Failure::local("input", format!("the {what} cannot be read: {error}"), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_around_a_secret_is_no_part_of_it() {
        for text in ["sk-1", "sk-1\n", "  sk-1\r\n", "\u{feff}sk-1\n"] {
            assert_eq!(read("API key", HELP, text.as_bytes()).unwrap().expose(), "sk-1");
        }
    }

    #[test]
    fn nothing_too_much_and_no_text_are_wrong_usage() {
        let long = vec![b'x'; 64 * 1024 + 1];
        for bytes in [&b""[..], b" \n\t", b"\xff\xfe", &long] {
            assert_eq!(read("API key", HELP, bytes).unwrap_err().exit_code(), 2);
        }
        assert!(read("API key", HELP, &long[1..]).is_ok());
    }
}
