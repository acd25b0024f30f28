//! Stored text: what bytes are accepted as text, and JSON text on one line.

use std::borrow::Cow;

use hallpass_core::{Secret, StoreTrouble};
use serde::de::IgnoredAny;
use zeroize::Zeroize;

/// The text of a file, without a byte order mark; or why it is none.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<Secret, (StoreTrouble, &'static str)> {
    let utf16 = bytes.starts_with(&[0xff, 0xfe])
        || bytes.starts_with(&[0xfe, 0xff])
        || matches!(bytes[..], [first, second, ..] if (first == 0) != (second == 0));
    let mut text = String::from_utf8(bytes).map_err(|error| {
        error.into_bytes().zeroize();
        (StoreTrouble::Unreadable, if utf16 { "UTF-16 text, not UTF-8" } else { "not UTF-8 text" })
    })?;
    if utf16 {
        text.zeroize();
        return Err((StoreTrouble::Unreadable, "UTF-16 text, not UTF-8"));
    }
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text.into())
}

pub(super) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// JSON text without the white space between its tokens, if it has a line break; strings and numbers stay as
/// they are, byte for byte. What is not JSON is left alone.
pub(super) fn on_one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(['\n', '\r']) || !is_json(text) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for character in text.chars() {
        match character {
            '"' if !escaped => in_string = !in_string,
            ' ' | '\t' | '\n' | '\r' if !in_string => continue,
            _ => {}
        }
        escaped = in_string && !escaped && character == '\\';
        line.push(character);
    }
    Cow::Owned(line)
}

/// The text on one line and after it as many line breaks as make it so long.
pub(super) fn padded(text: &str, size: usize) -> String {
    let mut padded = String::with_capacity(size.max(text.len() + 1));
    padded.push_str(&on_one_line(text));
    padded.push('\n');
    while padded.len() < size {
        padded.push('\n');
    }
    padded
}

/// What a padded text says: the last of its lines that is whole.
///
/// The padding is line breaks because these cannot stand inside a JSON value: a line that a crash left with a
/// hole in it is never taken for a whole one.
pub(super) fn last_whole_line(text: &str) -> &str {
    let text = text.trim_end();
    if !text.contains('\n') || is_json(text) {
        return text;
    }
    text.lines().rev().map(str::trim).find(|line| is_json(line)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_left_out() {
        assert_eq!(decode(b"\xef\xbb\xbf{}".to_vec()), Ok("{}".into()));
    }

    #[test]
    fn utf_16_is_named() {
        for bytes in [&b"\xff\xfe{\0}\0"[..], b"\xfe\xff\0{\0}", b"{\0}\0", b"\0{\0}"] {
            assert_eq!(decode(bytes.to_vec()), Err((StoreTrouble::Unreadable, "UTF-16 text, not UTF-8")));
        }
        assert_eq!(decode(b"\x80".to_vec()), Err((StoreTrouble::Unreadable, "not UTF-8 text")));
    }

    #[test]
    fn nothing_and_zeros_are_text() {
        for text in ["", "\0\0\0", "x"] {
            assert_eq!(decode(text.into()), Ok(text.into()));
        }
    }

    #[test]
    fn one_line_keeps_strings_and_numbers() {
        let text = "{\n  \"a b\" : \"c \\\" \\\\\" ,\r\n\t\"n\": [1.50, 1e400, \"\\u0041\\n é\"],\n \"a b\": null }";
        assert_eq!(on_one_line(text), "{\"a b\":\"c \\\" \\\\\",\"n\":[1.50,1e400,\"\\u0041\\n é\"],\"a b\":null}");
        assert_eq!(on_one_line("{ \"a\": 1 }"), "{ \"a\": 1 }");
        assert_eq!(on_one_line("not\njson"), "not\njson");
    }

    #[test]
    fn the_last_whole_line_counts() {
        assert_eq!(last_whole_line("{\"a\":1}\n\n\n"), "{\"a\":1}");
        assert_eq!(last_whole_line("{\"a\":1}\n{\"b\":2}\n\n"), "{\"b\":2}");
        assert_eq!(last_whole_line("{\"a\":1}\n{\"b\":\"to\n\n"), "{\"a\":1}");
        assert_eq!(last_whole_line("{\"a\":1}\n{\"b\":\"to\n\nken\"}\n"), "{\"a\":1}");
        assert_eq!(last_whole_line("{\n\"a\":1\n}\n"), "{\n\"a\":1\n}");
        assert_eq!(last_whole_line("no\njson\n"), "no\njson");
        assert_eq!(padded("{\n}", 5), "{}\n\n\n");
    }
}
