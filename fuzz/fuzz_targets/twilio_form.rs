//! Whatever the form and the URL are, signer, verifier and a naive reading agree on the signed text; the same pairs in
//! another encoding and order, and the same URL written otherwise, are the same event.
#![no_main]

use arbitrary::Arbitrary;
use hookproof::{Key, Outgoing, Refusal, ReplayKey, Scheme, Signer, UnixTime, Verifier, schemes};
use hookproof_fuzz::naive::{self, Request};
use hookproof_fuzz::naive_table::{self, Row};
use hookproof_fuzz::{NOW, key_text};
use http::HeaderValue;
use libfuzzer_sys::fuzz_target;

const SECRET: [u8; 24] = *b"a secret of 24 bytes, so";
const ORIGINS: [&str; 5] = [
    "https://hooks.example.com",
    "https://hooks.example.com:8443",
    "http://ada@hooks.example.com",
    "http://hooks.example.com:80",
    "https://[::1]",
];

/// Fixed fields first, the body last: `make_seeds.py` writes the same layout.
#[derive(Arbitrary, Debug)]
struct Input {
    mandrill: bool,
    origin: u8,
    /// Which of the ways to write the URL is the one that is signed.
    written: u8,
    /// How the other encoding of the same pairs differs.
    choices: u64,
    path_len: u8,
    /// The path and query, as long as that says, and then the body.
    text: Vec<u8>,
}

fuzz_target!(|input: Input| {
    let scheme = if input.mandrill { schemes::mandrill() } else { schemes::twilio() };
    let origin = ORIGINS[usize::from(input.origin) % ORIGINS.len()];
    let (path, body) = input.text.split_at(usize::from(input.path_len).min(input.text.len()));
    let Some(path) = path_and_query(path) else { return };
    let key = Key::new("key", key_text(&scheme, &SECRET));
    let verifier =
        Verifier::builder(scheme.clone()).key(key.clone()).public_url(origin).build().expect("a URL");
    let receiver = Receiver { row: row(scheme.name()), scheme, verifier };

    let url = format!("{origin}{path}");
    let signer = Signer::new(&receiver.scheme, &key).expect("the same key");
    let headers = signer.sign(&Outgoing::new(body).url(&url)).expect("nothing to refuse");
    let signature = headers.values().next().expect("a signature").clone();
    let request = Request { method: "POST", url: &url, headers: &headers, body };
    assert_eq!(signature, receiver.naive(request, 0), "signer and naive reading, {url}");

    // As it stands the URL is one of the ways to write it, so the verdict is the digest's, if there is one.
    let wanted = receiver.wanted(request);
    assert_eq!(receiver.verdict(&path, &signature, body).map(drop), wanted);
    // Written in any of the ways it is the same event.
    let written = receiver.naive(request, usize::from(input.written));
    let Ok(event) = receiver.verdict(&path, &signature, body) else { return };
    assert_eq!(receiver.verdict(&path, &written, body), Ok(event), "{url}");
    if !url.contains("bodySHA256=") {
        let other = reencoded(body, !input.mandrill, input.choices);
        let shown = String::from_utf8_lossy(&other).into_owned();
        assert_eq!(receiver.verdict(&path, &signature, &other), Ok(event), "the same pairs as {shown}");
    }
    apostrophes(&receiver, origin, &path, body);
});

struct Receiver {
    scheme: Scheme,
    verifier: Verifier,
    row: Row,
}

impl Receiver {
    fn naive(&self, request: Request<'_>, which: usize) -> HeaderValue {
        let texts = self.row.messages(request);
        let text = &texts[which % texts.len()];
        let tag = naive::hmac(true, &naive::key_bytes(self.row.scheme, &SECRET), text);
        HeaderValue::try_from(self.row.encoded(&tag)).expect("base64")
    }

    fn wanted(&self, request: Request<'_>) -> Result<(), Refusal> {
        self.row.verify(&naive::key_bytes(self.row.scheme, &SECRET), request).map(drop)
    }

    fn verdict(&self, path: &str, signature: &HeaderValue, body: &[u8]) -> Result<ReplayKey, Refusal> {
        let mut request = http::Request::post(path).body(()).expect("a path");
        let name = self.scheme.signature_headers()[0].clone();
        request.headers_mut().insert(name, signature.clone());
        let proof = self.verifier.verify(&request, body, UnixTime::from_secs(NOW))?;
        Ok(proof.replay_key("source"))
    }
}

/// What was signed with `%27` may arrive with `'`, and is no other event.
fn apostrophes(receiver: &Receiver, origin: &str, path: &str, body: &[u8]) {
    let Some((before, query)) = path.split_once('?').filter(|_| receiver.row.scheme == "twilio") else {
        return;
    };
    let escaped = format!("{before}?{}", query.replace('\'', "%27"));
    let url = format!("{origin}{escaped}");
    let request = Request { method: "POST", url: &url, headers: &http::HeaderMap::new(), body };
    let signature = receiver.naive(request, 0);
    let event = receiver.verdict(&escaped, &signature, body);
    assert_eq!(receiver.verdict(path, &signature, body), event, "{path} for {escaped}");
}

fn row(scheme: &str) -> Row {
    naive_table::rows().into_iter().find(|row| row.scheme == scheme).expect("a row")
}

/// As a server would have it; `None` if it is none.
fn path_and_query(text: &[u8]) -> Option<String> {
    let text = str::from_utf8(text).ok()?;
    let uri: http::Uri = format!("/{text}").parse().ok()?;
    Some(uri.path_and_query()?.as_str().to_owned())
}

/// The pairs of a form in another encoding; for Twilio in another order and some of them twice.
fn reencoded(body: &[u8], is_set: bool, choices: u64) -> Vec<u8> {
    let mut random = choices | 1;
    let mut next = move || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        random >> 60
    };
    let pieces = body.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty());
    let mut pieces: Vec<_> = pieces.map(|piece| escaped(piece, &mut next)).collect();
    if is_set && !pieces.is_empty() {
        let turn = usize::try_from(next()).expect("four bits") % pieces.len();
        pieces.rotate_left(turn);
        pieces.push(pieces[0].clone());
    }
    pieces.join(&b"&&"[..])
}

/// A piece with its bytes escaped here and there; what is an escape already stays.
fn escaped(piece: &[u8], next: &mut impl FnMut() -> u64) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut rest, mut in_name) = (piece, true);
    while let [first, tail @ ..] = rest {
        rest = tail;
        let is_escape = *first == b'%' && tail.len() > 1 && tail[..2].iter().all(u8::is_ascii_hexdigit);
        match first {
            b'=' if in_name => {
                in_name = false;
                out.push(b'=');
            }
            b'+' => out.extend_from_slice(if next() & 1 == 0 { b"%20" } else { b"+" }),
            b'%' if is_escape => {
                out.extend([b"%", &tail[..2].to_ascii_uppercase()[..]].concat());
                rest = &tail[2..];
            }
            b'%' => out.extend_from_slice(b"%25"),
            byte if next() & 1 == 0 => out.extend(format!("%{byte:02x}").into_bytes()),
            byte => out.push(*byte),
        }
    }
    out
}
