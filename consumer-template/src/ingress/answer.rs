//! Outcome to status, in one table. Status codes are an API to the sender: 2xx means that it is on disk.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;

use crate::inbox::{Accepted, Delivery, InboxError};

/// After how many seconds a sender that was told 503 may try again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("2");

/// The answer to a verified delivery. It leaves after the commit, and tells nothing about the event.
pub(crate) fn answer(outcome: &Result<Accepted, InboxError>) -> axum::response::Response {
    match outcome {
        Ok(Accepted { outcome: Delivery::New, .. })
        | Ok(Accepted { outcome: Delivery::Duplicate { .. }, .. })
        | Ok(Accepted { outcome: Delivery::Revived, .. })
        | Ok(Accepted { outcome: Delivery::Conflict, .. }) => (StatusCode::OK, "ok\n").into_response(),
        Err(InboxError::Full | InboxError::Store(_) | InboxError::Closed) => unavailable(),
    }
}

fn unavailable() -> axum::response::Response {
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, "try again later\n").into_response();
    response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
    response
}

/// The answer to a path that is no source. As bare as a refusal.
pub(crate) async fn not_found() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "not found\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventNo, State};

    #[test]
    fn only_what_is_stored_is_answered_with_success() {
        let stored = |outcome| answer(&Ok(Accepted { event: EventNo(1), outcome })).status();
        for state in State::ALL {
            assert_eq!(stored(Delivery::Duplicate { state }), StatusCode::OK);
        }
        for outcome in [Delivery::New, Delivery::Revived, Delivery::Conflict] {
            assert_eq!(stored(outcome), StatusCode::OK);
        }
        let full = answer(&Err(InboxError::Full));
        assert_eq!(full.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(full.headers().get(header::RETRY_AFTER).unwrap(), "2");
    }
}
