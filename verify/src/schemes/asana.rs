use crate::scheme::Scheme;

/// Asana: `X-Hook-Signature`, bare hex.
///
/// Signed: the body alone. The key is the text of `X-Hook-Secret`, which Asana sends once, when the webhook is made. Take it
/// only for a registration that you are waiting for: whoever may replace it at any time can sign.
///
/// Freshness: none. A captured delivery can be replayed for ever unless you remember its replay key. An empty list of
/// events is a heartbeat, sent every eight hours.
///
/// Source: developers.asana.com, "Webhooks".
#[must_use]
pub fn asana() -> Scheme {
    Scheme::builder("asana").signature_header("x-hook-signature").preset()
}
