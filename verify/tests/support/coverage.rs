//! What of a body each preset's signature covers, and the verdict that a changed body deserves, said naively.

use hookproof::Refusal;

/// What of a body counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Covers {
    /// Every byte.
    Bytes,
    /// Every byte, by a digest in what is signed: another body is told apart from another signature.
    Digest,
    /// Its CRC-32, which every change of a single bit alters.
    Checksum,
    /// The names and values of the form that it is; each distinct pair once, or each as often as it came.
    Form { distinct: bool },
    /// Eight fields of each of its items.
    Items,
    /// Nothing: whoever knows the token may send any body.
    Nothing,
}

pub(crate) fn of(scheme: &str) -> Covers {
    match scheme {
        "plaid" | "http-message-signatures" => Covers::Digest,
        "paypal" => Covers::Checksum,
        "twilio" => Covers::Form { distinct: true },
        "mandrill" => Covers::Form { distinct: false },
        "adyen-payments" => Covers::Items,
        "gitlab-token" => Covers::Nothing,
        _ => Covers::Bytes,
    }
}

impl Covers {
    /// Says what is wrong with this verdict on a body that was `before` when it was signed and is `after` now.
    pub(crate) fn judge(
        self,
        before: &[u8],
        after: &[u8],
        verdict: Result<(), Refusal>,
    ) -> Result<(), String> {
        let mismatch_unless = |same| if same { Ok(()) } else { Err(Refusal::SignatureMismatch) };
        let wanted = match self {
            Self::Bytes => mismatch_unless(before == after),
            Self::Digest if before != after => Err(Refusal::DigestMismatch),
            Self::Checksum => mismatch_unless(crc32(before) == crc32(after)),
            Self::Form { distinct } => mismatch_unless(form(before, distinct) == form(after, distinct)),
            Self::Items => match (items(before), items(after)) {
                (before, Some(after)) if !is_malformed(verdict) => mismatch_unless(before == Some(after)),
                // What is no batch has many faults, and none of them may pass.
                _ => return if verdict.is_ok() { Err("accepted".to_owned()) } else { Ok(()) },
            },
            Self::Digest | Self::Nothing => Ok(()),
        };
        if verdict == wanted { Ok(()) } else { Err(format!("{verdict:?}, wanted {wanted:?}")) }
    }
}

fn is_malformed(verdict: Result<(), Refusal>) -> bool {
    use Refusal::{MalformedBody, MalformedHeader, MissingHeader};
    matches!(verdict, Err(MalformedBody | MalformedHeader | MissingHeader))
}

/// Names and values, sorted, glued together.
pub(crate) fn form(body: &[u8], distinct: bool) -> Vec<u8> {
    // One character for each byte, so that what is no UTF-8 stays apart.
    let body: String = body.iter().map(|byte| char::from(*byte)).collect();
    let pieces = body.split('&').filter(|piece| !piece.is_empty());
    let mut pairs: Vec<_> = pieces
        .map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            (unescaped(name), unescaped(value))
        })
        .collect();
    if distinct {
        pairs = pairs.into_iter().collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    } else {
        pairs.sort_by_key(|pair| pair.0.clone());
    }
    pairs.iter().flat_map(|(name, value)| [name.as_slice(), value.as_slice()].concat()).collect()
}

fn unescaped(text: &str) -> Vec<u8> {
    let spaced = text.replace('+', " ");
    let mut pieces = spaced.split('%');
    let mut out = latin1(pieces.next().unwrap_or_default());
    for piece in pieces {
        let bytes = latin1(piece);
        let digits = bytes.get(..2).filter(|two| two.iter().all(u8::is_ascii_hexdigit));
        match digits.and_then(|two| hex::decode(two).ok()) {
            Some(byte) => out.extend([&byte[..], &bytes[2..]].concat()),
            None => out.extend([b"%", &bytes[..]].concat()),
        }
    }
    out
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

/// The signed fields of each item and its signature; `None` if this is no batch.
fn items(body: &[u8]) -> Option<Vec<Vec<String>>> {
    let fields = [
        "/pspReference",
        "/originalReference",
        "/merchantAccountCode",
        "/merchantReference",
        "/amount/value",
        "/amount/currency",
        "/eventCode",
        "/success",
        "/additionalData/hmacSignature",
    ];
    let json: serde_json::Value = serde_json::from_slice(body).ok()?;
    let items = json["notificationItems"].as_array()?.iter().map(|item| &item["NotificationRequestItem"]);
    let text = |item: &serde_json::Value, field: &str| match item.pointer(field) {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(number @ serde_json::Value::Number(_)) => number.to_string(),
        _ => String::new(),
    };
    Some(items.map(|item| fields.iter().map(|field| text(item, field)).collect()).collect())
}

/// Bit by bit (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
}
