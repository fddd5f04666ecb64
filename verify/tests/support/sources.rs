//! Every preset with a key, and a body that all of them take.

#![allow(dead_code, reason = "each of the test binaries that share this takes what it needs")]

#[path = "key_pairs.rs"]
mod key_pairs;

use hookproof::{Key, Outgoing, Scheme, Signer, UnixTime, Verifier};
use http::HeaderMap;

pub(crate) const NOW: u64 = 1_700_000_000;

/// Hexadecimal, base64 and text at once.
pub(crate) const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabb";

const ORIGIN: &str = "https://hooks.example.com";

/// The URL of a request to `/`.
pub(crate) const URL: &str = "https://hooks.example.com/";

const WEBHOOK_ID: &str = "1TESTONLY0123456W";

pub(crate) struct Source {
    pub(crate) scheme: Scheme,
    pub(crate) verifier: Verifier,
    pub(crate) signer: Signer,
}

impl Source {
    pub(crate) fn of(scheme: Scheme) -> Self {
        let (signing, verifying) = key_pairs::pair(scheme.name()).unwrap_or((KEY, KEY));
        let signer = Signer::new(&scheme, &Key::new("key", signing)).unwrap();
        let mut builder = Verifier::builder(scheme.clone()).key(Key::new("key", verifying));
        if scheme.signs_url() {
            builder = builder.public_url(ORIGIN);
        }
        if scheme.signs_webhook_id() {
            builder = builder.webhook_id(WEBHOOK_ID);
        }
        let verifier = builder.build().unwrap();
        Self { scheme, verifier, signer }
    }

    /// A delivery as its provider would send it to `/`: headers, and the body with what belongs into it.
    pub(crate) fn delivery(&self, body: &[u8], id: &str, secs: u64) -> (HeaderMap, Vec<u8>) {
        let body = self.signer.signed_body(body).unwrap().into_owned();
        let outgoing = Outgoing::new(&body).id(id).timestamp(at(secs)).url(URL).webhook_id(WEBHOOK_ID);
        (self.signer.sign(&outgoing).unwrap(), body)
    }

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Scheme::all().map(Self::of)
    }
}

pub(crate) fn at(secs: u64) -> UnixTime {
    UnixTime::from_secs(secs)
}

/// A body in which every preset finds its time, its id and its type.
pub(crate) fn body(secs: u64, id: &str, text: &str) -> Vec<u8> {
    let occurred_at = jiff::Timestamp::from_second(i64::try_from(secs).unwrap()).unwrap().to_string();
    let body = serde_json::json!({
        "id": id, "event_id": id, "type": "lead.created", "event": "lead.created", "object": "lead",
        "timestamp": secs, "occurred_at": occurred_at, "text": text,
        "webhookTimestamp": secs * 1000, "topic": "lead.created", "event_type": "lead.created",
        "notificationItems": [{ "NotificationRequestItem": { "pspReference": id, "eventCode": text } }],
    });
    body.to_string().into_bytes()
}
