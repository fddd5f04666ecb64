use crate::scheme::Scheme;
use crate::schemes::standard_webhooks::v1_only;

/// OpenAI: Standard Webhooks, `v1` only.
///
/// Signed: `{webhook-id}.{webhook-timestamp}.{body}`. Key: `whsec_` and base64.
///
/// Freshness: the timestamp is signed, 300 s. Identity: `webhook-id`, signed; retries for up to 72 hours repeat it.
///
/// Source: openai-python, `resources/webhooks.py`.
#[must_use]
pub fn openai() -> Scheme {
    v1_only("openai").preset()
}
