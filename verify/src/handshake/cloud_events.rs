use std::num::NonZeroU32;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response, header};

use crate::config_error::ConfigError;
use crate::handshake::text::header_value;
use crate::refusal::Refusal;
use crate::request::RequestView;

const ALLOWED_ORIGIN: HeaderName = HeaderName::from_static("webhook-allowed-origin");
const ALLOWED_RATE: HeaderName = HeaderName::from_static("webhook-allowed-rate");

/// Who may deliver CloudEvents here, and how fast.
#[derive(Clone, Debug)]
pub struct AllowedOrigins {
    origins: Vec<(String, HeaderValue)>,
    per_minute: Option<NonZeroU32>,
}

impl AllowedOrigins {
    /// These origins: DNS names such as `eventgrid.azure.net`, compared without regard to case.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Handshake`] without an origin, or with one that is no DNS name; `*` is none.
    pub fn new<T: AsRef<str>>(origins: impl IntoIterator<Item = T>) -> Result<Self, ConfigError> {
        let error = |problem| ConfigError::Handshake { field: "allowed origins", problem };
        let mut list = Vec::new();
        for origin in origins {
            let origin = origin.as_ref().to_ascii_lowercase();
            let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
            if origin.is_empty() || origin.len() > 253 || !origin.bytes().all(is_name) {
                return Err(error(
                    "hold what is no DNS name: give each by name, such as eventgrid.azure.net",
                ));
            }
            let value = HeaderValue::from_str(&origin).map_err(|_| error("hold what is no header value"))?;
            list.push((origin, value));
        }
        if list.is_empty() {
            return Err(error("are empty: name who may deliver, or leave the handshake out"));
        }
        Ok(Self { origins: list, per_minute: None })
    }

    /// How many requests per minute each origin may send; no limit unless given. Told to the sender, not enforced.
    #[must_use]
    pub fn requests_per_minute(mut self, limit: NonZeroU32) -> Self {
        self.per_minute = Some(limit);
        self
    }

    fn find(&self, presented: &str) -> Option<&HeaderValue> {
        let same = |(name, _): &&(String, HeaderValue)| name.eq_ignore_ascii_case(presented);
        self.origins.iter().find(same).map(|(_, value)| value)
    }
}

/// The abuse protection of CloudEvents over HTTP: `OPTIONS` with `WebHook-Request-Origin`, answered with consent for an
/// origin on the list. It says who may send, not who did: the deliveries must be signed.
///
/// A `WebHook-Request-Callback` is not followed: whoever asks would choose where this service connects to.
///
/// Source: cloudevents/spec, http-webhook.md, section 4.
///
/// # Errors
///
/// [`Refusal::HandshakeRefused`] for another origin, or a rate that is no number. Its answer holds no consent.
pub fn cloud_events(
    request: RequestView<'_>,
    allowed: &AllowedOrigins,
) -> Result<Option<Response<Bytes>>, Refusal> {
    if *request.method != Method::OPTIONS {
        return Ok(None);
    }
    let Some(presented) = header_value(request.headers, "webhook-request-origin")? else { return Ok(None) };
    let origin = allowed.find(presented).ok_or(Refusal::HandshakeRefused)?;
    let asked = header_value(request.headers, "webhook-request-rate")?;
    if !asked.is_none_or(is_rate) {
        return Err(Refusal::HandshakeRefused);
    }
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
    headers.insert(ALLOWED_ORIGIN, origin.clone());
    match (allowed.per_minute, asked) {
        (Some(limit), _) => drop(headers.insert(ALLOWED_RATE, HeaderValue::from(limit.get()))),
        // A rate that was asked for must be answered; this is "any".
        (None, Some(_)) => drop(headers.insert(ALLOWED_RATE, HeaderValue::from_static("*"))),
        (None, None) => {}
    }
    Ok(Some(response))
}

fn is_rate(text: &str) -> bool {
    let digits = !text.is_empty() && text.len() <= 10 && text.bytes().all(|b| b.is_ascii_digit());
    digits && !text.starts_with('0')
}
