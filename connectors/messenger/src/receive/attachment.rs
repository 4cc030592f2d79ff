//! Attachments of a message: an open list of kinds.

use langnghe_graph::wire::name;
use langnghe_model::event::{Attachment, Location, Media, MediaKind};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{scope::value, wire::Word};

#[derive(Deserialize)]
struct WireAttachment<'a> {
    #[serde(rename = "type", borrow)]
    kind: Word<'a>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    /// Older `fallback` attachments have these two here, and no payload.
    #[serde(alias = "URL")]
    url: Option<String>,
    title: Option<String>,
}

#[derive(Default, Deserialize)]
struct Payload<'a> {
    url: Option<String>,
    title: Option<String>,
    #[serde(borrow)]
    sticker_id: Option<Word<'a>>,
    coordinates: Option<Coordinates>,
}

#[derive(Deserialize)]
struct Coordinates {
    lat: f64,
    long: f64,
}

/// Reads attachments in their order. An unknown or odd one is kept raw.
///
/// # Errors
/// Only when one cannot even be kept raw.
pub(super) fn read_all(raws: Vec<&RawValue>) -> Result<Vec<Attachment>, serde_json::Error> {
    let mut attachments: Vec<Attachment> = Vec::with_capacity(raws.len());
    for raw in raws {
        let attachment = match serde_json::from_str::<WireAttachment<'_>>(raw.get()) {
            Ok(wire) => read(wire, raw)?,
            Err(_) => other("malformed", raw)?,
        };
        // While Meta changed stickers from images to a kind of their own, each came as both.
        let twice = matches!(attachment, Attachment::Sticker { .. })
            && attachments
                .iter()
                .any(|earlier| same_sticker(earlier, &attachment));
        if !twice {
            attachments.push(attachment);
        }
    }
    Ok(attachments)
}

fn same_sticker(one: &Attachment, other: &Attachment) -> bool {
    match (one, other) {
        (
            Attachment::Sticker { id: Some(one), .. },
            Attachment::Sticker {
                id: Some(other), ..
            },
        ) => one == other,
        _ => false,
    }
}

fn read(wire: WireAttachment<'_>, raw: &RawValue) -> Result<Attachment, serde_json::Error> {
    let payload = match wire
        .payload
        .map(|payload| serde_json::from_str(payload.get()))
    {
        None => Payload::default(),
        Some(Ok(payload)) => payload,
        Some(Err(_)) => return other(wire.kind.as_str(), raw),
    };
    let url = payload.url.or(wire.url).filter(|url| !url.is_empty());
    let title = payload.title.or(wire.title);
    let sticker = payload.sticker_id.map(Word::into_string);
    let attachment = match (wire.kind.as_str(), url, sticker) {
        ("image" | "sticker", url, id @ Some(_)) => Attachment::Sticker { id, url },
        ("sticker", url, None) => Attachment::Sticker { id: None, url },
        ("image", Some(url), None) => media(MediaKind::Image, url),
        ("video", Some(url), _) => media(MediaKind::Video, url),
        ("audio", Some(url), _) => media(MediaKind::Audio, url),
        ("file", Some(url), _) => media(MediaKind::File, url),
        ("fallback", url, _) if url.is_some() || title.is_some() => Attachment::Link { url, title },
        ("share" | "reel" | "ig_reel" | "post" | "ig_post", url @ Some(_), _) => {
            Attachment::Link { url, title }
        }
        ("location", _, _) => match payload.coordinates {
            Some(Coordinates { lat, long }) if on_earth(lat, long) => {
                Attachment::Location(Location {
                    latitude: lat,
                    longitude: long,
                    accuracy: None,
                    label: title,
                })
            }
            _ => return other("location", raw),
        },
        (kind, _, _) => return other(kind, raw),
    };
    Ok(attachment)
}

fn on_earth(latitude: f64, longitude: f64) -> bool {
    (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude)
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

fn other(kind: &str, raw: &RawValue) -> Result<Attachment, serde_json::Error> {
    Ok(Attachment::Other {
        name: name(kind).to_owned(),
        raw: value(raw)?,
    })
}
