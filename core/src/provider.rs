//! Who signs people in: a provider, as data.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::{ClientAuthentication, Error, Grant, HOMES};

mod openai;

/// An authorization server, and the client that we are to it.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The name by which people and configurations call it.
    pub name: String,
    /// The issuer identifier: an https URL (http on loopback), compared exactly (RFC 8414, section 2).
    pub issuer: String,
    /// The client identifier (RFC 6749, section 2.2).
    pub client_id: String,
    /// How the client proves who it is.
    #[serde(default)]
    pub client_authentication: ClientAuthentication,
    /// The endpoints; what is `None` is discovered from the issuer.
    #[serde(default)]
    pub endpoints: Option<Endpoints>,
    /// The scope to ask for (RFC 6749, section 3.3).
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Further parameters of the authorization request, in order.
    #[serde(default)]
    pub authorization_parameters: Vec<(String, String)>,
    /// Which small differences of the protocol this provider has.
    #[serde(default)]
    pub dialect: Dialect,
    /// Where the browser comes back to.
    #[serde(default)]
    pub redirect: Redirect,
    /// How it gives tokens to programs; such a provider signs nobody in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
    /// Whether authorization requests are pushed where the server offers that (RFC 9126). Where it takes no others,
    /// they are in any case.
    #[serde(default = "yes")]
    pub pushed_authorization: bool,
    /// Whether tokens are bound to a key where the server offers that (DPoP, RFC 9449).
    #[serde(default = "yes")]
    pub dpop: bool,
}

fn yes() -> bool {
    true
}

/// The endpoints of an authorization server.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Endpoints {
    /// Where a browser login begins (RFC 6749, section 3.1).
    pub authorization: Option<String>,
    /// Where tokens are had (RFC 6749, section 3.2).
    pub token: String,
    /// Where tokens are revoked (RFC 7009).
    pub revocation: Option<String>,
    /// Where a device login begins (RFC 8628, section 3.1).
    pub device_authorization: Option<String>,
    /// Where authorization requests are put first (RFC 9126, section 2).
    #[serde(default)]
    pub pushed_authorization: Option<String>,
    /// Whether the server takes no others (RFC 9126, section 5).
    #[serde(default)]
    pub requires_pushed_authorization: bool,
    /// The algorithms with which the server takes proofs of possession (RFC 9449, section 5.1); none where it takes none.
    #[serde(default)]
    pub dpop_algorithms: Vec<String>,
    /// Whether the redirect names its issuer (RFC 9207, section 3).
    #[serde(default)]
    pub names_issuer: bool,
}

/// The small, named differences of a provider from the standards.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// The RFCs.
    #[default]
    Standard,
    /// OpenAI: its device endpoints, a refresh and a revocation in JSON, its error codes.
    Openai,
}

/// Where the browser comes back to after a login (RFC 8252, section 7.3).
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Redirect {
    /// The loopback ports to try, in order; 0 is any free one.
    pub ports: Vec<u16>,
    /// The path.
    pub path: String,
}

impl Default for Redirect {
    /// Any free port, as RFC 8252 asks servers to allow.
    fn default() -> Self {
        Self { ports: Vec::from([0]), path: "/callback".to_owned() }
    }
}

impl Provider {
    /// OpenAI, as the Codex CLI knows it.
    pub fn openai() -> Self {
        Self::of_openai(openai::ISSUER, openai::CLIENT_ID)
    }

    /// OpenAI's dialect, spoken by another issuer or with another client; where no dialect is spoken, the standards.
    pub(crate) fn of_openai(issuer: &str, client_id: &str) -> Self {
        if HOMES { openai::provider(issuer, client_id) } else { Self::discovered(issuer, client_id) }
    }

    /// Any OAuth 2 or OpenID provider whose endpoints are discovered from its issuer.
    pub fn discovered(issuer: impl Into<String>, client_id: impl Into<String>) -> Self {
        let issuer = issuer.into();
        let name = Endpoint::parse(&issuer).map_or_else(|_| issuer.clone(), |endpoint| endpoint.host().to_owned());
        Self {
            name,
            issuer,
            client_id: client_id.into(),
            client_authentication: ClientAuthentication::None,
            endpoints: None,
            scopes: ["openid", "profile", "email", "offline_access"].map(ToOwned::to_owned).to_vec(),
            authorization_parameters: Vec::new(),
            dialect: Dialect::Standard,
            redirect: Redirect::default(),
            grant: None,
            pushed_authorization: true,
            dpop: true,
        }
    }

    /// The same provider at another issuer (a staging system, a test): all its endpoints move along.
    #[must_use]
    pub fn at(self, issuer: &str) -> Self {
        let endpoints = self.is_openai().then(|| openai::endpoints(issuer));
        Self { issuer: issuer.to_owned(), endpoints, ..self }
    }

    /// Whether the provider can be used at all.
    ///
    /// # Errors
    /// Names the field that cannot be used, and why.
    pub fn check(&self) -> Result<(), Error> {
        if self.client_id.is_empty() {
            return Err(Error::value("client id", "it is empty"));
        }
        let issuer = Endpoint::parse(&self.issuer)
            .map_err(|detail| Error::value("issuer", format!("`{}` {detail}", self.issuer)))?;
        if issuer.query().is_some() {
            return Err(Error::value("issuer", "it must not have a query (RFC 8414, section 2)"));
        }
        if let Some(grant) = self.grant.as_ref().filter(|_| HOMES) {
            grant.check(self)?;
        }
        self.endpoints.as_ref().map_or(Ok(()), |endpoints| endpoints.check(issuer.host()))
    }

    /// The issuer's host, for messages.
    pub(crate) fn host(&self) -> String {
        Endpoint::parse(&self.issuer).map_or_else(|_| self.issuer.clone(), |endpoint| endpoint.authority().to_string())
    }

    pub(crate) fn scope(&self) -> String {
        self.scopes.join(" ")
    }

    /// Whether this is OpenAI itself, or OpenAI's dialect spoken elsewhere.
    pub(crate) fn is_openai(&self) -> bool {
        HOMES && self.dialect == Dialect::Openai
    }
}

impl Endpoints {
    /// Whether each is https, or http on loopback (RFC 6749, section 3.2).
    pub(crate) fn check(&self, server: &str) -> Result<(), Error> {
        let named = [
            ("authorization endpoint", self.authorization.as_ref()),
            ("token endpoint", Some(&self.token)),
            ("revocation endpoint", self.revocation.as_ref()),
            ("device authorization endpoint", self.device_authorization.as_ref()),
            ("pushed authorization request endpoint", self.pushed_authorization.as_ref()),
        ];
        for (endpoint, url) in named.into_iter().filter_map(|(name, url)| Some((name, url?))) {
            Endpoint::parse(url).map_err(|detail| {
                Error::from(crate::Misbehaved::Endpoint {
                    server: server.to_owned(),
                    endpoint: endpoint.to_owned(),
                    detail: detail.to_owned(),
                })
            })?;
        }
        Ok(())
    }
}
