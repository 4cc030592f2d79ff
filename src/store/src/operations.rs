//! What goes into and comes out of the store's operations.

use std::time::Duration;

use langnghe_model::{BackendId, ChannelId, ConversationId, DedupKey, TicketId, Timestamp};

use crate::{Lane, NewReply};

/// An event to be taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// Whose it is.
    pub conversation: ConversationId,
    /// Recognises a redelivery.
    pub dedup: DedupKey,
    /// The event, encoded.
    pub body: Vec<u8>,
}

/// What became of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// Stored, durable, its conversation ready.
    Stored,
    /// A mark of it was already there; nothing changed.
    Duplicate,
    /// The conversation already has as many events waiting as the bound allows; nothing changed.
    InboxFull,
}

/// A position in a conversation's inbox; later events have greater ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

/// Proof that one holds the lease on a conversation, a reply or a delivery. A later lease on the same
/// thing has another token, and the earlier one is worth nothing then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseToken(pub u64);

/// A conversation on which the caller holds the lease, with its events in order of arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Which.
    pub conversation: ConversationId,
    /// The lease.
    pub token: LeaseToken,
    /// Its session as last committed.
    pub session: Option<Vec<u8>>,
    /// Its waiting events, oldest first, at most [`Limits::events_a_claim`] of them; never empty.
    pub events: Vec<(Position, Vec<u8>)>,
}

impl Claim {
    /// The commit that takes all its events out of the inbox and changes nothing else.
    pub fn done(&self) -> Commit {
        let last = self.events.last();
        Commit {
            conversation: self.conversation.clone(),
            token: self.token,
            processed: last.map_or(Position(0), |(position, _)| *position),
            session: SessionChange::Keep,
            replies: Vec::new(),
            tickets: Vec::new(),
            timers: Vec::new(),
            set_aside: Vec::new(),
            heard: None,
            contact: None,
            erase: false,
        }
    }
}

/// What a worker did with a claim: all of it happens, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Which conversation.
    pub conversation: ConversationId,
    /// The lease from the claim.
    pub token: LeaseToken,
    /// The event up to which (inclusive) the claim was processed; these leave the inbox. The
    /// conversation is ready again at once if more wait.
    pub processed: Position,
    /// What becomes of the session.
    pub session: SessionChange,
    /// Replies, in order.
    pub replies: Vec<NewReply>,
    /// Tickets that came to be.
    pub tickets: Vec<NewTicket>,
    /// Timers of this conversation to set (replacing one of the same name) or cancel.
    pub timers: Vec<TimerChange>,
    /// Events that could not be processed or that nothing knows, and replies that a provider gave up, put
    /// among the dead letters.
    pub set_aside: Vec<NewDeadLetter>,
    /// Given when the citizen was heard from: their parked replies become due, as do their notices and
    /// broadcasts that wait for a moment, and all their unsent answers get this window.
    pub heard: Option<Heard>,
    /// Given when what is kept of the citizen besides the session changes; see [`crate::Contact::record`].
    /// An empty one is removed.
    pub contact: Option<Vec<u8>>,
    /// Erases everything held of the conversation before the rest of the commit is applied, as
    /// [`crate::Store::erase`].
    pub erase: bool,
}

/// The citizen was heard from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// When, by the provider's clock.
    pub at: Timestamp,
    /// Until when the channel lets us write freely; `None` means always.
    pub window_until: Option<Timestamp>,
}

/// What becomes of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionChange {
    /// Nothing.
    Keep,
    /// It becomes this.
    Put(Vec<u8>),
    /// It ends.
    Delete,
}

/// A ticket that came to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTicket {
    /// Its id for ever.
    pub id: TicketId,
    /// The code that the citizen keeps; unique.
    pub code: String,
    /// The flow's title, for lists.
    pub title: String,
    /// The backend that it is delivered to; `None` keeps it here only.
    pub backend: Option<BackendId>,
    /// The ticket without personal answers, encoded; survives erasure.
    pub body: Vec<u8>,
    /// The personal answers, encoded; removed on erasure.
    pub personal: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A timer to set or cancel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimerChange {
    /// At `at`, `event` is appended to the conversation's inbox.
    Set {
        /// Its name within the conversation.
        name: String,
        /// When.
        at: Timestamp,
        /// The event, encoded.
        event: Vec<u8>,
    },
    /// It does not come.
    Cancel {
        /// Its name within the conversation.
        name: String,
    },
}

/// What became of one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// All of it happened.
    Done,
    /// The lease was lost; nothing happened, and another worker has or will get the events.
    LeaseLost,
    /// A ticket's code is taken; nothing happened, the lease is still held: choose another code.
    CodeTaken,
}

/// A ticket that the caller is to deliver to a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Which ticket.
    pub ticket: TicketId,
    /// The lease.
    pub token: LeaseToken,
    /// The ticket's code.
    pub code: String,
    /// The ticket without personal answers, encoded.
    pub body: Vec<u8>,
    /// The personal answers, encoded; `None` when there are none or they were erased.
    pub personal: Option<Vec<u8>>,
    /// How often it was tried before and failed.
    pub attempts: u32,
    /// When the ticket was made.
    pub created_at: Timestamp,
}

/// What became of a delivery that was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliverySettlement {
    /// Which ticket.
    pub ticket: TicketId,
    /// The lease from the claim.
    pub token: LeaseToken,
    /// When, for the history.
    pub at: Timestamp,
    /// What happened.
    pub result: DeliveryResult,
}

/// What happened to a claimed delivery. Each is written into the ticket's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryResult {
    /// The backend has it, under this reference of its own if it gave one.
    Delivered {
        /// The backend's reference.
        reference: Option<String>,
    },
    /// Try again at `at`.
    Retry {
        /// When.
        at: Timestamp,
        /// Why, for the operator.
        reason: String,
    },
    /// Give up: it becomes a dead letter.
    Bury {
        /// Why, for the operator.
        reason: String,
    },
}

/// Something that could not go on by itself, kept until an operator acts or retention ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Names it.
    pub id: u64,
    /// What it is.
    pub kind: DeadKind,
    /// The channel or backend that it belongs to.
    pub place: String,
    /// The conversation, where it is one's.
    pub conversation: Option<ConversationId>,
    /// The ticket, where it is a delivery.
    pub ticket: Option<TicketId>,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// What it is, encoded; the personal part of a ticket is not in it.
    pub body: Vec<u8>,
}

/// What a dead letter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeadKind {
    /// A reply that could not be sent. Retrying queues it again, behind what waits.
    Reply,
    /// A ticket that could not be delivered. Retrying makes it due at once.
    Delivery,
    /// An event that could not be processed or that nothing knows. Retrying puts it into the inbox
    /// again.
    Event,
}

impl DeadKind {
    /// The word for it in commands and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::Delivery => "delivery",
            Self::Event => "event",
        }
    }
}

/// Something to be set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDeadLetter {
    /// Why; holds nothing that a citizen wrote.
    pub reason: String,
    /// The event or the reply, encoded.
    pub body: Vec<u8>,
    /// The lane of a reply that will not be sent (again); `None` for an event.
    pub reply: Option<Lane>,
}

/// A ticket as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTicket {
    /// Its id.
    pub id: TicketId,
    /// Its code.
    pub code: String,
    /// The flow's title.
    pub title: String,
    /// The conversation it came from; `None` after erasure.
    pub conversation: Option<ConversationId>,
    /// The backend that it goes to.
    pub backend: Option<BackendId>,
    /// Where its delivery stands.
    pub delivery: DeliveryState,
    /// The backend's reference.
    pub reference: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Without personal answers, encoded.
    pub body: Vec<u8>,
    /// The personal answers, encoded.
    pub personal: Option<Vec<u8>>,
    /// What happened to it, oldest first.
    pub history: Vec<TicketNote>,
}

/// Where a ticket's delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It has no backend.
    None,
    /// It waits for its first or next attempt.
    Pending,
    /// The backend has it.
    Delivered,
    /// It is a dead letter.
    Dead,
}

impl DeliveryState {
    /// The word for it in commands and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

/// One line of a ticket's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketNote {
    /// When.
    pub at: Timestamp,
    /// A short word: `created`, `delivered`, `retry`, `dead`, `requeued`,
    /// `dropped`, `erased`.
    pub what: String,
    /// Details for the operator.
    pub detail: Option<String>,
}

/// Which tickets to list, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketFilter {
    /// Only those of this conversation.
    pub conversation: Option<ConversationId>,
    /// Only those whose delivery stands so.
    pub delivery: Option<DeliveryState>,
    /// Only those made before this one (for the next page).
    pub before: Option<TicketId>,
    /// At most so many.
    pub limit: usize,
}

/// A backend that must not be called until an operator enables it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disabled {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// How long things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Marks by which a redelivery is recognised.
    pub dedup: Duration,
    /// Sessions without a word from the citizen, counted from when we took the last one: what a provider
    /// brings late was written long before.
    pub idle_sessions: Duration,
    /// Dead letters.
    pub dead_letters: Duration,
    /// The personal part of tickets, and their tie to a conversation.
    pub personal: Duration,
}

/// What a purge removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Dedup marks; 0 where they expire by themselves.
    pub marks: u64,
    /// Sessions.
    pub sessions: u64,
    /// Dead letters.
    pub dead_letters: u64,
    /// Tickets whose personal part was removed.
    pub tickets: u64,
    /// Records of contacts that were not changed for as long as the personal part of tickets is kept.
    pub contacts: u64,
}

/// Bounds of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most events that may wait over all conversations; beyond, [`crate::StoreError::Full`].
    pub inbox: usize,
    /// The most events of one conversation that may wait; beyond, [`Accepted::InboxFull`].
    pub inbox_a_conversation: usize,
    /// The most events that one claim carries.
    pub events_a_claim: usize,
    /// The most memory in bytes that dedup marks may take; older marks are found on disk.
    pub dedup_memory: usize,
    /// The most operations that may wait for the writer; beyond, [`crate::StoreError::Full`].
    pub operations: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            inbox: 100_000,
            inbox_a_conversation: 50,
            events_a_claim: 16,
            dedup_memory: 32 * 1024 * 1024,
            operations: 10_000,
        }
    }
}

/// How much waits, for metrics and readiness.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Depths {
    /// Events in the inbox.
    pub inbox: u64,
    /// When the oldest of them came.
    pub inbox_oldest: Option<Timestamp>,
    /// Replies in the outbox, by channel.
    pub outbox: Vec<(ChannelId, Depth)>,
    /// Tickets to be delivered, by backend.
    pub deliveries: Vec<(BackendId, Depth)>,
    /// Timers set.
    pub timers: u64,
    /// Dead letters, by kind.
    pub dead: Vec<(DeadKind, u64)>,
    /// Sessions kept.
    pub sessions: u64,
}

/// How much waits in one queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// How many, parked ones included.
    pub waiting: u64,
    /// How many of them are parked; those that wait behind one are not counted.
    pub parked: u64,
    /// When the oldest was queued.
    pub oldest: Option<Timestamp>,
}

/// What an erasure removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Whether there was a session.
    pub session: bool,
    /// Events and replies that waited, and dead letters.
    pub waiting: u64,
    /// Tickets that lost their personal part and their tie to the conversation.
    pub tickets: u64,
}
