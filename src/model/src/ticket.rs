//! What a finished flow produced, before and after it has a code.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{BackendId, TicketId, Timestamp, event::Media};

/// What a finished flow produced: the engine's result, which the desk turns into a ticket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TicketDraft {
    /// The code that the citizen was told in the same step.
    pub code: String,
    /// The flow's id.
    pub flow: String,
    /// The flow's version.
    pub version: u32,
    /// The flow's title in the agency's language.
    pub title: String,
    /// The backend that it goes to; `None` keeps it in the store only.
    pub backend: Option<BackendId>,
    /// The agency's code for this kind of service.
    pub service: Option<String>,
    /// True when the words of the report speak of danger to life.
    pub urgent: bool,
    /// The language that the citizen used, BCP 47.
    pub language: String,
    /// The answers, in the order of the questions.
    pub answers: Vec<Answer>,
}

/// One answer, as an agency reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The question's id.
    pub question: String,
    /// The question in the agency's language, shortened to a label.
    pub label: String,
    /// The value: text, number, boolean, the id of a choice, a list of them, a place, media.
    pub value: Value,
    /// The value in words in the agency's language.
    pub text: String,
    /// True when it is left out of open data and removed on erasure.
    pub personal: bool,
    /// Media that the answer consists of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
}

/// What a citizen may see of one of their own tickets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketSummary {
    /// Its id.
    pub id: TicketId,
    /// Its code.
    pub code: String,
    /// The flow's title.
    pub title: String,
    /// When it was made.
    pub created_at: Timestamp,
}
