//! The WebSocket.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{
        State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    response::Response,
};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::{sync::OwnedSemaphorePermit, time::timeout};

use crate::{
    event,
    frame::{FRAME_BYTES, FromPage, Reason, ToPage},
    hub::Connection,
    routes::{Shared, full},
    visitor,
};

/// How long a page may take to say who it is.
const HELLO_TIME: Duration = Duration::from_secs(10);
/// How long one frame may take to leave.
const WRITE_TIME: Duration = Duration::from_secs(10);

/// `GET …/ws`
pub(crate) async fn open(State(shared): State<Arc<Shared>>, upgrade: WebSocketUpgrade) -> Response {
    let Ok(permit) = shared.connections.clone().try_acquire_owned() else {
        return full();
    };
    upgrade
        .max_message_size(FRAME_BYTES)
        .max_frame_size(FRAME_BYTES)
        .max_write_buffer_size(4 * FRAME_BYTES)
        .on_upgrade(|socket| speak(shared, socket, permit))
}

async fn speak(shared: Arc<Shared>, socket: WebSocket, permit: OwnedSemaphorePermit) {
    let (mut sink, mut stream) = socket.split();
    let end = match timeout(HELLO_TIME, hello(&shared, &mut stream)).await {
        Ok(Ok(connection)) => converse(&shared, connection, &mut sink, &mut stream).await,
        Ok(Err(reason)) => Err(reason),
        Err(_) => Err(Reason::Idle),
    };
    if let Err(reason) = end {
        // The other end may be gone already, then nobody needs to be told.
        drop(write(&mut sink, ToPage::Error { reason }.encode()).await);
    }
    drop(timeout(WRITE_TIME, sink.close()).await);
    drop(permit);
}

/// Learns who is there.
async fn hello(shared: &Shared, stream: &mut SplitStream<WebSocket>) -> Result<Connection, Reason> {
    let Some(Ok(Message::Text(text))) = stream.next().await else {
        return Err(Reason::Malformed);
    };
    let Ok(FromPage::Hello { visitor, language }) = serde_json::from_str(&text) else {
        return Err(Reason::Malformed);
    };
    let citizen = visitor::citizen(&shared.config.channel, &visitor).ok_or(Reason::Visitor)?;
    Ok(shared.connect(&citizen, known(shared, language.as_deref())))
}

/// A language that the page really has.
pub(crate) fn known<'a>(shared: &Shared, language: Option<&'a str>) -> Option<&'a str> {
    language.filter(|language| {
        shared
            .config
            .languages
            .iter()
            .any(|known| known == language)
    })
}

/// Carries frames both ways until one end is done.
async fn converse(
    shared: &Shared,
    mut connection: Connection,
    sink: &mut SplitSink<WebSocket, Message>,
    stream: &mut SplitStream<WebSocket>,
) -> Result<(), Reason> {
    if write(sink, ToPage::Welcome.encode()).await.is_err() {
        return Ok(());
    }
    let citizen = connection.citizen().clone();
    shared.host.present(&citizen).await;
    loop {
        let answer = tokio::select! {
            frame = connection.next() => match frame {
                Some(frame) => Some(frame.to_string()),
                None => return Err(Reason::Replaced),
            },
            message = timeout(shared.config.idle, stream.next()) => match message {
                Ok(Some(Ok(Message::Text(text)))) => heard(shared, &connection, &text).await?,
                Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => None,
                Ok(Some(Ok(Message::Close(_))) | None) => return Ok(()),
                // Not of this protocol, too large, not UTF-8, or the connection broke.
                Ok(Some(Ok(Message::Binary(_)) | Err(_))) => return Err(Reason::Malformed),
                Err(_) => return Err(Reason::Idle),
            },
        };
        if let Some(answer) = answer
            && write(sink, answer).await.is_err()
        {
            return Ok(());
        }
    }
}

/// Does what a frame asks for; gives the answer, if one is due.
async fn heard(
    shared: &Shared,
    connection: &Connection,
    text: &str,
) -> Result<Option<String>, Reason> {
    let citizen = connection.citizen();
    match serde_json::from_str(text).map_err(|_| Reason::Malformed)? {
        FromPage::Message(message) => {
            let channel = &shared.config.channel;
            let outcome = event::take(&*shared.host, channel, citizen, &message, None).await;
            Ok(Some(outcome.frame(&message.id).encode()))
        }
        FromPage::Ack { id } => {
            shared.acknowledge(citizen, &id);
            Ok(None)
        }
        FromPage::Ping => {
            // Also for a reply that was parked at the very moment in which they came.
            shared.host.present(citizen).await;
            Ok(Some(ToPage::Pong.encode()))
        }
        FromPage::Hello { .. } => Err(Reason::Malformed),
    }
}

/// The connection is broken or too slow.
struct Broken;

async fn write(sink: &mut SplitSink<WebSocket, Message>, frame: String) -> Result<(), Broken> {
    match timeout(WRITE_TIME, sink.send(Message::Text(frame.into()))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Broken),
    }
}
