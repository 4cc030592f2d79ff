//! `/api/v1`: what an agency's programs and the operators' page may ask and do.
//!
//! Each resource is a file here with a `*.json` beside it, its part of the OpenAPI document. To add
//! one, write both and add a line to [`endpoints`].

mod body;
mod channels;
mod error;
mod notices;
mod openapi;
mod quotas;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::MethodRouter,
};

pub(crate) use self::body::JsonBody;
pub(crate) use self::error::ApiError;
use super::Shared;
use crate::ApiToken;

/// The largest body that a request to the API may have.
const BODY_BYTES: usize = 64 * 1024;

/// One path of the API, and what the OpenAPI document says of it.
pub(crate) struct Endpoint {
    /// Below `/api/v1`, in the notation that axum and OpenAPI share.
    path: &'static str,
    route: MethodRouter<Arc<Shared>>,
    /// JSON with `path`, an OpenAPI path item, and `schemas`, those that it refers to.
    document: &'static str,
}

/// Every path of the API that needs a token.
fn endpoints() -> Vec<Endpoint> {
    vec![
        channels::endpoint(),
        notices::endpoint(),
        quotas::endpoint(),
    ]
}

/// The routes of the API, and of the document that describes them.
pub(super) fn router(shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    let endpoints = endpoints();
    let document = openapi::document(&endpoints);
    let mut api = Router::new();
    for endpoint in endpoints {
        api = api.route(endpoint.path, endpoint.route);
    }
    let api = api
        .fallback(async || ApiError::not_found("there is no such path; see /api/openapi.json"))
        .method_not_allowed_fallback(async || {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            ApiError::new(status, "method_not_allowed", "see /api/openapi.json")
        })
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(from_fn_with_state(Arc::clone(shared), admit));
    Router::new()
        .nest("/api/v1", api)
        .merge(openapi::router(document))
}

/// Lets a request with a good token pass, for a bounded time.
async fn admit(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let tokens = &shared.settings.api_tokens;
    let mut response = if tokens.is_empty() {
        let detail = "this replica has no [api] token in its configuration, so its API is off";
        ApiError::new(StatusCode::FORBIDDEN, "api_disabled", detail).into_response()
    } else if bearer(&request).is_some_and(|token| ApiToken::is_among(tokens, token)) {
        let time = shared.settings.request_time;
        match tokio::time::timeout(time, next.run(request)).await {
            Ok(response) => response,
            Err(_) => {
                let wait = shared.settings.retry_after.as_secs();
                ApiError::unavailable("timeout", "it took too long", wait).into_response()
            }
        }
    } else {
        let detail = "send `Authorization: Bearer` with a token of [api] in the configuration";
        ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", detail).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The token that a request brings.
fn bearer(request: &Request) -> Option<&str> {
    let value = request
        .headers()
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}
