//! Which redirect URIs a client may use, and how an answer is put into one.

use super::options::Client;

/// Whether `uri` is one of the client's: the same text, or a loopback one at any port (RFC 8252,
/// section 7.3).
pub(super) fn is_registered(client: &Client, uri: &str) -> bool {
    let harmless = uri.is_ascii() && !uri.contains(|c: char| c.is_ascii_control() || c == ' ');
    harmless
        && !uri.contains(['#', '\\'])
        && client.redirect_uris.iter().any(|registered| {
            registered == uri || matches!((loopback(registered), loopback(uri)), (Some(a), Some(b)) if a == b)
        })
}

/// The origin of `uri` as a source expression of a content security policy. The grammar has no
/// place for IPv6 literals, so these stand as their whole scheme.
pub(super) fn form_action_source(uri: &str) -> String {
    let scheme = uri.split(':').next().unwrap_or_default();
    let origin = uri.split_once("://").map(|(_, rest)| {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    });
    let is_plain =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-:".contains(c));
    match origin {
        Some(origin) if is_plain(origin) => format!("{scheme}://{origin}"),
        _ if is_plain(scheme) => format!("{scheme}:"),
        _ => String::new(),
    }
}

/// `uri` with the parameters of the answer (RFC 6749, section 4.1.2).
pub(super) fn with_answer(uri: &str, answer: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(answer).finish();
    let separator = if uri.contains('?') { '&' } else { '?' };
    format!("{uri}{separator}{query}")
}

/// Host and path of an `http` URI with a loopback host, without its port.
fn loopback(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = ["127.0.0.1", "localhost", "[::1]"]
        .into_iter()
        .find(|host| authority.strip_prefix(host).is_some_and(|after| after.is_empty() || after.starts_with(':')))?;
    let port = authority.strip_prefix(host)?;
    let is_port = match port.strip_prefix(':') {
        Some(digits) => digits.chars().all(|c| c.is_ascii_digit()) && digits.parse::<u16>().is_ok(),
        None => true,
    };
    is_port.then_some((host, path))
}
