use crate::scheme::{Algorithm, DigestScope, KeyFormat, Part, Scheme};
use crate::timestamp::TimestampFormat;

/// Discord, interactions and webhook events: `X-Signature-Ed25519: <hex>` and `X-Signature-Timestamp`.
///
/// Signed: timestamp and body, with nothing between. The key is the application's public key, 64 hexadecimal digits.
/// Discord sends wrong signatures on purpose, and removes an endpoint that does not answer 401. Needs the feature
/// `asymmetric`.
///
/// Freshness: the timestamp is signed; 300 s on both sides is our choice, Discord's libraries check none. The id, `/id`,
/// and the type, `/type`, are in the signed body. The `PING` at registration is signed like all else.
///
/// Source: github.com/discord/discord-api-docs, "Interactions" and "Webhook Events".
#[must_use]
pub fn discord() -> Scheme {
    Scheme::builder("discord")
        .signature_header("x-signature-ed25519")
        .algorithm(Algorithm::Ed25519)
        .key_format(KeyFormat::Hex)
        .timestamp_header("x-signature-timestamp", TimestampFormat::Seconds)
        .signed([Part::Timestamp, Part::Body])
        .event_id_at("/id")
        .event_type_at("/type")
        .identity(DigestScope::Body)
        .preset()
}
