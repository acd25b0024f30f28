//! `hallpass demo --serve`: the server for people to develop against, and the page that shows a flow at work.

use std::process::ExitCode;
use std::sync::Arc;

use hallpass::authorization_server::{AuthorizationServer, CODEX_CLIENT_ID, Client};
use hallpass::config::LOCAL_ISSUER;

use super::controls;
use super::playground::{self, Playground};
use crate::cli::failure::Failure;
use crate::cli::report::{data, word};

/// Where the provider `local` looks for it.
pub(super) const PORT: u16 = 8765;

/// The client id of the page.
const PLAYGROUND: &str = "playground";

pub(super) fn run(port: u16) -> Result<ExitCode, Failure> {
    let playground = Playground::find();
    let missing = playground.missing();
    let serving = super::start(
        port,
        |options| options.clients.push(client_of_the_page()),
        Arc::new(move |request, server| controls::answer(request, server).or_else(|| playground.answer(request))),
    )?;
    // Programs that start the server read the first line, and may close the pipe then: both go at once.
    data(&format!("issuer {0}\nplayground {0}{1}", serving.issuer, playground::PATH))?;
    let lines = introduction(&serving.issuer, &serving.lock(), missing);
    for line in lines {
        word(&line);
    }
    serving.wait();
    Ok(ExitCode::SUCCESS)
}

fn client_of_the_page() -> Client {
    Client::public(PLAYGROUND, "The playground", &[&format!("http://{}{}", playground::ADDRESS, playground::PATH)])
}

fn introduction(issuer: &str, server: &AuthorizationServer, missing: Option<String>) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        missing.unwrap_or_else(|| "Open the playground in a browser to watch a session at work.\n".to_owned()),
        "An authorization server for development. It forgets everything when it stops (Ctrl-C).".to_owned(),
        String::new(),
    ];
    let options = server.options();
    let clients = options.clients.iter().map(|client| {
        let dialect = if client.id == CODEX_CLIENT_ID { "OpenAI's dialect" } else { "the standards" };
        format!("  client    {:<30} speaks {dialect}", client.id)
    });
    let users =
        options.users.iter().map(|user| format!("  account   {:<30} {}, plan {}", user.email, user.name, user.plan));
    lines.extend(clients.chain(users));
    let moved = if issuer == LOCAL_ISSUER { String::new() } else { format!(" --issuer {issuer}") };
    lines.extend([
        format!("  discovery {issuer}/.well-known/openid-configuration"),
        format!("  resource  {issuer}/me"),
        String::new(),
        "To try in another terminal, in a home of its own:".to_owned(),
        String::new(),
        "  export CODEX_HOME=\"$(mktemp -d)\"".to_owned(),
        format!("  hallpass login --provider local{moved}"),
        format!("  hallpass login --provider local{moved} --device-auth"),
        format!("  hallpass login --provider openai --issuer {issuer}"),
        format!("  curl -H \"Authorization: Bearer $(hallpass token)\" {issuer}/me"),
        "  hallpass logout".to_owned(),
        String::new(),
    ]);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass::authorization_server::Options;

    #[test]
    fn commands_name_the_issuer_where_it_is_not_the_usual_one() {
        let server = AuthorizationServer::new(Options::new("", [0; 32]));
        let usual = introduction(LOCAL_ISSUER, &server, None).join("\n");
        assert!(usual.contains("hallpass login --provider local\n"), "{usual}");
        let other = introduction("http://127.0.0.1:9", &server, None).join("\n");
        assert!(other.contains("hallpass login --provider local --issuer http://127.0.0.1:9\n"), "{other}");
        assert!(LOCAL_ISSUER.ends_with(&PORT.to_string()));
    }
}
