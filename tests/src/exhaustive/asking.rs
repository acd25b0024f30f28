//! Effects and events in short: what a machine asks for, and what it can be told.

use hallpass_core::{
    Effect, Event, HttpRequest, HttpResponse, Lock, LockFailure, LockTrouble, Place, Reach, RequestFailure, Slot,
    StoreFailure, StoreTrouble,
};

use super::setting::ISSUER;
use super::{Style, Token, refresh_tokens_in};

/// A slot of the store, as an index.
pub(super) const SLOTS: [Slot; 5] = [
    Slot::Record(Place::File),
    Slot::Record(Place::Keyring),
    Slot::Parked(Place::File),
    Slot::Parked(Place::Keyring),
    Slot::Sidecar,
];

/// The first slot that is no record, and the one that is neither a record nor a parked answer.
pub(super) const PARKED: u8 = 2;
pub(super) const SIDECAR: u8 = 4;

/// An effect, as far as it matters here.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Ask {
    Load(u8),
    Save {
        slot: u8,
        text: u32,
    },
    Reserve {
        slot: u8,
        text: u32,
    },
    Remove(u8),
    /// The client's secret, which this client does not have.
    RemoveElsewhere,
    Lock(u8),
    Unlock(u8),
    Sleep(i64),
    Spend(Token),
    Revoke(Token),
    DeviceCode,
    Present,
    DeviceToken,
    /// The flow has ended.
    Nothing,
}

/// What a machine is told.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Answer {
    /// The text, 0 where the slot is empty.
    Loaded(u32),
    Saved,
    Reserved,
    Removed(bool),
    StoreFailed,
    Locked,
    LockBusy,
    Unlocked,
    Slept,
    Cancelled,
    Presented,
    DeviceCode,
    Granted {
        token: Token,
        at: i64,
    },
    Rejected,
    Revoked,
    NotSent,
    Unanswered,
    Broken,
    Busy,
    Gateway,
}

/// The index of a slot.
pub(super) fn index(slot: Slot) -> u8 {
    let found = SLOTS.iter().position(|known| *known == slot);
    u8::try_from(found.expect("no flow here asks for another slot")).expect("there are five")
}

/// The index of a lock.
pub(super) fn lock_index(lock: Lock) -> u8 {
    match lock {
        Lock::Transaction => 0,
        Lock::Commit | Lock::Minting => 1,
    }
}

/// What an effect asks for; `text` gives a text its number.
pub(super) fn ask(effect: &Effect, mut text: impl FnMut(&str) -> u32) -> Ask {
    match effect {
        Effect::Load(slot) => Ask::Load(index(*slot)),
        Effect::Save { slot, contents } => Ask::Save { slot: index(*slot), text: text(contents.expose()) },
        Effect::Reserve { place, intent, .. } => {
            Ask::Reserve { slot: index(Slot::Parked(*place)), text: text(intent.expose()) }
        }
        Effect::Remove(slot) if SLOTS.contains(slot) => Ask::Remove(index(*slot)),
        Effect::Remove(_) => Ask::RemoveElsewhere,
        Effect::Lock { lock, .. } => Ask::Lock(lock_index(*lock)),
        Effect::Unlock(lock) => Ask::Unlock(lock_index(*lock)),
        Effect::Sleep { milliseconds } => Ask::Sleep(i64::try_from(*milliseconds).expect("not that long")),
        Effect::Http(request) => ask_server(request),
        Effect::Present(_) => Ask::Present,
        other => panic!("no flow here asks for {other:?}"),
    }
}

fn ask_server(request: &HttpRequest) -> Ask {
    let body = request.body.as_ref().map_or("", |body| body.expose());
    let token = refresh_tokens_in(body).first().copied();
    match (request.url.strip_prefix(ISSUER), token) {
        (Some("/device"), None) => Ask::DeviceCode,
        (Some("/token"), None) => Ask::DeviceToken,
        (Some("/token"), Some(token)) => Ask::Spend(token),
        (Some("/revoke"), Some(token)) => Ask::Revoke(token),
        _ => panic!("no server answers {} {body}", request.url),
    }
}

/// The event that tells it.
pub(super) fn event(answer: Answer, style: Style, text: impl FnOnce(u32) -> String) -> Event {
    let detail = String::new;
    let failed = |reach| Event::RequestFailed(RequestFailure::new(reach, detail()));
    match answer {
        Answer::Loaded(0) => Event::Loaded(None),
        Answer::Loaded(number) => Event::Loaded(Some(text(number).into())),
        Answer::Saved => Event::Saved,
        Answer::Reserved => Event::Reserved,
        Answer::Removed(existed) => Event::Removed(existed),
        Answer::StoreFailed => Event::StoreFailed(StoreFailure { kind: StoreTrouble::Full, detail: detail() }),
        Answer::Locked => Event::Locked,
        Answer::LockBusy => Event::LockFailed(LockFailure { kind: LockTrouble::Busy, detail: detail() }),
        Answer::Unlocked => Event::Unlocked,
        Answer::Slept => Event::Slept,
        Answer::Cancelled => Event::Cancelled,
        Answer::Presented => Event::Presented,
        Answer::DeviceCode => responded(
            200,
            r#"{"device_code":"code","user_code":"ABCD","verification_uri":"https://id.example/enter","interval":5}"#,
        ),
        Answer::Granted { token, at } => responded(200, &token.answer(style, at)),
        Answer::Rejected => responded(400, r#"{"error":"invalid_grant"}"#),
        Answer::Revoked => responded(200, ""),
        Answer::NotSent => failed(Reach::NotSent),
        Answer::Unanswered => failed(Reach::Unanswered),
        Answer::Broken => failed(Reach::Broken(200)),
        Answer::Busy => responded(503, ""),
        Answer::Gateway => responded(502, ""),
    }
}

fn responded(status: u16, body: &str) -> Event {
    Event::Responded(HttpResponse { status, headers: Vec::new(), body: body.into() })
}
