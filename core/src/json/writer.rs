//! JSON as it goes out: on one line, written as `serde_json` writes it, by one writer for every type.

use alloc::string::{String, ToString};
use core::fmt;

use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::reader::plain;

/// A value as JSON text.
pub(crate) fn write(value: &impl Serialize) -> String {
    let mut writer = Writer { text: String::new() };
    // Nothing that is written here has a number with a fraction, or a key that is not text.
    match value.serialize(&mut writer) {
        Ok(()) => writer.text,
        Err(Unwritable) => String::new(),
    }
}

/// A text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    let mut writer = Writer { text: String::with_capacity(text.len().saturating_add(2)) };
    writer.quote(text);
    writer.text
}

/// What has no place in JSON, or none that anybody here needs.
#[derive(Debug)]
pub(crate) struct Unwritable;

impl fmt::Display for Unwritable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl core::error::Error for Unwritable {}

impl Error for Unwritable {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

type Written = Result<(), Unwritable>;

struct Writer {
    text: String,
}

impl Writer {
    fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn quote(&mut self, text: &str) {
        self.put("\"");
        let mut rest = text;
        loop {
            let (fine, special) = rest.split_at_checked(plain(rest.as_bytes())).unwrap_or((rest, ""));
            self.put(fine);
            let Some(byte) = special.bytes().next() else { break };
            let letter = match byte {
                8 => 'b',
                9 => 't',
                10 => 'n',
                12 => 'f',
                13 => 'r',
                0..0x20 => 'u',
                _ => char::from(byte),
            };
            self.put("\\");
            self.text.push(letter);
            if letter == 'u' {
                self.put(if byte < 16 { "000" } else { "001" });
                self.text.extend(char::from_digit(u32::from(byte % 16), 16));
            }
            rest = special.get(1..).unwrap_or_default();
        }
        self.put("\"");
    }

    fn number(&mut self, value: u64, is_negative: bool) {
        if is_negative {
            self.put("-");
        }
        self.put(&value.to_string());
    }

    /// Begins an object with one member, whose value is written next.
    fn variant(&mut self, name: &str) {
        self.put("{");
        self.quote(name);
        self.put(":");
    }
}

/// A list or an object that is under way.
struct Elements<'a> {
    writer: &'a mut Writer,
    is_first: bool,
    close: &'static str,
}

impl<'a> Elements<'a> {
    fn begin(writer: &'a mut Writer, open: &str, close: &'static str) -> Self {
        writer.put(open);
        Self { writer, is_first: true, close }
    }

    fn separate(&mut self) {
        if !core::mem::take(&mut self.is_first) {
            self.writer.put(",");
        }
    }

    fn name(&mut self, name: &str) {
        self.separate();
        self.writer.quote(name);
        self.writer.put(":");
    }

    fn close(self) {
        self.writer.put(self.close);
    }
}

impl<'a> Serializer for &'a mut Writer {
    type Ok = ();
    type Error = Unwritable;
    type SerializeSeq = Elements<'a>;
    type SerializeTuple = Elements<'a>;
    type SerializeTupleStruct = Elements<'a>;
    type SerializeTupleVariant = Elements<'a>;
    type SerializeMap = Elements<'a>;
    type SerializeStruct = Elements<'a>;
    type SerializeStructVariant = Elements<'a>;

    fn serialize_bool(self, value: bool) -> Written {
        self.put(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Written {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Written {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Written {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Written {
        self.number(value.unsigned_abs(), value < 0);
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Written {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Written {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Written {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Written {
        self.number(value, false);
        Ok(())
    }

    fn serialize_f32(self, _: f32) -> Written {
        Err(Unwritable)
    }

    fn serialize_f64(self, _: f64) -> Written {
        Err(Unwritable)
    }

    fn serialize_char(self, value: char) -> Written {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Written {
        self.quote(value);
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Written {
        Err(Unwritable)
    }

    fn serialize_none(self) -> Written {
        self.put("null");
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written {
        self.serialize_none()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Written {
        self.serialize_str(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Written {
        self.variant(name);
        value.serialize(&mut *self)?;
        self.put("}");
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Elements<'a>, Unwritable> {
        Ok(Elements::begin(self, "[", "]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Elements<'a>, Unwritable> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Elements<'a>, Unwritable> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Elements<'a>, Unwritable> {
        self.variant(name);
        Ok(Elements::begin(self, "[", "]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Elements<'a>, Unwritable> {
        Ok(Elements::begin(self, "{", "}"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Elements<'a>, Unwritable> {
        self.serialize_map(None)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        _: usize,
    ) -> Result<Elements<'a>, Unwritable> {
        self.variant(name);
        Ok(Elements::begin(self, "{", "}}"))
    }
}

macro_rules! lists {
    ($($list:ident :: $element:ident),*) => {
        $(impl $list for Elements<'_> {
            type Ok = ();
            type Error = Unwritable;

            fn $element<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
                self.separate();
                value.serialize(&mut *self.writer)
            }

            fn end(self) -> Written {
                self.close();
                Ok(())
            }
        })*
    };
}

macro_rules! structs {
    ($($struct:ident),*) => {
        $(impl $struct for Elements<'_> {
            type Ok = ();
            type Error = Unwritable;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Written {
                self.name(name);
                value.serialize(&mut *self.writer)
            }

            fn end(self) -> Written {
                self.close();
                Ok(())
            }
        })*
    };
}

lists!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);
structs!(SerializeStruct, SerializeStructVariant);

impl SerializeMap for Elements<'_> {
    type Ok = ();
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Written {
        self.separate();
        let start = self.writer.text.len();
        key.serialize(&mut *self.writer)?;
        let is_text = self.writer.text.get(start..).is_some_and(|key| key.starts_with('"'));
        self.writer.put(":");
        if is_text { Ok(()) } else { Err(Unwritable) }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Written {
        self.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;
    use serde::Serialize;

    #[derive(Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Each {
        Unit,
        Newtype(i64),
        Tuple(u8, bool),
        Struct { a: Option<u64>, b: Vec<Self>, c: BTreeMap<String, char>, d: () },
    }

    #[test]
    fn it_writes_what_serde_json_writes() {
        let all: String = (0..0x100).filter_map(char::from_u32).chain(['\u{2028}', '🦀']).collect();
        let each = Each::Struct {
            a: Some(u64::MAX),
            b: [Each::Unit, Each::Newtype(i64::MIN), Each::Tuple(7, true)].into(),
            c: [(all.clone(), '"'), (String::new(), 'x')].into(),
            d: (),
        };
        let list = (each, Each::Struct { a: None, b: Vec::new(), c: BTreeMap::new(), d: () }, [-1, 0, 10]);
        assert_eq!(write(&list), serde_json::to_string(&list).unwrap());
        assert_eq!(quoted(&all), serde_json::to_string(&all).unwrap());
    }

    #[test]
    fn what_has_no_place_is_not_written_by_half() {
        assert_eq!(write(&[1.5]), "");
        assert_eq!(write(&BTreeMap::from([(1, 2)])), "");
    }
}
