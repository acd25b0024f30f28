//! From a request to its endpoint, and from a fault to what it does.

use serde_json::json;

use super::fault::{Endpoint, Fault};
use super::message::{Delivery, Request, Response, Served};
use super::options::Dialect;
use super::{AuthorizationServer, pages};

/// One request on its way through the server.
pub(super) struct Turn<'a> {
    pub(super) request: &'a Request,
    /// The path below the issuer's.
    pub(super) path: &'a str,
    pub(super) dialect: Dialect,
    /// A fault that changes the content of a token answer.
    pub(super) fault: Option<Fault>,
}

const GET: &[&str] = &["GET", "HEAD"];
const POST: &[&str] = &["POST"];
const PAGE: &[&str] = &["GET", "HEAD", "POST"];

struct Route {
    endpoint: Endpoint,
    dialect: Dialect,
    methods: &'static [&'static str],
}

fn route(path: &str) -> Option<Route> {
    let (endpoint, dialect, methods) = match path {
        "/.well-known/openid-configuration" | "/.well-known/oauth-authorization-server" => {
            (Endpoint::Discovery, Dialect::Standard, GET)
        }
        "/jwks.json" => (Endpoint::Keys, Dialect::Standard, GET),
        "/authorize" => (Endpoint::Authorization, Dialect::Standard, PAGE),
        "/oauth/authorize" => (Endpoint::Authorization, Dialect::OpenAi, PAGE),
        "/par" => (Endpoint::PushedAuthorization, Dialect::Standard, POST),
        "/token" => (Endpoint::Token, Dialect::Standard, POST),
        "/oauth/token" => (Endpoint::Token, Dialect::OpenAi, POST),
        "/device_authorization" => (Endpoint::DeviceAuthorization, Dialect::Standard, POST),
        "/device" => (Endpoint::DevicePage, Dialect::Standard, PAGE),
        "/codex/device" => (Endpoint::DevicePage, Dialect::OpenAi, PAGE),
        "/api/accounts/deviceauth/usercode" => (Endpoint::OpenAiUserCode, Dialect::OpenAi, POST),
        "/api/accounts/deviceauth/token" => (Endpoint::OpenAiDeviceToken, Dialect::OpenAi, POST),
        "/revoke" => (Endpoint::Revocation, Dialect::Standard, POST),
        "/oauth/revoke" => (Endpoint::Revocation, Dialect::OpenAi, POST),
        "/api/accounts/v1/user-auth-credential/whoami" => (Endpoint::Whoami, Dialect::OpenAi, GET),
        "/resource" | "/me" => (Endpoint::Resource, Dialect::Standard, GET),
        "/identity" => (Endpoint::Identity, Dialect::Standard, GET),
        _ => return None,
    };
    Some(Route { endpoint, dialect, methods })
}

impl AuthorizationServer {
    /// Answers `request` at `now` (milliseconds since the Unix epoch).
    ///
    /// Total: every request has an answer. The state changes as the request demands, also where the
    /// answer is lost.
    pub fn respond(&mut self, now: i64, request: &Request) -> Served {
        self.now = now;
        self.prune();
        let path = self.path_below_issuer(request.path());
        let Some(route) = route(&path) else {
            let response = if path == "/" {
                pages::welcome(&self.options)
            } else {
                pages::problem(404, "Not found", "There is nothing at this address.")
            };
            return whole(response);
        };
        let is_page = matches!(route.endpoint, Endpoint::Authorization | Endpoint::DevicePage);
        if request.method == "OPTIONS" && !is_page {
            return whole(preflight(request, route.methods));
        }
        if !route.methods.contains(&request.method.as_str()) {
            let allow = route.methods.join(", ");
            return whole(Response::empty(405).with_header("Allow", &allow));
        }
        let mut served = self.serve_with_faults(request, &path, &route);
        if !is_page && let Some(origin) = request.header("Origin") {
            served.response = share_with(served.response, origin);
        }
        served
    }

    fn serve_with_faults(&mut self, request: &Request, path: &str, route: &Route) -> Served {
        let endpoint = route.endpoint;
        let latency = self.take_fault(endpoint, |fault| matches!(fault, Fault::Latency { .. }));
        let delay_ms = match latency {
            Some(Fault::Latency { ms }) => ms,
            _ => 0,
        };
        let fault = self.take_fault(endpoint, |fault| !matches!(fault, Fault::Latency { .. } | Fault::SlowDown));
        if let Some(response) = fault.as_ref().and_then(instead_of_processing) {
            let delivery = match fault {
                Some(Fault::LoseRequest) => Delivery::RequestLost,
                _ => Delivery::Whole,
            };
            return Served { response, delay_ms, delivery };
        }
        let turn = Turn { request, path, dialect: route.dialect, fault };
        let response = self.dispatch(endpoint, &turn);
        let (response, delivery) = after_processing(response, turn.fault.as_ref());
        Served { response, delay_ms, delivery }
    }

    fn dispatch(&mut self, endpoint: Endpoint, turn: &Turn<'_>) -> Response {
        match endpoint {
            Endpoint::Discovery => self.discovery(),
            Endpoint::Keys => self.keys(),
            Endpoint::Authorization => self.authorization(turn),
            Endpoint::PushedAuthorization => self.pushed_authorization(turn),
            Endpoint::Token => self.token(turn),
            Endpoint::DeviceAuthorization => self.device_authorization(turn),
            Endpoint::DevicePage => self.device_page(turn),
            Endpoint::OpenAiUserCode => self.openai_user_code(turn),
            Endpoint::OpenAiDeviceToken => self.openai_device_token(turn),
            Endpoint::Revocation => self.revocation(turn),
            Endpoint::Whoami => self.whoami(turn),
            Endpoint::Resource => self.resource(turn),
            Endpoint::Identity => self.identity(turn),
        }
    }

    /// An issuer may have a path: OpenID Connect appends the well-known path to it, RFC 8414,
    /// section 3.1, puts it before.
    fn path_below_issuer(&self, path: &str) -> String {
        const INSERTED: &str = "/.well-known/oauth-authorization-server";
        let base = self.base_path();
        if base.is_empty() {
            return path.to_owned();
        }
        if path.strip_prefix(INSERTED) == Some(base) {
            return INSERTED.to_owned();
        }
        let below = path.strip_prefix(base).filter(|rest| rest.starts_with('/') && *rest != INSERTED);
        below.unwrap_or("/not-below-the-issuer").to_owned()
    }

    /// The path of the issuer, empty for the usual one without.
    fn base_path(&self) -> &str {
        let issuer = &self.options.issuer;
        let after_scheme = issuer.split_once("://").map_or("", |(_, rest)| rest);
        after_scheme.find('/').and_then(|start| after_scheme.get(start..)).unwrap_or("")
    }
}

fn whole(response: Response) -> Served {
    Served { response, delay_ms: 0, delivery: Delivery::Whole }
}

fn instead_of_processing(fault: &Fault) -> Option<Response> {
    match fault {
        Fault::Status { status, retry_after, processed: false } => Some(failure(*status, *retry_after)),
        Fault::LoseRequest => Some(Response::empty(503)),
        Fault::Html => Some(pages::captive_portal()),
        Fault::Redirect { status, location } => Some(Response::redirect(*status, location)),
        _ => None,
    }
}

fn after_processing(response: Response, fault: Option<&Fault>) -> (Response, Delivery) {
    match fault {
        Some(Fault::Status { status, retry_after, .. }) => (failure(*status, *retry_after), Delivery::Whole),
        Some(Fault::LoseAnswer) => (response, Delivery::AnswerLost),
        Some(Fault::BreakBody) => {
            let after = response.body.len() / 2;
            (response, Delivery::Broken { after })
        }
        Some(Fault::WrongShape) => {
            let body = json!([{"access_token": {"value": 7}}, "unexpected"]);
            (Response::of_json(response.status, &body), Delivery::Whole)
        }
        _ => (response, Delivery::Whole),
    }
}

fn failure(status: u16, retry_after: Option<u32>) -> Response {
    let body = json!({"error": "temporarily_unavailable", "error_description": "A planned fault."});
    let response = Response::of_json(status, &body);
    match retry_after {
        Some(seconds) => response.with_header("Retry-After", &seconds.to_string()),
        None => response,
    }
}

fn preflight(request: &Request, methods: &[&str]) -> Response {
    let response = Response::empty(204)
        .with_header("Access-Control-Allow-Methods", &methods.join(", "))
        .with_header(
            "Access-Control-Allow-Headers",
            "authorization, content-type, dpop, originator, chatgpt-account-id",
        )
        .with_header("Access-Control-Max-Age", "600");
    let private = request.header("Access-Control-Request-Private-Network");
    let response = match private {
        Some("true") => response.with_header("Access-Control-Allow-Private-Network", "true"),
        _ => response,
    };
    share_with(response, request.header("Origin").unwrap_or("*"))
}

fn share_with(response: Response, origin: &str) -> Response {
    response
        .with_header("Access-Control-Allow-Origin", origin)
        .with_header("Access-Control-Expose-Headers", "date, dpop-nonce, retry-after, www-authenticate")
        .with_header("Vary", "Origin")
}
