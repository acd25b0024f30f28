//! A login from its first line to its last, with the person played.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};

use hallpass::authorization_server::Serving;
use serde_json::Value;

use super::{Ran, visit};

/// How the person brings the browser's answer back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// The browser calls.
    Redirected,
    /// The person pastes the address.
    Pasted,
}

/// Runs a `login --json`, does what it asks for, and returns all that it said. `input` is written to it at once.
pub(crate) fn sign_in(mut command: Command, serving: &Serving, way: Way, input: &str) -> Ran {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    // Who pipes something in has nothing more to say.
    let mut stdin = input.is_empty().then_some(stdin);
    let mut stderr = child.stderr.take().unwrap();
    let words = std::thread::spawn(move || {
        let mut words = String::new();
        stderr.read_to_string(&mut words).map(|_| words)
    });
    let mut stdout = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let event: Value = serde_json::from_str(&line).unwrap();
        stdout += &line;
        stdout.push('\n');
        if let Some(code) = event["user_code"].as_str() {
            assert!(serving.lock().approve_device(code, "ada@example.com"));
        } else if let Some(url) = event["authorization_url"].as_str() {
            let (status, location) = visit(url);
            let location = location.unwrap_or_else(|| panic!("the server answered {status} and no redirect"));
            match (way, &mut stdin) {
                (Way::Pasted, Some(stdin)) => writeln!(stdin, "{location}").unwrap(),
                _ => assert_eq!(visit(&location).0, 200),
            }
        }
    }
    let code = child.wait().unwrap().code();
    Ran { code, stdout, stderr: words.join().unwrap().unwrap() }
}
