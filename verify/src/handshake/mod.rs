//! Answers to the challenges with which a provider asks who owns an endpoint, as pure functions.
//!
//! Each takes what it needs of the request and returns `Ok(None)` if it is no such challenge, the answer, or
//! [`Refusal::HandshakeRefused`](crate::Refusal::HandshakeRefused). With the feature `tower`,
//! [`VerifyLayer::handshake`](crate::VerifyLayer::handshake) calls them at the right place.
//!
//! | provider | challenge | signed | answer |
//! |---|---|---|---|
//! | [`meta`] (WhatsApp, Lead Ads) | `GET`, `hub.mode`, `hub.challenge`, `hub.verify_token` | no; a token that you chose | the challenge |
//! | [`dropbox`] | `GET`, `challenge` | no | the challenge |
//! | [`cloud_events`] (Azure Event Grid) | `OPTIONS`, `WebHook-Request-Origin` | no | consent, for origins on your list |
//! | [`AsanaRegistration`] | `POST`, `X-Hook-Secret` | no; it brings the key | the header, while a registration is pending |
//! | [`zoom`] | `POST`, event `endpoint.url_validation` | yes | the token, and its MAC |
//! | [`slack`] | `POST`, type `url_verification` | yes | the challenge |
//! | [`discord_interactions`] | `POST`, type 1 | yes | type 1 |
//! | [`discord_events`] | `POST`, type 0 | yes | 204 |
//!
//! # Security
//!
//! - What is signed is answered after its signature held, from a [`Verified`](crate::Verified), and never before.
//! - Whoever knows the URL can have an unsigned challenge answered, so an answer gives nothing away. A text is sent back
//!   only if it is at most [`MAX_CHALLENGE_BYTES`] of `A-Z a-z 0-9 - . _ ~ + / =`, as `text/plain` and with `nosniff`: no
//!   page can be made of it. A parameter or header that occurs twice is refused.
//! - Nothing that a challenge names is fetched.

mod asana;
mod cloud_events;
mod discord;
mod dropbox;
mod meta;
mod slack;
mod text;
mod zoom;

pub use asana::{AsanaRegistration, HookSecret};
pub use cloud_events::{AllowedOrigins, cloud_events};
pub use discord::{discord_events, discord_interactions};
pub use dropbox::dropbox;
pub use meta::{VerifyToken, meta};
pub use slack::slack;
pub use text::MAX_CHALLENGE_BYTES;
pub use zoom::zoom;
