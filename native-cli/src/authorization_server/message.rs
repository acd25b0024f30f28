//! Requests and responses as plain values, and how an answer reaches (or misses) its client.

use std::fmt;

use serde_json::Value;

/// An HTTP request, as the server sees it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Request {
    /// The method, in upper case.
    pub method: String,
    /// The path and the query, as they stand in the request line.
    pub target: String,
    /// The header fields in order; names are compared without regard to case.
    pub headers: Vec<(String, String)>,
    /// The body, decoded from any transfer coding.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without header fields and body.
    pub fn new(method: &str, target: &str) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    /// A `GET` of `target`.
    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// A `POST` of `fields` as `application/x-www-form-urlencoded`.
    pub fn post_form(target: &str, fields: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        Self { body: body.into_bytes(), ..Self::new("POST", target) }
            .with_header("Content-Type", "application/x-www-form-urlencoded")
    }

    /// A `POST` of `body` as `application/json`.
    pub fn post_json(target: &str, body: &Value) -> Self {
        Self { body: body.to_string().into_bytes(), ..Self::new("POST", target) }
            .with_header("Content-Type", "application/json")
    }

    /// The same request with one more header field.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The value of the first header field called `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// The path, without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The query, or nothing.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query.split('#').next().unwrap_or_default())
    }

    /// The bearer token of the `Authorization` header (RFC 6750, section 2.1).
    pub(super) fn bearer(&self) -> Option<&str> {
        authorization(self, "Bearer")
    }

    pub(super) fn is_json(&self) -> bool {
        let kind = self.header("Content-Type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/json")
    }
}

/// The credential of the `Authorization` header, if it uses `scheme`.
pub(super) fn authorization<'a>(request: &'a Request, scheme: &str) -> Option<&'a str> {
    let (found, credential) = request.header("Authorization")?.split_once(' ')?;
    found.eq_ignore_ascii_case(scheme).then_some(credential.trim())
}

impl fmt::Debug for Request {
    /// Shows method and path; query, header fields and body may hold secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Request({} {})", self.method, self.path())
    }
}

/// An HTTP response.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header fields, without `Content-Length` and `Connection`.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Response {
    /// A response without header fields and body.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// The value of the first header field called `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// The body as JSON; `Null` if it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text, with replacement characters where it is not UTF-8.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A response of JSON that is not to be kept.
    pub fn of_json(status: u16, body: &Value) -> Self {
        Self::of_json_text(status, body.to_string())
    }

    pub(super) fn of_json_text(status: u16, body: String) -> Self {
        Self { body: body.into_bytes(), ..Self::empty(status) }
            .with_header("Content-Type", "application/json")
            .with_header("Cache-Control", "no-store")
            .with_header("Pragma", "no-cache")
    }

    pub(super) fn redirect(status: u16, location: &str) -> Self {
        Self::empty(status)
            .with_header("Location", location)
            .with_header("Cache-Control", "no-store")
            .with_header("Referrer-Policy", "no-referrer")
    }

    /// This response with another header field.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl fmt::Debug for Response {
    /// Shows the status and the body's length; the body may hold secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Response({}, {} bytes)", self.status, self.body.len())
    }
}

/// What the server does with a request: its answer, and how the answer travels.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Served {
    /// The answer. It is complete even where `delivery` says that the client never sees it.
    pub response: Response,
    /// How long the answer is held back, in milliseconds.
    pub delay_ms: u64,
    /// What becomes of the answer.
    pub delivery: Delivery,
}

/// What becomes of an answer on its way to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// It arrives.
    Whole,
    /// The request was processed; the connection closes without an answer.
    AnswerLost,
    /// The request was not processed; the connection closes without an answer.
    RequestLost,
    /// The request was processed; status, header fields and this many bytes of the body arrive.
    Broken {
        /// How many bytes of the body arrive.
        after: usize,
    },
}

fn find_header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}
