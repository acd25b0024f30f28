//! What the header of a response says about time (RFC 9110).

use alloc::format;

use crate::{HttpResponse, Timestamp};

/// The longest wait that a server may ask for, in milliseconds.
const LONGEST_WAIT: u64 = 120_000;
const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";

/// What time it was at the server (section 6.6.1).
pub(crate) fn date(response: &HttpResponse) -> Option<Timestamp> {
    imf_fixdate(response.header("date")?)
}

/// How far this clock is ahead of the server's, in milliseconds (negative where it is behind). `None` where the answer
/// has no date, and for less than a minute: that much does no harm, and the way of the answer may be part of it.
pub fn clock_skew(response: &HttpResponse, now: Timestamp) -> Option<i64> {
    let skew = now.since(date(response)?);
    (skew.saturating_abs() >= 60_000).then_some(skew)
}

/// `Retry-After` in milliseconds, at most two minutes (section 10.2.3).
pub(crate) fn retry_after(response: &HttpResponse) -> Option<u64> {
    let text = response.header("retry-after")?.trim();
    let milliseconds = match text.parse::<u64>() {
        Ok(seconds) => seconds.saturating_mul(1000),
        // A date is one by the server's clock.
        Err(_) => u64::try_from(imf_fixdate(text)?.since(date(response)?)).ok()?,
    };
    Some(milliseconds.min(LONGEST_WAIT))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (section 5.6.7).
fn imf_fixdate(text: &str) -> Option<Timestamp> {
    let mut parts = text.trim().strip_suffix(" GMT")?.split(' ').skip(1);
    let (day, month, year, time) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let month = (0..12).find(|at| MONTHS.get(at * 3..at * 3 + 3) == Some(month))? + 1;
    Timestamp::parse(&format!("{year}-{month:02}-{day}T{time}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn wait(retry_after: &str, date: &str) -> Option<u64> {
        let headers = Vec::from([("Retry-After".into(), retry_after.into()), ("Date".into(), date.into())]);
        super::retry_after(&HttpResponse { status: 429, headers, body: "".into() })
    }

    #[test]
    fn waits_as_servers_ask_for_them() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (text, expected) in [
            ("0", Some(0)),
            ("5", Some(5_000)),
            ("100000000", Some(120_000)),
            ("99999999999999999999", None),
            ("-1", None),
            ("soon", None),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10_000)),
            ("Sun, 06 Nov 1994 08:49:27 GMT", None),
            ("Sun, 06 Nov 2094 08:49:27 GMT", Some(120_000)),
        ] {
            assert_eq!(wait(text, date), expected, "{text}");
        }
        assert_eq!(wait(date, "today"), None, "nobody knows how far away that is");
    }

    #[test]
    fn a_clock_that_is_wrong_by_a_minute_matters() {
        let headers = Vec::from([("date".into(), "Sun, 06 Nov 1994 08:49:37 GMT".into())]);
        let (answer, at) =
            (HttpResponse { status: 200, headers, body: "".into() }, Timestamp::from_seconds(784_111_777));
        for (off, expected) in [(0, None), (59_999, None), (60_000, Some(60_000)), (-3_600_000, Some(-3_600_000))] {
            assert_eq!(clock_skew(&answer, at.plus(off)), expected);
        }
        assert_eq!(clock_skew(&HttpResponse { headers: Vec::new(), ..answer }, at.plus(90_000)), None);
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "GMT",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 anF 1994 08:49:37 GMT",
            "Sun, 06 é 1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 8:49 GMT",
        ] {
            assert_eq!(imf_fixdate(text), None, "{text}");
        }
    }
}
