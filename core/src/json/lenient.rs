//! Values as servers really send them: read when they make sense, passed over when they do not.

use alloc::string::String;

use super::{FromJson, Json};

/// A whole number: also from a fraction (cut off) and from a string of digits. Anything else is `None`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Integer(pub(crate) Option<i64>);

/// A string. Anything else is `None`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Text(pub(crate) Option<String>);

impl FromJson for Integer {
    fn read(json: Json<'_>) -> Self {
        let raw = json.raw();
        Self(if raw.starts_with('"') { json.text().trim().parse().ok() } else { cut_off(raw) })
    }
}

impl FromJson for Text {
    fn read(json: Json<'_>) -> Self {
        Self(json.raw().starts_with('"').then(|| json.text().into_owned()))
    }
}

/// The whole part of a number; what is beyond all measure is as large as can be.
fn cut_off(number: &str) -> Option<i64> {
    let (digits, is_negative) = match number.strip_prefix('-') {
        Some(digits) => (digits, true),
        None => (number, false),
    };
    let (digits, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // An exponent that does not fit moves the point as far as need be.
    let exponent = exponent.parse::<i64>().unwrap_or(if exponent.starts_with('-') { -1000 } else { 1000 });
    let length = i64::try_from(whole.len()).unwrap_or(0).saturating_add(exponent);
    let mut digits = whole.bytes().chain(fraction.bytes());
    let mut value: i64 = 0;
    for _ in 0..length {
        let digit = digits.next();
        if digit.is_none() && value == 0 {
            break;
        }
        let digit = char::from(digit.unwrap_or(b'0')).to_digit(10)?;
        value = value.saturating_mul(10).saturating_add(digit.into());
        if value == i64::MAX {
            break;
        }
    }
    Some(if is_negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_as_they_come() {
        for (json, expected) in [
            ("3600", Some(3600)),
            ("-1", Some(-1)),
            ("\"3600\"", Some(3600)),
            ("3600.5", Some(3600)),
            ("1e18", Some(1_000_000_000_000_000_000)),
            ("1e300", Some(i64::MAX)),
            ("18446744073709551615", Some(i64::MAX)),
            ("null", None),
            ("true", None),
            ("\"soon\"", None),
            ("{\"a\":[1]}", None),
            ("[[1],2]", None),
        ] {
            assert_eq!(super::super::read::<Integer>(json).unwrap().0, expected, "{json}");
        }
    }
}
