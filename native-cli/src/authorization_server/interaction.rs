//! What a page asked, remembered until the user answers.
//!
//! The page carries an identifier that only its reader knows, so no other site can answer for the
//! user (RFC 6749, section 10.12).

use super::AuthorizationServer;
use super::authorize::AuthorizationRequest;
use super::mint::{Digest, digest};
use super::options::Account;
use super::parameters::Parameters;

const LIFETIME_MS: i64 = 1_800_000;

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Interaction {
    pub(super) expires_at: i64,
    pub(super) question: Question,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Question {
    Authorize(AuthorizationRequest),
    Device(Digest),
}

impl AuthorizationServer {
    /// Remembers `question` and returns the identifier for the page.
    pub(super) fn ask(&mut self, question: Question) -> String {
        let id = self.mint.secret("", "interaction");
        let expires_at = self.now.saturating_add(LIFETIME_MS);
        let interaction = Interaction { expires_at, question };
        self.interactions.insert(digest(&id), interaction);
        id
    }

    /// What the page asked and whom the user chose; none if the user refused. A page can be
    /// answered once.
    pub(super) fn answered(&mut self, parameters: &Parameters) -> Option<(Question, Option<Account>)> {
        let id = digest(parameters.get("interaction")?);
        let account = match parameters.get("decision")? {
            "allow" => Some(self.find_account(parameters.get("account")?)?),
            "deny" => None,
            _ => return None,
        };
        let interaction = self.interactions.remove(&id)?;
        (interaction.expires_at > self.now).then_some((interaction.question, account))
    }
}
