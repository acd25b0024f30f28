//! `hallpass credential git`: a credential helper of git.

use std::process::ExitCode;

use hallpass_core::{Error, LoginRequired, Need, Token};
use zeroize::Zeroizing;

use super::super::arguments::Global;
use super::super::failure::Failure;
use super::super::report::{Voice, data};
use super::super::session::Session;
use super::git_request::{Request, Scheme};
use super::{USABLE, input, token};

/// The name that goes with a token where none is asked for: GitHub's.
const USERNAME: &str = "x-access-token";

pub(super) fn run(global: &Global, operation: &str, voice: Voice) -> Result<ExitCode, Failure> {
    let request = Request::parse(&input::read("git")?)?;
    // Of other operations, those of the future among them, a helper says nothing.
    if !["get", "erase"].contains(&operation) {
        return Ok(ExitCode::SUCCESS);
    }
    let session = Session::open(global)?;
    let helper = session.config.helper("git")?;
    if !request.host().is_some_and(|host| helper.allows(host)) {
        return Ok(ExitCode::SUCCESS);
    }
    if operation == "erase" {
        erase(&session, &request, voice)?;
    } else {
        let username = request.username().or(helper.username.as_deref()).unwrap_or(USERNAME);
        data(&answer(&token(&session, USABLE, voice)?, request.scheme(), username)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The host has refused this token: the next `get` finds another one.
fn erase(session: &Session, request: &Request, voice: Voice) -> Result<(), Failure> {
    let Some(rejected) = request.rejected() else { return Ok(()) };
    match token(session, Need::Replacement { rejected: rejected.clone() }, voice) {
        // Then it was another helper's.
        Err(Failure::Flow(Error::LoginRequired(LoginRequired::NotLoggedIn | LoginRequired::AnotherAccount))) => Ok(()),
        other => other.map(drop),
    }
}

fn answer(token: &Token, scheme: Scheme, username: &str) -> Result<Zeroizing<String>, Failure> {
    let secret = token.access_token.expose();
    // A line of the token would be a line of the protocol.
    if secret.contains(char::is_control) {
        return Err(Failure::local("token", "the stored token holds a control character", "run `hallpass login`"));
    }
    let mut answer = Zeroizing::new(match scheme {
        Scheme::Bearer => format!("capability[]=authtype\nauthtype=Bearer\nephemeral=1\ncredential={secret}"),
        Scheme::Basic => format!("username={username}\npassword={secret}"),
    });
    if let Some(expires_at) = token.expires_at {
        let line = format!("\npassword_expiry_utc={}", expires_at.milliseconds() / 1000);
        answer.push_str(&line);
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_core::{Secret, Timestamp, TokenOrigin};

    fn token(secret: &str, expires_at: Option<Timestamp>) -> Token {
        Token {
            access_token: Secret::from(secret),
            token_type: "bearer\nhost=evil.example".into(),
            expires_at,
            account_id: None,
            origin: TokenOrigin::Stored,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn an_answer_is_lines_of_the_protocol() {
        let expiring = token("at-1", Some(Timestamp::from_milliseconds(1_999)));
        assert_eq!(
            answer(&expiring, Scheme::Bearer, "ada").unwrap().as_str(),
            "capability[]=authtype\nauthtype=Bearer\nephemeral=1\ncredential=at-1\npassword_expiry_utc=1"
        );
        assert_eq!(answer(&token("at-1", None), Scheme::Basic, "ada").unwrap().as_str(), "username=ada\npassword=at-1");
    }

    #[test]
    fn a_token_adds_no_line() {
        for secret in ["at\n1", "at\r1", "at\u{0}1"] {
            assert_eq!(answer(&token(secret, None), Scheme::Basic, "ada").unwrap_err().exit_code(), 5);
        }
    }
}
