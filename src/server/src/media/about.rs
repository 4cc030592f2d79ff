//! What is known of one medium once its fetching has come to an end.

use langnghe_connector::Sniffed;
use langnghe_model::event::MediaKind;
use serde::{Deserialize, Serialize};

/// What became of a medium; kept beside its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum About {
    /// It is here.
    Available {
        /// What it is by its content.
        kind: MediaKind,
        /// The media type by its content.
        content_type: String,
        /// The extension of a file of that type.
        extension: String,
        /// Its size.
        bytes: u64,
    },
    /// It will not come.
    Unavailable {
        /// Why.
        reason: Reason,
    },
}

impl About {
    /// A medium that is here.
    pub(crate) fn available(sniffed: &Sniffed, bytes: u64) -> Self {
        Self::Available {
            kind: sniffed.kind,
            content_type: sniffed.content_type.to_owned(),
            extension: sniffed.extension.to_owned(),
            bytes,
        }
    }
}

/// Why a medium is not to be had. The words stand in tickets and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    /// The messenger no longer has it.
    Gone,
    /// It is larger than we take.
    TooLarge,
    /// It lies where we do not fetch from.
    Refused,
    /// Its content is no picture, film, recording or document that is taken.
    Kind,
    /// The virus scanner found something in it.
    Infected,
    /// The citizen has sent as many as we keep.
    TooMany,
    /// It could not be fetched for as long as we tried.
    NotReached,
    /// It was removed: by the citizen's wish, or as it was old.
    Removed,
}

impl Reason {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::TooLarge => "too_large",
            Self::Refused => "refused",
            Self::Kind => "kind",
            Self::Infected => "infected",
            Self::TooMany => "too_many",
            Self::NotReached => "not_reached",
            Self::Removed => "removed",
        }
    }
}
