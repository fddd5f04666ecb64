use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookproof::{Outgoing, SignError, UnixTime};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::answer::{self, Verdict};
use super::client::{self, Names};
use super::headers;
use super::target::Target;
use crate::clock::Clock;
use crate::effect::{Context, Failure, Handler};
use crate::event::Event;
use crate::source::{SourceError, wrong};

const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Posts events to a target. Keeps its connections; a clone shares them.
#[derive(Clone)]
pub struct Forwarder {
    target: Arc<Target>,
    http: reqwest::Client,
    clock: Arc<dyn Clock>,
}

impl Forwarder {
    /// A forwarder that has not connected yet.
    ///
    /// # Errors
    ///
    /// [`SourceError`] if there are no certificates to trust.
    pub fn new(target: Target, names: Arc<dyn Names>, clock: Arc<dyn Clock>) -> Result<Self, SourceError> {
        let http = client::client(&target, names).map_err(|error| {
            let problem = format!(
                "no TLS with the certificates that there are ({error}): install the system's (ca-certificates), or name \
                 those of your own authority here"
            );
            wrong("ca_file", problem)
        })?;
        Ok(Self { target: Arc::new(target), http, clock })
    }

    /// Where it posts to.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Everything that is sent beside the body.
    fn headers(&self, event: &Event, context: &Context, now: UnixTime) -> Result<HeaderMap, SignError> {
        let mut headers = headers::of(event, context, &self.target.headers);
        let outgoing = Outgoing::new(&event.body).id(&context.idempotency_key).timestamp(now);
        // One signature per key, in one header: during a rotation the target knows at least one of them.
        let mut signatures = Vec::with_capacity(self.target.signers.len());
        for signer in &self.target.signers {
            for (name, value) in &signer.sign(&outgoing)? {
                if name == SIGNATURE {
                    signatures.push(value.as_bytes().to_vec());
                } else {
                    headers.insert(name, value.clone());
                }
            }
        }
        if let Ok(value) = HeaderValue::from_bytes(&signatures.join(&b' ')) {
            headers.insert(SIGNATURE, value);
        }
        Ok(headers)
    }

    /// What must not come back in a text that is kept.
    fn secrets(&self, sent: &HeaderMap) -> Vec<Vec<u8>> {
        let signatures =
            sent.get(SIGNATURE).into_iter().flat_map(|value| value.as_bytes().split(|b| *b == b' '));
        let configured = self.target.headers.values().flat_map(parts);
        let prefixes = [b"whsec_".to_vec(), b"whsk_".to_vec()];
        let all = signatures.map(<[u8]>::to_vec).chain(configured).chain(prefixes);
        all.filter(|secret| !secret.is_empty()).collect()
    }
}

/// A word of a header that is shorter is a scheme's name, or nothing that would be missed.
const WORD: usize = 6;

/// A configured header in every form in which an answer might repeat it: whole, its words (`Bearer` and the token), and what a
/// word says in base64 (`Basic`: the user and the password).
fn parts(value: &HeaderValue) -> Vec<Vec<u8>> {
    let whole = value.as_bytes();
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b';' | b'"');
    let words: Vec<&[u8]> = whole.split(ends).filter(|word| word.len() > WORD).collect();
    let decoded = words.iter().filter_map(|word| STANDARD.decode(word).ok());
    let passwords = decoded.flat_map(|text| {
        let password = text.splitn(2, |byte| *byte == b':').nth(1).map(<[u8]>::to_vec);
        [Some(text), password].into_iter().flatten()
    });
    let long = passwords.filter(|secret| secret.len() >= WORD).collect::<Vec<_>>();
    std::iter::once(whole).chain(words).map(<[u8]>::to_vec).chain(long).collect()
}

/// Cut off at any point, it leaves nothing but a request that may have arrived, as every lost answer does.
#[async_trait]
impl Handler for Forwarder {
    fn version(&self) -> &str {
        concat!("forward ", env!("CARGO_PKG_VERSION"))
    }

    async fn handle(&self, event: &Event, context: &Context) -> Result<(), Failure> {
        let sent = self.headers(event, context, self.clock.now()).map_err(Failure::permanent)?;
        let request = self.http.post(self.target.url.clone()).headers(sent.clone()).body(event.body.clone());
        let response =
            request.send().await.map_err(|error| Failure::Transient(client::why(&error, &self.target)))?;
        let status = response.status();
        let verdict = answer::verdict(status);
        if verdict == Verdict::Done {
            answer::drain(response).await;
            return Ok(());
        }
        let wait = answer::retry_after(response.headers(), self.clock.now());
        let mut text = format!("{} answered {}", self.target.host(), status.as_u16());
        if verdict == Verdict::Redirect {
            return Err(Failure::Permanent(
                text + ", a redirect, which is never followed: give the final URL",
            ));
        }
        if let Some(excerpt) = answer::excerpt(response, &self.secrets(&sent)).await {
            text = format!("{text}: {excerpt}");
        }
        Err(match (verdict, wait) {
            (Verdict::Again, Some(wait)) => Failure::RetryAfter(wait, text),
            (Verdict::Again, None) => Failure::Transient(text),
            _ => Failure::Permanent(text),
        })
    }
}

impl fmt::Debug for Forwarder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forwarder").field("target", &self.target).finish_non_exhaustive()
    }
}
