//! Calls of a [`SchemeBuilder`], in any order and with any arguments.

use std::time::Duration;

use arbitrary::Arbitrary;
use hookproof::{
    Algorithm, DigestScope, Encoding, FormOrder, KeyFormat, Part, Pointer, SchemeBuilder, Syntax,
    TimestampFormat, Version, Window,
};
use http::HeaderName;

const NAMES: [&str; 10] =
    ["x-signature", "x-time", "x-id", "x-type", "x-list", "x-other", "y-other", "acme-signature", "", "x "];
const POINTERS: [&str; 8] = ["/id", "/at", "/a/b", "/a", "/digest", "/0", "/a~1b", "id"];
const TEXTS: [&str; 14] =
    [".", ":", "|", "v1", "t", "", "-", "sha256=", "\n", "é", "x-", "acme-", "a,b", "a=b"];
/// A call of the builder, its texts chosen from a few.
#[derive(Arbitrary, Debug)]
pub enum Call {
    SignatureHeader(u8),
    Alternative(u8),
    Family(u8, u8),
    Required(u8, u8),
    Bind(bool, u8),
    Prefix(u8),
    PrefixSha1(u8),
    List { versions: [(u8, u8); 2], two: bool, timestamp: Option<u8>, separator: char },
    Versioned { versions: [(u8, u8); 2], two: bool },
    Token(u8),
    Items,
    KeyValue(u8, u8),
    Algorithm(u8),
    Encoding(u8),
    KeyFormat(u8),
    Signed(Vec<Piece>),
    TimestampHeader(u8, u8),
    TimestampClaim(u8, u8),
    TimestampFormat(u8),
    EventTime(u8, u8, bool),
    Window(u32, u32),
    IdHeader(u8),
    IdAt(u8),
    TypeHeader(u8),
    TypeAt(u8),
    BodyIdentity,
    Horizon(u64),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Piece {
    Literal(u8),
    Id,
    Timestamp,
    Method,
    Url,
    UrlVariants,
    EncodedPath,
    SignedHeaders(u8),
    WebhookId,
    Body,
    Crc,
    Form(bool),
    Token,
}

impl Call {
    /// Makes it. What names no header or pointer is left to the builder to refuse.
    pub fn make(&self, builder: SchemeBuilder) -> SchemeBuilder {
        let name = |choice: &u8| NAMES[usize::from(*choice) % NAMES.len()];
        let text = |choice: &u8| TEXTS[usize::from(*choice) % TEXTS.len()];
        let pointer = |choice: &u8| POINTERS[usize::from(*choice) % POINTERS.len()];
        match self {
            Call::SignatureHeader(a) => builder.signature_header(name(a)),
            Call::Alternative(a) => builder.alternative_signature_header(name(a)),
            Call::Family(a, b) => builder.preferred_family(text(a), text(b)),
            Call::Required(a, b) => builder.required_header(name(a), text(b)),
            Call::Bind(own, a) => builder.bind_key(if *own { "key" } else { "secondary" }, name(a)),
            Call::Prefix(a) => builder.prefix(text(a)),
            Call::PrefixSha1(a) => builder.prefix_sha1(text(a)),
            Call::List { versions, two, timestamp, separator } => builder.syntax(Syntax::KeyValue {
                versions: versions_of(versions, *two),
                timestamp: timestamp.as_ref().map(|a| text(a).into()),
                separator: *separator,
            }),
            Call::Versioned { versions, two } => {
                builder.syntax(Syntax::Versioned { versions: versions_of(versions, *two) })
            }
            Call::Token(a) => match Pointer::new(pointer(a)) {
                Some(body_sha256) => builder
                    .syntax(Syntax::JsonWebToken { body_sha256 })
                    .key_format(KeyFormat::JsonWebKey)
                    .signed([Part::TokenContent]),
                None => builder,
            },
            Call::Items => builder.syntax(Syntax::AdyenItems).signed([]),
            Call::KeyValue(a, b) => builder.key_value(text(a), text(b)),
            Call::Algorithm(a) => builder.algorithm(algorithm(a)),
            Call::Encoding(a) => {
                builder.encoding([Encoding::Hex, Encoding::Base64, Encoding::Base64OfHex][usize::from(a % 3)])
            }
            Call::KeyFormat(a) => builder.key_format(
                [
                    KeyFormat::Utf8,
                    KeyFormat::Base64,
                    KeyFormat::Hex,
                    KeyFormat::StandardWebhooks,
                    KeyFormat::PublicKey,
                    KeyFormat::JsonWebKey,
                ][usize::from(a % 6)],
            ),
            Call::Signed(pieces) => builder.signed(pieces.iter().take(8).map(part)),
            Call::TimestampHeader(a, b) => builder.timestamp_header(name(a), format(b)),
            Call::TimestampClaim(a, b) => builder.timestamp_claim(pointer(a), format(b)),
            Call::TimestampFormat(a) => builder.timestamp_format(format(a)),
            Call::EventTime(a, b, true) => builder.event_time_at(pointer(a), format(b)),
            Call::EventTime(a, b, false) => builder.optional_event_time_at(pointer(a), format(b)),
            Call::Window(past, future) => builder.window(Window {
                past: Duration::from_secs((*past).into()),
                future: Duration::from_secs((*future).into()),
            }),
            Call::IdHeader(a) => builder.event_id_header(name(a)),
            Call::IdAt(a) => builder.event_id_at(pointer(a)),
            Call::TypeHeader(a) => builder.event_type_header(name(a)),
            Call::TypeAt(a) => builder.event_type_at(pointer(a)),
            Call::BodyIdentity => builder.identity(DigestScope::Body),
            Call::Horizon(secs) => builder.retry_horizon(Duration::from_secs(*secs)),
        }
    }
}

fn algorithm(choice: &u8) -> Algorithm {
    [
        Algorithm::HmacSha256,
        Algorithm::HmacSha1,
        Algorithm::Ed25519,
        Algorithm::EcdsaP256Der,
        Algorithm::EcdsaP256Fixed,
        Algorithm::RsaPkcs1Sha256,
        Algorithm::SharedToken,
    ][usize::from(choice % 7)]
}

fn format(choice: &u8) -> TimestampFormat {
    [
        TimestampFormat::Seconds,
        TimestampFormat::Millis,
        TimestampFormat::Rfc3339,
        TimestampFormat::SecondsOrRfc3339,
    ][usize::from(choice % 4)]
}

fn versions_of(versions: &[(u8, u8); 2], two: bool) -> Vec<Version> {
    let version = |(name, kind): &(u8, u8)| Version {
        name: TEXTS[usize::from(*name) % TEXTS.len()].into(),
        algorithm: algorithm(kind),
    };
    versions.iter().take(1 + usize::from(two)).map(version).collect()
}

fn part(piece: &Piece) -> Part {
    match piece {
        Piece::Literal(a) => Part::literal(TEXTS[usize::from(*a) % TEXTS.len()]),
        Piece::Id => Part::Id,
        Piece::Timestamp => Part::Timestamp,
        Piece::Method => Part::Method,
        Piece::Url => Part::Url,
        Piece::UrlVariants => Part::UrlVariants,
        Piece::EncodedPath => Part::EncodedPath,
        Piece::SignedHeaders(a) => {
            let name = NAMES[usize::from(*a) % NAMES.len()];
            HeaderName::try_from(name).map_or(Part::Method, Part::SignedHeaders)
        }
        Piece::WebhookId => Part::WebhookId,
        Piece::Body => Part::Body,
        Piece::Crc => Part::BodyCrc32,
        Piece::Form(true) => Part::Form(FormOrder::Distinct),
        Piece::Form(false) => Part::Form(FormOrder::Arrival),
        Piece::Token => Part::TokenContent,
    }
}
