//! What crossed the wire, without what is secret in it.

use std::fmt;

use hallpass_core::{Event, HttpMethod, HttpRequest, HttpResponse, RequestFailure, Secret};

/// One HTTP request and what came of it, for a log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exchange {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The URL without its query, and without a name and password in it.
    pub url: String,
    /// The status, or why there is none.
    pub answer: Result<u16, String>,
    /// What the server calls this request: its `x-request-id` or `x-oai-request-id`.
    pub request_id: Option<String>,
    /// What was sent, so that an answer which repeats it shows nothing.
    sent: Vec<Secret>,
}

impl Exchange {
    pub(crate) fn begun(request: &HttpRequest) -> Self {
        let method = match request.method {
            HttpMethod::Get => "GET",
            HttpMethod::Post => "POST",
        };
        let sent = request.headers.iter().map(|(_, value)| value).chain(&request.body).cloned().collect();
        Self { method, url: shown(&request.url), answer: Err("cancelled".to_owned()), request_id: None, sent }
    }

    pub(crate) fn ended(self, event: &Event) -> Self {
        let (answer, request_id) = match event {
            Event::Responded(response) => (Ok(response.status), self.request_id(response)),
            Event::RequestFailed(RequestFailure { detail, variable: None, .. }) => (Err(detail.clone()), None),
            Event::RequestFailed(RequestFailure { detail, variable: Some(name), .. }) => {
                (Err(format!("{name} {detail}")), None)
            }
            _ => (self.answer, None),
        };
        Self { answer, request_id, sent: Vec::new(), ..self }
    }

    /// A server that misbehaves may put anything there.
    fn request_id(&self, response: &HttpResponse) -> Option<String> {
        let is_id = |text: &&str| {
            (1..=64).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
                && !self.sent.iter().any(|sent| sent.expose().contains(text))
                && !response.body.expose().contains(text)
        };
        ["x-request-id", "x-oai-request-id"]
            .into_iter()
            .filter_map(|name| response.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)))
            .map(|(_, value)| value.expose())
            .find(is_id)
            .map(ToOwned::to_owned)
    }
}

fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

impl fmt::Display for Exchange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} -> ", self.method, self.url)?;
        match &self.answer {
            Ok(status) => write!(formatter, "{status}")?,
            Err(why) => formatter.write_str(why)?,
        }
        match &self.request_id {
            Some(id) => write!(formatter, " (request {id})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_nobodys_business() {
        let request = HttpRequest {
            method: HttpMethod::Get,
            url: "https://id.example.com/a?code=secret".into(),
            headers: Vec::new(),
            body: None,
            deadline: 0,
            interruptible: true,
        };
        let response = HttpResponse { status: 204, headers: Vec::new(), body: "".into() };
        let begun = Exchange::begun(&request);
        assert_eq!(begun.to_string(), "GET https://id.example.com/a -> cancelled");
        assert_eq!(begun.ended(&Event::Responded(response)).to_string(), "GET https://id.example.com/a -> 204");
    }
}
