//! The turn of a reply that failed after the provider took it.

use std::time::Duration;

use langnghe_model::{Event, EventKind, Timestamp, event::Receipt};
use langnghe_store::{TicketNote, TimerChange};

use super::Surroundings;
use crate::{
    notice_request::history_line,
    setback::{Circumstances, Fate, SentReply},
};

/// A failure can overtake our own note of what was sent: for so long it is looked for again. Longer than
/// a send and its settlement may take.
const GRACE: Duration = Duration::from_mins(3);
/// When it is looked for again at the earliest; each time it is as long again as all the time before.
const SOON: Duration = Duration::from_millis(500);

/// A sent reply that failed, and what is known of its citizen.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) reply: SentReply,
    /// When they were last heard from.
    pub(crate) heard_at: Option<Timestamp>,
    /// Whether they agreed to be told on another channel, and there is one.
    pub(crate) other_channel: bool,
}

/// What comes of such a turn.
pub(super) enum Failed {
    /// It may still be on its way into the store: the same event comes again.
    LookAgain(TimerChange),
    /// It is none of ours, or was sent too long ago.
    Unknown,
    /// This becomes of it.
    Known {
        fate: Fate,
        /// For the history of its ticket.
        note: Option<(String, TicketNote)>,
        /// By this those that failed together take their places again.
        order: (Timestamp, u64),
    },
}

/// Takes the turn.
pub(super) fn judge(
    event: &Event,
    sent: Option<&Sent>,
    body: &[u8],
    around: &Surroundings<'_>,
) -> Failed {
    let EventKind::Receipt(Receipt::Failed {
        message,
        code,
        means,
    }) = &event.kind
    else {
        return Failed::Unknown;
    };
    let (now, tag) = (around.now, event.conversation.tag());
    let Some(sent) = sent else {
        let age = now.since(event.received_at);
        if age < GRACE {
            return Failed::LookAgain(TimerChange::Set {
                name: format!("failed:{}", message.as_str()),
                at: now + age.max(SOON),
                event: body.to_vec(),
            });
        }
        around.metrics.failed_later("unknown");
        tracing::warn!(
            conversation = tag,
            code = code.as_deref(),
            class = means.name(),
            "a message failed of which nothing is kept: it is not sent again"
        );
        return Failed::Unknown;
    };
    around.metrics.failed_later(means.name());
    let window = around.capabilities.window;
    let circumstances = Circumstances {
        means: *means,
        code: code.as_deref().unwrap_or("no code"),
        other_channel: sent.other_channel,
        window_until: sent
            .heard_at
            .zip(window)
            .map(|(heard, window)| heard + window),
        retries: around.retries,
        now,
        random: rand::random(),
    };
    let fate = sent.reply.fate(&circumstances);
    let state = match &fate {
        Fate::Again(_) => "returned",
        Fate::GivenUp { .. } => "failed",
    };
    tracing::info!(
        conversation = tag,
        code = code.as_deref(),
        class = means.name(),
        state,
        "a reply failed after the provider took it"
    );
    let origin = sent.reply.envelope().origin.as_ref();
    let note = origin.and_then(|origin| {
        let channel = &event.conversation.channel;
        let line = history_line(&origin.id, state, means.name(), channel, now);
        Some((origin.ticket.clone()?, line))
    });
    Failed::Known {
        fate,
        note,
        order: sent.reply.order(),
    }
}
