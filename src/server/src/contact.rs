//! What a citizen agreed to and refused: the record that the store keeps with their conversation.

use langnghe_flow::ContactChange;
use langnghe_model::Timestamp;
use serde::{Deserialize, Serialize};

/// What a citizen agreed to and refused.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ContactRecord {
    /// Set while the citizen wants no notices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    opted_out: Option<OptedOut>,
    /// Where else news may be brought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reach: Option<Reach>,
}

/// A refusal, kept with what shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct OptedOut {
    at: Timestamp,
    /// The id of the event in which the citizen said so.
    source: String,
}

/// A consent, kept with what shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Reach {
    /// In E.164.
    phone: String,
    at: Timestamp,
    /// The id of the event with which the citizen agreed.
    source: String,
}

impl std::fmt::Debug for ContactRecord {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not whose number it is.
        formatter
            .debug_struct("ContactRecord")
            .field("opted_out", &self.is_opted_out())
            .field("reach", &self.reach.is_some())
            .finish()
    }
}

impl ContactRecord {
    /// Reads what a store keeps; what cannot be read counts as refused, as a refusal may be in it.
    pub(crate) fn decode(record: Option<&[u8]>) -> Self {
        let Some(record) = record else {
            return Self::default();
        };
        serde_json::from_slice(record).unwrap_or_else(|_| {
            tracing::error!("a record of what a citizen agreed to cannot be read");
            Self {
                opted_out: Some(OptedOut {
                    at: Timestamp::default(),
                    source: String::new(),
                }),
                reach: None,
            }
        })
    }

    /// As it is kept; empty where there is nothing to keep.
    pub(crate) fn encode(&self) -> Vec<u8> {
        if *self == Self::default() {
            return Vec::new();
        }
        serde_json::to_vec(self).expect("a record has only string keys")
    }

    pub(crate) fn is_opted_out(&self) -> bool {
        self.opted_out.is_some()
    }

    /// The number, in E.164, under which news may be brought.
    pub(crate) fn phone(&self) -> Option<&str> {
        self.reach.as_ref().map(|reach| reach.phone.as_str())
    }

    /// Applies what the citizen said in the event of this id.
    pub(crate) fn apply(&mut self, change: ContactChange, at: Timestamp, source: &str) {
        let source = source.to_owned();
        match change {
            ContactChange::OptedOut if self.is_opted_out() => {}
            ContactChange::OptedOut => self.opted_out = Some(OptedOut { at, source }),
            ContactChange::OptedIn => self.opted_out = None,
            ContactChange::Reachable { phone } => {
                self.reach = Some(Reach { phone, at, source });
            }
        }
    }
}
