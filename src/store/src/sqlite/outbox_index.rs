//! Which replies of a lane may be sent next: a window of the waiting rows, in memory.
//!
//! A row is *fresh* until its conversation gets into trouble. Fresh rows are taken up in the order
//! of their ids, at most [`WINDOW`] at once; those above `loaded_to` are still on disk only. When a
//! conversation's first reply has to be tried again or waits for the citizen, that row and those
//! behind it are *held*: they leave memory and enter an index on disk, by conversation. So a million
//! waiting replies cost no more memory than a few, and the usual reply costs one appended row.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
};

use langnghe_model::{ConversationId, Timestamp};

use super::{filter::Filter, inbox::Lease};

/// The most rows of one lane in memory.
pub(super) const WINDOW: usize = 8192;
/// So many conversations the filter of those with rows on disk only is made for.
const ABSENT: u64 = 100_000;

/// The replies of one conversation that are in memory; there is always at least one.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    pub(super) ids: VecDeque<i64>,
    pub(super) lease: Option<Lease>,
    /// Its rows on disk are held; then only the first is here.
    pub(super) held: bool,
}

/// What an undo puts back beside the queues.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Position {
    /// Rows above are not taken up yet.
    pub(super) loaded_to: i64,
    /// Whether there are such rows.
    pub(super) more: bool,
    /// Whether `windows` has rows of this lane.
    pub(super) windows: bool,
    /// When the first held row that is not in memory comes due.
    pub(super) next_due: Option<Timestamp>,
}

/// One lane of a channel.
#[derive(Debug, Default)]
pub(super) struct LaneIndex {
    pub(super) position: Position,
    position_before: Position,
    queues: HashMap<ConversationId, Queue>,
    heads: BTreeMap<i64, ConversationId>,
    ready: BTreeSet<i64>,
    leased: BTreeSet<(Timestamp, i64)>,
    rows: usize,
    held: usize,
    /// Conversations that may have rows which are not taken up yet; all may when there is none.
    absent: Option<Filter>,
    journal: Vec<(ConversationId, Option<Queue>)>,
}

impl LaneIndex {
    /// Rows in memory.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Rows in memory that are held on disk.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// One conversation.
    pub(super) fn get(&self, conversation: &ConversationId) -> Option<&Queue> {
        self.queues.get(conversation)
    }

    /// The conversation whose first reply this is.
    pub(super) fn by_head(&self, id: i64) -> Option<&ConversationId> {
        self.heads.get(&id)
    }

    /// Appends a fresh row.
    pub(super) fn push(&mut self, conversation: &ConversationId, id: i64) {
        let mut queue = self.queues.get(conversation).cloned().unwrap_or_default();
        queue.ids.push_back(id);
        self.put(conversation, Some(queue));
    }

    /// Replaces what is known of a conversation.
    pub(super) fn put(&mut self, conversation: &ConversationId, queue: Option<Queue>) {
        let old = self.exchange(conversation, queue);
        self.journal.push((conversation.clone(), old));
    }

    fn exchange(&mut self, conversation: &ConversationId, queue: Option<Queue>) -> Option<Queue> {
        let old = self.queues.remove(conversation);
        if let Some((old, first)) = old.as_ref().and_then(|old| Some((old, *old.ids.front()?))) {
            self.heads.remove(&first);
            match old.lease {
                Some(lease) => self.leased.remove(&(lease.until, first)),
                None => self.ready.remove(&first),
            };
            self.rows -= old.ids.len();
            self.held -= usize::from(old.held);
        }
        if let Some(queue) = queue
            && let Some(first) = queue.ids.front().copied()
        {
            self.heads.insert(first, conversation.clone());
            match queue.lease {
                Some(lease) => self.leased.insert((lease.until, first)),
                None => self.ready.insert(first),
            };
            self.rows += queue.ids.len();
            self.held += usize::from(queue.held);
            self.queues.insert(conversation.clone(), queue);
        }
        old
    }

    /// Notes that a fresh row of the conversation stays on disk only.
    pub(super) fn leave_on_disk(&mut self, conversation: &ConversationId) {
        if !self.position.more {
            self.absent = Some(Filter::new(ABSENT));
            self.position.more = true;
        }
        if let Some(absent) = &mut self.absent {
            absent.insert(hash(conversation));
        }
    }

    /// Whether fresh rows of the conversation may be on disk only.
    pub(super) fn may_be_on_disk(&self, conversation: &ConversationId) -> bool {
        let perhaps = |absent: &Filter| absent.perhaps(hash(conversation));
        self.position.more && self.absent.as_ref().is_none_or(perhaps)
    }

    /// Everything was taken up.
    pub(super) fn all_taken_up(&mut self) {
        self.position.more = false;
    }

    /// Forgets how to take changes back.
    pub(super) fn keep(&mut self) {
        self.journal.clear();
        self.position_before = self.position;
    }

    /// Takes back what changed since [`Self::keep`].
    pub(super) fn undo(&mut self) {
        while let Some((conversation, old)) = self.journal.pop() {
            self.exchange(&conversation, old);
        }
        if self.position_before.more {
            // The filter may be of later rows only.
            self.absent = None;
        }
        self.position = self.position_before;
    }

    /// Takes leases that ran out away.
    pub(super) fn expire(&mut self, now: Timestamp) {
        while let Some((until, id)) = self.leased.first().copied()
            && until <= now
        {
            let Some(conversation) = self.heads.get(&id).cloned() else {
                self.leased.pop_first();
                continue;
            };
            let mut queue = self.queues.get(&conversation).cloned().unwrap_or_default();
            queue.lease = None;
            self.put(&conversation, Some(queue));
        }
    }

    /// Up to `max` conversations whose first reply may be sent, oldest first.
    pub(super) fn ready(&self, max: usize) -> Vec<(i64, ConversationId)> {
        let heads = self.ready.iter().take(max);
        heads
            .filter_map(|id| Some((*id, self.heads.get(id)?.clone())))
            .collect()
    }

    /// How many could be claimed.
    pub(super) fn ready_count(&self) -> usize {
        self.ready.len()
    }

    /// When something comes due by itself.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let lease = self.leased.first().map(|(until, _)| *until);
        // A full window takes nothing up before something leaves it, which is told.
        let held = self.position.next_due.filter(|_| self.rows < WINDOW);
        [lease, held].into_iter().flatten().min()
    }
}

fn hash(conversation: &ConversationId) -> u128 {
    let mut hasher = DefaultHasher::new();
    conversation.hash(&mut hasher);
    u128::from(hasher.finish())
}
