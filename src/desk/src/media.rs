//! A ticket's media as a backend is told of them: the ticket holds names that only the program
//! understands, and where each medium is changes from delivery to delivery.

use std::{collections::BTreeMap, fmt};

use langnghe_model::event::{Media, MediaKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ticket::Ticket;

/// Where a medium is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaState {
    /// The link leads to it.
    Available,
    /// It is still being fetched from the messenger: the link leads to it later.
    Fetching,
    /// It will not come.
    Unavailable,
}

/// One medium as a backend is told of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveredMedia {
    /// Where it is.
    pub state: MediaState,
    /// What it is; by its content once it is available.
    pub kind: MediaKind,
    /// The link.
    pub url: String,
    /// Its media type; by its content once it is available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Its size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The file name that the citizen's device gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Why it is unavailable, in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl fmt::Debug for DeliveredMedia {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "DeliveredMedia({:?}, {:?})",
            self.state, self.kind
        )
    }
}

/// What is known of a ticket's media at the moment of a delivery, by what the ticket says of where
/// each lies ([`Media::url`]).
pub type MediaAtDelivery = BTreeMap<String, DeliveredMedia>;

/// The media of a ticket, in the order of its answers.
pub fn media_of(ticket: &Ticket) -> Vec<&Media> {
    let answers = ticket.answers.iter();
    answers.flat_map(|answer| &answer.media).collect()
}

/// The ticket's JSON for a backend, with what is known of its media. Of which nothing is known, they
/// stay as the ticket has them.
pub fn deliverable(ticket: &Ticket, media: &MediaAtDelivery) -> Value {
    let mut json = serde_json::to_value(ticket).expect("a ticket has only string keys");
    let answers = json["answers"].as_array_mut().into_iter().flatten();
    for (shown, answer) in answers.zip(&ticket.answers) {
        if answer.media.is_empty() {
            continue;
        }
        let told: Vec<Value> = answer
            .media
            .iter()
            .map(|one| match media.get(&one.url) {
                Some(delivered) => serde_json::to_value(delivered),
                None => serde_json::to_value(one),
            })
            .map(|told| told.expect("a medium has only string keys"))
            .collect();
        // The value of a question for media is the media themselves.
        if shown["value"] == shown["media"] {
            shown["value"] = Value::from(told.clone());
        }
        shown["media"] = Value::from(told);
    }
    json
}
