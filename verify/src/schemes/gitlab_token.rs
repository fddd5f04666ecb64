use crate::scheme::{Algorithm, Scheme};

/// GitLab's secret token: `X-Gitlab-Token: <the secret itself>`. Use [`gitlab`](super::gitlab) where you can.
///
/// Signed: **nothing**. The token shows that the sender knows the secret, not that the body is his: whoever sees one
/// delivery can send any other. It is compared in constant time.
///
/// Freshness: none. Replay keys are digests of the body, which a forger can choose, so they protect against retries and
/// not against replays. `X-Gitlab-Event-UUID` and `X-Gitlab-Event` are information.
///
/// Source: docs.gitlab.com, "Webhooks"; GitLab's merge requests 230944 and 231325 for what replaces it.
#[must_use]
pub fn gitlab_token() -> Scheme {
    Scheme::builder("gitlab-token")
        .signature_header("x-gitlab-token")
        .algorithm(Algorithm::SharedToken)
        .signed([])
        .event_id_header("x-gitlab-event-uuid")
        .event_type_header("x-gitlab-event")
        .preset()
}
