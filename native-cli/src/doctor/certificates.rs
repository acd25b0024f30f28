//! The certificate authorities that variables add: whether the file can be used, and whether they are still valid.

use hallpass_core::{Error, Timestamp};

use super::validity::Validity;
use super::{Case, Finding, Group};
use crate::http::{Settings, read_certificates};

pub(super) fn check(_: &Case) -> Vec<Finding> {
    let Some((variable, path)) = Settings::from_environment().ca_certificates else { return Vec::new() };
    let certificates = match read_certificates(&variable, &path) {
        Ok(certificates) => certificates,
        Err(failure) => return vec![Group::Network.named("certificate_file", Error::unreached("", failure))],
    };
    let validities: Vec<_> = certificates.iter().filter_map(|certificate| Validity::of(certificate)).collect();
    vec![judge(&variable, certificates.len(), &validities, crate::now())]
}

fn judge(variable: &str, count: usize, validities: &[Validity], now: Timestamp) -> Finding {
    let expired = validities.iter().filter(|validity| !validity.covers(now)).count();
    let named = format!("of the {count} certificates that {variable} adds");
    if expired == count {
        let help = format!("ask for a newer bundle, or run `unset {variable}`");
        return Group::Network.problem("certificates_expired", format!("{named}, none is valid now"), &help);
    }
    if expired > 0 {
        let help = "ask for a newer bundle where one of them is needed";
        return Group::Network.note("certificates_expired", format!("{named}, {expired} are not valid now"), help);
    }
    Group::Network.ok("certificates", format!("{variable} adds {count} certificates, all valid now"))
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    #[test]
    fn a_bundle_is_as_good_as_what_is_valid_of_it() {
        let at = Timestamp::from_seconds;
        let validity = |from, until| Validity { from: at(from), until: at(until) };
        for (validities, level) in [
            (&[validity(0, 100)][..], Level::Ok),
            (&[validity(0, 100), validity(0, 10)], Level::Note),
            (&[validity(0, 10)], Level::Problem),
            (&[validity(60, 100)], Level::Problem),
        ] {
            assert_eq!(judge("SSL_CERT_FILE", validities.len(), validities, at(50)).level, level);
        }
    }
}
