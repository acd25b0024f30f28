//! Every machine behind one door.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::exporting::Exporting;
use crate::login::Login;
use crate::logout::Logout;
use crate::obtaining::Obtaining;
use crate::seeding::Seeding;
use crate::status::Checking;
use crate::{Error, Event, LoginRequest, Machine, Misused, Outcome, Request, Seed, Step, Timestamp};

/// The version of what is suspended; another one is not resumed.
const VERSION: u32 = 1;

/// Any flow: what a shell starts with a [`Request`] and turns until it is done.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Flow(State);

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Login(Login),
    Token(Obtaining),
    Logout(Logout),
    Status(Checking),
    Seed(Seeding),
    Export(Exporting),
}

/// The little of a browser login that survives while the page is away at the authorization server. No endpoint
/// is in it: where a code is sent always comes from the configuration that the login is resumed with.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Suspended {
    version: u32,
    /// The issuer, which must be the one of the configuration.
    issuer: String,
    redirect_uri: String,
    /// What state and verifier are made from.
    seed: Seed,
}

impl Flow {
    /// Begins a flow at the time `now`, with 32 random bytes.
    pub fn start(request: Request, now: Timestamp, seed: Seed) -> Step<Self> {
        match request {
            Request::Login(request) => login(Login::start(request, seed, now)),
            Request::Token(request) => token(Obtaining::start(request, seed, now)),
            Request::Logout(request) => logout(Logout::start(request, seed)),
            Request::Status(request) => status(Checking::start(request, seed, now)),
            Request::Seed(request) => seeding(Seeding::start(request, seed, now)),
            Request::Export(request) => exporting(Exporting::start(request, seed)),
        }
    }

    /// What must survive while the person is away at the authorization server.
    ///
    /// # Errors
    /// When this is not a browser login that waits for its redirect.
    pub fn suspend(&self) -> Result<Suspended, Error> {
        let State::Login(login) = &self.0 else { return Err(not_away()) };
        let redirect_uri = login.redirect_uri().ok_or_else(not_away)?;
        Ok(Suspended {
            version: VERSION,
            issuer: login.request().configuration.provider.issuer.clone(),
            redirect_uri: redirect_uri.into(),
            seed: login.seed().clone(),
        })
    }

    /// Goes on where [`Flow::suspend`] left off, with the same request as before; its next effect but for a
    /// discovery is to `Await` the redirect.
    pub fn resume(suspended: Suspended, request: LoginRequest, now: Timestamp) -> Step<Self> {
        let same = suspended.version == VERSION && suspended.issuer == request.configuration.provider.issuer;
        if !same {
            let detail = "what was suspended belongs to another version or another provider".into();
            return Step::failed(Misused::NotApplicable { detail });
        }
        login(Login::resumed(request, suspended.seed, suspended.redirect_uri, now))
    }
}

impl Machine for Flow {
    type Output = Outcome;

    fn step(self, now: Timestamp, event: Event) -> Step<Self> {
        match self.0 {
            State::Login(machine) => login(machine.step(now, event)),
            State::Token(machine) => token(machine.step(now, event)),
            State::Logout(machine) => logout(machine.step(now, event)),
            State::Status(machine) => status(machine.step(now, event)),
            State::Seed(machine) => seeding(machine.step(now, event)),
            State::Export(machine) => exporting(machine.step(now, event)),
        }
    }
}

fn not_away() -> Error {
    Misused::NotApplicable { detail: "only a browser login that waits for its redirect can be suspended".into() }.into()
}

fn login(step: Step<Login>) -> Step<Flow> {
    step.within((), |(), machine| Flow(State::Login(machine)), |(), result| Step::Done(result.map(Outcome::Login)))
}

fn token(step: Step<Obtaining>) -> Step<Flow> {
    step.within((), |(), machine| Flow(State::Token(machine)), |(), result| Step::Done(result.map(Outcome::Token)))
}

fn logout(step: Step<Logout>) -> Step<Flow> {
    step.within((), |(), machine| Flow(State::Logout(machine)), |(), result| Step::Done(result.map(Outcome::Logout)))
}

fn status(step: Step<Checking>) -> Step<Flow> {
    step.within((), |(), machine| Flow(State::Status(machine)), |(), result| Step::Done(result.map(Outcome::Status)))
}

fn seeding(step: Step<Seeding>) -> Step<Flow> {
    step.within((), |(), machine| Flow(State::Seed(machine)), |(), result| Step::Done(result.map(Outcome::Seed)))
}

fn exporting(step: Step<Exporting>) -> Step<Flow> {
    step.within((), |(), machine| Flow(State::Export(machine)), |(), result| Step::Done(result.map(Outcome::Export)))
}
