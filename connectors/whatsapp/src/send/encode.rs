//! The message that says a reply.

use langnghe_connector::{Manner, Outgoing, SendError};
use langnghe_model::{
    CitizenId, Reply,
    event::MediaKind,
    reply::{Choice, ContactField},
};
use serde_json::{Value, json};

use crate::{Config, is_user_id};

/// Up to how many choices are buttons; more are a list.
const BUTTONS: usize = 3;

/// The longest title of a button.
const BUTTON_TITLE: usize = 20;

/// The message, whole.
///
/// # Errors
/// [`SendError::Rejected`] for what cannot be said on this channel.
pub(super) fn encode(outgoing: &Outgoing<'_>, config: &Config) -> Result<Value, SendError> {
    let (kind, content) = content(outgoing, config)?;
    let mut body = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "type": kind,
        kind: content,
        "biz_opaque_callback_data": outgoing.id,
    });
    let (address, value) = recipient(outgoing.citizen);
    body[address] = value.into();
    Ok(body)
}

/// A phone number in E.164, or a business-scoped user id.
fn recipient(citizen: &CitizenId) -> (&'static str, String) {
    let id = citizen.as_str();
    if is_user_id(id) {
        ("recipient", id.to_owned())
    } else {
        ("to", format!("+{id}"))
    }
}

fn content(outgoing: &Outgoing<'_>, config: &Config) -> Result<(&'static str, Value), SendError> {
    let rejected = |code: &str| {
        Err(SendError::Rejected {
            code: code.to_owned(),
        })
    };
    if let Manner::Template { template, .. } = outgoing.manner {
        return match config.templates.get(&template.name) {
            Some(form) => Ok(("template", form.fill(template)?)),
            None => rejected("no such template"),
        };
    }
    Ok(match outgoing.reply {
        Reply::Text { text } => text_message(text),
        Reply::Choices { text, choices, .. } if choices.is_empty() => text_message(text),
        Reply::Choices { text, choices, .. } => ("interactive", choosing(text, choices, config)),
        Reply::AskLocation { text, choices } if choices.is_empty() => (
            "interactive",
            json!({
                "type": "location_request_message",
                "body": { "text": text },
                "action": { "name": "send_location" },
            }),
        ),
        Reply::AskContact {
            text,
            field: ContactField::Phone,
            choices,
        } if choices.is_empty() => (
            "interactive",
            json!({
                "type": "request_contact_info",
                "body": { "text": text },
                "action": { "name": "request_contact_info" },
            }),
        ),
        Reply::Media {
            media,
            url,
            caption,
        } => media_message(*media, url, caption.as_deref()),
        // What the channel lacks is worded by rendering.
        _ => return rejected("not rendered"),
    })
}

fn text_message(text: &str) -> (&'static str, Value) {
    ("text", json!({ "body": text, "preview_url": false }))
}

fn choosing(text: &str, choices: &[Choice], config: &Config) -> Value {
    let fit = |choice: &Choice| {
        choice.label.chars().count() <= BUTTON_TITLE && choice.description.is_none()
    };
    if choices.len() <= BUTTONS && choices.iter().all(fit) {
        let buttons: Vec<Value> = choices
            .iter()
            .map(|choice| {
                let reply = json!({ "id": choice.payload, "title": choice.label });
                json!({ "type": "reply", "reply": reply })
            })
            .collect();
        return json!({
            "type": "button",
            "body": { "text": text },
            "action": { "buttons": buttons },
        });
    }
    let rows: Vec<Value> = choices
        .iter()
        .map(|choice| {
            let mut row = json!({ "id": choice.payload, "title": choice.label });
            if let Some(description) = &choice.description {
                row["description"] = description.as_str().into();
            }
            row
        })
        .collect();
    json!({
        "type": "list",
        "body": { "text": text },
        "action": { "button": config.list_button, "sections": [{ "rows": rows }] },
    })
}

fn media_message(kind: MediaKind, url: &str, caption: Option<&str>) -> (&'static str, Value) {
    let kind = match kind {
        MediaKind::Image => "image",
        MediaKind::Video => "video",
        MediaKind::Audio => "audio",
        MediaKind::File => "document",
    };
    let mut media = json!({ "link": url });
    if let Some(caption) = caption {
        media["caption"] = caption.into();
    }
    if kind == "document"
        && let Some(name) = file_name(url)
    {
        media["filename"] = name.into();
    }
    (kind, media)
}

/// The last part of the link's path, if it looks like a file's name: what WhatsApp shows of a document.
fn file_name(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    let name = url.path_segments()?.next_back()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let good = name.len() <= 240 && name.contains('.') && name.bytes().all(plain);
    good.then(|| name.to_owned())
}
