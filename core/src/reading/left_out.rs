//! Credentials besides a login: a page that has some is told that it has come to the wrong build.

use crate::json::{FromJson, Json};
use crate::{Environment, Grant, GrantType, Wanted};

impl FromJson for Environment {
    fn read(json: Json<'_>) -> Self {
        json.left_out();
        Self::default()
    }
}

impl FromJson for Grant {
    fn read(json: Json<'_>) -> Self {
        json.left_out();
        Self::new(GrantType::ClientCredentials)
    }
}

impl FromJson for Wanted {
    fn read(json: Json<'_>) -> Self {
        json.left_out();
        Self::Provider
    }
}
