//! The signatures that a request presents: found, bounded, decoded. No key is involved here.

use http::HeaderValue;

use crate::algorithm::{Algorithm, AlgorithmSet, Version};
use crate::encoding::{Encoding, SignatureBytes, all_bytes};
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
const MAX_TOKEN_BYTES: usize = 1024;

/// What the signature headers hold.
pub(crate) struct Presented<'a> {
    pub(crate) candidates: Candidates,
    /// The timestamp inside the list, where the scheme has one there.
    pub(crate) timestamp: Option<&'a str>,
    /// The token that the header is, where the scheme has one.
    pub(crate) token: Option<Token<'a>>,
    /// The texts that may have been signed, where the headers say; each candidate is for one of them.
    pub(crate) messages: Vec<Vec<u8>>,
    /// When each of them was signed.
    pub(crate) created: Vec<UnixTime>,
}

impl Presented<'_> {
    /// Nothing in the headers, or nothing yet.
    pub(crate) fn nothing() -> Self {
        let (messages, created) = (Vec::new(), Vec::new());
        Self { candidates: Candidates::none(), timestamp: None, token: None, messages, created }
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
#[derive(Clone, Debug)]
pub(crate) struct Candidates {
    list: [Option<Candidate>; MAX_SIGNATURES],
    len: usize,
    /// The name of the only key that may verify them.
    wanted_key: Option<String>,
}

impl Candidates {
    fn none() -> Self {
        Self { list: [const { None }; MAX_SIGNATURES], len: 0, wanted_key: None }
    }

    /// Those that `key` may have made over this message, as far as names and headers say.
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
        let candidates = self.list.iter().flatten().filter(fits);
        candidates.map(|candidate| (candidate.algorithms, candidate.signature.as_slice()))
    }

    fn push(&mut self, algorithm: Algorithm, header: usize, signature: Option<SignatureBytes>) {
        if let Some(signature) = signature {
            let algorithms = AlgorithmSet::one(algorithm);
            self.add(Candidate { algorithms, signature, header, message: None });
        }
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

    fn add(&mut self, candidate: Candidate) {
        if let Some(slot) = self.list.get_mut(self.len) {
            *slot = Some(candidate);
            self.len += 1;
        }
    }
}

/// Decodes one signature as `algorithm` has it.
fn decode(algorithm: Algorithm, encoding: Encoding, text: &str) -> Option<SignatureBytes> {
    if algorithm == Algorithm::SharedToken {
        let digest = || SignatureBytes::short(&crate::mac::sha256(text.as_bytes()));
        return (1..=MAX_TOKEN_BYTES).contains(&text.len()).then(digest);
    }
    encoding.decode(text.as_bytes(), &algorithm.signature_len())
}

/// Reads every signature header that is present into `out`.
pub(crate) fn read<'a>(
    scheme: &Scheme,
    headers: &HeadersFound<'a>,
    out: &mut Presented<'a>,
) -> Result<(), Refusal> {
    let mut seen = 0;
    for index in 0..scheme.signature_headers.len() {
        match header_text(headers.signature(index)) {
            Ok(None) => continue,
            Ok(Some(text)) => read_one(scheme, index, text, out)?,
            // Of two alternatives a malformed one must not mask the other.
            Err(_) => {}
        }
        seen += 1;
        if seen > MAX_SIGNATURES {
            return Err(Refusal::TooManySignatures);
        }
    }
    match (seen, out.candidates.len) {
        (0, _) => Err(Refusal::MissingHeader),
        (_, 0) => Err(Refusal::MalformedHeader),
        _ => Ok(()),
    }
}

/// The header's value, if it is there and printable ASCII.
pub(crate) fn header_text(value: Option<&HeaderValue>) -> Result<Option<&str>, Refusal> {
    let Some(value) = value else { return Ok(None) };
    if !all_bytes(value.as_bytes(), |byte| (0x20..=0x7e).contains(&byte)) {
        return Err(Refusal::MalformedHeader);
    }
    str::from_utf8(value.as_bytes()).map(Some).map_err(|_| Refusal::MalformedHeader)
}

fn read_one<'a>(
    scheme: &Scheme,
    header: usize,
    text: &'a str,
    out: &mut Presented<'a>,
) -> Result<(), Refusal> {
    let encoding = scheme.encoding;
    match &scheme.syntax {
        Syntax::Plain { prefix, algorithm } => {
            let signature =
                text.strip_prefix(prefix.as_ref()).and_then(|text| decode(*algorithm, encoding, text));
            out.candidates.push(*algorithm, header, signature);
            Ok(())
        }
        Syntax::KeyValue { versions, timestamp, separator } => {
            let elements = text.split(*separator).map(|element| element.split_once('='));
            read_list(elements, versions, timestamp.as_deref(), (encoding, header), out)
        }
        Syntax::Versioned { versions } => {
            let elements = text.split(' ').map(|element| element.split_once(','));
            read_list(elements, versions, None, (encoding, header), out)
        }
        Syntax::JsonWebToken { .. } => {
            let token = Token::read(text)?;
            out.candidates.push(Algorithm::EcdsaP256Fixed, header, Some(token.signature.clone()));
            // A token without the name of a key names none.
            out.candidates.wanted_key = Some(token.key_name.clone().unwrap_or_default());
            out.token = Some(token);
            Ok(())
        }
        Syntax::AdyenItems | Syntax::HttpMessage { .. } => Ok(()),
    }
}

/// Elements of unknown versions, without a separator, or of another length are passed over: a provider may add a
/// version, and one bad signature must not mask a good one.
fn read_list<'a>(
    elements: impl Iterator<Item = Option<(&'a str, &'a str)>>,
    versions: &[Version],
    timestamp_name: Option<&str>,
    (encoding, header): (Encoding, usize),
    out: &mut Presented<'a>,
) -> Result<(), Refusal> {
    let mut counted = 0;
    for (index, element) in elements.enumerate() {
        if index == MAX_ELEMENTS {
            return Err(Refusal::TooManySignatures);
        }
        let Some((name, value)) = element else { continue };
        if timestamp_name == Some(name) {
            // Two timestamps: which one was signed cannot be known.
            if out.timestamp.replace(value).is_some() {
                return Err(Refusal::MalformedHeader);
            }
        } else if let Some(version) = versions.iter().find(|version| version.name == name) {
            counted += 1;
            if counted > MAX_SIGNATURES {
                return Err(Refusal::TooManySignatures);
            }
            let signature = decode(version.algorithm, encoding, value);
            out.candidates.push(version.algorithm, header, signature);
        }
    }
    Ok(())
}
