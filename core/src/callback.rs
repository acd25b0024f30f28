//! Judging what comes in while a browser login waits (RFC 6749, section 4.1.2; RFC 8252; RFC 9207).

use alloc::borrow::{Cow, ToOwned};
use alloc::string::String;

use crate::endpoint::Endpoint;
use crate::text::{plain, said};
use crate::{Call, Error, HOMES, Misbehaved, Page, Refused, Secret};

/// A longer authorization code is nobody's.
const LONGEST_CODE: usize = 4096;

/// What the redirect of this login must look like.
pub(crate) struct Expected<'a> {
    pub(crate) redirect_uri: &'a str,
    pub(crate) state: &'a Secret,
    pub(crate) issuer: &'a str,
    pub(crate) server: &'a str,
    /// The server promises to name itself in the redirect (RFC 9207).
    pub(crate) names_issuer: bool,
}

/// What came in.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// The answer to this login, with an authorization code.
    Code(Secret),
    /// The answer to this login: it failed.
    Failed(Error),
    /// Not the answer to this login; the wait goes on.
    Stray(Page),
}

impl Expected<'_> {
    /// Judges a request at the listener.
    pub(crate) fn judge_call(&self, call: &Call) -> Verdict {
        let (path, query) = split(call.target.expose());
        let Ok(redirect) = Endpoint::parse(self.redirect_uri) else { return Verdict::Stray(Page::BadRequest) };
        if path != redirect.path() {
            return Verdict::Stray(Page::NotFound);
        }
        if call.method != "GET" || !call.host.as_deref().is_some_and(|host| names_this_machine(host, redirect)) {
            return Verdict::Stray(Page::BadRequest);
        }
        self.judge_query(query)
    }

    /// Judges a pasted redirect URL, or a bare authorization code.
    pub(crate) fn judge_pasted(&self, pasted: &Secret) -> Verdict {
        let text = pasted.expose().trim();
        let bare = !text.is_empty()
            && text.len() <= LONGEST_CODE
            && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'&' | b'=' | b'/' | b'#'));
        if bare {
            return Verdict::Code(Secret::new(text));
        }
        let (address, query) = if text.contains('?') { split(text) } else { ("", text) };
        let address_matches = address == self.redirect_uri || address.is_empty() || !names_a_scheme(address);
        if address_matches { self.judge_query(query) } else { Verdict::Stray(Page::BadRequest) }
    }

    /// The state is compared before anything else is looked at; only its owner can end the wait.
    fn judge_query(&self, query: &str) -> Verdict {
        let Some(parameters) = Parameters::read(query) else { return Verdict::Stray(Page::BadRequest) };
        if !parameters.state.is_some_and(|state| Secret::new(state) == *self.state) {
            return Verdict::Stray(Page::BadRequest);
        }
        match parameters.issuer {
            Some(issuer) if issuer != self.issuer => {
                return Verdict::Failed(
                    Misbehaved::Issuer { expected: self.issuer.to_owned(), found: plain(&issuer) }.into(),
                );
            }
            None if self.names_issuer => return Verdict::Failed(Misbehaved::IssuerMissing.into()),
            _ => {}
        }
        if let Some(error) = parameters.error {
            return Verdict::Failed(self.error(&error, parameters.description.as_deref()));
        }
        match parameters.code {
            Some(code) if !code.is_empty() && code.len() <= LONGEST_CODE => Verdict::Code(Secret::new(code)),
            _ => Verdict::Failed(Error::malformed(self.server, "a redirect", "it has no authorization code")),
        }
    }

    fn error(&self, error: &str, description: Option<&str>) -> Error {
        let description = description.map(said).filter(|text| !text.is_empty());
        if error != "access_denied" {
            return Refused::Other { server: self.server.to_owned(), error: said(error), description }.into();
        }
        // Only OpenAI says so, which no page signs in with: a search for texts costs the browser module 2 KB.
        let is_entitlement = |text: &String| text.to_ascii_lowercase().contains("missing_codex_entitlement");
        let entitlement = HOMES && description.as_ref().is_some_and(is_entitlement);
        if entitlement { Refused::NotEntitled.into() } else { Refused::AccessDenied { description }.into() }
    }
}

/// The parameters of a redirect; none of ours may stand there twice (RFC 6749, section 3.1).
#[derive(Default)]
struct Parameters {
    code: Option<String>,
    state: Option<String>,
    issuer: Option<String>,
    error: Option<String>,
    description: Option<String>,
}

impl Parameters {
    fn read(query: &str) -> Option<Self> {
        let mut parameters = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let slot = match name.as_ref() {
                "code" => &mut parameters.code,
                "state" => &mut parameters.state,
                "iss" => &mut parameters.issuer,
                "error" => &mut parameters.error,
                "error_description" => &mut parameters.description,
                _ => continue,
            };
            if slot.replace(Cow::into_owned(value)).is_some() {
                return None;
            }
        }
        Some(parameters)
    }
}

/// Whether it is the address of something, and not only a part of one.
fn names_a_scheme(address: &str) -> bool {
    // Not searched for as one text, which would cost the browser module 2 KB.
    address.split(':').skip(1).any(|rest| rest.starts_with("//"))
}

fn split(target: &str) -> (&str, &str) {
    let target = target.split('#').next().unwrap_or("");
    target.split_once('?').unwrap_or((target, ""))
}

/// A `Host` of this machine's own: any other means that a foreign name was pointed at the loopback address.
fn names_this_machine(host: &str, redirect: Endpoint<'_>) -> bool {
    let port = redirect.authority().get(redirect.host().len()..).unwrap_or("");
    ["127.0.0.1", "localhost", "[::1]", redirect.host()].iter().any(|name| host.strip_prefix(name) == Some(port))
}

#[cfg(test)]
mod tests;
