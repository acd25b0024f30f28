//! The frame of all pages, and the pages without a form.
//!
//! A page is static: no script, nothing from elsewhere, and a content security policy that says so.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::message::Response;
use super::options::Options;

/// The one stylesheet. Its hash is in every page's policy.
const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#f4f5f3;--card:#fff;--ink:#1b1f1d;--soft:#59625e;\
--line:#d5dad6;--accent:#17624f;--on-accent:#fff;--mark:#f7ecd0;--on-mark:#5c4304}\
@media(prefers-color-scheme:dark){:root{--ground:#131716;--card:#1c2220;--ink:#e9edea;\
--soft:#a3aea9;--line:#3a4440;--accent:#7fd1b9;--on-accent:#0c211b;--mark:#3a2f12;--on-mark:#f3dfa6}}\
*{box-sizing:border-box}\
body{margin:0;min-height:100vh;display:flex;align-items:center;justify-content:center;\
padding:1.5rem 1rem;background:var(--ground);color:var(--ink);\
font:1rem/1.55 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\
main{width:100%;max-width:27rem;background:var(--card);border:1px solid var(--line);\
border-radius:1rem;padding:1.75rem}\
h1{font-size:1.4rem;line-height:1.25;margin:0 0 .75rem;letter-spacing:-.01em;text-wrap:balance}\
p{margin:0 0 1rem;overflow-wrap:anywhere}\
.local{background:var(--mark);color:var(--on-mark);border-radius:.6rem;padding:.6rem .8rem;\
font-size:.875rem;margin-bottom:1.5rem}\
.soft{color:var(--soft);font-size:.9rem;margin-top:1.25rem}main>:last-child{margin-bottom:0}\
ul{margin:0 0 1.25rem;padding-left:1.2rem}\
fieldset{border:0;margin:0 0 1.25rem;padding:0}\
legend,.label{display:block;font-weight:600;padding:0;margin-bottom:.5rem}\
.account{display:flex;gap:.75rem;align-items:center;min-height:3.5rem;padding:.6rem .8rem;\
border:1px solid var(--line);border-radius:.7rem;margin-bottom:.5rem;cursor:pointer}\
.account:has(:checked){border-color:var(--accent);box-shadow:inset 0 0 0 1px var(--accent)}\
.account input{accent-color:var(--accent);width:1.15rem;height:1.15rem;flex:none;margin:0}\
.account small{display:block;color:var(--soft);overflow-wrap:anywhere}\
.code{font:600 1.6rem/1.2 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;\
letter-spacing:.08em;text-align:center;border:1px dashed var(--line);border-radius:.7rem;\
padding:.8rem;margin-bottom:1rem}\
input.typed{width:100%;font:600 1.3rem/1.2 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;\
letter-spacing:.06em;text-transform:uppercase;padding:.8rem;border:1px solid var(--soft);\
border-radius:.7rem;background:transparent;color:inherit;margin-bottom:1rem}\
.actions{display:flex;gap:.75rem;flex-wrap:wrap}\
button{flex:1 1 8rem;min-height:2.9rem;font:inherit;font-weight:600;\
border-radius:.7rem;border:1px solid var(--soft);background:transparent;color:inherit;cursor:pointer}\
button.main{background:var(--accent);border-color:var(--accent);color:var(--on-accent)}\
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}\
.account:focus-within{outline:3px solid var(--accent);outline-offset:2px}\
.account :focus-visible{outline:none}\
a{color:var(--accent)}code{font-size:.9em;overflow-wrap:anywhere}\
dl{margin:0 0 1rem}dt{font-weight:600}dd{margin:0 0 .6rem;color:var(--soft)}";

/// The address of this page must not reach anyone, and no copy of it may stay.
pub(super) fn page(status: u16, title: &str, content: &str, form_action: &str) -> Response {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self' {form_action}; \
         base-uri 'none'; frame-ancestors 'none'"
    )
    .replace(" ;", ";");
    let title = escaped(title);
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <p class=\"local\"><strong>Local test authorization server.</strong> \
         The accounts are made up; nobody real signs in here.</p>\n\
         <h1>{title}</h1>\n{content}</main>\n</body>\n</html>\n"
    );
    Response { body: html.into_bytes(), ..Response::empty(status) }
        .with_header("Content-Type", "text/html; charset=utf-8")
        .with_header("Content-Security-Policy", &policy)
        .with_header("Referrer-Policy", "no-referrer")
        .with_header("Cache-Control", "no-store")
        .with_header("X-Content-Type-Options", "nosniff")
}

/// Something went wrong.
pub(super) fn problem(status: u16, title: &str, text: &str) -> Response {
    let content = format!("<p role=\"alert\">{}</p>\n", escaped(text));
    page(status, title, &content, "")
}

/// Something is done.
pub(super) fn notice(title: &str, text: &str) -> Response {
    let content = format!("<p role=\"status\">{}</p>\n", escaped(text));
    page(200, title, &content, "")
}

/// What is here, for a developer who opens the issuer in a browser.
pub(super) fn welcome(options: &Options) -> Response {
    let issuer = escaped(&options.issuer);
    let mut content = format!(
        "<p>Point a client at this issuer to develop against it without an account.</p>\n\
         <dl>\n<dt>Issuer</dt><dd><code>{issuer}</code></dd>\n\
         <dt>Discovery</dt><dd><a href=\"{issuer}/.well-known/openid-configuration\">\
         <code>/.well-known/openid-configuration</code></a></dd>\n"
    );
    for client in &options.clients {
        let (name, id) = (escaped(&client.name), escaped(&client.id));
        let _ = writeln!(content, "<dt>Client: {name}</dt><dd><code>{id}</code></dd>");
    }
    for user in &options.users {
        let (name, email) = (escaped(&user.name), escaped(&user.email));
        let _ = writeln!(content, "<dt>Account: {name}</dt><dd>{email}</dd>");
    }
    content.push_str("</dl>\n");
    let device = format!("<p><a href=\"{issuer}/device\">Enter a device code</a></p>\n");
    content.push_str(&device);
    page(200, "Ready", &content, "")
}

/// What a captive portal answers in place of everyone: the fault `Html`.
pub(super) fn captive_portal() -> Response {
    let html = "<!doctype html>\n<title>Welcome</title>\n<p>Accept the terms to go online.</p>\n";
    Response { body: html.as_bytes().to_vec(), ..Response::empty(200) }
        .with_header("Content-Type", "text/html; charset=utf-8")
}

/// `text` as text or as the value of a quoted attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}
