//! From a session to keys of Amazon Web Services: a role is assumed with a token of the session as web identity
//! (AWS STS, `AssumeRoleWithWebIdentity`).

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::claims::Claims;
use crate::endpoint::Endpoint;
use crate::home::Reading;
use crate::refresh::Refresh;
use crate::{
    AssumedRole, Effect, Error, Event, HttpMethod, HttpRequest, IdentityToken, Machine, Misused, Need, Role,
    RoleRequest, Secret, Seed, Step, Timestamp, Token, TokenRequest, form, unexpected,
};

mod answer;

/// For so long an identity must still be good when it is sent, in milliseconds.
const LEAST: u64 = 60_000;

/// Assumes a role. An identity that is no longer good is renewed once, with the session.
///
/// - `Refreshing` → (refresh) → `Assuming` with the access token, or `Reading`
/// - `Reading`    → (reading) → `Assuming` with the ID token, or `Refreshing` where it has expired
/// - `Assuming`   → `Responded` → done, or `Refreshing` where the identity counts as expired · `RequestFailed` → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Assuming {
    request: RoleRequest,
    seed: Seed,
    /// Whether the session was renewed for this.
    renewed: bool,
    state: State,
}

#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
enum State {
    Refreshing(Box<Refresh>),
    Reading { step: Box<Reading>, token: Token },
    Assuming { token: Token },
}

impl Assuming {
    pub(crate) fn start(request: RoleRequest, seed: Seed, now: Timestamp) -> Step<Self> {
        if let Err(error) = check(&request.role) {
            return Step::Done(Err(error));
        }
        let need = Need::Usable { minimum_lifetime: LEAST };
        Self::refresh(request, seed, false, need, now)
    }

    fn refresh(request: RoleRequest, seed: Seed, renewed: bool, need: Need, now: Timestamp) -> Step<Self> {
        let order = TokenRequest { configuration: request.configuration.clone(), need };
        let step = Refresh::start(order, seed.clone(), now);
        Self::refreshing(request, seed, renewed, step, now)
    }

    fn refreshing(request: RoleRequest, seed: Seed, renewed: bool, step: Step<Refresh>, now: Timestamp) -> Step<Self> {
        step.within(
            (request, seed),
            |(request, seed), step| Self { request, seed, renewed, state: State::Refreshing(step) },
            |(request, seed), result| match result {
                Ok(token) if request.role.token == IdentityToken::AccessToken => {
                    if token.token_type != "Bearer" {
                        return Step::failed(Misused::NotApplicable {
                            detail: "the access token is bound to a key, and nobody but its holder can use it"
                                .to_owned(),
                        });
                    }
                    let identity = token.access_token.clone();
                    Self { request, seed, renewed, state: State::Assuming { token } }.assume(&identity)
                }
                Ok(token) => {
                    let step = Reading::start(&request.configuration);
                    Self::reading(request, seed, renewed, token, step, now)
                }
                Err(error) => Step::Done(Err(error)),
            },
        )
    }

    fn reading(
        request: RoleRequest,
        seed: Seed,
        renewed: bool,
        token: Token,
        step: Step<Reading>,
        now: Timestamp,
    ) -> Step<Self> {
        step.within(
            (request, seed, token),
            |(request, seed, token), step| Self { request, seed, renewed, state: State::Reading { step, token } },
            |(request, seed, token), result| {
                let held = match result {
                    Ok(held) => held,
                    Err(error) => return Step::Done(Err(error)),
                };
                let record = match held.record() {
                    Ok(record) => record,
                    Err(error) => return Step::Done(Err(error)),
                };
                let Some(identity) = record.tokens().and_then(|tokens| tokens.id_token()) else {
                    return Step::failed(Misused::NotApplicable {
                        detail: "there is no ID token in what is stored, and the role is assumed with one".to_owned(),
                    });
                };
                let end = Claims::of(identity).and_then(|claims| claims.expires_at());
                if !renewed && end.is_some_and(|end| end.since(now) < i64::try_from(LEAST).unwrap_or(0)) {
                    return Self::refresh(request, seed, true, Need::Fresh, now);
                }
                Self { request, seed, renewed, state: State::Assuming { token } }.assume(identity)
            },
        )
    }

    fn assume(self, identity: &Secret) -> Step<Self> {
        let role = &self.request.role;
        let duration = role.duration.map(|seconds| format!("{seconds}"));
        let mut parameters = alloc::vec![
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", &role.role_arn),
            ("RoleSessionName", &role.session_name),
            ("WebIdentityToken", identity.expose()),
        ];
        parameters.extend(duration.as_deref().map(|seconds| ("DurationSeconds", seconds)));
        let request = HttpRequest {
            method: HttpMethod::Post,
            url: role.endpoint.clone(),
            headers: [
                ("content-type".to_owned(), "application/x-www-form-urlencoded".into()),
                ("accept".to_owned(), "application/xml".into()),
            ]
            .into(),
            body: Some(form::encode(&parameters).into()),
            deadline: form::DEADLINE,
            interruptible: true,
        };
        Step::perform(self, Effect::Http(request))
    }
}

impl Machine for Assuming {
    type Output = AssumedRole;

    fn step(self: Box<Self>, now: Timestamp, event: Event) -> Step<Self> {
        let Self { request, seed, renewed, state } = *self;
        match (state, event) {
            (State::Refreshing(step), event) => Self::refreshing(request, seed, renewed, step.step(now, event), now),
            (State::Reading { step, token }, event) => {
                Self::reading(request, seed, renewed, token, step.step(now, event), now)
            }
            (State::Assuming { token }, Event::Responded(response)) => {
                match answer::read(&host(&request.role.endpoint), &response) {
                    Ok(keys) => Step::Done(Ok(AssumedRole { warnings: token.warnings, ..keys })),
                    Err(failure) if failure.is_expired && !renewed => {
                        Self::refresh(request, seed, true, Need::Fresh, now)
                    }
                    Err(failure) => Step::Done(Err(failure.error)),
                }
            }
            (State::Assuming { .. }, Event::RequestFailed(failure)) => {
                Step::failed(Error::unreached(host(&request.role.endpoint), failure))
            }
            (State::Assuming { .. }, event) => Step::Done(Err(unexpected(&event))),
        }
    }
}

/// Whether a role can be asked for: nothing is sent to an address that is no proper one.
fn check(role: &Role) -> Result<(), Error> {
    let is_name = |character: char| character.is_ascii_alphanumeric() || "_+=,.@-".contains(character);
    if !role.role_arn.starts_with("arn:") || role.role_arn.chars().any(|character| !character.is_ascii_graphic()) {
        return Err(Error::value("role_arn", "it is no ARN of a role, as in `arn:aws:iam::123456789012:role/NAME`"));
    }
    if !(2..=64).contains(&role.session_name.len()) || !role.session_name.chars().all(is_name) {
        return Err(Error::value("session_name", "it is not 2 to 64 letters, digits or any of `_+=,.@-`"));
    }
    if role.duration.is_some_and(|seconds| !(900..=43_200).contains(&seconds)) {
        return Err(Error::value("duration", "it is not between 900 and 43200 seconds"));
    }
    Endpoint::parse(&role.endpoint).map(drop).map_err(|why| Error::value("endpoint", format!("it {why}")))
}

fn host(endpoint: &str) -> String {
    Endpoint::parse(endpoint).map_or_else(|_| endpoint.to_owned(), |endpoint| endpoint.host().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    #[test]
    fn a_role_that_cannot_be_is_not_asked_for() {
        let role = Role {
            role_arn: "arn:aws:iam::123456789012:role/dev".to_owned(),
            session_name: "ada@example.com".to_owned(),
            endpoint: "https://sts.eu-central-1.amazonaws.com/".to_owned(),
            duration: None,
            token: IdentityToken::IdToken,
        };
        assert_eq!(check(&role), Ok(()));
        assert_eq!(check(&Role { duration: Some(43_200), ..role.clone() }), Ok(()));
        for (what, role) in [
            ("role_arn", Role { role_arn: "dev".to_owned(), ..role.clone() }),
            ("role_arn", Role { role_arn: "arn:aws\n".to_owned(), ..role.clone() }),
            ("session_name", Role { session_name: "a".to_owned(), ..role.clone() }),
            ("session_name", Role { session_name: "a b".to_owned(), ..role.clone() }),
            ("duration", Role { duration: Some(899), ..role.clone() }),
            ("endpoint", Role { endpoint: "http://sts.amazonaws.com/".to_owned(), ..role.clone() }),
            ("endpoint", Role { endpoint: "https://sts.amazonaws.com@evil.example/".to_owned(), ..role.clone() }),
        ] {
            let error = check(&role).unwrap_err();
            assert!(error.to_string().starts_with(what), "{error}");
        }
    }
}
