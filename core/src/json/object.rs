//! A JSON object as an ordered list of members, each value kept as the text it was written in.

use alloc::string::String;
use alloc::vec::Vec;

use super::value::Mistakes;
use super::{FromJson, Json, quoted};
use crate::Secret;

/// The most members of an object that is read.
const MOST: usize = 1000;

/// An object that remembers what it does not understand: the order of members and the text of values
/// survive reading, changing and writing; white space does not.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Object(Vec<(String, Secret)>);

impl Object {
    /// The text of a member's value.
    pub(crate) fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.expose())
    }

    /// A member's value: `None` when it is absent or `null`, an error when it is of another type.
    pub(crate) fn member<T: FromJson>(&self, name: &str) -> Result<Option<T>, String> {
        match self.raw(name) {
            None => Ok(None),
            Some(text) => {
                let mistakes = Mistakes::default();
                mistakes.or(FromJson::read(Json::kept(text, &mistakes))).map_err(|_| wrong_type(name))
            }
        }
    }

    /// A member that is an object itself.
    pub(crate) fn object(&self, name: &str) -> Result<Option<Self>, String> {
        self.member(name)
    }

    /// Puts a member where it stands, or at the end. `value` is JSON text.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<Secret>) {
        let value = value.into();
        match self.0.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.into(), value)),
        }
    }

    /// Puts a member that is a string.
    pub(crate) fn set_text(&mut self, name: &str, value: &str) {
        self.set(name, quoted(value));
    }

    /// Puts a member that is an object.
    pub(crate) fn set_object(&mut self, name: &str, value: &Self) {
        self.set(name, value.compact());
    }

    /// The object on one line.
    pub(crate) fn compact(&self) -> Secret {
        let mut text = String::from("{");
        for (index, (name, value)) in self.0.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(&quoted(name));
            text.push(':');
            text.push_str(value.expose());
        }
        text.push('}');
        Secret::new(text)
    }

    /// The object as Codex writes it: indented by two spaces, no newline at the end.
    pub(crate) fn pretty(&self) -> Secret {
        Secret::new(indented(self.compact().expose()))
    }
}

impl FromJson for Object {
    /// The last of two members of one name counts.
    fn read(json: Json<'_>) -> Self {
        let mut object = Self::default();
        let members = json.members().all();
        // Each is looked for among those before it: no record and no answer has so many.
        if members.len() > MOST {
            json.wrong();
            return object;
        }
        for (name, value) in members {
            object.set(&name, value.raw());
        }
        object
    }
}

fn wrong_type(name: &str) -> String {
    alloc::format!("`{name}` has the wrong type")
}

/// Sets JSON text in lines, indented by two spaces. The text must be valid JSON.
fn indented(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let (mut in_string, mut escaped) = (false, false);
    let mut characters = json.chars().filter(Significant::default().test()).peekable();
    while let Some(character) = characters.next() {
        if in_string {
            out.push(character);
            (in_string, escaped) = (character != '"' || escaped, character == '\\' && !escaped);
            continue;
        }
        match character {
            '{' | '[' => {
                out.push(character);
                if let Some(close) = characters.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(close);
                } else {
                    depth = depth.saturating_add(1);
                    new_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(character);
            }
            ',' => {
                out.push(',');
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => {
                in_string = character == '"';
                out.push(character);
            }
        }
    }
    out
}

/// JSON text without the white space between its tokens: the same for the same record, however a store lays it out.
pub(crate) fn dense(json: &Secret) -> Secret {
    Secret::new(json.expose().chars().filter(Significant::default().test()).collect::<String>())
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth {
        out.push_str("  ");
    }
}

/// Tells the characters of JSON text that mean something from the white space between them.
#[derive(Default)]
struct Significant {
    in_string: bool,
    escaped: bool,
}

impl Significant {
    fn test(mut self) -> impl FnMut(&char) -> bool {
        move |&character| {
            if self.in_string {
                (self.in_string, self.escaped) = (character != '"' || self.escaped, character == '\\' && !self.escaped);
                return true;
            }
            self.in_string = character == '"';
            !character.is_ascii_whitespace()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn what_is_not_understood_survives() {
        let text = r#"{"z":1.50,"a":{"deep":[1e400, 2.0 ,{"x":"} \" ,"}]},"big":123456789012345678901234567890,"e":{},"f":[]}"#;
        let mut object = parse::<Object>(text).unwrap();
        object.set_text("new", "a \"quoted\" text");
        object.set("z", "2.50");
        let expected = r#"{
  "z": 2.50,
  "a": {
    "deep": [
      1e400,
      2.0,
      {
        "x": "} \" ,"
      }
    ]
  },
  "big": 123456789012345678901234567890,
  "e": {},
  "f": [],
  "new": "a \"quoted\" text"
}"#;
        assert_eq!(object.pretty().expose(), expected);
        assert_eq!(parse::<Object>(expected).unwrap().pretty().expose(), expected);
    }

    #[test]
    fn more_members_than_anybody_has_are_refused() {
        let text = |count: usize| {
            let members: Vec<String> = (0..count).map(|number| alloc::format!("\"{number}\":1")).collect();
            alloc::format!("{{{}}}", members.join(","))
        };
        assert!(parse::<Object>(&text(MOST)).is_ok() && parse::<Object>(&text(MOST + 1)).is_err());
    }

    #[test]
    fn the_last_of_two_members_counts() {
        assert_eq!(parse::<Object>(r#"{"a":1,"b":2,"a":3}"#).unwrap().compact().expose(), r#"{"a":3,"b":2}"#);
    }

    #[test]
    fn errors_name_the_place_and_no_contents() {
        let error = parse::<Object>("{\"token\":\"rt_canary\" oops").unwrap_err();
        assert_eq!(error, "not JSON (line 1, column 22)");
        let error = parse::<Object>("[\"rt_canary\"]").unwrap_err();
        assert!(error.starts_with("a value of the wrong type"), "{error}");
        let object = parse::<Object>(r#"{"n":5,"null":null}"#).unwrap();
        assert_eq!(object.member::<Secret>("n").unwrap_err(), "`n` has the wrong type");
        assert_eq!(object.member::<Secret>("null"), Ok(None));
    }
}
