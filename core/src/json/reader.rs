//! The pieces of JSON, read one by one.

use alloc::borrow::Cow;
use alloc::string::String;

/// How deep a value may be nested.
const DEEPEST: u8 = 128;

/// A text, and how far it has been read.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    json: &'a str,
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(json: &'a str) -> Self {
        Self { json, at: 0 }
    }

    /// The byte at which the text has been read so far.
    fn here(&self) -> Option<u8> {
        self.json.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no white space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.here() {
            self.at += 1;
        }
        self.here()
    }

    /// Goes on behind the next byte if it is this one.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(super) fn end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// A whole number: whether it is negative, and its digits.
    pub(super) fn number(&mut self) -> Option<(bool, u64)> {
        let negative = self.take(b'-');
        let start = self.at;
        let mut value: u64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.here() {
            value = value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
            self.at += 1;
        }
        let is_whole = !matches!(self.here(), Some(b'.' | b'e' | b'E'));
        (is_whole && self.at > start).then_some((negative, value))
    }

    /// A text; copied only if something in it is escaped.
    pub(super) fn text(&mut self) -> Option<Cow<'a, str>> {
        if !self.take(b'"') {
            return None;
        }
        let (raw, is_escaped) = self.raw_text()?;
        if is_escaped { unescape(raw).map(Cow::Owned) } else { Some(Cow::Borrowed(raw)) }
    }

    /// What is left of a text, behind its first quotation mark.
    fn raw_text(&mut self) -> Option<(&'a str, bool)> {
        let start = self.at;
        let mut is_escaped = false;
        loop {
            self.at += plain(self.json.as_bytes().get(self.at..)?);
            match self.here()? {
                b'"' => break,
                b'\\' => {
                    is_escaped = true;
                    self.at += 2;
                }
                _ => return None,
            }
        }
        let raw = self.json.get(start..self.at)?;
        self.at += 1;
        Some((raw, is_escaped))
    }

    /// Passes over a value, whatever it is: where it begins, and its text.
    pub(super) fn value(&mut self) -> Option<(usize, &'a str)> {
        self.peek();
        let start = self.at;
        if !self.skip(DEEPEST) {
            return None;
        }
        Some((start, self.json.get(start..self.at)?))
    }

    fn skip(&mut self, depth: u8) -> bool {
        let Some(deeper) = depth.checked_sub(1) else { return false };
        match self.peek() {
            Some(b'"') => self.skip_text(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            Some(open @ (b'[' | b'{')) => self.skip_all(open, deeper),
            _ => self.skip_number(),
        }
    }

    fn skip_all(&mut self, open: u8, depth: u8) -> bool {
        let close = open + 2; // as ASCII has it
        self.at += 1;
        if self.take(close) {
            return true;
        }
        loop {
            if open == b'{' && !(self.peek() == Some(b'"') && self.skip_text() && self.take(b':')) {
                return false;
            }
            if !self.skip(depth) {
                return false;
            }
            if self.take(close) {
                return true;
            }
            if !self.take(b',') {
                return false;
            }
        }
    }

    fn skip_text(&mut self) -> bool {
        self.at += 1;
        let start = self.at;
        match self.raw_text() {
            Some((raw, true)) if !is_escaped_well(raw) => {
                self.at = start;
                false
            }
            text => text.is_some(),
        }
    }

    fn skip_number(&mut self) -> bool {
        self.at += usize::from(self.here() == Some(b'-'));
        let is_zero = self.here() == Some(b'0');
        let whole = self.digits();
        let mut is_proper = whole == 1 || whole > 1 && !is_zero;
        if self.here() == Some(b'.') {
            self.at += 1;
            is_proper &= self.digits() > 0;
        }
        if let Some(b'e' | b'E') = self.here() {
            self.at += 1;
            self.at += usize::from(matches!(self.here(), Some(b'+' | b'-')));
            is_proper &= self.digits() > 0;
        }
        is_proper
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.here() {
            self.at += 1;
        }
        self.at - start
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.json.get(self.at..).is_some_and(|rest| rest.starts_with(word));
        self.at += if found { word.len() } else { 0 };
        found
    }
}

/// How many bytes at the beginning stand for themselves in a text: no quotation mark, backslash or control character.
/// Eight at a time: tokens are long, and passed over more than once.
pub(super) fn plain(bytes: &[u8]) -> usize {
    const EACH: u64 = u64::MAX / 255;
    // The highest bit of each byte below a number up to 128, and of some above the lowest of those.
    let below = |word: u64, number: u64| word.wrapping_sub(EACH * number) & !word & (EACH * 128);
    let mut count = 0;
    while let Some(eight) = bytes.get(count..).and_then(|rest| rest.first_chunk()) {
        let word = u64::from_le_bytes(*eight);
        let is = |byte: u8| below(word ^ (EACH * u64::from(byte)), 1);
        let special = below(word, 0x20) | is(b'"') | is(b'\\');
        if special != 0 {
            return count + special.trailing_zeros() as usize / 8;
        }
        count += 8;
    }
    let rest = bytes.get(count..).unwrap_or_default();
    count + rest.iter().position(|byte| matches!(byte, 0..0x20 | b'"' | b'\\')).unwrap_or(rest.len())
}

/// Whether each escape is one that there is. What it stands for shows when the text is read.
fn is_escaped_well(raw: &str) -> bool {
    let mut rest = raw;
    while let Some((_, after)) = rest.split_once('\\') {
        let mut letters = after.chars();
        let is_known = match letters.next() {
            Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => true,
            Some('u') => hex(&mut letters).is_some(),
            _ => false,
        };
        if !is_known {
            return false;
        }
        rest = letters.as_str();
    }
    true
}

/// Resolves the escapes of a text. What it grows into is never larger, so that it never moves.
fn unescape(raw: &str) -> Option<String> {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        let mut letters = after.chars();
        let letter = match letters.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let unit = hex(&mut letters)?;
                let low = letters.as_str().strip_prefix("\\u");
                let code = match (unit, low) {
                    (0xd800..=0xdbff, Some(low)) => {
                        letters = low.chars();
                        let low = hex(&mut letters)?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                        0x10000 + (unit - 0xd800) * 0x400 + low
                    }
                    _ => unit,
                };
                char::from_u32(code)?
            }
            letter @ ('"' | '\\' | '/') => letter,
            _ => return None,
        };
        text.push(letter);
        rest = letters.as_str();
    }
    text.push_str(rest);
    Some(text)
}

fn hex(letters: &mut core::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |value, _| Some(value * 16 + letters.next()?.to_digit(16)?))
}
