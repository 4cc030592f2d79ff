//! A message with a file.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Multipart, State, multipart::MultipartError},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use bytes::Bytes;
use langnghe_connector::{MediaRefusal, Upload};
use langnghe_model::ConversationId;
use tokio::time::timeout;

use crate::{
    event,
    frame::{PageMessage, Reason, ToPage},
    routes::{Shared, answer, full, visitor_of},
};

/// How long a file may take to come: 25 MB over a slow mobile network.
const UPLOAD_TIME: Duration = Duration::from_mins(3);
/// How long an upload waits for its turn.
const TURN_TIME: Duration = Duration::from_secs(10);

/// `POST …/upload`: form data with `id`, perhaps `text`, then `file`.
pub(crate) async fn take(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    form: Multipart,
) -> Response {
    let Some(citizen) = visitor_of(&shared, &headers) else {
        return answer(&ToPage::Error {
            reason: Reason::Visitor,
        });
    };
    let Ok(Ok(_permit)) = timeout(TURN_TIME, shared.uploads.acquire()).await else {
        return full();
    };
    let form = match timeout(UPLOAD_TIME, read(form)).await {
        Ok(Ok(form)) => form,
        Ok(Err(reason)) => return answer(&ToPage::Error { reason }),
        Err(_) => {
            return answer(&ToPage::Error {
                reason: Reason::Idle,
            });
        }
    };
    let Form {
        message,
        file,
        name,
    } = form;
    let refused = |reason| {
        answer(&ToPage::Refused {
            id: &message.id,
            reason,
            retry_after: None,
        })
    };
    if file.len() > shared.config.upload_bytes {
        return refused(Reason::TooLarge);
    }
    // Before the file is kept: a message that will not be taken leaves nothing behind.
    if let Err(reason) = message.check(true) {
        return refused(reason);
    }
    let channel = &shared.config.channel;
    let conversation = ConversationId::new(channel.clone(), citizen.clone());
    let media = match shared
        .host
        .keep_media(&conversation, Upload { bytes: file, name })
        .await
    {
        Ok(media) => media,
        Err(MediaRefusal::TooLarge { .. }) => return refused(Reason::TooLarge),
        Err(MediaRefusal::TooMany) => return refused(Reason::Flooded),
        Err(MediaRefusal::Kind) => return refused(Reason::Kind),
        Err(MediaRefusal::Unavailable) => {
            let retry_after = Some(5);
            let reason = Reason::Unavailable;
            return answer(&ToPage::Refused {
                id: &message.id,
                reason,
                retry_after,
            });
        }
    };
    let outcome = event::take(&*shared.host, channel, &citizen, &message, Some(media)).await;
    answer(&outcome.frame(&message.id))
}

/// What the form holds.
struct Form {
    message: PageMessage,
    file: Bytes,
    name: Option<String>,
}

async fn read(mut form: Multipart) -> Result<Form, Reason> {
    let mut message = PageMessage::default();
    while let Some(field) = form
        .next_field()
        .await
        .map_err(|error| unreadable(&error))?
    {
        match field.name() {
            Some("id") => message.id = field.text().await.map_err(|error| unreadable(&error))?,
            Some("text") => {
                message.text = Some(field.text().await.map_err(|error| unreadable(&error))?);
            }
            Some("file") => {
                let name = field
                    .file_name()
                    .map(|name| name.chars().take(120).collect());
                let file = field.bytes().await.map_err(|error| unreadable(&error))?;
                return Ok(Form {
                    message,
                    file,
                    name,
                });
            }
            _ => return Err(Reason::Malformed),
        }
    }
    Err(Reason::Malformed)
}

fn unreadable(error: &MultipartError) -> Reason {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Reason::TooLarge
    } else {
        Reason::Malformed
    }
}
