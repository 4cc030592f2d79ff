//! Replies on their way out, as the store's operations give and take them.

use langnghe_model::{ConversationId, EventId, Purpose, Timestamp};

use crate::LeaseToken;

/// The queues of a conversation's replies, in the order in which they are served. Each keeps its own
/// order: an answer passes notices and broadcasts of its conversation that wait.
pub type Lane = Purpose;

/// What is known of a citizen beside what waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// When the citizen was last heard from, while a session is kept. A store may say up to a minute
    /// too early.
    pub heard_at: Option<Timestamp>,
    /// What they agreed to and refused, encoded; `None` where nothing is kept.
    pub record: Option<Vec<u8>>,
}

/// A reply to be queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReply {
    /// The reply, encoded.
    pub body: Vec<u8>,
    /// Until when it may be sent freely; `None` means always.
    pub window_until: Option<Timestamp>,
    /// Which queue of its conversation it goes into.
    pub lane: Lane,
}

/// A reply that the caller is to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxReply {
    /// Names it over all attempts.
    pub id: u64,
    /// To whom.
    pub conversation: ConversationId,
    /// The lease.
    pub token: LeaseToken,
    /// The queue that it waited in.
    pub lane: Lane,
    /// The reply, encoded.
    pub body: Vec<u8>,
    /// How often it was tried before and failed.
    pub attempts: u32,
    /// Until when it may be sent freely; `None` means always.
    pub window_until: Option<Timestamp>,
    /// When it was queued.
    pub queued_at: Timestamp,
}

/// What became of a reply that was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Which.
    pub id: u64,
    /// Whose.
    pub conversation: ConversationId,
    /// The lease from the claim.
    pub token: LeaseToken,
    /// What happened.
    pub result: SettleResult,
}

/// What happened to a claimed reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettleResult {
    /// The provider has it; it leaves the outbox.
    Sent,
    /// The provider has it and may yet say that it failed: it leaves the outbox, and what is needed to
    /// send it again is found by [`crate::Store::sent`] for a while.
    SentFor(SentRecord),
    /// Try again at `at`; later replies of the conversation wait behind it.
    Retry {
        /// When.
        at: Timestamp,
        /// Whether this attempt counts.
        counts: bool,
    },
    /// Wait, with the later replies of the conversation, until [`crate::Commit::heard`] or
    /// [`crate::Store::wake`].
    Park,
    /// Give up: it becomes a dead letter, and the later replies of the conversation go on.
    Bury {
        /// Why, for the operator; holds nothing that a citizen wrote.
        reason: String,
    },
    /// It leaves the outbox without a trace (a stale "typing").
    Drop,
}

/// What is kept of a reply that a provider took and may yet fail to bring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentRecord {
    /// The provider's id of the message.
    pub message: EventId,
    /// What is needed to send it again, encoded.
    pub body: Vec<u8>,
    /// Until when it is kept at least, unless [`SENT_RECORDS`] newer ones of the conversation are.
    pub until: Timestamp,
}

/// How many records of sent replies are kept of one conversation at least.
pub const SENT_RECORDS: usize = 32;
