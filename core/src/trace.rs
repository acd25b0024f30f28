//! Where a flow is, for whoever watches one: the names of its states and nothing else.
//!
//! A machine is data, so its states are there to be read: whatever is an enum names its variant. No value is looked
//! at, and no secret is therefore in what is told.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Error;

use serde::Serialize;
use serde::ser::{self, Serializer};

/// The variants in `machine`, from the outermost in, each as `Machine.State`.
///
/// A machine that keeps its state in a field names it by its own name: `Refresh.Locking`, not `State.Locking`.
/// Enums of its data are named as well; whoever knows the machines passes them over.
pub(crate) fn states(machine: &impl Serialize) -> Vec<String> {
    let mut states = Vec::new();
    // Nothing here fails.
    let _ = machine.serialize(Tracer { states: &mut states, owner: "" });
    states
}

/// Walks through a value and notes its variants.
struct Tracer<'a> {
    states: &'a mut Vec<String>,
    /// The struct whose fields these are.
    owner: &'static str,
}

impl Tracer<'_> {
    fn enter(&mut self, owner: &'static str) -> Tracer<'_> {
        Tracer { states: self.states, owner }
    }

    fn note(&mut self, name: &'static str, variant: &'static str) {
        let machine = if name == "State" { self.owner } else { name };
        self.states.push(format!("{machine}.{variant}"));
    }

    fn look<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(self.enter(self.owner))
    }
}

/// Values that have no variant in them.
macro_rules! plain {
    ($($method:ident: $type:ty),*) => { $(fn $method(self, _: $type) -> Result<(), Error> { Ok(()) })* };
}

/// Values that have others in them.
macro_rules! compound {
    ($($kind:ident: $method:ident),*) => { $(
        impl ser::$kind for Tracer<'_> {
            type Ok = ();
            type Error = Error;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> { self.look(value) }
            fn end(self) -> Result<(), Error> { Ok(()) }
        }
    )* };
}

/// Structs, whose fields have names.
macro_rules! named {
    ($($kind:ident),*) => { $(
        impl ser::$kind for Tracer<'_> {
            type Ok = ();
            type Error = Error;
            fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Result<(), Error> {
                self.look(value)
            }
            fn end(self) -> Result<(), Error> { Ok(()) }
        }
    )* };
}

compound! {
    SerializeSeq: serialize_element, SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field, SerializeTupleVariant: serialize_field
}
named! { SerializeStruct, SerializeStructVariant }

impl ser::SerializeMap for Tracer<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.look(value)
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

impl Serializer for Tracer<'_> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    plain! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32,
        serialize_f64: f64, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8],
        serialize_unit_struct: &'static str
    }

    fn serialize_none(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit_variant(mut self, name: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.note(name, variant);
        Ok(())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.note(name, variant);
        value.serialize(self)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<Self, Error> {
        Ok(Self { owner: name, ..self })
    }

    fn serialize_tuple_variant(
        mut self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self, Error> {
        self.note(name, variant);
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self, Error> {
        Ok(Self { owner: name, ..self })
    }

    fn serialize_struct_variant(
        mut self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self, Error> {
        self.note(name, variant);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::Secret;

    #[derive(Serialize)]
    struct Outer {
        data: Vec<Inner>,
        state: State,
    }

    #[derive(Serialize)]
    enum State {
        Resting,
        Working { step: Inner, secret: Secret },
    }

    #[derive(Serialize)]
    enum Inner {
        Asking(Secret),
    }

    #[test]
    fn states_are_named_by_their_machine_and_no_value_is_told() {
        let secret = || Secret::new("s3cret");
        let working = State::Working { step: Inner::Asking(secret()), secret: secret() };
        let outer = Outer { data: Vec::from([Inner::Asking(secret())]), state: working };
        assert_eq!(states(&outer), ["Inner.Asking", "Outer.Working", "Inner.Asking"]);
        assert_eq!(states(&Outer { data: Vec::new(), state: State::Resting }), ["Outer.Resting"]);
    }
}
