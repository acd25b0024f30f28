//! Endpoints that variables of the environment put in the place of a provider's.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::endpoint::Endpoint;
use crate::settings::VARIABLES;
use crate::{Configuration, HOMES, Provider, Report};

impl Configuration {
    /// The token endpoint that a variable names, where it may be followed: at the provider's own origin or on loopback. A
    /// variable must not move a refresh token elsewhere; where overrides are strict, not even to loopback, unless that is
    /// where the issuer is.
    pub(crate) fn other_token_endpoint(&self, provider: &Provider) -> Option<String> {
        self.follow(self.token_endpoint_override.as_deref(), provider)?.ok()
    }

    /// The same of the revocation endpoint.
    pub(crate) fn other_revocation_endpoint(&self, provider: &Provider) -> Option<String> {
        self.follow(self.revocation_endpoint_override.as_deref(), provider)?.ok()
    }

    /// What a person should know of the variables that are not followed. Of an address only the host is shown.
    pub(crate) fn ignored_overrides(&self, provider: &Provider) -> Vec<Report> {
        if !HOMES {
            return Vec::new();
        }
        let refused = |(name, url)| {
            let why = self.follow(url, provider)?.err()?;
            Some(Report {
                code: "override_ignored".to_owned(),
                message: format!("{name} is not used: {why}"),
                help: Some(format!("unset {name}; `hallpass login --issuer URL` signs in at another server")),
            })
        };
        self.overrides().into_iter().filter_map(refused).collect()
    }

    /// The variables, and what they hold.
    pub(crate) fn overrides(&self) -> [(&'static str, Option<&str>); 2] {
        let urls = [&self.token_endpoint_override, &self.revocation_endpoint_override];
        let [token, revocation] = urls.map(|url| url.as_deref().filter(|url| !url.is_empty()));
        [(VARIABLES[0], token), (VARIABLES[1], revocation)]
    }

    /// The address, if it may be followed; else why not. `None` where there is none, as in every page.
    fn follow(&self, url: Option<&str>, provider: &Provider) -> Option<Result<String, String>> {
        let url = url.filter(|url| HOMES && !url.is_empty())?;
        Some(self.judge(url, provider).map(|()| url.to_owned()))
    }

    fn judge(&self, url: &str, provider: &Provider) -> Result<(), String> {
        let endpoint = Endpoint::parse(url).map_err(|why| format!("its address {why}"))?;
        let issuer = Endpoint::parse(&provider.issuer).ok();
        if self.strict_overrides && !issuer.is_some_and(Endpoint::is_loopback) {
            return Err("beside a tool it counts only where the issuer is on this machine".to_owned());
        }
        if endpoint.is_loopback() || issuer.is_some_and(|issuer| endpoint.same_origin(issuer)) {
            return Ok(());
        }
        let (server, host) = (provider.host(), endpoint.authority());
        Err(format!("tokens of {server} go to that host or to this machine, never to {host}"))
    }
}
