//! The replica's routes.

mod api;
mod health;
mod media;
mod webhook;

use std::{collections::HashMap, sync::Arc};

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use langnghe_connector::Connector;
use langnghe_model::ChannelId;
use langnghe_store::Store;
use tokio::sync::Semaphore;

use crate::{
    Settings,
    intake::Intake,
    media::MediaKeeper,
    metrics::{ChannelMetrics, Metrics},
    ownership::Guard,
    quota::Keeper,
    trouble::Trouble,
};

/// One channel as the routes need it.
#[derive(Debug)]
pub(crate) struct RoutedChannel {
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) metrics: ChannelMetrics,
    /// Whether this replica sends on it.
    pub(crate) guard: Arc<Guard>,
    /// How its limits stand.
    pub(crate) quotas: Arc<Keeper>,
}

/// What the routes share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) intake: Arc<Intake>,
    pub(crate) media: Arc<MediaKeeper>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) channels: HashMap<ChannelId, RoutedChannel>,
    pub(crate) places: Semaphore,
    pub(crate) settings: Settings,
    /// The store does not answer those who ask whether we are ready.
    pub(crate) unready: Trouble,
}

/// The replica's own routes.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/webhooks/{channel}", any(webhook::receive))
        .route("/webhooks/{channel}/{*path}", any(webhook::receive_below))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/media/{name}", get(media::file))
        .route("/api/v1/ticket.schema.json", get(ticket_schema))
        .merge(api::router(&shared))
        .with_state(shared)
}

/// Too busy, or the store is away: the provider sends it again.
fn busy(settings: &Settings) -> Response {
    let seconds = settings.retry_after.as_secs().max(1).to_string();
    (
        StatusCode::SERVICE_UNAVAILABLE,
        [(header::RETRY_AFTER, seconds)],
    )
        .into_response()
}

/// The published schema of the JSON that backends receive.
async fn ticket_schema() -> impl IntoResponse {
    (
        [(header::CONTENT_TYPE, "application/schema+json")],
        langnghe_desk::ticket::SCHEMA,
    )
}
