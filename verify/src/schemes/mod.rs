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
//! | [`bitbucket`] | body | nothing: keep replay keys | digest of the body |
//! | [`gitlab`] | id, timestamp, body | signed timestamp, 300 s | `webhook-id`, signed |
//! | [`openai`] | id, timestamp, body | signed timestamp, 300 s | `webhook-id`, signed |
//! | [`zoom`] | timestamp, body | signed timestamp, 300 s | digest of the body |
//! | [`square`] | URL, body | nothing: keep replay keys | `/event_id` in the body |
//! | [`hubspot_v3`] | method, URL, body, timestamp | signed timestamp, 300 s | digest of the body |
//! | [`intercom`] | body | nothing: keep replay keys | `/id` in the body |
//! | [`paddle`] | timestamp, body | signed timestamp, 5 s | `/event_id` in the body |
//! | [`linear`] | body | event time, 60 s | digest of the body |
//! | [`calendly`] | timestamp, body | signed timestamp, 180 s | digest of the body |
//! | [`typeform`] | body | nothing: keep replay keys | `/event_id` in the body |
//! | [`zendesk`] | timestamp, body | signed timestamp, 300 s | digest of the body |
//! | [`asana`] | body | nothing: keep replay keys | digest of the body |
//! | [`dropbox`] | body | nothing | none: equal bodies are different events |
//! | [`adyen_platform`] | body | nothing: keep replay keys | digest of the body |
//! | [`coinbase_commerce`] | body | nothing: keep replay keys | `/event/id` in the body |
//! | [`vercel`] | body | nothing: keep replay keys | `/id` in the body |
//! | [`sentry`] | body | nothing: keep replay keys | digest of the body |
//! | [`woocommerce`] | body | nothing: keep replay keys | digest of the body |
//! | [`close`] | timestamp, body | signed timestamp, 300 s | `/event/id` in the body |
//! | [`line`](fn@line) | body | nothing: keep replay keys | digest of the body |
//! | [`pagerduty`] | body | nothing: keep replay keys | `/event/id` in the body |
//! | [`svix`] | id, timestamp, body | signed timestamp, 300 s | `svix-id`, signed |
//! | [`shopify`] | body | nothing: keep replay keys | digest of the body |
//! | [`discord`] | timestamp, body | signed timestamp, 300 s | `/id` in the body |
//! | [`gitlab_token`] | **nothing** | nothing | digest of the body, which is not signed |
//! | [`docusign`] | body | nothing: keep replay keys | digest of the body |
//! | [`box_`] | body, timestamp | signed timestamp, 600 s | digest of the body |
//! | [`sendgrid`] | timestamp, body | signed timestamp, 300 s | digest of the body |
//! | [`twilio`] | URL, form | nothing: keep replay keys | digest of URL and form |
//! | [`mandrill`] | URL, form | nothing: keep replay keys | digest of URL and form |
//! | [`paypal`] | id, time, CRC-32 of the body | event time, 72 h | `PAYPAL-TRANSMISSION-ID`, signed |
//! | [`contentful`] | method, path, headers, body | signed timestamp, 30 s | digest of the body |
//! | [`plaid`] | token with time and digest of the body | signed timestamp, 300 s | digest of the body |
//! | [`adyen_payments`] | eight fields of each item | nothing: keep replay keys | digest of the signed fields |
//! | [`http_message_signatures`] | what is configured, with the digest of the body | signed timestamp, 300 s | digest of the body |
//!
//! Where the documents of a provider contradict one another there is one preset for each form. None guesses per
//! request: a receiver that takes any of several forms takes the weakest of them.

mod adyen_payments;
mod adyen_platform;
mod asana;
mod bitbucket;
mod box_;
mod calendly;
mod close;
mod coinbase_commerce;
mod contentful;
mod devsphere;
mod discord;
mod docusign;
mod dropbox;
mod github;
mod gitlab;
mod gitlab_token;
mod http_message_signatures;
mod hubspot_v3;
mod intercom;
mod klozeo;
mod leadhub;
mod line;
mod linear;
mod mandrill;
mod megatronlead;
mod meta;
mod metalocator;
mod openai;
mod paddle;
mod pagerduty;
mod paypal;
mod plaid;
mod sendgrid;
mod sentry;
mod shopify;
mod slack;
mod square;
mod standard_webhooks;
mod stripe;
mod svix;
mod twilio;
mod typeform;
mod vercel;
mod woocommerce;
mod zendesk;
mod zoom;

pub use adyen_payments::adyen_payments;
pub use adyen_platform::adyen_platform;
pub use asana::asana;
pub use bitbucket::bitbucket;
pub use box_::box_;
pub use calendly::calendly;
pub use close::close;
pub use coinbase_commerce::coinbase_commerce;
pub use contentful::contentful;
pub use devsphere::devsphere;
pub use discord::discord;
pub use docusign::docusign;
pub use dropbox::dropbox;
pub use github::github;
pub use gitlab::gitlab;
pub use gitlab_token::gitlab_token;
pub use http_message_signatures::http_message_signatures;
pub use hubspot_v3::hubspot_v3;
pub use intercom::intercom;
pub use klozeo::{klozeo, klozeo_guide};
pub use leadhub::{leadhub, leadhub_timestamped};
pub use line::line;
pub use linear::linear;
pub use mandrill::mandrill;
pub use megatronlead::megatronlead;
pub use meta::meta;
pub use metalocator::{metalocator, metalocator_raw};
pub use openai::openai;
pub use paddle::paddle;
pub use pagerduty::pagerduty;
pub use paypal::paypal;
pub use plaid::plaid;
pub use sendgrid::sendgrid;
pub use sentry::sentry;
pub use shopify::shopify;
pub use slack::slack;
pub use square::square;
pub use standard_webhooks::standard_webhooks;
pub use stripe::stripe;
pub use svix::svix;
pub use twilio::twilio;
pub use typeform::typeform;
pub use vercel::vercel;
pub use woocommerce::woocommerce;
pub use zendesk::zendesk;
pub use zoom::zoom;

use crate::scheme::Scheme;

/// Every preset, in the order of the table above.
const PRESETS: [fn() -> Scheme; 49] = [
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
    bitbucket,
    gitlab,
    openai,
    zoom,
    square,
    hubspot_v3,
    intercom,
    paddle,
    linear,
    calendly,
    typeform,
    zendesk,
    asana,
    dropbox,
    adyen_platform,
    coinbase_commerce,
    vercel,
    sentry,
    woocommerce,
    close,
    line,
    pagerduty,
    svix,
    shopify,
    discord,
    gitlab_token,
    docusign,
    box_,
    sendgrid,
    twilio,
    mandrill,
    paypal,
    contentful,
    plaid,
    adyen_payments,
    http_message_signatures,
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
