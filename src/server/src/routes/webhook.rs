//! `/webhooks/{channel}`: verified, normalised, durable, and only then answered.

use std::{sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::{Path, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use langnghe_connector::WebhookRequest;
use langnghe_model::ChannelId;

use crate::{
    clock,
    crash::{self, Point},
    routes::{RoutedChannel, Shared, busy},
};

/// Takes one webhook.
pub(crate) async fn receive(
    State(shared): State<Arc<Shared>>,
    Path(channel): Path<String>,
    request: Request,
) -> Response {
    answer(&shared, &channel, "", request).await
}

/// Takes one webhook that came to a path below the channel's own.
pub(crate) async fn receive_below(
    State(shared): State<Arc<Shared>>,
    Path((channel, path)): Path<(String, String)>,
    request: Request,
) -> Response {
    answer(&shared, &channel, path.trim_matches('/'), request).await
}

async fn answer(shared: &Shared, channel: &str, path: &str, request: Request) -> Response {
    let channel = ChannelId::new(channel)
        .ok()
        .and_then(|id| shared.channels.get(&id));
    let Some(channel) = channel else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Ok(_place) = shared.places.try_acquire() else {
        channel.metrics.rejected("busy");
        return busy(&shared.settings);
    };
    let time = shared.settings.request_time;
    match tokio::time::timeout(time, take(shared, channel, path, request)).await {
        Ok(response) => response,
        Err(_) => {
            // What was already handed to the store may still be stored; the redelivery is then a
            // duplicate.
            channel.metrics.rejected("timeout");
            shared.intake.flood.suspend(clock::now());
            busy(&shared.settings)
        }
    }
}

async fn take(shared: &Shared, channel: &RoutedChannel, path: &str, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = match read(body, shared.settings.body_bytes).await {
        Ok(body) => body,
        Err(status) => {
            let large = status == StatusCode::PAYLOAD_TOO_LARGE;
            channel
                .metrics
                .rejected(if large { "too_large" } else { "cut" });
            // The rest of the body is not read, so the connection cannot be used again.
            return (status, [(header::CONNECTION, "close")]).into_response();
        }
    };
    let began = Instant::now();
    let received = channel.connector.receive(&WebhookRequest {
        method: &parts.method,
        path,
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body: &body,
        received_at: clock::now(),
    });
    let received = match received {
        Ok(received) => received,
        Err(rejection) => {
            channel.metrics.rejected(rejection.reason());
            // Constant and empty: nothing tells what was wrong to somebody who only tries.
            return rejection.status().into_response();
        }
    };
    // Headers and body lie in the connection's read buffer: held over the wait for the store, they make
    // every request fill a new one.
    drop((parts, body));
    crash::point(Point::Received);
    if let Err(_unavailable) = shared
        .intake
        .accept(&channel.metrics, received.events)
        .await
    {
        return busy(&shared.settings);
    }
    crash::point(Point::Accepted);
    shared
        .metrics
        .accept_seconds
        .observe(began.elapsed().as_secs_f64());
    let answer = received.answer;
    (
        answer.status,
        [(header::CONTENT_TYPE, answer.content_type)],
        answer.body,
    )
        .into_response()
}

/// Reads a body up to its bound.
async fn read(body: Body, bound: usize) -> Result<Bytes, StatusCode> {
    match Limited::new(body, bound).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::BAD_REQUEST),
    }
}
