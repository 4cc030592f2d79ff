//! Which conversations have waiting events, who holds the lease on them, and which is next.
//!
//! The events themselves are rows; this index is rebuilt from them at start. It is bounded by
//! [`crate::Limits::inbox`].

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use langnghe_model::{ConversationId, Timestamp};
use rusqlite::Connection;

/// Bodies of recent events are kept until they are claimed, up to so many bytes; others are read.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

/// One waiting event.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) position: i64,
    pub(super) at: Timestamp,
    pub(super) body: Option<Arc<[u8]>>,
}

/// Who holds the lease, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    pub(super) token: u64,
    pub(super) until: Timestamp,
}

/// A conversation with waiting events; there is always at least one.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    pub(super) events: VecDeque<Event>,
    pub(super) lease: Option<Lease>,
    /// It was given back until then.
    pub(super) not_before: Option<Timestamp>,
}

/// The index.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    entries: HashMap<ConversationId, Entry>,
    /// Every conversation, by the position of its first event.
    heads: BTreeMap<i64, ConversationId>,
    /// The first events of those that may be claimed.
    ready: BTreeSet<i64>,
    /// The first events of the others, by when they may be.
    later: BTreeSet<(Timestamp, i64)>,
    waiting: usize,
    kept_bytes: usize,
    journal: Vec<(ConversationId, Option<Entry>)>,
}

impl Inbox {
    /// Reads the waiting events.
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut inbox = Self::default();
        let mut statement =
            connection.prepare("SELECT position, conversation, at FROM inbox ORDER BY position")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let key: String = row.get(1)?;
            let Some(conversation) = ConversationId::from_key(&key) else {
                continue;
            };
            let at = Timestamp::from_milliseconds(row.get(2)?);
            let event = Event {
                position: row.get(0)?,
                at,
                body: None,
            };
            inbox.push(&conversation, event);
        }
        inbox.keep();
        Ok(inbox)
    }

    /// Events over all conversations.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    /// When the oldest event came.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        let (_, conversation) = self.heads.first_key_value()?;
        self.entries
            .get(conversation)?
            .events
            .front()
            .map(|event| event.at)
    }

    /// One conversation.
    pub(super) fn get(&self, conversation: &ConversationId) -> Option<&Entry> {
        self.entries.get(conversation)
    }

    /// A body worth keeping in memory, if there is room.
    pub(super) fn room_for(&self, body: &[u8]) -> Option<Arc<[u8]>> {
        (self.kept_bytes + body.len() <= KEPT_BYTES).then(|| body.into())
    }

    /// Appends an event.
    pub(super) fn push(&mut self, conversation: &ConversationId, event: Event) {
        let mut entry = self.entries.get(conversation).cloned().unwrap_or_default();
        entry.events.push_back(event);
        self.put(conversation, Some(entry));
    }

    /// Replaces what is known of a conversation.
    pub(super) fn put(&mut self, conversation: &ConversationId, entry: Option<Entry>) {
        let old = self.exchange(conversation, entry);
        self.journal.push((conversation.clone(), old));
    }

    fn exchange(&mut self, conversation: &ConversationId, entry: Option<Entry>) -> Option<Entry> {
        let old = self.entries.remove(conversation);
        if let Some((old, first)) = old
            .as_ref()
            .and_then(|old| Some((old, old.events.front()?)))
        {
            self.heads.remove(&first.position);
            match old.blocked_until() {
                Some(until) => self.later.remove(&(until, first.position)),
                None => self.ready.remove(&first.position),
            };
            self.waiting -= old.events.len();
            self.kept_bytes -= old.kept_bytes();
        }
        if let Some(entry) = entry
            && let Some(first) = entry.events.front()
        {
            self.heads.insert(first.position, conversation.clone());
            match entry.blocked_until() {
                Some(until) => self.later.insert((until, first.position)),
                None => self.ready.insert(first.position),
            };
            self.waiting += entry.events.len();
            self.kept_bytes += entry.kept_bytes();
            self.entries.insert(conversation.clone(), entry);
        }
        old
    }

    /// Forgets how to take changes back.
    pub(super) fn keep(&mut self) {
        self.journal.clear();
    }

    /// Takes back what changed since [`Self::keep`].
    pub(super) fn undo(&mut self) {
        while let Some((conversation, old)) = self.journal.pop() {
            self.exchange(&conversation, old);
        }
    }

    /// Makes those ready whose time has come, and returns up to `max` that are, oldest first.
    pub(super) fn ready(&mut self, max: usize, now: Timestamp) -> Vec<ConversationId> {
        while let Some((until, position)) = self.later.first().copied()
            && until <= now
        {
            let Some(conversation) = self.heads.get(&position).cloned() else {
                self.later.pop_first();
                continue;
            };
            let mut entry = self.entries.get(&conversation).cloned().unwrap_or_default();
            entry.lease = None;
            entry.not_before = None;
            self.put(&conversation, Some(entry));
        }
        let heads = self.ready.iter().take(max);
        heads
            .filter_map(|position| self.heads.get(position).cloned())
            .collect()
    }

    /// Whether a claim would find something now.
    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// When the next conversation becomes ready by itself.
    pub(super) fn next_ready_at(&self) -> Option<Timestamp> {
        self.later.first().map(|(until, _)| *until)
    }
}

impl Entry {
    fn blocked_until(&self) -> Option<Timestamp> {
        self.lease.map(|lease| lease.until).or(self.not_before)
    }

    fn kept_bytes(&self) -> usize {
        self.events
            .iter()
            .filter_map(|event| event.body.as_ref())
            .map(|body| body.len())
            .sum()
    }
}
