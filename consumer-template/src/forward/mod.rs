//! Forwarding: each verified event is posted to another service, signed anew with Standard Webhooks.
//!
//! This is how a service in another language stands behind the binary: it checks one signature of one kind, whatever the
//! provider's is, and sees each event once in its inbox's order. [`Forwarder`] is a [`Handler`](crate::effect::Handler) like
//! any other: retries, ordering and dead letters are dispatch's.
//!
//! **What is sent.** The body byte for byte, with the provider's `content-type`; `webhook-id`, the idempotency key, is the same on
//! every attempt and replay; `webhook-timestamp` is now. Kept request headers go along under their own names. What the inbox
//! knows of the event is in `hookproof-*` headers, and what nobody signed is in `hookproof-unsigned-*`.
//!
//! **What the answer means.** 2xx: done. 408, 425, 429 and 5xx, no connection and no answer: again, after `Retry-After` if there is
//! one. Everything else is a dead letter. A redirect is never followed: it could lead anywhere.
//!
//! **Where it may go.** The address that a name resolves to is checked, and is the one that is connected to: a name that changes its
//! address in between gains nothing. Addresses that are not public need to be allowed by name ([`network`]), addresses of
//! metadata services cannot be, and plain HTTP goes to allowed addresses only. Proxies from the environment are not used.
//!
//! # Security
//!
//! Standard Webhooks signs the id, the time and the body. It does not sign other headers: between here and the target, TLS or the
//! network must keep them. A target that knows the secret can also forge; a `whsk_` key makes it able to verify only.

mod answer;
mod client;
mod handler;
mod headers;
pub mod network;
mod target;

pub use client::{Names, SystemNames};
pub use handler::Forwarder;
pub use target::Target;
