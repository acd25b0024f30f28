//! What went wrong with a request, in words for a person.

use std::io;

use ureq::Timeout;

/// What is wrong with a certificate whose authority nobody has told us of.
pub(crate) const UNTRUSTED: &str = "its certificate is from an authority that is not trusted here (unknown issuer)";

/// A clause that names the cause, for "… cannot be reached: {clause}". `through` is the proxy, if there was one.
pub(super) fn describe(error: &ureq::Error, host: &str, through: Option<&str>, deadline: u64) -> String {
    let clause = match error {
        ureq::Error::HostNotFound => {
            format!("the name {} cannot be resolved", through.map_or(host, |_| "of the proxy or of the server"))
        }
        ureq::Error::Timeout(stage @ (Timeout::Resolve | Timeout::Connect)) => {
            format!("no answer within {} ({stage})", seconds(deadline / 2))
        }
        ureq::Error::Timeout(_) => format!("no answer within {}", seconds(deadline)),
        ureq::Error::ConnectProxyFailed(reason) if reason.contains("407") => {
            "the proxy asks for a name and a password (407), which belong into its address: \
             http://NAME:PASSWORD@HOST:PORT"
                .to_owned()
        }
        ureq::Error::ConnectProxyFailed(reason) => format!("the proxy did not connect us: {reason}"),
        ureq::Error::Tls(reason) => (*reason).to_owned(),
        ureq::Error::LargeResponseHeader(..) => "the head of the answer is too large".to_owned(),
        ureq::Error::BodyExceedsLimit(_) => "the answer is larger than 1 MiB".to_owned(),
        ureq::Error::Protocol(reason) => format!("the answer is not proper HTTP ({reason})"),
        ureq::Error::Io(error) => describe_io(error, host),
        #[cfg(feature = "tls")]
        ureq::Error::Rustls(error) => describe_tls(error),
        other => chain(other),
    };
    let clause = printable(&clause);
    match through {
        Some(proxy) => format!("{clause}, by way of the proxy {}", printable(proxy)),
        None => clause,
    }
}

fn describe_io(error: &io::Error, host: &str) -> String {
    #[cfg(feature = "tls")]
    if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return describe_tls(error);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "the connection was refused".to_owned(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
            "the connection was reset".to_owned()
        }
        io::ErrorKind::UnexpectedEof => "the connection was closed too early".to_owned(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => {
            "there is no way to it from this network".to_owned()
        }
        _ if error.to_string().starts_with("failed to lookup address") => {
            format!("the name {host} cannot be resolved ({error})")
        }
        _ => chain(error),
    }
}

#[cfg(feature = "tls")]
fn describe_tls(error: &rustls::Error) -> String {
    use rustls::{CertificateError, Error};
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            format!("{UNTRUSTED}; behind a proxy that inspects traffic, name its authority with CODEX_CA_CERTIFICATE")
        }
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "its certificate has expired, or the clock of this machine is wrong".to_owned()
        }
        Error::InvalidCertificate(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) => {
            "its certificate is not valid yet, or the clock of this machine is wrong".to_owned()
        }
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "its certificate is for another host".to_owned(),
        other => format!("no secure connection (TLS: {other})"),
    }
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

fn seconds(milliseconds: u64) -> String {
    if milliseconds.is_multiple_of(1000) { format!("{} s", milliseconds / 1000) } else { format!("{milliseconds} ms") }
}

/// Without what could play tricks on a terminal (control characters, invisible ones, turns of direction), and not
/// endless.
fn printable(text: &str) -> String {
    let is_trick = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    text.chars().map(|c| if is_trick(c) { '?' } else { c }).take(300).collect()
}
