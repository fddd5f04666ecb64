use std::time::Duration;

use crate::scheme::{Algorithm, DigestScope, Part, Scheme, Syntax, Version};
use crate::timestamp::Window;

/// Paddle Billing: `Paddle-Signature: ts=<seconds>;h1=<hex>`, with several `h1` during a rotation.
///
/// Signed: `{ts}:{body}`. The key is the whole text, `pdl_ntfset_` included.
///
/// Freshness: `ts` is signed. Paddle's own window is **5 s**, and so is this preset's, on both sides: keep your clock
/// right, or widen it. Identity: `/event_id` in the signed body.
///
/// Source: paddle-node-sdk, webhooks validator.
#[must_use]
pub fn paddle() -> Scheme {
    Scheme::builder("paddle")
        .signature_header("paddle-signature")
        .key_value("ts", "h1")
        .syntax(Syntax::KeyValue {
            versions: vec![Version { name: "h1".into(), algorithm: Algorithm::HmacSha256 }],
            timestamp: Some("ts".into()),
            separator: ';',
        })
        .signed([Part::Timestamp, Part::literal(":"), Part::Body])
        .window(Window::symmetric(Duration::from_secs(5)))
        .event_id_at("/event_id")
        .event_type_at("/event_type")
        .identity(DigestScope::Body)
        .preset()
}
