//! Every preset with a key, and a body that all of them take.

use hookproof::{Key, Scheme, Signer, UnixTime, Verifier};

pub(crate) const NOW: u64 = 1_700_000_000;

/// Hexadecimal, base64 and text at once.
pub(crate) const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabb";

const ORIGIN: &str = "https://hooks.example.com";

/// The URL of a request to `/`.
pub(crate) const URL: &str = "https://hooks.example.com/";

pub(crate) struct Source {
    pub(crate) scheme: Scheme,
    pub(crate) verifier: Verifier,
    pub(crate) signer: Signer,
}

impl Source {
    pub(crate) fn of(scheme: Scheme) -> Self {
        let key = Key::new("k1", KEY);
        let signer = Signer::new(&scheme, &key).unwrap();
        let mut builder = Verifier::builder(scheme.clone()).key(key);
        if scheme.signs_url() {
            builder = builder.public_url(ORIGIN);
        }
        let verifier = builder.build().unwrap();
        Self { scheme, verifier, signer }
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
    });
    body.to_string().into_bytes()
}
