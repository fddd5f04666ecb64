use std::time::Duration;

use crate::scheme::{KeyFormat, Scheme, Syntax};

/// Adyen, standard (payment) notifications: each item in the body has `additionalData.hmacSignature: <base64>`.
///
/// Signed, of each item: `pspReference`, `originalReference`, `merchantAccountCode`, `merchantReference`, `amount.value`,
/// `amount.currency`, `eventCode` and `success`, joined by `:` and not escaped. **Nothing else of the item is**: not the
/// reason, the date, the payment method. All items must be signed. The key is hexadecimal.
///
/// Freshness: none, so remember replay keys; they are made of the signed fields alone, whatever the order of the items.
/// Items are not signed as a batch: whoever replays can leave some out or join those of two batches, which then has a replay
/// key of its own. So do each item once, by its `pspReference` and `eventCode`. Adyen re-sends for up to 30 days.
///
/// For its management and platform notifications, see [`adyen_platform`](super::adyen_platform).
///
/// Source: github.com/Adyen/adyen-node-api-library, `src/utils/hmacValidator.ts`.
#[must_use]
pub fn adyen_payments() -> Scheme {
    Scheme::builder("adyen-payments")
        .syntax(Syntax::AdyenItems)
        .key_format(KeyFormat::Hex)
        .signed([])
        .retry_horizon(Duration::from_secs(30 * 24 * 3600))
        .preset()
}
