//! The pages on which a user decides.

use std::fmt::Write as _;

use super::message::Response;
use super::options::Account;
use super::pages::{escaped, page};

/// What the consent page shows.
pub(super) struct Consent<'a> {
    /// The client's name.
    pub(super) client: &'a str,
    pub(super) scope: &'a str,
    pub(super) users: &'a [Account],
    /// What ties the answer to the question.
    pub(super) interaction: &'a str,
    /// Where the form goes.
    pub(super) action: &'a str,
    /// Where the browser goes afterwards.
    pub(super) destination: Option<&'a str>,
    /// What the device shows, for comparison.
    pub(super) user_code: Option<&'a str>,
    /// The source that the content security policy must allow besides the page's own.
    pub(super) form_action: &'a str,
}

pub(super) fn consent(shown: &Consent<'_>) -> Response {
    let mut content = String::new();
    if let Some(user_code) = shown.user_code {
        let user_code = escaped(user_code);
        let _ = write!(
            content,
            "<p>Is this the code that your device shows? If someone else gave it to you, choose \
             Deny.</p>\n<p class=\"code\">{user_code}</p>\n"
        );
    }
    let _ = writeln!(content, "<p><strong>{}</strong> asks to:</p>\n<ul>", escaped(shown.client));
    for wish in wishes(shown.scope) {
        let _ = writeln!(content, "<li>{wish}</li>");
    }
    let _ = write!(
        content,
        "</ul>\n<form method=\"post\" action=\"{}\">\n\
         <input type=\"hidden\" name=\"interaction\" value=\"{}\">\n\
         <fieldset>\n<legend>Account</legend>\n",
        escaped(shown.action),
        escaped(shown.interaction)
    );
    for (index, user) in shown.users.iter().enumerate() {
        let _ = writeln!(
            content,
            "<label class=\"account\"><input type=\"radio\" name=\"account\" value=\"{}\"{}>\
             <span>{}<small>{} · {}</small></span></label>",
            escaped(&user.id),
            if index == 0 { " checked" } else { "" },
            escaped(&user.name),
            escaped(&user.email),
            escaped(&user.plan)
        );
    }
    content.push_str(
        "</fieldset>\n<div class=\"actions\">\n\
         <button class=\"main\" name=\"decision\" value=\"allow\">Allow</button>\n\
         <button name=\"decision\" value=\"deny\">Deny</button>\n</div>\n</form>\n",
    );
    if let Some(uri) = shown.destination {
        let destination = escaped(uri.split('?').next().unwrap_or_default());
        let _ = writeln!(content, "<p class=\"soft\">Afterwards you return to <code>{destination}</code></p>");
    }
    let title = format!("Allow {} to sign in?", shown.client);
    page(200, &title, &content, shown.form_action)
}

/// The page that asks for a user code; `unknown` is what was typed in vain.
pub(super) fn enter_code(action: &str, unknown: Option<&str>) -> Response {
    let mut content = String::new();
    let described = match unknown {
        Some(_) => {
            content.push_str(
                "<p role=\"alert\" id=\"problem\">This code is not known, or it has expired. \
                 Compare it with what your device shows.</p>\n",
            );
            " aria-invalid=\"true\" aria-describedby=\"problem\""
        }
        None => "",
    };
    let _ = write!(
        content,
        "<form method=\"get\" action=\"{}\">\n\
         <label class=\"label\" for=\"user_code\">The code that your device shows</label>\n\
         <input class=\"typed\" id=\"user_code\" name=\"user_code\" value=\"{}\" required autofocus \
         autocomplete=\"off\" autocapitalize=\"characters\" spellcheck=\"false\" \
         maxlength=\"32\"{described}>\n\
         <div class=\"actions\"><button class=\"main\">Continue</button></div>\n</form>\n",
        escaped(action),
        escaped(unknown.unwrap_or_default())
    );
    page(200, "Connect a device", &content, "")
}

/// What a scope means, in words.
fn wishes(scope: &str) -> Vec<String> {
    let mut wishes: Vec<String> = Vec::new();
    for value in scope.split_ascii_whitespace() {
        wishes.push(match value {
            "openid" => "know who you are".to_owned(),
            "profile" => "see your name".to_owned(),
            "email" => "see your email address".to_owned(),
            "offline_access" => "stay signed in while you are away".to_owned(),
            other => format!("use <code>{}</code>", escaped(other)),
        });
    }
    if wishes.is_empty() {
        wishes.push("act for you".to_owned());
    }
    wishes
}
