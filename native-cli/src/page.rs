//! What a waiting browser is shown.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hallpass_core::Page;
use sha2::{Digest, Sha256};

/// The status, the headers and the body of a page: fixed text, nothing of the request or of a server in it, no
/// script, nothing to be fetched from anywhere.
pub fn render(page: Page) -> (u16, Vec<(&'static str, String)>, String) {
    let words = words(page);
    let body = format!(
        "<!doctype html>\n\
        <html lang=\"en\">\n\
        <head>\n\
        <meta charset=\"utf-8\">\n\
        <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
        <meta name=\"color-scheme\" content=\"light dark\">\n\
        <meta name=\"robots\" content=\"noindex\">\n\
        <title>{title}</title>\n\
        <link rel=\"icon\" href=\"data:,\">\n\
        <style>{STYLE}</style>\n\
        </head>\n\
        <body>\n\
        <main class=\"{tone}\">\n\
        <div class=\"mark\" aria-hidden=\"true\">{mark}</div>\n\
        <h1>{title}</h1>\n\
        <p>{text}</p>\n\
        </main>\n\
        <footer>Hallpass</footer>\n\
        </body>\n\
        </html>\n",
        title = words.title,
        tone = words.tone,
        mark = words.mark,
        text = words.text,
    );
    let headers = vec![
        ("content-type", "text/html; charset=utf-8".into()),
        ("content-length", body.len().to_string()),
        ("content-security-policy", policy()),
        ("referrer-policy", "no-referrer".into()),
        ("cache-control", "no-store".into()),
        ("x-content-type-options", "nosniff".into()),
        ("connection", "close".into()),
    ];
    (page.status(), headers, body)
}

struct Words {
    tone: &'static str,
    mark: &'static str,
    title: &'static str,
    text: &'static str,
}

fn words(page: Page) -> Words {
    let (tone, mark, title, text) = match page {
        Page::SignedIn => ("good", CHECK, "You are signed in.", "You can close this page and go back to your tool."),
        Page::Declined => (
            "calm",
            DASH,
            "Sign-in was declined",
            "Nothing was signed in, and nothing was changed. You can close this page; to try again, start from your tool.",
        ),
        Page::Failed => (
            "bad",
            CROSS,
            "Sign-in did not work",
            "The tool that started this says why. You can close this page and go back to it.",
        ),
        Page::NotSaved => (
            "bad",
            CROSS,
            "Signed in, but not saved",
            "The sign-in worked, but the credentials could not be stored on this machine. \
             The tool that started this says why. You can close this page and go back to it.",
        ),
        Page::Forbidden => (
            "bad",
            CROSS,
            "This sign-in is not allowed",
            "A policy of this machine or of your organisation forbids it. The tool that started this says more. \
             You can close this page.",
        ),
        Page::BadRequest => (
            "calm",
            DASH,
            "This is not the answer to the sign-in",
            "The request does not belong to the sign-in that is waiting here, so it was ignored. \
             To sign in, use the newest page that your tool opened.",
        ),
        Page::NotFound => (
            "calm",
            DASH,
            "There is nothing here",
            "This address only waits for a sign-in to come back. Go back to the page that your tool opened.",
        ),
    };
    Words { tone, mark, title, text }
}

/// Nothing may load, run, be sent or be framed; only this very style applies.
fn policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

const CHECK: &str = "<svg viewBox=\"0 0 24 24\"><path d=\"M5 12.5l4.5 4.5L19 7.5\"/></svg>";
const CROSS: &str = "<svg viewBox=\"0 0 24 24\"><path d=\"M7 7l10 10M17 7L7 17\"/></svg>";
const DASH: &str = "<svg viewBox=\"0 0 24 24\"><path d=\"M6 12h12\"/></svg>";

const STYLE: &str = "\
:root{color-scheme:light dark;--page:#f4f5f7;--card:#fff;--line:#dfe2e8;--text:#1b1f27;--soft:#4d5565;\
--good:#177245;--bad:#b3261e;--calm:#4d5a78}\
@media(prefers-color-scheme:dark){:root{--page:#101217;--card:#191c23;--line:#2c313c;--text:#eef0f4;--soft:#b3bac8;\
--good:#5fcf97;--bad:#ff8a80;--calm:#a9b6d6}}\
*{box-sizing:border-box}\
body{margin:0;min-height:100vh;display:flex;flex-direction:column;align-items:center;justify-content:center;gap:1.5rem;\
padding:1.5rem;background:var(--page);color:var(--text);font:1.0625rem/1.6 system-ui,-apple-system,'Segoe UI',Roboto,\
'Helvetica Neue',Arial,sans-serif}\
main{width:100%;max-width:30rem;padding:2.75rem 2.25rem;background:var(--card);border:1px solid var(--line);\
border-radius:1rem;text-align:center}\
.good{--tone:var(--good)}.bad{--tone:var(--bad)}.calm{--tone:var(--calm)}\
.mark{width:3.5rem;height:3.5rem;margin:0 auto 1.25rem;border:2px solid var(--tone);border-radius:50%;\
display:flex;align-items:center;justify-content:center}\
svg{width:2rem;height:2rem;fill:none;stroke:var(--tone);stroke-width:2.25;stroke-linecap:round;stroke-linejoin:round}\
h1{margin:0 0 .75rem;font-size:1.5rem;line-height:1.3;font-weight:650;text-wrap:balance}\
p{margin:0;color:var(--soft);text-wrap:pretty}\
footer{color:var(--soft);font-size:.875rem;letter-spacing:.04em}\
@media(max-width:28rem){main{padding:2rem 1.25rem}}\
@media(forced-colors:active){svg{stroke:CanvasText}.mark{border-color:CanvasText}}";

#[cfg(test)]
mod tests {
    use super::*;

    const PAGES: [Page; 7] = [
        Page::SignedIn,
        Page::Declined,
        Page::Failed,
        Page::NotSaved,
        Page::Forbidden,
        Page::BadRequest,
        Page::NotFound,
    ];

    #[test]
    fn pages_are_static_and_guarded() {
        for page in PAGES {
            let (status, headers, body) = render(page);
            assert_eq!(status, page.status());
            let header = |name| headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
            let policy = header("content-security-policy").expect("a policy");
            assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
            assert!(policy.ends_with("'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"), "{policy}");
            assert_eq!(header("referrer-policy"), Some("no-referrer"));
            assert_eq!(header("cache-control"), Some("no-store"));
            assert_eq!(header("x-content-type-options"), Some("nosniff"));
            assert_eq!(header("connection"), Some("close"));
            assert_eq!(header("content-length"), Some(body.len().to_string().as_str()));
            for forbidden in ["<script", "http:", "https:", "url(", "@import", "style=", "onload", "onerror"] {
                assert!(!body.contains(forbidden), "{page:?} has {forbidden}");
            }
        }
    }

    #[test]
    fn the_signed_in_page_says_what_to_do_next() {
        let (_, _, body) = render(Page::SignedIn);
        assert!(body.contains("<h1>You are signed in.</h1>\n<p>You can close this page and go back to your tool.</p>"));
    }
}
