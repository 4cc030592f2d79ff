//! From a rendered reply to the platform's methods.

use std::time::Duration;

use langnghe_connector::{Outgoing, SendError, Sent};
use langnghe_model::{EventId, Reply, event::MediaKind};
use serde_json::{Value, json};

use super::api::{BotApi, classify};
use crate::lenient;

/// Sends one reply: one request.
pub(super) async fn send(api: &BotApi, outgoing: &Outgoing<'_>) -> Result<Sent, SendError> {
    let (method, body) = encode(outgoing)?;
    let result = api.call(method, &body, Duration::ZERO).await;
    let result = result.map_err(classify)?;
    // An action has no result, and a message's may lack its id.
    Ok(Sent {
        message: lenient::text(&result["message_id"]).map(EventId::new),
    })
}

fn encode(outgoing: &Outgoing<'_>) -> Result<(&'static str, Value), SendError> {
    let rejected = |code: &str| SendError::Rejected {
        code: code.to_owned(),
    };
    let chat = outgoing.citizen.as_str();
    if chat.is_empty() || chat == "nobody" {
        return Err(rejected("no recipient"));
    }
    Ok(match outgoing.reply {
        Reply::Text { text } => ("sendMessage", json!({ "chat_id": chat, "text": text })),
        Reply::Choices { text, choices, .. } if choices.is_empty() => {
            ("sendMessage", json!({ "chat_id": chat, "text": text }))
        }
        Reply::Media {
            media: MediaKind::Image,
            url,
            caption: None,
        } => ("sendPhoto", json!({ "chat_id": chat, "photo": url })),
        Reply::Media {
            media: MediaKind::Image,
            url,
            caption: Some(caption),
        } => (
            "sendPhoto",
            json!({ "chat_id": chat, "photo": url, "caption": caption }),
        ),
        Reply::Typing => (
            "sendChatAction",
            json!({ "chat_id": chat, "action": "typing" }),
        ),
        // Rendering words everything else for this channel.
        _ => return Err(rejected("not rendered")),
    })
}
