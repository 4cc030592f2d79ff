//! The same over plain requests, for networks that let no WebSocket through.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use tokio::time::timeout;

use crate::{
    event,
    frame::{FromPage, Reason, ToPage},
    routes::{Shared, answer, full, visitor_of},
    socket::known,
};

/// So long after they came they are announced once more, for a reply that was set aside at that very moment.
const AGAIN: Duration = Duration::from_secs(3);

/// `GET …/poll`: the frames that are there, or the next one within the time that a poll is held.
pub(crate) async fn poll(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let Some(citizen) = visitor_of(&shared, &headers) else {
        return answer(&ToPage::Error {
            reason: Reason::Visitor,
        });
    };
    let Ok(_permit) = shared.connections.clone().try_acquire_owned() else {
        return full();
    };
    let language = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    let mut connection = shared.connect(&citizen, known(&shared, language));
    shared.host.present(&citizen).await;
    let mut frames = Vec::new();
    let hold = shared.config.poll_hold;
    let first = hold.min(AGAIN);
    let mut next = timeout(first, connection.next()).await;
    if next.is_err() && first < hold {
        shared.host.present(&citizen).await;
        next = timeout(hold.saturating_sub(first), connection.next()).await;
    }
    match next {
        Ok(Some(frame)) => frames.push(frame),
        Ok(None) => {
            return answer(&ToPage::Error {
                reason: Reason::Replaced,
            });
        }
        Err(_) => {}
    }
    while let Some(frame) = connection.next_now() {
        frames.push(frame);
    }
    (
        [(header::CONTENT_TYPE, "application/json")],
        format!("[{}]", frames.join(",")),
    )
        .into_response()
}

/// `POST …/send`: one frame, answered with one.
pub(crate) async fn send(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(citizen) = visitor_of(&shared, &headers) else {
        return answer(&ToPage::Error {
            reason: Reason::Visitor,
        });
    };
    match serde_json::from_slice(&body) {
        Ok(FromPage::Message(message)) => {
            let channel = &shared.config.channel;
            let outcome = event::take(&*shared.host, channel, &citizen, &message, None).await;
            answer(&outcome.frame(&message.id))
        }
        Ok(FromPage::Ack { id }) => {
            shared.acknowledge(&citizen, &id);
            answer(&ToPage::Pong)
        }
        Ok(FromPage::Ping) => answer(&ToPage::Pong),
        Ok(FromPage::Hello { .. }) | Err(_) => answer(&ToPage::Error {
            reason: Reason::Malformed,
        }),
    }
}
