//! The headers of a forwarded event.
//!
//! | header | |
//! |---|---|
//! | `webhook-id`, `webhook-timestamp`, `webhook-signature` | Standard Webhooks 1.0.0 |
//! | `hookproof-source`, `hookproof-scheme` | where it came in, and what proved it there |
//! | `hookproof-event` | its number, as `hookproof dlq` and the log have it |
//! | `hookproof-attempt` | counted from 1, and from 1 again after a replay |
//! | `hookproof-stale`, `hookproof-overdue` | `true`, or not there: a later event of its key was applied; its time to be ready is over |
//! | `hookproof-received-at` | when its first delivery arrived (RFC 3339) |
//! | `hookproof-event-id`, `hookproof-event-type`, `hookproof-occurred-at` | the provider's, where its signature covers them |
//! | `hookproof-unsigned-event-id`, .. | the provider's, where it does not: anybody could have changed them |
//!
//! A value that is not printable ASCII has no header: it is in the body.

use hookproof::{Location, Pointer, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::clock::moment;
use crate::effect::Context;
use crate::event::{Event, Named};

/// Names that mean something to the connection, to the signature or to us: nobody else sets them.
const RESERVED: [&str; 12] = [
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether a header of this name is made here.
pub(super) fn is_reserved(name: &HeaderName) -> bool {
    let name = name.as_str();
    RESERVED.contains(&name) || ["webhook-", "hookproof-"].iter().any(|prefix| name.starts_with(prefix))
}

/// Everything but the signature: what was kept of the request, what the target is configured to get, what is known here.
pub(super) fn of(event: &Event, context: &Context, configured: &HeaderMap) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &event.headers {
        let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value))
        else {
            continue;
        };
        if !is_reserved(&name) {
            headers.append(name, value);
        }
    }
    for (name, value) in configured {
        headers.insert(name, value.clone());
    }
    set(&mut headers, "hookproof-source", &event.source);
    set(&mut headers, "hookproof-scheme", &event.scheme);
    set(&mut headers, "hookproof-event", &event.number.to_string());
    set(&mut headers, "hookproof-attempt", &context.attempt.to_string());
    for (name, applies) in [("hookproof-stale", context.stale), ("hookproof-overdue", context.overdue)] {
        if applies {
            set(&mut headers, name, "true");
        }
    }
    set(&mut headers, "hookproof-received-at", &moment(event.received_at));
    let named = |named: &Option<Named>| named.as_ref().map(|named| (named.value.clone(), named.signed));
    let occurred_at = event.occurred_at.map(|at| (moment(at), signs_its_body(&event.scheme)));
    for (signed_name, unsigned_name, value) in [
        ("hookproof-event-id", "hookproof-unsigned-event-id", named(&event.event_id)),
        ("hookproof-event-type", "hookproof-unsigned-event-type", named(&event.event_type)),
        ("hookproof-occurred-at", "hookproof-unsigned-occurred-at", occurred_at),
    ] {
        if let Some((value, signed)) = value {
            set(&mut headers, if signed { signed_name } else { unsigned_name }, &value);
        }
    }
    headers
}

/// Whether what stands in a body can be believed, and so the time that was read there.
fn signs_its_body(scheme: &str) -> bool {
    let anywhere = Pointer::new("/x").map(Location::Body);
    Scheme::by_name(scheme).zip(anywhere).is_some_and(|(scheme, anywhere)| scheme.is_signed(&anywhere))
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    let printable = value.bytes().all(|b| (b' '..=b'~').contains(&b));
    if printable && let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
