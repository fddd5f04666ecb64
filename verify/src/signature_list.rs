//! The signatures that a request presents: found, bounded, decoded. No key is involved here.

use arrayvec::ArrayVec;
use http::HeaderValue;

use crate::algorithm::{Algorithm, AlgorithmSet, Version};
use crate::encoding::{Encoding, SignatureBytes, find_byte, is_printable, same_bytes};
use crate::headers_read::HeadersFound;
use crate::key_ring::RingKey;
use crate::refusal::Refusal;
use crate::scheme::{Scheme, Syntax};
use crate::timestamp::UnixTime;
use crate::token::Token;

/// The most signatures of one request that are compared.
pub const MAX_SIGNATURES: usize = 8;

/// The most elements, of whatever version, that a signature list may have.
const MAX_ELEMENTS: usize = 32;

/// The longest secret that is sent as it is, in bytes.
pub(crate) const MAX_TOKEN_BYTES: usize = 1024;

/// What the signature headers hold beside the signatures.
#[derive(Default)]
pub(crate) struct Presented<'a> {
    /// The timestamp inside the list, where the scheme has one there.
    pub(crate) timestamp: Option<&'a [u8]>,
    /// In a box, because most schemes have none of it.
    pub(crate) more: Option<Box<PresentedMore<'a>>>,
}

#[derive(Default)]
pub(crate) struct PresentedMore<'a> {
    /// The token that the header is, where the scheme has one.
    pub(crate) token: Option<Token<'a>>,
    /// The texts that may have been signed, where the headers say; each candidate is for one of them.
    pub(crate) messages: Vec<Vec<u8>>,
    /// When each of them was signed.
    pub(crate) created: Vec<UnixTime>,
}

/// Where that goes which is read of the signature headers, and what is done meanwhile: a bit of it before each signature.
pub(crate) struct Reading<'r, 'a, M> {
    pub(crate) candidates: &'r mut Candidates,
    pub(crate) presented: &'r mut Presented<'a>,
    pub(crate) meanwhile: M,
}

impl<M: FnMut()> Reading<'_, '_, M> {
    /// Decodes one signature as `algorithm` has it, in its place in the list. What is none is passed over; whether it was
    /// one is returned.
    #[inline]
    fn decode(&mut self, algorithm: Algorithm, (encoding, header): (Encoding, usize), text: &[u8]) -> bool {
        (self.meanwhile)();
        if self.candidates.list.is_full() {
            return false;
        }
        self.candidates.push(algorithm, header, SignatureBytes::zeros());
        let last = self.candidates.list.last_mut();
        let decoded = last.and_then(|Candidate { signature, .. }| match algorithm {
            Algorithm::SharedToken => {
                let fits = (1..=MAX_TOKEN_BYTES).contains(&text.len());
                fits.then(|| *signature = SignatureBytes::short(crate::mac::sha256(text)))
            }
            _ => encoding.decode_into(text, &algorithm.signature_len(), signature),
        });
        let is_one = decoded.is_some();
        if !is_one {
            self.candidates.list.pop();
        }
        is_one
    }
}

/// One signature of the right length.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// What it may have been made with.
    algorithms: AlgorithmSet,
    signature: SignatureBytes,
    /// The header that it stands in, as an index into the scheme's.
    header: usize,
    /// The only message that it is for.
    message: Option<usize>,
}

/// Signatures of the right length, at most [`MAX_SIGNATURES`]. Large, so it is filled where it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Candidates {
    list: ArrayVec<Candidate, MAX_SIGNATURES>,
    /// The name of the only key that may verify them.
    wanted_key: Option<String>,
}

impl Candidates {
    /// Those that `key` may have made over this message, as far as names and headers say.
    #[inline]
    pub(crate) fn presented(
        &self,
        key: &RingKey,
        message: usize,
    ) -> impl Iterator<Item = (AlgorithmSet, &[u8])> {
        let (header, named) = (key.header, self.wanted_key.as_ref().is_none_or(|wanted| *wanted == *key.kid));
        let fits = move |candidate: &&Candidate| {
            named
                && header.is_none_or(|only| only == candidate.header)
                && candidate.message.is_none_or(|only| only == message)
        };
        let candidates = self.list.iter().filter(fits);
        candidates.map(|candidate| (candidate.algorithms, candidate.signature.as_slice()))
    }

    #[inline]
    fn push(&mut self, algorithm: Algorithm, header: usize, signature: SignatureBytes) {
        self.add(Candidate { algorithms: AlgorithmSet::one(algorithm), signature, header, message: None });
    }

    pub(crate) fn push_for_message(
        &mut self,
        message: usize,
        algorithms: &[Algorithm],
        signature: SignatureBytes,
    ) {
        let algorithms = AlgorithmSet::new(algorithms);
        self.add(Candidate { algorithms, signature, header: 0, message: Some(message) });
    }

    /// More than [`MAX_SIGNATURES`] are passed over.
    #[inline]
    fn add(&mut self, candidate: Candidate) {
        let _ = self.list.try_push(candidate);
    }
}

/// Reads every signature header that is present.
#[inline]
pub(crate) fn read<'a>(
    scheme: &Scheme,
    headers: &HeadersFound<'a>,
    mut into: Reading<'_, 'a, impl FnMut()>,
) -> Result<(), Refusal> {
    let mut seen = 0;
    for index in 0..scheme.signature_headers.len() {
        let Some(value) = headers.signature(index) else { continue };
        read_one(scheme, (index, value.as_bytes()), &mut into)?;
        seen += 1;
        if seen > MAX_SIGNATURES {
            return Err(Refusal::TooManySignatures);
        }
    }
    match (seen, into.candidates.list.len()) {
        (0, _) => Err(Refusal::MissingHeader),
        (_, 0) => Err(Refusal::MalformedHeader),
        _ => Ok(()),
    }
}

/// Whether anything in the signature headers can be read as a signature.
#[cfg(feature = "explain")]
pub(crate) fn is_readable(scheme: &Scheme, headers: &http::HeaderMap) -> bool {
    let mut scheme = scheme.clone();
    scheme.plan_again();
    let mut found = HeadersFound::default();
    found.look_through(&scheme.plan.headers, headers);
    let (candidates, presented) = (&mut Candidates::default(), &mut Presented::default());
    read(&scheme, &found, Reading { candidates, presented, meanwhile: || {} }).is_ok()
}

/// The header's value, if it is there and printable ASCII.
pub(crate) fn header_text(value: Option<&HeaderValue>) -> Result<Option<&[u8]>, Refusal> {
    let Some(value) = value else { return Ok(None) };
    if is_printable(value.as_bytes()) { Ok(Some(value.as_bytes())) } else { Err(Refusal::MalformedHeader) }
}

/// A header that is not printable is passed over: of two alternatives a malformed one must not mask the other. What is
/// decoded is printable, so only the rest is looked at for it.
#[inline]
fn read_one<'a>(
    scheme: &Scheme,
    (header, text): (usize, &'a [u8]),
    into: &mut Reading<'_, 'a, impl FnMut()>,
) -> Result<(), Refusal> {
    let encoding = scheme.encoding;
    match &scheme.syntax {
        Syntax::Plain { prefix, algorithm } => {
            let signature = match text.split_at_checked(prefix.len()) {
                Some((start, text)) if same_bytes(start, prefix.as_bytes()) => text,
                _ => return Ok(()),
            };
            if *algorithm != Algorithm::SharedToken || is_printable(signature) {
                into.decode(*algorithm, (encoding, header), signature);
            }
            Ok(())
        }
        Syntax::KeyValue { versions, timestamp, separator } => {
            let separator = u8::try_from(*separator).ok();
            let list = List { separator, versions, timestamp: timestamp.as_deref(), equals: b'=' };
            list.read(text, (encoding, header), into)
        }
        Syntax::Versioned { versions } => {
            let list = List { separator: Some(b' '), versions, timestamp: None, equals: b',' };
            list.read(text, (encoding, header), into)
        }
        Syntax::JsonWebToken { .. } => {
            if !is_printable(text) {
                return Ok(());
            }
            let token = Token::read(str::from_utf8(text).map_err(|_| Refusal::MalformedHeader)?)?;
            let Reading { candidates, presented, .. } = into;
            candidates.push(Algorithm::EcdsaP256Fixed, header, token.signature.clone());
            // A token without the name of a key names none.
            candidates.wanted_key = Some(token.key_name.clone().unwrap_or_default());
            presented.more.get_or_insert_default().token = Some(token);
            Ok(())
        }
        Syntax::AdyenItems | Syntax::HttpMessage { .. } => Ok(()),
    }
}

/// The first timestamp in the first signature header, if the scheme has one there.
#[inline]
pub(crate) fn first_timestamp<'a>(scheme: &Scheme, headers: &HeadersFound<'a>) -> Option<&'a [u8]> {
    let Syntax::KeyValue { timestamp: Some(name), separator, .. } = &scheme.syntax else { return None };
    let (separator, mut rest) = (u8::try_from(*separator).ok(), Some(headers.signature(0)?.as_bytes()));
    (0..MAX_ELEMENTS).find_map(|_| {
        let (element, following) = split_first(rest?, separator);
        rest = following;
        value_of(element, name, b'=')
    })
}

/// The first element of a list, and those after it.
#[inline]
fn split_first(list: &[u8], separator: Option<u8>) -> (&[u8], Option<&[u8]>) {
    let end = separator.and_then(|separator| find_byte(list, separator)).unwrap_or(list.len());
    let (element, following) = list.split_at_checked(end).unwrap_or((list, &[]));
    (element, following.get(1..))
}

/// What stands behind `name` and `equals`, if the element has that name.
#[inline]
fn value_of<'a>(element: &'a [u8], name: &str, equals: u8) -> Option<&'a [u8]> {
    let (start, rest) = element.split_at_checked(name.len())?;
    let (first, value) = rest.split_first()?;
    (*first == equals && same_bytes(start, name.as_bytes())).then_some(value)
}

/// How a list is written.
struct List<'a> {
    separator: Option<u8>,
    versions: &'a [Version],
    timestamp: Option<&'a str>,
    /// What stands behind a name.
    equals: u8,
}

impl List<'_> {
    #[inline]
    fn read<'a>(
        &self,
        text: &'a [u8],
        place: (Encoding, usize),
        into: &mut Reading<'_, 'a, impl FnMut()>,
    ) -> Result<(), Refusal> {
        let before = (into.candidates.list.len(), into.presented.timestamp);
        let nothing_passed_over = self.read_elements(text, place, into);
        if !matches!(nothing_passed_over, Ok(true)) && !is_printable(text) {
            into.candidates.list.truncate(before.0);
            into.presented.timestamp = before.1;
            return Ok(());
        }
        nothing_passed_over.map(|_| ())
    }

    /// Elements of unknown versions, without a separator, or of another length are passed over: a provider may add a
    /// version, and one bad signature must not mask a good one. Whether there was none such is returned.
    #[inline]
    fn read_elements<'a>(
        &self,
        text: &'a [u8],
        place: (Encoding, usize),
        into: &mut Reading<'_, 'a, impl FnMut()>,
    ) -> Result<bool, Refusal> {
        let (mut counted, mut second_timestamp, mut nothing_passed_over) = (0, false, true);
        let (mut rest, mut index) = (Some(text), 0);
        while let Some(list) = rest {
            if index == MAX_ELEMENTS {
                return Err(Refusal::TooManySignatures);
            }
            index += 1;
            let mut versions = self.versions.iter();
            let value_of_version =
                |version: &Version| Some((version.algorithm, value_of(list, &version.name, self.equals)?));
            if let Some((algorithm, value)) = versions.find_map(value_of_version) {
                counted += 1;
                if counted > MAX_SIGNATURES {
                    return Err(Refusal::TooManySignatures);
                }
                let decoded;
                (decoded, rest) = self.decode_first(algorithm, place, value, into);
                nothing_passed_over &= decoded;
                continue;
            }
            let element;
            (element, rest) = split_first(list, self.separator);
            if let Some(value) = self.timestamp.and_then(|name| value_of(element, name, self.equals)) {
                nothing_passed_over &= is_printable(value);
                second_timestamp |= into.presented.timestamp.replace(value).is_some();
            } else {
                nothing_passed_over = false;
            }
        }
        // Two timestamps: which one was signed cannot be known.
        if second_timestamp { Err(Refusal::MalformedHeader) } else { Ok(nothing_passed_over) }
    }

    /// Decodes the signature that stands first: whether it is one, and the elements after it.
    #[inline]
    fn decode_first<'a>(
        &self,
        algorithm: Algorithm,
        place: (Encoding, usize),
        list: &'a [u8],
        into: &mut Reading<'_, 'a, impl FnMut()>,
    ) -> (bool, Option<&'a [u8]>) {
        let Some(bytes) = algorithm.fixed_len() else {
            let (text, rest) = split_first(list, self.separator);
            return (into.decode(algorithm, place, text), rest);
        };
        // What is decoded has no separator, so if this is a signature, its length tells where it ends.
        if let Some((text, following)) = list.split_at_checked(place.0.text_len(bytes))
            && following.first().is_none_or(|next| Some(*next) == self.separator)
            && into.decode(algorithm, place, text)
        {
            return (true, following.get(1..));
        }
        (false, split_first(list, self.separator).1)
    }
}
