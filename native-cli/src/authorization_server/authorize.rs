//! The authorization endpoint (RFC 6749, section 4.1.1; RFC 7636; RFC 9207).

use super::AuthorizationServer;
use super::account_pages::{self, Consent};
use super::interaction::Question;
use super::journal::Happening;
use super::message::Response;
use super::mint::digest;
use super::options::{Account, Client, Decision, PushedAuthorization};
use super::pages;
use super::parameters::{Malformed, Parameters};
use super::redirect_uri;
use super::routes::Turn;
use super::token::Code;

/// An authorization request that was found good.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct AuthorizationRequest {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) scope: String,
    pub(super) nonce: Option<String>,
    pub(super) challenge: String,
    /// The thumbprint of the key that the code is bound to (RFC 9449, section 10).
    pub(super) thumbprint: Option<String>,
}

/// An `error` of RFC 6749, section 4.1.2.1, and its description.
type Refusal = (&'static str, &'static str);

impl AuthorizationServer {
    pub(super) fn authorization(&mut self, turn: &Turn<'_>) -> Response {
        if turn.request.method == "POST" {
            return self.authorization_decided(turn);
        }
        let parameters = match Parameters::of_query(turn.request) {
            Ok(parameters) => parameters,
            Err(Malformed(why)) => return pages::problem(400, "This request is malformed", why),
        };
        if let Some(request_uri) = parameters.get("request_uri") {
            let client_id = parameters.get("client_id").unwrap_or_default();
            let Some(request) = self.pushed_request(request_uri, client_id) else {
                return pages::problem(
                    400,
                    "This request cannot be answered",
                    "request_uri is unknown or has expired.",
                );
            };
            let Some(client) = self.find_client(client_id) else {
                return pages::problem(400, "This request cannot be answered", "client_id is unknown.");
            };
            return self.ask_or_decide(turn, &client, request);
        }
        let (client, redirect_uri) = match self.where_to_answer(&parameters) {
            Ok(found) => found,
            Err(why) => return pages::problem(400, "This request cannot be answered", why),
        };
        let state = parameters.get("state");
        if self.options.pushed_authorization == PushedAuthorization::Required {
            let refusal = ("invalid_request", "authorization requests must be pushed");
            return self.refuse(&redirect_uri, state, refusal);
        }
        match check(&client, &redirect_uri, &parameters) {
            Ok(request) => self.ask_or_decide(turn, &client, request),
            Err(refusal) => self.refuse(&redirect_uri, state, refusal),
        }
    }

    fn ask_or_decide(&mut self, turn: &Turn<'_>, client: &Client, request: AuthorizationRequest) -> Response {
        match self.options.auto_consent.clone() {
            Some(Decision::Deny) => self.decide(&request, None),
            Some(Decision::Allow { account }) => {
                if let Some(account) = self.find_account(&account) {
                    return self.decide(&request, Some(&account));
                }
                let refusal = ("server_error", "no such test account");
                self.refuse(&request.redirect_uri, request.state.as_deref(), refusal)
            }
            None => self.show_consent(turn, client, request),
        }
    }

    fn show_consent(&mut self, turn: &Turn<'_>, client: &Client, request: AuthorizationRequest) -> Response {
        self.note(Happening::ConsentAsked { client_id: client.id.clone() });
        let scope = request.scope.clone();
        let target = redirect_uri::form_action_source(&request.redirect_uri);
        let destination = request.redirect_uri.clone();
        let interaction = self.ask(Question::Authorize(request));
        account_pages::consent(&Consent {
            client: &client.name,
            scope: &scope,
            users: &self.options.users,
            interaction: &interaction,
            action: turn.request.path(),
            destination: Some(&destination),
            user_code: None,
            form_action: &target,
        })
    }

    fn authorization_decided(&mut self, turn: &Turn<'_>) -> Response {
        let answered = Parameters::of_form(turn.request).ok().and_then(|parameters| self.answered(&parameters));
        match answered {
            Some((Question::Authorize(request), account)) => self.decide(&request, account.as_ref()),
            _ => pages::problem(
                400,
                "This page is out of date",
                "It was answered before, or too long ago. Start the sign-in again.",
            ),
        }
    }

    fn decide(&mut self, request: &AuthorizationRequest, account: Option<&Account>) -> Response {
        let Some(account) = account else {
            let refusal = ("access_denied", "The user refused.");
            return self.refuse(&request.redirect_uri, request.state.as_deref(), refusal);
        };
        let code = self.issue_code(request, account);
        self.answer(&request.redirect_uri, request.state.as_deref(), &[("code", &code)])
    }

    /// Mints an authorization code for a decision that was made.
    pub(super) fn issue_code(&mut self, request: &AuthorizationRequest, account: &Account) -> String {
        self.note(Happening::ConsentGiven { client_id: request.client_id.clone(), account_id: account.id.clone() });
        let code = self.mint.secret("", "authorization code");
        let lifetime = self.options.authorization_code_lifetime_ms;
        let known = Code {
            request: request.clone(),
            account_id: account.id.clone(),
            expires_at: self.now.saturating_add(lifetime),
            family: None,
        };
        self.codes.insert(digest(&code), known);
        code
    }

    fn refuse(&mut self, redirect_uri: &str, state: Option<&str>, refusal: Refusal) -> Response {
        let (error, description) = refusal;
        self.note(Happening::AuthorizationRefused { error: error.to_owned() });
        let answer = [("error", error), ("error_description", description)];
        self.answer(redirect_uri, state, &answer)
    }

    fn answer(&self, redirect_uri: &str, state: Option<&str>, answer: &[(&str, &str)]) -> Response {
        let mut answer = answer.to_vec();
        answer.extend(state.map(|state| ("state", state)));
        answer.push(("iss", &self.options.issuer));
        Response::redirect(302, &redirect_uri::with_answer(redirect_uri, &answer))
    }

    /// The client and its redirect URI: without these an answer has nowhere to go.
    pub(super) fn where_to_answer(&self, parameters: &Parameters) -> Result<(Client, String), &'static str> {
        let id = parameters.get("client_id").ok_or("client_id is missing.")?;
        let client = self.find_client(id).ok_or("client_id is not that of a registered client.")?;
        let uri = parameters.get("redirect_uri").ok_or("redirect_uri is missing.")?;
        if redirect_uri::is_registered(&client, uri) {
            Ok((client, uri.to_owned()))
        } else {
            Err("redirect_uri is not registered for this client.")
        }
    }
}

pub(super) fn check(
    client: &Client,
    redirect_uri: &str,
    parameters: &Parameters,
) -> Result<AuthorizationRequest, Refusal> {
    match parameters.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(("unsupported_response_type", "response_type must be code")),
        None => return Err(("invalid_request", "response_type is missing")),
    }
    if !matches!(parameters.get("response_mode"), None | Some("query")) {
        return Err(("invalid_request", "response_mode must be query"));
    }
    let challenge = parameters.get("code_challenge").ok_or(("invalid_request", "code_challenge is missing"))?;
    if parameters.get("code_challenge_method") != Some("S256") {
        return Err(("invalid_request", "code_challenge_method must be S256"));
    }
    let is_base64url = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if challenge.len() != 43 || !challenge.chars().all(is_base64url) {
        let why = "code_challenge is not the base64url of a SHA-256";
        return Err(("invalid_request", why));
    }
    Ok(AuthorizationRequest {
        client_id: client.id.clone(),
        redirect_uri: redirect_uri.to_owned(),
        state: parameters.get("state").map(str::to_owned),
        scope: granted_scope(client, parameters.get("scope").unwrap_or_default())
            .ok_or(("invalid_scope", "the client may have none of this scope"))?,
        nonce: parameters.get("nonce").map(str::to_owned),
        challenge: challenge.to_owned(),
        thumbprint: parameters.get("dpop_jkt").map(str::to_owned),
    })
}

/// The part of `asked` that the client may have; none if nothing is left (RFC 6749, section 3.3).
pub(super) fn granted_scope(client: &Client, asked: &str) -> Option<String> {
    let granted: Vec<&str> = asked
        .split_ascii_whitespace()
        .filter(|value| {
            let allowed = client.scope.as_ref();
            allowed.is_none_or(|allowed| allowed.iter().any(|found| found == value))
        })
        .collect();
    let nothing_left = granted.is_empty() && !asked.trim().is_empty();
    (!nothing_left).then(|| granted.join(" "))
}
