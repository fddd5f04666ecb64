//! The library as it ships, with secret keys, through both of its doors.
//!
//! The key's text is secret from before it is handed over, so its decoding, the key schedules, the MACs and the
//! verdicts are computed from secret bits. Building the verifier may look at them: that happens once, at start, with
//! nobody waiting outside. Verifying may not, but for the verdict itself, which the answer tells.

use hookproof::{
    Algorithm, Key, KeyFormat, Outgoing, Refusal, RequestView, Scheme, SchemeBuilder, Signer, Syntax,
    Verifier, Version, schemes,
};
use http::{HeaderMap, HeaderValue};

use crate::memcheck::{make_secret, unwatched, watched};
use crate::sources::{KEY, NOW, OF_PUBLIC_KEYS, URL, at, body, builder};

/// What a case came to: its errors, and how often a verdict had to be read.
pub(crate) struct Report {
    pub(crate) name: String,
    pub(crate) errors: usize,
    pub(crate) verdicts: usize,
}

pub(crate) fn all() -> Vec<Report> {
    let mut reports = Vec::new();
    for scheme in Scheme::all() {
        let name = scheme.name().to_owned();
        let Some(text_keyed) = text_keyed(&scheme) else { continue };
        let signed = Signed::of(text_keyed, KEY);
        reports.extend(signed.case(&name, &[KEY], Some(0)));
        reports.extend(signed.case(&name, &["another key of sixteen bytes"], None));
    }
    for length in [1, 16, 32, 64, 65, 4096] {
        let key = "k".repeat(length);
        for (hash, scheme) in [("SHA-256", schemes::github()), ("SHA-1", sha1())] {
            let signed = Signed::of(scheme, &key);
            reports.extend(signed.case(&format!("{hash}, a key of {length} bytes"), &[&key], Some(0)));
        }
    }
    let ring = ["the first key of the ring", "the second key of the ring", "the third key of the ring"];
    for scheme in [schemes::github(), sha1(), schemes::stripe()] {
        let name = scheme.name().to_owned();
        for (index, key) in ring.iter().enumerate() {
            let case = format!("{name}, key {index} of three");
            reports.extend(Signed::of(scheme.clone(), key).case(&case, &ring, Some(index)));
        }
        let foreign = Signed::of(scheme, "not a key of the ring at all");
        reports.extend(foreign.case(&format!("{name}, none of three"), &ring, None));
    }
    for (place, winner) in [(0, Some(1)), (3, Some(1)), (7, Some(1)), (8, None)] {
        let signed = Signed::of(schemes::stripe(), "the second key of the ring").among_candidates(place);
        reports.extend(signed.case(&format!("candidate {place} of eight"), &ring, winner));
    }
    reports
}

/// The scheme with keys that are taken as they are. Decoding a key may look bytes up in a table, and then memcheck
/// loses sight of them.
fn text_keyed(scheme: &Scheme) -> Option<Scheme> {
    // Public keys are no secret; and the secrets of RFC 9421 are base64 in any case, compared by what compares the others.
    if OF_PUBLIC_KEYS.contains(&scheme.name()) || matches!(scheme.syntax(), Syntax::HttpMessage { .. }) {
        return None;
    }
    let builder = SchemeBuilder::from(scheme.clone()).key_format(KeyFormat::Utf8);
    let builder = match scheme.key_format() {
        KeyFormat::Utf8 | KeyFormat::Hex | KeyFormat::Base64 => builder,
        // Without its public keys, which only this format can write.
        KeyFormat::StandardWebhooks => {
            let hmac = Version { name: "v1".into(), algorithm: Algorithm::HmacSha256 };
            builder.syntax(Syntax::Versioned { versions: vec![hmac] })
        }
        other => panic!("{}: are keys of {other:?} secret?", scheme.name()),
    };
    Some(builder.build().unwrap())
}

fn sha1() -> Scheme {
    Scheme::builder("sha1").signature_header("x-signature").prefix_sha1("sha1=").build().unwrap()
}

/// A delivery, genuine under one key. All of it is public: the attacker has written it.
struct Signed {
    scheme: Scheme,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Signed {
    fn of(scheme: Scheme, key: &str) -> Self {
        let body =
            body(NOW, "evt_1", "a body of more than one block of either hash, so that several are chained");
        let signer = Signer::new(&scheme, &Key::new("sender", key).danger_allow_short_key()).unwrap();
        let body = signer.signed_body(&body).unwrap().into_owned();
        let outgoing = Outgoing::new(&body).url(URL).id("msg_1").event_type("t").timestamp(at(NOW));
        let headers = signer.sign(&outgoing).unwrap();
        Self { scheme, headers, body }
    }

    /// Puts the genuine signature of a `t=..,v1=..` header at `place` among eight; beyond them it is left out.
    fn among_candidates(mut self, place: usize) -> Self {
        let name = "stripe-signature";
        let text = self.headers.get(name).unwrap().to_str().unwrap();
        let (time, genuine) = text.split_once(",v1=").unwrap();
        let wrong = |n: usize| format!("{n:064x}");
        let list = (0..8).map(|n| if n == place { genuine.to_owned() } else { wrong(n) });
        let text = list.fold(time.to_owned(), |list, one| list + ",v1=" + &one);
        self.headers.insert(name, HeaderValue::from_str(&text).unwrap());
        self
    }

    /// Verifies with `keys`, of which the one at `winner` is to be found.
    fn case(&self, name: &str, keys: &[&str], winner: Option<usize>) -> [Report; 2] {
        // Whether any, and then each key up to the one that it was.
        let verdicts = winner.map_or(1, |index| index + 2);
        let verifier = self.verifier(keys);
        let report = |door: &str, outcome: Result<Option<usize>, Refusal>, errors| {
            assert_eq!(outcome, winner.map(Some).ok_or(Refusal::SignatureMismatch), "{name}, {door}");
            Report { name: format!("{name}, {door}"), errors, verdicts }
        };
        let index = |id: &str| id.parse().ok();

        let (outcome, errors) = watched(|| verifier.verify(&self.headers, &self.body, at(NOW)));
        let at_once = report("at once", outcome.map(|proof| index(proof.key_id())), errors);

        let (outcome, errors) = watched(|| {
            let mut pending = verifier.begin(RequestView::from(&self.headers), at(NOW))?;
            for piece in self.body.chunks(50) {
                pending.update(piece)?;
            }
            pending.finish()
        });
        [at_once, report("in pieces", outcome.map(|proof| index(proof.key_id())), errors)]
    }

    fn verifier(&self, keys: &[&str]) -> Verifier {
        let keys = keys.iter().enumerate().map(|(index, text)| {
            let text = (*text).to_owned();
            make_secret(text.as_bytes());
            Key::new(index.to_string(), text).danger_allow_short_key()
        });
        let builder = builder(&self.scheme).keys(keys);
        unwatched(|| builder.build()).unwrap()
    }
}
