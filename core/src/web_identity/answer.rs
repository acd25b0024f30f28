//! What STS answers: four elements of an XML document, or an error. Of XML just so much is read as STS writes.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::text::plain;
use crate::{AssumedRole, Error, HttpResponse, Misbehaved, Refused, Secret, Timestamp, Unavailable};

/// Why there are no keys.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    /// Whether a newer token of the same session may do.
    pub(super) is_expired: bool,
}

/// Reads an answer of `server`.
pub(super) fn read(server: &str, response: &HttpResponse) -> Result<AssumedRole, Failure> {
    let text = response.body.expose();
    if response.is_success() {
        return keys(text).map_err(|detail| Failure {
            error: Error::malformed(server, "an answer of AWS STS", detail),
            is_expired: false,
        });
    }
    let code = element(text, "Code").ok();
    let code = code.as_deref();
    let is_expired = code == Some("ExpiredTokenException");
    Err(Failure { error: refusal(server.to_owned(), response.status, code, text), is_expired })
}

fn keys(text: &str) -> Result<AssumedRole, String> {
    let credentials = inner(text, "Credentials")?;
    let secret = |name| element(credentials, name).map(Secret::from);
    let expiration = element(credentials, "Expiration")?;
    Ok(AssumedRole {
        access_key_id: element(credentials, "AccessKeyId")?,
        secret_access_key: secret("SecretAccessKey")?,
        session_token: secret("SessionToken")?,
        expiration: Timestamp::parse(&expiration).ok_or("`Expiration` is no time")?,
        warnings: Vec::new(),
    })
}

/// The codes are those of the query API of STS.
fn refusal(server: String, status: u16, code: Option<&str>, text: &str) -> Error {
    match (status, code) {
        (300..=399, _) => Misbehaved::Redirected { server }.into(),
        (408 | 429 | 500..=599, _) | (_, Some("IDPCommunicationError" | "Throttling" | "ThrottlingException")) => {
            Unavailable::Server { server, status }.into()
        }
        (_, Some(code)) => {
            let description = element(text, "Message").ok().map(|message| plain(&message));
            Refused::Other { server, error: plain(code), description }.into()
        }
        (_, None) => Misbehaved::Status { server, status, detail: None }.into(),
    }
}

/// The text of the one element of this name.
fn element(text: &str, name: &str) -> Result<String, String> {
    let inner = inner(text, name)?.trim();
    if inner.is_empty() || inner.contains('<') {
        return Err(format!("`{name}` is no text"));
    }
    let text = unescaped(inner).filter(|text| !text.chars().any(char::is_control));
    text.ok_or_else(|| format!("`{name}` is no proper text"))
}

/// What is in the one element of this name, which has no attributes.
fn inner<'a>(text: &'a str, name: &str) -> Result<&'a str, String> {
    let (start, end) = (format!("<{name}>"), format!("</{name}>"));
    let (_, rest) = text.split_once(&start).ok_or_else(|| format!("`{name}` is missing"))?;
    let (inner, after) = rest.split_once(&end).ok_or_else(|| format!("`{name}` has no end"))?;
    if inner.contains(&start) || after.contains(&start) {
        return Err(format!("there are several of `{name}`"));
    }
    Ok(inner)
}

/// With the five entities that XML has by itself.
fn unescaped(text: &str) -> Option<String> {
    let mut parts = text.split('&');
    let mut whole = parts.next()?.to_owned();
    for part in parts {
        let (entity, rest) = part.split_once(';')?;
        whole.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => return None,
        });
        whole.push_str(rest);
    }
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    fn answer(status: u16, body: &str) -> Result<AssumedRole, Failure> {
        read("sts", &HttpResponse { status, headers: Vec::new(), body: body.into() })
    }

    fn document(credentials: &str) -> String {
        format!(
            "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n\
             <AssumeRoleWithWebIdentityResult><Audience>tool</Audience>\n\
             <Credentials>{credentials}</Credentials></AssumeRoleWithWebIdentityResult>\n\
             </AssumeRoleWithWebIdentityResponse>"
        )
    }

    const KEYS: &str = "<SessionToken>t/+=&amp;</SessionToken>\n<SecretAccessKey>s/+</SecretAccessKey>\
                        <Expiration>2026-11-24T23:00:23Z</Expiration><AccessKeyId>ASIA1</AccessKeyId>";

    #[test]
    fn the_four_elements_are_read() {
        let keys = answer(200, &document(KEYS)).unwrap();
        assert_eq!((keys.access_key_id.as_str(), keys.secret_access_key.expose()), ("ASIA1", "s/+"));
        assert_eq!(keys.session_token.expose(), "t/+=&");
        assert_eq!(Some(keys.expiration), Timestamp::parse("2026-11-24T23:00:23Z"));
    }

    #[test]
    fn whatever_is_missing_twice_or_odd_is_no_answer() {
        for (name, text) in [
            ("Credentials", "{}".to_owned()),
            ("Credentials", document(KEYS) + &document(KEYS)),
            ("AccessKeyId", document(&KEYS.replace("AccessKeyId>", "Other>"))),
            ("AccessKeyId", document(&format!("{KEYS}<AccessKeyId>2</AccessKeyId>"))),
            ("AccessKeyId", document(&KEYS.replace("ASIA1", ""))),
            ("SecretAccessKey", document(&KEYS.replace("s/+<", "<b>s</b><"))),
            ("SessionToken", document(&KEYS.replace("&amp;", "&evil;"))),
            ("SessionToken", document(&KEYS.replace("t/+=", "t\u{7}"))),
            ("SessionToken", document(&KEYS.replace("</SessionToken>", ""))),
            ("Expiration", document(&KEYS.replace("2026-11-24", "soon"))),
        ] {
            let error = answer(200, &text).unwrap_err().error;
            assert_eq!(error.code(), "malformed_answer");
            assert!(error.to_string().contains(name) && !error.to_string().contains("s/+"), "{error}");
        }
    }

    #[test]
    fn refusals_are_sorted_by_blame() {
        for (status, code, expected, is_expired) in [
            (400, "ExpiredTokenException", "refused", true),
            (400, "InvalidIdentityToken", "refused", false),
            (403, "AccessDenied", "refused", false),
            (400, "IDPCommunicationError", "server_unavailable", false),
            (400, "Throttling", "server_unavailable", false),
            (503, "ServiceUnavailable", "server_unavailable", false),
            (302, "Moved", "redirected", false),
        ] {
            let body = format!(
                "<ErrorResponse><Error><Code>{code}</Code><Message>no\u{1b}[2J</Message></Error></ErrorResponse>"
            );
            let failure = answer(status, &body).unwrap_err();
            assert_eq!((failure.error.code(), failure.is_expired), (expected, is_expired), "{code}");
            assert!(!failure.error.to_string().contains('\u{1b}'));
        }
        assert_eq!(answer(404, "<html>").unwrap_err().error.code(), "unexpected_status");
    }
}
