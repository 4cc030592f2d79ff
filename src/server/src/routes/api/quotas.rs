//! `GET /api/v1/quotas`: how every limit of every channel stands.

use std::sync::Arc;

use axum::{Json, extract::State, routing::get};
use langnghe_desk::ticket::rfc3339;
use langnghe_model::{ChannelId, Timestamp};
use langnghe_store::{Depth, Depths};
use serde::Serialize;

use super::{ApiError, Endpoint, channels::depths};
use crate::{
    quota::{Allowance, QuotaState},
    routes::{RoutedChannel, Shared},
};

/// The state of the quotas.
pub(super) fn endpoint() -> Endpoint {
    Endpoint {
        path: "/quotas",
        route: get(list),
        document: include_str!("quotas.json"),
    }
}

/// The quotas of all channels.
#[derive(Debug, Serialize)]
struct Quotas {
    channels: Vec<ChannelQuotas>,
}

/// The quotas of one channel.
#[derive(Debug, Serialize)]
struct ChannelQuotas {
    channel: String,
    /// Whether the replica that answers is the one that sends on it.
    sends_here: bool,
    /// The replica that sends on it, where it is known.
    replica: Option<String>,
    as_of: Option<String>,
    pace_percent: u32,
    paused_until: Option<String>,
    why: Option<String>,
    outbox_waiting: u64,
    quotas: Vec<QuotaState>,
    allowances: Vec<ShownAllowance>,
}

/// What the provider told of one allowance.
#[derive(Debug, Serialize)]
struct ShownAllowance {
    name: String,
    used_percent: Option<u8>,
    remaining: Option<u64>,
    total: Option<u64>,
    until: Option<String>,
    told_at: String,
}

async fn list(State(shared): State<Arc<Shared>>) -> Result<Json<Quotas>, ApiError> {
    let depths = depths(&shared).await?;
    let mut channels: Vec<_> = shared.channels.iter().collect();
    channels.sort_by_key(|(id, _)| id.as_str());
    let channels = channels.into_iter();
    Ok(Json(Quotas {
        channels: channels
            .map(|(id, channel)| show(id, channel, &depths))
            .collect(),
    }))
}

fn show(id: &ChannelId, channel: &RoutedChannel, depths: &Depths) -> ChannelQuotas {
    let sends_here = channel.guard.tenure().is_some();
    let depth = depths.outbox.iter().find(|(of, _)| of == id);
    let depth = depth.map_or_else(Depth::default, |(_, depth)| *depth);
    let nothing = ChannelQuotas {
        channel: id.as_str().to_owned(),
        sends_here,
        replica: None,
        as_of: None,
        pace_percent: 100,
        paused_until: None,
        why: None,
        outbox_waiting: depth.waiting.saturating_sub(depth.parked),
        quotas: Vec::new(),
        allowances: Vec::new(),
    };
    let Some(state) = channel.quotas.state(sends_here) else {
        return nothing;
    };
    ChannelQuotas {
        replica: Some(state.replica),
        as_of: Some(moment(state.at_ms)),
        pace_percent: state.pace_percent,
        paused_until: state.paused_until_ms.map(moment),
        why: state.why,
        quotas: state.quotas,
        allowances: state.allowances.into_iter().map(told).collect(),
        ..nothing
    }
}

fn told(allowance: Allowance) -> ShownAllowance {
    ShownAllowance {
        name: allowance.name,
        used_percent: allowance.used_percent,
        remaining: allowance.remaining,
        total: allowance.total,
        until: allowance.until_ms.map(moment),
        told_at: moment(allowance.told_ms),
    }
}

fn moment(milliseconds: i64) -> String {
    rfc3339(Timestamp::from_milliseconds(milliseconds))
}
