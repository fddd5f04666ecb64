//! One pass over the headers of a request finds all that a scheme reads of them.
//!
//! Looking a name up costs a hash over its bytes, which for the long names of providers takes as long as hashing a
//! block of the body. Comparing with the few names that count, where the lengths are equal, costs next to nothing.

use std::ops::Range;

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::encoding::same_bytes;
use crate::scheme::{Freshness, Location, Scheme, TimestampAt};

/// A header of a higher number costs an allocation where it is present. No provider sends one: DocuSign numbers the
/// headers of its keys from one.
const IN_PLACE: usize = 12;

/// The headers that a scheme reads, numbered.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeadersRead {
    /// Those that may be there once, and then `content-encoding` if it is not among them.
    names: Vec<Box<str>>,
    once: usize,
    content_encoding: usize,
    /// The bit [`mark`] of each name. Most other names have another, and need not be compared.
    marks: u64,
    required: Range<usize>,
    timestamp: Option<usize>,
    event_id: Option<usize>,
    event_types: Range<usize>,
}

/// What a request has of them.
#[derive(Default)]
pub(crate) struct HeadersFound<'a> {
    values: [Option<&'a HeaderValue>; IN_PLACE],
    more_values: Vec<(usize, &'a HeaderValue)>,
    /// Whether one of them is there twice.
    pub(crate) duplicate: bool,
    /// Whether the body is said to be other than as it was signed.
    pub(crate) content_encoding: bool,
}

impl HeadersRead {
    /// Signature headers come first, so that their numbers here are those in the scheme.
    pub(crate) fn of(scheme: &Scheme) -> Self {
        let mut read = Self::default();
        read.add_all(&scheme.signature_headers);
        read.required = read.add_all(scheme.required_headers.iter().map(|(name, _)| name));
        if let Freshness::SignedTimestamp { at: TimestampAt::Header(name), .. } = &scheme.freshness {
            read.timestamp = Some(read.add(name));
        }
        if let Some(Location::Header(name)) = &scheme.event_id {
            read.event_id = Some(read.add(name));
        }
        read.event_types = read.add_all(scheme.event_types.iter().filter_map(|location| match location {
            Location::Header(name) => Some(name),
            Location::Body(_) => None,
        }));
        // The others are looked up where they are needed, but may be there once as all of them.
        for name in scheme.headers_read() {
            read.number(name.as_str()).unwrap_or_else(|| read.add(name));
        }
        read.once = read.names.len();
        let encoding = header::CONTENT_ENCODING;
        read.content_encoding = read.number(encoding.as_str()).unwrap_or_else(|| read.add(&encoding));
        read.marks = read.names.iter().fold(0, |marks, name| marks | mark(name));
        read
    }

    #[inline]
    fn number(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|read| same_bytes(read.as_bytes(), name.as_bytes()))
    }

    fn add(&mut self, name: &HeaderName) -> usize {
        self.names.push(name.as_str().into());
        self.names.len() - 1
    }

    fn add_all<'a>(&mut self, names: impl IntoIterator<Item = &'a HeaderName>) -> Range<usize> {
        let start = self.names.len();
        self.names.extend(names.into_iter().map(|name| name.as_str().into()));
        start..self.names.len()
    }
}

/// A bit that depends on the length and the last letter, so that names of like length spread over all bits.
#[inline]
fn mark(name: &str) -> u64 {
    let last = name.as_bytes().last().copied().unwrap_or_default();
    1 << ((5 * name.len() + usize::from(last)) % 64)
}

impl<'a> HeadersFound<'a> {
    /// Looks at every header once.
    #[inline(never)] // The loop wants the registers for itself.
    pub(crate) fn look_through(&mut self, read: &HeadersRead, headers: &'a HeaderMap) {
        let marks = read.marks;
        for (name, value) in headers {
            let name = name.as_str();
            if marks & mark(name) != 0 {
                self.look_at(read, name, value);
            }
        }
    }

    #[inline]
    fn look_at(&mut self, read: &HeadersRead, name: &str, value: &'a HeaderValue) {
        let Some(number) = read.number(name) else { return };
        if number == read.content_encoding {
            self.look_at_encoding(value);
        }
        if number < read.once {
            match self.values.get_mut(number) {
                Some(place) => self.duplicate |= place.replace(value).is_some(),
                None => self.take_one_more(number, value),
            }
        }
    }

    #[cold]
    fn look_at_encoding(&mut self, value: &HeaderValue) {
        self.content_encoding |= !value.as_bytes().eq_ignore_ascii_case(b"identity");
    }

    #[cold]
    fn take_one_more(&mut self, number: usize, value: &'a HeaderValue) {
        self.duplicate |= self.more_values.iter().any(|(other, _)| *other == number);
        self.more_values.push((number, value));
    }

    #[inline]
    fn value(&self, number: usize) -> Option<&'a HeaderValue> {
        match self.values.get(number) {
            Some(value) => *value,
            None => self.more_values.iter().find(|(other, _)| *other == number).map(|(_, value)| *value),
        }
    }

    /// The signature header of this number in the scheme.
    #[inline]
    pub(crate) fn signature(&self, number: usize) -> Option<&'a HeaderValue> {
        self.value(number)
    }

    /// The required headers, in the scheme's order.
    #[inline]
    pub(crate) fn required(&self, read: &HeadersRead) -> impl Iterator<Item = Option<&'a HeaderValue>> {
        read.required.clone().map(|number| self.value(number))
    }

    #[inline]
    pub(crate) fn timestamp(&self, read: &HeadersRead) -> Option<&'a HeaderValue> {
        self.value(read.timestamp?)
    }

    #[inline]
    pub(crate) fn event_id(&self, read: &HeadersRead) -> Option<&'a HeaderValue> {
        self.value(read.event_id?)
    }

    /// Those of the headers with the event type that are there, in the scheme's order.
    #[inline]
    pub(crate) fn event_types(&self, read: &HeadersRead) -> impl Iterator<Item = &'a HeaderValue> {
        read.event_types.clone().filter_map(|number| self.value(number))
    }
}
