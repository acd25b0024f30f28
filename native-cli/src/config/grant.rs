//! A provider that gives tokens to programs: what stands for its grant in a provider's table.
//!
//! ```toml
//! [hallpass.providers.ci]
//! issuer = "https://id.example.com"
//! client_id = "deployments"
//! grant = "token_exchange"
//! subject_token = { github_actions = { audience = "https://id.example.com" } }
//! audience = "https://api.example.com"
//! ```

use hallpass_core::Error;
use hallpass_core::settings::Settings;
use toml::{Table, Value};

/// The keys beside `grant` that belong to it.
const KEYS: [&str; 7] = [
    "subject_token",
    "subject_token_type",
    "requested_token_type",
    "audience",
    "resource",
    "federation_rule_id",
    "client_secret_variable",
];

/// Moves the keys of a grant into a table of their own, as the core has them. Answers whether there is a grant.
pub(super) fn gather(settings: &Settings, key: &str, fields: &mut Table) -> Result<bool, Error> {
    let mut grant = Table::new();
    for name in KEYS {
        if let Some(value) = fields.remove(name) {
            grant.insert(name.to_owned(), value);
        }
    }
    // Whoever has written the token itself there must not find it in an error.
    if grant.get("subject_token").is_some_and(|subject| !subject.is_table()) {
        let detail =
            "it says where the token is: `{ variable = \"..\" }`, `{ file = \"..\" }` or `{ github_actions = {} }`";
        return Err(settings.unusable(&format!("{key}.subject_token"), detail));
    }
    match fields.remove("grant") {
        Some(name @ Value::String(_)) => {
            grant.insert("grant_type".to_owned(), name);
            fields.insert("grant".to_owned(), Value::Table(grant));
            Ok(true)
        }
        Some(_) => Err(settings.unusable(&format!("{key}.grant"), "it is not the name of a grant")),
        None => match grant.keys().next() {
            Some(name) => Err(settings.unusable(&format!("{key}.{name}"), "it goes with a `grant`")),
            None => Ok(false),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use hallpass_core::{GrantType, SubjectToken};

    const PROVIDER: &str = "[hallpass.providers.ci]\nissuer = \"https://id.example.com\"\nclient_id = \"ci\"\n";

    fn provider(more: &str) -> Result<hallpass_core::Provider, String> {
        let config = Config::parse(&format!("{PROVIDER}{more}"), "config.toml").unwrap();
        config.provider("ci").map_err(|error| error.to_string())
    }

    #[test]
    fn a_grant_is_read() {
        let text =
            "grant = \"token_exchange\"\nsubject_token = { github_actions = { audience = \"a\" } }\nresource = \"r\"";
        let provider_ci = provider(text).unwrap();
        assert!(provider_ci.scopes.is_empty(), "what is right for people is not for programs");
        let grant = provider_ci.grant.unwrap();
        assert_eq!((grant.grant_type, grant.resource.as_deref()), (GrantType::TokenExchange, Some("r")));
        assert_eq!(grant.subject_token, Some(SubjectToken::GithubActions { audience: Some("a".into()) }));
        let subject = |text: &str| {
            let text = format!("grant = \"jwt_bearer\"\nsubject_token = {text}");
            provider(&text).map(|provider| provider.grant.unwrap().subject_token.unwrap())
        };
        assert_eq!(subject("{ variable = \"TOKEN\" }"), Ok(SubjectToken::Variable("TOKEN".into())));
        assert_eq!(subject("{ file = \"/run/token\" }"), Ok(SubjectToken::File("/run/token".into())));
        assert_eq!(subject("{ github_actions = {} }"), Ok(SubjectToken::GithubActions { audience: None }));
    }

    #[test]
    fn a_mistake_is_named() {
        for (text, expected) in [
            ("grant = 1", "hallpass.providers.ci.grant: it is not the name"),
            ("grant = \"password\"", "hallpass.providers.ci"),
            ("audience = \"a\"", "hallpass.providers.ci.audience: it goes with a `grant`"),
            (
                "grant = \"token_exchange\"\nsubject_token = \"a.b.c\"",
                "hallpass.providers.ci.subject_token: it says where",
            ),
            ("grant = \"token_exchange\"\nclient_secret = \"s\"", "client_secret"),
        ] {
            let error = provider(text).unwrap_err();
            assert!(error.contains(expected) && !error.contains("a.b.c"), "{text}: {error}");
        }
    }
}
