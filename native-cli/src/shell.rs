//! The native shell: it performs what a machine asks for, on this operating system.

mod cancellation;
mod exchange;
mod person;
mod waiting;

use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hallpass_core::{
    AssumedRole, Effect, EnforceRequest, Enforced, Error, Event, ExportRequest, Exported, Flow, HttpRequest, Listen,
    LoggedIn, LoggedOut, LoginRequest, LogoutRequest, Machine as _, Misused, Outcome, Place, Prompt, Proof,
    ProofRequest, Request, RoleRequest, Secret, Seed, SeedRequest, Seeded, Slot, Status, StatusRequest, Step,
    Timestamp, Token, TokenRequest,
};

pub use cancellation::Cancellation;
pub use exchange::Exchange;
pub use person::{Lines, Nobody, Person};

use crate::listener::Listener;
use crate::lock::Locks;
use crate::log::Log;
use crate::store::Stores;
use crate::{browser, command, http, proof_key, signing};

/// Performs effects: files, locks, keyrings, sockets, browsers and processes of this machine.
///
/// It has one loop, [`Shell::run`], and decides nothing about OAuth.
pub struct Shell {
    stores: Stores,
    locks: Locks,
    log: PathBuf,
    client: Option<http::Client>,
    listener: Option<Listener>,
    person: Box<dyn Person>,
    opener: Opener,
    cancellation: Cancellation,
    sender: Sender<Event>,
    receiver: Receiver<Event>,
    engaged: bool,
    reads_lines: bool,
    /// The answer to a refresh lies in the reserved place.
    is_parked: bool,
}

/// What opens a page for a person.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Opener {
    /// The browser of this desktop, or the one that `$BROWSER` names.
    #[default]
    Desktop,
    /// Nothing: the person is shown the address, and goes there.
    Nothing,
}

impl Shell {
    /// A shell for a home, which needs not exist yet.
    pub fn new(home: PathBuf, person: Box<dyn Person>) -> Self {
        let (sender, receiver) = mpsc::channel();
        let cancellation = Cancellation::new();
        cancellation.wake(sender.clone());
        Self {
            stores: Stores::new(home.clone()),
            log: Log::folder(&home),
            locks: Locks::new(home),
            client: None,
            listener: None,
            person,
            opener: Opener::default(),
            cancellation,
            sender,
            receiver,
            engaged: false,
            reads_lines: false,
            is_parked: false,
        }
    }

    /// Whether a record that belongs in the keyring goes into an encrypted file, and only the key into the keyring: Codex's
    /// `features.secret_auth_storage`.
    pub fn encrypt_record(&mut self, encrypts: bool) {
        self.stores.encrypt_record(encrypts);
    }

    /// Logs in this folder from now on. Without it, that is `log` in the home.
    pub fn set_log(&mut self, folder: PathBuf) {
        self.log = folder;
    }

    /// Speaks with this person from now on.
    pub fn set_person(&mut self, person: Box<dyn Person>) {
        self.person = person;
        (self.engaged, self.reads_lines) = (false, false);
    }

    /// Opens pages with this from now on.
    pub fn set_opener(&mut self, opener: Opener) {
        self.opener = opener;
    }

    /// The handle that stops what this shell runs.
    pub fn cancellation(&self) -> Cancellation {
        self.cancellation.clone()
    }

    /// Where a store keeps credentials: a path, or the name of a keyring entry.
    pub fn location(&self, place: Place) -> String {
        self.stores.location(place)
    }

    /// Runs a flow to its end.
    ///
    /// # Errors
    /// Whatever the flow ends badly with.
    pub fn run(&mut self, request: Request) -> Result<Outcome, Error> {
        self.is_parked = false;
        let mut journal = Log::begin(&self.log, name(&request));
        let mut step = Flow::start(request, now(), seed()?);
        let result = loop {
            match step {
                Step::Perform { machine, effect, log } => {
                    for line in &log {
                        self.person.note(line);
                    }
                    let asked = journal.asked(&effect, &log);
                    let event = self.perform(effect);
                    journal.answered(asked, &event);
                    step = machine.step(now(), event);
                }
                Step::Done(result) => break result,
            }
        };
        journal.ended(&result);
        self.finish();
        result
    }

    /// Gives up what belongs to a flow that has ended: the port that a browser was to come back to.
    pub fn finish(&mut self) {
        self.listener = None;
    }

    /// Signs a person in.
    ///
    /// # Errors
    /// Whatever the flow ends badly with.
    pub fn login(&mut self, request: LoginRequest) -> Result<LoggedIn, Error> {
        match self.run(Request::Login(request))? {
            Outcome::Login(logged_in) => Ok(logged_in),
            other => Err(unexpected(&other)),
        }
    }

    /// Gets an access token.
    ///
    /// # Errors
    /// Whatever the flow ends badly with.
    pub fn token(&mut self, request: TokenRequest) -> Result<Token, Error> {
        match self.run(Request::Token(request))? {
            Outcome::Token(token) => Ok(token),
            other => Err(unexpected(&other)),
        }
    }

    /// Signs out.
    ///
    /// # Errors
    /// Whatever the flow ends badly with.
    pub fn logout(&mut self, request: LogoutRequest) -> Result<LoggedOut, Error> {
        match self.run(Request::Logout(request))? {
            Outcome::Logout(logged_out) => Ok(logged_out),
            other => Err(unexpected(&other)),
        }
    }

    /// Says who is signed in.
    ///
    /// # Errors
    /// Whatever the flow ends badly with.
    pub fn status(&mut self, request: StatusRequest) -> Result<Status, Error> {
        match self.run(Request::Status(request))? {
            Outcome::Status(status) => Ok(status),
            other => Err(unexpected(&other)),
        }
    }

    /// Takes over a record that was handed out by another home.
    ///
    /// # Errors
    /// Whatever the flow ends badly with.
    pub fn seed(&mut self, request: SeedRequest) -> Result<Seeded, Error> {
        match self.run(Request::Seed(request))? {
            Outcome::Seed(seeded) => Ok(seeded),
            other => Err(unexpected(&other)),
        }
    }

    /// Hands out the record.
    ///
    /// # Errors
    /// Whatever the flow ends badly with.
    pub fn export(&mut self, request: ExportRequest) -> Result<Exported, Error> {
        match self.run(Request::Export(request))? {
            Outcome::Export(exported) => Ok(exported),
            other => Err(unexpected(&other)),
        }
    }

    /// Proves that a request comes from the holder of a token.
    ///
    /// # Errors
    /// Whatever the flow ends badly with.
    pub fn proof(&mut self, request: ProofRequest) -> Result<Proof, Error> {
        match self.run(Request::Proof(request))? {
            Outcome::Proof(proof) => Ok(proof),
            other => Err(unexpected(&other)),
        }
    }

    /// Gets keys of Amazon Web Services.
    ///
    /// # Errors
    /// Whatever the flow ends badly with.
    pub fn assume_role(&mut self, request: RoleRequest) -> Result<AssumedRole, Error> {
        match self.run(Request::Role(request))? {
            Outcome::Role(role) => Ok(role),
            other => Err(unexpected(&other)),
        }
    }

    /// Deletes what must not be used here: what is to be done before a tool is started.
    ///
    /// # Errors
    /// Whatever the flow ends badly with.
    pub fn enforce(&mut self, request: EnforceRequest) -> Result<Enforced, Error> {
        match self.run(Request::Enforce(request))? {
            Outcome::Enforce(enforced) => Ok(enforced),
            other => Err(unexpected(&other)),
        }
    }

    /// Performs one effect. It never fails: failing is an event.
    pub fn perform(&mut self, effect: Effect) -> Event {
        self.engage(&effect);
        if effect.is_interruptible() && self.cancellation.take() {
            return Event::Cancelled;
        }
        let cancellation = self.cancellation.clone();
        let interruptible = effect.is_interruptible();
        let cancelled = move || interruptible && cancellation.is_wished();
        let parks = waiting::parks(&effect);
        let event = match effect {
            Effect::Http(request) => self.send(&request, &cancelled),
            Effect::Load(slot @ (Slot::Proof(_) | Slot::NewProof)) => proof_key::load(&mut self.stores, slot),
            Effect::Load(slot) => self.stores.load(slot),
            Effect::Save { slot: Slot::Proof(place), contents } => proof_key::keep(&mut self.stores, place, &contents),
            Effect::Save { slot, contents } => self.stores.save(slot, &contents),
            Effect::Remove(slot) => self.stores.remove(slot),
            Effect::Reserve { place, intent, size } => self.stores.reserve(place, &intent, size),
            Effect::Lock { lock, deadline } => self.lock(lock, deadline, &cancelled),
            Effect::Unlock(lock) => self.locks.unlock(lock),
            Effect::Sleep { milliseconds } => self.sleep(Duration::from_millis(milliseconds)),
            Effect::Listen(listen) => self.listen(&listen),
            Effect::Await { until } => self.wait(until),
            Effect::Reply(page) => self.reply(page),
            Effect::Present(prompt) => self.present(&prompt),
            Effect::Run(order) => command::run(&order, &cancelled),
            Effect::Sign { key, algorithm, input } => proof_key::sign(&mut self.stores, &key, &algorithm, &input)
                .unwrap_or_else(|| signing::sign(&key, &algorithm, &input)),
        };
        if let Some(parks) = parks {
            self.is_parked = parks && matches!(event, Event::Saved | Event::Loaded(Some(_)));
        }
        if matches!(event, Event::Cancelled) {
            self.cancellation.take();
        }
        event
    }

    /// Reads a slot, where that neither waits nor asks anybody; nothing where it would, and [`Self::perform`] does it.
    pub fn load_at_once(&mut self, slot: Slot) -> Option<Event> {
        match slot {
            Slot::Proof(Place::File | Place::Ephemeral) | Slot::NewProof => {
                Some(proof_key::load(&mut self.stores, slot))
            }
            Slot::Proof(Place::Keyring) => None,
            slot => self.stores.load_at_once(slot),
        }
    }

    /// Tells the person's side, once, that from now on it matters how this process ends.
    fn engage(&mut self, effect: &Effect) {
        if !self.engaged && !matches!(effect, Effect::Load(_)) {
            self.engaged = true;
            self.person.engage(&self.cancellation);
        }
    }

    fn send(&mut self, request: &HttpRequest, cancelled: &(dyn Fn() -> bool + Sync)) -> Event {
        let exchange = Exchange::begun(request);
        let event = self.client().send(request, cancelled);
        self.person.exchanged(&exchange.ended(&event));
        event
    }

    /// The client is built by the first request: most runs send none.
    fn client(&mut self) -> &http::Client {
        self.client.get_or_insert_with(|| http::Client::new(http::Settings::from_environment()))
    }

    fn sleep(&self, duration: Duration) -> Event {
        self.cancellation.sleep(duration);
        if self.cancellation.is_wished() { Event::Cancelled } else { Event::Slept }
    }

    fn listen(&mut self, listen: &Listen) -> Event {
        // The old one goes first: it may hold the port.
        self.listener = None;
        match Listener::open(listen, self.sender.clone()) {
            Ok(listener) => {
                let redirect_uri = listener.redirect_uri().to_owned();
                self.listener = Some(listener);
                Event::Listening { redirect_uri }
            }
            Err(detail) => Event::ListenFailed { detail },
        }
    }

    /// Whatever comes first: a request, a line that was typed, the wish to stop, or the end.
    fn wait(&self, until: Timestamp) -> Event {
        loop {
            let left = u64::try_from(until.since(now())).unwrap_or(0);
            match self.receiver.recv_timeout(Duration::from_millis(left)) {
                // A wish that was delivered elsewhere in the meantime.
                Ok(Event::Cancelled) if !self.cancellation.is_wished() => {}
                Ok(event) => return event,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Event::TimedOut,
            }
        }
    }

    fn reply(&mut self, page: hallpass_core::Page) -> Event {
        if let Some(listener) = &mut self.listener {
            listener.reply(page);
        }
        Event::Replied
    }

    fn present(&mut self, prompt: &Prompt) -> Event {
        self.person.present(prompt);
        match prompt {
            Prompt::Browser { authorization_url, .. } => {
                self.open(authorization_url);
                self.read_lines();
            }
            // The browser login is over.
            Prompt::UserCode { .. } => self.listener = None,
        }
        Event::Presented
    }

    fn open(&mut self, url: &Secret) {
        let result = match self.opener {
            Opener::Desktop => browser::open(url.expose(), std::env::var_os("BROWSER").as_deref()),
            Opener::Nothing => Ok(()),
        };
        if let Err(detail) = result {
            self.person.notice(&format!("no browser could be opened: {detail}"));
        }
    }

    fn read_lines(&mut self) {
        if self.reads_lines {
            return;
        }
        let Some(lines) = self.person.lines() else { return };
        self.reads_lines = true;
        let sender = self.sender.clone();
        // Nothing ends a read from a terminal, so the thread is left behind when the process ends.
        thread::spawn(move || {
            for line in lines {
                let event = match line.trim() {
                    "" => continue,
                    "d" | "D" => Event::Switched,
                    text => Event::Pasted(Secret::new(text)),
                };
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
    }
}

/// The time, in milliseconds since the Unix epoch.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_milliseconds(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// What a flow is called in the log.
fn name(request: &Request) -> &'static str {
    match request {
        Request::Login(_) => "login",
        Request::Token(_) => "token",
        Request::Logout(_) => "logout",
        Request::Status(_) => "status",
        Request::Seed(_) => "seed",
        Request::Export(_) => "export",
        Request::Proof(_) => "proof",
        Request::Role(_) => "role",
        Request::Enforce(_) => "enforce",
    }
}

/// A flow ended with what another one ends with.
fn unexpected(outcome: &Outcome) -> Error {
    let event = match outcome {
        Outcome::Login(_) => "login",
        Outcome::Token(_) => "token",
        Outcome::Logout(_) => "logout",
        Outcome::Status(_) => "status",
        Outcome::Seed(_) => "seed",
        Outcome::Export(_) => "export",
        Outcome::Proof(_) => "proof",
        Outcome::Role(_) => "role",
        Outcome::Enforce(_) => "enforce",
    };
    Misused::Unexpected { event: event.to_owned() }.into()
}

fn seed() -> Result<Seed, Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| Misused::NotApplicable {
        detail: format!("the operating system gives no random numbers: {error}"),
    })?;
    Ok(Seed::new(bytes))
}
