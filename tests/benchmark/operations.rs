//! What core costs: single steps of a flow beside other programs' code for the same work, alternately in one run.
//! `cargo bench -p hallpass-tests --bench operations`, explained in `tests/benchmark/README.md`.
#![allow(missing_docs, reason = "a program")]
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark tells its numbers, and may panic")]

use std::hint::black_box;
use std::time::Instant;

use hallpass_core::{
    Configuration, Effect, Endpoints, Event, Flow, Home, HttpResponse, LoginMethod, LoginRequest, Machine, Need,
    Outcome, Provider, Request, Seed, StatusRequest, Step, Timestamp, TokenRequest,
};
use hallpass_tests::key::base64url;
use ring::rand::SecureRandom as _;

mod peers;

const ROUNDS: usize = 61;
/// How often an operation is done in a round.
const TIMES: u32 = 400;
const NOW: Timestamp = Timestamp::from_milliseconds(1_795_478_400_000);
const REDIRECT_URI: &str = "http://127.0.0.1:49152/callback";

fn main() {
    let (token_response, record) = (token_response(), record());
    println!(
        "token response {} bytes, record {} bytes, {ROUNDS} rounds of {TIMES}\n",
        token_response.len(),
        record.len()
    );
    println!("| operation | Hallpass, ns | peer | peer, ns | ratio |");
    println!("|---|---|---|---|---|");

    let listening = until(login(), |effect| matches!(effect, Effect::Listen(_)));
    let random = ring::rand::SystemRandom::new();
    let begin = |machine: Box<Flow>| {
        // A shell draws the seed, and the peer draws as it goes.
        let mut seed = [0; 32];
        random.fill(&mut seed).unwrap();
        black_box(seed);
        machine.step(NOW, Event::Listening { redirect_uri: REDIRECT_URI.into() })
    };
    assert!(matches!(begin(listening.clone()), Step::Perform { effect: Effect::Present(_), .. }));
    let client = peers::oauth2_client(REDIRECT_URI);
    compare("authorization request", &listening, begin, "oauth2 5.0", || peers::authorization_request(&client));

    let exchanging = until(login(), |effect| matches!(effect, Effect::Http(_)));
    let answer =
        Event::Responded(HttpResponse { status: 200, headers: Vec::new(), body: token_response.clone().into() });
    let finish = |machine: Box<Flow>| machine.step(NOW, answer.clone());
    assert!(matches!(finish(exchanging.clone()), Step::Perform { effect: Effect::Lock { .. }, .. }));
    let name = "token response, to a new record";
    compare(name, &exchanging, finish, "oauth2 5.0, parsed", || peers::oauth2_response(&token_response));
    compare(name, &exchanging, finish, "serde, parsed", || peers::response(&token_response));
    compare(name, &exchanging, finish, "serde, to a new record", || peers::response_to_record(&token_response));

    let loaded = Event::Loaded(Some(record.clone().into()));
    let home = |machine: Box<Flow>| machine.step(NOW, loaded.clone());
    let token = until(Request::Token(TokenRequest { configuration: configuration(), need: usable() }), is_second_load);
    assert!(matches!(home(token.clone()), Step::Done(Ok(Outcome::Token(_)))));
    let name = "stored record, to its token";
    compare(name, &token, home, "serde, parsed", || peers::record(&record));
    compare(name, &token, home, "serde, with claims", || peers::record_with_expiry(&record));

    let status = until(Request::Status(StatusRequest { configuration: configuration(), check: false }), is_second_load);
    assert!(matches!(home(status.clone()), Step::Done(Ok(Outcome::Status(_)))));
    let name = "stored record, to its status";
    compare(name, &status, home, "serde, with claims", || peers::record_with_account(&record));
}

/// Does both in turn and prints the medians. What is made is dropped in the time that counts, here and there; a
/// machine moves into its step, so they are cloned before.
fn compare<T, P>(name: &str, machine: &Flow, ours: impl Fn(Box<Flow>) -> T, peer: &str, theirs: impl Fn() -> P) {
    let (mut own, mut other, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let machines: Vec<_> = (0..TIMES).map(|_| Box::new(machine.clone())).collect();
        let begin = Instant::now();
        for machine in machines {
            black_box(ours(black_box(machine)));
        }
        let a = begin.elapsed().as_secs_f64() * 1e9 / f64::from(TIMES);
        let begin = Instant::now();
        for _ in 0..TIMES {
            black_box(theirs());
        }
        let b = begin.elapsed().as_secs_f64() * 1e9 / f64::from(TIMES);
        own.push(a);
        other.push(b);
        ratios.push(a / b);
    }
    let [own, other, ratio] = [own, other, ratios].map(median);
    println!("| {name} | {own:.0} | {peer} | {other:.0} | {ratio:.2} |");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.swap_remove(values.len() / 2)
}

/// The flow at the first effect of this kind, in a home where nobody is signed in.
fn until(request: Request, mut stops: impl FnMut(&Effect) -> bool) -> Box<Flow> {
    let mut step = Flow::start(request, NOW, Seed::new([1; 32]));
    loop {
        let Step::Perform { machine, effect, .. } = step else { panic!("the flow has ended") };
        if stops(&effect) {
            return machine;
        }
        let event = match effect {
            Effect::Load(_) => Event::Loaded(None),
            Effect::Listen(_) => Event::Listening { redirect_uri: REDIRECT_URI.into() },
            Effect::Present(_) => Event::Presented,
            Effect::Await { .. } => Event::Pasted("code".into()),
            other => panic!("{other:?}"),
        };
        step = machine.step(NOW, event);
    }
}

/// The record comes after the sidecar.
fn is_second_load(effect: &Effect) -> bool {
    matches!(effect, Effect::Load(hallpass_core::Slot::Record(_)))
}

fn login() -> Request {
    let (configuration, method) = (configuration(), LoginMethod::Browser);
    Request::Login(LoginRequest { configuration, method, store: None, client_secret: None })
}

fn usable() -> Need {
    Need::Usable { minimum_lifetime: 300_000 }
}

fn configuration() -> Configuration {
    let endpoints = Endpoints {
        authorization: Some(peers::AUTHORIZATION.into()),
        token: peers::TOKEN.into(),
        ..Endpoints::default()
    };
    let provider = Provider::discovered("https://id.example", peers::CLIENT_ID);
    Configuration {
        home: Home { path: "/home/ada/.codex".into(), machine: "m1".into() },
        ..Configuration::new(Provider { endpoints: Some(endpoints), ..provider })
    }
}

/// A JWT of this many bytes or a little more.
fn jwt(claims: &str, size: usize) -> String {
    let encoded = |text: String| base64url(text.as_bytes());
    let head = encoded(r#"{"alg":"RS256","typ":"JWT","kid":"key-1"}"#.into());
    let signature = base64url(&[7; 256]);
    let used = head.len() + signature.len() + 2 + claims.len() * 4 / 3;
    let padding = "x".repeat(size.saturating_sub(used) * 3 / 4);
    let claims = format!(r#"{{{claims},"exp":1995478400,"iat":1795478400,"padding":"{padding}"}}"#);
    format!("{head}.{}.{signature}", encoded(claims))
}

fn tokens() -> (String, String, String) {
    let auth = r#""https://api.openai.com/auth":{"chatgpt_account_id":"a-1","chatgpt_plan_type":"pro","chatgpt_user_id":"u-1"}"#;
    let id_token = jwt(&format!(r#""iss":"https://id.example","sub":"user-1","email":"ada@example.com",{auth}"#), 1200);
    let access_token = jwt(&format!(r#""iss":"https://id.example","sub":"user-1",{auth}"#), 1200);
    (id_token, access_token, "r".repeat(90))
}

/// 2.8 KB, as real ones are.
fn token_response() -> String {
    let (id_token, access_token, refresh_token) = tokens();
    format!(
        r#"{{"access_token":"{access_token}","token_type":"Bearer","expires_in":864000,"id_token":"{id_token}","refresh_token":"{refresh_token}","scope":"openid profile email offline_access","earliest_refresh_at":1795478400}}"#
    )
}

/// 2.9 KB, as Codex writes it.
fn record() -> String {
    let (id_token, access_token, refresh_token) = tokens();
    let tokens = format!(
        "    \"id_token\": \"{id_token}\",\n    \"access_token\": \"{access_token}\",\n    \"refresh_token\": \"{refresh_token}\",\n    \"account_id\": \"a-1\"\n"
    );
    let record = format!(
        "{{\n  \"auth_mode\": \"chatgpt\",\n  \"OPENAI_API_KEY\": null,\n  \"tokens\": {{\n{tokens}  }},\n  \"last_refresh\": \"2026-11-24T00:00:00.000000000Z\"\n}}"
    );
    record
}
