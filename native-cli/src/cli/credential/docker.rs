//! `hallpass credential docker`: a credential helper of docker, which reads errors on stdout.

use std::process::ExitCode;

use hallpass::config::Helper;
use hallpass_core::Error;
use serde_json::{Value, json};

use super::super::arguments::{DockerAction, Global};
use super::super::failure::Failure;
use super::super::report::{Voice, data, document};
use super::super::session::Session;
use super::super::text::safe;
use super::{USABLE, input, token};

/// What docker takes for "ask elsewhere", word for word.
const NOT_FOUND: &str = "credentials not found in native keychain";
/// The name that goes with a token. Docker's own `<token>` is for identity tokens, which a registry exchanges.
const USERNAME: &str = "oauth2";

pub(super) fn run(global: &Global, action: DockerAction, voice: Voice) -> ExitCode {
    let message = match act(global, action, voice) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(failure @ Failure::Flow(Error::LoginRequired(_))) => {
            voice.fail(&failure);
            NOT_FOUND.to_owned()
        }
        Err(failure) => failure.report().map(|report| safe(&report.message)).unwrap_or_default(),
    };
    // Docker knows no other code.
    let _ = data(&message);
    ExitCode::FAILURE
}

fn act(global: &Global, action: DockerAction, voice: Voice) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let helper = session.config.helper("docker")?;
    if action == DockerAction::List {
        let entry = |host: &String| (host.clone(), Value::from(username(&helper)));
        return document(&Value::Object(helper.hosts.iter().map(entry).collect()));
    }
    let request = input::read("docker")?;
    match action {
        DockerAction::Store => store(&request, &helper, voice),
        DockerAction::Erase if allows(&helper, request.trim()) => {
            voice.say("Hallpass stays logged in: `hallpass logout` ends the session");
            Ok(())
        }
        DockerAction::Erase | DockerAction::List => Ok(()),
        DockerAction::Get => {
            let server = request.trim();
            if !allows(&helper, server) {
                return Err(Failure::local("not_found", NOT_FOUND, ""));
            }
            let token = token(&session, USABLE, voice)?;
            let secret = token.access_token.expose();
            document(&json!({ "ServerURL": server, "Username": username(&helper), "Secret": secret }))
        }
    }
}

/// A password is not kept. To say that it was would be a lie, but where the token is used none is needed.
fn store(request: &str, helper: &Helper, voice: Voice) -> Result<(), Failure> {
    let request: Value = serde_json::from_str(request).map_err(|_| input::misunderstood("docker", "it is not JSON"))?;
    let server = request.get("ServerURL").and_then(Value::as_str).unwrap_or_default();
    if !allows(helper, server) {
        return Err(Failure::usage("hallpass keeps no passwords, and this host is not in `hallpass.docker.hosts`", ""));
    }
    voice.say("Nothing is stored for this host: it is given the token of `hallpass login`");
    Ok(())
}

fn username(helper: &Helper) -> &str {
    helper.username.as_deref().unwrap_or(USERNAME)
}

fn allows(helper: &Helper, server: &str) -> bool {
    host(server).is_some_and(|host| helper.allows(host))
}

/// The host of a registry, which docker names with or without a scheme.
fn host(server: &str) -> Option<&str> {
    let rest = match server.split_once("://") {
        Some(("https", rest)) => rest,
        Some(_) => return None,
        None => server,
    };
    rest.split('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_found_over_https_only() {
        for server in ["registry.example.com", "https://registry.example.com", "https://registry.example.com/v1/"] {
            assert_eq!(host(server), Some("registry.example.com"));
        }
        assert_eq!(host("http://registry.example.com"), None);
        assert_eq!(host("registry.example.com:5000/team/image"), Some("registry.example.com:5000"));
    }

    #[test]
    fn what_only_looks_like_a_host_is_not_allowed() {
        let helper = Helper { hosts: vec!["registry.example.com".into()], username: None };
        assert!(allows(&helper, "https://registry.example.com/v2/"));
        for server in [
            "",
            "https://registry.example.com@evil.example/",
            "https://evil.example/registry.example.com",
            "https://evil.example?registry.example.com",
            "https://evil.example#registry.example.com",
            "https://registry.example.com\\@evil.example",
            "registry.example.com:registry.example.com@evil.example",
            "http://registry.example.com",
        ] {
            assert!(!allows(&helper, server), "{server}");
        }
    }
}
