//! What we say to a citizen, worded once and rendered for each channel by its capabilities.

use serde::{Deserialize, Serialize};

use crate::event::MediaKind;

/// One thing to say or do towards a citizen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reply {
    /// Words.
    Text {
        /// The words.
        text: String,
    },
    /// Words with things to choose from.
    Choices {
        /// The words.
        text: String,
        /// What can be chosen, in order; an answer by number counts from one in this order.
        choices: Vec<Choice>,
        /// What they are for.
        #[serde(default)]
        style: ChoiceStyle,
    },
    /// A picture, film, recording or file by URL.
    Media {
        /// What it is.
        media: MediaKind,
        /// Where the provider can fetch it.
        url: String,
        /// Words that go with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caption: Option<String>,
    },
    /// A question for a place; a channel that has a button for it shows one.
    AskLocation {
        /// The words.
        text: String,
        /// Further choices beside it, for example "skip".
        choices: Vec<Choice>,
    },
    /// A question for a phone number or an e-mail address that the messenger may already know.
    AskContact {
        /// The words.
        text: String,
        /// Which of the two.
        field: ContactField,
        /// Further choices beside it.
        choices: Vec<Choice>,
    },
    /// "We are writing": shown for a moment, worth nothing when late.
    Typing,
    /// Passes the conversation to the agency's staff in the provider's own inbox, where there is one.
    HandOver,
}

/// One thing that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What the citizen reads.
    pub label: String,
    /// More words under the label, on channels that show them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What comes back when it is tapped. Old buttons stay tappable for ever, so it names its own
    /// question.
    pub payload: String,
}

impl Choice {
    /// Puts the two together.
    pub fn new(label: impl Into<String>, payload: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            description: None,
            payload: payload.into(),
        }
    }
}

/// What choices are for, which decides how a channel without buttons shows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChoiceStyle {
    /// They are the answers: numbered where they cannot be tapped.
    #[default]
    Answers,
    /// They are shortcuts for words that may be typed as well ("skip", "back"): left out where they
    /// cannot be tapped.
    Shortcuts,
}

/// What [`Reply::AskContact`] asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactField {
    /// A phone number.
    Phone,
    /// An e-mail address.
    Email,
}
