//! One of everything that crosses a boundary.

use hallpass_core::{
    Call, Event, HttpResponse, LockFailure, LockTrouble, Reach, RequestFailure, StoreFailure, StoreTrouble,
};

/// One event of each kind, and of each kind of failure.
pub fn events() -> Vec<Event> {
    let response = |status, body: &str| {
        Event::Responded(HttpResponse { status, headers: vec![("Retry-After".into(), "1".into())], body: body.into() })
    };
    let lost = |reach| Event::RequestFailed(RequestFailure::new(reach, "sample"));
    vec![
        response(200, "{}"),
        response(200, r#"{"access_token":"sample","token_type":"Bearer"}"#),
        response(400, r#"{"error":"invalid_grant"}"#),
        Event::Responded(HttpResponse {
            status: 400,
            headers: vec![("DPoP-Nonce".into(), "sample".into())],
            body: r#"{"error":"use_dpop_nonce"}"#.into(),
        }),
        response(401, "<html>"),
        response(503, ""),
        response(302, ""),
        lost(Reach::NotSent),
        lost(Reach::Unanswered),
        lost(Reach::Broken(200)),
        Event::Loaded(None),
        Event::Loaded(Some("{".into())),
        Event::Loaded(Some(r#"{"auth_mode":"apikey","OPENAI_API_KEY":"sample"}"#.into())),
        Event::Loaded(Some(crate::key::jwk(100))),
        Event::Saved,
        Event::Removed(true),
        Event::Reserved,
        Event::StoreFailed(StoreFailure { kind: StoreTrouble::Full, detail: "sample".into() }),
        Event::StoreFailed(StoreFailure { kind: StoreTrouble::Unavailable, detail: "sample".into() }),
        Event::Locked,
        Event::Unlocked,
        Event::LockFailed(LockFailure { kind: LockTrouble::Busy, detail: "sample".into() }),
        Event::LockFailed(LockFailure { kind: LockTrouble::Unsupported, detail: "sample".into() }),
        Event::Slept,
        Event::Listening { redirect_uri: "http://127.0.0.1:1/callback".into() },
        Event::Listening { redirect_uri: String::new() },
        Event::ListenFailed { detail: "sample".into() },
        Event::Called(Call { method: "GET".into(), target: "/callback?state=x".into(), host: None }),
        Event::Pasted("sample".into()),
        Event::Switched,
        Event::TimedOut,
        Event::Replied,
        Event::Presented,
        Event::Ran { status: 0, output: "sample".into() },
        Event::RunFailed { detail: "sample".into() },
        Event::Signed("sample".into()),
        Event::SignFailed { detail: "sample".into() },
        Event::Cancelled,
    ]
}
