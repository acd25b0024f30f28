//! What a profile can be called.

use std::fmt;

use hallpass_core::{Error, Misused};

/// The name of a profile, which is also the name of its folder.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Name(String);

/// The profile that is the Codex home.
const DEFAULT: &str = "default";
/// How long a name may be.
const LONGEST: usize = 64;

impl Name {
    /// A name: at most 64 letters, digits, dots, dashes and underlines of ASCII, with a letter, a digit or an
    /// underline first and no dot last.
    ///
    /// # Errors
    /// [`Misused::Value`] when it is none.
    pub fn new(text: &str) -> Result<Self, Error> {
        let is_proper = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-');
        if text.is_empty()
            || text.len() > LONGEST
            || text.starts_with(['.', '-'])
            || text.ends_with('.')
            || !text.chars().all(is_proper)
        {
            let detail = "a name has letters, digits, dots, dashes and underlines, as in `work` or `acme-2`".to_owned();
            return Err(Misused::Value { what: "profile".to_owned(), detail }.into());
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the Codex home.
    pub fn is_default(&self) -> bool {
        self.0 == DEFAULT
    }
}

impl Default for Name {
    fn default() -> Self {
        Self(DEFAULT.to_owned())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_folder_of_its_own_and_nothing_else() {
        for text in ["work", "acme-2", "A.b_c", "_", "0", &"x".repeat(64)] {
            assert_eq!(Name::new(text).unwrap().as_str(), text);
        }
        for text in ["", ".", "..", ".work", "-work", "a/b", "a\\b", "a b", "é", "a\u{1b}", "a.", &"x".repeat(65)] {
            assert_eq!(Name::new(text).unwrap_err().code(), "invalid_value", "{text}");
        }
        assert!(Name::new("default").unwrap().is_default() && Name::default().is_default());
    }
}
