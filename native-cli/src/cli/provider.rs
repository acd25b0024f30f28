//! From the arguments of `login` to the provider that they mean.

use hallpass::config::Config;
use hallpass_core::{ClientAuthentication, Provider};

use super::arguments::{self, ClientAuthentication as Choice, Login};
use super::failure::Failure;

/// The provider to sign in with.
pub(super) fn choose(config: &Config, login: &Login) -> Result<Provider, Failure> {
    let arguments = &login.provider;
    let mut provider = match (&arguments.name, &arguments.issuer) {
        (Some(name), None) => named(config, name)?,
        (Some(name), Some(issuer)) => named(config, name)?.at(issuer),
        (None, Some(issuer)) => {
            let client_id = arguments.client_id.as_deref().ok_or_else(|| {
                Failure::usage(
                    "an issuer needs the client id that it knows",
                    "add `--client-id ID`, or `--provider NAME` to move a known provider there",
                )
            })?;
            Provider::discovered(issuer, client_id)
        }
        (None, None) => Provider::openai(),
    };
    if let Some(client_id) = &arguments.client_id {
        provider.client_id.clone_from(client_id);
    }
    if !arguments.scope.is_empty() {
        // One argument may hold several, as in the parameter itself.
        let scopes = arguments.scope.iter().flat_map(|scope| scope.split_whitespace());
        provider.scopes = scopes.map(ToOwned::to_owned).collect();
    }
    if let Some(port) = login.port {
        provider.redirect.ports = vec![port];
    }
    provider.client_authentication = client_authentication(arguments, provider.client_authentication)?;
    provider.check()?;
    Ok(provider)
}

/// The provider of this name. Where there is none, `config.toml` may still be to blame for something else.
fn named(config: &Config, name: &str) -> Result<Provider, Failure> {
    let known = config.names()?;
    if known.iter().any(|known| known == name) {
        return Ok(config.provider(name)?);
    }
    Err(Failure::usage(
        format!("there is no provider `{name}`; known are {}", known.join(", ")),
        &format!(
            "add `[hallpass.providers.{name}]` to config.toml, or name any provider with `--issuer` and `--client-id`"
        ),
    ))
}

fn client_authentication(
    arguments: &arguments::Provider,
    known: ClientAuthentication,
) -> Result<ClientAuthentication, Failure> {
    let has_key = arguments.client_key.is_some();
    if has_key && arguments.with_client_secret {
        return Err(Failure::usage("a client has a secret or a key, not both", ""));
    }
    let chosen = match arguments.client_authentication {
        Some(choice) => choice,
        None if has_key => Choice::PrivateKeyJwt,
        // What every server with client secrets must support (RFC 6749, section 2.3.1).
        None if arguments.with_client_secret && known == ClientAuthentication::None => Choice::ClientSecretBasic,
        None => return Ok(known),
    };
    match chosen {
        Choice::PrivateKeyJwt => private_key(arguments),
        _ if has_key => Err(Failure::usage("a client key goes with `--client-authentication private_key_jwt`", "")),
        Choice::None if arguments.with_client_secret => {
            Err(Failure::usage("a client that does not authenticate has no secret", "leave `--with-client-secret` out"))
        }
        Choice::None => Ok(ClientAuthentication::None),
        Choice::ClientSecretPost => Ok(ClientAuthentication::ClientSecretPost),
        Choice::ClientSecretBasic => Ok(ClientAuthentication::ClientSecretBasic),
    }
}

fn private_key(arguments: &arguments::Provider) -> Result<ClientAuthentication, Failure> {
    let path = arguments.client_key.as_ref().ok_or_else(|| {
        Failure::usage("`private_key_jwt` needs the client's key", "add `--client-key FILE`, a PKCS #8 PEM file")
    })?;
    // The path is remembered, and a refresh may be made from another folder.
    let path = std::path::absolute(path)
        .map_err(|error| Failure::local("client_key", format!("the client's key cannot be used: {error}"), ""))?;
    let key = path.to_str().ok_or_else(|| Failure::usage("the path of the client's key is not text", ""))?;
    Ok(ClientAuthentication::PrivateKeyJwt {
        algorithm: arguments.client_key_algorithm.clone().unwrap_or_else(|| "ES256".to_owned()),
        key_id: arguments.client_key_id.clone(),
        key: key.to_owned(),
    })
}

/// The host of a URL, as far as there is one.
pub(super) fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit('@').next()?;
    match authority.find(']') {
        Some(end) => authority.get(..=end),
        None => authority.split(':').next(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::arguments::{Arguments, Command};
    use super::*;
    use clap::Parser as _;
    use hallpass_core::Dialect;

    fn chosen(line: &str) -> Result<Provider, Failure> {
        let arguments = Arguments::try_parse_from(["hallpass", "login"].into_iter().chain(line.split_whitespace()));
        let Command::Login(login) = arguments.unwrap().command else { panic!("not a login") };
        choose(&Config::default(), &login)
    }

    #[test]
    fn without_a_choice_it_is_openai() {
        assert_eq!(chosen("").unwrap(), Provider::openai());
        assert_eq!(chosen("--provider openai").unwrap(), Provider::openai());
    }

    #[test]
    fn a_provider_moves_to_another_issuer_and_keeps_its_dialect() {
        let moved = chosen("--provider openai --issuer http://127.0.0.1:9000/").unwrap();
        assert_eq!(moved.dialect, Dialect::Openai);
        assert_eq!(moved.endpoints.unwrap().token, "http://127.0.0.1:9000/oauth/token");
    }

    #[test]
    fn any_issuer_is_a_provider() {
        let provider = chosen("--issuer https://id.example.com --client-id tool --scope openid --scope a --port 4000");
        let provider = provider.unwrap();
        assert_eq!((provider.name.as_str(), provider.client_id.as_str()), ("id.example.com", "tool"));
        assert_eq!(provider.scopes, ["openid", "a"]);
        assert_eq!(provider.redirect.ports, [4000]);
        assert_eq!(provider.endpoints, None);
    }

    #[test]
    fn clients_prove_who_they_are() {
        let base = "--issuer https://id.example.com --client-id tool";
        let of = |more: &str| chosen(&format!("{base} {more}")).unwrap().client_authentication;
        assert_eq!(of("--with-client-secret"), ClientAuthentication::ClientSecretBasic);
        assert_eq!(of("--client-authentication client_secret_post"), ClientAuthentication::ClientSecretPost);
        assert_eq!(of("--client-authentication none"), ClientAuthentication::None);
        let expected = ClientAuthentication::PrivateKeyJwt {
            algorithm: "EdDSA".into(),
            key_id: Some("k1".into()),
            key: std::path::absolute("/k.pem").unwrap().to_str().unwrap().into(),
        };
        assert_eq!(of("--client-key /k.pem --client-key-id k1 --client-key-algorithm EdDSA"), expected);
    }

    #[test]
    fn what_makes_no_sense_is_wrong_usage() {
        let base = "--issuer https://id.example.com --client-id tool";
        for line in [
            "--issuer https://id.example.com".to_owned(),
            "--issuer http://id.example.com --client-id tool".to_owned(),
            "--provider nobody".to_owned(),
            format!("{base} --client-authentication private_key_jwt"),
            format!("{base} --client-authentication none --with-client-secret"),
            format!("{base} --client-authentication none --client-key /k"),
            format!("{base} --client-key /k --with-client-secret"),
        ] {
            assert_eq!(chosen(&line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn hosts() {
        assert_eq!(host("http://127.0.0.1:1/x"), Some("127.0.0.1"));
        assert_eq!(host("http://[::1]:1"), Some("[::1]"));
        assert_eq!(host("https://127.0.0.1@evil.example/x"), Some("evil.example"));
        assert_eq!(host("127.0.0.1"), None);
    }
}
