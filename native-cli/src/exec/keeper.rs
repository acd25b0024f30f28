//! Keeps a home fresh while a tool runs in it.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hallpass_core::{Configuration, Error, Need, Report, Timestamp, Token, TokenRequest};

use crate::{Cancellation, Shell, now};

/// How long before its expiry Codex renews a token itself, in milliseconds.
pub const CODEX_WINDOW: u64 = 300_000;

/// How often the home is looked at, at least and at most. No clock runs while the machine sleeps, so this is also how
/// soon it is looked at afterwards.
const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(10);

/// A thread that asks for a token again and again, so that it is renewed before the tool renews it.
#[derive(Debug)]
pub struct Keeper {
    stop: Sender<()>,
    cancellation: Cancellation,
    thread: JoinHandle<Option<Report>>,
}

impl Keeper {
    /// Begins to keep the home of this shell.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(mut shell: Shell, configuration: Configuration) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let cancellation = shell.cancellation();
        let keep = move || {
            let request = TokenRequest { configuration, need: Need::Ahead { of: CODEX_WINDOW } };
            loop {
                let answer = shell.token(request.clone());
                match stopped.recv_timeout(pause(&answer, now())) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return trouble(answer),
                }
            }
        };
        let thread = thread::Builder::new().name("hallpass-keeper".to_owned()).spawn(keep)?;
        Ok(Self { stop, cancellation, thread })
    }

    /// Stops. A refresh that is under way is saved first. What stood in the way of the last one, if anything did.
    pub fn stop(self) -> Option<Report> {
        drop(self.stop);
        self.cancellation.cancel();
        self.thread.join().ok().flatten()
    }
}

/// How long until the next look: several times until the tool would renew the token.
fn pause(answer: &Result<Token, Error>, now: Timestamp) -> Duration {
    let expires_at = answer.as_ref().ok().and_then(|token| token.expires_at);
    let left = expires_at.map_or(i64::MAX, |at| at.since(now)).saturating_sub_unsigned(CODEX_WINDOW);
    Duration::from_millis(u64::try_from(left / 4).unwrap_or(0)).clamp(SHORTEST, LONGEST)
}

/// What a person should know of the last answer.
fn trouble(answer: Result<Token, Error>) -> Option<Report> {
    match answer {
        Ok(token) => token.warnings.into_iter().next(),
        // That is how it was stopped.
        Err(Error::Declined(_)) => None,
        Err(error) => Some(error.report()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_core::{LoginRequired, Secret, TokenOrigin};

    fn token(lifetime: i64) -> Token {
        Token {
            access_token: Secret::from("at-1"),
            token_type: "Bearer".into(),
            expires_at: Some(Timestamp::from_seconds(0).plus(lifetime)),
            account_id: None,
            origin: TokenOrigin::Stored,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn the_nearer_the_tools_own_window_the_more_often_it_looks() {
        let now = Timestamp::from_seconds(0);
        assert_eq!(pause(&Ok(token(3_600_000)), now), LONGEST);
        assert_eq!(pause(&Ok(token(304_000)), now), Duration::from_secs(1));
        for gone in [300_000, 10_000, -5_000] {
            assert_eq!(pause(&Ok(token(gone)), now), SHORTEST);
        }
        assert_eq!(pause(&Err(LoginRequired::NotLoggedIn.into()), now), LONGEST);
    }
}
