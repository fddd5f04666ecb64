//! A message signature is accepted exactly when a naive reading of RFC 9421 says so, whatever it covers and however its
//! parameters are; and nothing that it covers can be changed.
#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookproof::{Key, Refusal, UnixTime, Verifier, schemes};
use hookproof_fuzz::{NOW, in_pieces, naive};
use http::{HeaderMap, HeaderValue, Method, Request};
use libfuzzer_sys::fuzz_target;
use sha2::Digest as _;

const ORIGIN: &str = "https://hooks.example.com";
const SECRET: [u8; 32] = *b"a secret of thirty-two bytes, so";

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let key = Key::new("key", STANDARD.encode(SECRET));
    Verifier::builder(schemes::http_message_signatures()).key(key).public_url(ORIGIN).build().expect("a key")
});

/// What may be covered. The first three must be.
const COMPONENTS: [&str; 12] = [
    "\"@method\"",
    "\"@target-uri\"",
    "\"content-digest\"",
    "\"@authority\"",
    "\"@scheme\"",
    "\"@request-target\"",
    "\"@path\"",
    "\"@query\"",
    "\"@query-param\";name=\"id\"",
    "\"content-type\"",
    "\"x-tenant\"",
    "\"x-absent\"",
];

/// Fixed fields first, the text last: `make_seeds.py` writes the same layout.
#[derive(Arbitrary, Debug)]
struct Input {
    /// Whether all that must be covered is covered first.
    whole: bool,
    /// Which components then, four bits each, in this order.
    covered: [u8; 4],
    created: i16,
    expires: i8,
    /// 0: none, 1: the right one, else another.
    alg: u8,
    tag: u8,
    /// What is changed after signing.
    tamper: u8,
    query_len: u8,
    tenant_len: u8,
    /// The query, the tenant, the body.
    text: Vec<u8>,
}

/// The request that is signed.
#[derive(Clone)]
struct Message {
    method: Method,
    query: String,
    tenant: String,
    content_type: String,
    body: Vec<u8>,
}

impl Message {
    fn target(&self) -> String {
        format!("/in?{}", self.query)
    }

    fn digest(&self) -> String {
        format!("sha-256=:{}:", STANDARD.encode(sha2::Sha256::digest(&self.body)))
    }

    /// Section 2 of the RFC, for this URL and these components.
    fn value(&self, component: &str) -> Option<String> {
        Some(match component {
            "\"@method\"" => self.method.to_string(),
            "\"@target-uri\"" => format!("{ORIGIN}{}", self.target()),
            "\"content-digest\"" => self.digest(),
            "\"@authority\"" => "hooks.example.com".to_owned(),
            "\"@scheme\"" => "https".to_owned(),
            "\"@request-target\"" => self.target(),
            "\"@path\"" => "/in".to_owned(),
            "\"@query\"" => format!("?{}", self.query),
            "\"@query-param\";name=\"id\"" => {
                // The queries have letters, digits, `=` and `&` only: there is nothing to decode, and one thing to encode.
                let pairs = self.query.split('&').filter(|pair| !pair.is_empty());
                let mut ids = pairs.filter_map(|pair| match pair.split_once('=') {
                    Some(("id", value)) => Some(value),
                    None if pair == "id" => Some(""),
                    _ => None,
                });
                let id = ids.next()?;
                if ids.next().is_some() {
                    return None;
                }
                id.replace('=', "%3D")
            }
            "\"content-type\"" => self.content_type.clone(),
            "\"x-tenant\"" => self.tenant.trim_matches(' ').to_owned(),
            _ => return None,
        })
    }
}

fuzz_target!(|input: Input| {
    let Some((covered, message)) = read(&input) else { return };
    let created = i64::try_from(NOW).expect("now") + i64::from(input.created);
    let list = parameters(&input, &covered, created);
    let base = |message: &Message| {
        let mut base = String::new();
        for component in &covered {
            base += &format!("{component}: {}\n", message.value(component).unwrap_or_default());
        }
        base + "\"@signature-params\": " + &list
    };
    let tag = naive::hmac(false, &SECRET, base(&message).as_bytes());
    let verdict = |message: &Message| verify(&list, &tag, message);

    let wanted = expected(&input, &covered, created, &message);
    assert_eq!(verdict(&message), wanted, "{list}\n{}", base(&message));

    let changed = tampered(&input, &message);
    if wanted.is_ok() && base(&changed) != base(&message) {
        assert_eq!(verdict(&changed), Err(Refusal::SignatureMismatch), "{list}");
    }
    if wanted.is_ok() && changed.body != message.body {
        // Under the header that was signed, whose digest no longer fits.
        assert_eq!(
            verify_as(&list, &tag, &changed, &message.digest()),
            Err(Refusal::DigestMismatch),
            "{list}"
        );
    }
});

/// `None` for what no header or URL can hold.
fn read(input: &Input) -> Option<(Vec<&'static str>, Message)> {
    let (query, rest) = input.text.split_at_checked(usize::from(input.query_len))?;
    let (tenant, body) = rest.split_at_checked(usize::from(input.tenant_len))?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"=&".contains(byte);
    if !query.iter().all(plain) || !tenant.iter().all(|byte| (0x20..=0x7e).contains(byte)) {
        return None;
    }
    let nibbles = input.covered.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let chosen = nibbles.filter_map(|n| COMPONENTS.get(usize::from(n)).copied());
    let covered = COMPONENTS[..if input.whole { 3 } else { 0 }].iter().copied().chain(chosen).collect();
    let message = Message {
        method: Method::POST,
        query: String::from_utf8(query.to_vec()).ok()?,
        tenant: String::from_utf8(tenant.to_vec()).ok()?,
        content_type: "application/json".to_owned(),
        body: body.to_vec(),
    };
    Some((covered, message))
}

fn parameters(input: &Input, covered: &[&str], created: i64) -> String {
    let mut list = format!("({});created={created}", covered.join(" "));
    if input.expires != 0 {
        list += &format!(";expires={}", created + i64::from(input.expires));
    }
    match input.alg {
        0 => {}
        1 => list += ";alg=\"hmac-sha256\"",
        _ => list += ";alg=\"ed25519\"",
    }
    if input.tag != 0 {
        list += &format!(";nonce=\"{:02x}\";tag=\"fuzz\"", input.tag);
    }
    list
}

/// What the README of the vectors says, stage by stage.
fn expected(input: &Input, covered: &[&str], created: i64, message: &Message) -> Result<(), Refusal> {
    let now = i64::try_from(NOW).expect("now");
    let twice = |(place, component): (usize, &&str)| covered[..place].contains(component);
    if covered.iter().enumerate().any(twice) {
        return Err(Refusal::MalformedHeader);
    }
    if !COMPONENTS[..3].iter().all(|required| covered.contains(required)) {
        return Err(Refusal::UncoveredComponent);
    }
    if covered.iter().any(|component| message.value(component).is_none()) {
        return Err(Refusal::MissingHeader);
    }
    if created < now - 300 {
        return Err(Refusal::TimestampTooOld);
    }
    if created > now + 300 {
        return Err(Refusal::TimestampTooNew);
    }
    if input.expires != 0 && created + i64::from(input.expires) < now {
        return Err(Refusal::TimestampTooOld);
    }
    if input.alg > 1 { Err(Refusal::SignatureMismatch) } else { Ok(()) }
}

fn tampered(input: &Input, message: &Message) -> Message {
    let mut changed = message.clone();
    match input.tamper % 5 {
        0 => changed.method = Method::PUT,
        1 => changed.query.push('0'),
        2 => changed.tenant.push('0'),
        3 => changed.content_type.push('0'),
        _ => changed.body.push(b'0'),
    }
    changed
}

fn verify(list: &str, tag: &[u8], message: &Message) -> Result<(), Refusal> {
    verify_as(list, tag, message, &message.digest())
}

/// Through both doors, which must agree.
fn verify_as(list: &str, tag: &[u8], message: &Message, digest: &str) -> Result<(), Refusal> {
    let mut headers = HeaderMap::new();
    let value = |text: &str| HeaderValue::from_str(text).expect("printable");
    headers.insert("content-digest", value(digest));
    headers.insert("content-type", value(&message.content_type));
    headers.insert("x-tenant", value(&message.tenant));
    headers.insert("signature-input", value(&format!("a={list}")));
    headers.insert("signature", value(&format!("a=:{}:", STANDARD.encode(tag))));
    let mut request = Request::new(());
    *request.method_mut() = message.method.clone();
    *request.uri_mut() = message.target().parse().expect("a target");
    *request.headers_mut() = headers;
    let now = UnixTime::from_secs(NOW);
    let at_once = VERIFIER.verify(&request, &message.body[..], now).map(drop);
    assert_eq!(
        in_pieces(&VERIFIER, &request, &message.body, now, 7).map(drop),
        at_once,
        "the doors disagree"
    );
    at_once
}
