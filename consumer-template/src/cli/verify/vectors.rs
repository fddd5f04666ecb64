//! Deliveries out of a file of known answers, `hookproof-vectors/1`.

use std::time::Duration;

use anyhow::{Context as _, bail};
use hookproof::explain::{Explainer, Explanation};
use hookproof::{Key, RequestView, Scheme, UnixTime, Window};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use serde::Deserialize;

const SCHEMA: &str = "hookproof-vectors/1";

#[derive(Deserialize)]
pub(super) struct VectorFile {
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
}

#[derive(Deserialize)]
struct Repeat {
    char: String,
    count: usize,
}

/// A vector and what is said of it.
pub(super) struct Told {
    pub(super) id: String,
    pub(super) explanation: Explanation,
    /// Whether verdict and reason are those of the file.
    pub(super) as_stated: bool,
}

/// The file, if the input is one.
///
/// # Errors
///
/// What is wrong with it, by its place; never a value, which may be a key.
pub(super) fn parse(input: &[u8]) -> anyhow::Result<Option<VectorFile>> {
    if input.trim_ascii_start().first() != Some(&b'{') {
        return Ok(None);
    }
    let file: VectorFile = serde_json::from_slice(input).map_err(|e| {
        anyhow::anyhow!(
            "the input begins as JSON, and is no file of vectors: line {}, column {}",
            e.line(),
            e.column()
        )
    })?;
    if file.schema != SCHEMA {
        bail!("the vectors are not of the schema {SCHEMA}");
    }
    Ok(Some(file))
}

impl VectorFile {
    /// Explains the vector of this id, or every one.
    ///
    /// # Errors
    ///
    /// When there is no such preset or id, or a vector cannot be read.
    pub(super) fn explain(&self, id: Option<&str>, at: Option<UnixTime>) -> anyhow::Result<Vec<Told>> {
        let scheme = Scheme::by_name(&self.scheme).with_context(|| {
            format!(
                "the vectors are of the scheme '{}', which is no preset: see `hookproof schemes`",
                self.scheme.escape_debug()
            )
        })?;
        let wanted = |test: &&Test| id.is_none_or(|id| test.id == id);
        let mut told = Vec::new();
        for group in &self.groups {
            for test in group.tests.iter().filter(wanted) {
                told.push(
                    test.explain(&scheme, group, at)
                        .with_context(|| format!("vector {}", test.id.escape_debug()))?,
                );
            }
        }
        if told.is_empty() {
            bail!("there is no vector '{}' in the file", id.unwrap_or_default().escape_debug());
        }
        Ok(told)
    }
}

impl Test {
    fn explain(&self, scheme: &Scheme, group: &Group, at: Option<UnixTime>) -> anyhow::Result<Told> {
        let uri: Uri = self.url.parse().context("url")?;
        let method: Method = self.method.parse().context("method")?;
        // Official examples have keys like "foo".
        let key =
            |entry: &KeyEntry| Key::new(entry.id.as_str(), entry.material.as_str()).danger_allow_short_key();
        let mut explainer = Explainer::new(scheme.clone()).keys(group.keys.iter().map(key));
        if let Some(seconds) = group.options.tolerance_seconds {
            explainer = explainer.window(Window::symmetric(Duration::from_secs(seconds)));
        }
        let origin = || Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?));
        if let (Some(url), true) = (group.options.public_url.clone().or_else(origin), scheme.signs_url()) {
            explainer = explainer.public_url(url);
        }
        if let Some(id) = &group.options.webhook_id {
            explainer = explainer.webhook_id(id);
        }
        let (headers, body) = (self.headers()?, self.body()?);
        let path_and_query = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let request = RequestView { method: &method, path_and_query, headers: &headers };
        let now = at.unwrap_or(UnixTime::from_secs(self.now));
        let explanation = explainer.body_limit(usize::MAX).explain(request, &body, now);
        let same_verdict = explanation.is_accepted() == (self.result == "valid");
        let as_stated = same_verdict && explanation.reason == self.reason.as_deref();
        Ok(Told { id: self.id.clone(), explanation, as_stated })
    }

    fn headers(&self) -> anyhow::Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            // A code point up to U+00FF stands for that byte.
            let bytes: Result<Vec<u8>, _> = value.chars().map(|c| u8::try_from(u32::from(c))).collect();
            let value = HeaderValue::from_bytes(&bytes.context("headers")?).context("headers")?;
            headers.append(HeaderName::from_bytes(name.as_bytes()).context("headers")?, value);
        }
        Ok(headers)
    }

    fn body(&self) -> anyhow::Result<Vec<u8>> {
        const MOST: usize = 64 << 20;
        match (&self.body_utf8, &self.body_hex, &self.body_repeat) {
            (Some(text), None, None) => Ok(text.clone().into_bytes()),
            (None, Some(digits), None) => from_hex(digits).context("body_hex is not hexadecimal"),
            (None, None, Some(Repeat { char, count })) if char.len().saturating_mul(*count) <= MOST => {
                Ok(char.repeat(*count).into_bytes())
            }
            _ => bail!("give exactly one of body_utf8, body_hex and body_repeat, of at most {MOST} bytes"),
        }
    }
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair: &[u8]| {
        let good = pair.len() == 2 && pair.iter().all(u8::is_ascii_hexdigit);
        good.then(|| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok())?
    };
    pairs.map(byte).collect()
}
