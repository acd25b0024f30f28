//! `hallpass login`

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use hallpass::surroundings::{self, Surroundings};
use hallpass::{Opener, Shell};
use hallpass_core::{Error, LoggedIn, LoginMethod, LoginRequest, Method, Provider, Refused, Revocation, Secret};

use super::arguments::{Global, Login};
use super::failure::Failure;
use super::person::Applicant;
use super::provider;
use super::report::{Voice, document, warn, warn_of};
use super::secret;
use super::session::{Session, warn_of_overrides};
use super::status::headline;
use super::text::safe;

pub(super) fn run(global: &Global, arguments: &Login, voice: Voice) -> Result<ExitCode, Failure> {
    let session = Session::open_or_make(global)?;
    let provider = provider::choose(&session.config, arguments)?;
    let way = Way::choose(arguments, &provider, || Surroundings::look().browser_obstacle());
    voice.say(&way.reason);
    let configuration = session.configuration(provider)?;
    // Nobody is asked for a secret that may not be used.
    configuration.permits_login(&way.intended(), global.store.map(Into::into))?;
    warn_of_overrides(&configuration);
    // What is piped in is read to its end; on a terminal the person goes on typing.
    let can_type = !arguments.provider.with_client_secret || io::stdin().is_terminal();
    let mut shell = session.shell(Applicant { voice, opens_browser: way.opens_browser, can_type });
    shell.set_opener(if way.opens_browser { Opener::Desktop } else { Opener::Nothing });
    let cancellation = shell.cancellation();
    let ask = |what| secret::ask(what, voice, &cancellation);
    let client_secret = arguments.provider.with_client_secret.then(|| ask("client secret")).transpose()?;
    let method = match way.intended() {
        LoginMethod::ApiKey(_) => LoginMethod::ApiKey(ask("API key")?),
        LoginMethod::AccessToken(_) => LoginMethod::AccessToken(ask("access token")?),
        without_secret => without_secret,
    };
    let request = LoginRequest { configuration, method, store: global.store.map(Into::into), client_secret };
    let outcome = sign_in(&mut shell, request, &way, voice)?;
    let location = outcome.status.store.map(|place| shell.location(place));
    if arguments.json {
        document(&super::json::done(&outcome, location.as_deref(), session.profile().as_deref()))?;
    } else {
        say(&outcome, location.as_deref(), voice);
    }
    Ok(ExitCode::SUCCESS)
}

/// Signs in. A device code that was our idea and that the server does not offer makes way for the browser.
fn sign_in(shell: &mut Shell, request: LoginRequest, way: &Way, voice: Voice) -> Result<LoggedIn, Error> {
    let browser = LoginRequest { method: LoginMethod::Browser, ..request.clone() };
    match shell.login(request) {
        Err(Error::Refused(Refused::DeviceLoginDisabled { server })) if way.device && !way.demanded => {
            voice.say(&format!("{} offers no device codes: any browser will do instead.", safe(&server)));
            shell.login(browser)
        }
        result => result,
    }
}

/// Which way it goes, and why.
#[derive(Debug, Eq, PartialEq)]
struct Way {
    credential: Option<Credential>,
    device: bool,
    opens_browser: bool,
    /// Whether the person asked for it.
    demanded: bool,
    reason: String,
}

#[derive(Debug, Eq, PartialEq)]
enum Credential {
    ApiKey,
    AccessToken,
}

impl Way {
    /// The method, without what it takes.
    fn intended(&self) -> LoginMethod {
        match self.credential {
            Some(Credential::ApiKey) => LoginMethod::ApiKey(Secret::default()),
            Some(Credential::AccessToken) => LoginMethod::AccessToken(Secret::default()),
            None if self.device => LoginMethod::DeviceCode,
            None => LoginMethod::Browser,
        }
    }

    fn choose(login: &Login, provider: &Provider, obstacle: impl FnOnce() -> Option<&'static str>) -> Self {
        let name = safe(&provider.name);
        let way = |device, opens_browser, demanded, reason: String| Self {
            credential: None,
            device,
            opens_browser,
            demanded,
            reason,
        };
        if login.with_api_key || login.with_access_token {
            let (credential, what) = if login.with_api_key {
                (Credential::ApiKey, "an API key")
            } else {
                (Credential::AccessToken, "an access token")
            };
            let reason = format!("Signing in to {name} with {what}.");
            return Self { credential: Some(credential), ..way(false, false, true, reason) };
        }
        if login.device_auth {
            return way(true, false, true, format!("Signing in to {name} with a device code, as you asked."));
        }
        if login.no_browser {
            return way(false, false, true, format!("Signing in to {name} with a browser that you open yourself."));
        }
        match surroundings::Way::choose(provider, obstacle()) {
            surroundings::Way::Browser => way(false, true, false, format!("Signing in to {name} with your browser.")),
            surroundings::Way::DeviceCode { because } => {
                way(true, false, false, format!("Signing in to {name} with a device code, because {because}."))
            }
            surroundings::Way::BrowserElsewhere { because } => way(
                false,
                false,
                false,
                format!(
                    "Signing in to {name} with a browser elsewhere, because {because} and there are no device codes."
                ),
            ),
        }
    }
}

fn say(outcome: &LoggedIn, location: Option<&str>, voice: Voice) {
    let account = outcome.status.account.clone().unwrap_or_default();
    let place = location.map(|location| format!("; stored in {}", safe(location))).unwrap_or_default();
    voice.say(&format!("{}{place}.", headline(&outcome.status, &account)));
    if outcome.status.method == Some(Method::ApiKey) {
        voice.say("Whether the key is good shows with the first request.");
    }
    match &outcome.previous {
        Some(Revocation::Revoked) => voice.say("The session that was there before is revoked."),
        Some(Revocation::Failed(report)) => {
            voice.say("The session that was there before could not be revoked, and may live on at the server.");
            warn(report);
        }
        Some(Revocation::NotNeeded) => voice.say("At the server the session that was there before goes on."),
        Some(Revocation::NotOffered) | None => {}
    }
    warn_of(&outcome.warnings);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(login: &Login, obstacle: Option<&'static str>) -> Way {
        Way::choose(login, &Provider::openai(), || obstacle)
    }

    #[test]
    fn what_the_person_asks_for_is_done() {
        let obstacle = Some("this is an SSH session");
        let device = way(&Login { device_auth: true, ..Login::default() }, None);
        assert!(device.device && device.demanded);
        let browser = way(&Login { no_browser: true, ..Login::default() }, obstacle);
        assert!(!browser.device && !browser.opens_browser);
        let key = way(&Login { with_api_key: true, ..Login::default() }, obstacle);
        assert_eq!(key.credential, Some(Credential::ApiKey));
    }

    #[test]
    fn the_surroundings_choose_and_the_reason_is_said() {
        let browser = way(&Login::default(), None);
        assert!(browser.opens_browser && !browser.device);
        let device = way(&Login::default(), Some("this is an SSH session"));
        assert!(device.device && !device.demanded);
        assert_eq!(device.reason, "Signing in to openai with a device code, because this is an SSH session.");
    }

    #[test]
    fn where_there_are_no_device_codes_a_browser_elsewhere_will_do() {
        let mut provider = Provider::openai();
        if let Some(endpoints) = &mut provider.endpoints {
            endpoints.device_authorization = None;
        }
        let way = Way::choose(&Login::default(), &provider, || Some("this is a container"));
        assert!(!way.device && !way.opens_browser);
    }
}
