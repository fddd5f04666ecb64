//! A tower layer that lets only genuine deliveries through.
//!
//! [`VerifyLayer`] reads the headers, refuses what they already condemn, receives the body under a limit and a
//! timeout while the signature is computed, and hands the request on with the same bytes as its body and a
//! [`Verified<Bytes>`](crate::Verified) in its extensions.
//!
//! - Every refusal answers the same bytes: a bare 401 (413, 415 or 408 where it is one). The
//!   [`Refusal`](crate::Refusal) is in the response's extensions, for a log or a metric around the layer; an
//!   [observer](VerifyLayer::observer) is told it too.
//! - `HEAD`, `OPTIONS` and other methods that no provider delivers with are refused in the same way. Where methods mean
//!   different things, name [the one that counts](VerifyLayer::methods): hardly any scheme signs it.
//! - A header that the scheme reads and that occurs twice is refused, as is any `Content-Encoding` but `identity`.
//!   Put decompression behind this layer, never before it.
//! - Nothing is read ahead of verification but the body itself, at most
//!   [`body_limit`](crate::VerifierBuilder::body_limit) bytes of it. A declared length costs no memory until its
//!   bytes arrive.
//! - Trailers are ignored: a signature that arrives after the body is none.
//!
//! # Options
//!
//! | to | see |
//! |---|---|
//! | do each delivery once | [`replay_guard`](VerifyLayer::replay_guard), [`MemoryReplayGuard`](crate::MemoryReplayGuard) |
//! | answer a provider's challenge | [`handshake`](VerifyLayer::handshake), [`Handshake`] |
//! | serve many tenants | [`choosing`](VerifyLayer::choosing), [`Source`] |
//! | count and log | [`observer`](VerifyLayer::observer), [`Observation`] |
//! | keep what was refused | [`refused`](VerifyLayer::refused), [`RefusedRequest`] |
//! | limit the body | [`body_limit`](crate::VerifierBuilder::body_limit), [`body_timeout`](VerifyLayer::body_timeout) |
//!
//! A request goes through them in this order: unsigned challenges; the method; the choice of the source; headers; body
//! and signature; signed challenges; the replay guard; the service behind; and, if that answered 2xx, the record in the
//! guard. Whatever is dropped on the way leaves nothing behind: a delivery whose sender left is received anew.
//!
//! # In axum
//!
//! ```
//! # #[cfg(feature = "axum")]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use axum::{Router, routing::post};
//! use hookproof::{Key, Verifier, VerifyLayer, VerifiedBytes, schemes};
//!
//! async fn receive(VerifiedBytes(proof): VerifiedBytes) -> String {
//!     format!("{} bytes, signed with key {}", proof.body().len(), proof.key_id())
//! }
//!
//! let verifier = Verifier::builder(schemes::github()).key(Key::new("2026-11", "at least sixteen bytes")).build()?;
//! let app: Router = Router::new().route("/hooks/github", post(receive)).layer(VerifyLayer::new(verifier));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "axum"))]
//! # fn main() {}
//! ```
//!
//! A deployment caveat: `axum::serve` has no timeout for headers and idle connections. Put a proxy before it, or serve
//! with hyper's `header_read_timeout`, as the reference consumer does.

mod challenge;
mod delivery;
mod future;
mod hold;
mod layer;
mod observation;
mod refused;
mod response;
mod service;
mod settings;
mod source;

pub use challenge::Handshake;
pub use future::ResponseFuture;
pub use layer::VerifyLayer;
pub use observation::{Observation, Outcome};
pub use refused::RefusedRequest;
pub use response::ResponseBody;
pub use service::VerifyService;
pub use source::Source;
