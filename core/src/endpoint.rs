//! The few things that must be known about a URL before anything is sent to it.

/// A URL that requests may be sent to: https, or http on a loopback address; no user name, no fragment.
///
/// Stricter than the web's parsers on purpose: what this accepts, they all read alike.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Endpoint<'a> {
    scheme: &'a str,
    authority: &'a str,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Endpoint<'a> {
    /// Reads a URL. The error is the end of a sentence that begins with the URL.
    pub(crate) fn parse(url: &'a str) -> Result<Self, &'static str> {
        if !url.bytes().all(|byte| {
            byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>' | b'`' | b'{' | b'}' | b'|' | b'^')
        }) {
            return Err("has a character that a URL cannot have");
        }
        // Not split at the whole of `://`: a search for texts within texts costs the browser module 2 KB.
        let (scheme, rest) = url.split_once(':').ok_or("is not an absolute URL")?;
        let rest = rest.strip_prefix("//").ok_or("is not an absolute URL")?;
        if rest.contains('#') {
            return Err("must not have a fragment");
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        let (path, query) = tail.split_once('?').map_or((tail, None), |(path, query)| (path, Some(query)));
        let endpoint = Self { scheme, authority, path, query };
        if authority.contains('@') {
            return Err("must not have a user name");
        }
        if !endpoint.authority_is_proper() {
            return Err("has no proper host");
        }
        match scheme {
            "https" => Ok(endpoint),
            "http" if endpoint.is_loopback() => Ok(endpoint),
            "http" => Err("must be https (http is only for loopback addresses)"),
            _ => Err("must be https"),
        }
    }

    /// Host and port.
    pub(crate) fn authority(self) -> &'a str {
        self.authority
    }

    /// The host, an IPv6 address with its brackets.
    pub(crate) fn host(self) -> &'a str {
        if self.authority.starts_with('[') {
            return self.authority.split_inclusive(']').next().unwrap_or(self.authority);
        }
        self.authority.split(':').next().unwrap_or(self.authority)
    }

    pub(crate) fn path(self) -> &'a str {
        self.path
    }

    pub(crate) fn query(self) -> Option<&'a str> {
        self.query
    }

    /// Scheme, host and port, without the default port.
    pub(crate) fn same_origin(self, other: Self) -> bool {
        self.scheme == other.scheme && self.host().eq_ignore_ascii_case(other.host()) && self.port() == other.port()
    }

    /// An address of this machine, or the name that always means one.
    pub(crate) fn is_loopback(self) -> bool {
        let host = self.host();
        host == "localhost" || host == "[::1]" || is_loopback_v4(host)
    }

    fn port(self) -> &'a str {
        let port = self.authority.get(self.host().len()..).and_then(|rest| rest.strip_prefix(':')).unwrap_or("");
        match (self.scheme, port) {
            ("https", "") => "443",
            ("http", "") => "80",
            _ => port,
        }
    }

    fn authority_is_proper(self) -> bool {
        let host = self.host();
        let named =
            !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
        let bracketed = host.len() > 2
            && host.starts_with('[')
            && host.ends_with(']')
            && host.bytes().all(|b| b.is_ascii_hexdigit() || matches!(b, b'[' | b']' | b':' | b'.'));
        let port = self.authority.get(host.len()..).unwrap_or("");
        let port_is_proper = port.is_empty()
            || port.strip_prefix(':').is_some_and(|digits| {
                digits.bytes().all(|b| b.is_ascii_digit()) && digits.parse::<u16>().is_ok_and(|port| port > 0)
            });
        (named || bracketed) && port_is_proper
    }
}

fn is_loopback_v4(host: &str) -> bool {
    let mut parts = host.split('.');
    parts.next() == Some("127") && parts.clone().count() == 3 && parts.all(|part| part.parse::<u8>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_and_loopback_are_accepted() {
        for url in [
            "https://auth.openai.com/oauth/token",
            "https://id.example.com:8443/a/b?tenant=1",
            "http://127.0.0.1:1455/auth/callback",
            "http://[::1]:8080",
            "http://localhost/x",
        ] {
            assert!(Endpoint::parse(url).is_ok(), "{url}");
        }
        let endpoint = Endpoint::parse("https://id.example.com:8443/a/b?tenant=1").unwrap();
        assert_eq!((endpoint.host(), endpoint.path(), endpoint.query()), ("id.example.com", "/a/b", Some("tenant=1")));
    }

    #[test]
    fn everything_else_is_refused() {
        for url in [
            "",
            "auth.openai.com",
            "http://auth.openai.com",
            "file:///etc/passwd",
            "javascript://x/%0aalert(1)",
            "--flag",
            "https://",
            "https://user@host/",
            "https://host/#x",
            "https://host/a b",
            "https://ho\\st/",
            "https://host:0/",
            "https://host:99999/",
            "https://host:80x/",
            "http://127.0.0.1.evil.example/",
            "http://127.1/",
            "https://[::1/",
            "https://$(id)/",
            "https://host/\u{202e}",
            "HTTP://127.0.0.1/",
            "http://localhost.evil.example/",
            "https://host/`id`",
        ] {
            assert!(Endpoint::parse(url).is_err(), "{url}");
        }
    }

    #[test]
    fn origins_compare_with_default_ports() {
        let origin = |url| Endpoint::parse(url).unwrap();
        assert!(origin("https://a.example/x").same_origin(origin("https://A.example:443/y")));
        assert!(!origin("https://a.example").same_origin(origin("https://b.example")));
        assert!(!origin("https://127.0.0.1").same_origin(origin("http://127.0.0.1")));
    }
}
