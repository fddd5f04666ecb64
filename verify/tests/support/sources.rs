//! Every preset with a key, and a body that all of them take.

use hookproof::{Key, Scheme, Signer, UnixTime, Verifier};

pub(crate) const NOW: u64 = 1_700_000_000;

pub(crate) struct Source {
    pub(crate) scheme: Scheme,
    pub(crate) verifier: Verifier,
    pub(crate) signer: Signer,
}

impl Source {
    pub(crate) fn of(scheme: Scheme) -> Self {
        let text = match scheme.name() {
            "standard-webhooks" => "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=",
            _ => "a secret of more than sixteen bytes",
        };
        let key = Key::new("k1", text);
        let signer = Signer::new(&scheme, &key).unwrap();
        let verifier = Verifier::builder(scheme.clone()).key(key).build().unwrap();
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
    });
    body.to_string().into_bytes()
}
