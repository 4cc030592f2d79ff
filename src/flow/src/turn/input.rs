//! What a citizen sent, made ready to be understood.

use langnghe_model::{
    event::{Attachment, Contact, Location, Media, Message},
    fold::fold,
};
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::{answer::cut, check::LONGEST_TEXT, payload::Payload, understand::place};

/// What a citizen sent.
#[derive(Debug, Default)]
pub(crate) struct Input<'e> {
    /// In NFC, trimmed, at most as long as an answer may be; empty when there is none.
    pub(crate) text: String,
    pub(crate) folded: String,
    /// The text was longer than is kept.
    pub(crate) cut: bool,
    pub(crate) payload: Option<Payload<'e>>,
    pub(crate) media: Vec<&'e Media>,
    pub(crate) location: Option<Location>,
    pub(crate) contact: Option<&'e Contact>,
    /// A sticker or something else that says nothing.
    pub(crate) other: bool,
}

impl<'e> Input<'e> {
    /// Takes a message apart.
    pub(crate) fn of(message: &'e Message) -> Self {
        let mut input = Self::words(message.text.as_deref(), message.payload.as_deref());
        for attachment in &message.attachments {
            match attachment {
                Attachment::Media(media) => input.media.push(media),
                Attachment::Location(location) => input.place(location.clone()),
                Attachment::Contact(contact) => input.contact = input.contact.or(Some(contact)),
                Attachment::Link { url, title } => {
                    let found = url.as_deref().and_then(place::coordinates);
                    match found {
                        Some((latitude, longitude)) => input.place(Location {
                            latitude,
                            longitude,
                            accuracy: None,
                            label: title.clone(),
                        }),
                        None => input.other |= message.text.is_none(),
                    }
                }
                _ => input.other = true,
            }
        }
        input
    }

    /// Text and payload alone.
    pub(crate) fn words(text: Option<&str>, payload: Option<&'e str>) -> Self {
        let raw = text.unwrap_or_default().trim();
        let mut kept = if is_nfc(raw) {
            raw.to_owned()
        } else {
            raw.nfc().collect()
        };
        let before = kept.len();
        cut(&mut kept, LONGEST_TEXT);
        let folded = fold(&kept);
        Self {
            cut: kept.len() < before,
            folded,
            text: kept,
            payload: payload.and_then(Payload::parse),
            ..Self::default()
        }
    }

    fn place(&mut self, mut location: Location) {
        if let Some(label) = &mut location.label {
            cut(label, 300);
        }
        // A centimetre and a decimetre are enough, and such numbers survive being written as text.
        let round = |number: f64, steps: f64| (number * steps).round() / steps;
        location.latitude = round(location.latitude, 1e7);
        location.longitude = round(location.longitude, 1e7);
        let accuracy = location
            .accuracy
            .filter(|metres| (0.0..1e7).contains(metres));
        location.accuracy = accuracy.map(|metres| round(metres, 10.0));
        if place::valid(location.latitude, location.longitude) && self.location.is_none() {
            self.location = Some(location);
        } else {
            self.other = true;
        }
    }

    /// True when there is nothing to understand, not even something that we cannot read.
    pub(crate) fn is_empty(&self) -> bool {
        !self.has_text()
            && self.media.is_empty()
            && self.location.is_none()
            && self.contact.is_none()
            && !self.other
    }

    /// True when the text has letters that only Vietnamese has.
    pub(crate) fn is_vietnamese(&self) -> bool {
        self.text.chars().any(|letter| {
            matches!(
                letter,
                'đ' | 'Đ' | 'ơ' | 'Ơ' | 'ư' | 'Ư' | '\u{1ea0}'..='\u{1ef9}'
            )
        })
    }

    /// True when there is text to understand.
    pub(crate) fn has_text(&self) -> bool {
        !self.text.is_empty()
    }

    /// True when the text is a sentence that can be a report.
    pub(crate) fn is_sentence(&self) -> bool {
        self.folded.chars().count() >= SENTENCE && self.folded.contains(' ')
    }

    /// The folded text without punctuation at its ends.
    pub(crate) fn key(&self) -> &str {
        crate::understand::trim(&self.folded)
    }
}

/// How many characters make a sentence.
pub(crate) const SENTENCE: usize = 20;
