//! Keys and tokens that a person already has.

use alloc::boxed::Box;
use alloc::string::String;

use super::{Begun, Login, State};
use crate::claims::Claims;
use crate::record::Record;
use crate::storing::NewCredential;
use crate::whoami::Whoami;
use crate::{Error, Secret, Step, Timestamp};

impl Begun {
    /// An access token that a person has: a personal one is asked whose it is, anything else must be a JWT.
    pub(super) fn given(self: Box<Self>, token: Secret, now: Timestamp) -> Step<Login> {
        let provider = &self.request.configuration.provider;
        if !provider.is_openai() {
            let workspace = Claims::of(&token).and_then(|claims| claims.workspace().cloned());
            return self.keep(Record::personal_access_token(token), workspace.as_ref());
        }
        if token.expose().starts_with("at-") {
            let step = Whoami::start(provider, &token);
            return self.asking(step, token);
        }
        match Claims::of(&token) {
            Some(claims) if claims.expires_at().is_none_or(|expiry| expiry > now) => {
                self.keep(Record::agent_identity(token), claims.workspace())
            }
            Some(_) => Step::Done(Err(Error::value("access token", "it has expired"))),
            None => Step::Done(Err(Error::value(
                "access token",
                "it is neither a personal access token (`at-…`) nor a JWT",
            ))),
        }
    }

    pub(super) fn asking(self: Box<Self>, step: Step<Whoami>, token: Secret) -> Step<Login> {
        step.within(
            (self, token),
            |(begun, token), step| begun.at(State::Asking { step, token }),
            |(mut begun, token), result| match result {
                Ok(account) => {
                    let workspace = account.workspace_id.clone();
                    begun.account = Some(account);
                    begun.keep(Record::personal_access_token(token), workspace.as_ref())
                }
                Err(error) => Step::Done(Err(error)),
            },
        )
    }

    /// Stores an access token of a workspace, if that is permitted.
    fn keep(self: Box<Self>, record: Record, workspace: Option<&String>) -> Step<Login> {
        match self.request.configuration.permits_workspace(workspace) {
            Ok(()) => self.store_given(record, workspace.cloned()),
            Err(error) => Step::Done(Err(error)),
        }
    }

    pub(super) fn store_given(self: Box<Self>, record: Record, workspace: Option<String>) -> Step<Login> {
        let credential = NewCredential { workspace, ..NewCredential::given(record, &self.request) };
        self.store(credential)
    }
}
