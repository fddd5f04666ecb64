//! What the headers of a request claim, and everything that can be refused without its body.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName};

use crate::canonical;
use crate::encoding::is_id_byte;
use crate::http_message;
use crate::key_ring::KeyRing;
use crate::mac::Digest;
use crate::message_components::Covered;
use crate::part::Part;
use crate::refusal::Refusal;
use crate::request::RequestView;
use crate::scheme::{DigestScope, Freshness, Location, Scheme, Syntax, TimestampAt};
use crate::signature_list::{self, Candidates, Presented, header_text};
use crate::timestamp::{TimestampFormat, UnixTime};
use crate::verified::{MAX_ID_BYTES, Observed, ShortText};
use crate::verifier::Verifier;

/// What the headers claim. Believed only when a signature over it holds.
pub(crate) struct Claims<'a> {
    pub(crate) candidates: Candidates,
    pub(crate) observed: Observed,
    pub(crate) then: Then,
    request: RequestView<'a>,
    id: &'a str,
    timestamp: &'a str,
    token: &'a str,
    public_url: &'a str,
    webhook_id: &'a str,
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
    /// Everything that can be refused without the body, in the order that the test vectors fix.
    pub(crate) fn read(
        verifier: &'a Verifier,
        ring: &KeyRing,
        request: RequestView<'a>,
        now: UnixTime,
    ) -> Result<Self, Refusal> {
        let headers = request.headers;
        refuse_content_encoding(headers)?;
        let scheme = verifier.scheme().family(headers);
        refuse_duplicates(scheme, headers)?;
        check_required(scheme, headers)?;
        let url = || [verifier.public_url(), request.path_and_query].concat();
        let mut presented = match scheme.syntax {
            Syntax::AdyenItems => Presented::nothing(),
            Syntax::HttpMessage { .. } => {
                http_message::read(scheme, ring, &Covered::new(request, &url()), now)?
            }
            _ => signature_list::read(scheme, headers)?,
        };
        check_signed_headers(scheme, headers)?;
        let id = signed_id(scheme, headers)?;
        let timestamp = signed_timestamp(scheme, headers, presented.timestamp)?;
        if let (Some((_, time, format)), Freshness::SignedTimestamp { window, .. }) =
            (timestamp, &verifier.scheme().freshness)
        {
            window.check(time, now, format)?;
        }
        let mut claims = Self {
            candidates: presented.candidates,
            observed: Observed {
                timestamp: timestamp.map(|(_, time, _)| time),
                header_id: metadata_header(headers, scheme.event_id.as_ref(), is_id_byte),
                header_type: scheme
                    .event_types
                    .iter()
                    .find_map(|at| metadata_header(headers, Some(at), |_| true)),
                context: None,
                signed_text: None,
            },
            then: Then::Nothing,
            request,
            id,
            timestamp: timestamp.map_or("", |(text, ..)| text),
            token: presented.token.as_ref().map_or("", |token| token.content),
            public_url: verifier.public_url(),
            webhook_id: verifier.webhook_id(),
            texts: std::mem::take(&mut presented.messages),
        };
        if let Syntax::HttpMessage { .. } = scheme.syntax {
            let digest = http_message::stated_digest(headers);
            claims.then = Then::Message { created: presented.created, digest };
        } else if let Some(token) = presented.token {
            claims.then = Then::TokenClaims(token.claims);
        } else if scheme.parts.contains(&Part::UrlVariants) {
            claims.texts = canonical::url_variants(&url()).into_iter().map(String::into_bytes).collect();
            let digest = canonical::digest_in_query(request.path_and_query).map(str::to_owned);
            claims.then = digest.map_or(Then::Nothing, Then::BodyDigest);
        }
        claims.observed.context = claims.context(scheme);
        Ok(claims)
    }

    /// How many texts may have been signed.
    pub(crate) fn messages(&self) -> usize {
        self.texts.len().max(1)
    }

    /// What the body contributes to the signed text.
    pub(crate) fn of_body<'b>(&self, scheme: &Scheme, body: &'b [u8]) -> Cow<'b, [u8]> {
        of_body(scheme, &self.then, body)
    }

    /// Hands the signed parts of the message of this index to `sink`, byte for byte as presented.
    pub(crate) fn feed(&self, parts: &[Part], message: usize, sink: &mut (impl FnMut(&[u8]) + ?Sized)) {
        for part in parts {
            match part {
                Part::Literal(text) => sink(text.as_bytes()),
                Part::Id => sink(self.id.as_bytes()),
                Part::Timestamp => sink(self.timestamp.as_bytes()),
                Part::Method => sink(self.request.method.as_str().as_bytes()),
                Part::Url => {
                    sink(self.public_url.as_bytes());
                    sink(self.request.path_and_query.as_bytes());
                }
                Part::UrlVariants | Part::SignatureBase => {
                    sink(self.texts.get(message).map_or(&[], |text| text));
                }
                Part::EncodedPath => {
                    sink(canonical::encoded_path(&self.url()).as_bytes());
                }
                Part::SignedHeaders(list) => sink(&canonical::signed_headers(list, self.request.headers)),
                Part::WebhookId => sink(self.webhook_id.as_bytes()),
                Part::TokenContent => sink(self.token.as_bytes()),
                Part::Body | Part::BodyCrc32 | Part::Form(_) => {}
            }
        }
    }

    fn url(&self) -> String {
        [self.public_url, self.request.path_and_query].concat()
    }

    /// A digest of the signed parts that tell events apart beside the body.
    fn context(&self, scheme: &Scheme) -> Option<[u8; 32]> {
        if scheme.identity == DigestScope::Body || scheme.parts.contains(&Part::Id) {
            return None;
        }
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
                    self.feed(std::slice::from_ref(part), 0, &mut field);
                }
                // Two ways to write one URL must not make two events of one.
                Part::UrlVariants => field(canonical::escape_apostrophes(&self.url()).as_bytes()),
                _ => {}
            }
        }
        digest.map(Digest::finish)
    }
}

/// What the body contributes to the signed text: no form where its digest stands in the query.
pub(crate) fn of_body<'b>(scheme: &Scheme, then: &Then, body: &'b [u8]) -> Cow<'b, [u8]> {
    match (scheme.body_part(), then) {
        (None, _) | (Some(Part::Form(_)), Then::BodyDigest(_)) => Cow::Borrowed(&[]),
        (Some(part), _) => part.of_body(body),
    }
}

fn check_required(scheme: &Scheme, headers: &HeaderMap) -> Result<(), Refusal> {
    for (name, wanted) in &scheme.required_headers {
        let value = headers.get(name).ok_or(Refusal::MissingHeader)?;
        if value.as_bytes() != wanted.as_bytes() {
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
        // Read from the claims, once their signature holds.
        TimestampAt::Claim(_) => return Ok(None),
        // Read with the signatures, each of which has its own.
        TimestampAt::Created => return Ok(None),
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
