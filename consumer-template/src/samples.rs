//! Synthetic events, one kind per preset: what `send`, the demo and the benchmarks post.
//!
//! The shapes follow the providers' documentation; the people in them do not exist.

use std::fmt::Write as _;

use hookproof::UnixTime;

use crate::clock::moment;

/// A synthetic event: its body, and what of it stands in headers.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The body, as it will be signed.
    pub body: Vec<u8>,
    /// The event id, for presets that carry it in a header.
    pub id: String,
    /// The event type.
    pub event_type: String,
}

/// What happens to the lead of a sample.
#[derive(Clone, Debug)]
pub struct Lead<'a> {
    /// Its id.
    pub id: &'a str,
    /// What happens: `lead.created`, `lead.updated`, ...
    pub event_type: &'a str,
    /// When it happens.
    pub at: UnixTime,
    /// Its fields.
    pub fields: &'a [(&'a str, &'a str)],
}

/// An event of `scheme` about a made-up person. `number` makes it distinct from others.
#[must_use]
pub fn event(scheme: &str, event_type: Option<&str>, number: u64, at: UnixTime) -> Sample {
    let id = format!("lead-{number:06}");
    let email = format!("ada.{number}@example.com");
    let fields = [("name", "Ada Example"), ("email", email.as_str()), ("status", "new")];
    let event_type = event_type.unwrap_or(default_type(scheme));
    lead(scheme, &Lead { id: &id, event_type, at, fields: &fields }, number)
}

fn default_type(scheme: &str) -> &'static str {
    match scheme {
        "stripe" => "invoice.paid",
        "github" => "push",
        "slack" => "message",
        "meta" => "whatsapp_business_account",
        _ => "lead.created",
    }
}

/// An event of `scheme` about a lead.
#[must_use]
pub fn lead(scheme: &str, lead: &Lead<'_>, number: u64) -> Sample {
    let Lead { id, event_type, at, .. } = lead;
    let secs = at.as_secs();
    let data = object(&[&[("id", *id)], lead.fields].concat());
    let body = match scheme {
        "klozeo" => format!(r#"{{"event":"{event_type}","timestamp":{secs},"data":{data}}}"#),
        "klozeo-guide" => {
            format!(
                r#"{{"event_id":"evt_{number}","event":"{event_type}","timestamp":{secs},"data":{data}}}"#
            )
        }
        "leadhub" => format!(r#"{{"event":"{event_type}","occurred_at":"{}","data":{data}}}"#, rfc3339(*at)),
        "leadhub-timestamped" => {
            format!(
                r#"{{"event":"{event_type}","tenant_id":7,"timestamp":"{}","data":{data}}}"#,
                rfc3339(*at)
            )
        }
        "megatronlead" => format!(r#"{{"event":"{event_type}","timestamp":{secs},"lead":{data}}}"#),
        "metalocator" | "metalocator-raw" => {
            format!(r#"{{"type":"{event_type}","timestamp":"{}","lead":{data}}}"#, rfc3339(*at))
        }
        "devsphere" => format!(r#"{{"type":"{event_type}","timestamp":"{}","data":{data}}}"#, rfc3339(*at)),
        "stripe" => format!(
            r#"{{"id":"evt_{number}","object":"event","type":"{event_type}","created":{secs},"data":{{"object":{data}}}}}"#
        ),
        "slack" => format!(
            r#"{{"type":"event_callback","event_id":"Ev{number}","event":{{"type":"{event_type}","text":"hello"}}}}"#
        ),
        "meta" => format!(r#"{{"object":"{event_type}","entry":[{{"id":"{number}","changes":[{data}]}}]}}"#),
        "github" => format!(r#"{{"ref":"refs/heads/main","after":"{number:040x}","pusher":{data}}}"#),
        _ => service(scheme, lead, number, &data),
    };
    Sample { body: body.into_bytes(), id: format!("msg_{number}"), event_type: (*event_type).to_owned() }
}

/// The envelopes of services that are no lead platforms.
fn service(scheme: &str, lead: &Lead<'_>, number: u64, data: &str) -> String {
    let (kind, at) = (lead.event_type, rfc3339(lead.at));
    match scheme {
        "linear" => {
            format!(r#"{{"type":"{kind}","webhookTimestamp":{},"data":{data}}}"#, lead.at.as_millis())
        }
        "square" | "paddle" | "typeform" => {
            format!(
                r#"{{"event_id":"evt_{number}","type":"{kind}","event_type":"{kind}","occurred_at":"{at}","data":{data}}}"#
            )
        }
        "close" | "pagerduty" | "coinbase-commerce" => format!(
            r#"{{"event":{{"id":"ev_{number}","type":"{kind}","event_type":"{kind}","action":"{kind}","data":{data}}}}}"#
        ),
        "zoom" | "calendly" => format!(r#"{{"event":"{kind}","created_at":"{at}","payload":{data}}}"#),
        "intercom" => format!(r#"{{"id":"notif_{number}","topic":"{kind}","data":{data}}}"#),
        "twilio" => format!("MessageSid=SM{number:032x}&From=%2B15550100&Body={kind}&Name=Ada+Example"),
        "mandrill" => {
            format!("mandrill_events=%5B%7B%22event%22%3A%22{kind}%22%2C%22_id%22%3A%22{number}%22%7D%5D")
        }
        "adyen-payments" => format!(
            r#"{{"live":"false","notificationItems":[{{"NotificationRequestItem":{{"pspReference":"{number:016}","merchantAccountCode":"Example","merchantReference":"{}","amount":{{"value":1000,"currency":"EUR"}},"eventCode":"{kind}","success":"true"}}}}]}}"#,
            lead.id
        ),
        "docusign" => format!(
            r#"{{"event":"{kind}","generatedDateTime":"{at}","data":{{"envelopeId":"{}"}}}}"#,
            lead.id
        ),
        "box" => format!(r#"{{"id":"{number}","trigger":"{kind}","created_at":"{at}","source":{data}}}"#),
        "plaid" => format!(r#"{{"webhook_type":"ITEM","webhook_code":"{kind}","item_id":"{}"}}"#, lead.id),
        "paypal" => {
            format!(r#"{{"id":"WH-{number}","event_type":"{kind}","create_time":"{at}","resource":{data}}}"#)
        }
        _ => format!(r#"{{"id":"evt_{number}","type":"{kind}","timestamp":"{at}","data":{data}}}"#),
    }
}

/// A flat JSON object of strings.
fn object(fields: &[(&str, &str)]) -> String {
    let mut out = String::from("{");
    for (name, value) in fields {
        let comma = if out.len() > 1 { "," } else { "" };
        let (name, value) = (serde_json::Value::from(*name), serde_json::Value::from(*value));
        let _ = write!(out, "{comma}{name}:{value}");
    }
    out.push('}');
    out
}

fn rfc3339(at: UnixTime) -> String {
    moment(UnixTime::from_secs(at.as_secs()))
}

#[cfg(test)]
#[path = "../../verify/tests/support/key_pairs.rs"]
mod key_pairs;

#[cfg(test)]
mod tests {
    use hookproof::{Key, Scheme, Signer, Verifier};

    use super::*;
    use crate::sender::{Endpoint, Faults, sign};
    use crate::strict_json;

    /// Each sample is strict JSON, is accepted by its preset, and is one event per number.
    #[test]
    fn every_preset_has_a_sample_that_its_verifier_accepts() {
        let at = UnixTime::from_secs(1_700_000_000);
        for scheme in Scheme::all() {
            // Hexadecimal, base64 and text at once.
            let text = "0123456789abcdef0123456789abcdef0123456789abcdef";
            let (signing, verifying) = key_pairs::pair(scheme.name()).unwrap_or((text, text));
            let signer = Signer::new(&scheme, &Key::new("key", signing)).unwrap();
            let mut builder = Verifier::builder(scheme.clone()).key(Key::new("key", verifying));
            if scheme.signs_webhook_id() {
                builder = builder.webhook_id("1TESTONLY0123456W");
            }
            if scheme.signs_url() {
                builder = builder.public_url("https://hooks.example.com");
            }
            let verifier = builder.build().unwrap();
            let keys: Vec<_> = [1, 2]
                .map(|number| {
                    let sample = event(scheme.name(), None, number, at);
                    let is_form = ["twilio", "mandrill"].contains(&scheme.name());
                    assert_eq!(strict_json::check(&sample.body).is_ok(), !is_form, "{}", scheme.name());
                    let endpoint =
                        Endpoint { url: "https://hooks.example.com/", webhook_id: "1TESTONLY0123456W" };
                    let signed = sign(&signer, &sample, endpoint, at, Faults::default()).unwrap();
                    let proof = verifier.verify(&signed.headers, &signed.body, at).unwrap();
                    assert_eq!(
                        proof.event_type().is_some(),
                        !scheme.event_type_locations().is_empty(),
                        "{}",
                        scheme.name()
                    );
                    proof.replay_key("s")
                })
                .into();
            assert_ne!(keys[0], keys[1], "{}", scheme.name());
        }
    }
}
