//! Reading the format `hookproof-vectors/1`.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use hookproof::{Algorithm, Key, Refusal, Scheme, UnixTime, Verified, Verifier};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde::Deserialize;

/// Every vector of a folder that has a preset, and the schemes that have none.
pub fn load(folder: &Path, foreign: bool) -> (Vec<Case>, BTreeSet<String>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ext| ext == "json"));
    paths.sort();
    assert!(!paths.is_empty(), "no *.json in {}", folder.display());
    let (mut cases, mut without_preset) = (Vec::new(), BTreeSet::new());
    for path in paths {
        let file = VectorFile::read(&path);
        match Scheme::by_name(&file.scheme) {
            Some(scheme) => cases.extend(file.cases(&scheme, foreign)),
            None => drop(without_preset.insert(file.scheme)),
        }
    }
    (cases, without_preset)
}

#[derive(Deserialize)]
struct VectorFile {
    schema: String,
    scheme: String,
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    keys: Vec<KeyEntry>,
    #[serde(default)]
    options: Options,
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct KeyEntry {
    id: String,
    material: String,
}

#[derive(Default, Deserialize)]
struct Options {
    tolerance_seconds: Option<u64>,
    public_url: Option<String>,
    webhook_id: Option<String>,
    required_components: Option<Vec<String>>,
    algorithm: Option<String>,
}

impl Options {
    /// The scheme with what a group configures of it.
    fn apply(&self, scheme: &Scheme) -> Scheme {
        if self.required_components.is_none() && self.algorithm.is_none() {
            return scheme.clone();
        }
        let algorithm = self.algorithm.as_deref().map(|name| match name {
            "hmac-sha256" => Algorithm::HmacSha256,
            "ed25519" => Algorithm::Ed25519,
            "ecdsa-p256-sha256" => Algorithm::EcdsaP256Fixed,
            "rsa-pss-sha512" => Algorithm::RsaPssSha512,
            "rsa-v1_5-sha256" => Algorithm::RsaPkcs1Sha256,
            other => panic!("algorithm {other:?}"),
        });
        let default = ["@method", "@target-uri", "content-digest"].map(str::to_owned).to_vec();
        let required = self.required_components.as_ref().unwrap_or(&default);
        // An identifier stands in the options without its quotes, those of parameters included.
        let required: Vec<_> =
            required.iter().map(|text| format!("\"{text}\"").replacen('"', "", 2)).collect();
        let builder = scheme.to_builder().http_message(required.iter().map(String::as_str), algorithm);
        let covered = required.iter().any(|name| name == "content-digest");
        if covered { builder } else { builder.danger_uncovered_body() }.build().unwrap()
    }
}

#[derive(Deserialize)]
struct Test {
    id: String,
    now: u64,
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body_utf8: Option<String>,
    body_hex: Option<String>,
    body_repeat: Option<Repeat>,
    result: String,
    reason: Option<String>,
    expect: Option<Expect>,
}

#[derive(Deserialize)]
struct Repeat {
    char: String,
    count: usize,
}

#[derive(Clone, Deserialize)]
struct Expect {
    key_id: String,
    event_id: Option<String>,
    event_id_signed: bool,
    event_type: Option<String>,
    timestamp: Option<u64>,
}

/// One vector, ready to run.
pub struct Case {
    pub id: String,
    pub scheme: String,
    pub verifier: Verifier,
    pub now: UnixTime,
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub valid: bool,
    pub reason: Option<String>,
    expect: Option<Expect>,
    must_explain: bool,
}

impl VectorFile {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let file: Self = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(file.schema, "hookproof-vectors/1", "{}", path.display());
        file
    }

    fn cases(self, scheme: &Scheme, foreign: bool) -> Vec<Case> {
        let mut cases = Vec::new();
        for group in self.groups {
            for test in group.tests {
                cases.push(Case::new(scheme, &group.keys, &group.options, test, foreign));
            }
        }
        cases
    }
}

impl Case {
    fn new(scheme: &Scheme, keys: &[KeyEntry], options: &Options, test: Test, foreign: bool) -> Self {
        let uri: Uri = test.url.parse().unwrap();
        let body = match (&test.body_utf8, &test.body_hex, &test.body_repeat) {
            (Some(text), None, None) => text.clone().into_bytes(),
            (None, Some(digits), None) => hex::decode(digits).unwrap(),
            (None, None, Some(repeat)) => repeat.char.repeat(repeat.count).into_bytes(),
            _ => panic!("{}: exactly one body is wanted", test.id),
        };
        Self {
            scheme: scheme.name().to_owned(),
            verifier: verifier(scheme, keys, options, &uri, foreign),
            now: UnixTime::from_secs(test.now),
            method: test.method.parse().unwrap(),
            headers: headers(&test),
            uri,
            body: body.into(),
            valid: match test.result.as_str() {
                "valid" => true,
                "invalid" => false,
                other => panic!("{}: result {other:?}", test.id),
            },
            reason: test.reason,
            expect: test.expect,
            must_explain: !foreign,
            id: test.id,
        }
    }

    /// Whether a door's verdict is the one that the vector wants, and for the reason that it wants.
    pub fn judge(&self, verdict: &Result<Verified<Bytes>, Refusal>) -> Result<(), String> {
        match (verdict, self.valid) {
            (Ok(_), false) => {
                Err(format!("accepted, wanted {}", self.reason.as_deref().unwrap_or("a refusal")))
            }
            (Err(refusal), true) => Err(format!("refused with {refusal}, wanted valid")),
            (Err(refusal), false) => match &self.reason {
                Some(reason) if reason != refusal.code() => {
                    Err(format!("refused with {refusal}, wanted {reason}"))
                }
                None if self.must_explain => Err("an invalid vector of ours names its reason".into()),
                _ => Ok(()),
            },
            (Ok(proof), true) => self.judge_proof(proof),
        }
    }

    fn judge_proof(&self, proof: &Verified<Bytes>) -> Result<(), String> {
        if proof.body() != &self.body {
            return Err("the proven body is not the one that was sent".into());
        }
        let Some(expect) = &self.expect else {
            return if self.must_explain {
                Err("a valid vector of ours has an 'expect'".into())
            } else {
                Ok(())
            };
        };
        let id = proof.event_id();
        let got = Expect {
            key_id: proof.key_id().to_owned(),
            event_id_signed: id.as_ref().is_some_and(hookproof::Metadata::is_signed),
            event_id: id.map(|id| id.value.into_owned()),
            event_type: proof.event_type().map(|kind| kind.value.into_owned()),
            timestamp: proof.timestamp().map(UnixTime::as_secs),
        };
        let same = got.key_id == expect.key_id
            && got.event_id == expect.event_id
            && got.event_id_signed == expect.event_id_signed
            && got.event_type == expect.event_type
            && got.timestamp == expect.timestamp;
        let show =
            |e: &Expect| format!("{} {:?} {} {:?}", e.key_id, e.event_id, e.event_id_signed, e.timestamp);
        if same { Ok(()) } else { Err(format!("proof: {}, wanted {}", show(&got), show(expect))) }
    }

    /// Turns the expectation into a wrong one.
    pub fn turn_around(&mut self) {
        match (&mut self.expect, self.valid) {
            (Some(expect), true) => expect.key_id.push_str("-other"),
            _ => self.reason = Some("another_reason".into()),
        }
    }
}

fn verifier(scheme: &Scheme, keys: &[KeyEntry], options: &Options, uri: &Uri, foreign: bool) -> Verifier {
    let mut builder = Verifier::builder(options.apply(scheme));
    for entry in keys {
        let key = Key::new(entry.id.as_str(), entry.material.as_str());
        // Official examples use keys like "foo". Ours do not.
        builder = builder.key(if foreign { key.danger_allow_short_key() } else { key });
    }
    if let Some(seconds) = options.tolerance_seconds {
        builder = builder.tolerance(Duration::from_secs(seconds));
    }
    if scheme.signs_url() {
        let origin = format!("{}://{}", uri.scheme_str().unwrap(), uri.authority().unwrap());
        builder = builder.public_url(options.public_url.clone().unwrap_or(origin));
    }
    if let Some(id) = &options.webhook_id {
        builder = builder.webhook_id(id);
    }
    builder.build().unwrap()
}

fn headers(test: &Test) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &test.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        // A code point up to U+00FF stands for that byte.
        let bytes: Vec<u8> = value.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        headers.append(name, HeaderValue::from_bytes(&bytes).unwrap_or_else(|e| panic!("{}: {e}", test.id)));
    }
    headers
}
