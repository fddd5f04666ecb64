//! What a proof says, who vouches for it, and what identifies an event.

#![cfg(test)]

#[path = "support/sources.rs"]
mod sources;

use hookproof::Identity::{Digest, SignedId};
use hookproof::Provenance::{Signed, Unsigned};
use hookproof::{
    DigestScope, Freshness, Identity, Metadata, Part, Provenance, Scheme, TimestampFormat, Verified,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use sources::{NOW, PRESETS, Source, at, body};

/// For the presets whose body stays as it is.
fn sign(source: &Source, body: &[u8], secs: u64) -> HeaderMap {
    source.delivery(body, "evt_1", secs).0
}

fn proof<'b>(source: &Source, headers: &HeaderMap, body: &'b [u8], secs: u64) -> Verified<&'b [u8]> {
    source
        .verifier
        .verify(headers, body, at(secs))
        .unwrap_or_else(|e| panic!("{}: {e}", source.scheme.name()))
}

fn provenance(metadata: Option<&Metadata<'_>>) -> Option<Provenance> {
    metadata.map(|metadata| metadata.provenance)
}

/// Scheme, whether its id is signed, whether its type is, what identifies an event.
type Expected = (&'static str, Option<Provenance>, Option<Provenance>, Identity);

const EXPECTED: [Expected; 49] = [
    ("standard-webhooks", Some(Signed), Some(Signed), SignedId),
    ("github", Some(Unsigned), Some(Unsigned), Digest),
    ("stripe", Some(Signed), Some(Signed), SignedId),
    ("slack", Some(Signed), Some(Signed), SignedId),
    ("meta", None, Some(Signed), Digest),
    ("megatronlead", Some(Unsigned), Some(Unsigned), Digest),
    ("klozeo", None, Some(Signed), Digest),
    ("klozeo-guide", Some(Signed), Some(Signed), SignedId),
    ("leadhub", None, Some(Signed), Digest),
    ("leadhub-timestamped", Some(Unsigned), Some(Signed), Digest),
    ("metalocator", None, None, Digest),
    ("metalocator-raw", None, None, Digest),
    ("devsphere", None, Some(Signed), Digest),
    ("bitbucket", Some(Unsigned), Some(Unsigned), Digest),
    ("gitlab", Some(Signed), Some(Unsigned), SignedId),
    ("openai", Some(Signed), Some(Signed), SignedId),
    ("zoom", Some(Unsigned), Some(Signed), Digest),
    ("square", Some(Signed), Some(Signed), SignedId),
    ("hubspot-v3", None, None, Digest),
    ("intercom", Some(Signed), Some(Signed), SignedId),
    ("paddle", Some(Signed), Some(Signed), SignedId),
    ("linear", Some(Unsigned), Some(Signed), Digest),
    ("calendly", None, Some(Signed), Digest),
    ("typeform", Some(Signed), Some(Signed), SignedId),
    ("zendesk", Some(Unsigned), Some(Signed), Digest),
    ("asana", None, None, Digest),
    ("dropbox", None, None, Digest),
    ("adyen-platform", None, Some(Signed), Digest),
    ("coinbase-commerce", Some(Signed), Some(Signed), SignedId),
    ("vercel", Some(Signed), Some(Signed), SignedId),
    ("sentry", Some(Unsigned), Some(Unsigned), Digest),
    ("woocommerce", Some(Unsigned), Some(Unsigned), Digest),
    ("close", Some(Signed), Some(Signed), SignedId),
    ("line", None, None, Digest),
    ("pagerduty", Some(Signed), Some(Signed), SignedId),
    ("svix", Some(Signed), Some(Signed), SignedId),
    ("shopify", Some(Unsigned), Some(Unsigned), Digest),
    ("discord", Some(Signed), Some(Signed), SignedId),
    ("gitlab-token", Some(Unsigned), Some(Unsigned), Digest),
    ("docusign", None, Some(Signed), Digest),
    ("box", Some(Unsigned), Some(Signed), Digest),
    ("sendgrid", None, None, Digest),
    ("twilio", Some(Unsigned), None, Digest),
    ("mandrill", None, None, Digest),
    // The body is behind a CRC-32, which anyone can keep while changing it.
    ("paypal", Some(Signed), Some(Unsigned), SignedId),
    ("contentful", None, None, Digest),
    ("plaid", None, Some(Signed), Digest),
    ("adyen-payments", None, None, Digest),
    ("http-message-signatures", None, None, Digest),
];

#[test]
fn provenance_of_every_preset() {
    let mut expected = EXPECTED.to_vec();
    expected.retain(|(name, ..)| cfg!(feature = "asymmetric") || !sources::OF_PUBLIC_KEYS.contains(name));
    assert_eq!(expected.len(), PRESETS);
    for (source, (name, id, event_type, identity)) in Source::all().zip(expected) {
        assert_eq!(source.scheme.name(), name, "the table has every preset");
        let (headers, body) = source.delivery(&with_event(name), "evt_1", NOW);
        let proof = proof(source, &headers, &body, NOW);
        assert_eq!(provenance(proof.event_id().as_ref()), id, "{name}: event id");
        assert_eq!(provenance(proof.event_type().as_ref()), event_type, "{name}: event type");
        assert_eq!(proof.replay_key("source").identity(), identity, "{name}");
        assert_eq!(proof.scheme(), name);
        assert!(proof.event_id().is_none_or(|id| id.value == "evt_1"), "{name}");
    }
}

/// A body in which these presets find id and type inside of the event.
fn with_event(name: &str) -> Vec<u8> {
    let body = body(NOW, "evt_1", "");
    if !["coinbase-commerce", "close", "pagerduty"].contains(&name) {
        return body;
    }
    let mut json: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let event_type = "lead.created";
    json["event"] = serde_json::json!({ "id": "evt_1", "type": event_type, "action": event_type, "event_type": event_type });
    json.to_string().into_bytes()
}

/// Nobody writes provenance down: the same header is signed or not as the list of parts has it or not.
#[test]
fn provenance_follows_from_the_signed_parts() {
    let with = |parts: Vec<Part>| {
        let scheme = Scheme::builder("acme").signature_header("x-signature").event_id_header("x-id");
        Source::of(scheme.signed(parts).build().unwrap())
    };
    let signed = with(vec![Part::Id, Part::literal("."), Part::Body]);
    let unsigned = with(vec![Part::Body]);
    for (source, provenance, identity) in [(signed, Signed, SignedId), (unsigned, Unsigned, Digest)] {
        let proof = proof(&source, &sign(&source, b"{}", NOW), b"{}", NOW);
        assert_eq!(proof.event_id().unwrap().provenance, provenance);
        assert_eq!(proof.replay_key("source").identity(), identity);
    }
}

#[test]
fn a_signed_id_wins_over_the_body() {
    for name in ["standard-webhooks", "stripe", "slack", "klozeo-guide"] {
        let source = Source::named(name);
        let key = |id: &str, text: &str| {
            let body = body(NOW, id, text);
            proof(source, &source.delivery(&body, id, NOW).0, &body, NOW).replay_key("source")
        };
        assert_eq!(key("evt_1", "first"), key("evt_1", "second"), "{name}: one id is one event");
        assert_ne!(key("evt_1", "first"), key("evt_2", "first"), "{name}: two ids are two");
    }
}

/// An id that two parsers could read differently is none: the digest of the body takes its place.
#[test]
fn an_ambiguous_id_is_no_identity() {
    let source = Source::of(hookproof::schemes::stripe());
    let identity =
        |body: &[u8]| proof(&source, &sign(&source, body, NOW), body, NOW).replay_key("source").identity();
    assert_eq!(identity(br#"{"id":"evt_1"}"#), SignedId);
    let long = format!(r#"{{"id":"{}"}}"#, "x".repeat(257));
    let bodies: [&[u8]; 7] = [
        br#"{"id":"evt_1","id":"evt_2"}"#,
        br#"{"id":""}"#,
        br#"{"id":1.5}"#,
        br#"{"id":null}"#,
        br#"{"id":["evt_1"]}"#,
        b"not json",
        long.as_bytes(),
    ];
    for body in bodies {
        assert_eq!(identity(body), Digest, "{}", String::from_utf8_lossy(body));
    }
}

/// These providers sign each attempt anew; the body is the event.
#[test]
fn a_retry_with_a_new_timestamp_is_the_same_event() {
    let body = br#"{"event":"lead.created"}"#;
    let key = |source: &Source, secs: u64| {
        proof(source, &sign(source, body, secs), body, secs).replay_key("source")
    };
    let mut names = Vec::new();
    for source in Source::all() {
        let name = source.scheme.name();
        let signs_time = matches!(source.scheme.freshness(), Freshness::SignedTimestamp { .. });
        if !signs_time || key(source, NOW).identity() == SignedId {
            continue;
        }
        names.push(name);
        assert_eq!(key(source, NOW), key(source, NOW + 20), "{name}");
        if name == "http-message-signatures" {
            // Of several signatures one suffices, and whoever replays can take others away: it is the body or nothing.
            continue;
        }
        let by_all = source.scheme.to_builder().identity(DigestScope::SignedBytes).build().unwrap();
        let by_all = Source::of(by_all);
        assert_ne!(key(&by_all, NOW), key(&by_all, NOW + 20), "{name}: the scope is what makes them one");
        assert_eq!(key(&by_all, NOW), key(&by_all, NOW), "{name}: and the time is all that differs");
    }
    let public: &[_] = if cfg!(feature = "asymmetric") { &["discord", "sendgrid", "plaid"] } else { &[] };
    let private =
        ["stripe", "slack", "leadhub-timestamped", "metalocator", "metalocator-raw", "box", "contentful"];
    for name in private.iter().chain(public) {
        assert!(names.contains(name), "{name} is none of {names:?}");
    }
}

/// Stored keys must stay findable: these were computed with Python's `hashlib` and never change.
#[test]
fn replay_keys_have_known_bytes() {
    let stripe = Source::of(hookproof::schemes::stripe());
    let body: &[u8] = br#"{"id":"evt_1"}"#;
    let by_id = proof(&stripe, &sign(&stripe, body, NOW), body, NOW).replay_key("stripe-main");
    assert_eq!(by_id.to_string(), "272e94651f269d5089cfa76ba4be9d37e9b73d263c84a92862d0dbdead72545f");
    assert_eq!(hex::encode(by_id.as_bytes()), by_id.to_string());

    let github = Source::of(hookproof::schemes::github());
    let body: &[u8] = br#"{"zen":"Design for failure."}"#;
    let by_digest = proof(&github, &sign(&github, body, NOW), body, NOW).replay_key("github-main");
    assert_eq!(by_digest.to_string(), "cbc50205e66696999b39a6af25c50a9718aac1a0c09255a1011c0e87408b01ad");

    let timed = Scheme::builder("acme")
        .signature_header("x-signature")
        .timestamp_header("x-time", TimestampFormat::Seconds)
        .signed([Part::Timestamp, Part::Body]);
    let acme = Source::of(timed.build().unwrap());
    let body: &[u8] = br#"{"n":1}"#;
    let with_context = proof(&acme, &sign(&acme, body, NOW), body, NOW).replay_key("acme-main");
    assert_eq!(with_context.to_string(), "5daaef8b18565f5e8e41d3dd7f5bb7a6e5d6d8c8bdae9608f01e05e52fa88bb3");
}

/// What a replayer may do to a captured request without the key.
#[derive(Clone, Debug)]
struct Tampering {
    id: String,
    event_type: String,
    added: Vec<(String, String)>,
    reversed: bool,
    upper_case_names: bool,
    upper_case_hex: bool,
    later: u64,
}

fn tampering() -> impl Strategy<Value = Tampering> {
    let added = prop::collection::vec(("x-added-[a-z]{1,8}", "[ -~]{0,20}"), 0..6);
    ("[A-Za-z0-9_-]{1,30}", "[a-z.]{1,20}", added, any::<bool>(), any::<bool>(), any::<bool>(), 0..=240u64)
        .prop_map(|(id, event_type, added, reversed, upper_case_names, upper_case_hex, later)| Tampering {
            id,
            event_type,
            added,
            reversed,
            upper_case_names,
            upper_case_hex,
            later,
        })
}

impl Tampering {
    fn apply(&self, scheme: &Scheme, headers: &HeaderMap) -> HeaderMap {
        let mut pairs: Vec<(String, String)> = headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        for (name, value) in &mut pairs {
            let location = hookproof::Location::Header(name.parse().unwrap());
            if scheme.event_id_location() == Some(&location) && !scheme.is_signed(&location) {
                value.clone_from(&self.id);
            }
            if scheme.event_type_locations().contains(&location) {
                value.clone_from(&self.event_type);
            }
            if self.upper_case_hex && name.contains("signature") {
                *value = upper_case_digits(value);
            }
        }
        pairs.extend(self.added.iter().cloned());
        if self.reversed {
            pairs.reverse();
        }
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name = if self.upper_case_names { name.to_uppercase() } else { name };
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_str(&value).unwrap());
        }
        headers
    }
}

/// The last 64 characters in capitals, if they are hexadecimal digits.
fn upper_case_digits(value: &str) -> String {
    let (prefix, digits) = value.split_at(value.len().saturating_sub(64));
    if digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        format!("{prefix}{}", digits.to_uppercase())
    } else {
        value.to_owned()
    }
}

/// As late as the receiver's window allows, and no later.
fn later(scheme: &Scheme, most: u64) -> u64 {
    match scheme.freshness() {
        Freshness::SignedTimestamp { window, .. } | Freshness::EventTime { window, .. } => {
            most.min(window.past.as_secs())
        }
        _ => most,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn no_replayer_gets_another_replay_key(preset in 0..PRESETS, tampering in tampering(), text in "[ -~]{0,40}") {
        let source = Source::all().nth(preset).unwrap();
        let (headers, body) = source.delivery(&body(NOW, "evt_1", &text), "evt_1", NOW);
        let tampered = tampering.apply(&source.scheme, &headers);
        let before = proof(source, &headers, &body, NOW);
        let after = proof(source, &tampered, &body, NOW + later(&source.scheme, tampering.later));
        prop_assert_eq!(before.replay_key("a"), after.replay_key("a"));
        prop_assert_ne!(before.replay_key("a"), after.replay_key("b"));
        // The control: the attack does something. Where the id is not signed, it is another one now.
        if before.event_id().is_some_and(|id| !id.is_signed()) && tampering.id != "evt_1" {
            prop_assert_ne!(before.event_id(), after.event_id());
        }
    }
}
