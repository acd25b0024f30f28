//! The reserved place: who is about to spend a refresh token, and what the server answered.

use alloc::borrow::ToOwned;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::hash;
use crate::{Secret, Seed, Timestamp, json};

/// What stands in the reserved place, a JSON object: the intent to refresh, and the answer once it has arrived.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Parked {
    pub(crate) intent: Intent,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) answer: Option<Secret>,
}

/// Who is about to spend which refresh token. It stands for itself: a crash may leave nothing else behind, least
/// of all the sidecar of a home that another tool has made.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub(crate) struct Intent {
    salt: String,
    /// The salted hash of the token.
    token: String,
    pub(crate) started: Timestamp,
    /// 1 for the first, more after an attempt that was not finished.
    pub(crate) attempt: u32,
}

json::object! { Parked { intent, answer } }
json::object! { Intent { salt, token, started, attempt } }

impl Intent {
    pub(crate) fn new(token: &Secret, seed: &Seed, started: Timestamp, attempt: u32) -> Self {
        let salt = seed.text("intent").expose().to_owned();
        Self { token: hash(&salt, token), salt, started, attempt }
    }

    /// Whether it is about this token.
    pub(crate) fn is_of(&self, token: &Secret) -> bool {
        self.token == hash(&self.salt, token)
    }

    /// The intent as it stands before the answer.
    pub(crate) fn text(&self) -> Secret {
        Parked { intent: self.clone(), answer: None }.text()
    }

    /// The intent with the answer beside it, as it came.
    pub(crate) fn with_answer(&self, answer: &Secret) -> Secret {
        Parked { intent: self.clone(), answer: Some(answer.clone()) }.text()
    }
}

impl Parked {
    /// Reads the reserved place. `None` when it is not one of ours.
    pub(crate) fn parse(text: &Secret) -> Option<Self> {
        json::read(text.expose()).ok()
    }

    fn text(&self) -> Secret {
        Secret::new(json::write(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_parked_is_found_again() {
        let token = Secret::new("canary-token");
        let intent = Intent::new(&token, &Seed::new([7; 32]), Timestamp::from_seconds(5), 1);
        assert!(intent.is_of(&token) && !intent.is_of(&"another".into()));
        assert!(!intent.text().expose().contains("canary"));
        assert_eq!(Parked::parse(&intent.text()), Some(Parked { intent: intent.clone(), answer: None }));
        let answered = intent.with_answer(&"{\"a\":\n1}".into());
        assert!(!answered.expose().contains('\n'), "one line");
        assert_eq!(Parked::parse(&answered).unwrap().answer, Some("{\"a\":\n1}".into()));
        assert_eq!(Parked::parse(&Secret::new("\0\0\0")), None);
    }
}
