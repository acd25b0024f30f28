//! How a client proves to the token endpoint who it is (RFC 6749, section 2.3; RFC 7523).

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// The method of client authentication. A secret is never part of it: that lies in the store.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// A public client: only the client id is sent.
    #[default]
    None,
    /// `client_secret_post`: the secret in the body.
    ClientSecretPost,
    /// `client_secret_basic`: the secret in the `Authorization` header.
    ClientSecretBasic,
    /// `private_key_jwt`: a signed assertion (RFC 7523, section 2.2).
    PrivateKeyJwt {
        /// The signature algorithm, a name of RFC 7518.
        algorithm: String,
        /// The `kid` of the key, when the server wants one.
        key_id: Option<String>,
        /// The path or name under which the shell finds the private key (PKCS #8 PEM).
        key: String,
    },
}

impl ClientAuthentication {
    /// Whether the client has a secret that it shares with the server.
    pub(crate) fn has_secret(&self) -> bool {
        matches!(self, Self::ClientSecretPost | Self::ClientSecretBasic)
    }
}
