//! Finding an authorization server's endpoints (OpenID Connect Discovery; RFC 8414).

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::json;
use crate::{
    Effect, Endpoints, Error, Event, Machine, Misbehaved, Provider, Step, Timestamp, Unavailable, form, token_response,
    unexpected,
};

/// Asks an issuer for its metadata at the two well-known places.
///
/// - `AskingOpenId` → `Responded` → done, or `AskingOAuth` where the server has nothing there
/// - `AskingOAuth`  → `Responded` → done
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) enum Discovery {
    AskingOpenId { issuer: String },
    AskingOAuth { issuer: String },
}

/// Authorization server metadata (RFC 8414, section 2), as far as it is used.
struct Metadata {
    issuer: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    device_authorization_endpoint: Option<String>,
    pushed_authorization_request_endpoint: Option<String>,
    require_pushed_authorization_requests: bool,
    code_challenge_methods_supported: Option<Vec<String>>,
    dpop_signing_alg_values_supported: Option<Vec<String>>,
    authorization_response_iss_parameter_supported: bool,
}

json::object! {
    Metadata {
        issuer,
        authorization_endpoint,
        token_endpoint,
        revocation_endpoint,
        device_authorization_endpoint,
        pushed_authorization_request_endpoint,
        require_pushed_authorization_requests = false,
        code_challenge_methods_supported,
        dpop_signing_alg_values_supported,
        authorization_response_iss_parameter_supported = false,
    }
}

impl Discovery {
    /// The endpoints of a provider: at once where they are known, else from its issuer.
    pub(crate) fn start(provider: &Provider) -> Step<Self> {
        if let Err(error) = provider.check() {
            return Step::Done(Err(error));
        }
        if let Some(endpoints) = &provider.endpoints {
            return Step::Done(Ok(endpoints.clone()));
        }
        let issuer = provider.issuer.clone();
        // OpenID appends the well-known path to the issuer.
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        Step::perform(Self::AskingOpenId { issuer }, Effect::Http(form::get(&url, Vec::new())))
    }
}

impl Machine for Discovery {
    type Output = Endpoints;

    fn step(self: Box<Self>, _: Timestamp, event: Event) -> Step<Self> {
        let (Self::AskingOpenId { issuer } | Self::AskingOAuth { issuer }) = &*self;
        let server = host(issuer);
        match event {
            Event::Responded(response) if response.status == 200 => Step::Done(read(issuer, response.body.expose())),
            Event::Responded(response) if response.status < 500 && response.status != 429 => match *self {
                Self::AskingOpenId { issuer } => {
                    let url = inserted(&issuer);
                    Step::perform(Self::AskingOAuth { issuer }, Effect::Http(form::get(&url, Vec::new())))
                }
                Self::AskingOAuth { .. } => Step::failed(token_response::failure(&server, &response)),
            },
            Event::Responded(response) => Step::failed(Unavailable::Server { server, status: response.status }),
            Event::RequestFailed(failure) => Step::failed(Error::unreached(server, failure)),
            event => Step::Done(Err(unexpected(&event))),
        }
    }
}

/// RFC 8414, section 3.1, puts the well-known path between host and path.
fn inserted(issuer: &str) -> String {
    let path = Endpoint::parse(issuer).map_or("", Endpoint::path);
    let origin = issuer.get(..issuer.len().saturating_sub(path.len())).unwrap_or(issuer);
    format!("{origin}/.well-known/oauth-authorization-server{}", path.trim_end_matches('/'))
}

fn read(issuer: &str, body: &str) -> Result<Endpoints, Error> {
    let server = host(issuer);
    let malformed = |detail: String| Error::malformed(&server, "authorization server metadata", detail);
    let metadata: Metadata = json::parse(body).map_err(malformed)?;
    if metadata.issuer != issuer {
        let found = crate::text::plain(&metadata.issuer);
        return Err(Misbehaved::Issuer { expected: issuer.into(), found }.into());
    }
    // A server that announces no methods may still do S256; one that announces others does not.
    if metadata.code_challenge_methods_supported.is_some_and(|methods| !methods.iter().any(|method| method == "S256")) {
        return Err(Misbehaved::NoS256 { server }.into());
    }
    let endpoints = Endpoints {
        authorization: metadata.authorization_endpoint,
        token: metadata.token_endpoint.ok_or_else(|| malformed("`token_endpoint` is missing".into()))?,
        revocation: metadata.revocation_endpoint,
        device_authorization: metadata.device_authorization_endpoint,
        requires_pushed_authorization: metadata.require_pushed_authorization_requests
            && metadata.pushed_authorization_request_endpoint.is_some(),
        pushed_authorization: metadata.pushed_authorization_request_endpoint,
        dpop_algorithms: metadata.dpop_signing_alg_values_supported.unwrap_or_default(),
        names_issuer: metadata.authorization_response_iss_parameter_supported,
    };
    endpoints.check(&server)?;
    Ok(endpoints)
}

fn host(issuer: &str) -> String {
    Endpoint::parse(issuer).map_or(issuer, Endpoint::authority).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_path_stands_between_host_and_path() {
        assert_eq!(inserted("https://id.example"), "https://id.example/.well-known/oauth-authorization-server");
        assert_eq!(inserted("https://id.example/"), "https://id.example/.well-known/oauth-authorization-server");
        assert_eq!(inserted("https://id.example/a/b"), "https://id.example/.well-known/oauth-authorization-server/a/b");
    }

    #[test]
    fn the_issuer_is_compared_exactly() {
        for (found, matches) in
            [("https://id.example", true), ("https://id.example/", false), ("https://ID.example", false)]
        {
            let body = format!(r#"{{"issuer":"{found}","token_endpoint":"https://id.example/token"}}"#);
            assert_eq!(read("https://id.example", &body).is_ok(), matches, "{found}");
        }
    }

    #[test]
    fn metadata_that_cannot_be_used() {
        let code = |rest: &str| {
            read("https://id.example", &format!(r#"{{"issuer":"https://id.example"{rest}}}"#))
                .map_err(|error| error.code())
        };
        assert_eq!(code(""), Err("malformed_answer"));
        assert_eq!(code(r#","token_endpoint":"http://id.example/token""#), Err("unusable_endpoint"));
        assert_eq!(
            code(r#","token_endpoint":"https://id.example/t","authorization_endpoint":"file:///etc/passwd""#),
            Err("unusable_endpoint")
        );
        assert_eq!(
            code(r#","token_endpoint":"https://id.example/t","code_challenge_methods_supported":["plain"]"#),
            Err("pkce_unsupported")
        );
        assert!(
            code(r#","token_endpoint":"https://other.example/t""#).is_ok(),
            "another host over https is how real providers are"
        );
    }
}
