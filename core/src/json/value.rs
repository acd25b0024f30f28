//! Values on their way from text to a type.
//!
//! Why not `serde_json`: for each type it brings a reader of its own into the browser module, half of which undoes what
//! was read before a mistake. Here a type asks for its members by name and never fails: what is not as it should be reads
//! as something empty, the mistake is noted, and whoever asked for the whole throws it away. No copy is made of a text but
//! the one that the value keeps, so nothing secret is left behind.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;

use super::reader::Reader;
use crate::secret::overwrite;
use crate::{Secret, Seed, Timestamp};

/// A type that is read from JSON.
pub(crate) trait FromJson: Sized {
    /// Reads a value. Where it is not one of this type the mistake is noted, and what comes back means nothing.
    fn read(json: Json<'_>) -> Self;
}

/// Why a text cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mistake {
    /// At this byte it is not what is expected.
    At(usize),
    /// It asks for what this build is made without.
    #[cfg_attr(feature = "homes", expect(dead_code, reason = "such a build has everything"))]
    LeftOut,
}

/// The first mistake in a text.
#[derive(Debug, Default)]
pub(crate) struct Mistakes(Cell<Option<Mistake>>);

impl Mistakes {
    fn note(&self, mistake: Mistake) {
        self.0.set(Some(self.0.get().unwrap_or(mistake)));
    }

    /// What was read, unless there was a mistake.
    pub(crate) fn or<T>(&self, value: T) -> Result<T, Mistake> {
        match self.0.get() {
            None => Ok(value),
            Some(mistake) => Err(mistake),
        }
    }
}

/// A value that is still to be read, or the want of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Json<'a> {
    text: Option<&'a str>,
    at: usize,
    mistakes: &'a Mistakes,
}

/// The members of an object.
#[derive(Debug)]
pub(crate) struct Members<'a> {
    all: Vec<(Cow<'a, str>, Json<'a>)>,
    whole: Json<'a>,
}

/// A variant of an enum: a name, or an object with the name and a value.
#[derive(Debug)]
pub(crate) struct Choice<'a> {
    pub(crate) name: Cow<'a, str>,
    value: Json<'a>,
    whole: Json<'a>,
}

impl<'a> Json<'a> {
    /// The one value in a text.
    pub(crate) fn new(text: &'a str, mistakes: &'a Mistakes) -> Self {
        let mut reader = Reader::new(text);
        let value = reader.value();
        let json = Self { text: value.map(|(_, text)| text), at: value.map_or(0, |(at, _)| at), mistakes };
        if value.is_none() || !reader.end() {
            mistakes.note(Mistake::At(reader.at));
        }
        json
    }

    /// A value in the text that it was kept in: nobody needs to find out again that it is one.
    pub(super) fn kept(text: &'a str, mistakes: &'a Mistakes) -> Self {
        Self { text: Some(text), at: 0, mistakes }
    }

    /// Notes that this is not what is expected.
    pub(crate) fn wrong(self) {
        self.mistakes.note(Mistake::At(self.at));
    }

    /// Notes that this asks for what this build is made without.
    #[cfg(not(feature = "homes"))]
    pub(crate) fn left_out(self) {
        self.mistakes.note(Mistake::LeftOut);
    }

    fn or_wrong<T: Default>(self, value: Option<T>) -> T {
        value.unwrap_or_else(|| {
            self.wrong();
            T::default()
        })
    }

    fn reader(self) -> Reader<'a> {
        Reader::new(self.text.unwrap_or_default())
    }

    /// The text that the value is written in; empty where there is none.
    pub(crate) fn raw(self) -> &'a str {
        self.text.unwrap_or_default()
    }

    pub(crate) fn is_absent(self) -> bool {
        self.text.is_none()
    }

    /// Whether it is `null`, or absent.
    pub(crate) fn is_nothing(self) -> bool {
        self.text.is_none_or(|text| text == "null")
    }

    /// A string; copied only if something in it is escaped.
    pub(crate) fn text(self) -> Cow<'a, str> {
        self.or_wrong(self.reader().text())
    }

    /// A whole number: whether it is negative, and its digits.
    fn number(self) -> (bool, u64) {
        self.or_wrong(self.reader().number())
    }

    pub(crate) fn members(self) -> Members<'a> {
        let mut all = Vec::new();
        let mut reader = self.reader();
        let mut more = reader.take(b'{');
        if !more {
            self.wrong();
        }
        while more && !reader.take(b'}') {
            let name = self.or_wrong(reader.text());
            more = reader.take(b':');
            all.push((name, self.next(&mut reader)));
            more &= reader.take(b',') || reader.peek() == Some(b'}');
        }
        Members { all, whole: self }
    }

    pub(crate) fn elements(self) -> Vec<Self> {
        let mut all = Vec::new();
        let mut reader = self.reader();
        let mut more = reader.take(b'[');
        if !more {
            self.wrong();
        }
        while more && !reader.take(b']') {
            all.push(self.next(&mut reader));
            more = reader.take(b',') || reader.peek() == Some(b']');
        }
        all
    }

    /// The next value within this one.
    fn next(self, reader: &mut Reader<'a>) -> Self {
        let value = reader.value();
        Self { text: value.map(|(_, text)| text), at: self.at + value.map_or(0, |(at, _)| at), ..self }
    }

    pub(crate) fn choice(self) -> Choice<'a> {
        let absent = Self { text: None, ..self };
        if self.raw().starts_with('"') {
            return Choice { name: self.text(), value: absent, whole: self };
        }
        let mut members = self.members().all;
        if let (Some((name, value)), true) = (members.pop(), members.is_empty()) {
            return Choice { name, value, whole: self };
        }
        self.wrong();
        Choice { name: Cow::Borrowed(""), value: absent, whole: self }
    }
}

impl<'a> Members<'a> {
    /// A member. It is a mistake if there are two.
    pub(crate) fn get(&self, name: &str) -> Json<'a> {
        let mut found = Json { text: None, ..self.whole };
        for (_, value) in self.all.iter().filter(|(key, _)| key == name) {
            if !found.is_absent() {
                value.wrong();
            }
            found = *value;
        }
        found
    }

    /// All of them, in order.
    pub(crate) fn all(self) -> Vec<(Cow<'a, str>, Json<'a>)> {
        self.all
    }

    /// Notes a mistake where there are others than these.
    pub(crate) fn only(&self, names: &[&str]) {
        for (name, value) in &self.all {
            if !names.contains(&&**name) {
                value.wrong();
            }
        }
    }
}

impl<'a> Choice<'a> {
    /// The value of a variant that has one.
    pub(crate) fn value(&self) -> Json<'a> {
        if self.value.is_absent() {
            self.whole.wrong();
        }
        self.value
    }

    /// A variant that has no value.
    pub(crate) fn alone(&self) {
        if !self.value.is_absent() {
            self.whole.wrong();
        }
    }

    pub(crate) fn wrong(&self) {
        self.whole.wrong();
    }
}

impl FromJson for String {
    fn read(json: Json<'_>) -> Self {
        json.text().into_owned()
    }
}

impl FromJson for Secret {
    fn read(json: Json<'_>) -> Self {
        Self::new(json.text().into_owned())
    }
}

impl FromJson for bool {
    fn read(json: Json<'_>) -> Self {
        if !matches!(json.raw(), "true" | "false") {
            json.wrong();
        }
        json.raw() == "true"
    }
}

macro_rules! numbers {
    ($($type:ident),*) => {
        $(impl FromJson for $type {
            fn read(json: Json<'_>) -> Self {
                let (is_negative, digits) = json.number();
                json.or_wrong(Self::try_from(digits).ok().filter(|_| !is_negative))
            }
        })*
    };
}

numbers!(u8, u16, u32, u64);

impl FromJson for i64 {
    fn read(json: Json<'_>) -> Self {
        let (is_negative, digits) = json.number();
        json.or_wrong(if is_negative { 0_i64.checked_sub_unsigned(digits) } else { digits.try_into().ok() })
    }
}

impl FromJson for i32 {
    fn read(json: Json<'_>) -> Self {
        json.or_wrong(Self::try_from(i64::read(json)).ok())
    }
}

impl FromJson for Timestamp {
    fn read(json: Json<'_>) -> Self {
        Self::from_milliseconds(i64::read(json))
    }
}

impl FromJson for Seed {
    fn read(json: Json<'_>) -> Self {
        let mut bytes: Vec<u8> = FromJson::read(json);
        let seed = Self::new(json.or_wrong(bytes.as_slice().try_into().ok()));
        overwrite(&mut bytes);
        seed
    }
}

impl<T: FromJson> FromJson for Option<T> {
    fn read(json: Json<'_>) -> Self {
        if json.is_nothing() { None } else { Some(T::read(json)) }
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn read(json: Json<'_>) -> Self {
        let elements = json.elements();
        let mut all = Self::with_capacity(elements.len());
        for element in &elements {
            all.push(T::read(*element));
        }
        all
    }
}

impl<A: FromJson, B: FromJson> FromJson for (A, B) {
    fn read(json: Json<'_>) -> Self {
        let elements = json.elements();
        let absent = Json { text: None, ..json };
        if elements.len() != 2 {
            json.wrong();
        }
        let mut elements = elements.into_iter().chain([absent, absent]);
        (A::read(elements.next().unwrap_or(absent)), B::read(elements.next().unwrap_or(absent)))
    }
}

impl<T: FromJson> FromJson for BTreeMap<String, T> {
    fn read(json: Json<'_>) -> Self {
        // Not collected, which would sort first, at some cost to the browser module.
        let mut map = Self::new();
        for (name, value) in json.members().all() {
            map.insert(name.into_owned(), T::read(value));
        }
        map
    }
}

/// Reads a struct from an object, each field from the member of its name; `=` says what counts where it is left out.
/// `only` stands where other members are mistakes.
macro_rules! object {
    ($type:ident { $($field:ident $(= $default:expr)?),* $(,)? } $(only $only:tt)?) => {
        impl $crate::json::FromJson for $type {
            fn read(json: $crate::json::Json<'_>) -> Self {
                let members = json.members();
                let closed: &[&str] = &[$(stringify!($only))?];
                if !closed.is_empty() {
                    members.only(&[$(stringify!($field)),*]);
                }
                Self { $($field: $crate::json::member!(members.get(stringify!($field)), $($default)?)),* }
            }
        }
    };
}

/// Reads a field, or takes what counts where it is left out.
macro_rules! member {
    ($json:expr $(,)?) => {
        $crate::json::FromJson::read($json)
    };
    ($json:expr, $default:expr) => {{
        let json = $json;
        if json.is_absent() { $default } else { $crate::json::FromJson::read(json) }
    }};
}

/// Reads an enum by the names of its variants. The last one stands in for what is none of them.
macro_rules! choice {
    (
        $type:ident {
            $($name:literal => $variant:ident $(($value:ident))? $({ $($field:ident $(= $default:expr)?),* })?,)*
            ; $last:literal => $other:ident $(($other_value:ident))?
        }
    ) => {
        impl $crate::json::FromJson for $type {
            fn read(json: $crate::json::Json<'_>) -> Self {
                let choice = json.choice();
                match &*choice.name {
                    $($name => $crate::json::variant!(choice, $variant $(($value))? $({ $($field $(= $default)?),* })?),)*
                    name => {
                        if name != $last {
                            choice.wrong();
                        }
                        $crate::json::variant!(choice, $other $(($other_value))?)
                    }
                }
            }
        }
    };
}

/// One variant of a [`choice`].
macro_rules! variant {
    ($choice:ident, $variant:ident) => {{
        $choice.alone();
        Self::$variant
    }};
    ($choice:ident, $variant:ident ($value:ident)) => { Self::$variant($crate::json::FromJson::read($choice.value())) };
    ($choice:ident, $variant:ident { $($field:ident $(= $default:expr)?),* }) => {{
        let members = $choice.value().members();
        Self::$variant { $($field: $crate::json::member!(members.get(stringify!($field)), $($default)?)),* }
    }};
}

pub(crate) use {choice, member, object, variant};
