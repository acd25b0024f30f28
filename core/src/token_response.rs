//! What a token endpoint answers (RFC 6749, section 5), read strictly where it matters.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};

use serde::{Deserialize, Serialize};

use crate::dpop;
use crate::json::{self, Integer, Object};
use crate::text::said;
use crate::{Error, HttpResponse, Misbehaved, Refused, Secret, Unavailable};

/// Longer lifetimes than a year are cut: no clock and no server can be trusted so far ahead.
const LONGEST_LIFETIME: i64 = 366 * 86_400_000;

/// What was granted.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct TokenSet {
    pub(crate) access_token: Secret,
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) id_token: Option<Secret>,
    /// Milliseconds.
    pub(crate) expires_in: Option<i64>,
    /// What was granted, where it is not what was asked for.
    pub(crate) scope: Option<String>,
    /// The tokens are bound to the key whose possession was proven (RFC 9449, section 5).
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub(crate) is_bound: bool,
    /// The nonce for the next proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nonce: Option<String>,
}

struct Answer {
    access_token: Option<Secret>,
    token_type: Option<String>,
    refresh_token: Option<Secret>,
    id_token: Option<Secret>,
    expires_in: Integer,
    scope: Option<String>,
}

json::object! { Answer { access_token, token_type, refresh_token, id_token, expires_in, scope } }

impl TokenSet {
    /// Reads a successful answer of `server`. Where possession of a key was `proven`, the tokens may be bound to it.
    pub(crate) fn parse(server: &str, body: &Secret, proven: bool) -> Result<Self, Error> {
        let malformed = |detail: String| Error::malformed(server, "a token response", detail);
        let answer: Answer = json::parse(body.expose()).map_err(malformed)?;
        let filled = |token: Option<Secret>| token.filter(|token| !token.is_empty());
        let access_token =
            filled(answer.access_token).ok_or_else(|| malformed("`access_token` is missing".to_owned()))?;
        let is_bound = proven && answer.token_type.as_ref().is_some_and(|kind| kind.eq_ignore_ascii_case("dpop"));
        if !is_bound && answer.token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(malformed("`token_type` is not `Bearer`".to_owned()));
        }
        Ok(Self {
            access_token,
            refresh_token: filled(answer.refresh_token),
            id_token: filled(answer.id_token),
            expires_in: answer
                .expires_in
                .0
                .filter(|seconds| *seconds >= 0)
                .map(|seconds| seconds.saturating_mul(1000).min(LONGEST_LIFETIME)),
            scope: answer.scope,
            is_bound,
            nonce: None,
        })
    }
}

/// An error answer: the code, and what the server said about it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ErrorAnswer {
    pub(crate) error: String,
    pub(crate) description: Option<String>,
}

impl ErrorAnswer {
    /// Reads an error in the form of RFC 6749, section 5.2 (`error` is a text), or in OpenAI's (`error` is an
    /// object with `code` and `message`, or `code` stands at the top).
    pub(crate) fn parse(body: &Secret) -> Option<Self> {
        let object: Object = json::parse(body.expose()).ok()?;
        let nested = object.object("error").ok().flatten();
        let text =
            |object: &Object, name: &str| object.member::<String>(name).ok().flatten().filter(|text| !text.is_empty());
        let error = match &nested {
            Some(nested) => text(nested, "code").or_else(|| text(nested, "type")),
            None => text(&object, "error"),
        };
        let error = error.or_else(|| text(&object, "code"))?;
        let description = text(&object, "error_description").or_else(|| text(nested.as_ref()?, "message"));
        Some(Self {
            error: said(&error).to_ascii_lowercase(),
            description: description.map(|description| said(&description)),
        })
    }
}

/// What an answer that is no success means, whoever asked: the common part of all judgements.
pub(crate) fn failure(server: &str, response: &HttpResponse) -> Error {
    let server = server.to_owned();
    let answer = ErrorAnswer::parse(&response.body);
    match (response.status, answer) {
        (300..=399, _) => Misbehaved::Redirected { server }.into(),
        (408 | 429 | 500..=599, _) => Unavailable::Server { server, status: response.status }.into(),
        (_, Some(ErrorAnswer { error, description })) => match error.as_str() {
            "access_denied" => Refused::AccessDenied { description }.into(),
            "invalid_client" | "unauthorized_client" => Refused::Client { server, error, description }.into(),
            "temporarily_unavailable" | "server_error" => {
                Unavailable::Server { server, status: response.status }.into()
            }
            _ => Refused::Other { server, error, description }.into(),
        },
        (status, None) if response.is_success() => {
            Error::malformed(&server, "a token response", "the status is ".to_string() + &status.to_string())
        }
        (status, None) => Misbehaved::Status { server, status, detail: None }.into(),
    }
}

/// Reads the answer of a token endpoint: tokens, or what went wrong. Some servers send errors with status 200.
pub(crate) fn tokens(server: &str, response: &HttpResponse, proven: bool) -> Result<TokenSet, Error> {
    if !response.is_success() {
        return Err(failure(server, response));
    }
    let set = TokenSet::parse(server, &response.body, proven);
    set.map(|set| TokenSet { nonce: dpop::nonce(response), ..set }).map_err(|error| {
        match ErrorAnswer::parse(&response.body) {
            Some(_) => failure(server, &HttpResponse { status: 400, ..response.clone() }),
            None => error,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec::Vec;

    fn lifetime(expires_in: &str) -> Option<i64> {
        let body = format!(r#"{{"access_token":"a","token_type":"bEaReR","expires_in":{expires_in},"new":[1]}}"#);
        TokenSet::parse("server", &Secret::new(body), false).unwrap().expires_in
    }

    #[test]
    fn lifetimes_as_they_come() {
        for (text, expected) in [
            ("3600", Some(3_600_000)),
            ("\"3600\"", Some(3_600_000)),
            ("3600.5", Some(3_600_000)),
            ("0", Some(0)),
            ("-1", None),
            ("1e18", Some(LONGEST_LIFETIME)),
            ("null", None),
            ("\"soon\"", None),
            ("{}", None),
        ] {
            assert_eq!(lifetime(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_token_response_is_refused() {
        for body in [
            "<!doctype html><title>canary</title>",
            "",
            "[]",
            "{}",
            r#"{"access_token":5}"#,
            r#"{"access_token":""}"#,
            r#"{"access_token":"canary","token_type":"mac"}"#,
        ] {
            let error = TokenSet::parse("server", &Secret::new(body), true).unwrap_err();
            assert_eq!(error.code(), "malformed_answer", "{body}");
            assert!(!format!("{error}").contains("canary"), "{error}");
        }
    }

    #[test]
    fn tokens_are_bound_only_where_possession_was_proven() {
        let read = |kind: &str, proven| {
            let body = format!(r#"{{"access_token":"a","token_type":"{kind}"}}"#);
            TokenSet::parse("server", &Secret::new(body), proven).map(|set| set.is_bound).map_err(|error| error.code())
        };
        assert_eq!(read("DPoP", true), Ok(true));
        assert_eq!(read("dpop", true), Ok(true));
        assert_eq!(read("DPoP", false), Err("malformed_answer"));
        assert_eq!(read("Bearer", true), Ok(false), "the server does without");
    }

    #[test]
    fn errors_of_both_shapes() {
        let parse =
            |body: &str| ErrorAnswer::parse(&Secret::new(body)).map(|answer| (answer.error, answer.description));
        let owned =
            |error: &str, description: Option<&str>| Some((error.to_owned(), description.map(ToOwned::to_owned)));
        assert_eq!(
            parse(r#"{"error":"invalid_grant","error_description":"gone"}"#),
            owned("invalid_grant", Some("gone"))
        );
        assert_eq!(
            parse(r#"{"error":{"message":"used","type":"x","param":null,"code":"Refresh_Token_Reused"}}"#),
            owned("refresh_token_reused", Some("used"))
        );
        assert_eq!(parse(r#"{"code":"token_expired"}"#), owned("token_expired", None));
        assert_eq!(parse("{\"error\":\"x\\u001b[2J\\u202ey\"}"), owned("x[2jy", None));
        assert_eq!(parse("<html>"), None);
    }

    #[test]
    fn an_error_with_status_200_is_an_error() {
        let response = HttpResponse {
            status: 200,
            headers: Vec::new(),
            body: Secret::new(r#"{"error":"authorization_pending"}"#),
        };
        assert_eq!(tokens("server", &response, false).unwrap_err().code(), "refused");
    }
}
