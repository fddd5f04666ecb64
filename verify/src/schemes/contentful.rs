use std::time::Duration;

use http::HeaderName;

use crate::scheme::{DigestScope, Part, Scheme};
use crate::timestamp::{TimestampFormat, Window};

/// Contentful: `x-contentful-signature: <hex>`, over a canonical request.
///
/// Signed: method, path and query (encoded twice), the headers that `x-contentful-signed-headers` names, and the body.
/// The list must name itself and the timestamp, or a replayer could change them.
///
/// Freshness: the timestamp, in milliseconds, is among the signed headers; 30 s on both sides, as Contentful's library
/// has it for the past. Contentful re-sends twice, within minutes.
///
/// Source: github.com/contentful/node-apps-toolkit, `src/requests`.
#[must_use]
pub fn contentful() -> Scheme {
    let newline = || Part::literal("\n");
    let list = HeaderName::from_static("x-contentful-signed-headers");
    Scheme::builder("contentful")
        .signature_header("x-contentful-signature")
        .timestamp_header("x-contentful-timestamp", TimestampFormat::Millis)
        .window(Window::symmetric(Duration::from_secs(30)))
        .signed([
            Part::Method,
            newline(),
            Part::EncodedPath,
            newline(),
            Part::SignedHeaders(list),
            newline(),
            Part::Body,
        ])
        .identity(DigestScope::Body)
        .preset()
}
