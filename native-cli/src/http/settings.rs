//! What a person's surroundings say about HTTP.

use std::ffi::OsString;
use std::path::PathBuf;

use super::Proxies;

/// How a [`Client`](super::Client) sends.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The `User-Agent` header; without one, none is sent.
    pub user_agent: Option<String>,
    /// A PEM file with certificate authorities to trust beside the system's, and the name of the variable (or
    /// setting) that named it, for error messages.
    pub ca_certificates: Option<(String, PathBuf)>,
    /// The proxies to go through.
    pub proxies: Proxies,
}

impl Settings {
    /// The settings of this process's environment.
    pub fn from_environment() -> Self {
        Self::from_variables(&|name| std::env::var_os(name))
    }

    /// The settings of an environment that is read with `variable`: the proxy variables, and
    /// `CODEX_CA_CERTIFICATE`, else `SSL_CERT_FILE`. An empty variable is as good as none.
    pub fn from_variables(variable: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let ca_certificates = ["CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"].into_iter().find_map(|name| {
            variable(name).filter(|path| !path.is_empty()).map(|path| (name.to_owned(), PathBuf::from(path)))
        });
        Self { user_agent: None, ca_certificates, proxies: Proxies::from_variables(variable) }
    }
}
