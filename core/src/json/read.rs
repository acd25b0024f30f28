//! Reads the JSON that comes in over a boundary.
//!
//! Why not `serde_json`: it takes a struct also as a list, a name also as a number, and has words for every
//! mistake, of which each type brings its share into the browser module. This reader takes what a binding
//! writes (whole numbers, structs as objects, enums by their names) and knows one mistake. It makes no copy
//! of a text but the one that the value keeps, so nothing secret is left behind.

use alloc::borrow::Cow;
use core::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, Expected, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

mod pieces;

use pieces::Reader;

/// How deep a value that nobody asked for may be nested.
const DEEPEST: u8 = 64;

/// Reads the one value in `json`. The error is the byte at which it is not what is expected.
pub(crate) fn from_str<T: DeserializeOwned>(json: &str) -> Result<T, usize> {
    let mut reader = Reader::new(json);
    match T::deserialize(&mut reader).and_then(|value| reader.end().map(|()| value)) {
        Ok(value) => Ok(value),
        Err(Unreadable) => Err(reader.at),
    }
}

/// The one mistake.
#[derive(Debug)]
pub(crate) struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl core::error::Error for Unreadable {}

/// Every kind of mistake by itself, so that none of them is put into words.
impl Error for Unreadable {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self
    }
    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self
    }
    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        Self
    }
    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }
    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }
    fn missing_field(_: &'static str) -> Self {
        Self
    }
    fn duplicate_field(_: &'static str) -> Self {
        Self
    }
}

type Read<T> = Result<T, Unreadable>;

/// The whole numbers, each by the one visit that every size of number understands.
macro_rules! numbers {
    ($($unsigned:ident)* ; $($signed:ident)*) => {
        $(fn $unsigned<V: Visitor<'a>>(self, visitor: V) -> Read<V::Value> {
            match self.number()? {
                (false, value) => visitor.visit_u64(value),
                (true, _) => Err(Unreadable),
            }
        })*
        $(fn $signed<V: Visitor<'a>>(self, visitor: V) -> Read<V::Value> {
            let (negative, value) = self.number()?;
            let value = i64::try_from(value).map_err(|_| Unreadable)?;
            visitor.visit_i64(if negative { -value } else { value })
        })*
    };
}

impl<'a> Deserializer<'a> for &mut Reader<'a> {
    type Error = Unreadable;

    numbers! {
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64;
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
    }

    fn deserialize_bool<V: Visitor<'a>>(self, visitor: V) -> Read<V::Value> {
        let value = self.peek() == Some(b't');
        self.word(if value { "true" } else { "false" })?;
        visitor.visit_bool(value)
    }

    fn deserialize_str<V: Visitor<'a>>(self, visitor: V) -> Read<V::Value> {
        match self.text()? {
            Cow::Borrowed(text) => visitor.visit_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_string<V: Visitor<'a>>(self, visitor: V) -> Read<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'a>>(self, visitor: V) -> Read<V::Value> {
        visitor.visit_str(&self.text()?)
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Read<V::Value> {
        if self.peek() == Some(b'n') {
            self.word("null")?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(self, _: &'static str, visitor: V) -> Read<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'a>>(self, visitor: V) -> Read<V::Value> {
        self.expect(b'[')?;
        let value = visitor.visit_seq(Elements { reader: self, is_first: true })?;
        self.expect(b']')?;
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'a>>(self, _: usize, visitor: V) -> Read<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'a>>(self, _: &'static str, _: usize, visitor: V) -> Read<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'a>>(self, visitor: V) -> Read<V::Value> {
        self.expect(b'{')?;
        let value = visitor.visit_map(Elements { reader: self, is_first: true })?;
        self.expect(b'}')?;
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'a>>(self, _: &str, _: &'static [&str], visitor: V) -> Read<V::Value> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'a>>(self, _: &str, _: &'static [&str], visitor: V) -> Read<V::Value> {
        let has_value = self.take(b'{');
        let name = self.text()?;
        if has_value {
            self.expect(b':')?;
        }
        let value = visitor.visit_enum(Choice { reader: self, name: &name, has_value })?;
        if has_value {
            self.expect(b'}')?;
        }
        Ok(value)
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, visitor: V) -> Read<V::Value> {
        self.skip(DEEPEST)?;
        visitor.visit_unit()
    }

    /// Nothing that crosses a boundary leaves its type to the data.
    fn deserialize_any<V: Visitor<'a>>(self, _: V) -> Read<V::Value> {
        Err(Unreadable)
    }

    forward_to_deserialize_any! { <V: Visitor<'a>> f32 f64 char bytes byte_buf unit unit_struct }
}

/// What is left of a list or an object.
struct Elements<'r, 'a> {
    reader: &'r mut Reader<'a>,
    is_first: bool,
}

impl<'a> SeqAccess<'a> for Elements<'_, 'a> {
    type Error = Unreadable;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Read<Option<T::Value>> {
        if !self.reader.next(&mut self.is_first, b']')? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

impl<'a> MapAccess<'a> for Elements<'_, 'a> {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Read<Option<K::Value>> {
        if !self.reader.next(&mut self.is_first, b'}')? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Read<T::Value> {
        self.reader.expect(b':')?;
        seed.deserialize(&mut *self.reader)
    }
}

/// A variant of an enum: a name, or an object with the name and a value.
struct Choice<'r, 'a> {
    reader: &'r mut Reader<'a>,
    name: &'r str,
    has_value: bool,
}

impl<'a> EnumAccess<'a> for Choice<'_, 'a> {
    type Error = Unreadable;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'a>>(self, seed: V) -> Read<(V::Value, Self)> {
        let variant = seed.deserialize(StrDeserializer::new(self.name))?;
        Ok((variant, self))
    }
}

impl<'r, 'a> Choice<'r, 'a> {
    fn value(self) -> Read<&'r mut Reader<'a>> {
        if self.has_value { Ok(self.reader) } else { Err(Unreadable) }
    }
}

impl<'a> VariantAccess<'a> for Choice<'_, 'a> {
    type Error = Unreadable;

    fn unit_variant(self) -> Read<()> {
        if self.has_value { Err(Unreadable) } else { Ok(()) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Read<T::Value> {
        seed.deserialize(self.value()?)
    }

    fn tuple_variant<V: Visitor<'a>>(self, _: usize, visitor: V) -> Read<V::Value> {
        self.value()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'a>>(self, _: &'static [&'static str], visitor: V) -> Read<V::Value> {
        self.value()?.deserialize_map(visitor)
    }
}

#[cfg(test)]
mod tests;
