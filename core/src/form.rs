//! `application/x-www-form-urlencoded`, and the requests that are made with it.

use alloc::string::String;
use alloc::vec::Vec;

use crate::effect::Method;
use crate::{HttpRequest, Secret};

/// The longest an answer may take, in milliseconds.
pub(crate) const DEADLINE: u64 = 30_000;

/// Parameters as a form body or a query, in their order.
pub(crate) fn encode(parameters: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// A `POST` of a form to a token, device or revocation endpoint.
pub(crate) fn post(url: &str, parameters: &[(&str, &str)], headers: Vec<(String, Secret)>) -> HttpRequest {
    request(url, "application/x-www-form-urlencoded", encode(parameters).into(), headers)
}

/// A `POST` of JSON, for OpenAI's dialect.
pub(crate) fn post_json(url: &str, body: impl Into<Secret>) -> HttpRequest {
    request(url, "application/json", body.into(), Vec::new())
}

/// A `GET` of a JSON document.
pub(crate) fn get(url: &str, mut headers: Vec<(String, Secret)>) -> HttpRequest {
    headers.insert(0, ("accept".into(), "application/json".into()));
    HttpRequest { method: Method::Get, url: url.into(), headers, body: None, deadline: DEADLINE, interruptible: true }
}

fn request(url: &str, content_type: &str, body: Secret, mut headers: Vec<(String, Secret)>) -> HttpRequest {
    headers.insert(0, ("content-type".into(), content_type.into()));
    headers.insert(1, ("accept".into(), "application/json".into()));
    HttpRequest {
        method: Method::Post,
        url: url.into(),
        headers,
        body: Some(body),
        deadline: DEADLINE,
        interruptible: true,
    }
}
