//! What citizens send: messages, pressed buttons, contact details.

use langnghe_model::{
    Event, EventId, EventKind,
    event::{Attachment, Contact, Message},
};
use serde_json::Value;

use super::{attachment, scope::Scope};
use crate::{lenient, send::CHOICE};

/// The event that a message becomes; `None` for what is none.
pub(super) fn event(scope: &Scope<'_>) -> Option<Event> {
    let name = scope.name();
    let kind = name
        .strip_prefix("user_send_")
        .or_else(|| name.strip_prefix("anonymous_send_"));
    let message = match kind {
        // Whatever the name: what we said ourselves is no input.
        Some(_) if scope.is_from_oa() => return None,
        Some("text") => match pressed(scope) {
            Some(payload) => {
                let kind = EventKind::Postback {
                    payload: Some(payload),
                    title: None,
                    referral: None,
                };
                return Some(made(scope, kind));
            }
            None => with_attachments(scope, "text"),
        },
        Some("business_card") => Message {
            attachments: vec![card(scope)],
            ..Message::default()
        },
        Some(
            kind @ ("image" | "gif" | "sticker" | "audio" | "video" | "file" | "location" | "link"),
        ) => with_attachments(scope, kind),
        None if name == "user_submit_info" => {
            let contact = submitted(scope)?;
            let kind = EventKind::Message(Message {
                attachments: vec![Attachment::Contact(contact)],
                ..Message::default()
            });
            return Some(scope.made(scope.id_of_message("info"), scope.citizen(), kind));
        }
        // Groups, and what Zalo invents tomorrow.
        _ => return None,
    };
    let empty = message.text.is_none() && message.attachments.is_empty();
    (!empty).then(|| made(scope, EventKind::Message(message)))
}

fn made(scope: &Scope<'_>, kind: EventKind) -> Event {
    scope.made(scope.id_of_message(""), scope.citizen(), kind)
}

/// The payload of one of our own buttons: a press comes back as a text.
fn pressed(scope: &Scope<'_>) -> Option<String> {
    let text = scope.body.pointer("/message/text")?.as_str()?;
    let payload = text.trim().strip_prefix(CHOICE)?;
    (!payload.is_empty()).then(|| payload.to_owned())
}

fn with_attachments(scope: &Scope<'_>, kind: &str) -> Message {
    let listed = scope.body.pointer("/message/attachments");
    let mut attachments: Vec<Attachment> = listed
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|raw| attachment::read(kind, raw))
        .collect();
    if kind == "location"
        && !attachments
            .iter()
            .any(|one| matches!(one, Attachment::Location(_)))
        && let Some(place) = scope.body.pointer("/message/location")
    {
        attachments.extend(attachment::location(place).map(Attachment::Location));
    }
    Message {
        text: scope
            .body
            .pointer("/message/text")
            .and_then(lenient::text)
            .filter(|text| !text.trim().is_empty()),
        attachments,
        reply_to: scope.text("/message/quote_msg_id").map(EventId::new),
        ..Message::default()
    }
}

/// A business card: its name is the message's text, its number stands in JSON inside a text.
fn card(scope: &Scope<'_>) -> Attachment {
    let payload = scope.body.pointer("/message/attachments/0/payload");
    let description = payload.and_then(|payload| payload.get("description"));
    let inner: Option<Value> = match description {
        Some(Value::String(text)) => serde_json::from_str(text).ok(),
        other => other.cloned(),
    };
    let field = |name: &str| {
        let inside = inner.as_ref().and_then(|inner| inner.get(name));
        inside
            .or_else(|| payload.and_then(|payload| payload.get(name)))
            .and_then(lenient::text)
    };
    Attachment::Contact(Contact {
        name: scope.text("/message/text").or_else(|| field("caption")),
        phones: field("phone").into_iter().collect(),
        emails: Vec::new(),
    })
}

/// What a citizen entered in answer to `request_user_info`, in either of its two forms.
fn submitted(scope: &Scope<'_>) -> Option<Contact> {
    let info = scope.body.get("info")?;
    let field = |name: &str| {
        let text = info.get(name).and_then(lenient::text);
        text.filter(|text| !text.trim().is_empty())
    };
    let contact = Contact {
        name: field("name"),
        phones: field("phone").into_iter().collect(),
        emails: field("email").into_iter().collect(),
    };
    (contact != Contact::default()).then_some(contact)
}
