//! Why a delivery was refused: for the operator, after the fact.
//!
//! [`Explainer`] takes what a [`Verifier`](crate::Verifier) was set up with, and a delivery that it refused. It then
//! tries what is known to go wrong between a provider and a receiver, one thing at a time and then two together: a key
//! taken as text that was meant as base64, a body that a proxy printed anew, a signature in another header. An
//! explanation that is [`Recomputed`](Evidence::Recomputed) is no guess: with this one change the signature holds.
//!
//! ```
//! use hookproof::explain::{CauseKind, Explainer, Verdict};
//! use hookproof::{Key, Outgoing, Signer, UnixTime, schemes};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = Key::new("2026-11", "a secret of at least 16 bytes");
//! let headers = Signer::new(&schemes::github(), &key)?.sign(&Outgoing::new(br#"{"ref":"main"}"#))?;
//! let explainer = Explainer::new(schemes::github()).key(key);
//! let now = UnixTime::from_secs(1_700_000_000);
//!
//! // Something on the way has parsed the body and printed it again.
//! let explanation = explainer.explain(&headers, br#"{"ref": "main"}"#, now);
//! assert_eq!(explanation.verdict, Verdict::Refused);
//! assert_eq!(explanation.reason, Some("signature_mismatch"));
//! assert_eq!(explanation.causes[0].kind, CauseKind::BodyJson);
//! println!("{explanation}");
//! # Ok(())
//! # }
//! ```
//!
//! # What is tried
//!
//! | what | how it may differ |
//! |---|---|
//! | key | text, base64 (also url-safe or unpadded), hex; prefix, white space, quotes, `NAME=`; letter case; entities |
//! | whose | keys of other sources that it is told of, keys that were removed, another source's whole set-up |
//! | preset | every other preset with the same keys |
//! | signature header | prefix, encoding, hash, version name, separators; another header or family of names; doubled |
//! | body | JSON printed anew (white space, key order, escapes), line ends, newline at the end, byte order mark |
//! | body, as bytes | compression, base64 around it, UTF-8 encoded twice, more bytes than `Content-Length` |
//! | signed text | a part left out, another separator or order, a timestamp signed too, or in another unit |
//! | URL | `http` or `https`, host, port, path prefix, slash at the end, query, percent-escapes |
//! | time | unit, size and direction of the distance, a time zone taken for another, the tolerance that would do |
//!
//! What cannot be undone cannot be tried: numbers that a parser rounded, keys that were sorted on the way, bytes that
//! are missing. Where there are signs of that, the next steps name them.
//!
//! # Limits
//!
//! At most [`MAX_TRIES`] variations, [`MAX_HASHED_BYTES`] hashed, and bodies of up to [`MAX_BODY_BYTES`]: of a longer
//! one the body is not varied. [`Explanation::cut_short`] says when a limit ended the search.
//!
//! # Security
//!
//! Never call this while a request waits, and never answer with it: it takes up to seconds, and tells an attacker how
//! far he got. An explanation shows no key, no computed signature and no byte of the body; it does show header names,
//! the time that is stated, a short prefix of a signature, and the host of the request. No key is tried that is made of
//! another's text and shorter than [`MIN_KEY_BYTES`](crate::MIN_KEY_BYTES): a stranger could guess it and have it
//! recommended. Every trial is a [`Verifier`](crate::Verifier) built with one thing changed, so that this cannot come to
//! another verdict than the verification itself.

mod body;
mod explainer;
mod explanation;
mod headers;
mod json;
mod keys;
mod others;
mod seen;
mod signed_text;
mod time;
mod trial;
mod url;

pub use explainer::Explainer;
pub use explanation::{Cause, CauseKind, Evidence, Explanation, TimeFinding, Verdict};
pub use trial::{MAX_BODY_BYTES, MAX_HASHED_BYTES, MAX_TRIES};
