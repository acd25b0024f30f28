//! The cycle: a login, a refresh, a recovery, another login, a logout.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use hallpass::authorization_server::{Decision, Serving};
use hallpass::{Opener, Shell, home, http};
use hallpass_core::{
    Configuration, Event, LoggedIn, LoginMethod, LoginRequest, LogoutRequest, Need, Provider, Redirect, Revocation,
    Secret, StatusRequest, StoreMode, Token, TokenOrigin, TokenRequest,
};

use super::home::TemporaryHome;
use super::narrator::Narrator;
use super::visitor::{ACCOUNT, Errand, Visitor, get};
use crate::cli::failure::Failure;
use crate::cli::report::tell;
use crate::cli::status::describe;

pub(super) fn run(port: u16, open: bool) -> Result<ExitCode, Failure> {
    let begin = Instant::now();
    let mut cycle = Cycle::prepare(port, open)?;
    cycle.introduce()?;
    cycle.sign_in(open)?;
    cycle.look()?;
    cycle.call()?;
    cycle.refresh()?;
    cycle.recover()?;
    cycle.sign_in_with_a_code()?;
    cycle.sign_out()?;
    conclude(begin)?;
    Ok(ExitCode::SUCCESS)
}

struct Cycle {
    serving: Serving,
    home: TemporaryHome,
    narrator: Narrator,
    shell: Shell,
    errand: Errand,
    configuration: Configuration,
}

const MINUTE: i64 = 60_000;

impl Cycle {
    fn prepare(port: u16, open: bool) -> Result<Self, Failure> {
        let serving = super::start(
            port,
            |options| {
                // Shorter than what `token` promises, so that the first one must be refreshed soon. What is told of it
                // is true for half a minute.
                options.access_token_lifetime_ms = 3 * MINUTE + MINUTE / 2;
                options.device_interval = Some(1);
                if !open {
                    options.auto_consent = Some(Decision::Allow { account: ACCOUNT.to_owned() });
                }
            },
            Arc::new(|_, _| None),
        )?;
        let home = TemporaryHome::new().map_err(|error| {
            Failure::local("no_home", format!("there is no room for a temporary home: {error}"), "")
        })?;
        let narrator = Narrator::new(serving.issuer.clone());
        let errand = Errand::default();
        let visitor =
            Visitor { server: serving.shared.clone(), wire: narrator.wire(), is_real: open, errand: errand.clone() };
        let mut shell = Shell::new(home.path().to_owned(), Box::new(visitor));
        shell.set_opener(if open { Opener::Desktop } else { Opener::Nothing });
        let openai = Provider::openai().at(&serving.issuer);
        // Any port will do for this server; Codex's own two may be in use.
        let redirect = Redirect { ports: vec![0], ..openai.redirect.clone() };
        let configuration = Configuration {
            store: Some(StoreMode::File),
            home: home::identity(home.path()),
            ..Configuration::new(Provider { redirect, ..openai })
        };
        Ok(Self { serving, home, narrator, shell, errand, configuration })
    }

    fn introduce(&self) -> Result<(), Failure> {
        tell("A session from login to logout, over real sockets and real files. The server runs in this process,")?;
        tell("the account is made up, and the home is removed in the end.")?;
        tell(&format!("   server    {}\n   home      {}", self.serving.issuer, self.home.path().display()))
    }

    fn sign_in(&mut self, open: bool) -> Result<(), Failure> {
        let about = if open {
            "You consent in your browser; the code it brings back becomes tokens (authorization code with PKCE)."
        } else {
            "A browser consents; the code it brings back becomes tokens (authorization code with PKCE, OpenAI's dialect)."
        };
        self.narrator.begin("hallpass login", about)?;
        let logged_in = self.login(LoginMethod::Browser)?;
        self.errand.finish();
        let account = logged_in.status.account.unwrap_or_default();
        expect(logged_in.status.logged_in, "nobody is signed in after the login")?;
        let mut facts = vec![
            ("", "(the second request to the token endpoint buys an API key, as Codex does)".to_owned()),
            ("result", format!("signed in as {}", account.email.unwrap_or_default())),
        ];
        facts.extend(self.home.contents().into_iter().map(|file| ("on disk", file)));
        self.narrator.end(&facts)
    }

    fn look(&mut self) -> Result<(), Failure> {
        self.narrator.begin("hallpass status", "It reads the file and asks nobody.")?;
        let request = StatusRequest { configuration: self.configuration.clone(), check: false };
        let status = self.shell.status(request)?;
        expect(status.expires_at.is_some(), "the expiry is not known")?;
        let lines = describe(&status, None, hallpass::now());
        self.narrator.end(&lines.into_iter().map(|line| ("", line)).collect::<Vec<_>>())
    }

    fn call(&mut self) -> Result<(), Failure> {
        self.narrator.begin("A call", "The access token opens the protected resource.")?;
        let token = self.token(Need::Usable { minimum_lifetime: 0 })?;
        expect(token.origin == TokenOrigin::Stored, "the stored token was not used")?;
        self.expect_resource(&token, 200)?;
        self.narrator.end(&[])
    }

    fn refresh(&mut self) -> Result<(), Failure> {
        let about = "It promises a token for 5 more minutes. The stored one has 3 left: it is renewed, under a lock.";
        self.narrator.begin("hallpass token", about)?;
        self.serving.lock().options_mut().access_token_lifetime_ms = 60 * MINUTE;
        let token = self.token(Need::Usable { minimum_lifetime: 300_000 })?;
        expect(token.origin == TokenOrigin::Refreshed, "the token was not refreshed")?;
        let generation = self.serving.lock().families().map(|family| family.generation).max().unwrap_or(0);
        expect(generation == 1, "the refresh token was not rotated once")?;
        self.expect_resource(&token, 200)?;
        self.narrator.end(&[("result", "a new access token, and a new refresh token, saved before use".to_owned())])
    }

    fn recover(&mut self) -> Result<(), Failure> {
        let about = "The server no longer accepts the token, although it is still good by the clock.";
        self.narrator.begin("A 401, and the recovery", about)?;
        let rejected = self.token(Need::Usable { minimum_lifetime: 0 })?;
        self.serving.lock().expire_access_tokens(hallpass::now().milliseconds());
        self.expect_resource(&rejected, 401)?;
        let token = self.token(Need::Replacement { rejected: rejected.access_token.clone() })?;
        expect(token.access_token != rejected.access_token, "the rejected token came again")?;
        self.expect_resource(&token, 200)?;
        self.narrator.end(&[("result", "one refresh, and the call went through".to_owned())])
    }

    fn sign_in_with_a_code(&mut self) -> Result<(), Failure> {
        let about =
            "A device code, at a provider that is discovered. The old session is revoked once the new one is saved.";
        self.narrator.begin("hallpass login --device-auth --provider local", about)?;
        let local = Provider::discovered(&self.serving.issuer, "hallpass");
        self.configuration.provider = Provider { name: "local".to_owned(), ..local };
        let logged_in = self.login(LoginMethod::DeviceCode)?;
        expect(logged_in.previous == Some(Revocation::Revoked), "the old session was not revoked")?;
        let account = logged_in.status.account.unwrap_or_default();
        self.narrator.end(&[("result", format!("signed in as {}", account.email.unwrap_or_default()))])
    }

    fn sign_out(&mut self) -> Result<(), Failure> {
        self.narrator.begin("hallpass logout", "The session ends at the server, then here.")?;
        let token = self.token(Need::Usable { minimum_lifetime: 0 })?;
        let request = LogoutRequest { configuration: self.configuration.clone(), local: false };
        let outcome = self.shell.logout(request)?;
        expect(outcome.revocation == Revocation::Revoked, "the session was not revoked")?;
        expect(!self.home.path().join("auth.json").exists(), "the credentials are still there")?;
        self.expect_resource(&token, 401)?;
        self.narrator.end(&[("result", "the token is worth nothing, and auth.json is gone".to_owned())])
    }

    fn login(&mut self, method: LoginMethod) -> Result<LoggedIn, Failure> {
        let configuration = self.configuration.clone();
        Ok(self.shell.login(LoginRequest { configuration, method, store: None, client_secret: None })?)
    }

    fn token(&mut self, need: Need) -> Result<Token, Failure> {
        Ok(self.shell.token(TokenRequest { configuration: self.configuration.clone(), need })?)
    }

    /// Calls the protected resource, as a tool does that uses the token.
    fn expect_resource(&self, token: &Token, status: u16) -> Result<(), Failure> {
        let mut request = get(&Secret::new(format!("{}/me", self.serving.issuer)));
        let bearer = Secret::new(format!("{} {}", token.token_type, token.access_token.expose()));
        request.headers.push(("authorization".to_owned(), bearer));
        let client = http::Client::new(http::Settings::from_environment());
        let Event::Responded(response) = client.send(&request, &|| false) else {
            return expect(false, "the resource did not answer");
        };
        self.narrator.wire().note("tool", &format!("GET {} -> {}", request.url, response.status));
        expect(response.status == status, "the resource answered otherwise than it should")
    }
}

fn conclude(begin: Instant) -> Result<(), Failure> {
    tell(&format!("\nDone in {:.1} s. What to try next:\n", begin.elapsed().as_secs_f64()))?;
    tell("   hallpass demo --open      sign in with your own browser")?;
    tell("   hallpass demo --serve     keep the server, and develop against it")?;
    tell("   hallpass login            sign in to OpenAI, for Codex too")
}

fn expect(holds: bool, otherwise: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::local("demo", format!("the demo went wrong: {otherwise}"), "")) }
}
