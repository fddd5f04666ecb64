//! What the body may have been when it was signed.

use std::collections::HashSet;
use std::io::Read as _;

use base64::Engine as _;
use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;

use super::explanation::{Cause, CauseKind};
use super::json;
use super::trial::{MAX_BODY_BYTES, Variation};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Collects bodies, each once.
struct Bodies<'a> {
    original: &'a [u8],
    seen: HashSet<Bytes>,
    variations: Vec<Variation>,
}

impl Bodies<'_> {
    fn add(&mut self, kind: CauseKind, body: Option<Vec<u8>>, finding: String, remedy: &'static str) {
        let Some(body) = body.map(Bytes::from) else { return };
        if body == self.original || !self.seen.insert(body.clone()) {
            return;
        }
        let cause = Cause::recomputed(kind, finding, remedy);
        self.variations.push(Variation::new(cause, move |trial| trial.body = body.clone()));
    }
}

/// Every body from which the received one may have come.
pub(super) fn variations(body: &[u8], headers: &HeaderMap) -> Vec<Variation> {
    let mut bodies = Bodies { original: body, seen: HashSet::new(), variations: Vec::new() };
    edges(&mut bodies);
    line_ends(&mut bodies);
    byte_order_mark(&mut bodies);
    length(&mut bodies, headers);
    encodings(&mut bodies);
    printed_anew(&mut bodies);
    bodies.variations
}

fn edges(bodies: &mut Bodies<'_>) {
    const REMEDY: &str = "Look for what adds or removes it: a template, a file that an editor saved, `curl \
                          -d @file` (use --data-binary), a proxy that trims. Verify the bytes as they \
                          arrive.";
    let body = bodies.original;
    let with = |more: &[u8]| Some([body, more].concat());
    let removed = "The signature holds without the newline at the end of the body: it was added on the way.";
    for end in [&b"\r\n"[..], b"\n"] {
        bodies.add(CauseKind::BodyEdges, body.strip_suffix(end).map(<[u8]>::to_vec), removed.into(), REMEDY);
    }
    for (end, name) in [(&b"\n"[..], "a newline (LF)"), (b"\r\n", "CR LF")] {
        let finding =
            format!("The signature holds with {name} at the end of the body: it was removed on the way.");
        bodies.add(CauseKind::BodyEdges, with(end), finding, REMEDY);
    }
    let finding = "The signature holds without the white space around the body: it was added on the way.";
    bodies.add(CauseKind::BodyEdges, Some(body.trim_ascii().to_vec()), finding.into(), REMEDY);
    bodies.add(CauseKind::BodyEdges, Some(body.trim_ascii_end().to_vec()), finding.into(), REMEDY);
}

fn line_ends(bodies: &mut Bodies<'_>) {
    const REMEDY: &str = "Look for what treats the body as text: a mail gateway, a text-mode file, a form \
                          library. Verify the bytes as they arrive.";
    let lf = replaced(bodies.original, b"\r\n", b"\n");
    let crlf = replaced(&lf, b"\n", b"\r\n");
    let finding = |signed: &str, got: &str| {
        format!("The signature holds with line ends {signed}: they became {got} on the way.")
    };
    bodies.add(CauseKind::BodyLineEnds, Some(lf), finding("LF", "CR LF"), REMEDY);
    bodies.add(CauseKind::BodyLineEnds, Some(crlf), finding("CR LF", "LF"), REMEDY);
}

fn replaced(body: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(body.len()), body);
    while let Some((first, after)) = rest.split_first() {
        match rest.strip_prefix(from) {
            Some(after) => {
                out.extend_from_slice(to);
                rest = after;
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

fn byte_order_mark(bodies: &mut Bodies<'_>) {
    const REMEDY: &str = "Look for what writes or strips a byte order mark: a file, a text reader. Verify \
                          the bytes as they arrive.";
    let body = bodies.original;
    let kind = CauseKind::BodyByteOrderMark;
    let finding = "The signature holds without the byte order mark before the body.".into();
    bodies.add(kind, body.strip_prefix(BOM).map(<[u8]>::to_vec), finding, REMEDY);
    let finding =
        "The signature holds with a byte order mark before the body: it was removed on the way.".into();
    bodies.add(kind, Some([BOM, body].concat()), finding, REMEDY);
}

/// The length that the request declares, if it is one number.
pub(super) fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

fn length(bodies: &mut Bodies<'_>, headers: &HeaderMap) {
    let declared = declared_length(headers).and_then(|length| bodies.original.get(..length));
    let finding = format!(
        "The signature is over the first {} bytes, which is the Content-Length; {} bytes are here.",
        declared.map_or(0, <[u8]>::len),
        bodies.original.len()
    );
    bodies.add(
        CauseKind::BodyTooLong,
        declared.map(<[u8]>::to_vec),
        finding,
        "Cut the body at its Content-Length: what follows does not belong to this request. If the server did \
         this, look for what appends to bodies.",
    );
}

/// Reads at most as much as is varied: a small body can unpack to gigabytes.
fn unpacked(reader: impl std::io::Read) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    reader.take(MAX_BODY_BYTES as u64 + 1).read_to_end(&mut out).ok()?;
    (out.len() <= MAX_BODY_BYTES && !out.is_empty()).then_some(out)
}

fn encodings(bodies: &mut Bodies<'_>) {
    const UNPACK: &str = "Something on the way compresses requests, or the provider signs before he \
                          compresses: turn compression off. Nothing is unpacked before its signature holds, \
                          because a small body can unpack to gigabytes.";
    let body = bodies.original;
    let readings: [(&str, Option<Vec<u8>>); 3] = [
        ("gzip", unpacked(MultiGzDecoder::new(body))),
        ("zlib", unpacked(ZlibDecoder::new(body))),
        // Nearly any bytes begin a raw stream; only ones that end one are.
        ("deflate", unpacked(DeflateDecoder::new(body))),
    ];
    for (name, unpacked) in readings {
        let finding =
            format!("The signature is over the body unpacked with {name}; what is here is compressed.");
        bodies.add(CauseKind::BodyCompressed, unpacked, finding, UNPACK);
    }
    bodies.add(
        CauseKind::BodyBase64,
        base64::engine::general_purpose::STANDARD.decode(body.trim_ascii()).ok(),
        "The signature is over what the body is the base64 of.".into(),
        "Some gateways hand bodies on in base64 and say so beside them (isBase64Encoded): decode before \
         verifying.",
    );
    let finding = "The signature is over the body with its letters as single bytes: UTF-8 was taken for \
                   Latin-1 and encoded again.";
    bodies.add(
        CauseKind::BodyCharset,
        double_encoded(body),
        finding.into(),
        "Look for what reads the body as text in Latin-1 (or the platform's charset) and writes UTF-8. \
         Verify the bytes as they arrive.",
    );
}

fn double_encoded(body: &[u8]) -> Option<Vec<u8>> {
    let text = str::from_utf8(body).ok()?;
    if text.is_ascii() {
        return None;
    }
    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

fn printed_anew(bodies: &mut Bodies<'_>) {
    const REMEDY: &str = "Verify the raw bytes, before any JSON body parser, mapping template or gateway \
                          touches them; nothing else is what was signed. If the bytes are raw already, the \
                          provider signs another printing than he sends: ask him which.";
    let text = bodies.original.strip_prefix(BOM).unwrap_or(bodies.original);
    let Some(document) = json::parse(text) else { return };
    for style in json::Style::all() {
        let finding = format!(
            "The signature is over the same JSON, printed {}; what is here was printed anew.",
            style.name()
        );
        bodies.add(CauseKind::BodyJson, Some(document.print(style).into_bytes()), finding, REMEDY);
    }
}

/// Signs that the body was changed in a way that cannot be undone.
pub(super) fn beyond_repair(body: &[u8]) -> Option<&'static str> {
    if body.windows(3).any(|bytes| bytes == "\u{fffd}".as_bytes()) {
        return Some(
            "The body has replacement characters (U+FFFD): it was read as text and lost bytes. Verify the \
             bytes as they arrive.",
        );
    }
    let document = json::parse(body)?;
    let sorted = json::Style::compact_sorted();
    (document.keys() >= 4 && document.print(sorted) == document.print(json::Style::compact())).then_some(
        "Every object of the JSON body has its keys in alphabetical order: a parser may have sorted them on \
         the way, which cannot be undone. Verify the bytes as they arrive.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that is tried twice takes the place of another under the limits.
    #[test]
    fn a_body_is_tried_once_and_the_received_one_never() {
        let mut bodies = Bodies { original: b"here", seen: HashSet::new(), variations: Vec::new() };
        for body in [&b"here"[..], b"other", b"other", b"here"] {
            bodies.add(CauseKind::BodyEdges, Some(body.to_vec()), String::new(), "");
        }
        bodies.add(CauseKind::BodyEdges, None, String::new(), "");
        assert_eq!(bodies.variations.len(), 1);
        assert!(bodies.seen.contains(&b"other"[..]));
    }
}
