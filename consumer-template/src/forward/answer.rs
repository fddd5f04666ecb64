//! What the target's answer means.

use std::time::Duration;

use hookproof::UnixTime;
use http::{HeaderMap, StatusCode, header};

use crate::telemetry::is_plain;

/// The most bytes of a failure's body that are read.
const READ: usize = 4096;

/// The most characters of it that are kept.
const KEPT: usize = 200;

/// The most bytes of a success's body that are read, so that its connection can be used again.
const DRAINED: usize = 64 * 1024;

/// How long a body may take, whatever is left of the request's own time: the status has said everything already.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a status means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The target has it.
    Done,
    /// Another time, perhaps.
    Again,
    /// It would be the same another time.
    Never,
    /// The same, because it points elsewhere.
    Redirect,
}

/// What `status` means. Nobody but the target's server can send another than these.
pub(super) fn verdict(status: StatusCode) -> Verdict {
    match status.as_u16() {
        200..=299 => Verdict::Done,
        300..=399 => Verdict::Redirect,
        408 | 425 | 429 => Verdict::Again,
        400..=499 => Verdict::Never,
        // 5xx, and what is no status at all.
        _ => Verdict::Again,
    }
}

/// How long the target asks to wait: seconds or a date (RFC 9110, 10.2.3). A date that is over means no time at all.
///
/// How much of it is granted is the retry policy's to say.
pub(super) fn retry_after(headers: &HeaderMap, now: UnixTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than a number holds is a long time.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::from(u32::MAX))));
    }
    let date = UnixTime::from(httpdate::parse_http_date(text).ok()?);
    Some(Duration::from_millis(date.as_millis().saturating_sub(now.as_millis())))
}

/// Reads what is left of a success, if it is not much.
pub(super) async fn drain(mut response: reqwest::Response) {
    let read = async {
        let mut left = DRAINED;
        while let Ok(Some(chunk)) = response.chunk().await {
            let Some(rest) = left.checked_sub(chunk.len()) else { return };
            left = rest;
        }
    };
    // Too slow: the connection is closed, and that is all.
    let _ = tokio::time::timeout(PATIENCE, read).await;
}

/// The beginning of a failure's body, in one line, or nothing: there is none, it does not come, or it repeats one of `secrets`.
pub(super) async fn excerpt(mut response: reqwest::Response, secrets: &[Vec<u8>]) -> Option<String> {
    let read = async {
        let mut bytes = Vec::new();
        while bytes.len() < READ
            && let Some(chunk) = response.chunk().await.ok()?
        {
            bytes.extend_from_slice(chunk.get(..READ - bytes.len()).unwrap_or(&chunk));
        }
        Some(bytes)
    };
    one_line(&tokio::time::timeout(PATIENCE, read).await.ok()??, secrets)
}

fn one_line(bytes: &[u8], secrets: &[Vec<u8>]) -> Option<String> {
    // In JSON a slash may stand behind a backslash.
    let unescaped: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != b'\\').collect();
    let repeats = |secret: &Vec<u8>| {
        [bytes, &unescaped]
            .iter()
            .any(|text| text.windows(secret.len().max(1)).any(|window| window == *secret))
    };
    if secrets.iter().any(repeats) {
        return Some("(its text is left out, because it repeats a secret)".to_owned());
    }
    let text = String::from_utf8_lossy(bytes);
    // What a terminal would obey is not shown to one.
    let shown = |c: char| is_plain(c) && c != char::REPLACEMENT_CHARACTER;
    let words = text.split_whitespace().map(|word| word.chars().filter(|c| shown(*c)).collect::<String>());
    let words: Vec<String> = words.filter(|word| !word.is_empty()).collect();
    let line: String = words.join(" ").chars().take(KEPT).collect();
    (!line.is_empty()).then_some(line)
}
