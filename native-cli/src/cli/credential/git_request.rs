//! What git asks, line by line: `key=value` up to an empty line (gitcredentials, git-credential).

use hallpass_core::Secret;

use super::super::failure::Failure;
use super::input::misunderstood;

/// The parts of a request that matter here.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Request {
    protocol: Option<String>,
    host: Option<String>,
    username: Option<String>,
    /// The token that the host has refused, in an `erase`.
    rejected: Option<Secret>,
    understands_schemes: bool,
    challenges: Vec<String>,
}

/// How the host is to be told the token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scheme {
    /// In a header of its own (RFC 6750).
    Bearer,
    /// As a password.
    Basic,
}

impl Request {
    /// Reads a request. What is ambiguous is refused: it is the host that a token goes to.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let mut request = Self::default();
        for line in text.split('\n').take_while(|line| !line.is_empty()) {
            if line.contains(['\0', '\r']) {
                return Err(misunderstood("git", "a line holds a control character"));
            }
            let (key, value) = line.split_once('=').ok_or_else(|| misunderstood("git", "a line is not KEY=VALUE"))?;
            request.take(key, value)?;
        }
        Ok(request)
    }

    fn take(&mut self, key: &str, value: &str) -> Result<(), Failure> {
        let once = match key {
            "protocol" => &mut self.protocol,
            "host" => &mut self.host,
            "username" => &mut self.username,
            "password" | "credential" => {
                self.rejected = Some(Secret::new(value));
                return Ok(());
            }
            "capability[]" => {
                self.understands_schemes |= value == "authtype";
                return Ok(());
            }
            "wwwauth[]" if value.is_empty() => {
                self.challenges.clear();
                return Ok(());
            }
            "wwwauth[]" => {
                self.challenges.push(value.to_owned());
                return Ok(());
            }
            _ => return Ok(()),
        };
        match once.replace(value.to_owned()) {
            None => Ok(()),
            Some(_) => Err(misunderstood("git", &format!("it has more than one {key}"))),
        }
    }

    /// The host that is asked for over https. To any other protocol a token is shown in the clear.
    pub(super) fn host(&self) -> Option<&str> {
        self.host.as_deref().filter(|_| self.protocol.as_deref() == Some("https"))
    }

    /// The name that the person has chosen in the URL.
    pub(super) fn username(&self) -> Option<&str> {
        self.username.as_deref().filter(|name| !name.is_empty())
    }

    /// The token that the host has refused.
    pub(super) fn rejected(&self) -> Option<&Secret> {
        self.rejected.as_ref().filter(|token| !token.is_empty())
    }

    /// The way that both git and the host understand.
    pub(super) fn scheme(&self) -> Scheme {
        let is_bearer = |challenge: &String| {
            challenge.split_whitespace().next().is_some_and(|scheme| scheme.eq_ignore_ascii_case("Bearer"))
        };
        if self.understands_schemes && (self.challenges.is_empty() || self.challenges.iter().any(is_bearer)) {
            return Scheme::Bearer;
        }
        Scheme::Basic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_up_to_an_empty_line() {
        let text = "capability[]=state\ncapability[]=authtype\nprotocol=https\nhost=git.example.com\nfuture=1\n\
                    username=ada=1\npassword=a=b\n\nhost=evil.example\n";
        let request = Request::parse(text).unwrap();
        assert_eq!(request.host(), Some("git.example.com"));
        assert_eq!(request.username(), Some("ada=1"));
        assert_eq!(request.rejected(), Some(&Secret::from("a=b")));
        assert_eq!(request.scheme(), Scheme::Bearer);
    }

    #[test]
    fn only_https_has_a_host() {
        for text in ["", "host=a", "protocol=https", "protocol=http\nhost=a", "protocol=ssh\nhost=a"] {
            assert_eq!(Request::parse(text).unwrap().host(), None, "{text}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for text in [
            "protocol=https\nhost=a\nhost=b",
            "protocol=http\nprotocol=https\nhost=a",
            "host=a\rhost=b",
            "protocol=https\r\nhost=a\r\n",
            "host=a\0.evil.example",
            "host",
        ] {
            assert_eq!(Request::parse(text).unwrap_err().exit_code(), 2, "{text:?}");
        }
    }

    #[test]
    fn the_scheme_is_one_that_both_sides_know() {
        for (text, expected) in [
            ("", Scheme::Basic),
            ("wwwauth[]=Bearer realm=\"a\"", Scheme::Basic),
            ("capability[]=state", Scheme::Basic),
            ("capability[]=authtype", Scheme::Bearer),
            ("capability[]=authtype\nwwwauth[]=Basic realm=\"a\"", Scheme::Basic),
            ("capability[]=authtype\nwwwauth[]=Basic realm=\"a\"\nwwwauth[]=bearer", Scheme::Bearer),
            ("capability[]=authtype\nwwwauth[]=Basic realm=\"Bearer\"", Scheme::Basic),
            ("capability[]=authtype\nwwwauth[]=Basic\nwwwauth[]=", Scheme::Bearer),
        ] {
            assert_eq!(Request::parse(text).unwrap().scheme(), expected, "{text}");
        }
    }
}
