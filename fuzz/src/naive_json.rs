//! Reading JSON for the naive verifier: one member of an object, by its name, and Adyen's items.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hookproof::Refusal;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What a name may stand for.
pub enum Json {
    Null,
    Text(String),
    /// As it was written.
    Number(String),
    Other,
}

/// All members of an object, also those with one name.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        json.deserialize_map(All)
    }
}

/// The member of this name, if the document is an object that has it.
pub fn find(body: &[u8], name: &str) -> Result<Option<Json>, Refusal> {
    let text = str::from_utf8(body).map_err(|_| Refusal::MalformedBody)?;
    let whole: &RawValue = serde_json::from_str(text).map_err(|_| Refusal::MalformedBody)?;
    member(whole.get(), name)?.map(|raw| read(&raw)).transpose()
}

fn member(text: &str, name: &str) -> Result<Option<Box<RawValue>>, Refusal> {
    if !text.trim_start().starts_with('{') {
        return Ok(None);
    }
    let members: Members = serde_json::from_str(text).map_err(|_| Refusal::MalformedBody)?;
    let mut found: Vec<_> =
        members.0.into_iter().filter(|(key, _)| key == name).map(|(_, raw)| raw).collect();
    if found.len() > 1 { Err(Refusal::MalformedBody) } else { Ok(found.pop()) }
}

fn read(raw: &RawValue) -> Result<Json, Refusal> {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str(text).map(Json::Text).map_err(|_| Refusal::MalformedBody),
        Some(b'-' | b'0'..=b'9') => Ok(Json::Number(text.to_owned())),
        Some(b'n') => Ok(Json::Null),
        _ => Ok(Json::Other),
    }
}

/// What is signed of an item, as a path each.
const FIELDS: [&[&str]; 8] = [
    &["pspReference"],
    &["originalReference"],
    &["merchantAccountCode"],
    &["merchantReference"],
    &["amount", "value"],
    &["amount", "currency"],
    &["eventCode"],
    &["success"],
];

fn at(item: &str, path: &[&str]) -> Result<Option<Json>, Refusal> {
    let mut place = item.to_owned();
    for name in path {
        match member(&place, name)? {
            Some(raw) => place = raw.get().to_owned(),
            None => return Ok(None),
        }
    }
    read(&RawValue::from_string(place).expect("it was one")).map(Some)
}

/// The items' signed texts and signatures.
pub fn items(body: &[u8]) -> Result<Vec<(Vec<u8>, Option<Json>)>, Refusal> {
    let text = str::from_utf8(body).map_err(|_| Refusal::MalformedBody)?;
    let whole: &RawValue = serde_json::from_str(text).map_err(|_| Refusal::MalformedBody)?;
    let list = member(whole.get(), "notificationItems")?.ok_or(Refusal::MalformedBody)?;
    let list: Vec<Box<RawValue>> = serde_json::from_str(list.get()).map_err(|_| Refusal::MalformedBody)?;
    if list.is_empty() {
        return Err(Refusal::MalformedBody);
    }
    let read_one = |item: Box<RawValue>| {
        let item = member(item.get(), "NotificationRequestItem")?.ok_or(Refusal::MalformedBody)?;
        if !item.get().starts_with('{') {
            return Err(Refusal::MalformedBody);
        }
        let mut texts = Vec::new();
        for path in FIELDS {
            texts.push(match at(item.get(), path)? {
                Some(Json::Text(text) | Json::Number(text)) => text,
                Some(Json::Other) => return Err(Refusal::MalformedBody),
                Some(Json::Null) | None => String::new(),
            });
        }
        Ok((texts.join(":").into_bytes(), at(item.get(), &["additionalData", "hmacSignature"])?))
    };
    list.into_iter().map(read_one).collect()
}

/// Every item has a signature of its own, or none counts.
pub fn verify_items(body: &[u8], hmac: impl Fn(&[u8]) -> Vec<u8>) -> Result<(), Refusal> {
    let mut pairs = Vec::new();
    for (message, signature) in items(body)? {
        let tag = match signature {
            None | Some(Json::Null) => return Err(Refusal::MissingHeader),
            Some(Json::Text(text)) => STANDARD.decode(&text).ok().filter(|tag| STANDARD.encode(tag) == text),
            Some(_) => None,
        };
        pairs.push((message, tag.filter(|tag| tag.len() == 32).ok_or(Refusal::MalformedHeader)?));
    }
    if pairs.iter().all(|(message, tag)| hmac(message) == *tag) {
        Ok(())
    } else {
        Err(Refusal::SignatureMismatch)
    }
}
