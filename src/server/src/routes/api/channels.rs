//! `GET /api/v1/channels`: which channels there are, and how much waits on each.

use std::sync::Arc;

use axum::{Json, extract::State, routing::get};
use futures_util::future::join_all;
use langnghe_model::Problem;
use langnghe_store::{Depth, Depths};
use serde::Serialize;

use super::{ApiError, Endpoint};
use crate::{clock, routes::Shared};

/// The list of channels.
pub(super) fn endpoint() -> Endpoint {
    Endpoint {
        path: "/channels",
        route: get(list),
        document: include_str!("channels.json"),
    }
}

/// All channels.
#[derive(Debug, Serialize)]
pub(super) struct Channels {
    channels: Vec<Channel>,
}

/// One channel.
#[derive(Debug, Serialize)]
struct Channel {
    id: String,
    kind: &'static str,
    /// Whether the replica that answers is the one that sends on it.
    sends_here: bool,
    /// What keeps the channel from sending until an operator mends it.
    trouble: Option<Trouble>,
    outbox: Outbox,
}

/// What keeps a channel from sending.
#[derive(Debug, Serialize)]
struct Trouble {
    code: &'static str,
    message: String,
    /// What to do.
    help: Option<String>,
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        Self {
            code: problem.code,
            message: problem.message,
            help: problem.help,
        }
    }
}

/// The replies of a channel that are not sent yet.
#[derive(Debug, Serialize)]
struct Outbox {
    waiting: u64,
    parked: u64,
    oldest_age_seconds: Option<f64>,
}

async fn list(State(shared): State<Arc<Shared>>) -> Result<Json<Channels>, ApiError> {
    let depths = depths(&shared).await?;
    let now = clock::now();
    let mut channels: Vec<_> = shared.channels.iter().collect();
    channels.sort_by_key(|(id, _)| id.as_str());
    let troubles = channels
        .iter()
        .map(|(_, channel)| channel.connector.trouble());
    let troubles = join_all(troubles).await;
    let channels = channels.into_iter().zip(troubles);
    let channels = channels.map(|((id, channel), trouble)| {
        let depth = depths.outbox.iter().find(|(of, _)| of == id);
        let depth = depth.map_or_else(Depth::default, |(_, depth)| *depth);
        Channel {
            id: id.as_str().to_owned(),
            kind: channel.connector.kind(),
            sends_here: channel.guard.tenure().is_some(),
            trouble: trouble.map(Trouble::from),
            outbox: Outbox {
                waiting: depth.waiting,
                parked: depth.parked,
                oldest_age_seconds: depth.oldest.map(|oldest| now.since(oldest).as_secs_f64()),
            },
        }
    });
    Ok(Json(Channels {
        channels: channels.collect(),
    }))
}

/// How much waits.
pub(super) async fn depths(shared: &Shared) -> Result<Depths, ApiError> {
    shared.store.depths().await.map_err(|error| {
        tracing::warn!(%error, "the store does not say how much waits");
        let wait = shared.settings.retry_after.as_secs();
        ApiError::unavailable("store_unavailable", "the store does not answer", wait)
    })
}
