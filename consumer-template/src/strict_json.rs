//! Whether a body is one JSON document that every parser reads alike.
//!
//! `{"event":"a","event":"b"}` is `a` to one parser and `b` to another, so a body with a doubled key is set aside for a
//! person instead of being routed on one reading and processed on the other. Nesting is bounded by the parser (128).

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// Checks `body`.
///
/// # Errors
///
/// What is wrong, without any of the content.
pub(crate) fn check(body: &[u8]) -> Result<(), &'static str> {
    let text = str::from_utf8(body).map_err(|_| "the body is not UTF-8, so it is not JSON")?;
    let mut json = serde_json::Deserializer::from_str(text);
    match Strict.deserialize(&mut json).and_then(|()| json.end()) {
        Ok(()) => Ok(()),
        Err(e) if e.is_data() => Err("a key occurs twice in one object, or a number is out of range"),
        Err(_) => Err("the body is not a JSON document"),
    }
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !keys.insert(key) {
                return Err(A::Error::custom("doubled key"));
            }
            map.next_value_seed(Self)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Self)?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_one_value_with_distinct_keys() {
        for body in [
            "{}",
            " [1, 2.5, null, true, \"\\u0000\"] ",
            "1",
            r#"{"a":{"b":1},"c":{"b":2}}"#,
            "9007199254740993",
        ] {
            assert_eq!(check(body.as_bytes()), Ok(()), "{body}");
        }
        for body in [r#"{"a":1,"a":1}"#, r#"[{"x":{"a":1,"\u0061":2}}]"#] {
            assert!(check(body.as_bytes()).unwrap_err().contains("twice"), "{body}");
        }
        for body in ["", "{", "a=1&b=2", "{}{}", "\u{feff}{}", "{'a':1}", "NaN", "[1,]"] {
            assert!(check(body.as_bytes()).unwrap_err().contains("not a JSON"), "{body}");
        }
        assert!(check(b"\"\xff\"").unwrap_err().contains("UTF-8"));
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(check(nested(127).as_bytes()), Ok(()));
        assert!(check(nested(128).as_bytes()).is_err());
        assert!(check(nested(100_000).as_bytes()).is_err());
    }
}
