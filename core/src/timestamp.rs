//! Points in time, as the shell's clock tells them, and their text form.

use alloc::format;
use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

const DAY: i64 = 86_400_000;

/// Milliseconds since the Unix epoch. Core is told the time and never asks for it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// A point in time, in milliseconds since the Unix epoch.
    pub const fn from_milliseconds(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// A point in time, in seconds since the Unix epoch (as in the `exp` of a JWT).
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the Unix epoch.
    pub const fn milliseconds(self) -> i64 {
        self.0
    }

    /// The point in time `milliseconds` later (earlier when negative), without overflow.
    #[must_use]
    pub const fn plus(self, milliseconds: i64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }

    /// How many milliseconds lie between `earlier` and this (negative when it is later).
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Reads an RFC 3339 date-time with any offset and any precision. `None` when it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, rest) = text.split_at_checked(10)?;
        let mut parts = date.split('-');
        let (year, month, day) = (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
        let rest = rest.strip_prefix(['T', 't', ' '])?;
        let (time, rest) = rest.split_at_checked(8)?;
        let mut parts = time.split(':');
        let (hour, minute, second) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let (fraction, offset) = match rest.strip_prefix('.') {
            Some(rest) => rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit())?)?,
            None => ("0", rest),
        };
        if fraction.is_empty() {
            return None;
        }
        let milliseconds = digits(format!("{fraction:0<3}").get(..3)?, 3)?;
        let days = days_from_civil(year, month, day);
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset_seconds(offset)?;
        Some(Self(seconds * 1000 + milliseconds))
    }
}

/// RFC 3339 in UTC with milliseconds, for example `2026-11-23T17:25:09.538Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The years that the text form can hold.
        let clamped = self.0.clamp(-62_167_219_200_000, 253_402_300_799_999);
        let (days, rest) = (clamped.div_euclid(DAY), clamped.rem_euclid(DAY));
        let (year, month, day) = civil_from_days(days);
        let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
        let (second, millisecond) = (rest / 1000 % 60, rest % 1000);
        write!(formatter, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")
    }
}

/// The point in time as RFC 3339 text, for reports in which times are text.
pub(crate) fn rfc3339(timestamp: Timestamp) -> String {
    format!("{timestamp}")
}

fn digits(text: &str, length: usize) -> Option<i64> {
    (text.len() == length && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn offset_seconds(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    Some(sign * (digits(hours, 2)? * 3600 + digits(minutes, 2)? * 60))
}

/// Days since the epoch of a date in the proleptic Gregorian calendar (years shifted to begin in March).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * month_index + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn text_form_and_back() {
        for milliseconds in [0, 1, 951_782_400_000, 1_795_459_312_926, -1, 253_402_300_799_999, 4_102_444_800_000] {
            let timestamp = Timestamp::from_milliseconds(milliseconds);
            assert_eq!(Timestamp::parse(&timestamp.to_string()), Some(timestamp), "{timestamp}");
        }
        assert_eq!(Timestamp::from_milliseconds(951_782_400_000).to_string(), "2000-02-29T00:00:00.000Z");
    }

    #[test]
    fn any_offset_and_precision() {
        let expected = Some(Timestamp::from_milliseconds(1_795_454_709_538));
        for text in [
            "2026-11-23T17:25:09.538649110Z",
            "2026-11-23T17:25:09.538z",
            "2026-11-23 19:25:09.538+02:00",
            "2026-11-23T12:55:09.538-04:30",
        ] {
            assert_eq!(Timestamp::parse(text), expected, "{text}");
        }
        assert_eq!(Timestamp::parse("2026-11-23T17:25:09Z"), Some(Timestamp::from_milliseconds(1_795_454_709_000)));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "2026",
            "2026-11-23",
            "2026-13-23T17:25:09Z",
            "2026-11-23T17:25:09",
            "2026-11-23T17:25:09.Z",
            "2026-11-23T17:25:0éZ",
            "yesterday, at tea time",
            "2026-11-23T25:00:00Z",
            "2026-11-23T17:25:09+2:00",
        ] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }
}
