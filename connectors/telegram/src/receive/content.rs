//! What a message holds beside its words.

use langnghe_model::event::{Attachment, Contact, Location, Media, MediaKind};
use serde_json::Value;

use super::read::{id_of, name, object, text};
use crate::MEDIA;

/// Everything in a message that can be made something of, in a fixed order. A kind comes once, also
/// where Telegram repeats it for older programs: an animation as a document, a venue as a location, a
/// live photo as a photo.
pub(super) fn attachments(message: &Value) -> Vec<Attachment> {
    let mut found = Vec::new();
    found.extend(photo(message));
    let animation = object(message, "animation").and_then(|part| {
        let kind = match text(part, "mime_type") {
            Some("image/gif") => MediaKind::Image,
            _ => MediaKind::Video,
        };
        media(part, kind, None)
    });
    match animation {
        Some(animation) => found.push(animation),
        None => found.extend(object(message, "document").and_then(document)),
    }
    for (key, kind) in [
        ("video", MediaKind::Video),
        ("video_note", MediaKind::Video),
        ("voice", MediaKind::Audio),
        ("audio", MediaKind::Audio),
    ] {
        found.extend(object(message, key).and_then(|part| media(part, kind, None)));
    }
    if let Some(sticker) = object(message, "sticker") {
        found.push(Attachment::Sticker {
            id: text(sticker, "file_id").map(str::to_owned),
            url: None,
        });
    }
    match object(message, "venue").and_then(venue) {
        Some(venue) => found.push(venue),
        None => found.extend(object(message, "location").and_then(|part| location(part, None))),
    }
    found.extend(object(message, "contact").map(|card| contact(card, &message["from"])));
    found
}

/// The largest of the sizes of one picture.
fn photo(message: &Value) -> Option<Attachment> {
    let sizes = message["photo"].as_array()?;
    let area = |size: &&Value| {
        let side = |key: &str| id_of(&size[key]).unwrap_or(0).max(0);
        side("width").saturating_mul(side("height"))
    };
    let usable = sizes.iter().filter(|size| text(size, "file_id").is_some());
    media(
        usable.max_by_key(area)?,
        MediaKind::Image,
        Some("image/jpeg"),
    )
}

/// A file is what its type says: many send photos as files, to keep them sharp.
fn document(part: &Value) -> Option<Attachment> {
    let major = text(part, "mime_type").and_then(|kind| Some(kind.split_once('/')?.0));
    let kind = match major {
        Some("image") => MediaKind::Image,
        Some("video") => MediaKind::Video,
        Some("audio") => MediaKind::Audio,
        _ => MediaKind::File,
    };
    media(part, kind, None)
}

fn media(part: &Value, kind: MediaKind, content_type: Option<&str>) -> Option<Attachment> {
    let told = text(part, "mime_type").filter(|told| told.contains('/'));
    Some(Attachment::Media(Media {
        kind,
        url: format!("{MEDIA}{}", text(part, "file_id")?),
        content_type: told.or(content_type).map(str::to_owned),
        bytes: id_of(&part["file_size"]).and_then(|size| u64::try_from(size).ok()),
        name: text(part, "file_name").map(str::to_owned),
    }))
}

fn venue(part: &Value) -> Option<Attachment> {
    let words: Vec<&str> = ["title", "address"]
        .into_iter()
        .filter_map(|key| text(part, key))
        .collect();
    let label = Some(words.join(", ")).filter(|label| !label.is_empty());
    location(object(part, "location")?, label)
}

fn location(part: &Value, label: Option<String>) -> Option<Attachment> {
    let latitude = part["latitude"].as_f64()?;
    let longitude = part["longitude"].as_f64()?;
    let on_earth = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
    on_earth.then(|| {
        Attachment::Location(Location {
            latitude,
            longitude,
            accuracy: part["horizontal_accuracy"].as_f64(),
            label,
        })
    })
}

/// A card is the citizen's own only if it says so: anybody can pass on somebody else's. A foreign one
/// is no contact of theirs, so that its number is not taken for where they can be reached.
fn contact(card: &Value, from: &Value) -> Attachment {
    let owner = id_of(&card["user_id"]);
    if owner.is_none() || owner != id_of(&from["id"]) {
        return Attachment::Other {
            name: "foreign_contact".to_owned(),
            raw: card.clone(),
        };
    }
    let names: Vec<&str> = ["first_name", "last_name"]
        .into_iter()
        .filter_map(|key| text(card, key))
        .collect();
    // Telegram writes the number with or without its plus.
    let phone = text(card, "phone_number").map(|number| {
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        if digits && !number.starts_with('0') {
            format!("+{number}")
        } else {
            number.to_owned()
        }
    });
    Attachment::Contact(Contact {
        name: Some(names.join(" ")).filter(|name| !name.is_empty()),
        phones: phone.into_iter().collect(),
        emails: Vec::new(),
    })
}

/// What stands in any message and says nothing of what it holds.
const ENVELOPE: [&str; 34] = [
    "message_id",
    "from",
    "chat",
    "date",
    "edit_date",
    "sender_chat",
    "sender_boost_count",
    "sender_business_bot",
    "business_connection_id",
    "message_thread_id",
    "direct_messages_topic",
    "is_topic_message",
    "is_automatic_forward",
    "forward_origin",
    "forward_from",
    "forward_from_chat",
    "forward_date",
    "reply_to_message",
    "reply_to_story",
    "external_reply",
    "quote",
    "via_bot",
    "has_protected_content",
    "is_from_offline",
    "is_paid_post",
    "author_signature",
    "paid_star_count",
    "link_preview_options",
    "effect_id",
    "media_group_id",
    "show_caption_above_media",
    "has_media_spoiler",
    "entities",
    "reply_markup",
];

/// What Telegram says of a private chat, and no citizen wrote.
const SERVICE: [&str; 10] = [
    "pinned_message",
    "message_auto_delete_timer_changed",
    "write_access_allowed",
    "chat_background_set",
    "connected_website",
    "proximity_alert_triggered",
    "users_shared",
    "chat_shared",
    "passport_data",
    "migrate_to_chat_id",
];

/// The name of what a message holds and we cannot read; `None` where it is Telegram's own word.
pub(super) fn foreign(message: &Value) -> Option<&str> {
    let fields = message.as_object();
    let mut keys = fields.into_iter().flat_map(|fields| fields.keys());
    let key = keys.find(|key| !ENVELOPE.contains(&key.as_str()));
    match key.map(String::as_str) {
        Some(key) if SERVICE.contains(&key) => None,
        key => Some(key.map_or("empty", name)),
    }
}
