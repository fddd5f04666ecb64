use std::time::Duration;

use crate::encoding::Encoding;
use crate::scheme::{Algorithm, KeyFormat, Part, Scheme};
use crate::timestamp::{TimestampFormat, Window};

/// For how long PayPal re-sends: 25 times over three days.
const HORIZON: Duration = Duration::from_secs(72 * 3600);

/// PayPal: `PAYPAL-TRANSMISSION-SIG: <base64>`, RSA PKCS#1 v1.5 with SHA-256.
///
/// Signed: transmission id, transmission time, the webhook's id (yours: [`webhook_id`](crate::VerifierBuilder::webhook_id))
/// and the **CRC-32** of the body. Whoever holds one signed delivery can make another body for it, so nothing in the
/// body counts as signed: ask PayPal's API about the resource before money moves.
///
/// The key is PayPal's certificate or public key, which you supply. `PAYPAL-CERT-URL` is not looked at: a certificate
/// fetched from where a request says proves nothing. Needs the feature `asymmetric`.
///
/// Freshness: the signed time is the first attempt's, as far as is known, so the window covers three days. Identity: the
/// transmission id, which is signed.
///
/// Source: github.com/paypal/PayPal-Python-SDK, `paypalrestsdk/notifications.py`.
#[must_use]
pub fn paypal() -> Scheme {
    Scheme::builder("paypal")
        .signature_header("paypal-transmission-sig")
        .algorithm(Algorithm::RsaPkcs1Sha256)
        .encoding(Encoding::Base64)
        .key_format(KeyFormat::PublicKey)
        .required_header("paypal-auth-algo", "SHA256withRSA")
        .event_id_header("paypal-transmission-id")
        .timestamp_header("paypal-transmission-time", TimestampFormat::Rfc3339)
        .window(Window { past: HORIZON + Duration::from_secs(300), future: Duration::from_secs(300) })
        .signed([
            Part::Id,
            Part::literal("|"),
            Part::Timestamp,
            Part::literal("|"),
            Part::WebhookId,
            Part::literal("|"),
            Part::BodyCrc32,
        ])
        .event_type_at("/event_type")
        .retry_horizon(HORIZON)
        .preset()
}
