//! One event in another dress: whatever a replayer can write otherwise without the key, the replay key stays.

#![cfg(test)]

#[path = "support/sources.rs"]
mod sources;

use hookproof::{Outgoing, Refusal, ReplayKey};
use http::{HeaderMap, Request};
use proptest::prelude::*;
use proptest::sample::Index;
use sources::{NOW, Source, at};

const ORIGIN: &str = "https://hooks.example.com";

/// The replay key of a request to this path with this body.
fn key(source: &Source, headers: &HeaderMap, path: &str, body: &[u8]) -> Result<ReplayKey, Refusal> {
    let mut request = Request::post(path).body(()).unwrap();
    *request.headers_mut() = headers.clone();
    Ok(source.verifier.verify(&request, body, at(NOW))?.replay_key("source"))
}

fn signed_for(source: &Source, path: &str, body: &[u8]) -> HeaderMap {
    source.signer.sign(&Outgoing::new(body).url(&format!("{ORIGIN}{path}"))).unwrap()
}

type Pairs = Vec<(String, String)>;

/// Few names, so that many occur twice.
fn pairs() -> impl Strategy<Value = Pairs> {
    let value = prop_oneof!["[ab]{0,2}", "[ -~]{0,12}", "\\PC{0,4}"];
    prop::collection::vec(("[abA %&+=']{1,2}", value), 1..6)
}

/// How one byte is written: a stream of choices that never ends.
struct Choices(u64);

impl Choices {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    fn byte(&mut self, byte: u8) -> String {
        let plain = char::from(byte).to_string();
        match (byte, self.next(3)) {
            (b' ', 0) => "+".to_owned(),
            (b' ', 1) => "%20".to_owned(),
            // Text that is no part of the syntax may stand as it is.
            (b'%' | b'&' | b'+' | b'=' | b' ' | 0x80.., 0 | 2) | (_, 0) => format!("%{byte:02X}"),
            (b'%' | b'&' | b'+' | b'=' | 0x80.., _) | (_, 1) => format!("%{byte:02x}"),
            _ => plain,
        }
    }

    fn text(&mut self, text: &str) -> String {
        text.bytes().map(|byte| self.byte(byte)).collect()
    }

    /// The pairs as a form, with pieces between them that are none.
    fn form(&mut self, pairs: &[(String, String)]) -> String {
        let mut pieces = Vec::new();
        for (name, value) in pairs {
            let equals = if value.is_empty() && self.next(2) == 0 { "" } else { "=" };
            pieces.push(format!("{}{equals}{}", self.text(name), self.text(value)));
            pieces.extend((0..self.next(2)).map(|_| String::new()));
        }
        pieces.join("&")
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.next(at + 1));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_twilio_form_is_the_set_of_its_pairs(pairs in pairs(), again in any::<Index>(), seed in any::<u64>()) {
        let source = Source::named("twilio");
        let mut choices = Choices(seed);
        let first = choices.form(&pairs);
        let headers = signed_for(source, "/in", first.as_bytes());
        let mut other = pairs.clone();
        other.push(other[again.index(other.len())].clone());
        choices.shuffle(&mut other);
        let other = choices.form(&other);
        let wanted = key(source, &headers, "/in", first.as_bytes()).unwrap();
        prop_assert_eq!(key(source, &headers, "/in", other.as_bytes()), Ok(wanted), "{} as {}", first, other);
    }

    #[test]
    fn a_mandrill_form_keeps_the_order_within_a_name(pairs in pairs(), seed in any::<u64>()) {
        let source = Source::named("mandrill");
        let mut choices = Choices(seed);
        let first = choices.form(&pairs);
        let headers = signed_for(source, "/in", first.as_bytes());
        // The names in another order, each with its values as they came.
        let mut names: Vec<_> = pairs.iter().map(|pair| &pair.0).collect::<std::collections::BTreeSet<_>>().into_iter().collect();
        choices.shuffle(&mut names);
        let of = |name: &String| pairs.iter().filter(move |pair| pair.0 == *name).cloned().collect::<Vec<_>>();
        let other: Pairs = names.into_iter().flat_map(of).collect();
        let other = choices.form(&other);
        let wanted = key(source, &headers, "/in", first.as_bytes()).unwrap();
        prop_assert_eq!(key(source, &headers, "/in", other.as_bytes()), Ok(wanted), "{} as {}", first, other);
        let repeated = choices.form(&[pairs.clone(), vec![pairs[0].clone()]].concat());
        if !pairs[0].0.is_empty() {
            let verdict = key(source, &headers, "/in", repeated.as_bytes());
            prop_assert_eq!(verdict, Err(Refusal::SignatureMismatch), "a repeat counts there");
        }
    }

    /// Another set of pairs is another event, or the same text in another cut: never the same text with another key.
    #[test]
    fn a_replay_key_is_the_texts(pairs in pairs(), others in pairs(), seed in any::<u64>()) {
        for name in ["twilio", "mandrill"] {
            let source = Source::named(name);
            let (first, second) = (Choices(seed).form(&pairs), Choices(!seed).form(&others));
            let of = |form: &str| {
                let headers = signed_for(source, "/in", form.as_bytes());
                (headers["x-".to_owned() + name + "-signature"].clone(), key(source, &headers, "/in", form.as_bytes()).unwrap())
            };
            let ((first_signature, first_key), (second_signature, second_key)) = (of(&first), of(&second));
            prop_assert_eq!(first_signature == second_signature, first_key == second_key, "{} and {}", first, second);
        }
    }

    #[test]
    fn an_adyen_item_is_what_is_signed_of_it(
        reason in "\\PC{0,20}", date in "[0-9:T-]{0,20}", amount in 0..100_000u32, pretty in any::<bool>(),
        swapped in any::<bool>(), repeated in any::<bool>(),
    ) {
        let source = Source::named("adyen-payments");
        let item = |reference: &str| serde_json::json!({ "NotificationRequestItem": {
            "pspReference": reference, "amount": { "value": amount, "currency": "EUR" }, "eventCode": "AUTHORISATION",
            "success": "true", "reason": "1234:7777:12/2030", "paymentMethod": "visa",
        }});
        let body = serde_json::json!({ "live": "false", "notificationItems": [item("a"), item("b")] });
        let body = source.signer.signed_body(body.to_string().as_bytes()).unwrap().into_owned();
        let headers = HeaderMap::new();
        let wanted = key(source, &headers, "/in", &body).unwrap();
        let mut json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        json["live"] = "true".into();
        let items = json["notificationItems"].as_array_mut().unwrap();
        for item in items.iter_mut() {
            let item = &mut item["NotificationRequestItem"];
            item["reason"] = reason.as_str().into();
            item["eventDate"] = date.as_str().into();
            item["additionalData"]["expiryDate"] = date.as_str().into();
            // A number and its digits as text are signed alike.
            item["amount"]["value"] = amount.to_string().into();
            item.as_object_mut().unwrap().remove("paymentMethod");
        }
        if swapped {
            items.swap(0, 1);
        }
        if repeated {
            items.push(items[0].clone());
        }
        let text = if pretty { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) }.unwrap();
        prop_assert_ne!(text.as_bytes(), &body[..]);
        prop_assert_eq!(key(source, &headers, "/in", text.as_bytes()), Ok(wanted));
        json["notificationItems"][0]["NotificationRequestItem"]["success"] = "false".into();
        prop_assert_eq!(key(source, &headers, "/in", json.to_string().as_bytes()), Err(Refusal::SignatureMismatch));
    }
}

/// Twilio may have signed `%27` where the request now has `'`, in any number.
#[test]
fn an_apostrophe_of_the_url_is_no_other_event() {
    let source = Source::named("twilio");
    let headers = signed_for(source, "/in?a=%27x%27&b=%27", b"Digits=1");
    let of = |path: &str| key(source, &headers, path, b"Digits=1");
    let wanted = of("/in?a=%27x%27&b=%27").unwrap();
    for path in ["/in?a='x'&b='", "/in?a='x%27&b=%27", "/in?a=%27x'&b='"] {
        assert_eq!(of(path), Ok(wanted), "{path}");
    }
    assert_eq!(of("/in?a=%27x%27&b=%26"), Err(Refusal::SignatureMismatch));
    // As it was signed with the sign itself, the escape was not.
    let headers = signed_for(source, "/in?a='", b"Digits=1");
    assert_eq!(key(source, &headers, "/in?a=%27", b"Digits=1"), Err(Refusal::SignatureMismatch));
}

/// With the port or without, as Twilio may have signed it, it is one event.
#[test]
fn the_port_of_the_url_is_no_other_event() {
    let source = Source::named("twilio");
    let of = |url: &str| {
        let headers = source.signer.sign(&Outgoing::new(b"Digits=1").url(url)).unwrap();
        key(source, &headers, "/in", b"Digits=1")
    };
    let wanted = of("https://hooks.example.com/in").unwrap();
    assert_eq!(of("https://hooks.example.com:443/in"), Ok(wanted));
    assert_eq!(of("https://hooks.example.com:8443/in"), Err(Refusal::SignatureMismatch));
}

/// Two URLs are two events although the body is one.
#[test]
fn the_url_belongs_to_the_identity() {
    for name in ["twilio", "mandrill"] {
        let source = Source::named(name);
        let of = |path: &str| key(source, &signed_for(source, path, b"a=1"), path, b"a=1").unwrap();
        assert_ne!(of("/in?who=1"), of("/in?who=2"), "{name}");
    }
}

/// The counterpart of the set: a batch with other items, with one more or with one less is another event.
#[test]
fn another_adyen_batch_is_another_event() {
    let source = Source::named("adyen-payments");
    let of = |references: &[&str]| {
        let item = |reference: &&str| serde_json::json!({ "NotificationRequestItem": { "pspReference": reference } });
        let items: Vec<_> = references.iter().map(item).collect();
        let body = serde_json::json!({ "notificationItems": items }).to_string();
        let body = source.signer.signed_body(body.as_bytes()).unwrap();
        key(source, &HeaderMap::new(), "/in", &body).unwrap()
    };
    assert_eq!(of(&["a", "b"]), of(&["b", "a"]), "the control");
    for other in [&["a", "c"][..], &["a"], &["b"], &["a", "b", "c"]] {
        assert_ne!(of(&["a", "b"]), of(other), "{other:?}");
    }
}

/// What is neither text nor number is not signed, so it may not stand where a signed value is read.
#[test]
fn an_unsigned_value_in_a_signed_field_is_malformed() {
    let source = Source::named("adyen-payments");
    let item = serde_json::json!({ "pspReference": "a", "eventCode": "AUTHORISATION" });
    let body = serde_json::json!({ "notificationItems": [{ "NotificationRequestItem": item }] }).to_string();
    let body = source.signer.signed_body(body.as_bytes()).unwrap().into_owned();
    let with = |value: serde_json::Value| {
        let mut json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        json["notificationItems"][0]["NotificationRequestItem"]["success"] = value;
        key(source, &HeaderMap::new(), "/in", json.to_string().as_bytes()).map(drop)
    };
    assert_eq!(with(serde_json::Value::Null), Ok(()), "as if it were absent");
    for value in [true.into(), false.into(), serde_json::json!(["true"]), serde_json::json!({ "is": "true" })]
    {
        assert_eq!(with(value.clone()), Err(Refusal::MalformedBody), "{value}");
    }
}

#[cfg(feature = "asymmetric")]
mod paypal {
    use super::*;

    const POLYNOMIAL: u32 = 0xedb8_8320;

    fn crc32(bytes: &[u8]) -> u32 {
        let step = |sum: u32, _| if sum & 1 == 1 { sum >> 1 ^ POLYNOMIAL } else { sum >> 1 };
        !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
    }

    /// `body` and four bytes, so that its checksum is this one.
    fn with_checksum(body: &[u8], wanted: u32) -> Vec<u8> {
        let back = |sum: u32, _| match sum >> 31 {
            1 => (sum ^ POLYNOMIAL) << 1 | 1,
            _ => sum << 1,
        };
        let before = (0..32).fold(!wanted, back);
        [body, &(before ^ !crc32(body)).to_le_bytes()].concat()
    }

    /// A checksum is no signature: another body passes. It does not pass as another event.
    #[test]
    fn a_forged_body_is_the_same_event_and_vouched_for_by_nobody() {
        let source = Source::named("paypal");
        let (headers, body) = source.delivery(br#"{"event_type":"PAYMENT.CAPTURE.COMPLETED"}"#, "evt_1", NOW);
        let forged = with_checksum(br#"{"event_type":"PAYMENT.CAPTURE.REFUNDED"}"#, crc32(&body));
        let proof = source.verifier.verify(&headers, &forged[..], at(NOW)).expect("the checksum is the same");
        assert_eq!(proof.replay_key("source"), key(source, &headers, "/", &body).unwrap());
        assert!(proof.event_id().unwrap().is_signed());
        assert!(proof.event_type().is_none_or(|kind| !kind.is_signed()));
        let refusal = source.verifier.verify(&headers, &forged[1..], at(NOW)).unwrap_err();
        assert_eq!(refusal, Refusal::SignatureMismatch);
    }
}
