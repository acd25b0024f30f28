//! Who a job of a CI system is, in the words of that system.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use crate::endpoint::Endpoint;
use crate::environment::Environment;
use crate::json::{self, Text};
use crate::text::trimmed;
use crate::{Error, HttpRequest, HttpResponse, Local, Provider, Secret, SubjectToken, form, token_response};

/// Where GitHub Actions gives out identity tokens to a job with `permissions: id-token: write`.
const GITHUB_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
/// What it wants to be shown.
const GITHUB_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";
/// Where a GitLab job keeps the token that its `id_tokens` name, if it uses this name; any other system may, too.
const GENERIC: &str = "HALLPASS_ID_TOKEN";
/// Where a pod finds the service account token that is projected for us. (Not the one that every pod has: that is
/// good at the cluster's own server, and goes nowhere unless a configuration names its file.)
pub(crate) const KUBERNETES: &str = "/var/run/secrets/tokens/hallpass";

/// The variables that may say who a job is.
pub(crate) const VARIABLES: [&str; 3] = [GITHUB_URL, GITHUB_TOKEN, GENERIC];

/// How the identity is had.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Identity {
    /// It is here.
    Held(Secret),
    /// This asks for it.
    Asked(HttpRequest),
}

/// Finds the identity that is to be exchanged at `provider`.
///
/// # Errors
/// [`Local::IdentityToken`] when there is none.
pub(crate) fn find(
    subject: Option<&SubjectToken>,
    provider: &Provider,
    environment: &Environment,
) -> Result<Identity, Error> {
    match subject {
        Some(SubjectToken::GithubActions { audience }) => {
            ask_github(audience.as_deref().unwrap_or(&provider.issuer), environment)
        }
        Some(SubjectToken::Variable(name)) => environment.credential(name).map(Identity::Held),
        Some(SubjectToken::File(path)) => environment.identity_token(path).map(Identity::Held),
        None if environment.get(GITHUB_URL).is_some() => ask_github(&provider.issuer, environment),
        None if environment.get(GENERIC).is_some() => environment.credential(GENERIC).map(Identity::Held),
        None if environment.files.contains_key(KUBERNETES) => {
            environment.identity_token(KUBERNETES).map(Identity::Held)
        }
        None => Err(none("no CI system gives one to this job")),
    }
}

/// The request of a job to GitHub Actions.
fn ask_github(audience: &str, environment: &Environment) -> Result<Identity, Error> {
    let (Some(url), true) = (environment.get(GITHUB_URL), environment.get(GITHUB_TOKEN).is_some()) else {
        return Err(none("GitHub Actions gives one only to a job with `permissions: id-token: write`"));
    };
    let token = environment.credential(GITHUB_TOKEN)?;
    let url = url.expose().trim();
    let endpoint = Endpoint::parse(url).map_err(|why| none(&format!("{GITHUB_URL} {why}")))?;
    let mark = if endpoint.query().is_some() { '&' } else { '?' };
    let url = format!("{url}{mark}{}", form::encode(&[("audience", audience)]));
    let bearer = Secret::new(format!("Bearer {}", token.expose()));
    Ok(Identity::Asked(form::get(&url, [("authorization".to_owned(), bearer)].into())))
}

/// Reads what GitHub Actions has answered.
pub(crate) fn read(server: &str, response: &HttpResponse) -> Result<Secret, Error> {
    struct Answer {
        value: Text,
    }
    json::object! { Answer { value } }
    if !response.is_success() {
        return Err(token_response::failure(server, response));
    }
    let malformed = |detail: String| Error::malformed(server, "an identity token", detail);
    let answer: Answer = json::parse(response.body.expose()).map_err(malformed)?;
    let value = answer.value.0.ok_or_else(|| malformed("`value` is missing".to_owned()))?;
    trimmed(&value.into()).map_err(|why| malformed(format!("`value` {why}")))
}

fn none(detail: &str) -> Error {
    Local::IdentityToken { detail: detail.to_owned() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FileContents;

    fn environment(variables: &[(&str, &str)], file: bool) -> Environment {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect();
        let files = file.then(|| (KUBERNETES.to_owned(), FileContents::Read("from.kubernetes\n".into())));
        Environment { variables, files: files.into_iter().collect() }
    }

    fn found(subject: Option<&SubjectToken>, environment: &Environment) -> Result<String, &'static str> {
        let provider = Provider::discovered("https://id.example", "ci");
        match find(subject, &provider, environment) {
            Ok(Identity::Held(token)) => Ok(token.expose().into()),
            Ok(Identity::Asked(request)) => Ok(request.url),
            Err(error) => Err(error.code()),
        }
    }

    #[test]
    fn the_identity_that_is_there_is_found() {
        let url = (GITHUB_URL, "https://runner.example/token?api-version=2.0");
        let github = [url, (GITHUB_TOKEN, "runner")];
        let generic = [(GENERIC, "from.the.job")];
        let asked = "https://runner.example/token?api-version=2.0&audience=https%3A%2F%2Fid.example";
        for (variables, file, expected) in [
            (&github[..], true, Ok(asked)),
            (&generic, true, Ok("from.the.job")),
            (&[], true, Ok("from.kubernetes")),
            (&[], false, Err("identity_token")),
            (&github[..1], true, Err("identity_token")),
            (&[(GITHUB_URL, "http://runner.example/"), github[1]], false, Err("identity_token")),
        ] {
            let found = found(None, &environment(variables, file));
            assert_eq!(found, expected.map(ToOwned::to_owned), "{variables:?} {file}");
        }
    }

    #[test]
    fn one_that_is_named_is_the_only_one() {
        let everything =
            environment(&[(GITHUB_URL, "https://a.example/t"), (GITHUB_TOKEN, "r"), ("MINE", "mine")], true);
        let github = SubjectToken::GithubActions { audience: Some("a b".to_owned()) };
        assert_eq!(found(Some(&github), &everything), Ok("https://a.example/t?audience=a+b".to_owned()));
        assert_eq!(found(Some(&SubjectToken::Variable("MINE".to_owned())), &everything), Ok("mine".to_owned()));
        assert_eq!(found(Some(&SubjectToken::Variable("ITS".to_owned())), &everything), Err("invalid_variable"));
        assert_eq!(found(Some(&SubjectToken::File("/none".to_owned())), &everything), Err("identity_token"));
    }

    #[test]
    fn what_github_answers_is_a_token_or_an_error() {
        let read = |status, body: &str| {
            let response = HttpResponse { status, headers: [].into(), body: body.into() };
            read("runner.example", &response).map(|token| token.expose().to_owned()).map_err(|error| error.code())
        };
        assert_eq!(read(200, r#"{"count":1,"value":"a.b.c"}"#), Ok("a.b.c".to_owned()));
        for (status, body, code) in [
            (200, "<html>", "malformed_answer"),
            (200, "{}", "malformed_answer"),
            (200, r#"{"value":"a\nb"}"#, "malformed_answer"),
            (401, "", "unexpected_status"),
            (503, "", "server_unavailable"),
            (302, "", "redirected"),
        ] {
            assert_eq!(read(status, body), Err(code), "{body}");
        }
    }
}
