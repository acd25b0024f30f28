//! The authorization server's side of a session: a chain of refresh tokens, and what it makes of a wrong one.

use super::Token;

/// What a server does with a refresh token that is no longer the current one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Reuse {
    /// It ends the session (RFC 9700, section 4.14.2).
    Strict,
    /// It refuses, and the session lives on.
    RejectOnly,
    /// It answers the immediate parent with the same successor; anything older ends the session.
    ReplayToParent,
    /// It gives the immediate parent another successor for so many milliseconds; anything else ends the session.
    Grace(i64),
}

/// A session at the server.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Family {
    /// The generation that may be exchanged.
    pub current: u16,
    /// The one that it was made from.
    pub parent: Option<u16>,
    /// When that was, in milliseconds since the Unix epoch.
    pub rotated_at: i64,
    /// Whether the session is over, and why.
    pub ended: Option<End>,
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum End {
    /// A refresh token came again.
    Reused,
    /// The client asked for it.
    Asked,
}

/// The server's word on a refresh token.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Verdict {
    /// This is its successor, issued at this time.
    Granted(u16, i64),
    /// `invalid_grant`.
    Rejected,
}

impl Family {
    /// Exchanges a refresh token.
    pub fn redeem(&mut self, generation: u16, reuse: Reuse, now: i64) -> Verdict {
        if self.ended.is_some() {
            return Verdict::Rejected;
        }
        if generation == self.current {
            return self.rotate(generation, now);
        }
        match reuse {
            Reuse::RejectOnly => return Verdict::Rejected,
            Reuse::ReplayToParent if self.parent == Some(generation) => {
                return Verdict::Granted(self.current, now);
            }
            Reuse::Grace(window) if self.parent == Some(generation) && now - self.rotated_at <= window => {
                let first = self.rotated_at;
                let granted = self.rotate(generation, now);
                self.rotated_at = first;
                return granted;
            }
            _ => {}
        }
        self.ended = Some(End::Reused);
        Verdict::Rejected
    }

    /// Whether a refresh token would be exchanged now.
    pub fn takes(&self, generation: u16, reuse: Reuse, now: i64) -> bool {
        let mut trial = *self;
        matches!(trial.redeem(generation, reuse, now), Verdict::Granted(..))
    }

    /// Whether this is the token that the session lives on.
    pub fn lives_on(&self, token: Token) -> bool {
        self.ended.is_none() && self.current == token.generation
    }

    fn rotate(&mut self, parent: u16, now: i64) -> Verdict {
        self.current += 1;
        self.parent = Some(parent);
        self.rotated_at = now;
        Verdict::Granted(self.current, now)
    }
}
