//! From when until when a certificate is valid (RFC 5280, section 4.1.2.5).

use hallpass_core::Timestamp;

/// The two ends of a certificate's life.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Validity {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

impl Validity {
    /// Reads it from a certificate in DER. `None` when that is none.
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        const SEQUENCE: u8 = 0x30;
        const VERSION: u8 = 0xa0;
        let (SEQUENCE, certificate, _) = item(certificate)? else { return None };
        let (SEQUENCE, mut rest, _) = item(certificate)? else { return None };
        if let (VERSION, _, after) = item(rest)? {
            rest = after;
        }
        // The serial number, the algorithm of the signature, and the issuer.
        for _ in 0..3 {
            rest = item(rest)?.2;
        }
        let (SEQUENCE, validity, _) = item(rest)? else { return None };
        let (tag, from, rest) = item(validity)?;
        let (other_tag, until, _) = item(rest)?;
        Some(Self { from: time(tag, from)?, until: time(other_tag, until)? })
    }

    pub(super) fn covers(&self, now: Timestamp) -> bool {
        (self.from..=self.until).contains(&now)
    }
}

/// The tag and the contents of the first item, and what comes after it.
fn item(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        short @ ..=0x7f => (usize::from(short), rest),
        long @ 0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(long & 0x0f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (contents, rest) = rest.split_at_checked(length)?;
    Some((tag, contents, rest))
}

/// `UTCTime` (years of 1950 to 2049, in two digits) or `GeneralizedTime`.
fn time(tag: u8, contents: &[u8]) -> Option<Timestamp> {
    const UTC_TIME: u8 = 0x17;
    const GENERALIZED_TIME: u8 = 0x18;
    let text = std::str::from_utf8(contents).ok().filter(|text| text.is_ascii())?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            (format!("{}{year}", if year < "50" { "20" } else { "19" }), rest)
        }
        GENERALIZED_TIME => text.split_at_checked(4).map(|(year, rest)| (year.to_owned(), rest))?,
        _ => return None,
    };
    let part = |at: usize| rest.get(at..at + 2);
    let (month, day, hour, minute, second) = (part(0)?, part(2)?, part(4)?, part(6)?, part(8)?);
    Timestamp::parse(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    #[test]
    fn both_ends_are_read_whatever_the_century() {
        for (from, until) in [((1999, 2, 3), (2031, 4, 5)), ((2020, 1, 1), (2050, 1, 1)), ((1970, 1, 1), (4096, 1, 1))]
        {
            let mut params = CertificateParams::new(vec!["a".to_owned()]).unwrap();
            params.not_before = date_time_ymd(from.0, from.1, from.2);
            params.not_after = date_time_ymd(until.0, until.1, until.2);
            let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            let date = |(year, month, day): (i32, u8, u8)| {
                Timestamp::parse(&format!("{year:04}-{month:02}-{day:02}T00:00:00Z")).unwrap()
            };
            let validity = Validity::of(certificate.der()).unwrap();
            assert_eq!(validity, Validity { from: date(from), until: date(until) });
            assert!(validity.covers(date(from)) && validity.covers(date(until)));
            assert!(!validity.covers(date(from).plus(-1)) && !validity.covers(date(until).plus(1)));
        }
    }

    #[test]
    fn what_is_cut_off_is_none() {
        let certificate = CertificateParams::default().self_signed(&KeyPair::generate().unwrap()).unwrap();
        for length in 0..certificate.der().len() {
            assert_eq!(Validity::of(&certificate.der()[..length]), None);
        }
    }
}
