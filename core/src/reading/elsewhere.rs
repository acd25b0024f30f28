//! How a request says which credentials there are besides a login.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{choice, object};
use crate::model_provider::{default_interval, default_timeout};
use crate::{Environment, FileContents, Grant, GrantType, ModelProvider, SubjectToken, TokenCommand, Wanted};

object! { Environment { variables = BTreeMap::new(), files = BTreeMap::new() } }
object! {
    ModelProvider {
        id = String::new(),
        env_key,
        env_key_instructions,
        experimental_bearer_token,
        auth,
        requires_openai_auth = false,
        http_headers = BTreeMap::new(),
        env_http_headers = BTreeMap::new(),
        foreign,
    }
}
object! { TokenCommand { command, args = Vec::new(), timeout_ms = default_timeout(), refresh_interval_ms = default_interval(), cwd } }
object! {
    Grant {
        grant_type,
        subject_token,
        subject_token_type,
        requested_token_type,
        audience,
        resource,
        federation_rule_id,
        client_secret_variable,
    }
    only them
}
choice! { FileContents { "read" => Read(text), ; "unreadable" => Unreadable(why) } }
choice! { Wanted { "model_provider" => ModelProvider(provider), ; "provider" => Provider } }
choice! {
    GrantType {
        "client_credentials" => ClientCredentials, "token_exchange" => TokenExchange, ; "jwt_bearer" => JwtBearer
    }
}
choice! {
    SubjectToken { "github_actions" => GithubActions { audience }, "variable" => Variable(name), ; "file" => File(path) }
}
