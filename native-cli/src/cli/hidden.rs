//! A line that is typed on the terminal and not shown.

use std::io;

use hallpass::Cancellation;
use zeroize::Zeroizing;

/// Reads a line of at most so many bytes from the terminal that is stdin; one byte more stands for a longer one.
/// `None` when the person, or a signal, stopped it. Whatever happens, the terminal is left as it was found.
#[cfg(unix)]
pub(super) fn read(most: usize, cancellation: &Cancellation) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    use super::report::word;
    use rustix::io::Errno;

    let terminal = terminal::Hidden::begin()?;
    let mut line = Line::new(most);
    let mut typed = Zeroizing::new([0; 1024]);
    while !cancellation.is_wished() {
        let count = match terminal.read(typed.as_mut_slice()) {
            Ok(0) if terminal.has_gone() => return Ok(Some(line.bytes)),
            Err(Errno::INTR) => 0,
            result => result?,
        };
        for byte in typed.iter().take(count) {
            match line.take(*byte) {
                Turn::Next => {}
                Turn::Done => {
                    drop(terminal);
                    // The key that ended the line was not shown either.
                    word("");
                    return Ok(Some(line.bytes));
                }
                Turn::Stopped => return Ok(None),
            }
        }
    }
    Ok(None)
}

/// Reads a line from the console.
#[cfg(windows)]
pub(super) fn read(most: usize, _: &Cancellation) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut bytes = Zeroizing::new(rpassword::read_password()?.into_bytes());
    bytes.truncate(most + 1);
    Ok(Some(bytes))
}

#[cfg(unix)]
mod terminal {
    use std::io::{Stdin, stdin};

    use rustix::io::Errno;
    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, isatty, tcgetattr, tcsetattr};

    /// The terminal for as long as it shows nothing and leaves every key to us, Ctrl-C among them: a process that a
    /// signal ends restores nothing.
    pub(super) struct Hidden {
        terminal: Stdin,
        before: Termios,
    }

    impl Hidden {
        pub(super) fn begin() -> Result<Self, Errno> {
            let terminal = stdin();
            let before = tcgetattr(&terminal)?;
            let mut modes = before.clone();
            modes.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ISIG;
            // By bytes, not by lines: those end at 4095 bytes on Linux and at 1023 on macOS, and some tokens are longer.
            modes.local_modes -= LocalModes::ICANON | LocalModes::IEXTEN;
            // A read waits for a tenth of a second at most, so that a signal is seen.
            modes.special_codes[SpecialCodeIndex::VMIN] = 0;
            modes.special_codes[SpecialCodeIndex::VTIME] = 1;
            tcsetattr(&terminal, OptionalActions::Now, &modes)?;
            Ok(Self { terminal, before })
        }

        /// What has been typed; nothing when nothing was for a while.
        pub(super) fn read(&self, into: &mut [u8]) -> Result<usize, Errno> {
            rustix::io::read(&self.terminal, into)
        }

        /// Whether the terminal was closed: then it has nothing to say any more, at once.
        pub(super) fn has_gone(&self) -> bool {
            !isatty(&self.terminal)
        }
    }

    impl Drop for Hidden {
        fn drop(&mut self) {
            // What was typed or pasted beyond the line is dropped: the shell would take it for a command.
            let _ = tcsetattr(&self.terminal, OptionalActions::Flush, &self.before);
        }
    }
}

/// What a byte came to.
#[cfg(any(unix, test))]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Turn {
    Next,
    Done,
    Stopped,
}

/// A line that is being typed, with the keys that a terminal would know itself.
#[cfg(any(unix, test))]
struct Line {
    bytes: Zeroizing<Vec<u8>>,
    most: usize,
    sequence: Sequence,
}

/// How far into a key that sends several bytes: an arrow, or the brackets that some terminals put around a paste.
#[cfg(any(unix, test))]
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Sequence {
    Outside,
    Begun,
    Inside,
}

#[cfg(any(unix, test))]
impl Line {
    fn new(most: usize) -> Self {
        // Its whole length at once: a vector that grows leaves what it held behind.
        Self { bytes: Zeroizing::new(Vec::with_capacity(most + 1)), most, sequence: Sequence::Outside }
    }

    fn take(&mut self, byte: u8) -> Turn {
        const CTRL_C: u8 = 0x03;
        const CTRL_D: u8 = 0x04;
        const BACKSPACE: u8 = 0x08;
        const CTRL_U: u8 = 0x15;
        const ESCAPE: u8 = 0x1b;
        const DELETE: u8 = 0x7f;
        match (self.sequence, byte) {
            (_, CTRL_C) => return Turn::Stopped,
            (_, b'\r' | b'\n' | CTRL_D) => return Turn::Done,
            (_, ESCAPE) => self.sequence = Sequence::Begun,
            (Sequence::Begun, b'[' | b'O') | (Sequence::Inside, b' '..=b'?') => self.sequence = Sequence::Inside,
            (Sequence::Inside, _) => self.sequence = Sequence::Outside,
            (_, CTRL_U) => self.bytes.clear(),
            (_, BACKSPACE | DELETE) => self.erase(),
            (_, b'\t' | b' '..) => {
                self.sequence = Sequence::Outside;
                if self.bytes.len() <= self.most {
                    self.bytes.push(byte);
                }
            }
            // No other key has a meaning here.
            _ => {}
        }
        Turn::Next
    }

    /// Takes back one character, however many bytes it has.
    fn erase(&mut self) {
        const REST: std::ops::RangeInclusive<u8> = 0x80..=0xbf;
        while self.bytes.pop().is_some_and(|byte| REST.contains(&byte)) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(bytes: &[u8]) -> (Vec<u8>, Turn) {
        let mut line = Line::new(8);
        let turn = bytes.iter().map(|byte| line.take(*byte)).find(|turn| *turn != Turn::Next);
        (line.bytes.to_vec(), turn.unwrap_or(Turn::Next))
    }

    #[test]
    fn keys_do_what_they_do_on_a_terminal() {
        for (bytes, expected) in [
            (&b"sk-1\rrest"[..], (&b"sk-1"[..], Turn::Done)),
            (b"sk-1\n", (b"sk-1", Turn::Done)),
            (b"sk-1\x04", (b"sk-1", Turn::Done)),
            (b"\x04", (b"", Turn::Done)),
            (b"sk-1\x03", (b"sk-1", Turn::Stopped)),
            (b"oops\x15sk-1\r", (b"sk-1", Turn::Done)),
            (b"\x7fsk-x\x7f1\r", (b"sk-1", Turn::Done)),
            ("skéé\u{8}\u{7f}-1\r".as_bytes(), (b"sk-1", Turn::Done)),
            (b"sk\x1b[A-\x1bOH1\x1b[3~\x1a\x1c\r", (b"sk-1", Turn::Done)),
            (b"\x1b[200~sk-1\x1b[201~\r", (b"sk-1", Turn::Done)),
            (b"\x1bsk-1\r", (b"sk-1", Turn::Done)),
            (b"\x1b[\x03", (b"", Turn::Stopped)),
        ] {
            assert_eq!(typed(bytes), (expected.0.to_vec(), expected.1), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_seen_to_be() {
        assert_eq!(typed(b"12345678\r").0.len(), 8);
        assert_eq!(typed(b"1234567890123\r").0.len(), 9);
    }
}
