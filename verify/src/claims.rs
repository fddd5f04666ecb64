//! What the headers of a request claim, and everything that can be refused without its body.

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue};

use crate::canonical;
use crate::encoding::{is_id, is_printable};
use crate::headers_read::HeadersFound;
use crate::http_message;
use crate::key_ring::KeyRing;
use crate::mac::{Digest, Text};
use crate::message_components::Covered;
use crate::part::Part;
use crate::refusal::Refusal;
use crate::request::RequestView;
use crate::scheme::{Freshness, Scheme, Syntax, TimestampAt};
use crate::signature_list::{self, Candidates, Presented, PresentedMore};
use crate::timestamp::{TimestampFormat, UnixTime};
use crate::verified::{MAX_ID_BYTES, Observed};
use crate::verifier::Verifier;

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

    /// Everything that can be refused without the body, in the order that the test vectors fix.
    /// What outlives the headers goes into `candidates` and `observed`.
    #[inline]
    pub(crate) fn read(
        &mut self,
        ring: &KeyRing,
        now: UnixTime,
        candidates: &mut Candidates,
        observed: &mut Observed,
    ) -> Result<(), Refusal> {
        let scheme = self.scheme;
        self.headers.look_through(&scheme.plan.headers, self.request.headers);
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
            _ => signature_list::read(scheme, headers, candidates, &mut self.presented)?,
        }
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

    #[inline]
    fn several_texts(&self) -> &[Vec<u8>] {
        self.more.as_ref().map_or(&[], |more| &more.texts)
    }

    /// What is signed before and after the body.
    pub(crate) fn around_body(&self) -> (&'a [Part], &'a [Part]) {
        self.scheme.around_body()
    }

    /// How many texts may have been signed.
    #[inline]
    pub(crate) fn messages(&self) -> usize {
        self.several_texts().len().max(1)
    }

    /// One of the texts that may have been signed; `of_body` is what the body contributes.
    #[inline]
    pub(crate) fn text<'c>(&'c self, message: usize, of_body: &'c [u8]) -> Claimed<'c> {
        Claimed { claims: self, message, of_body }
    }

    /// What the body contributes to the signed text.
    pub(crate) fn of_body<'b>(&self, scheme: &Scheme, body: &'b [u8]) -> Cow<'b, [u8]> {
        of_body(scheme, self.then(), body)
    }

    /// Hands these parts of the message of this index to `sink`, byte for byte as presented. `of_body` is what the body
    /// contributes.
    #[inline]
    pub(crate) fn feed(&self, parts: &[Part], message: usize, of_body: &[u8], sink: &mut impl FnMut(&[u8])) {
        for part in parts {
            // One call, for the hash's buffering is copied to each.
            sink(match part {
                Part::Literal(text) => text.as_bytes(),
                Part::Id => self.id,
                Part::Timestamp => self.timestamp,
                Part::Body | Part::BodyCrc32 | Part::Form(_) => of_body,
                Part::Method
                | Part::Url
                | Part::UrlVariants
                | Part::SignatureBase
                | Part::EncodedPath
                | Part::SignedHeaders(_)
                | Part::WebhookId
                | Part::TokenContent => {
                    self.feed_of_request(part, message, sink);
                    continue;
                }
            });
        }
    }

    /// The same for what is made of other headers, of the URL or of the configuration.
    #[inline(never)]
    fn feed_of_request(&self, part: &Part, message: usize, sink: &mut dyn FnMut(&[u8])) {
        match part {
            Part::Method => sink(self.request.method.as_str().as_bytes()),
            Part::Url => {
                sink(self.verifier.public_url().as_bytes());
                sink(self.request.path_and_query.as_bytes());
            }
            Part::UrlVariants | Part::SignatureBase => {
                sink(self.several_texts().get(message).map_or(&[], |text| text));
            }
            Part::EncodedPath => sink(canonical::encoded_path(&self.url()).as_bytes()),
            Part::SignedHeaders(list) => sink(&canonical::signed_headers(list, self.request.headers)),
            Part::WebhookId => sink(self.verifier.webhook_id().as_bytes()),
            Part::TokenContent => sink(self.more.as_ref().map_or("", |more| more.token).as_bytes()),
            _ => {}
        }
    }

    fn url(&self) -> String {
        [self.verifier.public_url(), self.request.path_and_query].concat()
    }

    /// A digest of the signed parts that tell events apart beside the body.
    fn context(&self, scheme: &Scheme) -> Option<[u8; 32]> {
        let mut digest = None;
        for part in &scheme.parts {
            let mut field = |bytes: &[u8]| {
                digest.get_or_insert_with(|| Digest::new("hookproof/signed-context/1")).field(bytes);
            };
            match part {
                Part::Timestamp
                | Part::Method
                | Part::Url
                | Part::EncodedPath
                | Part::SignedHeaders(_)
                | Part::TokenContent => {
                    self.feed(std::slice::from_ref(part), 0, &[], &mut field);
                }
                // Two ways to write one URL must not make two events of one.
                Part::UrlVariants => field(canonical::escape_apostrophes(&self.url()).as_bytes()),
                _ => {}
            }
        }
        digest.map(Digest::finish)
    }
}

/// One of the texts that may have been signed.
pub(crate) struct Claimed<'c> {
    claims: &'c Claims<'c>,
    message: usize,
    of_body: &'c [u8],
}

impl Text for Claimed<'_> {
    fn feed(&self, mut sink: impl FnMut(&[u8])) {
        self.claims.feed(&self.claims.scheme.parts, self.message, self.of_body, &mut sink);
    }
}

/// What the body contributes to the signed text: no form where its digest stands in the query.
pub(crate) fn of_body<'b>(scheme: &Scheme, then: &Then, body: &'b [u8]) -> Cow<'b, [u8]> {
    match (scheme.body_part(), then) {
        (None, _) | (Some(Part::Form(_)), Then::BodyDigest(_)) => Cow::Borrowed(&[]),
        (Some(part), _) => part.of_body(body),
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
    claims.headers.look_through(&scheme.plan.headers, request.headers);
    if claims.headers.duplicate {
        return None;
    }
    if let TimestampAt::SignatureField = at {
        let mut candidates = Candidates::default();
        signature_list::read(scheme, &claims.headers, &mut candidates, &mut claims.presented).ok()?;
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
