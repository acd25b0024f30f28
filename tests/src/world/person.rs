//! A person with a browser, who does as the scenario says.

use hallpass::authorization_server::{AuthorizationServer, Decision, Request};
use hallpass_core::{Call, Event, Listen, Page, Prompt, Secret, Timestamp};

use super::ISSUER;

/// Who signs in, and how.
#[derive(Clone, Debug, Default)]
pub struct Person {
    /// What this person does.
    pub way: Way,
    /// What reaches the listener before the answer: path and query, or what is pasted when it does not begin
    /// with a slash.
    pub strays: Vec<String>,
    /// What becomes of the first redirect on its way back.
    pub on_the_way: Option<fn(String) -> String>,
    /// The e-mail address of the account; Ada's unless said otherwise.
    pub account: Option<String>,
    /// How often the device waits before the code is entered.
    pub waits: usize,
    /// The ports that cannot be had.
    pub taken: Vec<u16>,
    /// What the browser was shown, in order.
    pub pages: Vec<Page>,
    /// Where the browser was sent.
    pub authorization_url: Option<Secret>,
    /// The user code that was shown.
    pub user_code: Option<Secret>,
    redirect_uri: String,
    host: String,
}

/// What a person does when a login asks for them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Way {
    /// Signs in, in the browser or with the user code.
    #[default]
    Allows,
    /// Says no.
    Denies,
    /// Signs in in another browser and pastes the address of the page that fails to load.
    Pastes,
    /// The same, with nothing but the code.
    PastesCode,
    /// Asks for a device code instead, and enters it.
    Switches,
    /// Has gone for lunch.
    Forgets,
}

impl Person {
    pub(super) fn listen(&mut self, listen: &Listen) -> Event {
        match listen.ports.iter().find(|port| !self.taken.contains(port)) {
            Some(port) => {
                let port = if *port == 0 { 49_152 } else { *port };
                self.host = format!("127.0.0.1:{port}");
                self.redirect_uri = format!("http://{}{}", self.host, listen.path);
                Event::Listening { redirect_uri: self.redirect_uri.clone() }
            }
            None => Event::ListenFailed { detail: "ports 1455 and 1457 are in use".to_owned() },
        }
    }

    pub(super) fn reads(&mut self, prompt: Prompt) -> Event {
        match prompt {
            Prompt::Browser { authorization_url, .. } => self.authorization_url = Some(authorization_url),
            Prompt::UserCode { user_code, .. } => self.user_code = Some(user_code),
        }
        Event::Presented
    }

    pub(super) fn sees(&mut self, page: Page) -> Event {
        self.pages.push(page);
        Event::Replied
    }

    pub(super) fn answers(&mut self, server: &mut AuthorizationServer, now: Timestamp) -> Event {
        if !self.strays.is_empty() {
            let stray = self.strays.remove(0);
            return if stray.starts_with('/') { self.calls(stray) } else { Event::Pasted(stray.into()) };
        }
        match self.way {
            Way::Forgets => Event::TimedOut,
            Way::Switches => Event::Switched,
            Way::Allows | Way::Denies => {
                let mut redirect = self.redirected(server, now);
                if let Some(change) = self.on_the_way.take() {
                    redirect = change(redirect);
                }
                self.calls(redirect.split_off("http://".len() + self.host.len()))
            }
            Way::Pastes => Event::Pasted(self.redirected(server, now).into()),
            Way::PastesCode => {
                let address = self.redirected(server, now);
                let code = address.split(['?', '&']).find_map(|part| part.strip_prefix("code="));
                Event::Pasted(code.expect("the address has a code").into())
            }
        }
    }

    fn calls(&self, target: String) -> Event {
        Event::Called(Call { method: "GET".to_owned(), target: target.into(), host: Some(self.host.clone()) })
    }

    /// Where the authorization server sends the browser back to.
    fn redirected(&self, server: &mut AuthorizationServer, now: Timestamp) -> String {
        let url = self.authorization_url.as_ref().expect("the person was told where to go").expose();
        let target = url.strip_prefix(ISSUER).expect("the login is at this world's server");
        let account = self.account.clone().unwrap_or_else(|| "ada@example.com".to_owned());
        server.options_mut().auto_consent =
            Some(if self.way == Way::Denies { Decision::Deny } else { Decision::Allow { account } });
        let response = server.respond(now.milliseconds(), &Request::get(target)).response;
        let location = response.header("location").unwrap_or_else(|| panic!("no redirect: {}", response.text()));
        assert!(location.starts_with(&self.redirect_uri), "{location}");
        location.to_owned()
    }

    pub(super) fn enters_code(&mut self, server: &mut AuthorizationServer) {
        let Some(code) = self.user_code.clone() else { return };
        if self.waits > 0 {
            self.waits -= 1;
            return;
        }
        let account = self.account.as_deref().unwrap_or("ada@example.com");
        match self.way {
            Way::Denies => server.deny_device(code.expose()),
            Way::Forgets => false,
            Way::Allows | Way::Switches | Way::Pastes | Way::PastesCode => {
                server.approve_device(code.expose(), account)
            }
        };
    }
}
