//! One function per provider, each returning its [`Scheme`]; its documentation says what is signed and what is not.
//!
//! | preset | signature | what is signed | time, and its window | what identifies an event | re-sent for |
//! |---|---|---|---|---|---|
//! | [`standard-webhooks`](standard_webhooks) | `webhook-signature` | id, time, body | `webhook-timestamp`, 300 s | header `webhook-id`, signed | 3 days |
//! | [`github`] | `x-hub-signature-256` | body | none: keep replay keys | digest of the body | not published |
//! | [`stripe`] | `stripe-signature` | time, body | in the signature, 300 s | `/id` in the body | 3 days |
//! | [`slack`] | `x-slack-signature` | time, body | `x-slack-request-timestamp`, 300 s | `/event_id` in the body | 2 h |
//! | [`meta`] | `x-hub-signature-256` | body | none: keep replay keys | digest of the body | 36 h |
//! | [`megatronlead`] | `x-megatronlead-signature` | body | of the event, `/timestamp`, 24 h back, 300 s ahead | digest of the body | 24 h |
//! | [`klozeo`] | `x-klozeo-signature` | body | of the event, `/timestamp`, 72 h back, 300 s ahead | digest of the body | not published |
//! | [`klozeo-guide`](klozeo_guide) | `x-webhook-signature`, `x-hub-signature-256` | body | of the event, where sent, `/timestamp`, 72 h back, 300 s ahead | `/event_id` in the body | not published |
//! | [`leadhub`] | `x-leadhub-signature` | body | of the event, `/occurred_at`, 72 h back, 300 s ahead | digest of the body | not published |
//! | [`leadhub-timestamped`](leadhub_timestamped) | `x-leadhub-signature` | time, body | in the signature, 300 s | digest of the body | not published |
//! | [`metalocator`] | `x-metalocator-webhook-signature` | time, body | `x-metalocator-webhook-signature-timestamp`, 300 s | digest of the body | not published |
//! | [`metalocator-raw`](metalocator_raw) | `x-metalocator-webhook-signature` | time, body | `x-metalocator-webhook-signature-timestamp`, 300 s | digest of the body | not published |
//! | [`devsphere`] | `x-signature` | body | none: keep replay keys | digest of the body | not published |
//! | [`bitbucket`] | `x-hub-signature` | body | none: keep replay keys | digest of the body | not published |
//! | [`gitlab`] | `webhook-signature` | id, time, body | `webhook-timestamp`, 300 s | header `webhook-id`, signed | 3 days |
//! | [`openai`] | `webhook-signature` | id, time, body | `webhook-timestamp`, 300 s | header `webhook-id`, signed | 3 days |
//! | [`zoom`] | `x-zm-signature` | time, body | `x-zm-request-timestamp`, 300 s | digest of the body | not published |
//! | [`square`] | `x-square-hmacsha256-signature` | URL, body | none: keep replay keys | `/event_id` in the body | not published |
//! | [`hubspot-v3`](hubspot_v3) | `x-hubspot-signature-v3` | method, URL, body, time | `x-hubspot-request-timestamp`, 300 s | digest of the body | not published |
//! | [`intercom`] | `x-hub-signature` | body | none: keep replay keys | `/id` in the body | not published |
//! | [`paddle`] | `paddle-signature` | time, body | in the signature, 5 s | `/event_id` in the body | not published |
//! | [`linear`] | `linear-signature` | body | of the event, `/webhookTimestamp`, 60 s | digest of the body | not published |
//! | [`calendly`] | `calendly-webhook-signature` | time, body | in the signature, 180 s | digest of the body | not published |
//! | [`typeform`] | `typeform-signature` | body | none: keep replay keys | `/event_id` in the body | not published |
//! | [`zendesk`] | `x-zendesk-webhook-signature` | time, body | `x-zendesk-webhook-signature-timestamp`, 300 s | digest of the body | not published |
//! | [`asana`] | `x-hook-signature` | body | none: keep replay keys | digest of the body | not published |
//! | [`dropbox`] | `x-dropbox-signature` | body | none: keep replay keys | digest of the body | not published |
//! | [`adyen-platform`](adyen_platform) | `hmacsignature` | body | none: keep replay keys | digest of the body | not published |
//! | [`coinbase-commerce`](coinbase_commerce) | `x-cc-webhook-signature` | body | none: keep replay keys | `/event/id` in the body | not published |
//! | [`vercel`] | `x-vercel-signature` | body | none: keep replay keys | `/id` in the body | not published |
//! | [`sentry`] | `sentry-hook-signature` | body | none: keep replay keys | digest of the body | not published |
//! | [`woocommerce`] | `x-wc-webhook-signature` | body | none: keep replay keys | digest of the body | not published |
//! | [`close`] | `close-sig-hash` | time, body | `close-sig-timestamp`, 300 s | `/event/id` in the body | 3 days |
//! | [`line`](fn@line) | `x-line-signature` | body | none: keep replay keys | digest of the body | not published |
//! | [`pagerduty`] | `x-pagerduty-signature` | body | none: keep replay keys | `/event/id` in the body | not published |
//! | [`svix`] | `webhook-signature` | id, time, body | `webhook-timestamp`, 300 s | header `webhook-id`, signed | 3 days |
//! | [`shopify`] | `x-shopify-hmac-sha256` | body | none: keep replay keys | digest of the body | 2 days |
//! | [`discord`] | `x-signature-ed25519` | time, body | `x-signature-timestamp`, 300 s | `/id` in the body | not published |
//! | [`gitlab-token`](gitlab_token) | `x-gitlab-token` | **nothing** | none: keep replay keys | digest of the body, which nobody vouches for | not published |
//! | [`docusign`] | `x-docusign-signature-1` to `x-docusign-signature-100` | body | none: keep replay keys | digest of the body | 15 days |
//! | [`box`](box_) | `box-signature-primary`, `box-signature-secondary` | body, time | `box-delivery-timestamp`, 600 s | digest of the body | not published |
//! | [`sendgrid`] | `x-twilio-email-event-webhook-signature` | time, body | `x-twilio-email-event-webhook-timestamp`, 300 s | digest of the body | 24 h |
//! | [`twilio`] | `x-twilio-signature` | URL, form | none: keep replay keys | digest of URL, form | not published |
//! | [`mandrill`] | `x-mandrill-signature` | URL, form | none: keep replay keys | digest of URL, form | not published |
//! | [`paypal`] | `paypal-transmission-sig` | id, time, webhook id, CRC-32 of the body | `paypal-transmission-time`, 72 h back, 300 s ahead | header `paypal-transmission-id`, signed | 3 days |
//! | [`contentful`] | `x-contentful-signature` | method, path, listed headers, body | `x-contentful-timestamp`, 30 s | digest of the body | not published |
//! | [`plaid`] | `plaid-verification` | a token with the time and the body's digest | claim `/iat`, 300 s | digest of the body | 24 h |
//! | [`adyen-payments`](adyen_payments) | in the body | eight fields of each item | none: keep replay keys | digest of eight fields of each item | 30 days |
//! | [`http-message-signatures`](http_message_signatures) | `signature` | what is configured, with the body's digest | parameter `created`, 300 s | digest of the body | not published |
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
