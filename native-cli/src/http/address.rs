//! Reads the few parts of a URL that decide where a request may go.

use std::net::{IpAddr, Ipv6Addr};

/// The parts of an absolute `https` or `http` URL that matter before anything is opened or sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Address<'a> {
    pub(crate) is_https: bool,
    /// The host; an IPv6 address without its brackets.
    pub(crate) host: &'a str,
    pub(crate) port: u16,
}

impl<'a> Address<'a> {
    /// Reads a URL; the error ends a sentence about "the address".
    ///
    /// Stricter than the web's parsers on purpose: what this accepts, they all read alike.
    pub(crate) fn parse(url: &'a str) -> Result<Self, &'static str> {
        if !url.bytes().all(|byte| byte.is_ascii_graphic() && !br#"\"<>`{}|^"#.contains(&byte)) {
            return Err("has characters that no address has");
        }
        let (is_https, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => return Err("is neither https nor http"),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err("has a user name in it");
        }
        let (host, port) = split_port(authority).ok_or("has no proper host")?;
        let port = match port {
            None => default_port(is_https),
            Some(port) if port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit()) => {
                port.parse().map_err(|_| "has no proper port")?
            }
            Some(_) => return Err("has no proper port"),
        };
        let address = Self { is_https, host, port };
        if !is_https && !address.is_loopback() {
            return Err("must be https (http is only for loopback addresses)");
        }
        Ok(address)
    }

    /// Whether the host is this machine, by its literal address or as `localhost`.
    pub(crate) fn is_loopback(self) -> bool {
        self.host.eq_ignore_ascii_case("localhost") || self.ip().is_some_and(|ip| ip.is_loopback())
    }

    /// The host's address, when it is one.
    pub(crate) fn ip(self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

/// A host (an IPv6 address without its brackets) and the port behind it.
pub(super) fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        host.parse::<Ipv6Addr>().ok()?;
        return if rest.is_empty() { Some((host, None)) } else { Some((host, Some(rest.strip_prefix(':')?))) };
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let is_proper = !host.is_empty()
        && host.len() <= 253
        && host.split('.').all(|label| !label.starts_with('-'))
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    is_proper.then_some((host, port))
}

fn default_port(is_https: bool) -> u16 {
    if is_https { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proper_addresses_are_read() {
        for (url, host, port, is_loopback) in [
            ("https://auth.openai.com/oauth/token", "auth.openai.com", 443, false),
            ("https://example.com:8443", "example.com", 8443, false),
            ("http://127.0.0.1:1455/auth/callback?code=x", "127.0.0.1", 1455, true),
            ("http://127.8.9.10", "127.8.9.10", 80, true),
            ("http://[::1]:9/", "::1", 9, true),
            ("http://localhost:1/", "localhost", 1, true),
            ("https://[2001:db8::1]/", "2001:db8::1", 443, false),
        ] {
            let address = Address::parse(url).unwrap_or_else(|why| panic!("{url} {why}"));
            assert_eq!((address.host, address.port, address.is_loopback()), (host, port, is_loopback), "{url}");
        }
    }

    #[test]
    fn others_are_refused() {
        for url in [
            "",
            "https://",
            "https:///path",
            "http://example.com/",
            "http://127.0.0.1.example.com/",
            "http://localhost.example.com/",
            "http://0x7f000001/",
            "http://2130706433/",
            "https://user@example.com/",
            "https://127.0.0.1:1@evil.example/",
            "https://exa mple.com/",
            "https://example.com\\@evil.example/",
            "https://example.com:99999/",
            "https://example.com:+80/",
            "https://[::1/",
            "https://[evil]/",
            "https://-flag.example/",
            "file:///etc/passwd",
            "HTTPS://example.com",
        ] {
            assert!(Address::parse(url).is_err(), "{url}");
        }
    }
}
