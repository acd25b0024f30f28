//! What crossed the wire, without what is secret in it.

use std::fmt;

use hallpass_core::{Event, HttpMethod, HttpRequest};

/// One HTTP request and what came of it, for a log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exchange {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The URL without its query.
    pub url: String,
    /// The status, or why there is none.
    pub answer: Result<u16, String>,
}

impl Exchange {
    pub(super) fn begun(request: &HttpRequest) -> Self {
        let method = match request.method {
            HttpMethod::Get => "GET",
            HttpMethod::Post => "POST",
        };
        let url = request.url.split('?').next().unwrap_or_default().to_owned();
        Self { method, url, answer: Err("cancelled".to_owned()) }
    }

    pub(super) fn ended(self, event: &Event) -> Self {
        let answer = match event {
            Event::Responded(response) => Ok(response.status),
            Event::RequestFailed(failure) => Err(failure.detail.clone()),
            _ => self.answer,
        };
        Self { answer, ..self }
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} -> ", self.method, self.url)?;
        match &self.answer {
            Ok(status) => write!(formatter, "{status}"),
            Err(why) => formatter.write_str(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_core::HttpResponse;

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
