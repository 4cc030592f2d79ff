//! From a rendered reply to the Cloud API.

mod encode;
mod failure;

use langnghe_connector::{Outgoing, SendError, Sent, ThrottleScope};
use langnghe_graph::GraphClient;
use langnghe_model::{EventId, Reply};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) use self::failure::{decide, failed_later};
use crate::{Config, NUMBER, recent::Recent};

/// Sends one reply: one request.
pub(crate) async fn send(
    graph: &GraphClient,
    config: &Config,
    recent: &Recent,
    outgoing: &Outgoing<'_>,
) -> Result<Sent, SendError> {
    let citizen = outgoing.citizen.as_str();
    if citizen.is_empty() || citizen.starts_with(NUMBER) {
        return Err(SendError::Rejected {
            code: "no recipient".to_owned(),
        });
    }
    let body = if *outgoing.reply == Reply::Typing {
        // Both refer to a message. Where it came to another replica, they are left out.
        let Some(message) = recent.message(citizen) else {
            return Ok(Sent::default());
        };
        json!({
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": message,
            "typing_indicator": { "type": "text" },
        })
    } else {
        encode::encode(outgoing, config)?
    };
    let path = [config.phone_number_id.as_str(), "messages"];
    match graph.post(&path, &body).await {
        Ok(answer) => {
            recent.taken(citizen);
            read_answer(answer)
        }
        Err(failure) => Err(match failure.decided(decide) {
            SendError::Throttled {
                scope: ThrottleScope::Recipient,
                code,
                ..
            } => SendError::Throttled {
                after: Some(recent.throttled(citizen)),
                scope: ThrottleScope::Recipient,
                code,
            },
            other => other,
        }),
    }
}

/// What Meta answers to a message, or to "read" (`success`). That it took one says little: most
/// failures come later, as a status.
#[derive(Deserialize)]
struct SendAnswer {
    messages: Option<Vec<TakenMessage>>,
    success: Option<bool>,
}

#[derive(Deserialize)]
struct TakenMessage {
    id: String,
}

fn read_answer(answer: Value) -> Result<Sent, SendError> {
    let answer = SendAnswer::deserialize(answer);
    let unreadable = || SendError::Transport {
        reason: "unreadable answer".to_owned(),
    };
    let answer = answer.map_err(|_| unreadable())?;
    let message = answer
        .messages
        .and_then(|messages| messages.into_iter().next());
    match (message, answer.success) {
        (Some(message), _) => Ok(Sent {
            message: Some(EventId::new(message.id)),
        }),
        (None, Some(true)) => Ok(Sent::default()),
        (None, Some(false)) => Err(SendError::Rejected {
            code: "no success".to_owned(),
        }),
        // Somebody answered, but it was not the Cloud API.
        (None, None) => Err(unreadable()),
    }
}
