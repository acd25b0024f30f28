//! The role that keys of Amazon Web Services are had for.
//!
//! ```toml
//! [hallpass.aws]
//! role_arn = "arn:aws:iam::123456789012:role/developer"
//! region = "eu-central-1"
//! session_name = "ada"
//! duration = 3600
//! token = "id_token"
//! ```

use hallpass_core::{Error, Role};
use serde::Deserialize;

use super::{Config, value_error};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    role_arn: String,
    region: Option<String>,
    session_name: Option<String>,
    endpoint: Option<String>,
    duration: Option<u32>,
    #[serde(default)]
    token: hallpass_core::IdentityToken,
}

impl Config {
    /// The role of `[hallpass.aws]`, assumed at `endpoint`, else at the one of STS in `region`.
    ///
    /// # Errors
    /// [`Misused::Value`](hallpass_core::Misused::Value) when there is none, or a value of it cannot be used.
    pub fn role(&self) -> Result<Role, Error> {
        const KEY: &str = "hallpass.aws";
        let Some(table) = self.table(KEY)? else {
            return Err(value_error("config.toml", "it has no `[hallpass.aws]` that names a role"));
        };
        let refuse = |key: &str, detail: &str| self.settings().unusable(key, detail);
        let table = Table::deserialize(table.clone()).map_err(|error| refuse(KEY, error.message()))?;
        let endpoint = match (table.endpoint, table.region.filter(|region| is_region(region))) {
            (Some(endpoint), _) => endpoint,
            (None, Some(region)) if region.starts_with("cn-") => format!("https://sts.{region}.amazonaws.com.cn/"),
            (None, Some(region)) => format!("https://sts.{region}.amazonaws.com/"),
            (None, None) => return Err(refuse("hallpass.aws.region", "it is no region, as in `eu-central-1`")),
        };
        Ok(Role {
            role_arn: table.role_arn,
            session_name: table.session_name.unwrap_or_else(|| "hallpass".to_owned()),
            endpoint,
            duration: table.duration,
            token: table.token,
        })
    }
}

/// A label of a host name, and nothing that could make it another host.
fn is_region(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|character| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_core::IdentityToken;

    fn role_of(more: &str) -> Result<Role, Error> {
        let text = format!("[hallpass.aws]\nrole_arn = \"arn:aws:iam::1:role/r\"\n{more}");
        Config::parse(&text, "config.toml").unwrap().role()
    }

    #[test]
    fn a_role_and_a_region_are_enough() {
        let role = role_of("region = \"eu-central-1\"").unwrap();
        assert_eq!(role.endpoint, "https://sts.eu-central-1.amazonaws.com/");
        assert_eq!((role.session_name.as_str(), role.duration, role.token), ("hallpass", None, IdentityToken::IdToken));
        assert_eq!(role_of("region = \"cn-north-1\"").unwrap().endpoint, "https://sts.cn-north-1.amazonaws.com.cn/");
        let role = role_of("endpoint = \"http://127.0.0.1:1/\"\ntoken = \"access_token\"\nduration = 900").unwrap();
        assert_eq!(
            (role.endpoint.as_str(), role.duration, role.token),
            ("http://127.0.0.1:1/", Some(900), IdentityToken::AccessToken)
        );
    }

    #[test]
    fn a_mistake_is_named() {
        for (more, expected) in [
            ("", "hallpass.aws.region"),
            ("region = \"evil.example/\"", "hallpass.aws.region"),
            ("region = \"a\"\nrole = 1", "role"),
            ("region = \"a\"\ntoken = \"refresh_token\"", "refresh_token"),
            ("region = \"a\"\nduration = \"long\"", "hallpass.aws"),
        ] {
            let error = role_of(more).unwrap_err().to_string();
            assert!(error.contains(expected), "{more}: {error}");
        }
        assert!(Config::default().role().unwrap_err().to_string().contains("[hallpass.aws]"));
    }
}
