//! Tokens that are minted anew rather than refreshed: nothing of them is stored, and no session stands behind them.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

mod issuing;
mod memory;
mod plan;

use issuing::{Answer, Issuing};
use memory::{Entry, Memory, Minted, Verdict};
pub(crate) use plan::Plan;

use crate::claims::Claims;
use crate::{
    Configuration, Effect, Error, Event, Local, Lock, LogLine, Machine, Misused, Need, Report, Seed, Slot, Step,
    Timestamp, Token, TokenOrigin, may_hold, unexpected,
};

/// How long another flow of this process is waited for, in milliseconds, beyond what a command may take.
const PATIENCE: u64 = 120_000;

/// Hands out the token that this process remembers, or has a new one minted: one at a time in a process.
///
/// - `Recalling` → `Loaded` → done with what is good, or `Locking`
/// - `Locking`   → `Locked` → `Looking` · `LockFailed` → done
/// - `Looking`   → `Loaded` → `Unlocking` with what another flow has minted, or `Issuing`
/// - `Issuing`   → (issuing) → `Noting`
/// - `Noting`    → any event → `Unlocking`
/// - `Unlocking` → any event → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Minting {
    configuration: Configuration,
    need: Need,
    seed: Seed,
    plan: Plan,
    state: State,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Recalling,
    Locking,
    Looking,
    Issuing { step: Box<Issuing>, memory: Memory },
    Noting { result: Result<Token, Error> },
    Unlocking { result: Result<Token, Error> },
}

impl Minting {
    pub(crate) fn start(plan: Plan, configuration: Configuration, need: Need, seed: Seed) -> Step<Self> {
        if let Err(error) = plan.check() {
            return Step::Done(Err(error));
        }
        let machine = Self { configuration, need, seed, plan, state: State::Recalling };
        Step::perform(machine, Effect::Load(Slot::Minted))
    }

    fn at(self, state: State) -> Self {
        Self { state, ..self }
    }

    fn lock(self) -> Step<Self> {
        let running = match &self.plan {
            Plan::Command(command) => command.timeout_ms,
            Plan::Grant { .. } => 0,
        };
        let deadline = PATIENCE.saturating_add(running);
        Step::perform(self.at(State::Locking), Effect::Lock { lock: Lock::Minting, deadline })
    }

    fn unlock(self, result: Result<Token, Error>) -> Step<Self> {
        Step::perform(self.at(State::Unlocking { result }), Effect::Unlock(Lock::Minting))
    }

    fn looked(self, memory: Memory, now: Timestamp) -> Step<Self> {
        let entry = memory.of(&self.plan.key());
        match entry.judge(&self.plan, &self.need, now) {
            Verdict::Use(minted) => {
                let token = self.token(&minted, now);
                self.unlock(Ok(token))
            }
            Verdict::Stop(error) => {
                let result = self.or_remembered(&entry, error, now);
                self.unlock(result)
            }
            Verdict::Mint => {
                let step = Issuing::start(self.plan.clone(), &self.configuration, &self.seed, now);
                self.issuing(step, memory, now).logged(LogLine::detail("a token is minted"))
            }
        }
    }

    fn issuing(self, step: Step<Issuing>, memory: Memory, now: Timestamp) -> Step<Self> {
        step.within(
            (self, memory),
            |(machine, memory), step| machine.at(State::Issuing { step, memory }),
            |(machine, memory), result| match result {
                Ok(answer) => machine.answered(answer, memory, now),
                Err(error) => machine.unlock(Err(error)),
            },
        )
    }

    fn answered(self, answer: Answer, mut memory: Memory, now: Timestamp) -> Step<Self> {
        let key = self.plan.key();
        let mut entry = memory.of(&key);
        let result = match answer.result {
            Ok(minted) => self
                .permit(&minted)
                .and_then(|()| entry.minted(minted.clone(), &self.need, now))
                .map(|()| self.token(&minted, now)),
            Err(error) => {
                if counts(&error) {
                    entry.failed(answer.asked, now);
                }
                self.or_remembered(&entry, error, now)
            }
        };
        memory.set(key, entry);
        let effect = Effect::Save { slot: Slot::Minted, contents: memory.text() };
        Step::perform(self.at(State::Noting { result }), effect)
    }

    /// Whether a token of OpenAI is of a workspace that is permitted.
    fn permit(&self, minted: &Minted) -> Result<(), Error> {
        if self.plan.is_command() || !self.configuration.provider.is_openai() {
            return Ok(());
        }
        let claims = Claims::of(&minted.access_token);
        self.configuration.permits_workspace(claims.as_ref().and_then(Claims::workspace))
    }

    /// A new one cannot be had: the old one, where it is known to be good.
    fn or_remembered(&self, entry: &Entry, error: Error, now: Timestamp) -> Result<Token, Error> {
        match entry.make_do(&self.plan, &self.need, now) {
            Some(minted) => {
                let mut token = self.token(&minted, now);
                token.warnings.push(error.report());
                Ok(token)
            }
            None => Err(error),
        }
    }

    fn token(&self, minted: &Minted, now: Timestamp) -> Token {
        let mut warnings = Vec::new();
        if minted.is_short(&self.need, now) {
            warnings.push(Report {
                code: "short_lived".to_owned(),
                message: "the server's tokens do not live as long as was asked for".to_owned(),
                help: None,
            });
        }
        if let Plan::Grant { provider, .. } = &self.plan {
            warnings.extend(self.configuration.ignored_overrides(provider));
        }
        let is_openai = !self.plan.is_command() && self.configuration.provider.is_openai();
        let claims = Claims::of(&minted.access_token).filter(|_| is_openai);
        Token {
            access_token: minted.access_token.clone(),
            token_type: "Bearer".to_owned(),
            expires_at: minted.expires_at,
            account_id: claims.and_then(|claims| claims.workspace().cloned()),
            origin: TokenOrigin::Minted,
            warnings,
        }
    }
}

impl Machine for Minting {
    type Output = Token;

    fn step(mut self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
        match (core::mem::replace(&mut self.state, State::Recalling), event) {
            (State::Recalling, Event::Loaded(text)) => {
                let entry = Memory::parse(text.as_ref()).of(&self.plan.key());
                match entry.judge(&self.plan, &self.need, now) {
                    Verdict::Use(minted) => Step::Done(Ok(self.token(&minted, now))),
                    Verdict::Mint | Verdict::Stop(_) => self.lock(),
                }
            }
            (State::Locking, Event::Locked) => Step::perform(self.at(State::Looking), Effect::Load(Slot::Minted)),
            (State::Locking, Event::LockFailed(failure)) => Step::failed(Local::Lock(failure)),
            (State::Looking, Event::Loaded(text)) => self.looked(Memory::parse(text.as_ref()), now),
            (State::Issuing { step, memory }, event) => self.issuing(step.step(now, event), memory, now),
            // What cannot be remembered is minted again next time.
            (State::Noting { result }, _) => self.unlock(result),
            (State::Unlocking { result }, _) => Step::Done(result),
            (State::Recalling, Event::StoreFailed(failure)) => Step::failed(Local::Store(failure)),
            (State::Looking, Event::StoreFailed(failure)) => self.unlock(Err(Local::Store(failure).into())),
            (State::Looking, event) => self.unlock(Err(unexpected(&event))),
            (State::Locking, event) if may_hold(&event) => self.unlock(Err(unexpected(&event))),
            (_, event) => Step::Done(Err(unexpected(&event))),
        }
    }
}

/// Whether an attempt that failed like this is trouble elsewhere, for which a pause is made. What is wrong here is
/// mended here, and tried again at once.
fn counts(error: &Error) -> bool {
    !matches!(
        error,
        Error::Misused(Misused::Value { .. } | Misused::Variable { .. })
            | Error::Local(Local::IdentityToken { .. } | Local::NoClientSecret)
    )
}
