//! Texts made fit: words of a server to be shown to a person, a person's key to be sent to a server.

use alloc::string::String;

use crate::Secret;

/// As much of a server's words as is shown.
const LONGEST: usize = 300;

/// The text without control characters, direction overrides and other invisible ones, cut at 300 characters.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|character| !is_unprintable(*character)).take(LONGEST).collect()
}

/// A key or token without the white space around it, and with nothing in it that could break a header. The error is
/// the end of a sentence.
pub(crate) fn trimmed(value: &Secret) -> Result<Secret, &'static str> {
    let text = value.expose().trim();
    if text.is_empty() {
        return Err("is empty");
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("has a space or a character that no key has");
    }
    Ok(Secret::new(text))
}

fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}
