//! The challenges of providers: what is answered, what is refused, and that nothing can be reflected or planted.

#![cfg(test)]

use std::num::NonZeroU32;

use bytes::Bytes;
use hookproof::handshake::{
    AllowedOrigins, AsanaRegistration, MAX_CHALLENGE_BYTES, VerifyToken, cloud_events, discord_events,
    discord_interactions, dropbox, meta, slack, zoom,
};
use hookproof::{
    ConfigError, Key, Outgoing, Refusal, RequestView, Scheme, Signer, UnixTime, Verified, Verifier, schemes,
};
use http::{HeaderMap, Request, Response, StatusCode};

const TOKEN: &str = "my verify token/+&=";
const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

type Answer = Result<Option<Response<Bytes>>, Refusal>;

const REFUSED: Refusal = Refusal::HandshakeRefused;

fn request(method: &str, uri: &str, headers: &[(&'static str, &str)]) -> Request<()> {
    let mut request = Request::builder().method(method).uri(uri).body(()).unwrap();
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    request
}

/// What came back as text: with the two headers that keep it text.
fn echoed(answer: Answer) -> String {
    let answer = answer.unwrap().expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    String::from_utf8(answer.into_body().to_vec()).unwrap()
}

fn refused(answer: Answer) {
    assert_eq!(answer.err(), Some(REFUSED));
}

fn is_none(answer: Answer) {
    assert!(answer.unwrap().is_none(), "it is no challenge");
}

fn ask_meta(method: &str, query: &str) -> Answer {
    let request = request(method, &format!("/in?{query}"), &[]);
    meta(RequestView::from(&request), &VerifyToken::new(TOKEN).unwrap())
}

const GOOD_TOKEN: &str = "hub.verify_token=my+verify%20token%2F%2B%26%3D";

#[test]
fn meta_is_answered_for_its_token() {
    let good = format!("hub.mode=subscribe&hub.challenge=1158201444&{GOOD_TOKEN}");
    assert_eq!(echoed(ask_meta("GET", &good)), "1158201444");
    assert_eq!(
        echoed(ask_meta("GET", &format!("{GOOD_TOKEN}&x=1&hub.challenge=a-B_9&hub.mode=subscribe"))),
        "a-B_9"
    );
    for query in ["", "x=1", "challenge=1", "hub_mode=subscribe", "HUB.MODE=subscribe"] {
        is_none(ask_meta("GET", query));
    }
    for method in ["POST", "HEAD", "OPTIONS"] {
        is_none(ask_meta(method, &good));
    }
}

#[test]
fn meta_is_refused_for_anything_else() {
    let bad = [
        format!("hub.mode=subscribe&{GOOD_TOKEN}"),
        format!("hub.mode=subscribe&hub.challenge=&{GOOD_TOKEN}"),
        format!("hub.mode=unsubscribe&hub.challenge=1&{GOOD_TOKEN}"),
        format!("hub.mode=&hub.challenge=1&{GOOD_TOKEN}"),
        "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=my".to_owned(),
        "hub.mode=subscribe&hub.challenge=1".to_owned(),
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=".to_owned(),
        "hub.mode=subscribe&hub.challenge=1&hub.verify_token=my".to_owned(),
        format!("hub.mode=subscribe&hub.challenge=1&{GOOD_TOKEN}x"),
        format!("hub.mode=subscribe&hub.challenge=1&{GOOD_TOKEN}%00"),
        format!("hub.mode=subscribe&hub.challenge=1&{GOOD_TOKEN}&hub.verify_token=x"),
        format!("hub.mode=subscribe&hub.challenge=1&hub.challenge=2&{GOOD_TOKEN}"),
        format!("hub.mode=subscribe&hub.mode=subscribe&hub.challenge=1&{GOOD_TOKEN}"),
    ];
    for query in bad {
        assert_eq!(ask_meta("GET", &query).err(), Some(REFUSED), "{query}");
    }
}

/// What could be more than text in whatever reads it. The query is percent-encoded throughout.
#[test]
fn nothing_is_reflected_that_could_be_markup() {
    let encoded =
        |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>() };
    let texts = [
        "<script>alert(1)</script>",
        "\"><img src=x>",
        "javascript:alert(1)",
        "a b",
        "a\r\nSet-Cookie: a=b",
        "a\0",
        "{{7*7}}",
        "é",
        "\u{2028}",
        "\u{feff}",
        "a&b",
        "a;b",
        "a'b",
        "a,b",
        "%3Cscript%3E",
        "a:b",
        "\\",
    ];
    for text in
        texts.into_iter().map(str::to_owned).chain([String::new(), "a".repeat(MAX_CHALLENGE_BYTES + 1)])
    {
        let query = format!("/in?challenge={}", encoded(&text));
        assert_eq!(
            dropbox(RequestView::from(&request("GET", &query, &[]))).err(),
            Some(REFUSED),
            "dropbox: {text}"
        );
        let query = format!("hub.mode=subscribe&hub.challenge={}&{GOOD_TOKEN}", encoded(&text));
        assert_eq!(ask_meta("GET", &query).err(), Some(REFUSED), "meta: {text}");
        let body = serde_json::json!({ "type": "url_verification", "challenge": text }).to_string();
        assert_eq!(slack(&proof(schemes::slack(), &body).1).err(), Some(REFUSED), "slack: {text}");
        let (verifier, proof) = proof(schemes::zoom(), &zoom_body(&text));
        assert_eq!(zoom(&verifier, &proof).err(), Some(REFUSED), "zoom: {text}");
    }
    let invalid = request("GET", "/in?challenge=%ff%fe", &[]);
    refused(dropbox(RequestView::from(&invalid)));
    let longest = "a".repeat(MAX_CHALLENGE_BYTES);
    let query = format!("/in?challenge={longest}");
    assert_eq!(echoed(dropbox(RequestView::from(&request("GET", &query, &[])))), longest, "at the bound");
}

#[test]
fn a_verify_token_is_no_guess_and_is_not_shown() {
    let problem = |token: &str| match VerifyToken::new(token) {
        Err(ConfigError::Handshake { field: "verify token", problem }) => problem,
        other => panic!("{other:?}"),
    };
    assert!(problem("").contains("fewer than 16"));
    assert!(problem("fifteen bytes..").contains("fewer than 16"));
    assert!(problem("the token of a file\n").contains("white space"));
    assert!(VerifyToken::new("sixteen bytes...").is_ok());
    assert_eq!(format!("{:?}", VerifyToken::new(TOKEN).unwrap()), "VerifyToken(..)");
}

#[test]
fn dropbox_is_answered() {
    let ask = |method, uri| dropbox(RequestView::from(&request(method, uri, &[])));
    assert_eq!(echoed(ask("GET", "/in?challenge=k2Bf-3_x.~%2F%2B%3D")), "k2Bf-3_x.~/+=");
    is_none(ask("GET", "/in"));
    is_none(ask("GET", "/in?Challenge=1"));
    is_none(ask("POST", "/in?challenge=1"));
    refused(ask("GET", "/in?challenge=1&challenge=2"));
}

fn proof(scheme: Scheme, body: &str) -> (Verifier, Verified<Vec<u8>>) {
    let keys = [
        Key::new("old", "the old secret of more than sixteen bytes"),
        Key::new("new", "the new secret of more than sixteen bytes"),
    ];
    let headers = Signer::new(&scheme, &keys[1]).unwrap();
    let headers = headers.sign(&Outgoing::new(body.as_bytes()).timestamp(NOW)).unwrap();
    let verifier = Verifier::builder(scheme).keys(keys).build().unwrap();
    let proof = verifier.verify(&headers, body.as_bytes().to_vec(), NOW).unwrap();
    (verifier, proof)
}

fn zoom_body(token: &str) -> String {
    let payload = serde_json::json!({ "plainToken": token });
    serde_json::json!({ "event": "endpoint.url_validation", "payload": payload, "event_ts": 1 }).to_string()
}

/// The MAC was computed with Python: `hmac.new(key, b"qgg8vlvZRS6UYooatFL8Aw", "sha256").hexdigest()`.
#[test]
fn zoom_is_answered_with_the_key_that_signed() {
    let (verifier, proof) = proof(schemes::zoom(), &zoom_body("qgg8vlvZRS6UYooatFL8Aw"));
    assert_eq!(proof.key_id(), "new");
    let answer = zoom(&verifier, &proof).unwrap().unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    let mac = "2cd8db4a369dbad39f768e4cafe34ea57491e41d551264a4a30b43f97f99ae0f";
    assert_eq!(body, serde_json::json!({ "plainToken": "qgg8vlvZRS6UYooatFL8Aw", "encryptedToken": mac }));
}

#[test]
fn other_bodies_are_no_challenge_of_zoom() {
    for body in [
        r#"{"event":"meeting.started","payload":{"plainToken":"abc"}}"#,
        r#"{"event":"endpoint.url_validation","event":"meeting.started","payload":{"plainToken":"abc"}}"#,
        r#"{"payload":{"plainToken":"abc"}}"#,
        r#"["endpoint.url_validation"]"#,
        "endpoint.url_validation",
        "",
    ] {
        let (verifier, proof) = proof(schemes::zoom(), body);
        is_none(zoom(&verifier, &proof));
    }
    for body in [
        r#"{"event":"endpoint.url_validation"}"#,
        r#"{"event":"endpoint.url_validation","payload":{"plainToken":1}}"#,
        r#"{"event":"endpoint.url_validation","payload":{"plainToken":"a","plainToken":"b"}}"#,
    ] {
        let (verifier, proof) = proof(schemes::zoom(), body);
        refused(zoom(&verifier, &proof));
    }
}

/// A scheme that signs the body alone would give away the signature of a delivery whose body is the token.
#[test]
fn zoom_signs_nothing_that_a_delivery_could_be() {
    for scheme in [schemes::github(), schemes::stripe(), schemes::zendesk()] {
        let name = scheme.name().to_owned();
        let (verifier, proof) = proof(scheme, &zoom_body("abc"));
        assert_eq!(zoom(&verifier, &proof).err(), Some(REFUSED), "{name}");
    }
}

#[test]
fn slack_is_answered() {
    let ask = |body: &str| slack(&proof(schemes::slack(), body).1);
    let challenge = r#"{"token":"x","challenge":"3eZbrw1aBm2rZgRNFdxV","type":"url_verification"}"#;
    assert_eq!(echoed(ask(challenge)), "3eZbrw1aBm2rZgRNFdxV");
    is_none(ask(r#"{"challenge":"abc","type":"event_callback"}"#));
    is_none(ask("challenge=abc&type=url_verification"));
    refused(ask(r#"{"type":"url_verification"}"#));
    refused(ask(r#"{"type":"url_verification","challenge":5}"#));
}

/// Type 1 is a ping at one kind of endpoint and an event at the other, so they are two functions.
#[test]
fn discord_is_answered() {
    let proof = |body: &str| proof(schemes::github(), body).1;
    let pong = discord_interactions(&proof(r#"{"type":1,"id":"1"}"#)).unwrap();
    assert_eq!((pong.status(), &**pong.body()), (StatusCode::OK, &br#"{"type":1}"#[..]));
    assert_eq!(pong.headers()["content-type"], "application/json");
    let pong = discord_events(&proof(r#"{"type":0,"version":1}"#)).unwrap();
    assert_eq!((pong.status(), pong.body().len()), (StatusCode::NO_CONTENT, 0));
    for body in [r#"{"type":"1"}"#, r#"{"type":2}"#, r#"{"type":1.0}"#, r#"{"type":0}"#, "{}", "1"] {
        assert!(discord_interactions(&proof(body)).is_none(), "{body}");
    }
    for body in [r#"{"type":1}"#, r#"{"type":"0"}"#, r#"{"type":-0}"#, r#"{"type":null}"#, ""] {
        assert!(discord_events(&proof(body)).is_none(), "{body}");
    }
}

const SECRET: &str = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81";

fn hook(path: &str, secret: &str) -> Request<()> {
    request("POST", path, &[("x-hook-secret", secret)])
}

fn after(secs: u64) -> UnixTime {
    UnixTime::from_secs(NOW.as_secs() + secs)
}

#[test]
fn asana_brings_its_secret_once_and_only_when_it_is_awaited() {
    let registration = AsanaRegistration::new("/in/a");
    let take = |path: &str, secret: &str, now| registration.take((&hook(path, secret)).into(), now);
    assert_eq!(take("/in/a", SECRET, NOW).err(), Some(REFUSED), "nobody waits");
    registration.open(after(60));
    assert!(take("/in/b", SECRET, NOW).unwrap().is_none(), "another URL");
    let got = request("GET", "/in/a", &[("x-hook-secret", SECRET)]);
    assert!(registration.take((&got).into(), NOW).unwrap().is_none(), "no POST");
    assert!(registration.take((&request("POST", "/in/a", &[])).into(), NOW).unwrap().is_none(), "an event");

    let secret = take("/in/a?x=1", SECRET, after(60)).unwrap().expect("at the deadline");
    assert_eq!(secret.expose(), SECRET);
    let answer = secret.answer();
    assert_eq!(
        (answer.status(), answer.headers()["x-hook-secret"].to_str().unwrap()),
        (StatusCode::OK, SECRET)
    );
    assert_eq!(format!("{secret:?}"), "HookSecret(..)");
    assert!(!format!("{answer:?}").contains("b537"), "{answer:?}");

    assert_eq!(take("/in/a", "another secret, planted".replace(' ', "-").as_str(), NOW).err(), Some(REFUSED));
    assert_eq!(take("/in/a", SECRET, NOW).err(), Some(REFUSED), "the same a second time");
    registration.give_back();
    assert!(take("/in/a", SECRET, NOW).unwrap().is_some(), "it could not be stored");
    registration.close();
    registration.give_back();
    assert_eq!(take("/in/a", SECRET, NOW).err(), Some(REFUSED), "closed");
}

#[test]
fn asana_is_refused_when_late_or_malformed() {
    let registration = AsanaRegistration::new("/in/a");
    registration.open(after(60));
    let take = |request: &Request<()>, now| registration.take(request.into(), now).err();
    assert_eq!(take(&hook("/in/a", SECRET), after(61)), Some(REFUSED), "too late");
    for bad in
        ["", "fifteen-bytes..", "<script>alert(1)</script>", &"a".repeat(257), "with a space inside it"]
    {
        assert_eq!(take(&hook("/in/a", bad), NOW), Some(REFUSED), "{bad}");
    }
    let twice = request("POST", "/in/a", &[("x-hook-secret", SECRET), ("x-hook-secret", SECRET)]);
    assert_eq!(take(&twice, NOW), Some(REFUSED), "twice");
    let mut bytes = hook("/in/a", SECRET);
    let not_text = http::HeaderValue::from_bytes(&[0xff; 32]).unwrap();
    bytes.headers_mut().insert("x-hook-secret", not_text);
    assert_eq!(take(&bytes, NOW), Some(REFUSED), "not text");
    assert_eq!(take(&hook("/in/a", "sixteen-bytes..."), NOW), None, "none of them was taken");
}

/// The whole way: what Asana sends afterwards verifies with the key that was taken.
#[test]
fn what_asana_brought_verifies_its_events() {
    let registration = AsanaRegistration::new("/in/a");
    registration.open(after(60));
    let secret = registration.take((&hook("/in/a", SECRET)).into(), NOW).unwrap().unwrap();
    let headers = Signer::new(&schemes::asana(), &Key::new("theirs", SECRET)).unwrap();
    let headers = headers.sign(&Outgoing::new(b"{\"events\":[]}")).unwrap();
    let verifier = Verifier::builder(schemes::asana()).key(secret.to_key("ours")).build().unwrap();
    assert_eq!(verifier.verify(&headers, b"{\"events\":[]}", NOW).unwrap().key_id(), "ours");
}

fn ask_for_consent(allowed: &AllowedOrigins, headers: &[(&'static str, &str)]) -> Result<HeaderMap, Refusal> {
    let request = request("OPTIONS", "/in", headers);
    let answer = cloud_events(RequestView::from(&request), allowed)?;
    Ok(answer.map(|answer| answer.headers().clone()).unwrap_or_default())
}

#[test]
fn cloud_events_are_consented_to_for_listed_origins() {
    let allowed = AllowedOrigins::new(["eventgrid.azure.net", "Events.Example.com"]).unwrap();
    let origin = ("webhook-request-origin", "EventGrid.Azure.net");
    let consent = ask_for_consent(&allowed, &[origin]).unwrap();
    assert_eq!(consent["webhook-allowed-origin"], "eventgrid.azure.net", "ours, not his");
    assert_eq!(consent["allow"], "POST");
    assert!(!consent.contains_key("webhook-allowed-rate"), "nobody asked");
    let asked = ask_for_consent(&allowed, &[origin, ("webhook-request-rate", "120")]).unwrap();
    assert_eq!(asked["webhook-allowed-rate"], "*", "asked, and not limited");
    let limited = allowed.clone().requests_per_minute(NonZeroU32::new(60).unwrap());
    for headers in [&[origin][..], &[origin, ("webhook-request-rate", "120")]] {
        assert_eq!(ask_for_consent(&limited, headers).unwrap()["webhook-allowed-rate"], "60");
    }
    let callback = ("webhook-request-callback", "http://169.254.169.254/");
    assert_eq!(ask_for_consent(&allowed, &[origin, callback]).unwrap(), consent, "it is not followed");
    assert_eq!(ask_for_consent(&allowed, &[]), Ok(HeaderMap::new()), "an OPTIONS of another kind");
    let posted = request("POST", "/in", &[origin]);
    is_none(cloud_events(RequestView::from(&posted), &allowed));
}

#[test]
fn cloud_events_are_refused_otherwise() {
    let allowed = AllowedOrigins::new(["eventgrid.azure.net"]).unwrap();
    for origin in
        ["evil.example", "*", "", "eventgrid.azure.net.evil.example", "eventgrid.azure.net, x", "azure.net"]
    {
        let headers = [("webhook-request-origin", origin)];
        assert_eq!(ask_for_consent(&allowed, &headers), Err(REFUSED), "{origin}");
    }
    let origin = ("webhook-request-origin", "eventgrid.azure.net");
    assert_eq!(ask_for_consent(&allowed, &[origin, origin]), Err(REFUSED), "twice");
    for rate in ["", "0", "-1", "1.5", "*", "many", "12345678901", "060"] {
        let headers = [origin, ("webhook-request-rate", rate)];
        assert_eq!(ask_for_consent(&allowed, &headers), Err(REFUSED), "{rate}");
    }
}

#[test]
fn consent_needs_names() {
    let problem = |origins: &[&str]| match AllowedOrigins::new(origins) {
        Err(ConfigError::Handshake { field: "allowed origins", problem }) => problem,
        other => panic!("{other:?}"),
    };
    assert!(problem(&[]).contains("are empty"));
    for bad in ["*", "", "*.azure.net", "https://eventgrid.azure.net", "a b", "a\r\nb", &"a".repeat(254)] {
        assert!(problem(&["good.example", bad]).contains("no DNS name"), "{bad}");
    }
}
