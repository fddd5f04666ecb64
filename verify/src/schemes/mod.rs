//! One function per provider, each returning its [`Scheme`]; its documentation says what is signed and what is not.
//!
//! | preset | what is signed | what bounds a replay | identity of an event |
//! |---|---|---|---|
//! | [`standard_webhooks`] | id, timestamp, body | signed timestamp, 300 s | `webhook-id`, signed |
//! | [`github`] | body | nothing: keep replay keys | digest of the body |
//! | [`stripe`] | timestamp, body | signed timestamp, 300 s | `/id` in the body |
//! | [`slack`] | timestamp, body | signed timestamp, 300 s | `/event_id`, else digest of the body |
//! | [`meta`] | body | nothing: keep replay keys | digest of the body |
//! | [`megatronlead`] | body | event time, 24 h | digest of the body |
//! | [`klozeo`] | body | event time, 72 h | digest of the body |
//! | [`klozeo_guide`] | body | event time, 72 h, where sent | `/event_id` in the body |
//! | [`leadhub`] | body | event time, 72 h | digest of the body |
//! | [`leadhub_timestamped`] | timestamp, body | signed timestamp, 300 s | digest of the body |
//! | [`metalocator`] | timestamp, body | signed timestamp, 300 s | digest of the body |
//! | [`metalocator_raw`] | timestamp, body | signed timestamp, 300 s | digest of the body |
//! | [`devsphere`] | body | nothing: keep replay keys | digest of the body |
//!
//! Where the documents of a provider contradict one another there is one preset for each form. None guesses per
//! request: a receiver that takes any of several forms takes the weakest of them.

mod devsphere;
mod github;
mod klozeo;
mod leadhub;
mod megatronlead;
mod meta;
mod metalocator;
mod slack;
mod standard_webhooks;
mod stripe;

pub use devsphere::devsphere;
pub use github::github;
pub use klozeo::{klozeo, klozeo_guide};
pub use leadhub::{leadhub, leadhub_timestamped};
pub use megatronlead::megatronlead;
pub use meta::meta;
pub use metalocator::{metalocator, metalocator_raw};
pub use slack::slack;
pub use standard_webhooks::standard_webhooks;
pub use stripe::stripe;

use crate::scheme::Scheme;

/// Every preset, in the order of the table above.
const PRESETS: [fn() -> Scheme; 13] = [
    standard_webhooks,
    github,
    stripe,
    slack,
    meta,
    megatronlead,
    klozeo,
    klozeo_guide,
    leadhub,
    leadhub_timestamped,
    metalocator,
    metalocator_raw,
    devsphere,
];

impl Scheme {
    /// Every preset. Configuration, documentation and test vectors list the same set.
    pub fn all() -> impl Iterator<Item = Self> {
        PRESETS.iter().map(|preset| preset())
    }

    /// The preset of this name, such as `standard-webhooks`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::all().find(|scheme| scheme.name() == name)
    }
}
