//! The person of the demo, who does what people do: follows links and allows what they asked for.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use hallpass::authorization_server::AuthorizationServer;
use hallpass::{Cancellation, Exchange, Person, http};
use hallpass_core::{Event, HttpMethod, HttpRequest, Prompt, Secret};

use super::narrator::Wire;
use crate::cli::person::catch_interrupts;
use crate::cli::report::{Voice, word};

/// The account that they have.
pub(super) const ACCOUNT: &str = "ada@example.com";

pub(super) struct Visitor {
    pub(super) server: Arc<Mutex<AuthorizationServer>>,
    pub(super) wire: Wire,
    /// Whether a real person sits before a real browser.
    pub(super) is_real: bool,
    pub(super) errand: Errand,
}

/// What they are still doing in their browser.
#[derive(Clone, Default)]
pub(super) struct Errand(Arc<Mutex<Option<JoinHandle<()>>>>);

impl Errand {
    /// Waits until they are done.
    pub(super) fn finish(&self) {
        let errand = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(errand) = errand {
            // What a browser was shown or not decides nothing.
            let _ = errand.join();
        }
    }
}

impl Person for Visitor {
    fn present(&mut self, prompt: &Prompt) {
        match prompt {
            Prompt::Browser { authorization_url, .. } if self.is_real => {
                word("   Allow it in your browser. If nothing opens, go to:\n");
                word(authorization_url.expose());
                word("");
            }
            Prompt::Browser { authorization_url, .. } => {
                let (url, wire) = (authorization_url.clone(), self.wire.clone());
                let errand = std::thread::spawn(move || browse(&url, &wire));
                *self.errand.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(errand);
            }
            Prompt::UserCode { user_code, verification_uri, .. } => {
                self.wire.note("person", &format!("enters {} at {verification_uri}", user_code.expose()));
                let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
                server.approve_device(user_code.expose(), ACCOUNT);
            }
        }
    }

    fn notice(&mut self, message: &str) {
        word(&format!("   {message}"));
    }

    fn exchanged(&mut self, exchange: &Exchange) {
        self.wire.note("hallpass", &exchange.to_string());
    }

    fn engage(&mut self, cancellation: &Cancellation) {
        catch_interrupts(Voice::default(), cancellation);
    }
}

/// Follows a URL and the redirects that come, as a browser does.
fn browse(url: &Secret, wire: &Wire) {
    const MOST: usize = 5;
    let client = http::Client::new(http::Settings::from_environment());
    let mut url = url.clone();
    for _ in 0..MOST {
        let event = client.send(&get(&url), &|| false);
        let shown = url.expose().split('?').next().unwrap_or_default();
        let Event::Responded(response) = event else {
            return wire.note("browser", &format!("GET {shown} -> no answer"));
        };
        wire.note("browser", &format!("GET {shown} -> {}", response.status));
        let location = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("location"));
        match location {
            Some((_, location)) if (300..400).contains(&response.status) => url = location.clone(),
            _ => return,
        }
    }
}

/// A request that sends nothing but itself.
pub(super) fn get(url: &Secret) -> HttpRequest {
    HttpRequest {
        method: HttpMethod::Get,
        url: url.expose().to_owned(),
        headers: Vec::new(),
        body: None,
        deadline: 10_000,
        interruptible: false,
    }
}
