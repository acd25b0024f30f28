use super::*;

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

use hallpass_core::{
    Call, Declined, HttpMethod, HttpRequest, HttpResponse, Level as LineLevel, Lock, Place, Reach, RequestFailure, Slot,
};

/// A home of its own, removed when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("hallpass-log-{}-{number}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn log(&self) -> Log {
        Log::begin(&Log::folder(&self.0), "token")
    }

    fn path(&self) -> PathBuf {
        self.0.join("log/codex-login.log")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const LOCK: Effect = Effect::Lock { lock: Lock::Transaction, deadline: 1 };

fn step(log: &mut Log, effect: &Effect, event: &Event) {
    let asked = log.asked(effect, &[]);
    log.answered(asked, event);
}

fn request() -> HttpRequest {
    HttpRequest {
        method: HttpMethod::Post,
        url: "https://user:canary@id.example.com/oauth/token?code=canary#canary".into(),
        headers: vec![("authorization".into(), "Bearer canary".into())],
        body: Some("refresh_token=canary-spent".into()),
        deadline: 1,
        interruptible: false,
    }
}

fn responded(status: u16, headers: &[(&str, &str)]) -> Event {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    Event::Responded(HttpResponse { status, headers, body: "canary".into() })
}

#[test]
fn what_is_answered_from_the_store_alone_leaves_no_trace() {
    let scratch = Scratch::new();
    let mut log = scratch.log();
    step(&mut log, &Effect::Load(Slot::Sidecar), &Event::Loaded(None));
    log.ended(&Err(Declined::Cancelled.into()));
    assert!(!scratch.0.join("log").exists());
}

#[test]
fn each_step_is_a_line_with_what_matters_and_nothing_secret() {
    let scratch = Scratch::new();
    let mut log = scratch.log();
    let note = LogLine { level: LineLevel::Detail, message: "two\nlines".into() };
    let asked = log.asked(&LOCK, &[note]);
    log.answered(asked, &Event::Locked);
    step(&mut log, &Effect::Load(Slot::Record(Place::File)), &Event::Loaded(Some("canary".into())));
    let ids = [("X-Request-Id", "req_8f3"), ("set-cookie", "canary")];
    step(&mut log, &Effect::Http(request()), &responded(200, &ids));
    step(&mut log, &Effect::Save { slot: Slot::Parked(Place::File), contents: "canary".into() }, &Event::Saved);
    let echoed = [("x-request-id", "canary-spent")];
    step(&mut log, &Effect::Http(request()), &responded(503, &echoed));
    let failure = RequestFailure::new(Reach::NotSent, "no\r\nroute");
    step(&mut log, &Effect::Http(request()), &Event::RequestFailed(failure));
    let call = Call { method: "GET".into(), target: "/auth/callback?code=canary&state=canary&x".into(), host: None };
    step(&mut log, &Effect::Await { until: now() }, &Event::Called(call));
    log.ended(&Err(Declined::Cancelled.into()));
    let text = scratch.text();
    assert!(!text.contains("canary"), "{text}");
    let lines: Vec<_> = text.lines().collect();
    for (line, expected) in lines.iter().zip([
        " INFO hallpass: token ",
        "note: two lines",
        "step 1: lock Transaction -> locked (",
        "step 2: load Record(File) -> loaded (",
        "step 3: POST https://id.example.com/oauth/token -> 200 (request req_8f3) (",
        "step 4: save Parked(File) -> saved (",
        " WARN hallpass: token ",
        "step 6: POST https://id.example.com/oauth/token -> no  route (",
        "called: GET /auth/callback with [code state x] (",
        "ended with cancelled: cancelled (",
    ]) {
        assert!(line.contains(expected), "{expected}: {line}");
        assert!(hallpass_core::Timestamp::from_milliseconds(0).to_string().len() < line.find(" hallpass: ").unwrap());
    }
    assert_eq!(lines.len(), 10, "{text}");
    assert!(lines[6].contains("-> 503 ("), "{text}");
}

#[test]
fn an_answer_that_must_be_stored_first_is_written_down_after_it() {
    let scratch = Scratch::new();
    let mut log = scratch.log();
    step(&mut log, &LOCK, &Event::Locked);
    step(&mut log, &Effect::Http(request()), &responded(200, &[]));
    assert!(!scratch.text().contains("POST"));
    step(&mut log, &Effect::Save { slot: Slot::Parked(Place::File), contents: "".into() }, &Event::Saved);
    assert!(scratch.text().contains("POST"));
}

#[test]
fn a_home_that_is_not_there_yet_is_waited_for_and_not_made() {
    let scratch = Scratch::new();
    let home = scratch.0.join("home");
    let mut log = Log::begin(&Log::folder(&home), "login");
    step(&mut log, &LOCK, &Event::Locked);
    assert!(!home.exists());
    fs::create_dir(&home).unwrap();
    step(&mut log, &LOCK, &Event::Locked);
    let text = fs::read_to_string(home.join("log/codex-login.log")).unwrap();
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn a_full_file_makes_way_and_the_one_before_is_kept() {
    let scratch = Scratch::new();
    step(&mut scratch.log(), &LOCK, &Event::Locked);
    for round in 0..3 {
        let full = format!("{round}\n").repeat(600_000);
        fs::write(scratch.path(), &full).unwrap();
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let mut log = scratch.log();
                std::thread::spawn(move || step(&mut log, &LOCK, &Event::Locked))
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        let (now, before) = (scratch.text(), fs::read_to_string(scratch.0.join("log/codex-login.log.1")).unwrap());
        assert!(before.starts_with(&full), "nothing is lost");
        let lines = now.lines().count() + before[full.len()..].lines().count();
        assert_eq!(lines, 16, "each wrote its two lines, to the one or the other");
        assert!(now.lines().all(|line| line.contains(" hallpass: ")));
    }
    assert_eq!(fs::read_dir(scratch.0.join("log")).unwrap().count(), 2);
}

#[test]
#[cfg(unix)]
fn it_is_for_its_owner_alone_and_follows_no_link() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let scratch = Scratch::new();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    step(&mut scratch.log(), &LOCK, &Event::Locked);
    assert_eq!((mode(&scratch.path()), mode(&scratch.0.join("log"))), (0o600, 0o700));
    fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o644)).unwrap();
    step(&mut scratch.log(), &LOCK, &Event::Locked);
    assert_eq!(mode(&scratch.path()), 0o600, "Codex's umask is not ours");
    let elsewhere = scratch.0.join("elsewhere");
    fs::write(&elsewhere, "").unwrap();
    for is_hard in [false, true] {
        fs::remove_file(scratch.path()).unwrap();
        let (from, to) = (&elsewhere, &scratch.path());
        if is_hard { fs::hard_link(from, to) } else { symlink(from, to) }.unwrap();
        step(&mut scratch.log(), &LOCK, &Event::Locked);
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "");
    }
    fs::remove_dir_all(scratch.0.join("log")).unwrap();
    fs::write(scratch.0.join("log"), "in its place").unwrap();
    step(&mut scratch.log(), &LOCK, &Event::Locked);
}
