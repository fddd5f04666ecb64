//! Whatever a stranger sends as a challenge: no panic, and nothing comes back that is more than plain text.

#![cfg(test)]

use bytes::Bytes;
use hookproof::handshake::{
    AllowedOrigins, AsanaRegistration, MAX_CHALLENGE_BYTES, VerifyToken, cloud_events, discord_events,
    discord_interactions, dropbox, meta, slack, zoom,
};
use hookproof::{Key, Outgoing, Refusal, RequestView, Signer, UnixTime, Verifier, schemes};
use http::{HeaderMap, HeaderValue, Method, Response};
use proptest::prelude::*;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

fn plain(text: &[u8]) -> bool {
    let good = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte);
    text.len() <= MAX_CHALLENGE_BYTES && text.iter().all(good)
}

/// What the answers may consist of; whether there was one.
fn harmless(answer: Result<Option<Response<Bytes>>, Refusal>) -> bool {
    match answer {
        Ok(None) => false,
        Err(refusal) => {
            assert_eq!(refusal, Refusal::HandshakeRefused);
            false
        }
        Ok(Some(answer)) => {
            let body = answer.body();
            match answer.headers().get("content-type").map(HeaderValue::as_bytes) {
                None => assert!(body.is_empty()),
                Some(b"text/plain; charset=utf-8") => assert!(plain(body) && !body.is_empty(), "{body:?}"),
                Some(b"application/json") => {
                    let json: serde_json::Map<String, serde_json::Value> =
                        serde_json::from_slice(body).unwrap();
                    let texts = json.values().filter_map(|value| value.as_str());
                    texts.for_each(|text| assert!(plain(text.as_bytes()), "{text:?}"));
                }
                Some(other) => panic!("{other:?}"),
            }
            for (name, value) in answer.headers() {
                let ours = ["content-type", "x-content-type-options", "allow"].contains(&name.as_str());
                assert!(ours || plain(value.as_bytes()) || value == "*", "{name}: {value:?}");
            }
            true
        }
    }
}

/// Names that count, and anything.
fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("hub.mode".to_owned()),
        Just("hub.verify_token".to_owned()),
        Just("hub.challenge".to_owned()),
        Just("challenge".to_owned()),
        ".{0,8}",
    ]
}

fn values() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just("subscribe".to_owned()),
        3 => Just("the-verify-token".to_owned()),
        3 => "[A-Za-z0-9._~+/=-]{1,20}",
        1 => "[A-Za-z0-9]{250,260}",
        2 => ".{0,20}",
        1 => Just("<script>alert(1)</script>".to_owned()),
    ]
}

/// Percent-encoded wholly, in part, or not.
fn query() -> impl Strategy<Value = String> {
    let encode = |text: String, how: u8| -> String {
        let one = |byte: u8| match how {
            0 => format!("%{byte:02x}"),
            1 if !byte.is_ascii_alphanumeric() => format!("%{byte:02X}"),
            _ => char::from(byte).to_string(),
        };
        text.bytes().map(one).collect()
    };
    let pair = (names(), values(), 0..3_u8)
        .prop_map(move |(name, value, how)| format!("{}={}", encode(name, 1), encode(value, how)));
    prop::collection::vec(pair, 0..6).prop_map(|pairs| format!("/in?{}", pairs.join("&")))
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![
        Just(r#""type":"url_verification""#.to_owned()),
        Just(r#""event":"endpoint.url_validation""#.to_owned()),
        (0..3_u8).prop_map(|n| format!(r#""type":{n}"#)),
        values().prop_map(|text| format!(r#""challenge":{}"#, serde_json::json!(text))),
        values().prop_map(|text| format!(r#""payload":{{"plainToken":{}}}"#, serde_json::json!(text))),
    ];
    prop_oneof![
        4 => prop::collection::vec(field, 0..4).prop_map(|fields| format!("{{{}}}", fields.join(",")).into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..60),
    ]
}

fn header_value() -> impl Strategy<Value = HeaderValue> {
    let bytes = prop_oneof![
        values().prop_map(String::into_bytes),
        Just(b"eventgrid.azure.net".to_vec()),
        "[0-9]{0,12}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..40),
    ];
    bytes.prop_filter_map("no header value", |bytes| HeaderValue::from_bytes(&bytes).ok())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn queries(query in query()) {
        let token = VerifyToken::new("the-verify-token").unwrap();
        let headers = HeaderMap::new();
        let request = RequestView { method: &Method::GET, path_and_query: &query, headers: &headers };
        harmless(meta(request, &token));
        harmless(dropbox(request));
    }

    #[test]
    fn bodies(body in body()) {
        let key = Key::new("k1", "a secret of more than sixteen bytes");
        let headers = Signer::new(&schemes::zoom(), &key).unwrap();
        let headers = headers.sign(&Outgoing::new(&body).timestamp(NOW)).unwrap();
        let verifier = Verifier::builder(schemes::zoom()).key(key).build().unwrap();
        let proof = verifier.verify(&headers, &body, NOW).unwrap();
        harmless(zoom(&verifier, &proof));
        harmless(slack(&proof));
        harmless(Ok(discord_interactions(&proof)));
        harmless(Ok(discord_events(&proof)));
    }

    #[test]
    fn headers(lines in prop::collection::vec((0..4_usize, header_value()), 0..5)) {
        const NAMES: [&str; 4] =
            ["webhook-request-origin", "webhook-request-rate", "webhook-request-callback", "x-hook-secret"];
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(NAMES[name], value);
        }
        let allowed = AllowedOrigins::new(["eventgrid.azure.net"]).unwrap();
        let request = RequestView { method: &Method::OPTIONS, path_and_query: "/in", headers: &headers };
        harmless(cloud_events(request, &allowed));
        let registration = AsanaRegistration::new("/in");
        registration.open(NOW);
        let request = RequestView { method: &Method::POST, path_and_query: "/in", headers: &headers };
        harmless(registration.take(request, NOW).map(|secret| secret.map(|secret| secret.answer())));
    }
}

/// The cases above are no idle ones: of each kind, many are answered.
#[test]
fn the_generators_reach_the_answers() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let token = VerifyToken::new("the-verify-token").unwrap();
    let (mut by_meta, mut by_dropbox) = (0, 0);
    let headers = HeaderMap::new();
    for _ in 0..3_000 {
        let query = query().new_tree(&mut runner).unwrap().current();
        let request = RequestView { method: &Method::GET, path_and_query: &query, headers: &headers };
        by_meta += usize::from(harmless(meta(request, &token)));
        by_dropbox += usize::from(harmless(dropbox(request)));
    }
    assert!(by_meta > 0 && by_dropbox > 300, "{by_meta} {by_dropbox}");
}
