//! Texts made fit: words of a server to be shown to a person, a person's key to be sent to a server.

use alloc::string::String;

use crate::Secret;

/// As much of a server's words as is shown.
const LONGEST: usize = 300;

/// The text without control characters, direction overrides and other invisible ones, cut at 300 characters.
pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|character| !is_unprintable(*character)).take(LONGEST).collect()
}

/// What a server says of an error, as [`plain`] text and without what may be a secret: some servers repeat what was sent
/// to them. Names, numbers and identifiers of a request stay.
pub(crate) fn said(text: &str) -> String {
    let mut said = String::new();
    for part in text.split_inclusive(|character| !is_of_a_token(character)) {
        let word = part.trim_end_matches(|character| !is_of_a_token(character));
        if may_be_secret(word) {
            said.push('…');
            said.extend(part.strip_prefix(word));
        } else {
            said.push_str(part);
        }
    }
    plain(&said)
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

/// The characters of base64url, of a JWT and of what else tokens are made of (RFC 6750, section 2.1), but `/` and `=`,
/// which stand between the words of an address.
fn is_of_a_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~+".contains(character)
}

/// Whether a word is as long and as mixed as secrets are. A UUID and a trace id are not.
fn may_be_secret(word: &str) -> bool {
    let has = |is: fn(&u8) -> bool| word.bytes().any(|byte| is(&byte));
    let is_identifier = word.len() <= 36 && word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    word.len() >= 32 && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic) && !is_identifier
}

fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_repeats_of_a_secret_is_not_said() {
        let token = "g0faRYkG7vI4Xk9wIZ4WUvzq0Wg5X3T_Hm6nBhzNgW8";
        for (text, expected) in [
            (alloc::format!("the token {token} is not valid"), "the token … is not valid"),
            (
                alloc::format!("grant_type=refresh_token&refresh_token={token}&x=1"),
                "grant_type=refresh_token&refresh_token=…&x=1",
            ),
            (token.into(), "…"),
            (alloc::format!("{}{token}", "a ".repeat(140)), "…"),
        ] {
            let said = said(&text);
            assert!(said.ends_with(expected) && !said.contains("g0fa"), "{said}");
        }
    }

    #[test]
    fn what_helps_to_find_an_error_is_said() {
        for text in [
            "AADSTS70008: The refresh token has expired. Trace ID: 0f2c9e1b-7a3d-4c5e-9b1a-2d3e4f5a6b7c",
            "see https://login.example.com/errors/invalid-grant-2024?id=0123456789abcdef0123456789abcdef",
            "urn:ietf:params:oauth:grant-type:device_code is not allowed for the_client_with_a_rather_long_name",
        ] {
            assert_eq!(said(text), text);
        }
    }
}
