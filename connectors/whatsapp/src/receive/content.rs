//! The types of messages in which a citizen says something.

use langnghe_graph::wire::{Word, name, value};
use langnghe_model::event::{Attachment, Contact, Location, Media, MediaKind, Message};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::message::{WireMessage, unsupported};
use crate::MEDIA;

#[derive(Deserialize)]
struct Text {
    body: String,
}

#[derive(Deserialize)]
struct WireMedia<'a> {
    #[serde(borrow)]
    id: Word<'a>,
    mime_type: Option<String>,
    caption: Option<String>,
    filename: Option<String>,
}

#[derive(Deserialize)]
struct WireLocation {
    latitude: f64,
    longitude: f64,
    name: Option<String>,
    address: Option<String>,
}

#[derive(Deserialize)]
struct WireContact {
    name: Option<ContactName>,
    #[serde(default)]
    phones: Vec<Phone>,
    #[serde(default)]
    emails: Vec<Email>,
}

#[derive(Deserialize)]
struct ContactName {
    formatted_name: Option<String>,
    first_name: Option<String>,
}

#[derive(Deserialize)]
struct Phone {
    phone: Option<String>,
    wa_id: Option<String>,
}

#[derive(Deserialize)]
struct Email {
    email: Option<String>,
}

#[derive(Deserialize)]
struct Button {
    text: Option<String>,
    payload: Option<String>,
}

#[derive(Deserialize)]
struct Interactive<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Word<'a>,
    button_reply: Option<Chosen>,
    list_reply: Option<Chosen>,
    #[serde(borrow)]
    nfm_reply: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Chosen {
    id: String,
    title: Option<String>,
}

/// What was said; `None` when the type is not known.
pub(super) fn read(
    wire: &WireMessage<'_>,
    raw: &str,
) -> Result<Option<Message>, serde_json::Error> {
    let media = |kind, payload| Ok(Some(media(kind, payload, raw)));
    match wire.kind.as_str() {
        "text" => match wire.text {
            Some(payload) => {
                let text: Text = serde_json::from_str(payload.get())?;
                Ok(Some(Message {
                    text: Some(text.body),
                    ..Message::default()
                }))
            }
            None => Ok(Some(unsupported("text", raw))),
        },
        "image" => media(MediaKind::Image, wire.image),
        "video" => media(MediaKind::Video, wire.video),
        "audio" => media(MediaKind::Audio, wire.audio),
        "voice" => media(MediaKind::Audio, wire.voice),
        "document" => media(MediaKind::File, wire.document),
        "sticker" => Ok(Some(sticker(wire.sticker, raw))),
        "location" => Ok(Some(location(wire.location, raw))),
        "contacts" => contacts(wire.contacts.as_deref().unwrap_or_default()).map(Some),
        "button" => button(wire.button, raw).map(Some),
        "interactive" => interactive(wire.interactive, raw).map(Some),
        // Polls and whatever else WhatsApp does not pass on.
        "unsupported" => Ok(Some(unsupported("unsupported", raw))),
        _ => Ok(None),
    }
}

fn media(kind: MediaKind, payload: Option<&RawValue>, raw: &str) -> Message {
    let Some(media) = wire_media(payload) else {
        return unsupported(kind.name(), raw);
    };
    Message {
        text: media.caption.filter(|caption| !caption.is_empty()),
        attachments: vec![Attachment::Media(Media {
            kind,
            url: format!("{MEDIA}{}", media.id.as_str()),
            content_type: media.mime_type,
            bytes: None,
            name: media.filename,
        })],
        ..Message::default()
    }
}

fn sticker(payload: Option<&RawValue>, raw: &str) -> Message {
    let Some(media) = wire_media(payload) else {
        return unsupported("sticker", raw);
    };
    attached(Attachment::Sticker {
        url: Some(format!("{MEDIA}{}", media.id.as_str())),
        id: Some(media.id.into_string()),
    })
}

fn wire_media(payload: Option<&RawValue>) -> Option<WireMedia<'_>> {
    let media: WireMedia<'_> = serde_json::from_str(payload?.get()).ok()?;
    (!media.id.as_str().is_empty()).then_some(media)
}

fn attached(attachment: Attachment) -> Message {
    Message {
        attachments: vec![attachment],
        ..Message::default()
    }
}

fn location(payload: Option<&RawValue>, raw: &str) -> Message {
    let location = payload.and_then(|it| serde_json::from_str::<WireLocation>(it.get()).ok());
    let on_earth = |place: &WireLocation| {
        (-90.0..=90.0).contains(&place.latitude) && (-180.0..=180.0).contains(&place.longitude)
    };
    let Some(place) = location.filter(on_earth) else {
        return unsupported("location", raw);
    };
    let parts: Vec<String> = [place.name, place.address]
        .into_iter()
        .flatten()
        .filter(|part| !part.trim().is_empty())
        .collect();
    attached(Attachment::Location(Location {
        latitude: place.latitude,
        longitude: place.longitude,
        accuracy: None,
        label: (!parts.is_empty()).then(|| parts.join(", ")),
    }))
}

/// Contact cards; the citizen's own one answers our question for it.
fn contacts(raws: &[&RawValue]) -> Result<Message, serde_json::Error> {
    let mut attachments = Vec::with_capacity(raws.len());
    for raw in raws {
        let attachment = match serde_json::from_str::<WireContact>(raw.get()) {
            Ok(contact) => Attachment::Contact(Contact {
                name: contact
                    .name
                    .and_then(|name| name.formatted_name.or(name.first_name)),
                phones: contact
                    .phones
                    .into_iter()
                    .filter_map(|phone| phone.phone.or(phone.wa_id.map(|id| format!("+{id}"))))
                    .collect(),
                emails: contact
                    .emails
                    .into_iter()
                    .filter_map(|email| email.email)
                    .collect(),
            }),
            Err(_) => Attachment::Other {
                name: name("contacts").to_owned(),
                raw: value(raw)?,
            },
        };
        attachments.push(attachment);
    }
    Ok(Message {
        attachments,
        ..Message::default()
    })
}

/// A button under a template. Where the payload is missing, its words are all there is.
fn button(payload: Option<&RawValue>, raw: &str) -> Result<Message, serde_json::Error> {
    let Some(payload) = payload else {
        return Ok(unsupported("button", raw));
    };
    let button: Button = serde_json::from_str(payload.get())?;
    Ok(Message {
        text: button.text,
        payload: button.payload.filter(|payload| !payload.is_empty()),
        ..Message::default()
    })
}

fn interactive(payload: Option<&RawValue>, raw: &str) -> Result<Message, serde_json::Error> {
    let Some(payload) = payload else {
        return Ok(unsupported("interactive", raw));
    };
    let interactive: Interactive<'_> = serde_json::from_str(payload.get())?;
    // Its type is not needed to tell the two apart: only one of them is there.
    if let Some(chosen) = interactive.button_reply.or(interactive.list_reply) {
        return Ok(Message {
            text: chosen.title,
            payload: Some(chosen.id),
            ..Message::default()
        });
    }
    match interactive.nfm_reply {
        // A form of WhatsApp Flows, which we never send.
        Some(reply) => Ok(attached(Attachment::Other {
            name: "nfm_reply".to_owned(),
            raw: value(reply)?,
        })),
        None => Ok(unsupported(
            &format!("interactive.{}", interactive.kind.name()),
            raw,
        )),
    }
}
