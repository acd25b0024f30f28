//! `hallpass credential kubectl`: a credential plugin of kubectl. It never signs anybody in, whoever watches.

use std::env;
use std::process::ExitCode;

use hallpass_core::Token;
use serde_json::{Value, json};

use super::super::arguments::Global;
use super::super::failure::Failure;
use super::super::report::{Voice, document};
use super::super::session::Session;
use super::{USABLE, token};

/// Where kubectl says what it wants.
const VARIABLE: &str = "KUBERNETES_EXEC_INFO";
/// The versions of the answer, which are all alike. The first one is for those who ask for none.
const VERSIONS: [&str; 2] = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

pub(super) fn run(global: &Global, voice: Voice) -> Result<ExitCode, Failure> {
    let version = match env::var_os(VARIABLE).filter(|text| !text.is_empty()) {
        None => VERSIONS[0],
        Some(text) => version(text.to_str().unwrap_or_default())?,
    };
    let session = Session::open(global)?;
    document(&answer(version, &token(&session, USABLE, voice)?))?;
    Ok(ExitCode::SUCCESS)
}

/// The version that kubectl reads.
fn version(text: &str) -> Result<&'static str, Failure> {
    let help = format!("kubectl sets it; its `apiVersion` is `{}`", VERSIONS[0]);
    let wanted: Value =
        serde_json::from_str(text).map_err(|_| Failure::usage(format!("{VARIABLE} is not JSON"), &help))?;
    let wanted = wanted.get("apiVersion").and_then(Value::as_str);
    VERSIONS
        .into_iter()
        .find(|version| Some(*version) == wanted)
        .ok_or_else(|| Failure::usage(format!("{VARIABLE} asks for a version that is not known here"), &help))
}

fn answer(version: &str, token: &Token) -> Value {
    let mut status = json!({ "token": token.access_token.expose() });
    if let Some(expires_at) = token.expires_at {
        status["expirationTimestamp"] = expires_at.to_string().into();
    }
    json!({ "apiVersion": version, "kind": "ExecCredential", "status": status })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_that_is_read() {
        for version in VERSIONS {
            let text = json!({ "apiVersion": version, "kind": "ExecCredential", "spec": { "interactive": false } });
            assert_eq!(self::version(&text.to_string()).unwrap(), version);
        }
        for text in ["", "{", "[]", "{}", "{\"apiVersion\":1}", "{\"apiVersion\":\"v2\"}"] {
            assert_eq!(version(text).unwrap_err().exit_code(), 2, "{text}");
        }
    }
}
