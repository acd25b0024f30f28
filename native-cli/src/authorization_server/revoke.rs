//! The revocation endpoint (RFC 7009), with a form or, in OpenAI's dialect, a JSON body.

use super::AuthorizationServer;
use super::journal::{Happening, Revocation};
use super::message::Response;
use super::mint::digest;
use super::options::Dialect;
use super::parameters::Parameters;
use super::routes::Turn;
use super::token::Refusal;

impl AuthorizationServer {
    pub(super) fn revocation(&mut self, turn: &Turn<'_>) -> Response {
        match self.revoke_presented(turn) {
            Ok(()) => Response::empty(200).with_header("Cache-Control", "no-store"),
            Err(refusal) => refusal.standard(),
        }
    }

    fn revoke_presented(&mut self, turn: &Turn<'_>) -> Result<(), Refusal> {
        let speaks_json = turn.dialect == Dialect::OpenAi && turn.request.is_json();
        let parameters =
            if speaks_json { Parameters::of_json(turn.request)? } else { Parameters::of_form(turn.request)? };
        // The Codex CLI leaves its client id out when it revokes an access token.
        let may_be_anonymous = speaks_json && parameters.get("client_id").is_none();
        let client = if may_be_anonymous { None } else { Some(self.authenticate(turn, &parameters)?) };
        let token = parameters.get("token").ok_or(Refusal::invalid_request("token is missing"))?;
        let holder = |family| self.families.get(family).map(|found| &found.client_id);
        let family = self
            .family_of(token)
            .filter(|&family| client.as_ref().is_none_or(|client| holder(family) == Some(&client.id)));
        let known_key = self.keys.remove(&digest(token)).is_some();
        match family {
            Some(family) => {
                for family in self.families_of_session(family) {
                    self.revoke(family, Revocation::Requested);
                }
            }
            None if known_key => {}
            None => self.note(Happening::UnknownTokenRevoked),
        }
        Ok(())
    }
}
