//! The text that the headers say was signed, in pieces.

use std::borrow::Cow;

use super::{Claims, Then};
use crate::canonical;
use crate::mac::{Digest, Text};
use crate::part::Part;
use crate::scheme::Scheme;

impl<'a> Claims<'a> {
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

    pub(super) fn url(&self) -> String {
        [self.verifier.public_url(), self.request.path_and_query].concat()
    }

    /// A digest of the signed parts that tell events apart beside the body.
    pub(super) fn context(&self, scheme: &Scheme) -> Option<[u8; 32]> {
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
