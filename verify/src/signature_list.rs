//! The signatures that a request presents: found, bounded, decoded. No key is involved here.

use http::{HeaderMap, HeaderName};

use crate::encoding::{Encoding, SignatureBytes};
use crate::refusal::Refusal;
use crate::scheme::{Algorithm, Scheme, Syntax, Version};

/// The most signatures of one request that are compared.
pub const MAX_SIGNATURES: usize = 8;

/// The most elements, of whatever version, that a signature list may have.
const MAX_ELEMENTS: usize = 32;

/// What the signature headers hold.
pub(crate) struct Presented<'a> {
    pub(crate) candidates: Candidates,
    /// The timestamp inside the list, where the scheme has one there.
    pub(crate) timestamp: Option<&'a str>,
}

/// Signatures of the right length, at most [`MAX_SIGNATURES`].
#[derive(Clone, Copy)]
pub(crate) struct Candidates {
    list: [Option<(Algorithm, SignatureBytes)>; MAX_SIGNATURES],
    len: usize,
}

impl Candidates {
    pub(crate) fn of(&self, wanted: Algorithm) -> impl Iterator<Item = &[u8]> {
        self.list
            .iter()
            .flatten()
            .filter(move |(algorithm, _)| *algorithm == wanted)
            .map(|(_, sig)| sig.as_slice())
    }

    fn push(&mut self, algorithm: Algorithm, encoding: Encoding, text: &str) {
        if let Some(bytes) = encoding.decode_exact(text.as_bytes(), algorithm.signature_len())
            && let Some(slot) = self.list.get_mut(self.len)
        {
            *slot = Some((algorithm, bytes));
            self.len += 1;
        }
    }
}

/// Reads every signature header that is present.
pub(crate) fn read<'a>(scheme: &Scheme, headers: &'a HeaderMap) -> Result<Presented<'a>, Refusal> {
    let mut out =
        Presented { candidates: Candidates { list: [None; MAX_SIGNATURES], len: 0 }, timestamp: None };
    let mut seen = false;
    for name in &scheme.signature_headers {
        match header_text(headers, name) {
            Ok(None) => {}
            Ok(Some(text)) => {
                seen = true;
                read_one(scheme, text, &mut out)?;
            }
            // Of two alternatives a malformed one must not mask the other.
            Err(_) => seen = true,
        }
    }
    match (seen, out.candidates.len) {
        (false, _) => Err(Refusal::MissingHeader),
        (true, 0) => Err(Refusal::MalformedHeader),
        _ => Ok(out),
    }
}

/// The header's value, if it is there once and printable ASCII.
pub(crate) fn header_text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    if !value.as_bytes().iter().all(|b| (0x20..=0x7e).contains(b)) {
        return Err(Refusal::MalformedHeader);
    }
    str::from_utf8(value.as_bytes()).map(Some).map_err(|_| Refusal::MalformedHeader)
}

fn read_one<'a>(scheme: &Scheme, text: &'a str, out: &mut Presented<'a>) -> Result<(), Refusal> {
    match &scheme.syntax {
        Syntax::Plain { prefix, algorithm } => {
            if let Some(signature) = text.strip_prefix(prefix.as_ref()) {
                out.candidates.push(*algorithm, scheme.encoding, signature);
            }
            Ok(())
        }
        Syntax::KeyValue { versions, timestamp, separator } => {
            let elements = text.split(*separator).map(|element| element.split_once('='));
            read_list(elements, versions, timestamp.as_deref(), scheme.encoding, out)
        }
        Syntax::Versioned { versions } => {
            let elements = text.split(' ').map(|element| element.split_once(','));
            read_list(elements, versions, None, scheme.encoding, out)
        }
    }
}

/// Elements of unknown versions, without a separator, or of another length are passed over: a provider may add a
/// version, and one bad signature must not mask a good one.
fn read_list<'a>(
    elements: impl Iterator<Item = Option<(&'a str, &'a str)>>,
    versions: &[Version],
    timestamp_name: Option<&str>,
    encoding: Encoding,
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
            out.candidates.push(version.algorithm, encoding, value);
        }
    }
    Ok(())
}
