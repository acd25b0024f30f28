//! Values as servers really send them: read when they make sense, passed over when they do not.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;
use core::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A whole number: also from a fraction (cut off) and from a string of digits. Anything else is `None`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Integer(pub(crate) Option<i64>);

/// A string. Anything else is `None`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Text(pub(crate) Option<String>);

trait Reading: Default {
    fn number(_: f64, _: Option<i64>) -> Self {
        Self::default()
    }

    fn text(_: &str) -> Self {
        Self::default()
    }
}

impl Reading for Integer {
    // The cast saturates, which is what a number beyond all measure should do.
    #[expect(clippy::cast_possible_truncation, reason = "saturating is intended")]
    fn number(float: f64, whole: Option<i64>) -> Self {
        Self(whole.or_else(|| float.is_finite().then_some(float as i64)))
    }

    fn text(text: &str) -> Self {
        Self(text.trim().parse().ok())
    }
}

impl Reading for Text {
    fn text(text: &str) -> Self {
        Self(Some(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any(PhantomData))
    }
}

struct Any<R>(PhantomData<R>);

#[expect(clippy::cast_precision_loss, reason = "the whole number is handed over beside it")]
impl<'de, R: Reading> Visitor<'de> for Any<R> {
    type Value = R;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_i64<E>(self, value: i64) -> Result<R, E> {
        Ok(R::number(value as f64, Some(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<R, E> {
        Ok(R::number(value as f64, Some(i64::try_from(value).unwrap_or(i64::MAX))))
    }

    fn visit_f64<E>(self, value: f64) -> Result<R, E> {
        Ok(R::number(value, None))
    }

    fn visit_str<E>(self, value: &str) -> Result<R, E> {
        Ok(R::text(value))
    }

    fn visit_bool<E>(self, _: bool) -> Result<R, E> {
        Ok(R::default())
    }

    fn visit_unit<E>(self) -> Result<R, E> {
        Ok(R::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<R, A::Error> {
        while access.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(R::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<R, A::Error> {
        while access.next_element::<IgnoredAny>()?.is_some() {}
        Ok(R::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_as_they_come() {
        for (json, expected) in [
            ("3600", Some(3600)),
            ("-1", Some(-1)),
            ("\"3600\"", Some(3600)),
            ("3600.5", Some(3600)),
            ("1e18", Some(1_000_000_000_000_000_000)),
            ("1e300", Some(i64::MAX)),
            ("18446744073709551615", Some(i64::MAX)),
            ("null", None),
            ("true", None),
            ("\"soon\"", None),
            ("{\"a\":[1]}", None),
            ("[[1],2]", None),
        ] {
            assert_eq!(serde_json::from_str::<Integer>(json).unwrap().0, expected, "{json}");
        }
    }
}
