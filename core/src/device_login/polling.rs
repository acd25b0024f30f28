//! How often to ask whether the code was entered, and what the answers mean (RFC 8628, section 3.5).

use serde::{Deserialize, Serialize};

use crate::browser_login::Client;
use crate::json;
use crate::token_response::{self, ErrorAnswer, TokenSet};
use crate::{Error, HttpResponse, Provider, Refused, Secret, Unavailable, header};

/// RFC 8628, section 3.2: 5 seconds where the server names no interval.
const INTERVAL: u64 = 5;
const LONGEST_INTERVAL: u64 = 60;

/// The time between two polls.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(super) struct Pace {
    /// Seconds; grows with each `slow_down` and never shrinks.
    interval: u64,
    /// How many times in a row the server was in trouble or out of reach.
    troubles: u32,
    /// What the last answer asked for, in milliseconds.
    asked: u64,
}

/// What an answer means for the pace.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Change {
    Pending,
    SlowDown,
    Trouble { asked: Option<u64> },
}

/// What became of a poll.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Poll {
    Granted(TokenSet),
    /// OpenAI: a code, with the verifier that goes with it.
    Code {
        code: Secret,
        verifier: Secret,
    },
    Again(Change),
    Failed(Error),
}

struct OpenAiGrant {
    authorization_code: Secret,
    code_verifier: Secret,
}

json::object! { OpenAiGrant { authorization_code, code_verifier } }

impl Pace {
    pub(super) fn new(interval: Option<i64>) -> Self {
        let asked = interval.and_then(|seconds| u64::try_from(seconds).ok()).filter(|seconds| *seconds > 0);
        Self { interval: asked.unwrap_or(INTERVAL).min(LONGEST_INTERVAL), troubles: 0, asked: 0 }
    }

    /// Milliseconds until the next poll: doubled for each trouble in a row, never less than the interval.
    pub(super) fn wait(self) -> u64 {
        let backed_off =
            self.interval.saturating_mul(1 << self.troubles.min(6)).min(LONGEST_INTERVAL.max(self.interval));
        backed_off.saturating_mul(1000).max(self.asked)
    }

    pub(super) fn after(self, change: &Change) -> Self {
        match change {
            Change::Pending => Self { troubles: 0, asked: 0, ..self },
            Change::SlowDown => Self { interval: self.interval.saturating_add(5), troubles: 0, asked: 0 },
            Change::Trouble { asked } => {
                Self { troubles: self.troubles.saturating_add(1), asked: asked.unwrap_or(0), ..self }
            }
        }
    }
}

impl Poll {
    pub(super) fn read(client: &Client, response: &HttpResponse) -> Self {
        if client.provider.is_openai() {
            Self::read_openai(&client.provider, response)
        } else {
            Self::read_standard(client, response)
        }
    }

    /// No answer: reduce the frequency (RFC 8628, section 3.5).
    pub(super) fn lost() -> Self {
        Self::Again(Change::Trouble { asked: None })
    }

    fn read_standard(client: &Client, response: &HttpResponse) -> Self {
        let answer = ErrorAnswer::parse(&response.body);
        match answer.as_ref().map(|answer| answer.error.as_str()) {
            Some("authorization_pending") => Self::Again(Change::Pending),
            Some("slow_down") => Self::Again(Change::SlowDown),
            Some("expired_token") => Self::Failed(Refused::DeviceCodeExpired.into()),
            _ => {
                let proven = client.possession.is_some();
                Self::judge(token_response::tokens(&client.provider.host(), response, proven), response)
            }
        }
    }

    /// 403 and 404 mean that nobody has entered the code yet.
    fn read_openai(provider: &Provider, response: &HttpResponse) -> Self {
        match response.status {
            403 | 404 => Self::Again(Change::Pending),
            200 => match json::parse::<OpenAiGrant>(response.body.expose()) {
                Ok(grant) => Self::Code { code: grant.authorization_code, verifier: grant.code_verifier },
                Err(detail) => Self::Failed(Error::malformed(&provider.host(), "an authorization code", detail)),
            },
            _ => Self::judge(Err(token_response::failure(&provider.host(), response)), response),
        }
    }

    fn judge(result: Result<TokenSet, Error>, response: &HttpResponse) -> Self {
        match result {
            Ok(tokens) => Self::Granted(tokens),
            Err(Error::Unavailable(Unavailable::Server { .. })) => {
                Self::Again(Change::Trouble { asked: header::retry_after(response) })
            }
            Err(error) => Self::Failed(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_as_servers_send_them() {
        for (interval, expected) in
            [(None, 5), (Some(0), 5), (Some(-1), 5), (Some(1), 1), (Some(10), 10), (Some(1_000_000_000), 60)]
        {
            assert_eq!(Pace::new(interval).wait(), expected * 1000, "{interval:?}");
        }
    }

    #[test]
    fn slow_down_is_for_good_and_trouble_is_not() {
        let pace = Pace::new(Some(5)).after(&Change::SlowDown).after(&Change::SlowDown);
        assert_eq!(pace.wait(), 15_000);
        let troubled = pace.after(&Change::Trouble { asked: None }).after(&Change::Trouble { asked: None });
        assert_eq!(troubled.wait(), 60_000);
        assert_eq!(troubled.after(&Change::Pending).wait(), 15_000);
        assert_eq!(pace.after(&Change::Trouble { asked: Some(90_000) }).wait(), 90_000);
        assert_eq!(pace.after(&Change::Trouble { asked: Some(1000) }).wait(), 30_000, "never more often than without");
        let many = (0..100).fold(pace, |pace, _| pace.after(&Change::Trouble { asked: None }));
        assert_eq!(many.wait(), 60_000);
    }
}
