//! base64url (RFC 4648, section 5), as JOSE and PKCE have it.
//!
//! Written out here because a general engine is half a percent of what a web page downloads.

use alloc::string::String;
use alloc::vec::Vec;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Without padding.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    encoded(bytes.as_ref())
}

fn encoded(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut bits = 0_u32;
        for at in 0..3 {
            bits = bits << 8 | u32::from(chunk.get(at).copied().unwrap_or(0));
        }
        for at in 0..=chunk.len() {
            let digit = (bits >> (18 - 6 * at)) as usize & 63;
            text.extend(ALPHABET.get(digit).copied().map(char::from));
        }
    }
    text
}

/// As real issuers write it: with padding or without, and whatever the last digit says beyond the last byte.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let most = digits.len().next_multiple_of(4) - digits.len();
    if most == 3 || padding > most {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for chunk in digits.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for digit in chunk {
            let value = match digit {
                b'A'..=b'Z' => digit - b'A',
                b'a'..=b'z' => digit - b'a' + 26,
                b'0'..=b'9' => digit - b'0' + 52,
                b'-' => 62,
                b'_' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(value);
        }
        bits <<= 6 * (4 - chunk.len());
        bytes.extend_from_slice(bits.to_be_bytes().get(1..chunk.len())?);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
    use base64::engine::{DecodePaddingMode, general_purpose::URL_SAFE_NO_PAD};

    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::URL_SAFE,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );

    #[test]
    fn every_length_and_every_byte_goes_there_and_back() {
        let bytes: Vec<u8> = (0..=255).rev().chain(0..=255).collect();
        for length in 0..bytes.len() {
            let text = encode(&bytes[length..]);
            assert_eq!(text, URL_SAFE_NO_PAD.encode(&bytes[length..]));
            assert_eq!(decode(&text).unwrap(), &bytes[length..]);
        }
    }

    #[test]
    fn it_takes_what_a_lenient_engine_takes() {
        let letters = ['A', 'b', '9', '-', '_', '=', '+', '/', ' ', 'é'];
        for number in 0..letters.len().pow(5) {
            let text: String = (0..5).map(|at| letters[number / letters.len().pow(at) % letters.len()]).collect();
            let text = text.trim_start_matches(' ');
            assert_eq!(decode(text), LENIENT.decode(text).ok(), "{text}");
        }
    }
}
