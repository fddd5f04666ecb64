//! What a proof says, who vouches for it, and what identifies an event.

#![cfg(test)]

#[path = "support/sources.rs"]
mod sources;

use hookproof::{
    DigestScope, Identity, Metadata, Outgoing, Part, Provenance, Scheme, TimestampFormat, Verified,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use sources::{NOW, Source, URL, at, body};

fn sign(source: &Source, body: &[u8], secs: u64) -> HeaderMap {
    let outgoing = Outgoing::new(body).url(URL).id("evt_1").event_type("lead.created").timestamp(at(secs));
    source.signer.sign(&outgoing).unwrap()
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

#[test]
fn provenance_of_every_preset() {
    use Identity::{Digest, SignedId};
    use Provenance::{Signed, Unsigned};
    let expected: [Expected; 13] = [
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
    ];
    let body = body(NOW, "evt_1", "");
    for (source, (name, id, event_type, identity)) in Source::all().zip(expected) {
        assert_eq!(source.scheme.name(), name, "the table has every preset");
        let proof = proof(&source, &sign(&source, &body, NOW), &body, NOW);
        assert_eq!(provenance(proof.event_id().as_ref()), id, "{name}: event id");
        assert_eq!(provenance(proof.event_type().as_ref()), event_type, "{name}: event type");
        assert_eq!(proof.replay_key("source").identity(), identity, "{name}");
        assert!(proof.event_id().is_none_or(|id| id.value == "evt_1"), "{name}");
    }
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
    for (source, provenance, identity) in
        [(signed, Provenance::Signed, Identity::SignedId), (unsigned, Provenance::Unsigned, Identity::Digest)]
    {
        let proof = proof(&source, &sign(&source, b"{}", NOW), b"{}", NOW);
        assert_eq!(proof.event_id().unwrap().provenance, provenance);
        assert_eq!(proof.replay_key("source").identity(), identity);
    }
}

#[test]
fn a_signed_id_wins_over_the_body() {
    for name in ["standard-webhooks", "stripe", "slack", "klozeo-guide"] {
        let source = Source::of(Scheme::by_name(name).unwrap());
        let key = |id: &str, text: &str| {
            let body = body(NOW, id, text);
            let outgoing = Outgoing::new(&body).url(URL).id(id).timestamp(at(NOW));
            proof(&source, &source.signer.sign(&outgoing).unwrap(), &body, NOW).replay_key("source")
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
    assert_eq!(identity(br#"{"id":"evt_1"}"#), Identity::SignedId);
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
        assert_eq!(identity(body), Identity::Digest, "{}", String::from_utf8_lossy(body));
    }
}

/// These providers sign each attempt anew; the body is the event.
#[test]
fn a_retry_with_a_new_timestamp_is_the_same_event() {
    let key = |source: &Source, secs: u64| {
        let body = br#"{"event":"lead.created"}"#;
        proof(source, &sign(source, body, secs), body, secs).replay_key("source")
    };
    for name in ["stripe", "slack", "leadhub-timestamped", "metalocator", "metalocator-raw"] {
        let scheme = Scheme::by_name(name).unwrap();
        let by_body = Source::of(scheme.clone());
        assert_eq!(key(&by_body, NOW), key(&by_body, NOW + 60), "{name}");
        let by_all = Source::of(scheme.to_builder().identity(DigestScope::SignedBytes).build().unwrap());
        assert_ne!(key(&by_all, NOW), key(&by_all, NOW + 60), "{name}: the scope is what makes them one");
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn no_replayer_gets_another_replay_key(preset in 0..PRESETS, tampering in tampering(), text in "[ -~]{0,40}") {
        let source = Source::all().nth(preset).unwrap();
        let body = body(NOW, "evt_1", &text);
        let headers = sign(&source, &body, NOW);
        let tampered = tampering.apply(&source.scheme, &headers);
        let before = proof(&source, &headers, &body, NOW);
        let after = proof(&source, &tampered, &body, NOW + tampering.later);
        prop_assert_eq!(before.replay_key("a"), after.replay_key("a"));
        prop_assert_ne!(before.replay_key("a"), after.replay_key("b"));
        // The control: the attack does something. Where the id is not signed, it is another one now.
        if before.event_id().is_some_and(|id| !id.is_signed()) && tampering.id != "evt_1" {
            prop_assert_ne!(before.event_id(), after.event_id());
        }
    }
}
