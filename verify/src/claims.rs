//! What the headers of a request claim, and everything that can be refused without its body.

mod signed_text;

use http::{HeaderMap, HeaderValue};

use crate::ahead::Told;
use crate::canonical;
use crate::encoding::{is_id, is_printable};
use crate::headers_read::HeadersFound;
use crate::http_message;
use crate::key_ring::KeyRing;
use crate::message_components::Covered;
use crate::part::Part;
use crate::refusal::Refusal;
use crate::request::RequestView;
use crate::scheme::{Freshness, Scheme, Syntax, TimestampAt};
use crate::signature_list::{self, Candidates, Presented, PresentedMore, Reading};
use crate::timestamp::{TimestampFormat, UnixTime};
use crate::verified::{MAX_ID_BYTES, Observed};
use crate::verifier::Verifier;

pub(crate) use signed_text::of_body;

/// What the headers claim. Believed only when a signature over it holds.
pub(crate) struct Claims<'a> {
    scheme: &'a Scheme,
    headers: HeadersFound<'a>,
    presented: Presented<'a>,
    verifier: &'a Verifier,
    request: &'a RequestView<'a>,
    id: &'a [u8],
    timestamp: &'a [u8],
    /// In a box, for clearing and dropping it costs as much as reading a header.
    more: Option<Box<More<'a>>>,
}

/// What only a few schemes have.
struct More<'a> {
    then: Then,
    token: &'a str,
    /// The texts that may have been signed, or in which the URL may have been written, where there are several.
    texts: Vec<Vec<u8>>,
}

/// What must hold beside the signature, as soon as it holds.
#[derive(Clone, Debug)]
pub(crate) enum Then {
    Nothing,
    /// The body's SHA-256 in lower-case hex.
    BodyDigest(String),
    /// The claims of a token.
    TokenClaims(Vec<u8>),
    /// When each message was signed, and the digests that `Content-Digest` states.
    Message {
        created: Vec<UnixTime>,
        digest: Option<Vec<u8>>,
    },
}

impl<'a> Claims<'a> {
    /// Nothing yet. It is filled where it is, because moving it costs as much as reading most headers.
    #[inline(always)]
    pub(crate) fn new(verifier: &'a Verifier, request: &'a RequestView<'a>) -> Self {
        Self {
            scheme: verifier.scheme().family(request.headers),
            headers: HeadersFound::default(),
            presented: Presented::default(),
            verifier,
            request,
            id: &[],
            timestamp: &[],
            more: None,
        }
    }

    /// Finds the headers that count.
    #[inline]
    pub(crate) fn find_headers(&mut self) {
        self.headers.look_through(&self.scheme.plan.headers, self.request.headers);
    }

    /// Everything that can be refused without the body, in the order that the test vectors fix. The headers were found.
    /// What outlives them goes into `candidates` and `observed`. Between its steps it does a bit of what is to be done
    /// `meanwhile`.
    #[inline]
    pub(crate) fn read(
        &mut self,
        (ring, now): (&KeyRing, UnixTime),
        candidates: &mut Candidates,
        observed: &mut Observed,
        mut meanwhile: impl FnMut(),
    ) -> Result<(), Refusal> {
        let scheme = self.scheme;
        let headers = &self.headers;
        if headers.content_encoding {
            return Err(Refusal::UnsupportedContentEncoding);
        }
        if headers.duplicate {
            return Err(Refusal::DuplicateHeader);
        }
        check_required(scheme, headers)?;
        match scheme.syntax {
            Syntax::AdyenItems => {}
            Syntax::HttpMessage { .. } => {
                let url = self.url();
                let covered = Covered::new(*self.request, &url);
                http_message::read(scheme, ring, (&covered, now), candidates, &mut self.presented)?;
            }
            _ => {
                let presented = &mut self.presented;
                let into = Reading { candidates, presented, meanwhile: &mut meanwhile };
                signature_list::read(scheme, headers, into)?;
            }
        }
        meanwhile();
        if scheme.plan.signed_headers {
            check_signed_headers(scheme, self.request.headers)?;
        }
        self.id = signed_id(scheme, headers)?;
        if let Some((text, time, format)) = signed_timestamp(scheme, headers, self.presented.timestamp)? {
            if let Freshness::SignedTimestamp { window, .. } = &self.verifier.scheme().freshness {
                window.check(time, now, format)?;
            }
            (self.timestamp, observed.timestamp) = (text, Some(time));
        }
        if scheme.plan.more_than_signature {
            self.read_what_follows(scheme);
        }
        if scheme.plan.context {
            observed.context = self.context(scheme);
        }
        Ok(())
    }

    /// What is signed before the body, if nothing is after it, and what the headers tell of that before they are read.
    #[inline]
    pub(crate) fn told(&self, told: &mut Told<'a>) -> Option<&'a [Part]> {
        let Self { scheme, headers, .. } = self;
        let (Part::Body, before) = scheme.parts.split_last()? else { return None };
        if scheme.plan.signs_id {
            told.id = headers.event_id(&scheme.plan.headers)?.as_bytes();
        }
        match &scheme.freshness {
            Freshness::SignedTimestamp { at: TimestampAt::Header(_), .. } => {
                told.timestamp = headers.timestamp(&scheme.plan.headers)?.as_bytes();
            }
            Freshness::SignedTimestamp { .. } => {
                told.timestamp = signature_list::first_timestamp(scheme, headers)?;
            }
            _ => {}
        }
        Some(before)
    }

    /// The same, now that it was read.
    #[inline]
    pub(crate) fn accepted(&self) -> Told<'a> {
        Told { id: self.id, timestamp: self.timestamp }
    }

    /// Event id and type, of which nothing is refused.
    #[inline]
    pub(crate) fn read_metadata(&self, observed: &mut Observed) {
        let read = &self.scheme.plan.headers;
        if self.scheme.plan.signs_id {
            observed.header_id.fill(self.id);
        } else {
            let id = self.headers.event_id(read).and_then(|value| metadata(value, is_id));
            observed.header_id.fill(id.unwrap_or_default());
        }
        let mut event_types = self.headers.event_types(read);
        let event_type = event_types.find_map(|value| metadata(value, is_printable));
        observed.header_type.fill(event_type.unwrap_or_default());
    }

    /// What must hold beside the signature, and which texts it may be over.
    fn read_what_follows(&mut self, scheme: &Scheme) {
        let PresentedMore { token, messages, created } =
            self.presented.more.take().map(|more| *more).unwrap_or_default();
        let mut more = More { then: Then::Nothing, token: "", texts: messages };
        if let Syntax::HttpMessage { .. } = scheme.syntax {
            more.then = Then::Message { created, digest: http_message::stated_digest(self.request.headers) };
        } else if let Some(token) = token {
            more.token = token.content;
            more.then = Then::TokenClaims(token.claims);
        } else if scheme.plan.url_variants {
            let variants = canonical::url_variants(&self.url());
            more.texts = variants.into_iter().map(String::into_bytes).collect();
            let digest = canonical::digest_in_query(self.request.path_and_query).map(str::to_owned);
            more.then = digest.map_or(Then::Nothing, Then::BodyDigest);
        }
        self.more = Some(Box::new(more));
    }

    /// What must hold beside the signature.
    pub(crate) fn then(&self) -> &Then {
        self.more.as_ref().map_or(&Then::Nothing, |more| &more.then)
    }

    /// The same, for whoever outlives the headers.
    pub(crate) fn into_then(self) -> Then {
        self.more.map_or(Then::Nothing, |more| more.then)
    }
}

#[inline]
fn check_required(scheme: &Scheme, headers: &HeadersFound<'_>) -> Result<(), Refusal> {
    for ((_, wanted), value) in scheme.required_headers.iter().zip(headers.required(&scheme.plan.headers)) {
        if value.ok_or(Refusal::MissingHeader)?.as_bytes() != wanted.as_bytes() {
            return Err(Refusal::MalformedHeader);
        }
    }
    Ok(())
}

fn check_signed_headers(scheme: &Scheme, headers: &HeaderMap) -> Result<(), Refusal> {
    let timestamp = match &scheme.freshness {
        Freshness::SignedTimestamp { at: TimestampAt::Header(name), .. } => Some(name),
        _ => None,
    };
    scheme.parts.iter().try_for_each(|part| match part {
        Part::SignedHeaders(list) => canonical::check_signed_headers(list, timestamp, headers),
        _ => Ok(()),
    })
}

/// The time that the headers state where the scheme signs one there. Nothing is checked: it is for a log.
#[cfg(feature = "tower")]
pub(crate) fn stated_time(verifier: &Verifier, request: &RequestView<'_>) -> Option<UnixTime> {
    let Freshness::SignedTimestamp { at, .. } = &verifier.scheme().freshness else { return None };
    let mut claims = Claims::new(verifier, request);
    let scheme = claims.scheme;
    claims.find_headers();
    if claims.headers.duplicate {
        return None;
    }
    if let TimestampAt::SignatureField = at {
        let mut candidates = Candidates::default();
        let presented = &mut claims.presented;
        let into = Reading { candidates: &mut candidates, presented, meanwhile: || {} };
        signature_list::read(scheme, &claims.headers, into).ok()?;
    }
    let stamp = signed_timestamp(scheme, &claims.headers, claims.presented.timestamp).ok()??;
    Some(stamp.1)
}

/// The id header's text, or nothing if the scheme does not sign one.
#[inline]
fn signed_id<'a>(scheme: &Scheme, headers: &HeadersFound<'a>) -> Result<&'a [u8], Refusal> {
    if !scheme.plan.signs_id {
        return Ok(&[]);
    }
    let value = headers.event_id(&scheme.plan.headers).ok_or(Refusal::MissingHeader)?.as_bytes();
    if value.is_empty() || value.len() > MAX_ID_BYTES || !is_id(value) {
        return Err(Refusal::MalformedId);
    }
    Ok(value)
}

type Stamp<'a> = (&'a [u8], UnixTime, TimestampFormat);

/// The signed timestamp as text, as a moment, and its format; `None` if the scheme signs none.
#[inline]
fn signed_timestamp<'a>(
    scheme: &Scheme,
    headers: &HeadersFound<'a>,
    in_signature: Option<&'a [u8]>,
) -> Result<Option<Stamp<'a>>, Refusal> {
    let Freshness::SignedTimestamp { at, format, .. } = &scheme.freshness else { return Ok(None) };
    let text = match at {
        TimestampAt::SignatureField => in_signature,
        // Read from the claims, once their signature holds.
        TimestampAt::Claim(_) => return Ok(None),
        // Read with the signatures, each of which has its own.
        TimestampAt::Created => return Ok(None),
        TimestampAt::Header(_) => headers.timestamp(&scheme.plan.headers).map(HeaderValue::as_bytes),
    };
    let text = text.ok_or(Refusal::MissingTimestamp)?;
    let time = format.parse(text).ok_or(Refusal::MalformedTimestamp)?;
    Ok(Some((text, time, *format)))
}

/// A metadata header's text; what does not fit is no metadata.
#[inline]
fn metadata(value: &HeaderValue, fits: fn(&[u8]) -> bool) -> Option<&[u8]> {
    let text = value.as_bytes();
    (text.len() <= MAX_ID_BYTES && !text.is_empty() && fits(text)).then_some(text)
}
