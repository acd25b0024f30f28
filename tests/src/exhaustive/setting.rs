//! The one setting of all explorations and simulations: a server, a client, a home, a beginning.

use hallpass_core::{Configuration, Endpoints, Home, Provider, StoreMode};

/// Where the authorization server is.
pub const ISSUER: &str = "https://id.example";

/// When it all begins, 2026-11-24T00:00:00Z.
pub const BEGINNING: i64 = 1_795_478_400_000;

/// What every flow is started with.
pub fn configuration(store: StoreMode) -> Configuration {
    let endpoint = |path: &str| format!("{ISSUER}{path}");
    let provider = Provider {
        endpoints: Some(Endpoints {
            token: endpoint("/token"),
            revocation: Some(endpoint("/revoke")),
            device_authorization: Some(endpoint("/device")),
            ..Endpoints::default()
        }),
        ..Provider::discovered(ISSUER, "hallpass")
    };
    Configuration {
        store: Some(store),
        home: Home { path: "/home/ada/.codex".to_owned(), machine: "m1".to_owned() },
        ..Configuration::new(provider)
    }
}
