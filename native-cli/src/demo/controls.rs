//! What the playground may ask for besides: faults, and what the server has seen.
//!
//! Only the page itself is answered. What a form of another site can send has no header of its own choosing, and what
//! a script of another site sends with one is asked for permission first, which is not given.

use std::sync::{Mutex, PoisonError};

use hallpass::authorization_server::{
    AuthorizationServer, Endpoint, Entry, FamilyId, Fault, Happening, Request, Response, Rotation,
};
use serde_json::{Value, json};

const PATH: &str = "/demo/";
/// The header that says that the page asks.
const HEADER: &str = "Hallpass-Demo";

/// Answers what the page asks.
pub(super) fn answer(request: &Request, server: &Mutex<AuthorizationServer>) -> Option<Response> {
    let name = request.path().strip_prefix(PATH)?;
    let mut server = server.lock().unwrap_or_else(PoisonError::into_inner);
    if !is_from_the_page(request, &server.options().issuer) {
        return Some(refusal(403, "only the playground may ask for this"));
    }
    Some(match (request.method.as_str(), name) {
        ("GET", "journal") => journal(&server, number(request.query()).unwrap_or(0)),
        ("POST", name) => match control(&mut server, name, number(request.query())) {
            Some(done) => Response::of_json(200, &done),
            None => refusal(404, "there is no such control"),
        },
        _ => refusal(405, "controls are posted"),
    })
}

fn is_from_the_page(request: &Request, issuer: &str) -> bool {
    request.header(HEADER) == Some("1")
        && request.header("Origin").is_none_or(|origin| origin == issuer)
        && request.header("Sec-Fetch-Site").is_none_or(|site| site == "same-origin")
}

/// Does what a control says, and tells what there is to tell; nothing where there is no such control.
fn control(server: &mut AuthorizationServer, name: &str, value: Option<u32>) -> Option<Value> {
    Some(match name {
        "expire" => json!({ "expired": server.expire_access_tokens(hallpass::now().milliseconds()) }),
        "revoke" => {
            let families: Vec<FamilyId> = server.families().map(|family| family.id).collect();
            let revoked = families.into_iter().filter(|id| server.revoke_family(*id)).count();
            json!({ "revoked": revoked })
        }
        "lifetime" => {
            let seconds = value.unwrap_or(3600).clamp(10, 86_400);
            server.options_mut().access_token_lifetime_ms = i64::from(seconds) * 1000;
            json!({ "seconds": seconds })
        }
        // How long a spent refresh token may come again; 0 is never.
        "grace" => {
            let seconds = i64::from(value.unwrap_or(0).min(600));
            server.options_mut().rotation =
                if seconds == 0 { Rotation::Strict } else { Rotation::Grace(seconds * 1000) };
            json!({ "seconds": seconds })
        }
        // What is left strikes the next request to the token endpoint.
        name => {
            server.inject(Endpoint::Token, fault(name)?);
            json!({})
        }
    })
}

fn fault(name: &str) -> Option<Fault> {
    Some(match name {
        "lose" => Fault::LoseAnswer,
        "slow" => Fault::Latency { ms: 3000 },
        "refuse" => Fault::Status { status: 503, retry_after: Some(1), processed: false },
        _ => return None,
    })
}

/// What has happened since the entry with this number.
fn journal(server: &AuthorizationServer, since: u32) -> Response {
    let entries = server.journal();
    let new = entries.get(since as usize..).unwrap_or_default();
    let lines: Vec<Value> = new.iter().map(|entry| json!({ "at": entry.at, "text": words(entry) })).collect();
    let options = server.options();
    let grace = if let Rotation::Grace(milliseconds) = options.rotation { milliseconds / 1000 } else { 0 };
    let body = json!({
        "token_requests": server.token_requests(),
        "next": entries.len(),
        "entries": lines,
        "lifetime": options.access_token_lifetime_ms / 1000,
        "grace": grace,
    });
    Response::of_json(200, &body)
}

fn words(Entry { happening, .. }: &Entry) -> String {
    match happening {
        Happening::ConsentAsked { client_id } => format!("asks the person about {client_id}"),
        Happening::ConsentGiven { account_id, .. } => format!("{account_id} allows it"),
        Happening::AuthorizationRefused { error } => format!("refuses the authorization: {error}"),
        Happening::DeviceStarted { .. } => "hands out a user code".to_owned(),
        Happening::DevicePolled { outcome } => format!("a device asks: {outcome}"),
        Happening::DeviceDecided { account_id: Some(id) } => format!("{id} allows the device"),
        Happening::DeviceDecided { account_id: None } => "the person refuses the device".to_owned(),
        Happening::FamilyStarted { family, .. } => format!("session {} begins", family.0),
        Happening::Refreshed { family, generation } => {
            format!("session {}: refresh token {generation} is spent for the next", family.0)
        }
        Happening::SuccessorReplayed { family, .. } => format!("session {}: the same successor again", family.0),
        Happening::CodeReplayed { family } => format!("session {}: its code came twice", family.0),
        Happening::RefreshTokenReused { family, generation } => {
            format!("session {}: spent refresh token {generation} came again", family.0)
        }
        Happening::FamilyRevoked { family, reason } => format!("session {} is revoked: {reason:?}", family.0),
        Happening::TokenRefused { error } => format!("refuses a token: {error}"),
        Happening::ResourceServed { status } => format!("the API answers {status}"),
        Happening::FaultApplied { endpoint, fault } => format!("fault at {endpoint:?}: {fault}"),
        Happening::ApiKeyIssued { .. } => "issues an API key".to_owned(),
        Happening::UnknownTokenRevoked => "was to revoke a token that it does not know".to_owned(),
    }
}

/// The one parameter of a control.
fn number(query: &str) -> Option<u32> {
    query.split_once('=')?.1.parse().ok()
}

fn refusal(status: u16, why: &str) -> Response {
    Response::of_json(status, &json!({ "error": why }))
}
