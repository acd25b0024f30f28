//! What must hold at every moment of a life, and at the end of every flow.

use hallpass_core::{Effect, Error, LoginRequired, Outcome, Slot, Unavailable};

use super::world::World;
use crate::exhaustive::{Style, Token, access_token_in, refresh_tokens_in};

/// How a flow ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Ended {
    /// With the access token of this refresh token, until then.
    SignedIn(Token, i64),
    LoginRequired(LoginRequired),
    Otherwise(&'static str),
}

/// What the clients can know about each refresh token.
#[derive(Clone, Debug, Default)]
pub(super) struct Knowledge {
    /// By session, then by generation.
    spent: Vec<Vec<Spent>>,
    /// The newest token that a completed save holds.
    saved: Option<Token>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Spent {
    #[default]
    No,
    Flying,
    /// Nobody knows what became of it.
    Perhaps,
    /// Its successor is known.
    Yes,
    /// It is finished.
    Dead,
}

impl Knowledge {
    fn of(&mut self, token: Token) -> &mut Spent {
        let (family, generation) = (usize::from(token.family), usize::from(token.generation));
        if self.spent.len() <= family {
            self.spent.resize(family + 1, Vec::new());
        }
        let known = &mut self.spent[family];
        if known.len() <= generation {
            known.resize(generation + 1, Spent::No);
        }
        &mut known[generation]
    }

    /// Nobody knows any more what became of it.
    pub(super) fn is_open(&mut self, token: Token) {
        *self.of(token) = Spent::Perhaps;
    }
}

impl World {
    pub(super) fn may_be_sent(&mut self, token: Token) {
        let known = *self.knowledge.of(token);
        if !matches!(known, Spent::No | Spent::Perhaps) {
            self.fail(format!("{} is sent although it is known as {known:?}", token.text()));
        }
        *self.knowledge.of(token) = Spent::Flying;
    }

    pub(super) fn is_answered(&mut self, process: usize, token: Token, successor: Token) {
        *self.knowledge.of(token) = Spent::Yes;
        self.processes[process].sending = None;
        self.processes[process].carries = Some(successor);
    }

    pub(super) fn is_finished(&mut self, process: usize, token: Token) {
        *self.knowledge.of(token) = Spent::Dead;
        self.processes[process].sending = None;
        self.processes[process].buries = Some(token);
    }

    /// The server ends a session whose current refresh token is this one.
    pub(super) fn is_killed(&mut self, current: Token) {
        let carried = self.processes.iter().any(|process| process.carries == Some(current));
        if carried || self.store.tokens().any(|token| token == current) {
            self.fail(format!("the server ends a session although {} is at hand", current.text()));
        }
    }

    pub(super) fn is_revoked(&mut self, process: usize, token: Token) {
        let used = self.store.tokens().any(|stored| stored.family == token.family);
        if used && !self.processes[process].is_login {
            self.fail(format!("{} is revoked and is the record", token.text()));
        }
    }

    /// The store cannot be relied on to remember what this process knows.
    pub(super) fn cannot_remember(&mut self, process: usize) {
        if let Some(token) = self.processes[process].buries.take() {
            self.knowledge.is_open(token);
        }
    }

    /// A save is complete: what is in it must outlive everything.
    pub(super) fn is_saved(&mut self, process: usize) {
        let Some((_, Effect::Save { slot: Slot::Record(_) | Slot::Parked(_), contents })) =
            &self.processes[process].turn
        else {
            return;
        };
        for token in refresh_tokens_in(contents.expose()) {
            let newer = self
                .knowledge
                .saved
                .is_none_or(|saved| (saved.family, saved.generation) < (token.family, token.generation));
            if newer {
                self.knowledge.saved = Some(token);
            }
        }
        self.nothing_saved_is_lost();
    }

    pub(super) fn nothing_saved_is_lost(&mut self) {
        let Some(saved) = self.knowledge.saved else { return };
        let kept = self.store.newest(saved.family);
        if kept.is_none_or(|kept| kept < saved.generation) {
            self.fail(format!("{} was saved; what is left is {kept:?}", saved.text()));
        }
    }

    /// What only the dead have known is not known any more.
    pub(super) fn forget(&mut self) {
        let Some(family) = self.families.len().checked_sub(1).and_then(|last| u16::try_from(last).ok()) else { return };
        let carried =
            self.processes.iter().filter_map(|process| process.carries).filter(|token| token.family == family);
        let known = carried.map(|token| token.generation).chain(self.store.newest(family)).max().unwrap_or(0);
        let Some(spent) = self.knowledge.spent.get_mut(usize::from(family)) else { return };
        for spent in spent.iter_mut().skip(usize::from(known)).filter(|spent| **spent == Spent::Yes) {
            *spent = Spent::Perhaps;
        }
    }

    /// A stored refresh token that the server would take.
    pub(super) fn renewable(&self) -> Option<Token> {
        let takes =
            |token: &Token| self.families[usize::from(token.family)].takes(token.generation, self.plan.reuse, self.now);
        self.store.tokens().find(takes).filter(|_| self.store.has_record())
    }

    pub(super) fn ends(&mut self, process: usize, result: &Result<Outcome, Error>) {
        if !self.locks.is_free_of(process) {
            self.fail(format!("process {process} ended and holds a lock"));
        }
        self.tell_tale(|| match result {
            Ok(_) => format!("{process} ends well"),
            Err(error) => format!("{process} ends: {error}"),
        });
        let ended = match result {
            Ok(Outcome::Token(token)) => {
                self.counts.flows += 1;
                self.processes[process].holds = Some(token.access_token.clone());
                let (named, expires_at) = access_token_in(token.access_token.expose()).unwrap_or_default();
                self.may_be_handed_out(named, expires_at);
                Ended::SignedIn(named, expires_at)
            }
            Ok(_) => Ended::Otherwise("login"),
            Err(error) => {
                self.counts.flows += 1;
                self.may_fail(error)
            }
        };
        let runner = &mut self.processes[process];
        runner.ended = Some(ended);
        runner.carries = None;
        runner.buries = None;
        runner.sending = None;
        self.forget();
    }

    fn may_be_handed_out(&mut self, token: Token, expires_at: i64) {
        let faults = self.plan.faults;
        // What a wrong clock, a long stop, a silent token or a failing store makes of it is told elsewhere.
        let steady =
            faults.clock == 0 && faults.suspend == 0 && faults.store == 0 && faults.lie == 0 && faults.torn == 0;
        // A token that was granted by a wrong clock is judged by that clock.
        let judged = steady || (self.calm && faults.clock == 0);
        if judged && self.plan.style == Style::Jwt && expires_at <= self.now {
            self.fail(format!("the access token of {} is handed out and has expired", token.text()));
        }
    }

    fn may_fail(&mut self, error: &Error) -> Ended {
        let faults = self.plan.faults;
        match error {
            Error::LoginRequired(reason @ (LoginRequired::RotationLost | LoginRequired::SpentElsewhere)) => {
                if let Some(token) = self.renewable() {
                    self.fail(format!("it ends with {reason:?} although the server would take {}", token.text()));
                }
                let forgetful = faults.store + faults.lie + faults.torn > 0;
                if *reason == LoginRequired::SpentElsewhere && !forgetful {
                    self.fail("nobody else was there, and it ends with spent_elsewhere".to_owned());
                }
                Ended::LoginRequired(*reason)
            }
            // When all is well it may still be too early, but not the last time.
            Error::Unavailable(Unavailable::BackingOff { .. }) => Ended::Otherwise(error.code()),
            Error::Unavailable(_) | Error::Local(_) if self.chaos => Ended::Otherwise(error.code()),
            Error::Declined(_) if faults.cancel > 0 && self.chaos => Ended::Otherwise(error.code()),
            other => {
                self.fail(format!("it ends with `{}`", other.code()));
                Ended::Otherwise(other.code())
            }
        }
    }

    /// Nothing goes wrong any more: everybody is signed in, or was told why not. Whether a login is needed.
    pub(super) fn has_healed(&mut self, last: bool) -> bool {
        let mut needed = false;
        for process in 0..self.processes.len() {
            match self.processes[process].ended.take() {
                Some(Ended::SignedIn(token, _)) => {
                    needed |= self.families[usize::from(token.family)].ended.is_some();
                }
                Some(Ended::LoginRequired(_)) => needed = true,
                Some(Ended::Otherwise("backing_off")) if !last => {}
                other => self.fail(format!("when all is well, process {process} ends with {other:?}")),
            }
        }
        needed
    }

    /// Whether nothing but a login helps.
    pub(super) fn is_signed_out(&self) -> bool {
        self.renewable().is_none()
    }
}
