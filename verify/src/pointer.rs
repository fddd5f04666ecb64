//! Reading one value out of a JSON body by its path, without building the document.
//!
//! Only called on bytes whose signature holds. Two parsers that disagree on `{"id":1,"id":2}` are a hole, so a key
//! that occurs twice on the path is an error and not a guess.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::{Map, RawValue, Value};

/// A JSON pointer (RFC 6901), such as `/data/lead/id`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer(Vec<String>);

/// What a pointer may find. Numbers keep their text: an id of 2^53+1 must not lose a digit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scalar<'a> {
    /// A string, unescaped.
    Text(Cow<'a, str>),
    /// A number, as it was written.
    Number(&'a str),
    /// `true` or `false`.
    Bool(bool),
    /// An object or array.
    Composite,
}

impl<'a> Scalar<'a> {
    /// The value as an identifier: a non-empty string, or an integer's decimal text.
    #[must_use]
    pub fn into_id(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            Self::Number(text) if is_integer(text) => Some(Cow::Borrowed(text)),
            _ => None,
        }
    }
}

fn is_integer(text: &str) -> bool {
    text.bytes().enumerate().all(|(i, b)| b.is_ascii_digit() || (i == 0 && b == b'-'))
}

/// Why a body could not be read. The text names no content of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// The bytes are not one JSON document.
    #[error("the body is not a JSON document")]
    NotJson,
    /// A key on the path occurs twice in its object.
    #[error("a key that is read from the body occurs twice in its object")]
    DuplicateKey,
}

impl Pointer {
    /// Parses `/a/b/0`; `~1` stands for `/` and `~0` for `~`. `None` unless it starts with `/`.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let path = text.strip_prefix('/')?;
        Some(Self(path.split('/').map(|token| token.replace("~1", "/").replace("~0", "~")).collect()))
    }

    /// Whether one of the two leads to or through what the other leads to.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a == b)
    }

    /// Puts `value` there, in objects that are made on the way.
    pub(crate) fn put(&self, json: &mut Value, value: Value) {
        let mut place = json;
        for name in &self.0 {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            let Value::Object(object) = place else { return };
            place = object.entry(name.as_str()).or_insert(Value::Null);
        }
        *place = value;
    }

    /// Finds the value in `body`; `None` if it is absent or `null`.
    ///
    /// # Errors
    ///
    /// [`BodyError`] if the body is not JSON, or a key on the path occurs twice.
    pub fn find<'a>(&self, body: &'a [u8]) -> Result<Option<Scalar<'a>>, BodyError> {
        self.find_raw(body)?.map_or(Ok(None), |raw| scalar(raw.get()))
    }

    /// The value as it stands in `body`, `null` too.
    pub(crate) fn find_raw<'a>(&self, body: &'a [u8]) -> Result<Option<&'a RawValue>, BodyError> {
        // A JSON document is UTF-8 throughout (RFC 8259, 8.1), also in what the parser would skip.
        let text = str::from_utf8(body).map_err(|_| BodyError::NotJson)?;
        let mut json = serde_json::Deserializer::from_str(text);
        let found = if is_composite(text.trim_ascii_start()) {
            // What is read twice is only what lies on the way.
            json.deserialize_any(Find(&self.0))
        } else {
            Find(&self.0).deserialize(&mut json)
        };
        let found = found.map_err(classify)?;
        json.end().map_err(|_| BodyError::NotJson)?;
        Ok(found)
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|token| write!(f, "/{}", token.replace('~', "~0").replace('/', "~1")))
    }
}

const DUPLICATE: &str = "hookproof: duplicate key";

fn classify(error: serde_json::Error) -> BodyError {
    if error.is_data() && error.to_string().starts_with(DUPLICATE) {
        BodyError::DuplicateKey
    } else {
        BodyError::NotJson
    }
}

fn scalar(raw: &str) -> Result<Option<Scalar<'_>>, BodyError> {
    Ok(match raw.as_bytes().first() {
        Some(b'"') => {
            // A borrowed string has no escapes; only then can it stay where it is.
            let borrowed: Result<&str, _> = serde_json::from_str(raw);
            Some(Scalar::Text(match borrowed {
                Ok(text) => Cow::Borrowed(text),
                Err(_) => Cow::Owned(serde_json::from_str(raw).map_err(|_| BodyError::NotJson)?),
            }))
        }
        Some(b't' | b'f') => Some(Scalar::Bool(raw == "true")),
        Some(b'{' | b'[') => Some(Scalar::Composite),
        Some(b'n') | None => None,
        Some(_) => Some(Scalar::Number(raw)),
    })
}

/// Whether something is in it.
fn is_composite(json: &str) -> bool {
    json.starts_with(['{', '['])
}

/// Walks down the rest of a path.
struct Find<'p>(&'p [String]);

impl<'de> DeserializeSeed<'de> for Find<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        // Read as it stands first: a number that no type holds is nothing to go into, and no mistake.
        let raw: &RawValue = serde::Deserialize::deserialize(json)?;
        if self.0.is_empty() {
            Ok(Some(raw))
        } else if is_composite(raw.get()) {
            let mut inner = serde_json::Deserializer::from_str(raw.get());
            inner.deserialize_any(self).map_err(serde::de::Error::custom)
        } else {
            Ok(None)
        }
    }
}

impl<'de> Visitor<'de> for Find<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Some((wanted, rest)) = self.0.split_first() else { return Ok(None) };
        let (mut seen, mut found) = (false, None);
        while let Some(is_wanted) = map.next_key_seed(IsKey(wanted))? {
            if !is_wanted {
                map.next_value::<IgnoredAny>()?;
            } else if seen {
                return Err(serde::de::Error::custom(DUPLICATE));
            } else {
                seen = true;
                found = map.next_value_seed(Find(rest))?;
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let Some((wanted, rest)) = self.0.split_first() else { return Ok(None) };
        let wanted: Option<usize> = wanted.parse().ok();
        let (mut index, mut found) = (0, None);
        loop {
            if Some(index) == wanted {
                match items.next_element_seed(Find(rest))? {
                    Some(value) => found = value,
                    None => return Ok(None),
                }
            } else if items.next_element::<IgnoredAny>()?.is_none() {
                return Ok(found);
            }
            index += 1;
        }
    }
}

/// Compares a key as it is decoded, so that `"\u0069d"` and `"id"` are the same key.
struct IsKey<'p>(&'p str);

impl<'de> DeserializeSeed<'de> for IsKey<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for IsKey<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find<'a>(path: &str, body: &'a str) -> Result<Option<Scalar<'a>>, BodyError> {
        Pointer::new(path).unwrap().find(body.as_bytes())
    }

    #[test]
    fn finds_scalars_with_their_digits() {
        let body = r#"{"a":{"b/c":[1,{"~":9007199254740993}]},"s":"x\u0041","t":true,"n":null,"o":{}}"#;
        assert_eq!(find("/a/b~1c/1/~0", body), Ok(Some(Scalar::Number("9007199254740993"))));
        assert_eq!(find("/a/b~1c/0", body), Ok(Some(Scalar::Number("1"))));
        assert_eq!(find("/a/b~1c/2", body), Ok(None));
        assert_eq!(find("/s", body), Ok(Some(Scalar::Text("xA".into()))));
        assert_eq!(find("/t", body), Ok(Some(Scalar::Bool(true))));
        assert_eq!(find("/o", body), Ok(Some(Scalar::Composite)));
        for absent in ["/n", "/x", "/s/x", "/t/x", "/n/x", "/a/b", "/a/b~1c/x"] {
            assert_eq!(find(absent, body), Ok(None), "{absent}");
        }
    }

    /// What no type of ours holds is JSON all the same: nothing is in it, and it is no mistake.
    #[test]
    fn what_lies_on_the_way_is_not_decoded() {
        for (path, body) in [
            ("/a", "89.7e+5551"),
            ("/a", r#" "\ud800""#),
            ("/a/b", r#"{"a":1e999}"#),
            ("/a/b", r#"{"a":"\ud800"}"#),
            ("/0/b", "[1e999]"),
        ] {
            assert_eq!(find(path, body), Ok(None), "{body}");
        }
        assert_eq!(find("/a", r#"{"a":1e999}"#), Ok(Some(Scalar::Number("1e999"))));
        for body in ["1e", r#"{"a":1e}"#, r#"{"a":01}"#, "89.7e+5551 1", r#"{"a":{"b":1}"#] {
            assert_eq!(find("/a/b", body), Err(BodyError::NotJson), "{body}");
        }
        assert_eq!(find("/a/b", r#"{"a":{"b":1,"b":2}}"#), Err(BodyError::DuplicateKey));
    }

    #[test]
    fn a_key_twice_on_the_path_is_refused_also_when_escaped() {
        for body in [r#"{"id":1,"id":2}"#, r#"{"\u0069d":1,"id":2}"#, r#"{"id":1,"x":0,"id":null}"#] {
            assert_eq!(find("/id", body), Err(BodyError::DuplicateKey), "{body}");
        }
        assert_eq!(find("/id", r#"{"x":1,"x":2,"id":3}"#), Ok(Some(Scalar::Number("3"))));
    }

    #[test]
    fn what_is_not_one_document_is_refused() {
        for body in ["", "{", "{}x", "lead=1", "{\"id\":1}{}", "\u{feff}{}", "{\"id\":\"\\ud800\"}"] {
            assert_eq!(find("/id", body), Err(BodyError::NotJson), "{body:?}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(find("/0", &deep), Err(BodyError::NotJson));
        for body in [&b"{\"id\":\"\xff\"}"[..], b"{\"id\":1,\"skipped\":\"\xff\"}"] {
            assert_eq!(Pointer::new("/id").unwrap().find(body), Err(BodyError::NotJson));
        }
    }

    #[test]
    fn ids_are_strings_or_integers() {
        assert_eq!(Scalar::Text("".into()).into_id(), None);
        assert_eq!(Scalar::Number("1.0").into_id(), None);
        assert_eq!(Scalar::Number("1e3").into_id(), None);
        // No JSON has such numbers, but whoever makes a `Scalar` himself may.
        assert_eq!(Scalar::Number("x1").into_id(), None);
        assert_eq!(Scalar::Number("1-2").into_id(), None);
        assert_eq!(Scalar::Number("-7").into_id().as_deref(), Some("-7"));
        assert_eq!(Scalar::Number("18446744073709551616").into_id().as_deref(), Some("18446744073709551616"));
    }

    #[test]
    fn prints_as_it_parses() {
        for text in ["/", "/a", "/a/b~1c/~0"] {
            assert_eq!(Pointer::new(text).unwrap().to_string(), text);
        }
        assert_eq!(Pointer::new("a"), None);
    }
}
