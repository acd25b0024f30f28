//! OpenAI's authorization server, with the values of the Codex CLI 0.169.

use alloc::borrow::ToOwned;
use alloc::format;

use super::{Dialect, Endpoints, Provider, Redirect};
use crate::ClientAuthentication;

pub(super) const ISSUER: &str = "https://auth.openai.com";
pub(super) const CLIENT_ID: &str = "app_EMoamEEZ73f0CkXaXp7hrann";

const SCOPES: [&str; 6] =
    ["openid", "profile", "email", "offline_access", "api.connectors.read", "api.connectors.invoke"];

pub(super) fn provider(issuer: &str, client_id: &str) -> Provider {
    Provider {
        name: "openai".to_owned(),
        issuer: issuer.to_owned(),
        client_id: client_id.to_owned(),
        client_authentication: ClientAuthentication::None,
        endpoints: Some(endpoints(issuer)),
        scopes: SCOPES.map(ToOwned::to_owned).to_vec(),
        authorization_parameters: [
            ("id_token_add_organizations", "true"),
            ("codex_cli_simplified_flow", "true"),
            ("originator", "codex_cli_rs"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec(),
        dialect: Dialect::Openai,
        // The two ports are registered with the client: no other one is accepted.
        redirect: Redirect { ports: [1455, 1457].to_vec(), path: "/auth/callback".to_owned() },
        grant: None,
        pushed_authorization: false,
        dpop: false,
    }
}

/// Every endpoint lies at a fixed path below the issuer; there is no discovery.
pub(super) fn endpoints(issuer: &str) -> Endpoints {
    let base = issuer.trim_end_matches('/');
    Endpoints {
        authorization: Some(format!("{base}/oauth/authorize")),
        token: format!("{base}/oauth/token"),
        revocation: Some(format!("{base}/oauth/revoke")),
        device_authorization: Some(format!("{base}/api/accounts/deviceauth/usercode")),
        ..Endpoints::default()
    }
}
