//! Why a request was not accepted. For the log and the metrics, never for the caller.

use std::fmt;

/// The reason for which a request was refused, at request time.
///
/// Every variant but those of a busy, full or failing memory of ours (503) is caused by the peer: by whoever sent the request, be it
/// a stranger, the provider with another key, or a proxy that changed a byte. A mistake in the configuration is a
/// [`ConfigError`](crate::ConfigError) and shows when the verifier is built.
///
/// # Security
///
/// The caller should see the [`status`](Refusal::status) and nothing else: the [`code`](Refusal::code) tells
/// an attacker how far he got. [`VerifyLayer`](crate::VerifyLayer) answers the same bytes for every reason that
/// maps to 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// A header that the scheme signs with is absent.
    MissingHeader,
    /// A header that the scheme reads occurs twice. Which one was signed cannot be known, so neither counts.
    DuplicateHeader,
    /// The signature header does not have the scheme's syntax, or holds no signature of the right length.
    MalformedHeader,
    /// More signatures than [`MAX_SIGNATURES`](crate::MAX_SIGNATURES), or an absurdly long list.
    TooManySignatures,
    /// No key of the ring made any of the presented signatures over these bytes.
    SignatureMismatch,
    /// The timestamp that the scheme requires is absent.
    MissingTimestamp,
    /// The timestamp is not of the scheme's format and unit.
    MalformedTimestamp,
    /// The timestamp lies further in the past than the window allows.
    TimestampTooOld,
    /// The timestamp lies further in the future than the window allows.
    TimestampTooNew,
    /// The signed delivery id has characters that would make the signed text ambiguous, or is too long.
    MalformedId,
    /// The signature leaves out what the receiver wants signed.
    UncoveredComponent,
    /// The digest that was signed is not the body's.
    DigestMismatch,
    /// The body is not the JSON document that the signatures or the event time are read from.
    MalformedBody,
    /// The body is longer than the verifier's limit.
    BodyTooLarge,
    /// The body is compressed. Signatures are over the bytes as sent; nothing is decompressed before they hold.
    UnsupportedContentEncoding,
    /// The body did not arrive in time.
    BodyTimeout,
    /// The connection broke, or the peer left, before the body was complete.
    BodyIncomplete,
    /// The method is none that the layer takes deliveries with.
    MethodNotAllowed,
    /// The request belongs to no source that is known here.
    UnknownSource,
    /// An endpoint-ownership challenge that is not answered: a wrong verify token, an origin that is not on the list, a
    /// secret that nobody waits for, a text that could be more than text.
    HandshakeRefused,
    /// An endpoint-ownership challenge whose secret could not be stored. The sender should come again. Caused by the
    /// receiver's own store, never by the peer.
    HandshakeFailed,
    /// The delivery is genuine and was done before.
    Replayed,
    /// The delivery is genuine, and another request with it is at work now. The sender should come again.
    ReplayInProgress,
    /// The delivery is genuine, but the replay guard is full, fails, or forgets too early to be asked. The sender should
    /// come again. Caused by the receiver's own memory, never by the peer.
    ReplayGuardUnavailable,
}

impl Refusal {
    /// Every refusal, in the order in which a request is checked. For documentation and metrics set-up.
    pub const ALL: [Self; 24] = [
        Self::HandshakeRefused,
        Self::HandshakeFailed,
        Self::MethodNotAllowed,
        Self::UnknownSource,
        Self::UnsupportedContentEncoding,
        Self::DuplicateHeader,
        Self::MissingHeader,
        Self::MalformedHeader,
        Self::TooManySignatures,
        Self::MalformedId,
        Self::UncoveredComponent,
        Self::MissingTimestamp,
        Self::MalformedTimestamp,
        Self::TimestampTooOld,
        Self::TimestampTooNew,
        Self::BodyTooLarge,
        Self::BodyTimeout,
        Self::BodyIncomplete,
        Self::SignatureMismatch,
        Self::DigestMismatch,
        Self::MalformedBody,
        Self::Replayed,
        Self::ReplayInProgress,
        Self::ReplayGuardUnavailable,
    ];

    /// The stable reason code, as used in logs, metrics and test vectors.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::MissingHeader => "missing_header",
            Self::DuplicateHeader => "duplicate_header",
            Self::MalformedHeader => "malformed_header",
            Self::TooManySignatures => "too_many_signatures",
            Self::SignatureMismatch => "signature_mismatch",
            Self::MissingTimestamp => "missing_timestamp",
            Self::MalformedTimestamp => "malformed_timestamp",
            Self::TimestampTooOld => "timestamp_too_old",
            Self::TimestampTooNew => "timestamp_too_new",
            Self::MalformedId => "malformed_id",
            Self::UncoveredComponent => "uncovered_component",
            Self::DigestMismatch => "digest_mismatch",
            Self::MalformedBody => "malformed_body",
            Self::BodyTooLarge => "body_too_large",
            Self::UnsupportedContentEncoding => "unsupported_content_encoding",
            Self::BodyTimeout => "body_timeout",
            Self::BodyIncomplete => "body_incomplete",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::UnknownSource => "unknown_source",
            Self::HandshakeRefused => "handshake_refused",
            Self::HandshakeFailed => "handshake_failed",
            Self::Replayed => "replayed",
            Self::ReplayInProgress => "replay_in_progress",
            Self::ReplayGuardUnavailable => "replay_guard_unavailable",
        }
    }

    /// The HTTP status that suits the sender: 401, or 413, 415, 408 where the fault is no secret. What a genuine sender
    /// should send again is 503; what he need not send again, because it was done, is 200.
    #[must_use]
    pub const fn status(self) -> http::StatusCode {
        match self {
            Self::BodyTooLarge => http::StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedContentEncoding => http::StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTimeout => http::StatusCode::REQUEST_TIMEOUT,
            Self::Replayed => http::StatusCode::OK,
            Self::HandshakeFailed | Self::ReplayInProgress | Self::ReplayGuardUnavailable => {
                http::StatusCode::SERVICE_UNAVAILABLE
            }
            _ => http::StatusCode::UNAUTHORIZED,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the key decides, or what could tell of it, looks the same from outside.
    #[test]
    fn only_the_shape_of_a_request_has_a_status_of_its_own() {
        for refusal in Refusal::ALL {
            let status = match refusal {
                Refusal::BodyTimeout => 408,
                Refusal::BodyTooLarge => 413,
                Refusal::UnsupportedContentEncoding => 415,
                // Said to those who have shown that they may ask.
                Refusal::Replayed => 200,
                Refusal::HandshakeFailed | Refusal::ReplayInProgress | Refusal::ReplayGuardUnavailable => 503,
                _ => 401,
            };
            assert_eq!(refusal.status().as_u16(), status, "{refusal}");
        }
    }
}
