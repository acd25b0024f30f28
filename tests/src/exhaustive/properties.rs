//! What must hold, in every state and at every end.

use hallpass_core::LoginRequired;

use super::actions::Action;
use super::catalogue::Ending;
use super::state::{Process, Spent, State};
use super::world::{Next, World};
use super::{End, Runs, Token};

/// A rule. Each is broken by a [`Mutation`](super::Mutation).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Property {
    /// A refresh token is sent again only where nobody can know what became of it before.
    SentOnce,
    /// The server ends no session whose successor is in somebody's hands or in the store.
    HealthyLivesOn,
    /// What a completed save holds outlives every crash and every loss of power.
    NothingSavedIsLost,
    /// A renewed token is handed out once it is durable, or with the warning `not_saved`.
    SavedBeforeUse,
    /// Who ends holds no lock.
    LocksAreGivenBack,
    /// Nobody waits for what never comes.
    NobodyIsStuck,
    /// Who ends has a token that is good by the clock, or a reason that names the trouble.
    EndsWell,
    /// Nobody is sent to a login while the stored session could be renewed.
    LoginOnlyWhenNeeded,
    /// A session that a lost answer has ended is called `rotation_lost`.
    LossIsNamed,
    /// What a login or a logout leaves behind stays.
    LastWordStands,
    /// A session that is nobody's any more is revoked, and no other.
    RevokedWhenOver,
    /// Without faults one request is made for one expiry, whoever asks.
    OneRequestPerExpiry,
    /// When nothing goes wrong any more the next one is signed in, or is told why not.
    Heals,
    /// No machine can go round in circles.
    AlwaysEnds,
}

/// A rule that was broken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Violation {
    /// Which.
    pub property: Property,
    /// How.
    pub detail: String,
}

impl Violation {
    pub(super) fn new(property: Property, detail: impl Into<String>) -> Self {
        Self { property, detail: detail.into() }
    }
}

type Checked = Result<(), Violation>;

fn check(holds: bool, property: Property, detail: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Violation::new(property, detail())) }
}

/// A fault-free run may still be slow.
const LATER: i64 = 120_000;

impl World {
    pub(super) fn may_be_sent(&self, state: &mut State, token: Token) -> Checked {
        let known = *state.spent(token);
        let over = !self.is_missed(state, token.family) || state.family(token.family).ended == Some(End::Asked);
        // Who signs in or out in the middle takes the reason to remember it away.
        let forgotten = known == Spent::Dead && !self.renews_only();
        check(over || forgotten || matches!(known, Spent::No | Spent::Perhaps), Property::SentOnce, || {
            format!("{} is sent although it is known as {known:?}", token.text())
        })
    }

    /// The server ends a session whose current refresh token is this one.
    pub(super) fn may_be_lost(&self, state: &State, current: Token) -> Checked {
        let carried = state.active().any(|index| state.processes[index].carries == Some(current));
        let stored = state.slots.iter().any(|slot| self.catalogue.tokens(slot.shown).contains(&current));
        check(!self.is_missed(state, current.family) || !(carried || stored), Property::HealthyLivesOn, || {
            format!("the server ends a session although {} is at hand", current.text())
        })
    }

    pub(super) fn may_be_revoked(&self, state: &State, index: usize, token: Token) -> Checked {
        let in_use = state.slots[..2].iter().any(|slot| self.catalogue.newest(slot.shown, token.family).is_some());
        let asked = state.processes[index].runs == Runs::Logout;
        check(asked || !in_use, Property::RevokedWhenOver, || format!("{} is revoked and is the record", token.text()))
    }

    pub(super) fn nothing_saved_is_lost(&self, state: &State) -> Checked {
        if !self.renews_only() {
            return Ok(());
        }
        let (saved, kept) = (state.saved[0], self.durable(state));
        check(kept.is_some_and(|kept| kept >= saved), Property::NothingSavedIsLost, || {
            format!("generation {saved} was saved; a loss of power now leaves {kept:?}")
        })
    }

    /// The newest generation of the first session that outlives everything.
    fn durable(&self, state: &State) -> Option<u16> {
        let least = |slot: &super::state::Contents| slot.possible().map(|text| self.catalogue.newest(text, 0)).min();
        state.slots[..4].iter().filter_map(least).max().flatten()
    }

    /// Nobody misses a session after a logout, or when another has taken its place.
    fn is_missed(&self, state: &State, family: u16) -> bool {
        self.renews_only() || state.slots[..2].iter().any(|slot| self.catalogue.newest(slot.shown, family).is_some())
    }

    fn renews_only(&self) -> bool {
        !self.case.has(Runs::Login) && !self.case.has(Runs::Logout)
    }

    pub(super) fn may_end_so(&self, state: &State, index: usize, turn: u32) -> Checked {
        let process = &state.processes[index];
        check(process.holds == [false; 2], Property::LocksAreGivenBack, || format!("it holds {:?}", process.holds))?;
        match self.catalogue.ending(turn).expect("it has ended") {
            Ending::Token { token, expires_at, refreshed, warnings } => {
                let durable = self.durable(state).is_some_and(|kept| kept >= token.generation);
                let said = warnings.iter().any(|code| code == "not_saved");
                check(!refreshed || durable || said || !self.renews_only(), Property::SavedBeforeUse, || {
                    format!("the access token of {} is handed out", token.text())
                })?;
                check(*expires_at > state.now || process.overtaken, Property::EndsWell, || {
                    format!("the access token of {} is handed out and has expired", token.text())
                })
            }
            Ending::Login | Ending::Logout { .. } => Ok(()),
            Ending::Failed { code, required, misused } => {
                self.may_fail_so(process, code, *misused)?;
                required.map_or(Ok(()), |reason| self.login_is_required(state, reason))
            }
        }
    }

    fn may_fail_so(&self, process: &Process, code: &str, misused: bool) -> Checked {
        let budget = &self.case.budget;
        check(!misused, Property::EndsWell, || format!("it ends with `{code}`"))?;
        let faultless = budget.is_faultless() && self.renews_only();
        check(!faultless, Property::EndsWell, || format!("nothing went wrong, and it ends with `{code}`"))?;
        let cancelled = code == "cancelled" && budget.cancellations > 0;
        let good = process.runs == Runs::EarlyToken && budget.hours == 0 && self.renews_only();
        check(!good || cancelled || budget.store_failures > 0, Property::EndsWell, || {
            format!("the access token was still good, and it ends with `{code}`")
        })
    }

    fn login_is_required(&self, state: &State, reason: LoginRequired) -> Checked {
        match reason {
            LoginRequired::NotLoggedIn => {
                check(self.case.has(Runs::Logout), Property::LoginOnlyWhenNeeded, || "nobody has signed out".to_owned())
            }
            LoginRequired::AnotherAccount => {
                check(!self.renews_only(), Property::LoginOnlyWhenNeeded, || "nobody else has signed in".to_owned())
            }
            _ if self.case.has(Runs::Login) => Ok(()),
            _ => {
                let good = self.renewable(state);
                check(good.is_none(), Property::LoginOnlyWhenNeeded, || {
                    format!(
                        "it ends with {reason:?} although the server would take {}",
                        good.unwrap_or_default().text()
                    )
                })?;
                let known = self.renews_only() && self.case.tolerates != Some(Property::LossIsNamed);
                check(!known || reason == LoginRequired::RotationLost, Property::LossIsNamed, || {
                    format!("nobody else was there, and it ends with {reason:?}")
                })
            }
        }
    }

    /// A stored refresh token that the server would take, where anybody is signed in.
    fn renewable(&self, state: &State) -> Option<Token> {
        if state.slots[..2].iter().all(|slot| slot.shown == 0) {
            return None;
        }
        let stored = state.slots[..4].iter().flat_map(|slot| self.catalogue.tokens(slot.shown));
        stored.copied().find(|token| state.family(token.family).takes(token.generation, self.case.reuse, state.now))
    }

    /// Everybody has ended, and nothing is on its way.
    pub(super) fn at_rest(&mut self, state: &State) -> Checked {
        let budget = self.case.budget;
        let done = state.active().all(|index| {
            let process = &state.processes[index];
            process.done || !matches!(process.runs, Runs::Login | Runs::Logout)
        });
        let recorded: Vec<Token> =
            state.slots[..2].iter().flat_map(|slot| self.catalogue.tokens(slot.shown)).copied().collect();
        if self.case.has(Runs::Logout) && !self.case.has(Runs::Login) && done {
            check(recorded.is_empty(), Property::LastWordStands, || format!("{recorded:?} is there after a logout"))?;
        }
        if self.case.has(Runs::Login) && !self.case.has(Runs::Logout) && done {
            let stands = recorded.iter().all(|token| token.family > 0) && self.renewable(state).is_some();
            check(stands, Property::LastWordStands, || format!("{recorded:?} is there after a login"))?;
        }
        if budget.is_faultless() {
            for (family, number) in state.families.iter().zip(0..) {
                let nobodys = recorded.iter().all(|token| token.family != number);
                let lives = family.is_some_and(|family| family.ended.is_none());
                check(!nobodys || !lives, Property::RevokedWhenOver, || format!("session {number} is nobody's"))?;
            }
            let made = state.family(0).current;
            let one = !self.renews_only() || self.case.has(Runs::Fresh) || budget.hours > 0 || made == 1;
            check(one, Property::OneRequestPerExpiry, || format!("{made} requests were made"))?;
        }
        self.heals(state)
    }

    /// One more process, somewhat later, when nothing goes wrong any more.
    fn heals(&mut self, rest: &State) -> Checked {
        let mut state = State { now: rest.now + LATER, left: super::Budget::default(), count: 1, ..*rest };
        state.processes[0] = Process::new(Runs::Token);
        let alive = self.renewable(&state);
        let go =
            |next: Next| next.map_err(|broken| Violation { detail: format!("later, {}", broken.detail), ..broken });
        state = go(self.begin(state, 0))?;
        while !state.all_ended() {
            check(self.actions(&state).contains(&Action::Goes(0)), Property::NobodyIsStuck, || "it waits".to_owned())?;
            state = go(self.apply(&state, Action::Goes(0)))?;
        }
        let ending = self.last.clone().expect("it has ended");
        let signed_in = match &ending {
            Ending::Token { token, .. } => state.family(token.family).ended.is_none(),
            _ => false,
        };
        let told = matches!(ending, Ending::Failed { required: Some(_), .. } | Ending::Token { .. });
        check(signed_in || (alive.is_none() && told), Property::Heals, || format!("it ends with {ending:?}"))
    }
}
