//! Every preset with a key, and a body that all of them take.

#![allow(dead_code, reason = "each of the test binaries that share this takes what it needs")]

#[path = "key_pairs.rs"]
mod key_pairs;

use std::sync::LazyLock;

use hookproof::{Key, Outgoing, Scheme, Signer, UnixTime, Verifier, VerifierBuilder};
use http::HeaderMap;

pub(crate) const NOW: u64 = 1_700_000_000;

/// Hexadecimal, base64 and text at once.
pub(crate) const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabb";

const ORIGIN: &str = "https://hooks.example.com";

/// The URL of a request to `/`.
pub(crate) const URL: &str = "https://hooks.example.com/";

const WEBHOOK_ID: &str = "1TESTONLY0123456W";

/// The presets whose keys are public keys: without the feature `asymmetric` they cannot be built.
pub(crate) const OF_PUBLIC_KEYS: [&str; 4] = ["discord", "sendgrid", "paypal", "plaid"];

/// How many presets there are; a test has a look.
pub(crate) const PRESETS: usize = if cfg!(feature = "asymmetric") { 49 } else { 49 - OF_PUBLIC_KEYS.len() };

pub(crate) struct Source {
    pub(crate) scheme: Scheme,
    pub(crate) verifier: Verifier,
    pub(crate) signer: Signer,
}

static ALL: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let usable = |name: &str| cfg!(feature = "asymmetric") || !OF_PUBLIC_KEYS.contains(&name);
    Scheme::all().filter(|scheme| usable(scheme.name())).map(Source::of).collect()
});

impl Source {
    pub(crate) fn of(scheme: Scheme) -> Self {
        let (signing, verifying) = keys(&scheme);
        let signer = Signer::new(&scheme, &signing).unwrap();
        let verifier = builder(&scheme).key(verifying).build().unwrap();
        Self { scheme, verifier, signer }
    }

    pub(crate) fn named(name: &str) -> &'static Self {
        Self::all().find(|source| source.scheme.name() == name).unwrap_or_else(|| panic!("{name}"))
    }

    /// A delivery as its provider would send it to `/`: headers, and the body with what belongs into it.
    pub(crate) fn delivery(&self, body: &[u8], id: &str, secs: u64) -> (HeaderMap, Vec<u8>) {
        let body = self.signer.signed_body(body).unwrap().into_owned();
        let outgoing = Outgoing::new(&body).id(id).event_type("lead.created").timestamp(at(secs));
        let headers = self.signer.sign(&outgoing.url(URL).webhook_id(WEBHOOK_ID)).unwrap();
        (headers, body)
    }

    /// Every preset that can be built with the features of this run, in the order of `Scheme::all()`.
    pub(crate) fn all() -> impl Iterator<Item = &'static Self> {
        ALL.iter()
    }
}

/// The key to sign with and the key to verify with. Both have the id `key`, which is also the name of the JSON Web Key.
pub(crate) fn keys(scheme: &Scheme) -> (Key, Key) {
    let (signing, verifying) = pair(scheme);
    (Key::new("key", signing), Key::new("key", verifying))
}

/// Their texts.
pub(crate) fn pair(scheme: &Scheme) -> (&'static str, &'static str) {
    key_pairs::pair(scheme.name()).unwrap_or((KEY, KEY))
}

/// With all that the scheme needs, but a key.
pub(crate) fn builder(scheme: &Scheme) -> VerifierBuilder {
    let builder = Verifier::builder(scheme.clone());
    let builder = if scheme.signs_url() { builder.public_url(ORIGIN) } else { builder };
    if scheme.signs_webhook_id() { builder.webhook_id(WEBHOOK_ID) } else { builder }
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
        "trigger": "lead.created", "webhook_code": "lead.created",
        "notificationItems": [{ "NotificationRequestItem": { "pspReference": id, "eventCode": text } }],
    });
    body.to_string().into_bytes()
}
