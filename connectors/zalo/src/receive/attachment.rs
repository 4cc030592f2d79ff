//! Attachments of messages.

use langnghe_model::event::{Attachment, Location, Media, MediaKind};
use serde_json::Value;

use crate::lenient;

/// One entry of `message.attachments`; `event` is the last word of the event's name.
pub(super) fn read(event: &str, raw: &Value) -> Attachment {
    let payload = raw.get("payload").unwrap_or(&Value::Null);
    let word = raw.get("type").and_then(Value::as_str).unwrap_or(event);
    let known = match word {
        "image" | "photo" => media(MediaKind::Image, None, payload),
        "gif" => media(MediaKind::Image, Some("image/gif"), payload),
        "audio" | "voice" => media(MediaKind::Audio, None, payload),
        "video" => media(MediaKind::Video, None, payload),
        "file" => file(payload),
        "sticker" => Some(Attachment::Sticker {
            id: field(payload, "id"),
            url: field(payload, "url").map(secure),
        }),
        "location" => location(payload).map(Attachment::Location),
        "link" => Some(Attachment::Link {
            url: field(payload, "url"),
            title: field(payload, "title").or_else(|| field(payload, "description")),
        }),
        _ => None,
    };
    known.unwrap_or_else(|| Attachment::Other {
        name: word.chars().take(40).collect(),
        raw: raw.clone(),
    })
}

fn field(payload: &Value, name: &str) -> Option<String> {
    payload.get(name).and_then(lenient::text)
}

fn media(kind: MediaKind, content_type: Option<&str>, payload: &Value) -> Option<Attachment> {
    Some(Attachment::Media(Media {
        kind,
        url: secure(field(payload, "url")?),
        content_type: content_type.map(str::to_owned),
        bytes: payload.get("size").and_then(lenient::natural),
        name: field(payload, "name"),
    }))
}

/// A file, which is a picture, film or recording where its extension says so: evidence is often sent
/// that way, as it keeps its quality.
fn file(payload: &Value) -> Option<Attachment> {
    let name = field(payload, "name");
    let extension = field(payload, "type")
        .or_else(|| Some(name.as_deref()?.rsplit_once('.')?.1.to_owned()))
        .map(|extension| extension.to_ascii_lowercase());
    let (kind, content_type) = match extension.as_deref().unwrap_or_default() {
        "gif" => (MediaKind::Image, Some("image/gif")),
        "jpg" | "jpeg" => (MediaKind::Image, Some("image/jpeg")),
        "png" => (MediaKind::Image, Some("image/png")),
        "webp" => (MediaKind::Image, Some("image/webp")),
        "heic" => (MediaKind::Image, Some("image/heic")),
        "mp4" => (MediaKind::Video, Some("video/mp4")),
        "mov" => (MediaKind::Video, Some("video/quicktime")),
        "mp3" => (MediaKind::Audio, Some("audio/mpeg")),
        "m4a" => (MediaKind::Audio, Some("audio/mp4")),
        "aac" => (MediaKind::Audio, Some("audio/aac")),
        "amr" => (MediaKind::Audio, Some("audio/amr")),
        "pdf" => (MediaKind::File, Some("application/pdf")),
        _ => (MediaKind::File, None),
    };
    media(kind, content_type, payload)
}

/// A place: `coordinates.{latitude, longitude}` as texts in what was seen, and the variants that are told of.
pub(super) fn location(payload: &Value) -> Option<Location> {
    let inner = payload.get("coordinates").unwrap_or(payload);
    let degrees = |names: [&str; 3], most: f64| {
        let found = names.iter().find_map(|name| inner.get(name));
        found
            .and_then(lenient::decimal)
            .filter(|degrees| degrees.abs() <= most)
    };
    Some(Location {
        latitude: degrees(["latitude", "lat", "Latitude"], 90.0)?,
        longitude: degrees(["longitude", "long", "lng"], 180.0)?,
        accuracy: None,
        label: field(payload, "address").or_else(|| field(payload, "description")),
    })
}

/// Zalo names media by plain `http` at times; its hosts speak `https` as well.
fn secure(url: String) -> String {
    match url.strip_prefix("http://") {
        Some(rest) if is_zalos(rest) => format!("https://{rest}"),
        _ => url,
    }
}

fn is_zalos(rest: &str) -> bool {
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    crate::fetch::is_zalos(host)
}
