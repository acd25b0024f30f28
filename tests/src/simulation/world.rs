//! The world of one life: its clock, its processes, and what happens next.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use hallpass_core::{
    Effect, Event, Flow, LoginMethod, LoginRequest, Machine, Need, Request, Secret, Seed, Step, Timestamp, TokenRequest,
};

use super::locks::Locks;
use super::plan::Plan;
use super::random::Random;
use super::store::Store;
use crate::exhaustive::{BEGINNING, Family, Token, access_token_in, configuration};

/// What a life was made of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Flows that asked for a token and came to their end.
    pub flows: u64,
    /// Refresh tokens that the server has exchanged.
    pub refreshes: u64,
    /// Requests that carried a refresh token.
    pub sent: u64,
    /// Turns of machines.
    pub turns: u64,
    /// Logins, the first one included.
    pub logins: u64,
    /// Processes that died.
    pub deaths: u64,
    /// Losses of power.
    pub power_losses: u64,
    /// Store operations that failed.
    pub store_failures: u64,
    /// Requests whose answer never came.
    pub unanswered: u64,
    /// Milliseconds that passed.
    pub time: u64,
}

/// Something that is going to happen.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    Begin(usize),
    /// The next part of what a process does, if it is still at it.
    Next {
        process: usize,
        serial: u32,
        part: Part,
    },
    /// A request arrives at the server, whoever still waits for it.
    Arrives {
        process: usize,
        serial: u32,
        token: Token,
        fate: super::requests::Fate,
        deadline: i64,
    },
    PowerFails,
}

/// A part of an effect.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Starts,
    Ends(Event),
    Syncs(Event),
    /// The wait for a lock is over.
    GivesUp,
}

/// A process.
#[derive(Clone, Debug, Default)]
pub(super) struct Process {
    /// Its machine, and what it has asked for.
    pub(super) turn: Option<(Box<Flow>, Effect)>,
    /// Counts what it was told; what was meant for an earlier turn does not reach it.
    pub(super) serial: u32,
    pub(super) sending: Option<Token>,
    pub(super) carries: Option<Token>,
    pub(super) buries: Option<Token>,
    pub(super) began: i64,
    /// For how long it was stopped since.
    pub(super) stopped: i64,
    /// The access token that it got last.
    pub(super) holds: Option<Secret>,
    /// How its last flow ended.
    pub(super) ended: Option<super::checks::Ended>,
    pub(super) is_login: bool,
}

/// One life.
pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) random: Random,
    /// The true time, in milliseconds since the Unix epoch.
    pub(super) now: i64,
    /// By how much this machine's clock is wrong.
    pub(super) offset: i64,
    pub(super) chaos: bool,
    /// Everybody asks for the last time.
    pub(super) last: bool,
    /// Nothing that was done in chaos counts any more.
    pub(super) calm: bool,
    pub(super) processes: Vec<Process>,
    pub(super) store: Store,
    pub(super) locks: Locks,
    pub(super) families: Vec<Family>,
    /// When the access token that was issued last expires.
    pub(super) expires_at: i64,
    pub(super) knowledge: super::checks::Knowledge,
    pub(super) counts: Counts,
    /// The store operation that fails, counted from here, if one does.
    pub(super) fails_at: Option<super::effects::Stumble>,
    pub(super) broken: Option<String>,
    pub(super) transcript: Option<Vec<String>>,
    queue: BTreeMap<(i64, u64), Happening>,
    order: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.flows += other.flows;
        self.refreshes += other.refreshes;
        self.sent += other.sent;
        self.turns += other.turns;
        self.logins += other.logins;
        self.deaths += other.deaths;
        self.power_losses += other.power_losses;
        self.store_failures += other.store_failures;
        self.unanswered += other.unanswered;
        self.time += other.time;
    }
}

/// No flow takes longer than this, but for the time that it was stopped.
const LONGEST: i64 = 300_000;

impl World {
    pub(super) fn new(plan: Plan, random: Random, told: bool) -> Self {
        Self {
            processes: vec![Process::default(); plan.processes],
            plan,
            random,
            now: BEGINNING,
            offset: 0,
            chaos: false,
            last: false,
            calm: false,
            store: Store::default(),
            locks: Locks::default(),
            families: Vec::new(),
            expires_at: BEGINNING,
            knowledge: super::checks::Knowledge::default(),
            counts: Counts::default(),
            fails_at: None,
            broken: None,
            transcript: told.then(Vec::new),
            queue: BTreeMap::new(),
            order: 0,
        }
    }

    /// Lets something happen in so many milliseconds.
    pub(super) fn later(&mut self, delay: i64, happening: Happening) {
        self.order += 1;
        self.queue.insert((self.now + delay, self.order), happening);
    }

    /// Lets everything happen until nobody does anything any more.
    pub(super) fn run(&mut self) {
        while let Some(((time, _), happening)) = self.queue.pop_first() {
            self.now = self.now.max(time);
            self.happen(happening);
            if self.broken.is_some() {
                return;
            }
        }
        if let Some(stuck) = self.processes.iter().position(|process| process.turn.is_some()) {
            self.fail(format!("process {stuck} waits for ever"));
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Begin(process) => {
                if self.processes[process].turn.is_none() {
                    self.begin(process);
                }
            }
            Happening::Next { process, serial, part } => {
                if self.processes[process].serial == serial && self.processes[process].turn.is_some() {
                    self.go_on(process, part);
                }
            }
            Happening::Arrives { process, serial, token, fate, deadline } => {
                self.arrives(process, serial, token, fate, deadline);
            }
            Happening::PowerFails => {
                self.counts.power_losses += 1;
                self.tell_tale(|| "the power fails".to_owned());
                for process in 0..self.processes.len() {
                    self.kill(process);
                }
                self.store.lose_power(&mut self.random);
                self.nothing_saved_is_lost();
                self.forget();
            }
        }
    }

    fn begin(&mut self, process: usize) {
        let configuration = configuration(self.plan.store);
        let held = self.processes[process].holds.clone();
        let need = match (self.random.below(20), held) {
            // Who comes with a token that has expired is answered with a 401, whatever this machine's clock has made
            // of it.
            (_, Some(rejected)) if !self.chaos && self.has_expired(&rejected) => Need::Replacement { rejected },
            (0, Some(rejected)) if !self.last => Need::Replacement { rejected },
            (1, _) if self.chaos => Need::Fresh,
            _ => Need::Usable { minimum_lifetime: 300_000 },
        };
        self.start(process, Request::Token(TokenRequest { configuration, need }), false);
    }

    fn has_expired(&self, access_token: &Secret) -> bool {
        access_token_in(access_token.expose()).is_none_or(|(_, expires_at)| expires_at <= self.now)
    }

    /// Somebody signs in, while nobody does anything else.
    pub(super) fn log_in(&mut self) {
        self.counts.logins += 1;
        let chaos = std::mem::replace(&mut self.chaos, false);
        let configuration = configuration(self.plan.store);
        let method = LoginMethod::DeviceCode;
        let request = LoginRequest { configuration, method, store: None, client_secret: None };
        self.start(0, Request::Login(request), true);
        self.run();
        self.chaos = chaos;
    }

    fn start(&mut self, process: usize, request: Request, is_login: bool) {
        let seed = Seed::new(self.random.bytes());
        let step = Flow::start(request, self.wall(), seed);
        let runner = &mut self.processes[process];
        *runner = Process {
            serial: runner.serial + 1,
            began: self.now,
            is_login,
            holds: runner.holds.take(),
            ..Process::default()
        };
        self.tell_tale(|| format!("{process} begins"));
        self.turn(process, step);
    }

    /// What this machine's clock says.
    pub(super) fn wall(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.now + self.offset)
    }

    /// Tells a machine what happened.
    pub(super) fn tell(&mut self, process: usize, event: Event) {
        let runner = &mut self.processes[process];
        runner.serial += 1;
        let Some((machine, effect)) = runner.turn.take() else { return };
        self.counts.turns += 1;
        self.tell_tale(|| format!("{process}: {effect:?} -> {}", event.name()));
        let step = machine.step(self.wall(), event);
        self.turn(process, step);
    }

    fn turn(&mut self, process: usize, step: Step<Flow>) {
        match step {
            Step::Perform { machine, effect, .. } => {
                self.processes[process].turn = Some((machine, effect));
                self.boundary(process, 0, Part::Starts);
            }
            Step::Done(result) => {
                let runner = &self.processes[process];
                let took = self.now - runner.began - runner.stopped;
                if took > LONGEST {
                    self.fail(format!("process {process} took {took} ms"));
                }
                self.ends(process, &result);
            }
        }
    }

    /// A process is between two parts of what it does: here it may die or be stopped.
    pub(super) fn boundary(&mut self, process: usize, delay: i64, part: Part) {
        let mut delay = delay + self.random.milliseconds(3);
        if self.chaos && !self.processes[process].is_login {
            if self.random.happens(self.plan.faults.crash) {
                self.tell_tale(|| format!("{process} dies"));
                self.counts.deaths += 1;
                self.kill(process);
                self.forget();
                if self.random.below(5) > 0 {
                    let pause = self.random.milliseconds(5_000);
                    self.later(pause, Happening::Begin(process));
                }
                return;
            }
            if self.random.happens(self.plan.faults.suspend) {
                let pause = 60_000 + self.random.milliseconds(8 * 3_600_000);
                self.processes[process].stopped += pause;
                delay += pause;
            }
        }
        let serial = self.processes[process].serial;
        self.later(delay, Happening::Next { process, serial, part });
    }

    /// A process dies: its locks are free, and what it knew is gone.
    fn kill(&mut self, process: usize) {
        let runner = &mut self.processes[process];
        let dead = std::mem::take(runner);
        runner.serial = dead.serial + 1;
        runner.holds = dead.holds;
        for token in [dead.sending, dead.buries].into_iter().flatten() {
            self.knowledge.is_open(token);
        }
        for next in self.locks.bury(process, &mut self.random) {
            self.boundary(next, 0, Part::Ends(Event::Locked));
        }
    }

    pub(super) fn fail(&mut self, what: String) {
        self.tell_tale(|| format!("BROKEN: {what}"));
        self.broken.get_or_insert(what);
    }

    /// Adds a line to the transcript, if there is to be one.
    pub(super) fn tell_tale(&mut self, line: impl FnOnce() -> String) {
        if let Some(transcript) = &mut self.transcript {
            transcript.push(format!("{:>12} {}", self.now - BEGINNING, line()));
        }
    }
}
