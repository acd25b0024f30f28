//! The requirements of the RFCs, one test each where no scenario beside this file looks at it: RFC 6749 (OAuth 2.0),
//! 7636 (PKCE), 8252 (native apps), 9207 (issuer in the redirect), 8628 (device codes), 7009 (revocation) and OpenID
//! Connect. The other files look at how the endpoints are found (`discovery.rs`) and at who the client is
//! (`client_authentication.rs`).
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod authorization;
mod device;
mod tokens;

use hallpass_core::{Error, LoggedIn};
use hallpass_tests::world::World;

const TOKEN: &str = "https://id.example/token";
const HOUR: i64 = 3_600_000;

pub(crate) fn code(result: Result<LoggedIn, Error>) -> &'static str {
    result.expect_err("it fails").code()
}

/// The parameters of a query or a form, in their order.
pub(crate) fn parameters(text: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.as_bytes();
        while let Some((&byte, tail)) = rest.split_first() {
            rest = tail;
            bytes.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let (digits, tail) = rest.split_at(2);
                    rest = tail;
                    u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap()
                }
                byte => byte,
            });
        }
        String::from_utf8(bytes).unwrap()
    };
    let pairs = text.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

pub(crate) fn value(parameters: &[(String, String)], name: &str) -> Option<String> {
    parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
}

/// The authorization request of the last login.
pub(crate) fn authorization(world: &World) -> Vec<(String, String)> {
    parameters(world.person.authorization_url.as_ref().unwrap().expose().split_once('?').unwrap().1)
}

/// What was posted to this URL, in order.
pub(crate) fn posted(world: &World, url: &str) -> Vec<Vec<(String, String)>> {
    let requests = world.requests.iter().filter(|request| request.url == url);
    requests.map(|request| parameters(request.body.as_ref().unwrap().expose())).collect()
}

pub(crate) fn exchange(world: &World) -> Vec<(String, String)> {
    posted(world, TOKEN).pop().unwrap()
}
