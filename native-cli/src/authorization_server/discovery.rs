//! The metadata of the server (RFC 8414, OpenID Connect Discovery) and its keys (RFC 7517).

use serde_json::{Value, json};

use super::AuthorizationServer;
use super::message::Response;
use super::options::{Dpop, PushedAuthorization};
use super::programs::JWT_BEARER_GRANT;

pub(super) const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
pub(super) const TOKEN_EXCHANGE_GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

impl AuthorizationServer {
    pub(super) fn discovery(&self) -> Response {
        let issuer = &self.options.issuer;
        let at = |path: &str| format!("{issuer}{path}");
        let methods = json!(["none", "client_secret_post", "client_secret_basic", "private_key_jwt"]);
        let mut grants =
            vec!["authorization_code", "refresh_token", "client_credentials", TOKEN_EXCHANGE_GRANT, JWT_BEARER_GRANT];
        let mut metadata = json!({
            "issuer": issuer,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "revocation_endpoint": at("/revoke"),
            "userinfo_endpoint": at("/me"),
            "jwks_uri": at("/jwks.json"),
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": methods,
            "token_endpoint_auth_signing_alg_values_supported": ["EdDSA", "ES256"],
            "revocation_endpoint_auth_methods_supported": methods,
            "authorization_response_iss_parameter_supported": true,
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["EdDSA"],
            "claims_supported": ["sub", "name", "email", "email_verified"],
        });
        if self.options.device_enabled {
            grants.push(DEVICE_GRANT);
            insert(&mut metadata, "device_authorization_endpoint", json!(at("/device_authorization")));
        }
        if self.options.pushed_authorization != PushedAuthorization::NotOffered {
            insert(&mut metadata, "pushed_authorization_request_endpoint", json!(at("/par")));
            let required = self.options.pushed_authorization == PushedAuthorization::Required;
            insert(&mut metadata, "require_pushed_authorization_requests", json!(required));
        }
        if self.options.dpop != Dpop::NotOffered {
            insert(&mut metadata, "dpop_signing_alg_values_supported", json!(["ES256", "EdDSA"]));
        }
        insert(&mut metadata, "grant_types_supported", json!(grants));
        Response::of_json(200, &metadata)
    }

    pub(super) fn keys(&self) -> Response {
        Response::of_json(200, &json!({"keys": [self.signing_key().jwk()]}))
    }
}

fn insert(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(name.to_owned(), value);
    }
}
