//! Sending signed deliveries: what `hookproof send` and the demo do.

use std::time::{Duration, Instant};

use hookproof::{Outgoing, SignError, Signer, UnixTime};
use http::HeaderMap;

use crate::samples::Sample;

/// How far a `--stale` delivery lies in the past: beyond every window that can be configured.
const STALE: Duration = Duration::from_secs(40 * 24 * 3600);

/// A client for one URL.
#[derive(Clone, Debug)]
pub struct Sender {
    http: reqwest::Client,
    url: String,
}

/// What is done to a delivery so that it must be refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// A byte of the body is changed after signing.
    pub tamper: bool,
    /// It is dated far in the past.
    pub stale: bool,
}

/// A delivery, signed and ready; sending it again is a duplicate.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Clone, Copy, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// From the first byte sent to the last byte received.
    pub took: Duration,
}

/// Where a delivery goes, as far as the provider signs it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Endpoint<'a> {
    /// The public URL.
    pub url: &'a str,
    /// The id that the provider gave the endpoint; empty where it signs none.
    pub webhook_id: &'a str,
}

/// The moment to sign with, and to date the event with.
#[must_use]
pub fn dated(now: UnixTime, faults: Faults) -> UnixTime {
    let back = if faults.stale { crate::clock::millis(STALE) } else { 0 };
    UnixTime::from_millis(now.as_millis().saturating_sub(back))
}

/// Signs `sample` as its provider would.
///
/// # Errors
///
/// When the scheme needs something that the sample does not have.
pub fn sign(
    signer: &Signer,
    sample: &Sample,
    endpoint: Endpoint<'_>,
    at: UnixTime,
    faults: Faults,
) -> Result<Signed, SignError> {
    let mut body = signer.signed_body(&sample.body)?.into_owned();
    let outgoing = Outgoing::new(&body)
        .id(&sample.id)
        .event_type(&sample.event_type)
        .timestamp(at)
        .url(endpoint.url)
        .webhook_id(endpoint.webhook_id);
    let headers = signer.sign(&outgoing)?;
    if faults.tamper
        && let Some(byte) = body.last_mut()
    {
        *byte ^= 1;
    }
    Ok(Signed { headers, body })
}

impl Sender {
    /// A client that keeps its connections.
    ///
    /// # Errors
    ///
    /// When the TLS library does not start.
    pub fn new(url: impl Into<String>, timeout: Duration) -> anyhow::Result<Self> {
        install_tls();
        let http = reqwest::Client::builder()
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { http, url: url.into() })
    }

    /// The URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Posts a delivery, byte for byte.
    ///
    /// # Errors
    ///
    /// When there is no answer: no connection, or too late.
    pub async fn post(&self, signed: &Signed) -> reqwest::Result<Reply> {
        let request = self.http.post(&self.url).headers(signed.headers.clone());
        let json = matches!(signed.body.first(), Some(b'{' | b'['));
        let content_type = if json { "application/json" } else { "application/x-www-form-urlencoded" };
        let request = request.header(http::header::CONTENT_TYPE, content_type).body(signed.body.clone());
        let start = Instant::now();
        let response = request.send().await?;
        let status = response.status().as_u16();
        response.bytes().await?;
        Ok(Reply { status, took: start.elapsed() })
    }
}

/// Says which cryptography every client's TLS uses.
pub(crate) fn install_tls() {
    // Fails if a provider is installed already, which is just as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
