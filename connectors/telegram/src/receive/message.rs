//! New messages and edits.

use langnghe_model::{
    Event, EventId, EventKind,
    event::{Attachment, Message},
};
use serde_json::Value;

use super::{
    command::{self, Command},
    content,
    read::{id_of, message_event_id, object, text, time},
    update::{Normalised, Scope},
};

pub(super) fn new(scope: &Scope<'_>, part: &Value, chat: i64) -> Normalised {
    if part["from"]["is_bot"] == true {
        return scope.unknown("from_bot", Some(chat)).into();
    }
    let sent_at = time(part, "date");
    let id = id_of(&part["message_id"]).map_or_else(
        || EventId::new(format!("message:{}", scope.update)),
        |message| message_event_id(chat, message),
    );
    let event = |kind| -> Normalised { scope.event(id.clone(), chat, sent_at, kind).into() };
    let words = text(part, "text").or_else(|| text(part, "caption"));
    let attachments = content::attachments(part);
    let words = match words.filter(|_| attachments.is_empty()).map(command::read) {
        Some(Some(Command::Start(referral))) => return event(EventKind::Referral(referral)),
        Some(Some(Command::Word(word))) => Some(word),
        _ => words.map(str::to_owned),
    };
    if words.is_none() && attachments.is_empty() {
        return match content::foreign(part) {
            // What Telegram says of the chat itself: asks for no answer.
            None => Normalised::default(),
            // Something that we cannot read: kept whole, and the citizen is told.
            Some(name) => event(EventKind::Message(Message {
                attachments: vec![Attachment::Other {
                    name: name.to_owned(),
                    raw: part.clone(),
                }],
                ..Message::default()
            })),
        };
    }
    event(EventKind::Message(Message {
        text: words,
        attachments,
        reply_to: object(part, "reply_to_message")
            .and_then(|answered| id_of(&answered["message_id"]))
            .map(|answered| message_event_id(chat, answered)),
        album: text(part, "media_group_id").map(str::to_owned),
        ..Message::default()
    }))
}

pub(super) fn edited(scope: &Scope<'_>, part: &Value, chat: i64) -> Normalised {
    let words = text(part, "text").or_else(|| text(part, "caption"));
    let (Some(words), Some(message)) = (words, id_of(&part["message_id"])) else {
        // Where a live location goes is not followed.
        return if object(part, "location").is_some() {
            Normalised::default()
        } else {
            scope.unknown("edited_message", Some(chat)).into()
        };
    };
    let kind = EventKind::Edit {
        message: message_event_id(chat, message),
        text: words.to_owned(),
    };
    let sent_at = time(part, "edit_date").or_else(|| time(part, "date"));
    let id = EventId::new(format!("edit:{}", scope.update));
    let edit: Event = scope.event(id, chat, sent_at, kind);
    edit.into()
}
