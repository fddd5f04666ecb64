//! Adyen's notifications: several items in one body, each with a signature of its own inside it.

use std::collections::BTreeSet;

use serde_json::value::RawValue;

use crate::algorithm::{Algorithm, AlgorithmSet};
use crate::encoding::{Encoding, SignatureBytes};
use crate::judge::{Verdicts, tag_matches};
use crate::key_ring::{KeyRing, VerifyingKey};
use crate::mac::{Choice, Digest, no};
use crate::pointer::{Pointer, Scalar};
use crate::refusal::Refusal;
use crate::timestamp::UnixTime;

/// What is signed of an item, in order, joined by `:`. Nothing else of it is (adyen-node-api-library,
/// `hmacValidator.ts`).
const SIGNED_FIELDS: [&str; 8] = [
    "/pspReference",
    "/originalReference",
    "/merchantAccountCode",
    "/merchantReference",
    "/amount/value",
    "/amount/currency",
    "/eventCode",
    "/success",
];
const SIGNATURE: &str = "/additionalData/hmacSignature";

struct Item {
    message: Vec<u8>,
    signature: SignatureBytes,
}

/// The verdicts on a batch, and what identifies it. A key counts as the batch's if it made the first item's signature;
/// every item needs a signature of some key, or none is believed.
pub(crate) fn judge(ring: &KeyRing, body: &[u8], now: UnixTime) -> Result<(Verdicts, [u8; 32]), Refusal> {
    let items = read_items(body)?;
    let mut all_signed = None;
    let mut first_verdicts = None;
    for item in &items {
        let mut verdicts = Verdicts::new();
        for (index, key) in ring.keys().iter().enumerate() {
            if let VerifyingKey::Mac(ready) = &key.verifying
                && key.is_valid_at(now)
            {
                let tag = ready.tag_of(item.message.as_slice());
                let presented = (AlgorithmSet::one(Algorithm::HmacSha256), item.signature.as_slice());
                verdicts.set(0, index, tag_matches(ready.hash(), &tag, [presented].into_iter()));
            }
        }
        let signed = verdicts.any();
        all_signed = Some(all_signed.map_or(signed, |before: Choice| before & signed));
        first_verdicts.get_or_insert(verdicts);
    }
    let all_signed = all_signed.unwrap_or_else(no);
    let verdicts = first_verdicts.map_or_else(Verdicts::new, |verdicts| verdicts.only_if(all_signed));
    Ok((verdicts, identity(&items)))
}

/// The batch as a set: whoever replays can send its items in another order, and each as often as he likes.
fn identity(items: &[Item]) -> [u8; 32] {
    let mut digest = Digest::new("hookproof/adyen-items/1");
    for message in items.iter().map(|item| &item.message).collect::<BTreeSet<_>>() {
        digest.field(message);
    }
    digest.finish()
}

/// All items are read before any signature is looked at: a batch is well-formed or it is not.
fn read_items(body: &[u8]) -> Result<Vec<Item>, Refusal> {
    let text = find_raw("/notificationItems", body)?.ok_or(Refusal::MalformedBody)?;
    let items: Vec<&RawValue> = serde_json::from_str(text.get()).map_err(|_| Refusal::MalformedBody)?;
    if items.is_empty() {
        return Err(Refusal::MalformedBody);
    }
    let mut read = Vec::with_capacity(items.len());
    for item in items {
        let item = find_raw("/NotificationRequestItem", item.get().as_bytes())?;
        let item = item.filter(|raw| raw.get().starts_with('{')).ok_or(Refusal::MalformedBody)?;
        read.push((message(item.get())?, find(SIGNATURE, item.get())?));
    }
    let with_signature = |(message, signature): (_, Option<Scalar<'_>>)| {
        let signature = match signature.ok_or(Refusal::MissingHeader)? {
            Scalar::Text(text) => {
                Encoding::Base64.decode(text.as_bytes(), &Algorithm::HmacSha256.signature_len())
            }
            _ => None,
        };
        Ok(Item { message, signature: signature.ok_or(Refusal::MalformedHeader)? })
    };
    read.into_iter().map(with_signature).collect()
}

/// Absent fields are empty, numbers stand as they were written, and nothing is escaped. What is neither text nor number
/// would stand there unsigned, so there is none.
fn message(item: &str) -> Result<Vec<u8>, Refusal> {
    let mut message = Vec::new();
    for (index, field) in SIGNED_FIELDS.into_iter().enumerate() {
        if index > 0 {
            message.push(b':');
        }
        match find(field, item)? {
            Some(Scalar::Text(text)) => message.extend_from_slice(text.as_bytes()),
            Some(Scalar::Number(digits)) => message.extend_from_slice(digits.as_bytes()),
            Some(Scalar::Bool(_) | Scalar::Composite) => return Err(Refusal::MalformedBody),
            None => {}
        }
    }
    Ok(message)
}

fn find<'a>(field: &str, item: &'a str) -> Result<Option<Scalar<'a>>, Refusal> {
    let pointer = Pointer::new(field).ok_or(Refusal::MalformedBody)?;
    pointer.find(item.as_bytes()).map_err(|_| Refusal::MalformedBody)
}

fn find_raw<'a>(field: &str, json: &'a [u8]) -> Result<Option<&'a RawValue>, Refusal> {
    let pointer = Pointer::new(field).ok_or(Refusal::MalformedBody)?;
    pointer.find_raw(json).map_err(|_| Refusal::MalformedBody)
}

/// The body with the signature that `sign` makes put into each item; `None` if there is no item.
pub(crate) fn signed_body(body: &[u8], sign: impl Fn(&[u8]) -> Option<String>) -> Option<Vec<u8>> {
    let mut json: serde_json::Value = serde_json::from_slice(body).ok()?;
    let items = json.get_mut("notificationItems")?.as_array_mut().filter(|items| !items.is_empty())?;
    for item in items {
        let item = item.get_mut("NotificationRequestItem")?.as_object_mut()?;
        let message = message(&serde_json::to_string(item).ok()?).ok()?;
        let data = item.entry("additionalData").or_insert_with(|| serde_json::json!({})).as_object_mut()?;
        data.insert("hmacSignature".to_owned(), sign(&message)?.into());
    }
    serde_json::to_vec(&json).ok()
}
