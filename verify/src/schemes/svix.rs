use crate::scheme::Scheme;
use crate::schemes::standard_webhooks;

/// Svix: Standard Webhooks, in headers `svix-id`, `svix-timestamp`, `svix-signature` or in `webhook-*`.
///
/// Signed, keys and identity as [`standard_webhooks`]. When any `svix-*` header is present only those are read: a
/// delivery that is put together of both families is refused.
///
/// Freshness: the timestamp is signed and made anew for each attempt; 300 s on both sides. Svix re-sends for about 28
/// hours, with the same id.
///
/// Source: github.com/svix/svix-webhooks, the verifying libraries.
#[must_use]
pub fn svix() -> Scheme {
    standard_webhooks().to_builder().name("svix").preferred_family("svix-", "webhook-").preset()
}
