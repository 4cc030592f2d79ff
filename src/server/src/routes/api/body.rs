//! The JSON body of a request to the API.

use axum::{
    Json,
    extract::{FromRequest, Request, rejection::JsonRejection},
};
use serde::de::DeserializeOwned;

use super::ApiError;

/// A JSON body; what is wrong with one is said as the API says everything.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let Json(body) = Json::from_request(request, state).await?;
        Ok(Self(body))
    }
}

impl From<JsonRejection> for ApiError {
    /// Says where the body is wrong, and quotes nothing of it.
    fn from(rejection: JsonRejection) -> Self {
        let detail = match rejection {
            JsonRejection::MissingJsonContentType(_) => "send `Content-Type: application/json`",
            JsonRejection::JsonSyntaxError(_) => "the body is no JSON",
            JsonRejection::JsonDataError(_) => {
                "the body lacks a field, or one is of another type than /api/openapi.json says"
            }
            _ => "the body could not be read, or is too large",
        };
        Self::new(rejection.status(), "bad_request", detail)
    }
}
