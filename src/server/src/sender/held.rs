//! Replies that are claimed and wait shortly for their recipients' limits, without holding up others
//! and without a write to the store for each little wait.

use std::{collections::BTreeMap, time::Instant};

use langnghe_store::OutboxReply;

use crate::quota::Later;

/// The most of one channel.
const MOST: usize = 256;

/// Replies that wait, by when they may go.
#[derive(Debug, Default)]
pub(super) struct Held {
    waiting: BTreeMap<(Instant, u64), (OutboxReply, Later)>,
}

impl Held {
    /// Keeps a reply for as long as it has to wait; gives it back where too many wait already.
    pub(super) fn hold(&mut self, reply: OutboxReply, later: Later) -> Option<OutboxReply> {
        if self.waiting.len() >= MOST {
            return Some(reply);
        }
        let at = Instant::now() + later.wait;
        self.waiting.insert((at, reply.id), (reply, later));
        None
    }

    /// The one that has waited longest, if it may go.
    pub(super) fn due(&mut self, now: Instant) -> Option<(OutboxReply, Later)> {
        let ((at, _), _) = self.waiting.first_key_value()?;
        if *at > now {
            return None;
        }
        self.waiting.pop_first().map(|(_, waiting)| waiting)
    }

    /// When the next one may go; `None` when none waits.
    pub(super) fn next(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes out all.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (OutboxReply, Later)> {
        std::mem::take(&mut self.waiting).into_values()
    }
}
