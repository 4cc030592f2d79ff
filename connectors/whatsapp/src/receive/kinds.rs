//! The types of messages that say nothing themselves but something of others.

use langnghe_graph::wire::Word;
use langnghe_model::{EventId, EventKind};
use serde::Deserialize;

use super::message::WireMessage;

/// What an item of `messages` is.
pub(super) enum Beside {
    /// A message.
    Message,
    /// Something else that is known.
    Event(EventKind),
    /// Something to keep raw, by this name.
    Unknown(String),
}

#[derive(Deserialize)]
struct Reaction<'a> {
    #[serde(borrow)]
    message_id: Word<'a>,
    emoji: Option<String>,
}

#[derive(Deserialize)]
struct Revoke<'a> {
    #[serde(borrow)]
    original_message_id: Word<'a>,
}

#[derive(Deserialize)]
struct Edit<'a> {
    #[serde(borrow)]
    original_message_id: Word<'a>,
    message: Edited,
}

/// The changed message: its words, or those under its picture.
#[derive(Deserialize)]
struct Edited {
    text: Option<Text>,
    image: Option<Captioned>,
    video: Option<Captioned>,
    document: Option<Captioned>,
}

#[derive(Deserialize)]
struct Text {
    body: Option<String>,
}

#[derive(Deserialize)]
struct Captioned {
    caption: Option<String>,
}

#[derive(Deserialize)]
struct System<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Word<'a>,
}

pub(super) fn beside_messages(wire: &WireMessage<'_>) -> Result<Beside, serde_json::Error> {
    let event = match (wire.kind.as_str(), wire.reaction, wire.edit, wire.revoke) {
        ("reaction", Some(raw), _, _) => {
            let reaction: Reaction<'_> = serde_json::from_str(raw.get())?;
            EventKind::Reaction {
                message: EventId::new(reaction.message_id.into_string()),
                // Taken back, it comes without an emoji or with an empty one.
                emoji: reaction.emoji.filter(|emoji| !emoji.is_empty()),
            }
        }
        ("edit", _, Some(raw), _) => {
            let edit: Edit<'_> = serde_json::from_str(raw.get())?;
            let Edited {
                text,
                image,
                video,
                document,
            } = edit.message;
            let mut captioned = [image, video, document].into_iter().flatten();
            let text = text
                .and_then(|text| text.body)
                .or_else(|| captioned.find_map(|media| media.caption));
            let Some(text) = text else {
                return Ok(Beside::Unknown("edit".to_owned()));
            };
            EventKind::Edit {
                message: EventId::new(edit.original_message_id.into_string()),
                text,
            }
        }
        ("revoke", _, _, Some(raw)) => {
            let revoke: Revoke<'_> = serde_json::from_str(raw.get())?;
            EventKind::Deleted {
                message: EventId::new(revoke.original_message_id.into_string()),
            }
        }
        // The chat was opened for the first time.
        ("request_welcome", ..) => EventKind::Follow,
        ("system", ..) => {
            let system = wire.system.map(|raw| serde_json::from_str(raw.get()));
            let system: Option<System<'_>> = system.transpose()?;
            let kind = system.as_ref().map_or("unknown", |it| it.kind.name());
            return Ok(Beside::Unknown(format!("system.{kind}")));
        }
        _ => return Ok(Beside::Message),
    };
    Ok(Beside::Event(event))
}
