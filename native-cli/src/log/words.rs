//! What is said of an effect and of its answer: names and reasons, nothing that is secret.

use hallpass_core::{Effect, Event, Prompt};

/// As much of a foreign text as is written down.
const LONGEST: usize = 400;

/// How much a line matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Level {
    Info,
    Warn,
    Error,
}

impl Level {
    /// Its name, as wide as the others.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Info => " INFO",
            Self::Warn => " WARN",
            Self::Error => "ERROR",
        }
    }
}

/// What was asked for.
pub(super) fn question(effect: &Effect) -> String {
    match effect {
        Effect::Http(_) => String::new(),
        Effect::Load(slot) => format!("load {slot:?}"),
        Effect::Save { slot, .. } => format!("save {slot:?}"),
        Effect::Remove(slot) => format!("remove {slot:?}"),
        Effect::Lock { lock, .. } => format!("lock {lock:?}"),
        Effect::Unlock(lock) => format!("unlock {lock:?}"),
        Effect::Reserve { place, .. } => format!("reserve {place:?}"),
        Effect::Sleep { milliseconds } => format!("sleep {milliseconds} ms"),
        Effect::Listen(listen) => format!("listen on {:?}", listen.ports),
        Effect::Await { .. } => "await".to_owned(),
        Effect::Reply(page) => format!("reply {page:?}"),
        Effect::Present(Prompt::Browser { .. }) => "present a page to sign in".to_owned(),
        Effect::Present(Prompt::UserCode { .. }) => "present a code to enter".to_owned(),
        Effect::Run(command) => format!("run {}", plain(&command.program)),
        Effect::Sign { algorithm, .. } => format!("sign with {}", plain(algorithm)),
    }
}

/// What came of it.
pub(super) fn answer(event: &Event) -> (Level, String) {
    let detail = match event {
        Event::StoreFailed(failure) => format!(" {:?}: {}", failure.kind, plain(&failure.detail)),
        Event::LockFailed(failure) => format!(" {:?}: {}", failure.kind, plain(&failure.detail)),
        Event::ListenFailed { detail } | Event::RunFailed { detail } | Event::SignFailed { detail } => {
            format!(": {}", plain(detail))
        }
        Event::Ran { status, .. } => {
            let level = if *status == 0 { Level::Info } else { Level::Warn };
            return (level, format!("ran, with status {status}"));
        }
        Event::Loaded(None) => return (Level::Info, "loaded nothing".to_owned()),
        Event::Removed(false) => return (Level::Info, "nothing was there".to_owned()),
        Event::Listening { redirect_uri } => return (Level::Info, format!("listening, as {}", plain(redirect_uri))),
        Event::Called(call) => return (Level::Info, called(&call.method, call.target.expose())),
        event => return (Level::Info, event.name().to_owned()),
    };
    (Level::Warn, event.name().to_owned() + &detail)
}

/// The path of a request and the names of its parameters; their values are what it is all about.
fn called(method: &str, target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let is_name = |name: &&str| name.len() <= 24 && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let names = query.split('&').filter_map(|pair| pair.split('=').next()).filter(is_name);
    let names: Vec<_> = names.filter(|name| !name.is_empty()).take(8).collect();
    let known = if path.len() <= 40 { plain(path) } else { "another path".to_owned() };
    format!("called: {} {known} with [{}]", plain(method), names.join(" "))
}

/// A text without what would end its line, move the cursor or hide, and not too long.
pub(super) fn plain(text: &str) -> String {
    let hides =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    text.chars().map(|c| if c.is_control() || hides(c) { ' ' } else { c }).take(LONGEST).collect()
}
