//! `hallpass credential aws`, beside an STS that is played on loopback.
#![cfg(feature = "tls")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use hallpass::authorization_server::Serving;
use serde_json::Value;
use support::{Home, Way, server, sign_in};

/// What STS was sent, form by form.
type Heard = Arc<Mutex<Vec<BTreeMap<String, String>>>>;

/// An STS that gives keys to whom it is told of, and the address of it.
fn sts(status: u16, body: &'static str) -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let heard = Heard::default();
    let notes = Arc::clone(&heard);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut length = 0;
            for line in reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
                let header = line.to_ascii_lowercase();
                length = header.strip_prefix("content-length:").map_or(length, |value| value.trim().parse().unwrap());
            }
            let mut form = vec![0; length];
            reader.read_exact(&mut form).unwrap();
            notes.lock().unwrap().push(form_urlencoded::parse(&form).into_owned().collect());
            let opening =
                format!("HTTP/1.1 {status} X\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all((opening + body).as_bytes()).unwrap();
        }
    });
    (address, heard)
}

/// As STS answers: its names, its order, its white space.
const KEYS: &str = "\
<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">
  <AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>ada@example.com</SubjectFromWebIdentityToken>
    <Audience>hallpass</Audience>
    <AssumedRoleUser>
      <Arn>arn:aws:sts::123456789012:assumed-role/dev/ada</Arn>
      <AssumedRoleId>AROACLKWSDQRAOEXAMPLE:ada</AssumedRoleId>
    </AssumedRoleUser>
    <Credentials>
      <SessionToken>canary-session/+=</SessionToken>
      <SecretAccessKey>canary-secret/+</SecretAccessKey>
      <Expiration>2030-01-02T03:04:05Z</Expiration>
      <AccessKeyId>ASIAEXAMPLE</AccessKeyId>
    </Credentials>
    <Provider>id.example.com</Provider>
  </AssumeRoleWithWebIdentityResult>
  <ResponseMetadata><RequestId>ad4156e9</RequestId></ResponseMetadata>
</AssumeRoleWithWebIdentityResponse>
";

const REFUSED: &str = "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidIdentityToken</Code>\
                       <Message>No OpenIDConnect provider found in your account</Message></Error></ErrorResponse>";

fn signed_in(endpoint: &str, more: &str) -> (Home, Serving) {
    let (home, serving) = (Home::new(), server());
    let line = format!("login --json --provider local --issuer {} --no-browser", serving.issuer);
    sign_in(home.command(&line), &serving, Way::Redirected, "").expect(0);
    let role = "arn:aws:iam::123456789012:role/dev";
    let config = format!("[hallpass.aws]\nrole_arn = \"{role}\"\nendpoint = \"{endpoint}\"\n{more}\n");
    fs::write(home.file("config.toml"), config).unwrap();
    (home, serving)
}

fn token(home: &Home, name: &str) -> String {
    let record: Value = serde_json::from_str(&home.record()).unwrap();
    record["tokens"][name].as_str().unwrap().to_owned()
}

/// The schema of a `credential_process`: `Version` is the number 1, two keys must be there, `SessionToken` goes with
/// keys that end, and `Expiration` is ISO 8601.
fn is_a_process_credential(answer: &Value) {
    assert_eq!(answer["Version"], 1);
    for name in ["AccessKeyId", "SecretAccessKey", "SessionToken"] {
        assert!(answer[name].as_str().is_some_and(|text| !text.is_empty()), "{answer}");
    }
    let expiration = answer["Expiration"].as_str().unwrap();
    assert!(hallpass::Timestamp::parse(expiration).is_some() && expiration.ends_with('Z'), "{answer}");
    assert_eq!(answer.as_object().unwrap().len(), 5, "{answer}");
}

#[test]
fn keys_are_printed_as_the_aws_tools_read_them() {
    let (endpoint, heard) = sts(200, KEYS);
    for (more, name) in
        [("", "id_token"), ("token = \"access_token\"\nsession_name = \"ada\"\nduration = 1800", "access_token")]
    {
        let (home, _serving) = signed_in(&endpoint, more);
        let ran = home.run("credential aws --verbose").expect(0);
        let answer = ran.json();
        is_a_process_credential(&answer);
        assert_eq!(answer["AccessKeyId"], "ASIAEXAMPLE");
        assert_eq!(answer["Expiration"], "2030-01-02T03:04:05.000Z");
        assert!(!ran.stderr.contains("canary"), "{ran:?}");
        let form = heard.lock().unwrap().pop().unwrap();
        assert_eq!(form["WebIdentityToken"], token(&home, name));
        assert_eq!((form["Action"].as_str(), form["Version"].as_str()), ("AssumeRoleWithWebIdentity", "2011-06-15"));
        assert_eq!(form["RoleArn"], "arn:aws:iam::123456789012:role/dev");
        assert_eq!(form["RoleSessionName"], if more.is_empty() { "hallpass" } else { "ada" });
        assert_eq!(form.get("DurationSeconds").map(String::as_str), (!more.is_empty()).then_some("1800"));
    }
}

#[test]
fn a_refusal_is_said_without_a_secret() {
    let (endpoint, _) = sts(400, REFUSED);
    let (home, _serving) = signed_in(&endpoint, "");
    let ran = home.run("credential aws --verbose").expect(6);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("InvalidIdentityToken") && ran.stderr.contains("No OpenIDConnect provider"), "{ran:?}");
    assert!(!ran.stderr.contains("canary") && !ran.stderr.contains(&token(&home, "id_token")), "{ran:?}");
}

#[test]
fn without_a_role_or_a_session_nothing_is_asked() {
    let home = Home::new();
    assert!(home.run("credential aws").expect(2).stderr.contains("[hallpass.aws]"));
    let (endpoint, heard) = sts(200, KEYS);
    let (home, _serving) = signed_in(&endpoint, "");
    fs::remove_file(home.file("auth.json")).unwrap();
    home.run("credential aws").expect(1);
    assert!(heard.lock().unwrap().is_empty());
}
