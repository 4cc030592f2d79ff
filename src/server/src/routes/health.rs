//! Whether the replica lives, whether it can work, and what it counts.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::routes::Shared;

/// The longest that the store may take to answer before we say that we are not ready.
const PING_TIME: Duration = Duration::from_secs(2);

/// The process answers.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// The store can be written.
pub(crate) async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    match tokio::time::timeout(PING_TIME, shared.store.ping()).await {
        Ok(Ok(())) => {
            if let Some(times) = shared.unready.over(Instant::now) {
                tracing::info!(times, "ready again");
            }
            "ready\n".into_response()
        }
        Ok(Err(error)) => {
            if let Some(times) = shared.unready.happened(Instant::now()) {
                tracing::warn!(%error, times, "not ready");
            }
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "the store cannot be written\n",
            )
                .into_response()
        }
        Err(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the store does not answer\n",
        )
            .into_response(),
    }
}

/// All series in the text format.
pub(crate) async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    (
        [(header::CONTENT_TYPE, content_type)],
        shared.metrics.page(),
    )
        .into_response()
}
