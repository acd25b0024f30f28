//! Words of a server, made fit to be shown to a person.

use alloc::string::String;

/// As much of a server's words as is shown.
const LONGEST: usize = 300;

/// The text without control characters, direction overrides and other invisible ones, cut at 300 characters.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|character| !is_unprintable(*character)).take(LONGEST).collect()
}

fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}
