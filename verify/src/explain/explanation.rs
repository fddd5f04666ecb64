use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// Why a delivery was refused, as far as can be found out. For operators: see [the module](super).
///
/// `Display` is for people. Serialised it has the same fields, under stable names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// What the verifier says.
    pub verdict: Verdict,
    /// The [code](crate::Refusal::code) of the refusal. `None` unless refused.
    pub reason: Option<&'static str>,
    /// What is wrong with the set-up, if no verifier can be built of it.
    pub configuration: Option<String>,
    /// The scheme's name.
    pub scheme: String,
    /// The id of the key that made the signature: of the proof, or of the first cause.
    pub key_id: Option<String>,
    /// Where the delivery's time lies, if it states one that can be read.
    pub time: Option<TimeFinding>,
    /// What explains it, the likeliest first. Empty if accepted.
    pub causes: Vec<Cause>,
    /// Variations that were tried.
    pub tries: u32,
    /// Whether a limit ended the search.
    pub cut_short: bool,
    /// What to do when no cause was found by recomputing.
    pub next_steps: Vec<String>,
}

/// What the verifier says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The delivery is genuine and inside its window.
    Accepted,
    /// It is not.
    Refused,
    /// No verifier can be built of this set-up, so that nothing is accepted.
    Misconfigured,
}

/// One explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Cause {
    /// What kind of thing went wrong.
    pub kind: CauseKind,
    /// How it is known.
    pub evidence: Evidence,
    /// What was found, in a sentence.
    pub finding: String,
    /// What to do about it.
    pub remedy: String,
}

/// How a cause is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Evidence {
    /// With this changed, the signature holds.
    Recomputed,
    /// It can be seen in the request or the set-up, without the signature.
    Seen,
}

/// What kind of thing went wrong. [`code`](CauseKind::code) is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CauseKind {
    /// The set-up cannot work.
    Configuration,
    /// The key's text stands for other bytes.
    KeyEncoding,
    /// White space, a line end or a byte order mark belongs, or does not belong, to the key.
    KeyWhitespace,
    /// The key's prefix (`whsec_`) belongs, or does not belong, to it.
    KeyPrefix,
    /// The key's text was altered when it was copied: quotes, `NAME=`, letter case, entities.
    KeyText,
    /// It is signed with a key of this source, outside the key's time of validity.
    KeyValidity,
    /// It is signed with a key that this source does not have, but another has or had.
    OtherKey,
    /// It is a delivery of another source, posted to this one.
    OtherSource,
    /// It is what another preset describes.
    OtherPreset,
    /// The text before the signature differs.
    SignaturePrefix,
    /// The signature is written otherwise: hex, base64.
    SignatureEncoding,
    /// The signature is made with another hash.
    SignatureAlgorithm,
    /// The signature stands in another header.
    SignatureHeader,
    /// The signature, id and timestamp stand under another family of names (`svix-` for `webhook-`).
    HeaderFamily,
    /// The signature header is a list of another form, or has something around it.
    SignatureForm,
    /// A header that is read occurs twice.
    DuplicateHeader,
    /// A header that is needed is absent.
    MissingHeader,
    /// The JSON body was printed anew.
    BodyJson,
    /// Line ends were changed.
    BodyLineEnds,
    /// White space at an edge of the body was added or removed.
    BodyEdges,
    /// A byte order mark was added or removed.
    BodyByteOrderMark,
    /// The body was compressed, or unpacked.
    BodyCompressed,
    /// The body's text was converted.
    BodyCharset,
    /// The body was wrapped in base64.
    BodyBase64,
    /// The body does not have the digest that the request states.
    BodyDigest,
    /// The body is shorter than was sent.
    BodyTruncated,
    /// The body is longer than was sent.
    BodyTooLong,
    /// Other parts are signed, or in another order, or with another separator.
    SignedText,
    /// The URL that was signed begins with the other of `http` and `https`.
    UrlScheme,
    /// The URL that was signed has another host.
    UrlHost,
    /// The URL that was signed has, or has not, a port.
    UrlPort,
    /// The URL that was signed has another path or query.
    UrlPath,
    /// The timestamp is in another unit or format.
    TimestampUnit,
    /// The timestamp stands in another header.
    TimestampHeader,
    /// The timestamp lies outside the window: late, early, or a clock is wrong.
    OutsideWindow,
    /// The distance is a time zone's: local time was taken for UTC.
    TimeZone,
    /// The timestamp cannot be read.
    MalformedTimestamp,
    /// The signature holds, but the event time cannot be read from the body.
    MalformedBody,
    /// The signature header holds nothing that could be a signature of this scheme.
    MalformedHeader,
    /// The signed id has characters that an id may not have.
    MalformedId,
    /// The body is longer than the limit.
    BodyLimit,
}

impl CauseKind {
    /// The stable code, in JSON too.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::KeyEncoding => "key_encoding",
            Self::KeyWhitespace => "key_whitespace",
            Self::KeyPrefix => "key_prefix",
            Self::KeyText => "key_text",
            Self::KeyValidity => "key_validity",
            Self::OtherKey => "other_key",
            Self::OtherSource => "other_source",
            Self::OtherPreset => "other_preset",
            Self::SignaturePrefix => "signature_prefix",
            Self::SignatureEncoding => "signature_encoding",
            Self::SignatureAlgorithm => "signature_algorithm",
            Self::SignatureHeader => "signature_header",
            Self::HeaderFamily => "header_family",
            Self::SignatureForm => "signature_form",
            Self::DuplicateHeader => "duplicate_header",
            Self::MissingHeader => "missing_header",
            Self::BodyJson => "body_json",
            Self::BodyLineEnds => "body_line_ends",
            Self::BodyEdges => "body_edges",
            Self::BodyByteOrderMark => "body_byte_order_mark",
            Self::BodyCompressed => "body_compressed",
            Self::BodyCharset => "body_charset",
            Self::BodyBase64 => "body_base64",
            Self::BodyDigest => "body_digest",
            Self::BodyTruncated => "body_truncated",
            Self::BodyTooLong => "body_too_long",
            Self::SignedText => "signed_text",
            Self::UrlScheme => "url_scheme",
            Self::UrlHost => "url_host",
            Self::UrlPort => "url_port",
            Self::UrlPath => "url_path",
            Self::TimestampUnit => "timestamp_unit",
            Self::TimestampHeader => "timestamp_header",
            Self::OutsideWindow => "outside_window",
            Self::TimeZone => "time_zone",
            Self::MalformedTimestamp => "malformed_timestamp",
            Self::MalformedBody => "malformed_body",
            Self::MalformedHeader => "malformed_header",
            Self::MalformedId => "malformed_id",
            Self::BodyLimit => "body_limit",
        }
    }
}

impl Serialize for CauseKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl fmt::Display for CauseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Cause {
    pub(super) fn recomputed(kind: CauseKind, finding: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { kind, evidence: Evidence::Recomputed, finding: finding.into(), remedy: remedy.into() }
    }

    pub(super) fn seen(kind: CauseKind, finding: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { kind, evidence: Evidence::Seen, finding: finding.into(), remedy: remedy.into() }
    }
}

/// Where the time that a delivery states lies, seen from its receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TimeFinding {
    /// The time that it states, in milliseconds since 1970.
    pub stated_ms: u64,
    /// The same in RFC 3339.
    pub stated: String,
    /// Whether that is after the receipt.
    pub in_the_future: bool,
    /// How far from the receipt, in milliseconds.
    pub distance_ms: u64,
    /// How far it may lie in the past, in milliseconds.
    pub allowed_past_ms: u64,
    /// How far it may lie in the future, in milliseconds.
    pub allowed_future_ms: u64,
    /// Whether it is inside the window.
    pub inside: bool,
}

impl Explanation {
    /// Whether the delivery is accepted.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.verdict == Verdict::Accepted
    }

    /// Whether a cause was found by recomputing: then it is known, and not guessed.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.causes.iter().any(|cause| cause.evidence == Evidence::Recomputed)
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.verdict, &self.configuration, self.reason) {
            (Verdict::Accepted, ..) => write!(f, "accepted")?,
            (Verdict::Misconfigured, Some(problem), _) => write!(f, "misconfigured: {problem}")?,
            (_, _, reason) => write!(f, "refused: {}", reason.unwrap_or("unknown"))?,
        }
        write!(f, "\n\npreset   {}", self.scheme)?;
        if let Some(id) = &self.key_id {
            write!(f, "\nkey      {id}")?;
        }
        if let Some(time) = &self.time {
            write!(f, "\ntime     {time}")?;
        }
        for (number, cause) in self.causes.iter().enumerate() {
            let how = match cause.evidence {
                Evidence::Recomputed => "the signature holds with this changed",
                Evidence::Seen => "seen, not recomputed",
            };
            write!(f, "\n\n{}. {} ({how})\n   {}", number + 1, cause.kind, cause.finding)?;
            write!(f, "\n   What to do: {}", cause.remedy)?;
        }
        if !self.next_steps.is_empty() {
            write!(f, "\n\nNext:")?;
        }
        self.next_steps.iter().try_for_each(|step| write!(f, "\n- {step}"))?;
        if self.tries > 0 {
            let cut = if self.cut_short { ", then a limit ended the search" } else { "" };
            let noun = if self.tries == 1 { "explanation" } else { "explanations" };
            write!(f, "\n\n{} {noun} tried{cut}.", self.tries)?;
        }
        Ok(())
    }
}

impl fmt::Display for TimeFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.in_the_future { "after" } else { "before" };
        let inside = if self.inside { "inside" } else { "outside" };
        write!(
            f,
            "{}, {} {side} the receipt: {inside} the window of {} back and {} ahead",
            self.stated,
            duration(self.distance_ms),
            duration(self.allowed_past_ms),
            duration(self.allowed_future_ms)
        )
    }
}

/// A span of time in its two largest units, for people: `6 min 5 s`.
pub(super) fn duration(millis: u64) -> String {
    let seconds = Duration::from_millis(millis).as_secs();
    if seconds < 1 {
        return format!("{millis} ms");
    }
    let units = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let parts: Vec<_> = units.iter().skip_while(|(n, _)| *n == 0).take(2).filter(|(n, _)| *n > 0).collect();
    parts.iter().map(|(n, unit)| format!("{n} {unit}")).collect::<Vec<_>>().join(" ")
}
