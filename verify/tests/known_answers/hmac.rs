//! HMAC as the library does it: through a scheme that signs the body alone.

use hookproof::{
    ConfigError, Key, KeyFormat, Outgoing, Refusal, RequestView, Scheme, Signer, UnixTime, Verifier,
};
use http::HeaderMap;

/// The hash under an HMAC.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
}

const HEADER: &str = "x-signature";
const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

impl Hash {
    pub(crate) fn tag_bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    fn scheme(self) -> Scheme {
        let builder = Scheme::builder("known-answers").signature_header(HEADER).key_format(KeyFormat::Hex);
        match self {
            Self::Sha1 => builder.prefix_sha1(""),
            Self::Sha256 => builder.prefix(""),
        }
        .build()
        .unwrap()
    }
}

fn key(bytes: &[u8]) -> Key {
    Key::new("k1", hex::encode(bytes)).danger_allow_short_key()
}

/// The tag, or why the library does not take the key.
pub(crate) fn sign(hash: Hash, key_bytes: &[u8], message: &[u8]) -> Result<Vec<u8>, ConfigError> {
    let headers = Signer::new(&hash.scheme(), &key(key_bytes))?.sign(&Outgoing::new(message)).unwrap();
    Ok(hex::decode(headers[HEADER].as_bytes()).unwrap())
}

/// Whether the tag is taken: at once and in pieces, which must say the same.
pub(crate) fn accepts(hash: Hash, key_bytes: &[u8], message: &[u8], tag: &[u8]) -> bool {
    let mut builder = Verifier::builder(hash.scheme()).key(key(key_bytes));
    builder = builder.body_limit(message.len().max(1));
    let verifier = builder.build().unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(HEADER, hex::encode(tag).parse().unwrap());
    let refused =
        if tag.len() == hash.tag_bytes() { Refusal::SignatureMismatch } else { Refusal::MalformedHeader };

    let at_once = verifier.verify(&headers, message, NOW).map(|proof| proof.body().to_vec());
    let in_pieces = verifier.begin(RequestView::from(&headers), NOW).and_then(|mut pending| {
        for piece in message.chunks(61) {
            pending.update(piece)?;
        }
        pending.finish().map(|proof| proof.body().to_vec())
    });
    assert_eq!(at_once, in_pieces);
    match at_once {
        Ok(body) => assert_eq!(body, message),
        Err(refusal) => assert_eq!(refusal, refused),
    }
    in_pieces.is_ok()
}
