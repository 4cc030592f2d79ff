//! News for citizens who did not just write: how a channel may bring it, and how it enters a
//! conversation.

use std::{fmt::Write as _, sync::Arc};

use langnghe_connector::Connector;
use langnghe_model::{
    ChannelId, ConversationId, Event, EventId, EventKind, Notice, Purpose, Timestamp,
};
use sha2::{Digest, Sha256};

use crate::QuietHours;

/// How a channel may bring what citizens did not just ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticePolicy {
    /// When nobody is to be disturbed.
    pub quiet_hours: Option<QuietHours>,
    /// What may go out in the time for which the provider bills it.
    pub billed: Vec<Purpose>,
    /// The channel for those whose window is closed and who agreed to be told elsewhere.
    pub fallback: Option<ChannelId>,
}

impl Default for NoticePolicy {
    fn default() -> Self {
        Self {
            quiet_hours: None,
            billed: vec![Purpose::Answer],
            fallback: None,
        }
    }
}

/// The other channel of a channel.
#[derive(Clone, Debug)]
pub(crate) struct Fallback {
    pub(crate) id: ChannelId,
    pub(crate) connector: Arc<dyn Connector>,
}

/// A notice as an event of the conversation of its ticket. The same ticket and key give the same
/// event, so that a repetition is a duplicate.
pub(crate) fn notice_event(
    conversation: ConversationId,
    notice: Notice,
    ticket: &str,
    key: &str,
    now: Timestamp,
) -> Event {
    let mut hash = Sha256::new();
    for part in [ticket, key] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut id = "notice:".to_owned();
    for byte in &hash.finalize()[..12] {
        write!(id, "{byte:02x}").expect("writing to a string cannot fail");
    }
    event(conversation, notice, id, now)
}

/// The same notice for the other channel of the citizen.
pub(crate) fn elsewhere(
    conversation: ConversationId,
    notice: Notice,
    first: &str,
    now: Timestamp,
) -> Event {
    event(conversation, notice, format!("fallback:{first}"), now)
}

fn event(conversation: ConversationId, notice: Notice, id: String, now: Timestamp) -> Event {
    Event {
        id: EventId::new(id),
        conversation,
        sent_at: now,
        received_at: now,
        kind: EventKind::Notice(Box::new(notice)),
    }
}
