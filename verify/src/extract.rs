//! axum extractors for what [`VerifyLayer`](crate::VerifyLayer) has proven.

use axum_core::extract::{FromRequest, FromRequestParts, Request};
use axum_core::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::verified::Verified;

/// The proof and the raw body of a delivery.
///
/// Rejects with 500 if no [`VerifyLayer`](crate::VerifyLayer) is around the handler: a handler that asks for a proof
/// cannot run without one.
///
/// ```
/// async fn receive(hookproof::VerifiedBytes(proof): hookproof::VerifiedBytes) -> String {
///     format!("{} bytes", proof.body().len())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct VerifiedBytes(pub Verified<Bytes>);

/// The body of a delivery parsed as JSON, and its proof.
///
/// The signature is checked over the raw bytes before anything is parsed. Rejects with 500 like [`VerifiedBytes`], and
/// with 422 if the body, which is genuine, is not the JSON that `T` describes.
///
/// ```
/// #[derive(serde::Deserialize)]
/// struct LeadCreated {
///     event: String,
/// }
///
/// async fn receive(hookproof::VerifiedJson { value, .. }: hookproof::VerifiedJson<LeadCreated>) -> String {
///     value.event
/// }
/// ```
#[derive(Clone, Debug)]
pub struct VerifiedJson<T> {
    /// What was parsed.
    pub value: T,
    /// The proof, with the raw body.
    pub proof: Verified<Bytes>,
}

/// Why an extractor rejected. The response is bare: a genuine sender learns nothing from it, nor does a stranger.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractRejection {
    /// No [`VerifyLayer`](crate::VerifyLayer) is around the handler. A mistake in the program.
    #[error("no VerifyLayer is around this handler: add .layer(VerifyLayer::new(verifier)) to its router")]
    NotVerified,
    /// The provider sent JSON that the handler does not expect, or none. Caused by the provider or by `T`.
    #[error("the verified body is not the JSON that was expected")]
    UnexpectedJson(#[source] serde_json::Error),
}

impl IntoResponse for ExtractRejection {
    fn into_response(self) -> Response {
        match self {
            Self::NotVerified => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            Self::UnexpectedJson(_) => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for VerifiedBytes {
    type Rejection = ExtractRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        parts.extensions.get::<Verified<Bytes>>().cloned().map(Self).ok_or(ExtractRejection::NotVerified)
    }
}

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for VerifiedJson<T> {
    type Rejection = ExtractRejection;

    async fn from_request(request: Request, _: &S) -> Result<Self, Self::Rejection> {
        let proof =
            request.extensions().get::<Verified<Bytes>>().cloned().ok_or(ExtractRejection::NotVerified)?;
        let value = serde_json::from_slice(proof.body()).map_err(ExtractRejection::UnexpectedJson)?;
        Ok(Self { value, proof })
    }
}
