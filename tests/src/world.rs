//! The simulated world: every effect performed once more, over a virtual clock, store, network and person.
//!
//! A scenario sets up a [`World`], runs flows in it, and looks at what became of it. Every turn of every flow
//! is checked on the way: the machine survives JSON, it answers every event, it gives back what it holds, and
//! no secret shows.

mod checks;
mod network;
mod others;
mod person;
mod samples;
mod store;

use hallpass::authorization_server::{AuthorizationServer, Options};
use hallpass_core::{
    Command, Configuration, Effect, EnforceRequest, Enforced, Error, Event, ExportRequest, Flow, HttpRequest, Key,
    Lock, LockFailure, LockTrouble, LoggedIn, LoggedOut, LoginMethod, LoginRequest, LogoutRequest, Machine, Need,
    Outcome, Place, Policy, Provider, Request, Seed, SeedRequest, Seeded, Slot, Status, StatusRequest, Step, Timestamp,
    Token, TokenRequest,
};

pub use network::response;
pub use person::{Person, Way};
pub use samples::events;
pub use store::Store;

use crate::machines::Machines;
use crate::transcript::Recorder;

/// The issuer of the authorization server in this world.
pub const ISSUER: &str = "https://id.example";
/// A part of every secret: what no output may contain.
pub const CANARY: &str = "c4n4ry";
/// When the world begins: 2026-11-24T00:00:00Z.
pub const BEGINNING: i64 = 1_795_478_400_000;

/// A world with one home, one authorization server, one person and one clock.
pub struct World {
    /// The time, which passes when somebody waits.
    pub now: Timestamp,
    /// The authorization server, behind the network.
    pub server: AuthorizationServer,
    /// The stores of the home.
    pub store: Store,
    /// Who signs in.
    pub person: Person,
    /// What flows are configured with.
    pub configuration: Configuration,
    /// The policy that the shell finds whenever it saves; nothing is forbidden where there is none.
    pub managed: Policy,
    /// Every request that was sent, as `POST /token`.
    pub sent: Vec<String>,
    /// Every request whole, for looking at the wire.
    pub requests: Vec<HttpRequest>,
    /// What a person would have read in the log.
    pub log: Vec<String>,
    /// How far this machine's clock is ahead of the server's, in milliseconds.
    pub clock_error: i64,
    /// Whether answers carry a `Date`.
    pub dates: bool,
    /// Leaves out what is checked at every turn, for tests that run very many flows.
    pub unchecked: bool,
    /// What becomes of the next commands that are run.
    pub commands: Vec<Event>,
    /// The commands that were run.
    pub ran: Vec<Command>,
    /// Locks that others hold.
    pub busy: Vec<Lock>,
    /// What is wrong with every lock.
    pub lock_trouble: Option<LockTrouble>,
    /// Whether this machine can keep keys that tokens are bound to.
    pub makes_keys: bool,
    /// The effect, counted from 0 within a flow, at which the person gives up.
    pub cancel_at: Option<usize>,
    scripted: Vec<(String, Event)>,
    locks: Vec<Lock>,
    meanwhile: Option<others::Meanwhile>,
    misleads: Option<fn(&Effect) -> bool>,
    flows: u8,
    keys: u8,
}

impl World {
    /// A world in which people sign in with OpenAI's dialect.
    pub fn openai() -> Self {
        Self::with(Provider::openai().at(ISSUER))
    }

    /// A world in which people sign in with a standard provider, found by discovery.
    pub fn standard() -> Self {
        let provider = Provider { client_id: "hallpass".to_owned(), ..Provider::discovered(ISSUER, "hallpass") };
        Self::with(provider)
    }

    /// A world with this provider.
    pub fn with(provider: Provider) -> Self {
        let mut options = Options::new(ISSUER, [9; 32]);
        CANARY.clone_into(&mut options.canary);
        Self {
            now: Timestamp::from_milliseconds(BEGINNING),
            server: AuthorizationServer::new(options),
            store: Store::default(),
            person: Person::default(),
            configuration: Configuration {
                home: hallpass_core::Home { path: "/home/ada/.codex".to_owned(), machine: "m1".to_owned() },
                ..Configuration::new(provider)
            },
            managed: Policy::default(),
            sent: Vec::new(),
            requests: Vec::new(),
            log: Vec::new(),
            clock_error: 0,
            dates: false,
            unchecked: false,
            commands: Vec::new(),
            ran: Vec::new(),
            busy: Vec::new(),
            lock_trouble: None,
            makes_keys: true,
            keys: 0,
            cancel_at: None,
            scripted: Vec::new(),
            locks: Vec::new(),
            meanwhile: None,
            misleads: None,
            flows: 0,
        }
    }

    /// Runs a flow to its end.
    ///
    /// # Errors
    /// As the flow ends.
    ///
    /// # Panics
    /// When a turn breaks a rule that holds for all of them.
    pub fn run(&mut self, request: Request) -> Result<Outcome, Error> {
        self.turns(request, None)
    }

    /// Runs a flow and keeps what was said as a transcript that every build must repeat.
    ///
    /// # Errors
    /// As the flow ends.
    ///
    /// # Panics
    /// When a turn breaks a rule, or the transcript differs from the one that is kept.
    pub fn record(&mut self, name: &str, request: Request) -> Result<Outcome, Error> {
        self.turns(request, Some(name))
    }

    /// An access token, as `hallpass token` gets it.
    ///
    /// # Errors
    /// As the flow ends.
    pub fn token(&mut self, need: Need) -> Result<Token, Error> {
        match self.run(self.token_request(need))? {
            Outcome::Token(token) => Ok(token),
            other => panic!("a token flow ended with {other:?}"),
        }
    }

    /// What a token flow is started with in this world.
    pub fn token_request(&self, need: Need) -> Request {
        Request::Token(TokenRequest { configuration: self.configuration.clone(), need })
    }

    /// A token that is good for five minutes.
    ///
    /// # Errors
    /// As the flow ends.
    pub fn usable(&mut self) -> Result<Token, Error> {
        self.token(Need::Usable { minimum_lifetime: 300_000 })
    }

    /// Signs Ada in, in a browser.
    ///
    /// # Panics
    /// When that does not work.
    pub fn login(&mut self) -> LoggedIn {
        self.log_in(LoginMethod::Browser).expect("the login works")
    }

    /// Signs in, however the scenario says.
    ///
    /// # Errors
    /// As the flow ends.
    pub fn log_in(&mut self, method: LoginMethod) -> Result<LoggedIn, Error> {
        let request = self.login_request(method);
        match self.run(Request::Login(request))? {
            Outcome::Login(login) => Ok(login),
            other => panic!("a login ended with {other:?}"),
        }
    }

    /// What a login is started with in this world.
    pub fn login_request(&self, method: LoginMethod) -> LoginRequest {
        LoginRequest { configuration: self.configuration.clone(), method, store: None, client_secret: None }
    }

    /// Signs out.
    ///
    /// # Errors
    /// As the flow ends.
    pub fn log_out(&mut self, local: bool) -> Result<LoggedOut, Error> {
        let request = LogoutRequest { configuration: self.configuration.clone(), local };
        match self.run(Request::Logout(request))? {
            Outcome::Logout(logout) => Ok(logout),
            other => panic!("a logout ended with {other:?}"),
        }
    }

    /// Who is signed in.
    ///
    /// # Errors
    /// As the flow ends.
    pub fn status(&mut self, check: bool) -> Result<Status, Error> {
        let request = StatusRequest { configuration: self.configuration.clone(), check };
        match self.run(Request::Status(request))? {
            Outcome::Status(status) => Ok(status),
            other => panic!("a status ended with {other:?}"),
        }
    }

    /// Hands a seed in.
    ///
    /// # Errors
    /// As the flow ends.
    pub fn seed(&mut self, record: &str) -> Result<Seeded, Error> {
        match self.run(self.seed_request(record))? {
            Outcome::Seed(seeded) => Ok(seeded),
            other => panic!("a seeding ended with {other:?}"),
        }
    }

    /// What a seeding is started with in this world.
    pub fn seed_request(&self, record: &str) -> Request {
        Request::Seed(SeedRequest { configuration: self.configuration.clone(), record: record.into(), store: None })
    }

    /// Hands the record out, or only one that has changed.
    ///
    /// # Errors
    /// As the flow ends.
    pub fn export(&mut self, if_changed: bool) -> Result<Option<String>, Error> {
        let request = ExportRequest { configuration: self.configuration.clone(), if_changed };
        match self.run(Request::Export(request))? {
            Outcome::Export(exported) => Ok(exported.record.map(|record| record.expose().to_owned())),
            other => panic!("an export ended with {other:?}"),
        }
    }

    /// Deletes what must not be used here.
    ///
    /// # Errors
    /// As the flow ends.
    pub fn enforce(&mut self) -> Result<Enforced, Error> {
        let request = EnforceRequest { configuration: self.configuration.clone() };
        match self.run(Request::Enforce(request))? {
            Outcome::Enforce(enforced) => Ok(enforced),
            other => panic!("enforcing ended with {other:?}"),
        }
    }

    /// What this machine's clock says.
    pub fn told(&self) -> Timestamp {
        self.now.plus(self.clock_error)
    }

    /// Lets time pass.
    pub fn wait(&mut self, milliseconds: i64) {
        self.now = self.now.plus(milliseconds);
    }

    fn turns(&mut self, request: Request, name: Option<&str>) -> Result<Outcome, Error> {
        self.flows = self.flows.wrapping_add(1);
        let seed = [self.flows; 32];
        let mut recorder = name.map(|name| Recorder::start(name, &request, self.told(), seed));
        let mut step = Flow::start(request, self.told(), Seed::new(seed));
        for turn in 0.. {
            assert!(turn < 10_000, "the flow does not end");
            let (machine, effect) = match step {
                Step::Perform { machine, effect, log } => {
                    self.log.extend(log.into_iter().map(|line| line.message));
                    (machine, effect)
                }
                Step::Done(result) => {
                    if let Some(recorder) = recorder {
                        recorder.finish();
                    }
                    assert!(self.locks.is_empty(), "the flow ended and holds {:?}", self.locks);
                    checks::shows_nothing(&result, &self.log);
                    return result;
                }
            };
            if !self.unchecked {
                checks::survives_json(&machine);
                checks::answers_every_event(&machine, &effect, self.told(), &self.locks);
            }
            self.happens_meanwhile(&effect);
            let is_misled = self.is_misled(&effect);
            let event = self.perform(effect, turn);
            let event = if is_misled { Event::Presented } else { event };
            if let Some(recorder) = &mut recorder {
                recorder.step(self.told(), &event);
            }
            let before = machine.states();
            step = machine.step(self.told(), event);
            match &step {
                Step::Perform { machine, .. } => Machines::of_core().follow(&before, &machine.states()),
                Step::Done(Ok(_)) => Machines::of_core().end(&before),
                Step::Done(Err(_)) => {}
            }
        }
        unreachable!("the loop ends by returning")
    }

    fn perform(&mut self, effect: Effect, turn: usize) -> Event {
        // As in a shell: what can be interrupted next is told so, and nothing after that.
        if effect.is_interruptible() && self.cancel_at.take_if(|at| turn >= *at).is_some() {
            return Event::Cancelled;
        }
        match effect {
            Effect::Http(request) => self.send(request),
            // New for each login.
            Effect::Load(Slot::NewProof) => {
                self.keys += u8::from(self.makes_keys);
                let made = self.makes_keys.then(|| crate::key::jwk(99 + self.keys));
                if let Some(jwk) = &made {
                    self.store.put(Slot::NewProof, jwk.expose());
                }
                Event::Loaded(made)
            }
            Effect::Load(slot) => self.store.load(slot),
            Effect::Save { slot: slot @ Slot::Proof(_), contents } => {
                let places = [Place::File, Place::Keyring, Place::Ephemeral].map(Slot::Proof);
                let holds =
                    |slot| self.store.get(slot).is_some_and(|keys| keys.lines().any(|key| key == contents.expose()));
                assert!([Slot::NewProof].into_iter().chain(places).any(holds), "a shell keeps only keys that it has");
                let before = self.store.get(slot).and_then(|keys| keys.lines().next()).unwrap_or_default();
                let keys = format!("{}\n{before}", contents.expose());
                let saved = self.store.save(slot, keys.into());
                if saved == Event::Saved {
                    self.store.take(Slot::NewProof);
                }
                saved
            }
            Effect::Save { slot, contents } => match self.managed.permits_save(slot, &contents) {
                Ok(()) => self.store.save(slot, contents),
                Err(failure) => Event::StoreFailed(failure),
            },
            Effect::Remove(slot) => self.store.remove(slot),
            Effect::Reserve { place, intent, size } => {
                assert!(intent.len() < size as usize, "there is room for an answer");
                let slot = Slot::Parked(place);
                if let Err(failure) = self.managed.permits_save(slot, &intent) {
                    return Event::StoreFailed(failure);
                }
                match self.store.save(slot, intent) {
                    Event::Saved => Event::Reserved,
                    failed => failed,
                }
            }
            Effect::Lock { lock, deadline } => self.lock(lock, deadline),
            Effect::Unlock(lock) => {
                assert_eq!(self.locks.pop(), Some(lock), "locks are given back in reverse order");
                Event::Unlocked
            }
            Effect::Sleep { milliseconds } => {
                self.wait(i64::try_from(milliseconds).expect("a sleep is not that long"));
                self.person.enters_code(&mut self.server);
                Event::Slept
            }
            Effect::Listen(listen) => self.person.listen(&listen),
            Effect::Await { until } => {
                let event = self.person.answers(&mut self.server, self.now);
                self.now = if event == Event::TimedOut { until.plus(-self.clock_error) } else { self.now };
                event
            }
            Effect::Reply(page) => self.person.sees(page),
            Effect::Present(prompt) => self.person.reads(prompt),
            Effect::Run(command) => {
                self.ran.push(command);
                let missing = || Event::RunFailed { detail: "the command is not found in PATH".to_owned() };
                if self.commands.is_empty() { missing() } else { self.commands.remove(0) }
            }
            Effect::Sign { key, algorithm, input } => {
                let public = match &key {
                    Key::Client(_) => return crate::key::sign(&key, &algorithm, &input),
                    Key::Proof { place, public } => {
                        let keys = self.store.get(Slot::Proof(*place)).unwrap_or_default();
                        keys.lines().find(|key| key == public)
                    }
                    Key::NewProof => self.store.get(Slot::NewProof),
                };
                crate::key::prove(public.unwrap_or_default(), &algorithm, &input)
            }
        }
    }

    fn lock(&mut self, lock: Lock, deadline: u64) -> Event {
        if let Some(kind) = self.lock_trouble {
            return Event::LockFailed(LockFailure { kind, detail: "/home/ada/.codex".to_owned() });
        }
        if self.busy.contains(&lock) {
            self.wait(i64::try_from(deadline).expect("a deadline is not that far"));
            let detail = "/home/ada/.codex: held by process 1".to_owned();
            return Event::LockFailed(LockFailure { kind: LockTrouble::Busy, detail });
        }
        assert!(!self.locks.contains(&lock), "a flow never waits for itself");
        self.locks.push(lock);
        Event::Locked
    }
}
