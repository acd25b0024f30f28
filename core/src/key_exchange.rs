//! OpenAI: an API key for a person who has just signed in (RFC 8693, as Codex asks for it).

use alloc::boxed::Box;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::authenticating::ClientProof;
use crate::browser_login::Client;
use crate::token_response::{self, TokenSet};
use crate::{Effect, Error, Event, Machine, Secret, Step, Timestamp, unexpected};

/// One exchange of an `id_token` for an API key.
///
/// - `Asking` → `Responded`, `RequestFailed` → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct KeyExchange {
    server: String,
}

impl KeyExchange {
    /// Begins, where the provider has such an exchange and there is something to exchange.
    pub(crate) fn start(client: &Client, set: &TokenSet) -> Option<Step<Self>> {
        let id_token = set.id_token.as_ref().filter(|_| client.provider.is_openai())?;
        let parameters = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("requested_token", "openai-api-key"),
            ("subject_token", id_token.expose()),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
        ];
        let request = ClientProof::None.post(&client.provider, &client.endpoints.token, &parameters);
        Some(Step::perform(Self { server: client.provider.host() }, Effect::Http(request)))
    }
}

impl Machine for KeyExchange {
    type Output = Secret;

    fn step(self: Box<Self>, _: Timestamp, event: Event) -> Step<Self> {
        match event {
            Event::Responded(response) => {
                Step::Done(token_response::tokens(&self.server, &response, false).map(|set| set.access_token))
            }
            Event::RequestFailed(failure) => Step::failed(Error::unreached(self.server, failure)),
            event => Step::Done(Err(unexpected(&event))),
        }
    }
}
