//! Schemes of one's own: what contradicts itself is refused, and what a provider really does can be written down.
//!
//! The known answers were computed with Python's `hmac`, not with this crate.

#![cfg(test)]

use std::time::Duration;

use hookproof::{
    Algorithm, ConfigError, Encoding, Key, KeyFormat, Location, Part, Pointer, Refusal, Scheme,
    SchemeBuilder, Syntax, TimestampFormat, UnixTime, Verifier, Version, Window,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};

const KEY: &str = "a secret of more than sixteen bytes";
const BODY: &[u8] = br#"{"merchant_id":"M1","event_id":"e-1"}"#;
const NOW: u64 = 1_700_000_000;

fn plain() -> SchemeBuilder {
    Scheme::builder("acme").signature_header("x-signature")
}

/// The field that a refused scheme names.
fn fault(builder: SchemeBuilder) -> &'static str {
    match builder.build() {
        Err(ConfigError::Scheme { scheme, field, problem }) => {
            assert!(!scheme.is_empty() || field == "name");
            assert!(!problem.is_empty(), "{field}");
            field
        }
        other => panic!("refused as a scheme is what was wanted: {other:?}"),
    }
}

fn versions(names: &[&'static str]) -> Vec<Version> {
    let version = |name: &&'static str| Version { name: (*name).into(), algorithm: Algorithm::HmacSha256 };
    names.iter().map(version).collect()
}

#[test]
fn the_plainest_scheme_is_accepted() {
    assert!(plain().build().is_ok());
}

#[test]
fn a_scheme_has_a_name_that_fits_a_file() {
    for name in ["", "Acme", "acme corp", "acme/1", "acmé"] {
        let named = Scheme::builder(name).signature_header("x-signature");
        assert_eq!(named.build().unwrap_err(), name_error(name), "{name:?}");
    }
    assert!(plain().name("a".repeat(64)).build().is_ok());
    assert_eq!(fault(plain().name("a".repeat(65))), "name");
}

fn name_error(name: &str) -> ConfigError {
    let problem = "use 1 to 64 characters of a-z 0-9 and '-'".to_owned();
    ConfigError::Scheme { scheme: name.to_owned(), field: "name", problem }
}

#[test]
fn a_signature_stands_in_a_header() {
    assert_eq!(fault(Scheme::builder("acme")), "signature_header");
    assert_eq!(fault(plain().signature_header("x signature")), "signature_header");
    assert_eq!(fault(plain().alternative_signature_header("")), "alternative_signature_header");
    assert!(plain().alternative_signature_header("x-other").build().is_ok());
}

#[test]
fn a_header_has_one_role() {
    assert_eq!(fault(plain().alternative_signature_header("X-Signature")), "signature_header");
    assert_eq!(fault(plain().event_id_header("x-signature")), "signature_header");
    assert_eq!(fault(plain().event_id_header("x-id").event_type_header("x-id")), "signature_header");
    let timed = plain().timestamp_header("x-signature", TimestampFormat::Seconds);
    assert_eq!(fault(timed.signed([Part::Timestamp, Part::Body])), "signature_header");
    assert!(plain().event_id_header("x-id").event_type_header("x-type").build().is_ok());
}

#[test]
fn the_body_is_signed_once() {
    assert_eq!(fault(plain().signed([])), "signed");
    assert_eq!(fault(plain().signed([Part::Method, Part::Url])), "signed");
    assert_eq!(fault(plain().signed([Part::Body, Part::Body])), "signed");
}

#[test]
fn a_timestamp_that_counts_is_signed() {
    let timed = || plain().timestamp_header("x-time", TimestampFormat::Seconds);
    assert_eq!(fault(timed()), "signed", "read, and not signed");
    assert_eq!(fault(plain().signed([Part::Timestamp, Part::Body])), "signed", "signed, and nowhere");
    assert!(timed().signed([Part::Timestamp, Part::Body]).build().is_ok());
    let listed = || plain().key_value("t", "v1");
    assert_eq!(fault(listed()), "signed");
    assert!(listed().signed([Part::Timestamp, Part::literal("."), Part::Body]).build().is_ok());
    let listless = listed().signed([Part::Timestamp, Part::Body]).prefix("sha256=");
    assert_eq!(fault(listless), "key_value", "the list that held the time is gone");
}

#[test]
fn a_signed_timestamp_has_one_format() {
    let timed =
        |format| plain().timestamp_header("x-time", format).signed([Part::Timestamp, Part::Body]).build();
    assert!(timed(TimestampFormat::Rfc3339).is_ok());
    assert!(timed(TimestampFormat::SecondsOrRfc3339).is_err());
    assert_eq!(fault(plain().timestamp_format(TimestampFormat::Millis)), "timestamp_format", "there is none");
    assert!(plain().event_time_at("/at", TimestampFormat::SecondsOrRfc3339).build().is_ok());
}

#[test]
fn a_signed_id_has_a_place_and_an_end() {
    let with_id = |parts: Vec<Part>| plain().event_id_header("x-id").signed(parts);
    let dot = || Part::literal(".");
    assert_eq!(fault(plain().signed([Part::Id, dot(), Part::Body])), "signed", "no header for it");
    assert_eq!(fault(plain().event_id_at("/id").signed([Part::Id, dot(), Part::Body])), "signed");
    assert_eq!(fault(with_id(vec![Part::Id, Part::Body])), "signed", "the body would continue it");
    assert_eq!(fault(with_id(vec![Part::Body, dot(), Part::Id])), "signed", "nothing after it");
    assert_eq!(
        fault(with_id(vec![Part::Id, Part::literal("-"), Part::Body])),
        "signed",
        "an id may have a '-'"
    );
    assert_eq!(fault(with_id(vec![Part::Id, Part::literal(""), Part::Body])), "signed");
    assert!(with_id(vec![Part::Id, dot(), Part::Body]).build().is_ok());
}

/// Whoever can move a byte from the part before into the id has a new id under the same signature.
#[test]
fn a_signed_id_has_a_beginning() {
    let with_id = |parts: Vec<Part>| plain().event_id_header("x-id").signed(parts);
    let (dot, word) = (|| Part::literal("."), || Part::literal("v1"));
    assert_eq!(
        fault(with_id(vec![Part::Body, Part::Id, dot()])),
        "signed",
        "the body's end could go into the id"
    );
    assert_eq!(fault(with_id(vec![Part::Body, word(), Part::Id, dot()])), "signed", "the body may end in v1");
    assert_eq!(fault(with_id(vec![Part::Method, Part::Id, dot(), Part::Body])), "signed");
    assert_eq!(fault(with_id(vec![Part::Id, dot(), Part::Id, word(), Part::Body])), "signed");
    assert!(with_id(vec![Part::Body, dot(), Part::Id, dot()]).build().is_ok());
    assert!(with_id(vec![word(), Part::Id, dot(), Part::Body]).build().is_ok(), "fixed text is no loose end");
}

/// The event type may stand in several places, of which the first that is present counts.
#[test]
fn a_scheme_says_where_the_event_is_described() {
    let (header, pointer) = (HeaderName::from_static("x-type"), Pointer::new("/type").unwrap());
    let scheme = plain().event_id_header("x-id").event_type_header("x-type").event_type_at("/type");
    let scheme = scheme.build().unwrap();
    let places = [Location::Header(header), Location::Body(pointer)];
    assert_eq!(scheme.event_type_locations(), places);
    assert_eq!(scheme.metadata_headers().collect::<Vec<_>>(), ["x-id", "x-type"]);
    // Whichever family a delivery is of.
    let svix = Scheme::by_name("svix").unwrap();
    assert_eq!(svix.metadata_headers().collect::<Vec<_>>(), ["webhook-id", "svix-id"]);
}

#[test]
fn one_scheme_has_one_hash_and_keys_of_its_kind() {
    let list = |algorithms: [Algorithm; 2]| {
        let [first, second] = algorithms;
        let version = |name: &'static str, algorithm| Version { name: name.into(), algorithm };
        plain().syntax(Syntax::Versioned { versions: vec![version("v1", first), version("v2", second)] })
    };
    assert_eq!(fault(list([Algorithm::HmacSha256, Algorithm::HmacSha1])), "syntax");
    assert_eq!(
        fault(list([Algorithm::HmacSha256, Algorithm::Ed25519])),
        "key_format",
        "no public key could be given"
    );
    let standard = list([Algorithm::HmacSha256, Algorithm::Ed25519]).key_format(KeyFormat::StandardWebhooks);
    assert!(standard.build().is_ok());
    assert!(list([Algorithm::HmacSha1, Algorithm::HmacSha1]).build().is_ok());
}

#[test]
fn pointers_start_with_a_slash() {
    assert_eq!(fault(plain().event_id_at("id")), "event_id_at");
    assert_eq!(fault(plain().event_type_at("")), "event_type_at");
    assert_eq!(fault(plain().event_time_at("at", TimestampFormat::Seconds)), "event_time_at");
    assert_eq!(fault(plain().event_id_header("x id")), "event_id_header");
    assert_eq!(fault(plain().event_type_header("x id")), "event_type_header");
    assert_eq!(fault(plain().timestamp_header("x id", TimestampFormat::Seconds)), "timestamp_header");
}

#[test]
fn the_first_fault_is_the_one_that_is_named() {
    assert_eq!(fault(plain().event_id_at("id").event_type_at("type")), "event_id_at");
}

#[test]
fn a_list_has_versions_with_names_of_their_own() {
    let list = |versions| plain().syntax(Syntax::Versioned { versions });
    assert_eq!(fault(list(versions(&[]))), "syntax");
    assert_eq!(fault(list(versions(&["v1", "v1"]))), "syntax");
    assert_eq!(fault(list(versions(&[""]))), "syntax");
    assert!(list(versions(&["v1", "v2"])).build().is_ok());
    let clash = Syntax::KeyValue { versions: versions(&["t"]), timestamp: Some("t".into()), separator: ',' };
    assert_eq!(fault(plain().syntax(clash)), "syntax", "the timestamp's name is a version's too");
}

#[test]
fn a_window_needs_a_timestamp_and_bounds() {
    let window = Window::symmetric(Duration::from_secs(60));
    let wanted = ConfigError::NoTimestamp { scheme: "acme".into() };
    assert_eq!(plain().window(window).build().unwrap_err(), wanted);
    let timed = |window| plain().event_time_at("/at", TimestampFormat::Seconds).window(window).build();
    assert!(timed(window).is_ok());
    assert!(matches!(timed(Window::symmetric(Duration::ZERO)), Err(ConfigError::Tolerance { .. })));
}

#[test]
fn the_window_of_an_event_time_follows_the_retry_horizon() {
    let past = |builder: SchemeBuilder| match builder.build().unwrap().freshness() {
        hookproof::Freshness::EventTime { window, .. } => window.past.as_secs(),
        other => panic!("{other:?}"),
    };
    let timed = || plain().event_time_at("/at", TimestampFormat::Seconds);
    let hours = |n: u64| Duration::from_secs(n * 3600);
    assert_eq!(past(timed()), 72 * 3600 + 300, "the longest that a provider publishes");
    assert_eq!(past(timed().retry_horizon(hours(24))), 24 * 3600 + 300);
    assert_eq!(past(timed().window(Window::symmetric(hours(1)))), 3600, "a window that is given stands");
    let preset = || hookproof::schemes::megatronlead().to_builder();
    assert_eq!(
        past(preset().retry_horizon(hours(48))),
        48 * 3600 + 300,
        "also when it is changed in a preset"
    );
    let given = preset().window(Window::symmetric(hours(1))).build().unwrap().to_builder();
    assert_eq!(past(given.retry_horizon(hours(48))), 3600, "and a window that was given stands there too");
}

fn verifier(scheme: Scheme, key: &str) -> Verifier {
    let builder = Verifier::builder(scheme).key(Key::new("k1", key));
    builder.public_url("https://hooks.example.com").build().unwrap()
}

fn request(path: &str, headers: &[(&'static str, &str)]) -> Request<()> {
    let mut request = Request::post(path).body(()).unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
    }
    request
}

/// Like Square: base64 of the HMAC over the notification URL and the body.
#[test]
fn url_and_body() {
    let scheme = Scheme::builder("square-like")
        .signature_header("x-square-hmacsha256-signature")
        .encoding(Encoding::Base64)
        .signed([Part::Url, Part::Body])
        .event_id_at("/event_id")
        .build()
        .unwrap();
    let verifier = verifier(scheme, KEY);
    let signature = [("x-square-hmacsha256-signature", "kkHHunMHgu3vzevmoJZBsuFbaok1DUBC+U4qkDcMBCc=")];
    let verify = |path: &str| verifier.verify(&request(path, &signature), BODY, UnixTime::from_secs(NOW));
    let proof = verify("/in/square?shop=7").expect("the known answer");
    assert!(proof.event_id().unwrap().is_signed(), "the body is signed, so is an id within");
    assert_eq!(proof.timestamp(), None);
    for path in ["/in/square?shop=8", "/in/square", "/in/square?shop=7&", "/in/Square?shop=7"] {
        assert_eq!(verify(path).unwrap_err(), Refusal::SignatureMismatch, "{path}");
    }
    let absolute = request("https://attacker.example/in/square?shop=7", &signature);
    let proven = verifier.verify(&absolute, BODY, UnixTime::from_secs(NOW));
    assert!(proven.is_ok(), "the host of an absolute target is the sender's claim and is not read");
}

/// Like HubSpot's version 3: method, URL, body, and the time in milliseconds at the end.
#[test]
fn method_url_body_and_milliseconds() {
    let scheme = Scheme::builder("hubspot-like")
        .signature_header("x-hubspot-signature-v3")
        .encoding(Encoding::Base64)
        .timestamp_header("x-hubspot-request-timestamp", TimestampFormat::Millis)
        .signed([Part::Method, Part::Url, Part::Body, Part::Timestamp])
        .build()
        .unwrap();
    let verifier = verifier(scheme, KEY);
    let signed = |time: &str| {
        request(
            "/in/hubspot",
            &[
                ("x-hubspot-signature-v3", "vnwqnIIc5+YDJMFfGPyCFtCFasU1BJEFlkkhzUf2JEc="),
                ("x-hubspot-request-timestamp", time),
            ],
        )
    };
    let millis = 1_700_000_000_123;
    let verify = |request: &Request<()>, now| verifier.verify(request, BODY, UnixTime::from_millis(now));
    let request = signed("1700000000123");
    let proof = verify(&request, millis).expect("the known answer");
    assert_eq!(proof.timestamp(), Some(UnixTime::from_millis(millis)));
    assert!(verify(&request, millis + 300_000).is_ok());
    assert_eq!(
        verify(&request, millis + 300_001).unwrap_err(),
        Refusal::TimestampTooOld,
        "to the millisecond"
    );
    assert!(verify(&request, millis - 300_000).is_ok());
    assert_eq!(verify(&request, millis - 300_001).unwrap_err(), Refusal::TimestampTooNew);
    assert_eq!(verify(&signed("1700000000124"), millis).unwrap_err(), Refusal::SignatureMismatch);
    assert_eq!(
        verify(&signed("1700000000"), millis).unwrap_err(),
        Refusal::TimestampTooOld,
        "seconds are 1970"
    );
    let mut put = signed("1700000000123");
    *put.method_mut() = Method::PUT;
    assert_eq!(verify(&put, millis).unwrap_err(), Refusal::SignatureMismatch, "the method is signed");
}

#[test]
fn hmac_sha1_in_base64() {
    let scheme = plain()
        .syntax(Syntax::Plain { prefix: "".into(), algorithm: Algorithm::HmacSha1 })
        .encoding(Encoding::Base64)
        .build()
        .unwrap();
    let verifier = verifier(scheme, KEY);
    let verify = |signature: &str| {
        let headers: HeaderMap = request("/", &[("x-signature", signature)]).headers().clone();
        verifier.verify(&headers, BODY, UnixTime::from_secs(NOW)).map(drop)
    };
    assert_eq!(verify("71bDc9L71bv8gUnNPLDbQtzCbmM="), Ok(()), "the known answer");
    assert_eq!(verify("71bDc9L71bv8gUnNPLDbQtzCbmN="), Err(Refusal::MalformedHeader), "a spare bit");
    assert_eq!(verify("81bDc9L71bv8gUnNPLDbQtzCbmM="), Err(Refusal::SignatureMismatch));
    let sha256 = "kkHHunMHgu3vzevmoJZBsuFbaok1DUBC+U4qkDcMBCc=";
    assert_eq!(verify(sha256), Err(Refusal::MalformedHeader), "32 bytes are no HMAC-SHA1");
}

#[test]
fn a_key_in_hexadecimal() {
    let scheme = plain().key_format(KeyFormat::Hex).build().unwrap();
    let text = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";
    let signature = "8e506d97d966a2208c2b22b0fa3cb0bdd2cdd2e29d2ee8388a69b9c34a22bc68";
    let headers: HeaderMap = request("/", &[("x-signature", signature)]).headers().clone();
    let now = UnixTime::from_secs(NOW);
    assert!(verifier(scheme, text).verify(&headers, BODY, now).is_ok(), "the known answer");
    let as_text = verifier(plain().build().unwrap(), text);
    assert_eq!(
        as_text.verify(&headers, BODY, now).unwrap_err(),
        Refusal::SignatureMismatch,
        "as text it is another"
    );
}

/// The longest signature in the longest encoding.
#[cfg(feature = "asymmetric")]
#[test]
fn ed25519_in_base64_of_hex() {
    use hookproof::{Outgoing, Signer};

    let scheme = plain()
        .syntax(Syntax::Versioned {
            versions: vec![Version { name: "v1a".into(), algorithm: Algorithm::Ed25519 }],
        })
        .key_format(KeyFormat::StandardWebhooks)
        .encoding(Encoding::Base64OfHex)
        .build()
        .unwrap();
    let private =
        "whsk_ZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5/gIGCg4TaKelbAuAP+hVkV3X7HSuiIqGUM5XuoGuU4sBXt75p0A==";
    let signer = Signer::new(&scheme, &Key::new("k1", private)).unwrap();
    let headers = signer.sign(&Outgoing::new(BODY)).unwrap();
    assert_eq!(headers["x-signature"].len(), "v1a,".len() + 172);
    let verifier = verifier(scheme, "whpk_2inpWwLgD/oVZFd1+x0roiKhlDOV7qBrlOLAV7e+adA=");
    assert!(verifier.verify(&headers, BODY, UnixTime::from_secs(NOW)).is_ok());
}
