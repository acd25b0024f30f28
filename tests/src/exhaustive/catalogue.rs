//! Every turn of a machine and every text that occurs, each under a number.
//!
//! A machine is a value and its step a function, so what it answers to one event is worked out once and looked up
//! from then on. It is the production machine that works it out.

use std::collections::HashMap;

use hallpass_core::{
    Error, Flow, LoginMethod, LoginRequest, LoginRequired, LogoutRequest, Machine, Need, Outcome, Request, Secret,
    Seed, Step, Timestamp, TokenOrigin, TokenRequest,
};

use super::asking::{Answer, Ask, ask, event};
use super::setting::{BEGINNING, configuration};
use super::{Case, LIFETIME, Quick, Runs, Token, access_token_in, refresh_tokens_in};

/// How a flow ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Ending {
    Token { token: Token, expires_at: i64, refreshed: bool, warnings: Vec<String> },
    Login,
    Logout { clean: bool },
    Failed { code: &'static str, required: Option<LoginRequired>, misused: bool },
}

/// What is known about a turn.
struct Turn {
    step: Step<Flow>,
    ask: Ask,
    ending: Option<Ending>,
}

/// The numbers of turns and texts.
pub(super) struct Catalogue {
    case: Case,
    turns: Vec<Turn>,
    turn_numbers: HashMap<Step<Flow>, u32, Quick>,
    texts: Vec<(String, Vec<Token>)>,
    text_numbers: HashMap<String, u32, Quick>,
    steps: HashMap<(u32, Answer, i64), u32, Quick>,
    starts: HashMap<(Runs, i64, u8), u32, Quick>,
}

impl Catalogue {
    pub(super) fn new(case: &Case) -> Self {
        let mut catalogue = Self {
            case: case.clone(),
            turns: Vec::new(),
            turn_numbers: HashMap::default(),
            texts: Vec::new(),
            text_numbers: HashMap::default(),
            steps: HashMap::default(),
            starts: HashMap::default(),
        };
        // 0 is an empty slot, and a process that has ended.
        catalogue.text("");
        catalogue.number(Step::Done(Err(LoginRequired::NotLoggedIn.into())));
        catalogue
    }

    /// How many turns there are, and how often a machine was stepped.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.turns.len(), self.steps.len())
    }

    pub(super) fn ask(&self, turn: u32) -> Ask {
        self.turns[turn as usize].ask
    }

    /// Whether a person may give up here.
    pub(super) fn is_interruptible(&self, turn: u32) -> bool {
        match &self.turns[turn as usize].step {
            Step::Perform { effect, .. } => effect.is_interruptible(),
            Step::Done(_) => false,
        }
    }

    pub(super) fn ending(&self, turn: u32) -> Option<&Ending> {
        self.turns[turn as usize].ending.as_ref()
    }

    pub(super) fn text(&mut self, text: &str) -> u32 {
        if let Some(number) = self.text_numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).expect("there are not that many");
        self.texts.push((text.to_owned(), refresh_tokens_in(text)));
        self.text_numbers.insert(text.to_owned(), number);
        number
    }

    /// The refresh tokens in a text.
    pub(super) fn tokens(&self, text: u32) -> &[Token] {
        &self.texts[text as usize].1
    }

    /// The newest generation of a session in a text.
    pub(super) fn newest(&self, text: u32, family: u16) -> Option<u16> {
        self.tokens(text).iter().filter(|token| token.family == family).map(|token| token.generation).max()
    }

    pub(super) fn contents(&self, text: u32) -> &str {
        &self.texts[text as usize].0
    }

    /// Begins what a process runs. `rejected` is the access token that a 401 was about. Processes that run the same
    /// with the same `entropy` are interchangeable.
    pub(super) fn start(&mut self, runs: Runs, now: i64, entropy: u8, rejected: &str) -> u32 {
        if let Some(number) = self.starts.get(&(runs, now, entropy)) {
            return *number;
        }
        let request = request(&self.case, runs, rejected);
        let step = Flow::start(request, Timestamp::from_milliseconds(now), Seed::new([entropy; 32]));
        let number = self.number(step);
        self.starts.insert((runs, now, entropy), number);
        number
    }

    /// Tells the machine of this turn what happened.
    pub(super) fn step(&mut self, turn: u32, answer: Answer, now: i64) -> u32 {
        if let Some(number) = self.steps.get(&(turn, answer, now)) {
            return *number;
        }
        let Step::Perform { machine, .. } = self.turns[turn as usize].step.clone() else {
            panic!("a flow that has ended is told {answer:?}")
        };
        let happened = event(answer, self.case.style, |text| self.contents(text).to_owned());
        let step = machine.step(Timestamp::from_milliseconds(now), happened);
        let number = self.number(step);
        self.steps.insert((turn, answer, now), number);
        number
    }

    fn number(&mut self, step: Step<Flow>) -> u32 {
        if let Some(number) = self.turn_numbers.get(&step) {
            return *number;
        }
        let number = u32::try_from(self.turns.len()).expect("there are not that many");
        let (ask, ending) = match &step {
            Step::Perform { effect, .. } => (ask(effect, |text| self.text(text)), None),
            Step::Done(result) => (Ask::Nothing, Some(ending(result))),
        };
        self.turns.push(Turn { step: step.clone(), ask, ending });
        self.turn_numbers.insert(step, number);
        number
    }
}

fn ending(result: &Result<Outcome, Error>) -> Ending {
    match result {
        Ok(Outcome::Token(token)) => {
            let (named, expires_at) = access_token_in(token.access_token.expose()).expect("the server has minted it");
            Ending::Token {
                token: named,
                expires_at,
                refreshed: token.origin == TokenOrigin::Refreshed,
                warnings: token.warnings.iter().map(|warning| warning.code.clone()).collect(),
            }
        }
        Ok(Outcome::Logout(logout)) => Ending::Logout { clean: logout.failures.is_empty() },
        Ok(Outcome::Login(_)) => Ending::Login,
        Ok(
            outcome @ (Outcome::Status(_)
            | Outcome::Seed(_)
            | Outcome::Export(_)
            | Outcome::Proof(_)
            | Outcome::Role(_)
            | Outcome::Enforce(_)),
        ) => {
            panic!("nobody asks for {outcome:?}")
        }
        Err(error) => Ending::Failed {
            code: error.code(),
            required: match error {
                Error::LoginRequired(reason) => Some(*reason),
                _ => None,
            },
            misused: matches!(error, Error::Misused(_) | Error::Misbehaved(_) | Error::Refused(_)),
        },
    }
}

fn request(case: &Case, runs: Runs, rejected: &str) -> Request {
    let configuration = configuration(case.store);
    match runs {
        Runs::Token | Runs::EarlyToken => {
            Request::Token(TokenRequest { configuration, need: Need::Usable { minimum_lifetime: 300_000 } })
        }
        Runs::Fresh => Request::Token(TokenRequest { configuration, need: Need::Fresh }),
        Runs::Replacement => {
            Request::Token(TokenRequest { configuration, need: Need::Replacement { rejected: Secret::new(rejected) } })
        }
        Runs::Login => {
            let method = LoginMethod::DeviceCode;
            Request::Login(LoginRequest { configuration, method, store: None, client_secret: None })
        }
        Runs::Logout => Request::Logout(LogoutRequest { configuration, local: false }),
    }
}

/// When the processes begin: the access token has expired, or has six minutes left.
pub(super) fn start_of(case: &Case) -> i64 {
    let early = case.has(Runs::EarlyToken) || case.has(Runs::Replacement);
    BEGINNING + if early { LIFETIME - 360_000 } else { LIFETIME + 1_000 }
}
