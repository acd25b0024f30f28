use super::*;
use alloc::format;

const URI: &str = "http://127.0.0.1:1455/auth/callback";

fn judge(target: &str) -> Verdict {
    call("GET", target, Some("127.0.0.1:1455"))
}

fn call(method: &str, target: &str, host: Option<&str>) -> Verdict {
    expected(false, |expected| {
        expected.judge_call(&Call { method: method.into(), target: target.into(), host: host.map(Into::into) })
    })
}

fn expected<R>(names_issuer: bool, judge: impl FnOnce(Expected<'_>) -> R) -> R {
    let state = Secret::new("the-state");
    judge(Expected {
        redirect_uri: URI,
        state: &state,
        issuer: "https://id.example",
        server: "id.example",
        names_issuer,
    })
}

fn failed(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Failed(error) => error.code(),
        Verdict::Code(_) | Verdict::Stray(_) => panic!("{verdict:?}"),
    }
}

#[test]
fn the_answer_to_this_login() {
    let code = Verdict::Code("c1".into());
    assert_eq!(judge("/auth/callback?code=c1&state=the-state"), code);
    assert_eq!(judge("/auth/callback?session_state=x&state=the-state&code=c%31&scope=a+b"), code, "others are ignored");
    assert_eq!(judge("/auth/callback?code=c1&state=the-state&iss=https%3A%2F%2Fid.example"), code);
    for host in ["localhost:1455", "[::1]:1455"] {
        assert_eq!(call("GET", "/auth/callback?code=c1&state=the-state", Some(host)), code, "{host}");
    }
}

#[test]
fn what_is_not_it_never_ends_the_wait() {
    let bad = Verdict::Stray(Page::BadRequest);
    for target in [
        "/auth/callback",
        "/auth/callback?code=c1",
        "/auth/callback?code=c1&state=",
        "/auth/callback?code=c1&state=other",
        "/auth/callback?error=access_denied",
        "/auth/callback?error=access_denied&state=other",
        "/auth/callback?code=c1&state=the-state&state=the-state",
        "/auth/callback?code=c1&code=c2&state=the-state",
    ] {
        assert_eq!(judge(target), bad, "{target}");
    }
    for target in [
        "/",
        "/favicon.ico",
        "/cancel",
        "/auth/callback/",
        "/auth/../auth/callback?code=c1&state=the-state",
        "/success?state=the-state&code=c1",
        "*",
        "",
    ] {
        assert_eq!(judge(target), Verdict::Stray(Page::NotFound), "{target}");
    }
    for method in ["POST", "HEAD", "PUT", "get"] {
        assert_eq!(call(method, "/auth/callback?code=c1&state=the-state", Some("127.0.0.1:1455")), bad, "{method}");
    }
    for host in [
        None,
        Some("evil.example"),
        Some("evil.example:1455"),
        Some("127.0.0.1"),
        Some("127.0.0.1:14550"),
        Some("127.0.0.1.evil.example:1455"),
    ] {
        assert_eq!(call("GET", "/auth/callback?code=c1&state=the-state", host), bad, "{host:?}");
    }
}

#[test]
fn the_owner_of_the_state_can_end_it() {
    assert_eq!(failed(&judge("/auth/callback?error=access_denied&state=the-state")), "access_denied");
    assert_eq!(
        failed(&judge(
            "/auth/callback?error=access_denied&error_description=Missing_Codex_Entitlement&state=the-state"
        )),
        "not_entitled"
    );
    assert_eq!(failed(&judge("/auth/callback?error=server_error&state=the-state&code=c1")), "refused");
    assert_eq!(failed(&judge("/auth/callback?state=the-state")), "malformed_answer");
    assert_eq!(failed(&judge("/auth/callback?state=the-state&code=")), "malformed_answer");
    let long = "x".repeat(5000);
    assert_eq!(failed(&judge(&format!("/auth/callback?state=the-state&code={long}"))), "malformed_answer");
}

#[test]
fn the_issuer_is_checked_on_success_and_on_error() {
    assert_eq!(failed(&judge("/auth/callback?code=c1&state=the-state&iss=https://evil.example")), "issuer_mismatch");
    assert_eq!(failed(&judge("/auth/callback?error=x&state=the-state&iss=https://id.example/")), "issuer_mismatch");
    let verdict = expected(true, |expected| expected.judge_pasted(&"code=c1&state=the-state".into()));
    assert_eq!(failed(&verdict), "issuer_missing");
}

#[test]
fn what_a_person_pastes() {
    let paste = |text: &str| expected(false, |expected| expected.judge_pasted(&text.into()));
    let code = Verdict::Code("c1".into());
    for text in [
        "http://127.0.0.1:1455/auth/callback?code=c1&state=the-state",
        "  http://127.0.0.1:1455/auth/callback?state=the-state&code=c1#x \n",
        "?code=c1&state=the-state",
        "/auth/callback?code=c1&state=the-state",
        "c1",
    ] {
        assert_eq!(paste(text), code, "{text}");
    }
    for text in [
        "",
        "   ",
        "http://127.0.0.1:1455/auth/callback?code=c1&state=other",
        "https://evil.example/?code=c1&state=the-state",
        "http://127.0.0.1:1455/auth/callback?code=c1",
        "two words",
        "d=1",
    ] {
        assert_eq!(paste(text), Verdict::Stray(Page::BadRequest), "{text}");
    }
}

#[test]
fn what_a_server_says_is_made_fit_to_show() {
    let Verdict::Failed(error) =
        judge("/auth/callback?state=the-state&error=access_denied&error_description=%1b%5b31m%e2%80%aeno")
    else {
        panic!()
    };
    assert_eq!(error.report().message, "the sign-in was declined: [31mno");
}
