//! The refresh request, and what its answer means for the token that was sent.

use alloc::format;

use crate::json::quoted;
use crate::preparing::Prepared;
use crate::token_response::{self, ErrorAnswer};
use crate::{Error, HttpRequest, HttpResponse, LoginRequired, Provider, Secret, form};

/// What the server's answer means.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    /// New tokens, as they came.
    Granted(Secret),
    /// This refresh token is finished.
    Rejected(LoginRequired),
    /// Nobody knows what became of the request: 502 and 504 are a gateway's word, not the server's.
    Unanswered(Error),
    /// The request failed and the token is as good as before.
    Failed(Error),
}

impl Answer {
    pub(crate) fn read(provider: &Provider, response: HttpResponse) -> Self {
        if response.is_success() {
            return Self::Granted(response.body);
        }
        let failure = token_response::failure(&provider.host(), &response);
        match response.status {
            502 | 504 => Self::Unanswered(failure),
            400 | 401 => match ErrorAnswer::parse(&response.body) {
                Some(answer) => Self::judge(provider, response.status, &answer.error, failure),
                None => Self::Failed(failure),
            },
            _ => Self::Failed(failure),
        }
    }

    fn judge(provider: &Provider, status: u16, error: &str, failure: Error) -> Self {
        match error {
            "refresh_token_expired" | "token_expired" => Self::Rejected(LoginRequired::Expired),
            "refresh_token_invalidated" => Self::Rejected(LoginRequired::Revoked),
            "refresh_token_reused" | "invalid_grant" => Self::Rejected(LoginRequired::SpentElsewhere),
            "invalid_client" | "unauthorized_client" => Self::Failed(failure),
            // Codex takes any other 401 of OpenAI as final.
            _ if provider.is_openai() && status == 401 => Self::Rejected(LoginRequired::Revoked),
            _ => Self::Failed(failure),
        }
    }
}

/// The request that spends a refresh token (RFC 6749, section 6; OpenAI takes JSON, in Codex's order).
pub(crate) fn request(provider: &Provider, url: &str, proof: &Prepared, token: &Secret, reason: &str) -> HttpRequest {
    let request = if provider.is_openai() {
        let body = format!(
            r#"{{"client_id":{},"grant_type":"refresh_token","refresh_reason":"{reason}","refresh_token":{}}}"#,
            quoted(&provider.client_id),
            quoted(token.expose()),
        );
        form::post_json(url, body)
    } else {
        proof.post(provider, url, &[("grant_type", "refresh_token"), ("refresh_token", token.expose())])
    };
    // From here to the save nothing may be interrupted: the successor exists only in the answer.
    HttpRequest { interruptible: false, ..request }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn read(provider: &Provider, status: u16, body: &str) -> Answer {
        Answer::read(provider, HttpResponse { status, headers: Vec::new(), body: body.into() })
    }

    #[test]
    fn only_a_definitive_word_about_the_token_ends_a_session() {
        let standard = Provider::discovered("https://id.example", "app");
        let openai = Provider::openai();
        let rejected = |reason| Answer::Rejected(reason);
        for provider in [&standard, &openai] {
            for status in [400, 401] {
                for (code, reason) in [
                    ("invalid_grant", LoginRequired::SpentElsewhere),
                    ("refresh_token_reused", LoginRequired::SpentElsewhere),
                    ("refresh_token_expired", LoginRequired::Expired),
                    ("token_expired", LoginRequired::Expired),
                    ("refresh_token_invalidated", LoginRequired::Revoked),
                ] {
                    let flat = format!(r#"{{"error":"{code}"}}"#);
                    let nested = format!(r#"{{"error":{{"message":"m","code":"{code}"}}}}"#);
                    assert_eq!(read(provider, status, &flat), rejected(reason), "{code}");
                    assert_eq!(read(provider, status, &nested), rejected(reason), "{code}");
                }
            }
            for (status, body) in [
                (400, r#"{"error":"invalid_client"}"#),
                (401, r#"{"error":"invalid_client"}"#),
                (400, r#"{"error":"invalid_request"}"#),
                (401, "<html>a proxy</html>"),
                (403, r#"{"error":"invalid_grant"}"#),
                (403, "<html>a proxy</html>"),
                (404, ""),
                (307, ""),
                (408, ""),
                (429, ""),
                (500, r#"{"error":"invalid_grant"}"#),
                (503, ""),
            ] {
                assert!(matches!(read(provider, status, body), Answer::Failed(_)), "{status} {body}");
            }
            for status in [502, 504] {
                assert!(matches!(read(provider, status, ""), Answer::Unanswered(_)), "{status}");
            }
        }
        assert_eq!(read(&openai, 401, r#"{"error":{"code":"something_new"}}"#), rejected(LoginRequired::Revoked));
        assert!(matches!(read(&standard, 401, r#"{"error":"something_new"}"#), Answer::Failed(_)));
    }

    #[test]
    fn the_wire_is_the_one_of_codex() {
        let provider = Provider { client_id: "app_x".into(), ..Provider::openai() };
        let request =
            request(&provider, "https://x.example", &Prepared::default(), &"rt_seed".into(), "proactive_expiry");
        let recorded = include_str!("../../../tests/vectors/wire.refresh.jsonl");
        let body = request.body.unwrap();
        let body = quoted(body.expose());
        assert!(recorded.contains(&body), "{body}");
        assert!(!request.interruptible);
    }
}
