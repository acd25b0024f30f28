//! Asking OpenAI whose personal access token this is, as Codex does before it stores one.

use alloc::boxed::Box;
use alloc::format;

use serde::{Deserialize, Serialize};

use crate::json::{self, Text};
use crate::{
    Account, Effect, Error, Event, Machine, Provider, Refused, Secret, Step, Timestamp, form, token_response,
    unexpected,
};

const PATH: &str = "/api/accounts/v1/user-auth-credential/whoami";

/// One question.
///
/// - `Asking` → `Responded`, `RequestFailed` → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Whoami {
    server: alloc::string::String,
}

struct Answer {
    email: Text,
    chatgpt_user_id: Text,
    chatgpt_account_id: Text,
    chatgpt_plan_type: Text,
}

json::object! { Answer { email, chatgpt_user_id, chatgpt_account_id, chatgpt_plan_type } }

impl Whoami {
    pub(crate) fn start(provider: &Provider, token: &Secret) -> Step<Self> {
        let url = format!("{}{PATH}", provider.issuer.trim_end_matches('/'));
        let bearer = Secret::new(format!("Bearer {}", token.expose()));
        let request = form::get(&url, [("authorization".into(), bearer)].into());
        Step::perform(Self { server: provider.host() }, Effect::Http(request))
    }
}

impl Machine for Whoami {
    type Output = Account;

    fn step(self: Box<Self>, _: Timestamp, event: Event) -> Step<Self> {
        let Self { server } = *self;
        match event {
            Event::Responded(response) if response.is_success() => {
                match json::parse::<Answer>(response.body.expose()) {
                    Ok(answer) => Step::Done(Ok(Account {
                        email: answer.email.0,
                        id: answer.chatgpt_account_id.0.clone(),
                        user_id: answer.chatgpt_user_id.0,
                        workspace_id: answer.chatgpt_account_id.0,
                        plan: answer.chatgpt_plan_type.0,
                    })),
                    Err(error) => Step::Done(Err(Error::malformed(&server, "an account", error))),
                }
            }
            Event::Responded(response) if matches!(response.status, 401 | 403) => {
                Step::failed(Refused::Credential { server })
            }
            Event::Responded(response) => Step::Done(Err(token_response::failure(&server, &response))),
            Event::RequestFailed(failure) => Step::failed(Error::unreached(server, failure)),
            event => Step::Done(Err(unexpected(&event))),
        }
    }
}
