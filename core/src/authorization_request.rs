//! What is asked of an authorization endpoint (RFC 6749, section 4.1.1; RFC 7636, section 4.3).

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::browser_login::Client;
use crate::{Secret, form, pkce};

/// The parameters of an authorization request, in the order of Codex 0.169.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct AuthorizationRequest(Vec<(String, Secret)>);

impl AuthorizationRequest {
    /// What `client` asks for, to be answered at `redirect_uri`.
    pub(crate) fn of(client: &Client, redirect_uri: &str) -> Self {
        let Client { provider, seed, workspaces, possession, .. } = client;
        let challenge = pkce::code_challenge(&pkce::code_verifier(seed));
        let mut request = Self(Vec::new());
        request.add("response_type", "code");
        request.add("client_id", &provider.client_id);
        request.add("redirect_uri", redirect_uri);
        request.add("code_challenge", &challenge);
        request.add("code_challenge_method", "S256");
        request.add("state", seed.text("state").expose());
        let scope = provider.scope();
        if !scope.is_empty() {
            request.add("scope", &scope);
        }
        // OpenID Connect Core, section 11: a refresh token is given only where consent is asked for.
        if !provider.is_openai() && provider.scopes.iter().any(|scope| scope == "offline_access") {
            request.add("prompt", "consent");
        }
        for (name, value) in &provider.authorization_parameters {
            request.add(name, value);
        }
        if provider.is_openai() && !workspaces.is_empty() {
            request.add("allowed_workspace_id", &workspaces.join(","));
        }
        // The code is bound to the key as well (RFC 9449, section 10).
        if let Some(possession) = possession {
            request.add("dpop_jkt", &possession.public().thumbprint());
        }
        request
    }

    fn add(&mut self, name: &str, value: &str) {
        self.0.push((name.into(), value.into()));
    }

    /// The parameters, for a form.
    pub(crate) fn parameters(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.expose())).collect()
    }

    /// The address that a browser is sent to.
    pub(crate) fn url(&self, client: &Client) -> Secret {
        at(client, &self.parameters())
    }
}

/// The authorization endpoint with these parameters.
pub(crate) fn at(client: &Client, parameters: &[(&str, &str)]) -> Secret {
    let endpoint = client.endpoints.authorization.as_deref().unwrap_or_default();
    let separator = if endpoint.contains('?') { '&' } else { '?' };
    Secret::new(alloc::format!("{endpoint}{separator}{}", form::encode(parameters)))
}
