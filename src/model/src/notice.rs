//! Messages that no citizen's message asked for at this moment: news of a ticket, reminders, broadcasts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Reply, Timestamp};

/// Why something is said to a citizen. It decides what may be done to bring it to them, and what
/// goes first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// An answer to what the citizen just did.
    #[default]
    Answer,
    /// News that concerns this citizen: a status, a reminder.
    Notice,
    /// The same to many.
    Broadcast,
}

impl Purpose {
    /// All of them; what goes first comes first.
    pub const ALL: [Self; 3] = [Self::Answer, Self::Notice, Self::Broadcast];

    /// The word used in metrics and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Notice => "notice",
            Self::Broadcast => "broadcast",
        }
    }
}

/// Something to bring to a citizen who did not just write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What to say while we may write freely.
    pub reply: Reply,
    /// Why.
    #[serde(default)]
    pub purpose: Purpose,
    /// After this moment it is worth nothing; `None` means always worth something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// The same as a template, for when we may not write freely.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
    /// The code of the ticket that it is about; what becomes of it is written there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// A message in a form that providers approve beforehand. Each channel's configuration says which of
/// its provider's templates stands for the name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// Our name of it: `status`.
    pub name: String,
    /// What goes into its gaps, by our names of them: `code`, `status`.
    pub parameters: BTreeMap<String, String>,
}
