//! From an update to events.

use http::Method;
use langnghe_connector::{Received, Rejection, WebhookRequest, signature::encode_hex};
use langnghe_model::{
    ChannelId, CitizenId, ConversationId, Event, EventId, EventKind, Timestamp,
    event::{Attachment, Media, MediaKind, Message},
};
use secrecy::ExposeSecret;
use serde_json::{Value, value::RawValue};
use sha2::{Digest, Sha256};

use super::{BotConfig, BotMode};
use crate::lenient::{moment, text};

/// Whom an update is from that does not say it.
const NOBODY: &str = "nobody";

/// Verifies a webhook and normalises the one update in it. The secret is compared before anything is
/// read.
pub(super) fn receive(
    config: &BotConfig,
    request: &WebhookRequest<'_>,
) -> Result<Received, Rejection> {
    if *request.method != Method::POST {
        return Err(Rejection::Method);
    }
    let BotMode::Webhook { secret } = &config.mode else {
        return Err(Rejection::Signature);
    };
    if !request.shows("x-bot-api-secret-token", secret.expose_secret()) {
        return Err(Rejection::Signature);
    }
    let raw: &RawValue = serde_json::from_slice(request.body)
        .map_err(|_| Rejection::Malformed("the body is not JSON"))?;
    // What serde_json cannot hold (a nesting deeper than its bound) is kept as its text.
    let update =
        serde_json::from_str(raw.get()).unwrap_or_else(|_| Value::String(raw.get().to_owned()));
    let event = normalise(&config.channel, &update, request.received_at);
    Ok(Received {
        events: event.into_iter().collect(),
        ..Received::default()
    })
}

/// Normalises one update, with or without the wrapper around it: both were seen. Nothing where it was
/// not said to us.
pub(super) fn normalise(
    channel: &ChannelId,
    wrapped: &Value,
    received_at: Timestamp,
) -> Option<Event> {
    let update = Some(&wrapped["result"])
        .filter(|inner| inner.is_object())
        .unwrap_or(wrapped);
    let message = &update["message"];
    let chat = &message["chat"];
    if message["from"]["is_bot"] == true || chat["chat_type"] == "GROUP" {
        return None;
    }
    let citizen = text(&chat["id"]).or_else(|| text(&message["from"]["id"]));
    let name = text(&update["event_name"]).unwrap_or_default();
    let known = kind(&name, message).filter(|_| citizen.is_some());
    let id = match text(&message["message_id"]).filter(|_| known.is_some()) {
        Some(id) => EventId::new(id),
        None => digest(
            if known.is_some() {
                "message"
            } else {
                "unknown"
            },
            update,
        ),
    };
    let kind = known.unwrap_or_else(|| EventKind::Unknown {
        name: word(&name).to_owned(),
        raw: update.clone(),
    });
    let citizen = CitizenId::new(citizen.as_deref().unwrap_or(NOBODY));
    Some(Event {
        id,
        conversation: ConversationId::new(channel.clone(), citizen),
        sent_at: moment(&message["date"]).unwrap_or(received_at),
        received_at,
        kind,
    })
}

fn kind(name: &str, message: &Value) -> Option<EventKind> {
    let link = |keys: [&str; 2]| keys.into_iter().find_map(|key| text(&message[key]));
    let attachment = match name {
        "message.text.received" => None,
        // One name in the documentation, the other seen.
        "message.image.received" => Some(media(MediaKind::Image, link(["photo", "photo_url"])?)),
        "message.voice.received" => Some(media(MediaKind::Audio, link(["voice_url", "voice"])?)),
        "message.sticker.received" => Some(Attachment::Sticker {
            id: text(&message["sticker"]),
            url: text(&message["url"]),
        }),
        // A kind that the platform does not pass on, or anything at all of a sender whom it protects
        // (minors): the citizen is told what can be read.
        "message.unsupported.received" => Some(Attachment::Other {
            name: "unsupported".to_owned(),
            raw: message.clone(),
        }),
        "message.link.received" => Some(Attachment::Link {
            url: Some(link(["link", "url"])?),
            title: None,
        }),
        _ => return None,
    };
    let words = text(&message["text"]).or_else(|| text(&message["caption"]));
    if words.is_none() && attachment.is_none() {
        return None;
    }
    Some(EventKind::Message(Message {
        text: words,
        attachments: attachment.into_iter().collect(),
        ..Message::default()
    }))
}

fn media(kind: MediaKind, url: String) -> Attachment {
    Attachment::Media(Media {
        kind,
        url,
        content_type: None,
        bytes: None,
        name: None,
    })
}

/// An id for what has none: the same update has the same id.
fn digest(prefix: &str, update: &Value) -> EventId {
    let digest = Sha256::digest(update.to_string().as_bytes());
    EventId::new(format!("{prefix}:{}", encode_hex(&digest[..16])))
}

/// The name of an event as one that needs no care.
fn word(name: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    if (1..=60).contains(&name.len()) && name.bytes().all(plain) {
        name
    } else {
        "unknown"
    }
}
