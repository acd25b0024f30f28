//! The pieces of JSON, read one by one.

use alloc::borrow::Cow;
use alloc::string::String;

use super::{Read, Unreadable};

/// A text, and how far it has been read.
pub(super) struct Reader<'a> {
    json: &'a str,
    pub(super) at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(json: &'a str) -> Self {
        Self { json, at: 0 }
    }

    /// The next byte that is no white space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = self.json.as_bytes().get(self.at).copied();
            if !matches!(byte, Some(b' ' | b'\t' | b'\n' | b'\r')) {
                return byte;
            }
            self.at += 1;
        }
    }

    /// Goes on behind the next byte if it is this one.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, byte: u8) -> Read<()> {
        if self.take(byte) { Ok(()) } else { Err(Unreadable) }
    }

    pub(super) fn end(&mut self) -> Read<()> {
        if self.peek().is_none() { Ok(()) } else { Err(Unreadable) }
    }

    /// `null`, `true` or `false`
    pub(super) fn word(&mut self, word: &str) -> Read<()> {
        self.peek();
        let rest = self.json.get(self.at..).ok_or(Unreadable)?;
        if !rest.starts_with(word) {
            return Err(Unreadable);
        }
        self.at += word.len();
        Ok(())
    }

    /// Before the next element of a list or an object: whether there is one.
    pub(super) fn next(&mut self, is_first: &mut bool, end: u8) -> Read<bool> {
        if self.peek() == Some(end) {
            return Ok(false);
        }
        if !core::mem::take(is_first) {
            self.expect(b',')?;
        }
        Ok(true)
    }

    /// A whole number: its sign and its digits.
    pub(super) fn number(&mut self) -> Read<(bool, u64)> {
        let negative = self.take(b'-');
        let start = self.at;
        let mut value: u64 = 0;
        while let Some(digit @ b'0'..=b'9') = self.json.as_bytes().get(self.at) {
            value = value.checked_mul(10).and_then(|v| v.checked_add(u64::from(digit - b'0'))).ok_or(Unreadable)?;
            self.at += 1;
        }
        let digits = self.json.get(start..self.at).unwrap_or_default();
        let is_whole = !matches!(self.json.as_bytes().get(self.at), Some(b'.' | b'e' | b'E'));
        let is_proper = digits == "0" || !digits.is_empty() && !digits.starts_with('0');
        if is_whole && is_proper { Ok((negative, value)) } else { Err(Unreadable) }
    }

    /// A text; copied only if something in it is escaped.
    pub(super) fn text(&mut self) -> Read<Cow<'a, str>> {
        self.expect(b'"')?;
        let start = self.at;
        let mut is_escaped = false;
        loop {
            match self.json.as_bytes().get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    is_escaped = true;
                    self.at += 2;
                }
                Some(0x20..) => self.at += 1,
                _ => return Err(Unreadable),
            }
        }
        let raw = self.json.get(start..self.at).ok_or(Unreadable)?;
        let text = if is_escaped { Cow::Owned(unescape(raw)?) } else { Cow::Borrowed(raw) };
        self.at += 1;
        Ok(text)
    }

    /// Passes over a value, whatever it is.
    pub(super) fn skip(&mut self, depth: u8) -> Read<()> {
        let deeper = depth.checked_sub(1).ok_or(Unreadable)?;
        let mut is_first = true;
        match self.peek() {
            Some(b'"') => self.text().map(drop),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            Some(b'[') => {
                self.at += 1;
                while self.next(&mut is_first, b']')? {
                    self.skip(deeper)?;
                }
                self.expect(b']')
            }
            Some(b'{') => {
                self.at += 1;
                while self.next(&mut is_first, b'}')? {
                    self.text()?;
                    self.expect(b':')?;
                    self.skip(deeper)?;
                }
                self.expect(b'}')
            }
            Some(b'-' | b'0'..=b'9') => {
                // Any number, its form not looked at: its value is not used.
                while let Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9') = self.json.as_bytes().get(self.at) {
                    self.at += 1;
                }
                Ok(())
            }
            _ => Err(Unreadable),
        }
    }
}

/// Resolves the escapes of a text. What it grows into is never larger, so that it never moves.
fn unescape(raw: &str) -> Read<String> {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        let mut letters = after.chars();
        let letter = match letters.next().ok_or(Unreadable)? {
            letter @ ('"' | '\\' | '/') => letter,
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
                        let low =
                            hex(&mut letters)?.checked_sub(0xdc00).filter(|low| *low < 0x400).ok_or(Unreadable)?;
                        0x10000 + (unit - 0xd800) * 0x400 + low
                    }
                    _ => unit,
                };
                char::from_u32(code).ok_or(Unreadable)?
            }
            _ => return Err(Unreadable),
        };
        text.push(letter);
        rest = letters.as_str();
    }
    text.push_str(rest);
    Ok(text)
}

fn hex(letters: &mut core::str::Chars<'_>) -> Read<u32> {
    (0..4).try_fold(0, |value, _| {
        let digit = letters.next().and_then(|letter| letter.to_digit(16)).ok_or(Unreadable)?;
        Ok(value * 16 + digit)
    })
}
