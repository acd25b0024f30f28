//! Keys and tokens that a person already has.

use super::{Begun, Login, State};
use crate::claims::Claims;
use crate::record::Record;
use crate::storing::NewCredential;
use crate::whoami::Whoami;
use crate::{Error, Secret, Step, Timestamp};

impl Begun {
    /// An access token that a person has: a personal one is asked whose it is, anything else must be a JWT.
    pub(super) fn given(self, token: Secret, now: Timestamp) -> Step<Login> {
        let provider = &self.request.configuration.provider;
        if !provider.is_openai() {
            return self.store_given(Record::personal_access_token(token));
        }
        if token.expose().starts_with("at-") {
            let step = Whoami::start(provider, &token);
            return self.asking(step, token);
        }
        match Claims::of(&token) {
            Some(claims) if claims.expires_at().is_none_or(|expiry| expiry > now) => {
                self.store_given(Record::agent_identity(token))
            }
            Some(_) => Step::Done(Err(Error::value("access token", "it has expired"))),
            None => Step::Done(Err(Error::value(
                "access token",
                "it is neither a personal access token (`at-…`) nor a JWT",
            ))),
        }
    }

    pub(super) fn asking(self, step: Step<Whoami>, token: Secret) -> Step<Login> {
        step.within(
            (self, token),
            |(begun, token), step| begun.at(State::Asking { step, token }),
            |(begun, token), result| match result {
                Ok(account) => {
                    Self { account: Some(account), ..begun }.store_given(Record::personal_access_token(token))
                }
                Err(error) => Step::Done(Err(error)),
            },
        )
    }

    pub(super) fn store_given(self, record: Record) -> Step<Login> {
        let credential = NewCredential::given(record, &self.request);
        self.store(credential)
    }
}
