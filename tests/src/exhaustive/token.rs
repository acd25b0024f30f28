//! Tokens that say which they are, so that they can be found again in any text.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How long an access token lives, in milliseconds.
pub const LIFETIME: i64 = 3_600_000;

/// A refresh token: the session that it belongs to, and its place in the chain.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Token {
    /// The session.
    pub family: u16,
    /// 0 for the one of the login, one more for each exchange.
    pub generation: u16,
}

/// What access tokens look like.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Style {
    /// A JWT that says when it expires (RFC 9068).
    Jwt,
    /// Nothing that a client could read.
    Opaque,
}

impl Token {
    /// The refresh token itself.
    pub fn text(self) -> String {
        format!("rt_{}_{}_", self.family, self.generation)
    }

    /// A token response that grants it (RFC 6749, section 5.1), issued at `at` milliseconds.
    pub fn answer(self, style: Style, at: i64) -> String {
        let Self { family, generation } = self;
        let issued = at.div_euclid(1000);
        let expires = issued + LIFETIME / 1000;
        let name = format!("at_{family}_{generation}_{expires}_");
        let access_token = match style {
            Style::Opaque => name,
            Style::Jwt => {
                let claims = format!(r#"{{"sub":"ada","iat":{issued},"exp":{expires}}}"#);
                format!("e30.{}.{name}", URL_SAFE_NO_PAD.encode(claims))
            }
        };
        format!(
            r#"{{"access_token":"{access_token}","token_type":"Bearer","expires_in":{},"refresh_token":"{}"}}"#,
            LIFETIME / 1000,
            self.text()
        )
    }
}

/// Every refresh token in a text.
pub fn refresh_tokens_in(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    for (start, prefix) in text.match_indices("rt_") {
        let mut parts = text[start + prefix.len()..].splitn(3, '_');
        let mut number = || parts.next().and_then(|part| part.parse().ok());
        if let (Some(family), Some(generation)) = (number(), number()) {
            found.push(Token { family, generation });
        }
    }
    found
}

/// The access token in a text: its refresh token, and when it expires in milliseconds.
pub fn access_token_in(text: &str) -> Option<(Token, i64)> {
    let (_, name) = text.split_once("at_")?;
    let mut parts = name.splitn(4, '_');
    let token = Token { family: parts.next()?.parse().ok()?, generation: parts.next()?.parse().ok()? };
    Some((token, parts.next()?.parse::<i64>().ok()? * 1000))
}
