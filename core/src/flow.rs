//! Every machine behind one door.

use alloc::boxed::Box;
use alloc::string::String;
#[cfg(feature = "trace")]
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::build;
use crate::demonstrating::Demonstrating;
#[cfg(feature = "homes")]
use crate::exporting::Exporting;
use crate::json;
use crate::login::Login;
use crate::logout::Logout;
#[cfg(feature = "homes")]
use crate::obtaining::Obtaining;
#[cfg(not(feature = "homes"))]
use crate::refresh::Refresh as Obtaining;
#[cfg(feature = "homes")]
use crate::seeding::Seeding;
use crate::status::Checking;
#[cfg(feature = "homes")]
use crate::web_identity::Assuming;
use crate::{Effect, Error, Event, LoginRequest, Machine, Misused, Outcome, Request, Seed, Step, Timeouts, Timestamp};

/// The version of what is suspended; another one is not resumed.
const VERSION: u32 = 1;

/// Any flow: what a shell starts with a [`Request`] and turns until it is done.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Flow {
    state: State,
    #[serde(default)]
    timeouts: Timeouts,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Login(Box<Login>),
    Token(Box<Obtaining>),
    Logout(Box<Logout>),
    Status(Box<Checking>),
    #[cfg(feature = "homes")]
    Seed(Box<Seeding>),
    #[cfg(feature = "homes")]
    Export(Box<Exporting>),
    Proof(Box<Demonstrating>),
    #[cfg(feature = "homes")]
    Role(Box<Assuming>),
    #[cfg(feature = "homes")]
    Enforce(Box<Logout>),
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

json::object! { Suspended { version, issuer, redirect_uri, seed } }

impl Flow {
    /// Begins a flow at the time `now`, with 32 random bytes.
    pub fn start(request: Request, now: Timestamp, seed: Seed) -> Step<Self> {
        let timeouts = request.configuration().timeouts;
        if let Err(error) = build::check(&request).and_then(|()| request.configuration().permits(&request)) {
            return Step::Done(Err(error));
        }
        match request {
            Request::Login(request) => login(Login::start(request, seed, now), timeouts),
            Request::Token(request) => token(Obtaining::start(request, seed, now), timeouts),
            Request::Logout(request) => logout(Logout::start(request, seed), timeouts),
            Request::Status(request) => status(Checking::start(request, seed, now), timeouts),
            #[cfg(feature = "homes")]
            Request::Seed(request) => seeding(Seeding::start(request, seed, now), timeouts),
            #[cfg(feature = "homes")]
            Request::Export(request) => exporting(Exporting::start(request, seed), timeouts),
            #[cfg(feature = "homes")]
            Request::Enforce(request) => enforce(Logout::enforcing(request.configuration, seed), timeouts),
            Request::Proof(request) => proof(Demonstrating::start(request, seed, now), timeouts),
            #[cfg(not(feature = "homes"))]
            Request::Seed(_) | Request::Export(_) | Request::Enforce(_) | Request::Role(_) => {
                Step::Done(Err(build::left_out()))
            }
            #[cfg(feature = "homes")]
            Request::Role(request) => role(Assuming::start(request, seed, now), timeouts),
        }
    }

    /// What must survive while the person is away at the authorization server.
    ///
    /// # Errors
    /// When this is not a browser login that waits for its redirect.
    pub fn suspend(&self) -> Result<Suspended, Error> {
        let State::Login(login) = &self.state else { return Err(not_away()) };
        let redirect_uri = login.redirect_uri().ok_or_else(not_away)?;
        Ok(Suspended {
            version: VERSION,
            issuer: login.request().configuration.provider.issuer.clone(),
            redirect_uri: redirect_uri.into(),
            seed: login.seed().clone(),
        })
    }

    /// In which state each machine is, from the outermost in, as `Machine.State`. Enums of their data are named as well.
    #[cfg(feature = "trace")]
    pub fn states(&self) -> Vec<String> {
        // The first says which machine it is, and so does the second.
        crate::trace::states(self).into_iter().skip(1).collect()
    }

    /// Goes on where [`Flow::suspend`] left off, with the same request as before; its next effect but for a
    /// discovery is to `Await` the redirect.
    pub fn resume(suspended: Suspended, request: LoginRequest, now: Timestamp) -> Step<Self> {
        let same = suspended.version == VERSION && suspended.issuer == request.configuration.provider.issuer;
        if !same {
            let detail = "what was suspended belongs to another version or another provider".into();
            return Step::failed(Misused::NotApplicable { detail });
        }
        let timeouts = request.configuration.timeouts;
        let permitted = build::check_login(&request)
            .and_then(|()| request.configuration.permits_login(&request.method, request.store));
        if let Err(error) = permitted {
            return Step::Done(Err(error));
        }
        login(Login::resumed(request, suspended.seed, suspended.redirect_uri, now), timeouts)
    }
}

impl Machine for Flow {
    type Output = Outcome;

    fn step(self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
        let timeouts = self.timeouts;
        match self.state {
            State::Login(machine) => login(machine.step(now, event), timeouts),
            State::Token(machine) => token(machine.step(now, event), timeouts),
            State::Logout(machine) => logout(machine.step(now, event), timeouts),
            State::Status(machine) => status(machine.step(now, event), timeouts),
            #[cfg(feature = "homes")]
            State::Seed(machine) => seeding(machine.step(now, event), timeouts),
            #[cfg(feature = "homes")]
            State::Export(machine) => exporting(machine.step(now, event), timeouts),
            #[cfg(feature = "homes")]
            State::Enforce(machine) => enforce(machine.step(now, event), timeouts),
            State::Proof(machine) => proof(machine.step(now, event), timeouts),
            #[cfg(feature = "homes")]
            State::Role(machine) => role(machine.step(now, event), timeouts),
        }
    }
}

fn not_away() -> Error {
    Misused::NotApplicable { detail: "only a browser login that waits for its redirect can be suspended".into() }.into()
}

fn login(step: Step<Login>, timeouts: Timeouts) -> Step<Flow> {
    wrapped(step, timeouts, State::Login, Outcome::Login)
}

fn token(step: Step<Obtaining>, timeouts: Timeouts) -> Step<Flow> {
    wrapped(step, timeouts, State::Token, Outcome::Token)
}

fn logout(step: Step<Logout>, timeouts: Timeouts) -> Step<Flow> {
    wrapped(step, timeouts, State::Logout, |ended| Outcome::Logout(ended.into()))
}

fn status(step: Step<Checking>, timeouts: Timeouts) -> Step<Flow> {
    wrapped(step, timeouts, State::Status, Outcome::Status)
}

#[cfg(feature = "homes")]
fn seeding(step: Step<Seeding>, timeouts: Timeouts) -> Step<Flow> {
    wrapped(step, timeouts, State::Seed, Outcome::Seed)
}

#[cfg(feature = "homes")]
fn exporting(step: Step<Exporting>, timeouts: Timeouts) -> Step<Flow> {
    wrapped(step, timeouts, State::Export, Outcome::Export)
}

#[cfg(feature = "homes")]
fn enforce(step: Step<Logout>, timeouts: Timeouts) -> Step<Flow> {
    wrapped(step, timeouts, State::Enforce, |ended| Outcome::Enforce(ended.into()))
}

/// A machine as a flow; its exchanges take as long as the configuration says.
fn wrapped<M: Machine>(
    step: Step<M>,
    timeouts: Timeouts,
    state: fn(Box<M>) -> State,
    outcome: fn(M::Output) -> Outcome,
) -> Step<Flow> {
    let mut step = step.within(
        (),
        |(), machine| Flow { state: state(machine), timeouts },
        |(), result| Step::Done(result.map(outcome)),
    );
    if let Step::Perform { effect: Effect::Http(request), .. } = &mut step {
        request.deadline = timeouts.of_exchange(request.deadline);
    }
    step
}

fn proof(step: Step<Demonstrating>, timeouts: Timeouts) -> Step<Flow> {
    wrapped(step, timeouts, State::Proof, Outcome::Proof)
}

#[cfg(feature = "homes")]
fn role(step: Step<Assuming>, timeouts: Timeouts) -> Step<Flow> {
    wrapped(step, timeouts, State::Role, Outcome::Role)
}
