//! Signing in, whichever way, and saving what comes of it.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::authenticating::{Authenticating, SecretSource};
use crate::browser_login::{Arrival, Arrived, BrowserLogin, Client};
use crate::device_login::DeviceLogin;
use crate::discovery::Discovery;
use crate::dpop::{self, Possession, PublicKey};
use crate::home::{Held, Reading};
use crate::key_exchange::KeyExchange;
use crate::record::{Record, Tokens};
use crate::revoking::{Revoking, Session};
use crate::storing::{NewCredential, Stored, Storing, Terms};
use crate::text::trimmed;
use crate::token_response::TokenSet;
use crate::whoami::Whoami;
use crate::{
    Account, Effect, Endpoints, Error, Event, Key, LogLine, LoggedIn, LoginMethod, LoginRequest, Machine, Misused,
    Place, Provider, Secret, Seed, Slot, Step, StoreMode, Timestamp, unexpected,
};

mod ending;
#[cfg(feature = "homes")]
mod given;

/// A login. The session that was there before survives until the new one is saved; only then is it revoked.
///
/// - `Probing`     → (reading) → `Rehearsing`, or done where the store could not keep what is to come
/// - `Rehearsing`  → (client authentication) → `Discovering`, or done where the client's key cannot be used
/// - `Discovering` → (discovery) → `Keying` where the server binds tokens to keys, `Browsing` or `Pairing`
/// - `Keying`      → `Loaded`, `StoreFailed` → `Browsing` or `Pairing`
/// - `Browsing`    → (browser login) → `Exchanging`, `Storing`, `Pairing` on a switch, or `Replying` a failure
/// - `Pairing`     → (device login) → `Storing`
/// - `Exchanging`  → (key exchange) → `Storing`
/// - `Asking`      → (whoami) → `Storing`
/// - `Storing`     → (storing) → `Replying`, `Revoking`, `Returning` what could not be saved, or done
/// - `Replying`    → any event → `Revoking`, `Returning` what could not be saved, or done
/// - `Revoking`    → (revoking) → done
/// - `Returning`   → (revoking) → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Login {
    begun: Box<Begun>,
    state: State,
}

/// What a login was started with, and whether a browser waits to be told how it ended.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
struct Begun {
    request: LoginRequest,
    seed: Seed,
    browser_waits: bool,
    /// Whose access token it is, where the server was asked.
    account: Option<Account>,
    /// What was stored before anybody was asked.
    before: Option<Record>,
    /// The session that was granted, until it is known to be saved.
    granted: Option<Session>,
    /// The redirect URI to which a suspended login has come back.
    back_at: Option<String>,
    /// The key that the tokens shall be bound to.
    possession: Option<Possession>,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Probing(Box<Reading>),
    Rehearsing(Box<Authenticating>),
    Discovering(Box<Discovery>),
    Keying {
        endpoints: Endpoints,
    },
    Browsing(Box<BrowserLogin>),
    Pairing(Box<DeviceLogin>),
    #[cfg(feature = "homes")]
    Exchanging {
        step: Box<KeyExchange>,
        set: TokenSet,
    },
    #[cfg(feature = "homes")]
    Asking {
        step: Box<Whoami>,
        token: Secret,
    },
    Storing(Box<Storing>),
    Replying {
        result: Result<Stored, Error>,
    },
    Revoking {
        step: Box<Revoking>,
        stored: Stored,
    },
    Returning {
        step: Box<Revoking>,
        error: Error,
    },
}

impl Login {
    pub(crate) fn start(request: LoginRequest, seed: Seed, now: Timestamp) -> Step<Self> {
        if let Err(error) = check(&request) {
            return Step::Done(Err(error));
        }
        let method = request.method.clone();
        let reading = Reading::of(&request.configuration, request.store);
        let begun = Begun::new(request, seed, None);
        match method {
            LoginMethod::Browser | LoginMethod::DeviceCode => begun.probing(reading, now),
            #[cfg(not(feature = "homes"))]
            LoginMethod::ApiKey(_) | LoginMethod::AccessToken(_) => Step::failed(crate::build::left_out()),
            #[cfg(feature = "homes")]
            LoginMethod::ApiKey(key) => match trimmed(&key).map_err(|why| unfit("API key", why)) {
                Ok(key) => begun.store_given(Record::api_key(key), None),
                Err(error) => Step::Done(Err(error)),
            },
            #[cfg(feature = "homes")]
            LoginMethod::AccessToken(token) => match trimmed(&token).map_err(|why| unfit("access token", why)) {
                Ok(token) => begun.given(token, now),
                Err(error) => Step::Done(Err(error)),
            },
        }
    }

    /// Goes on with a browser login whose page was left for the authorization server. The endpoints are found
    /// anew: nothing that was stored in between says where a code is sent.
    pub(crate) fn resumed(request: LoginRequest, seed: Seed, redirect_uri: String, now: Timestamp) -> Step<Self> {
        let discovery = Discovery::start(&request.configuration.provider);
        Begun::new(request, seed, Some(redirect_uri)).discovering(discovery, now)
    }

    /// The redirect URI, while the browser is away.
    pub(crate) fn redirect_uri(&self) -> Option<&str> {
        match &self.state {
            State::Browsing(step) => step.redirect_uri(),
            _ => None,
        }
    }

    pub(crate) fn seed(&self) -> &Seed {
        &self.begun.seed
    }

    pub(crate) fn request(&self) -> &LoginRequest {
        &self.begun.request
    }
}

impl Begun {
    fn new(request: LoginRequest, seed: Seed, back_at: Option<String>) -> Box<Self> {
        Box::new(Self {
            request,
            seed,
            browser_waits: false,
            account: None,
            before: None,
            granted: None,
            back_at,
            possession: None,
        })
    }

    fn at(self: Box<Self>, state: State) -> Login {
        Login { begun: self, state }
    }

    fn client(&self, endpoints: Endpoints) -> Box<Client> {
        Box::new(Client {
            provider: self.request.configuration.provider.clone(),
            endpoints,
            secret: SecretSource::Given(self.request.client_secret.clone()),
            seed: self.seed.clone(),
            workspaces: self.request.configuration.workspaces().unwrap_or_default(),
            possession: self.possession.clone(),
        })
    }

    /// A keyring that does not open is better found out before a person has signed in than after.
    fn probing(self: Box<Self>, step: Step<Reading>, now: Timestamp) -> Step<Login> {
        step.within(
            self,
            |begun, step| begun.at(State::Probing(step)),
            |mut begun, result| match result.and_then(|held| begun.can_keep(held)) {
                Ok(before) => {
                    let rehearsal = Authenticating::rehearse(&begun.request.configuration.provider);
                    begun.before = before;
                    begun.rehearsing(rehearsal, now)
                }
                Err(error) => Step::Done(Err(error)),
            },
        )
    }

    /// Whether what is to come may be kept, and can; with what it would take the place of.
    fn can_keep(&self, held: Box<Held>) -> Result<Option<Record>, Error> {
        let LoginRequest { configuration, store, .. } = &self.request;
        let mode = configuration.store_for_login(*store, held.mode)?;
        if let (StoreMode::Auto, Some(failure)) = (mode, &held.trouble) {
            configuration.policy.permits_place(Place::File).map_err(|_| configuration.policy.blame(failure.clone()))?;
        }
        let before = held.record.clone().ok().flatten();
        held.usable().map(|()| before)
    }

    fn rehearsing(self: Box<Self>, step: Step<Authenticating>, now: Timestamp) -> Step<Login> {
        step.within(
            self,
            |begun, step| begun.at(State::Rehearsing(step)),
            |begun, result| match result {
                Ok(_) => {
                    let discovery = Discovery::start(&begun.request.configuration.provider);
                    begun.discovering(discovery, now)
                }
                Err(error) => Step::Done(Err(error)),
            },
        )
    }

    fn discovering(self: Box<Self>, step: Step<Discovery>, now: Timestamp) -> Step<Login> {
        step.within(
            self,
            |begun, step| begun.at(State::Discovering(step)),
            |begun, result| match result {
                Ok(endpoints) if begun.binds(&endpoints) => {
                    Step::perform(begun.at(State::Keying { endpoints }), Effect::Load(Slot::NewProof))
                }
                Ok(endpoints) => begun.sign_in(endpoints, now),
                Err(error) => Step::Done(Err(error)),
            },
        )
    }

    /// Whether the tokens shall be bound to a key. What lies in memory alone has nothing beside it that could say so.
    fn binds(&self, endpoints: &Endpoints) -> bool {
        let LoginRequest { configuration, store, .. } = &self.request;
        let is_kept = store.unwrap_or(configuration.store()) != StoreMode::Ephemeral;
        is_kept && dpop::is_wanted(&configuration.provider, endpoints)
    }

    /// Without a key of a kind that the server takes the login goes on as with any other server.
    fn keyed(mut self: Box<Self>, endpoints: Endpoints, event: &Event, now: Timestamp) -> Step<Login> {
        let public = match event {
            Event::Loaded(jwk) => jwk.as_ref().and_then(PublicKey::parse),
            Event::StoreFailed(_) => None,
            event => return Step::Done(Err(unexpected(event))),
        };
        let takes = |key: &PublicKey| endpoints.dpop_algorithms.iter().any(|name| key.algorithm() == Some(name));
        let possession = public.filter(takes).map(|public| Possession::new(Key::NewProof, public, None));
        let line = if possession.is_some() {
            "the tokens shall be bound to a key of this machine"
        } else {
            "no key could be had to bind the tokens to"
        };
        self.possession = possession;
        self.sign_in(endpoints, now).logged(LogLine::detail(line))
    }

    fn sign_in(self: Box<Self>, endpoints: Endpoints, now: Timestamp) -> Step<Login> {
        let client = self.client(endpoints);
        if self.request.method != LoginMethod::Browser {
            let step = DeviceLogin::start(client, now);
            return self.pairing(step, now);
        }
        let step = match self.back_at.clone() {
            Some(redirect_uri) => BrowserLogin::resumed(client, redirect_uri, now),
            None => BrowserLogin::start(client),
        };
        self.browsing(step, now)
    }

    fn browsing(self: Box<Self>, step: Step<BrowserLogin>, now: Timestamp) -> Step<Login> {
        step.within(
            self,
            |begun, step| begun.at(State::Browsing(step)),
            |begun, result| match result {
                Ok(arrived) => begun.arrived(arrived, now),
                Err(error) => Step::Done(Err(error)),
            },
        )
    }

    fn arrived(mut self: Box<Self>, arrived: Arrived, now: Timestamp) -> Step<Login> {
        self.browser_waits = arrived.browser_waits;
        match arrived.result {
            Ok(Arrival::Switched(endpoints)) => {
                let step = DeviceLogin::start(self.client(endpoints), now);
                self.pairing(step, now)
            }
            #[cfg(not(feature = "homes"))]
            Ok(Arrival::Granted { set, .. }) => self.granted(set, None, now),
            #[cfg(feature = "homes")]
            Ok(Arrival::Granted { set, endpoints }) => match KeyExchange::start(&self.client(endpoints), &set) {
                Some(step) => self.exchanging(step, set, now),
                None => self.granted(set, None, now),
            },
            Err(error) => self.reply(Err(error), now),
        }
    }

    fn pairing(self: Box<Self>, step: Step<DeviceLogin>, now: Timestamp) -> Step<Login> {
        step.within(
            self,
            |begun, step| begun.at(State::Pairing(step)),
            |begun, result| match result {
                Ok(set) => begun.granted(set, None, now),
                Err(error) => Step::Done(Err(error)),
            },
        )
    }

    #[cfg(feature = "homes")]
    fn exchanging(self: Box<Self>, step: Step<KeyExchange>, set: TokenSet, now: Timestamp) -> Step<Login> {
        step.within(
            (self, set),
            |(begun, set), step| begun.at(State::Exchanging { step, set }),
            |(begun, set), result| begun.granted(set, Some(result), now),
        )
    }

    /// `api_key` is what came of asking for one. That is best effort, as in Codex: a person without an API organisation
    /// has none. To stop is another matter: then nothing is saved, and what was granted is given back.
    fn granted(
        mut self: Box<Self>,
        set: TokenSet,
        api_key: Option<Result<Secret, Error>>,
        now: Timestamp,
    ) -> Step<Login> {
        let provider = self.request.configuration.provider.clone();
        let expires_in = set.expires_in;
        let bound = self.possession.clone().filter(|_| set.is_bound).map(|possession| (possession, set.nonce.clone()));
        let tokens = Tokens::granted(set, &provider, &self.seed.text("login_owner_id"));
        // What the session before shares is not given back: it survives a login that fails.
        let before = self.before.as_ref().and_then(Record::tokens);
        let is_shared = before.is_some_and(|before| tokens.shares_session(before, &provider));
        self.granted = (!is_shared).then(|| self.session(&tokens, &provider));
        let allowed = match &api_key {
            Some(Err(error @ Error::Declined(_))) => Err(error.clone()),
            _ => self.request.configuration.permits_tokens(&tokens),
        };
        if let Err(error) = allowed {
            return self.reply(Err(error), now);
        }
        let api_key = api_key.and_then(Result::ok);
        let credential = NewCredential {
            record: Record::login(tokens, api_key.as_ref(), now),
            store: self.request.store,
            provider: Some(provider),
            client_secret: self.request.client_secret.clone(),
            workspace: None,
            expires_in,
            bound,
            terms: Terms::Login,
        };
        self.store(credential).logged(LogLine::detail("the authorization server has granted tokens"))
    }

    fn session(&self, tokens: &Tokens, provider: &Provider) -> Session {
        let LoginRequest { configuration, client_secret, .. } = &self.request;
        let secret = SecretSource::Given(client_secret.clone());
        Session::new(tokens, provider.clone(), configuration, secret, &self.seed)
    }

    fn store(self: Box<Self>, credential: NewCredential) -> Step<Login> {
        let step = Storing::start(credential, self.request.configuration.clone(), self.seed.clone());
        self.storing(step, Timestamp::default())
    }

    fn storing(self: Box<Self>, step: Step<Storing>, now: Timestamp) -> Step<Login> {
        step.within(self, |begun, step| begun.at(State::Storing(step)), |begun, result| begun.reply(result, now))
    }
}

impl Machine for Login {
    type Output = LoggedIn;

    fn step(self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
        let Self { begun, state } = *self;
        match state {
            State::Probing(step) => begun.probing(step.step(now, event), now),
            State::Rehearsing(step) => begun.rehearsing(step.step(now, event), now),
            State::Discovering(step) => begun.discovering(step.step(now, event), now),
            State::Keying { endpoints } => begun.keyed(endpoints, &event, now),
            State::Browsing(step) => begun.browsing(step.step(now, event), now),
            State::Pairing(step) => begun.pairing(step.step(now, event), now),
            #[cfg(feature = "homes")]
            State::Exchanging { step, set } => begun.exchanging(step.step(now, event), set, now),
            #[cfg(feature = "homes")]
            State::Asking { step, token } => begun.asking(step.step(now, event), token),
            State::Storing(step) => begun.storing(step.step(now, event), now),
            State::Replying { result } => begun.finish(result, now),
            State::Revoking { step, stored } => begun.revoking(step.step(now, event), stored, now),
            State::Returning { step, error } => begun.returning(step.step(now, event), error),
        }
    }
}

fn check(request: &LoginRequest) -> Result<(), Error> {
    let provider = &request.configuration.provider;
    provider.check()?;
    if provider.grant.is_some() {
        let detail = format!("`{}` gives tokens to programs, and signs nobody in", provider.name);
        return Err(Misused::NotApplicable { detail }.into());
    }
    let wants_secret = provider.client_authentication.has_secret();
    let signs_in = matches!(request.method, LoginMethod::Browser | LoginMethod::DeviceCode);
    let has_secret = request.client_secret.as_ref().is_some_and(|secret| !secret.is_empty());
    if wants_secret && signs_in && !has_secret {
        return Err(crate::Local::NoClientSecret.into());
    }
    if has_secret && !wants_secret {
        let detail = "a client's secret was given, and nothing says how the client sends it (`client_authentication`)";
        return Err(Misused::NotApplicable { detail: detail.into() }.into());
    }
    Ok(())
}

fn unfit(what: &str, why: &str) -> Error {
    Error::value(what, format!("it {why}"))
}
