//! What the headers of a request claim, and everything that can be refused without its body.

use http::{HeaderMap, HeaderName, Method};

use crate::encoding::is_id_byte;
use crate::mac::Digest;
use crate::refusal::Refusal;
use crate::request::RequestView;
use crate::scheme::{DigestScope, Freshness, Location, Part, Scheme, TimestampAt};
use crate::signature_list::{self, Candidates, header_text};
use crate::timestamp::{TimestampFormat, UnixTime};
use crate::verified::{MAX_ID_BYTES, Observed, ShortText};
use crate::verifier::Verifier;

/// What the headers claim. Believed only when a signature over it holds.
pub(crate) struct Claims<'a> {
    pub(crate) candidates: Candidates,
    pub(crate) observed: Observed,
    id: &'a str,
    timestamp: &'a str,
    method: &'a Method,
    public_url: &'a str,
    path_and_query: &'a str,
}

impl<'a> Claims<'a> {
    /// Everything that can be refused without the body, in the order that the test vectors fix.
    pub(crate) fn read(
        verifier: &'a Verifier,
        request: RequestView<'a>,
        now: UnixTime,
    ) -> Result<Self, Refusal> {
        let scheme = verifier.scheme();
        refuse_content_encoding(request.headers)?;
        refuse_duplicates(scheme, request.headers)?;
        let presented = signature_list::read(scheme, request.headers)?;
        let id = signed_id(scheme, request.headers)?;
        let timestamp = signed_timestamp(scheme, request.headers, presented.timestamp)?;
        let mut claims = Self {
            candidates: presented.candidates,
            observed: Observed {
                timestamp: timestamp.map(|(_, time, _)| time),
                header_id: metadata_header(request.headers, scheme.event_id.as_ref(), is_id_byte),
                header_type: scheme
                    .event_types
                    .iter()
                    .find_map(|at| metadata_header(request.headers, Some(at), |_| true)),
                context: None,
            },
            id,
            timestamp: timestamp.map_or("", |(text, ..)| text),
            method: request.method,
            public_url: verifier.public_url(),
            path_and_query: request.path_and_query,
        };
        if let (Some((_, time, format)), Freshness::SignedTimestamp { window, .. }) =
            (timestamp, &scheme.freshness)
        {
            window.check(time, now, format)?;
        }
        claims.observed.context = claims.context(scheme);
        Ok(claims)
    }

    /// Hands the signed parts to `sink`, byte for byte as presented.
    pub(crate) fn feed(&self, parts: &[Part], sink: &mut impl FnMut(&[u8])) {
        for part in parts {
            match part {
                Part::Literal(text) => sink(text.as_bytes()),
                Part::Id => sink(self.id.as_bytes()),
                Part::Timestamp => sink(self.timestamp.as_bytes()),
                Part::Method => sink(self.method.as_str().as_bytes()),
                Part::Url => {
                    sink(self.public_url.as_bytes());
                    sink(self.path_and_query.as_bytes());
                }
                Part::Body => {}
            }
        }
    }

    fn context(&self, scheme: &Scheme) -> Option<[u8; 32]> {
        let beside_body = |part: &&Part| matches!(part, Part::Timestamp | Part::Method | Part::Url);
        if scheme.identity == DigestScope::Body || scheme.parts.contains(&Part::Id) {
            return None;
        }
        scheme.parts.iter().find(beside_body)?;
        let mut digest = Digest::new("hookproof/signed-context/1");
        for part in scheme.parts.iter().filter(beside_body) {
            self.feed(std::slice::from_ref(part), &mut |bytes| digest.field(bytes));
        }
        Some(digest.finish())
    }
}

fn refuse_content_encoding(headers: &HeaderMap) -> Result<(), Refusal> {
    let identity = |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if headers.get_all(http::header::CONTENT_ENCODING).iter().all(identity) {
        Ok(())
    } else {
        Err(Refusal::UnsupportedContentEncoding)
    }
}

fn refuse_duplicates(scheme: &Scheme, headers: &HeaderMap) -> Result<(), Refusal> {
    let twice = |name: &HeaderName| headers.get_all(name).iter().nth(1).is_some();
    if scheme.headers_read().any(twice) { Err(Refusal::DuplicateHeader) } else { Ok(()) }
}

/// The id header's text, or nothing if the scheme does not sign one.
fn signed_id<'a>(scheme: &Scheme, headers: &'a HeaderMap) -> Result<&'a str, Refusal> {
    let (Some(Location::Header(name)), true) = (&scheme.event_id, scheme.parts.contains(&Part::Id)) else {
        return Ok("");
    };
    let value = headers.get(name).ok_or(Refusal::MissingHeader)?.as_bytes();
    if value.is_empty() || value.len() > MAX_ID_BYTES || !value.iter().all(|byte| is_id_byte(*byte)) {
        return Err(Refusal::MalformedId);
    }
    str::from_utf8(value).map_err(|_| Refusal::MalformedId)
}

type Stamp<'a> = (&'a str, UnixTime, TimestampFormat);

/// The signed timestamp as text, as a moment, and its format; `None` if the scheme signs none.
fn signed_timestamp<'a>(
    scheme: &Scheme,
    headers: &'a HeaderMap,
    in_signature: Option<&'a str>,
) -> Result<Option<Stamp<'a>>, Refusal> {
    let Freshness::SignedTimestamp { at, format, .. } = &scheme.freshness else { return Ok(None) };
    let text = match at {
        TimestampAt::SignatureField => in_signature,
        TimestampAt::Header(name) => header_text(headers, name).map_err(|_| Refusal::MalformedTimestamp)?,
    };
    let text = text.ok_or(Refusal::MissingTimestamp)?;
    let time = format.parse(text.as_bytes()).ok_or(Refusal::MalformedTimestamp)?;
    Ok(Some((text, time, *format)))
}

/// A metadata header's text; what does not fit is no metadata.
fn metadata_header(
    headers: &HeaderMap,
    location: Option<&Location>,
    fits: fn(u8) -> bool,
) -> Option<ShortText> {
    let Some(Location::Header(name)) = location else { return None };
    let text = header_text(headers, name).ok()??;
    if text.bytes().all(fits) { ShortText::new(text) } else { None }
}
