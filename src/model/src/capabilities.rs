//! What a channel can show and carry, as data: connectors declare it, rendering obeys it.

use std::time::Duration;

use unicode_segmentation::UnicodeSegmentation;

use crate::{event::MediaKind, segments};

/// What a channel can show and carry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an ability of its own"
)]
pub struct Capabilities {
    /// The longest text of one message.
    pub text: TextLimit,
    /// Tappable suggestions under a message, if it has them.
    pub quick_replies: Option<ChoiceLimit>,
    /// Buttons inside a message, if it has them.
    pub buttons: Option<ChoiceLimit>,
    /// A list to pick from, if it has one.
    pub list: Option<ChoiceLimit>,
    /// Media that can be sent by URL, with the largest size in bytes.
    pub media: Vec<MediaLimit>,
    /// Whether a message can ask for the device's place.
    pub ask_location: bool,
    /// Whether a message can ask for the phone number that the messenger knows.
    pub ask_phone: bool,
    /// Whether a message can ask for the e-mail address that the messenger knows.
    pub ask_email: bool,
    /// Whether further choices can stand beside such a question.
    pub choices_beside_asking: bool,
    /// Whether "typing" can be shown.
    pub typing: bool,
    /// Whether staff can take the conversation over in the provider's inbox.
    pub hand_over: bool,
    /// For how long after a citizen's message we may write freely; `None` means always.
    pub window: Option<Duration>,
    /// For how long after a citizen's message the provider still takes ours at a price or on a
    /// condition (Zalo: seven days, billed); `None` where there is no such time.
    pub extended_window: Option<Duration>,
    /// Whether messages of a template that the provider approved can be sent at any time.
    pub templates: bool,
    /// Which characters it carries.
    pub encoding: Encoding,
}

impl Capabilities {
    /// A channel that carries nothing but text of at most `max` characters.
    pub fn text_only(max: usize) -> Self {
        Self {
            text: TextLimit {
                max,
                unit: TextUnit::Characters,
            },
            quick_replies: None,
            buttons: None,
            list: None,
            media: Vec::new(),
            ask_location: false,
            ask_phone: false,
            ask_email: false,
            choices_beside_asking: true,
            typing: false,
            hand_over: false,
            window: None,
            extended_window: None,
            templates: false,
            encoding: Encoding::Unicode,
        }
    }
}

/// The longest text of one message, in the unit that the provider counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextLimit {
    /// How many.
    pub max: usize,
    /// Of what.
    pub unit: TextUnit,
}

/// How a provider counts text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextUnit {
    /// Unicode scalar values.
    Characters,
    /// UTF-16 code units.
    Utf16,
    /// UTF-8 bytes.
    Bytes,
    /// Grapheme clusters: what a reader takes for one character.
    Graphemes,
    /// Parts of an SMS, which are what is paid for ([`segments`]). Two texts together
    /// can take more or fewer than the sum of both.
    Segments,
}

impl TextUnit {
    /// How long `text` is in this unit.
    pub fn count(self, text: &str) -> usize {
        match self {
            Self::Characters => text.chars().count(),
            Self::Utf16 => text.encode_utf16().count(),
            Self::Bytes => text.len(),
            Self::Graphemes => text.graphemes(true).count(),
            Self::Segments => segments::count(text).parts,
        }
    }
}

/// How many choices a message can carry, and how long their parts may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChoiceLimit {
    /// How many choices.
    pub max: usize,
    /// The longest title, in `title_unit`.
    pub title: usize,
    /// How the provider counts titles.
    pub title_unit: TextUnit,
    /// The longest description under a title, in `title_unit`; 0 where there is none.
    pub description: usize,
    /// The longest payload, in `payload_unit`.
    pub payload: usize,
    /// How the provider counts payloads.
    pub payload_unit: TextUnit,
    /// The longest text above them, in the unit of the channel's texts.
    pub text: usize,
}

impl ChoiceLimit {
    /// Limits that are all counted in characters; no descriptions.
    pub fn in_characters(max: usize, title: usize, payload: usize, text: usize) -> Self {
        Self {
            max,
            title,
            title_unit: TextUnit::Characters,
            description: 0,
            payload,
            payload_unit: TextUnit::Characters,
            text,
        }
    }
}

/// One kind of media that a channel can send by URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaLimit {
    /// The kind.
    pub kind: MediaKind,
    /// The largest size in bytes.
    pub bytes: u64,
    /// The longest caption, in the unit of the channel's texts; 0 where words go separately.
    pub caption: usize,
}

/// Which characters a channel carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// All of them.
    Unicode,
    /// Text is transliterated to letters without diacritics before it is sent, and to GSM's alphabet
    /// where it is counted in [`TextUnit::Segments`].
    Unaccented,
    /// Each text as it is where that fits in one message, else without diacritics, which takes fewer.
    Auto,
}
