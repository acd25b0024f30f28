//! The parameters of a request, from a query, a form or a JSON object.

use std::collections::BTreeMap;

use serde_json::Value;

use super::message::Request;

/// The parameters of a request, each at most once (RFC 6749, sections 3.1 and 3.2).
#[derive(Default)]
pub(super) struct Parameters(BTreeMap<String, String>);

/// A parameter came twice, or the body could not be read.
pub(super) struct Malformed(pub(super) &'static str);

impl Parameters {
    pub(super) fn of_query(request: &Request) -> Result<Self, Malformed> {
        Self::of_pairs(request.query().as_bytes())
    }

    pub(super) fn of_form(request: &Request) -> Result<Self, Malformed> {
        let kind = request.header("Content-Type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Malformed("the body must be application/x-www-form-urlencoded"));
        }
        Self::of_pairs(&request.body)
    }

    /// Members that are neither strings nor numbers are ignored, as unknown ones are.
    pub(super) fn of_json(request: &Request) -> Result<Self, Malformed> {
        let Ok(Value::Object(members)) = serde_json::from_slice(&request.body) else {
            return Err(Malformed("the body is not a JSON object"));
        };
        let texts = members.into_iter().filter_map(|(name, value)| match value {
            Value::String(text) => Some((name, text)),
            Value::Number(number) => Some((name, number.to_string())),
            _ => None,
        });
        Ok(Self(texts.collect()))
    }

    /// The value of `name`; an empty value counts as absent (RFC 6749, section 3.1).
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn of_pairs(encoded: &[u8]) -> Result<Self, Malformed> {
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(encoded) {
            if parameters.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(Malformed("a parameter is included more than once"));
            }
        }
        Ok(Self(parameters))
    }
}
