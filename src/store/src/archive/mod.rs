//! Everything that a store holds, record by record, so that it can be moved to another store.
//!
//! Leases, fencing tokens and ownerships are not among it: nothing is under way in a store that
//! nobody serves, and the store that takes over begins its own.

mod copy;

use std::fmt;

use async_trait::async_trait;
use langnghe_model::{BackendId, ChannelId, ConversationId, DedupKey, Timestamp};
use serde::{Deserialize, Serialize};

pub use copy::{COPY_LIMIT, CopyError, Progress, Side, copy};

use crate::{DeadLetter, Disabled, Lane, StoreError, StoredTicket};

/// Why a store that is filled by half is not served.
pub(crate) const UNFINISHED: &str =
    "it holds an unfinished copy: run the same `langnghe store copy` again, or remove it";

/// A store that can be read out and filled. Whoever calls makes sure that nobody serves it.
#[async_trait]
pub trait Archive: fmt::Debug + Send + Sync {
    /// Who uses the store right now, for people; `None` when nobody is known to.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn used_by(&self) -> Result<Option<String>, StoreError>;

    /// A text that is another after an event was taken in or a timer fired.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn activity(&self) -> Result<String, StoreError>;

    /// Counts what there is.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn census(&self) -> Result<Census, StoreError>;

    /// Up to about `limit` records of one kind, those after `after`. The order is the same each time
    /// while nobody serves the store, except that marks and sessions may come in another one or
    /// twice.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], and [`StoreError::Damaged`] for a row that nobody can read.
    async fn export(
        &self,
        kind: RecordKind,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError>;

    /// Takes records in and notes how far the copy is. A batch that comes again, also after it was
    /// taken in by half, changes nothing that is there. No bound of the store holds here: what was
    /// acknowledged is not refused.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn import(&self, batch: Batch) -> Result<(), StoreError>;

    /// How many of these marks, made at these moments, the store does not know although they still
    /// count.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn lacks(&self, marks: Vec<(DedupKey, Timestamp)>) -> Result<u64, StoreError>;

    /// How far an unfinished copy into this store is.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], and [`StoreError::Damaged`].
    async fn copy_mark(&self) -> Result<Option<CopyMark>, StoreError>;

    /// Notes how far the copy is, or with `None` that it is finished. While the mark is there nobody
    /// can serve the store.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn set_copy_mark(&self, mark: Option<CopyMark>) -> Result<(), StoreError>;

    /// Finishes what is under way and closes; later operations are refused.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn finish(&self) -> Result<(), StoreError>;
}

/// What kinds of records there are, in the order in which they are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RecordKind {
    /// See [`Record::Document`].
    Document,
    /// See [`Record::Disabled`].
    Disabled,
    /// See [`Record::Channel`].
    Channel,
    /// See [`Record::Ticket`].
    Ticket,
    /// See [`Record::DeadLetter`].
    DeadLetter,
    /// See [`Record::Session`].
    Session,
    /// See [`Record::Contact`].
    Contact,
    /// See [`Record::Timer`].
    Timer,
    /// See [`Record::Mark`].
    Mark,
    /// See [`Record::Event`].
    Event,
    /// See [`Record::Reply`].
    Reply,
}

impl RecordKind {
    /// All, in the order in which they are copied: what others name comes before them.
    pub const ALL: [Self; 11] = [
        Self::Document,
        Self::Disabled,
        Self::Channel,
        Self::Ticket,
        Self::DeadLetter,
        Self::Session,
        Self::Contact,
        Self::Timer,
        Self::Mark,
        Self::Event,
        Self::Reply,
    ];

    /// The one that is copied after it.
    pub fn next(self) -> Option<Self> {
        let mut rest = Self::ALL.into_iter().skip_while(|kind| *kind != self);
        rest.nth(1)
    }

    /// The word for several of them.
    pub fn name(self) -> &'static str {
        match self {
            Self::Document => "documents",
            Self::Disabled => "disabled backends",
            Self::Channel => "channels",
            Self::Ticket => "tickets",
            Self::DeadLetter => "dead letters",
            Self::Session => "sessions",
            Self::Contact => "contacts",
            Self::Timer => "timers",
            Self::Mark => "dedup marks",
            Self::Event => "waiting events",
            Self::Reply => "waiting replies",
        }
    }
}

/// One thing that a store holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// What [`crate::Store::keep_document`] kept.
    Document {
        /// Its name.
        name: String,
        /// Its text.
        body: Vec<u8>,
    },
    /// A backend that must not be called.
    Disabled {
        /// Which.
        backend: BackendId,
        /// Since when, and why.
        disabled: Disabled,
    },
    /// A channel on which replies were sent.
    Channel {
        /// Which.
        channel: ChannelId,
        /// The greatest id that a reply of it ever had. Later ones must have other ids than all
        /// before: a browser knows by them which replies it has shown.
        last_reply: u64,
    },
    /// A ticket with its history; they come oldest first.
    Ticket(Box<TicketRecord>),
    /// A dead letter; they come oldest first.
    DeadLetter {
        /// The dead letter.
        letter: DeadLetter,
        /// The window of a reply among them.
        window_until: Option<Timestamp>,
        /// The lane of a reply among them.
        lane: Lane,
    },
    /// Where a conversation stands.
    Session {
        /// Whose.
        conversation: ConversationId,
        /// When the citizen was last heard from.
        heard_at: Timestamp,
        /// When we took what was heard then; not before `heard_at`.
        taken_at: Timestamp,
        /// The session, encoded.
        body: Vec<u8>,
    },
    /// What a citizen agreed to and refused.
    Contact {
        /// Whose.
        conversation: ConversationId,
        /// When it was last changed.
        at: Timestamp,
        /// The record, encoded.
        body: Vec<u8>,
    },
    /// An event that comes by itself.
    Timer {
        /// Whose.
        conversation: ConversationId,
        /// Its name within the conversation.
        name: String,
        /// When.
        at: Timestamp,
        /// The event, encoded.
        event: Vec<u8>,
    },
    /// By what a redelivery is recognised.
    Mark {
        /// The hash of its key.
        key: DedupKey,
        /// When it was made, or later.
        at: Timestamp,
    },
    /// An event that waits; those that came first come first.
    Event {
        /// Whose.
        conversation: ConversationId,
        /// When it came.
        at: Timestamp,
        /// The event, encoded.
        body: Vec<u8>,
    },
    /// A reply that waits; those of a channel come in the order in which they were queued.
    Reply(Box<ReplyRecord>),
}

/// A ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketRecord {
    /// The ticket, with its history.
    pub ticket: StoredTicket,
    /// Its delivery, where that waits.
    pub pending: Option<PendingDelivery>,
}

/// A delivery that waits for its attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingDelivery {
    /// When it is due.
    pub due_at: Timestamp,
    /// How often it was tried and failed.
    pub attempts: u32,
    /// Since when it waits.
    pub queued_at: Timestamp,
}

/// A reply that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyRecord {
    /// Its id; a store keeps it where it can.
    pub id: u64,
    /// Whose.
    pub conversation: ConversationId,
    /// The reply, encoded.
    pub body: Vec<u8>,
    /// How often it was tried and failed.
    pub attempts: u32,
    /// Until when it may be sent freely.
    pub window_until: Option<Timestamp>,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// What it waits for beside its turn.
    pub standing: Standing,
    /// The queue that it waits in.
    pub lane: Lane,
}

/// What a reply waits for beside its turn; all but the first of a conversation are ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    Ready,
    /// This moment.
    RetryAt(Timestamp),
    /// The citizen.
    Parked,
}

/// Where an export goes on; means something to the store that gave it only. It may hold who a
/// citizen is, so `Debug` shows no more than its length.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

impl fmt::Debug for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Cursor({} bytes)", self.0.len())
    }
}

/// A piece of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The records.
    pub records: Vec<Record>,
    /// Where it goes on; `None` when there are no more of this kind.
    pub next: Option<Cursor>,
}

/// A piece of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Records of one kind.
    pub records: Vec<Record>,
    /// The number of the first of them among all of its kind in the order of the export, from 1.
    pub first: u64,
    /// How far the copy is once these are in.
    pub mark: CopyMark,
}

/// How far a copy is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyMark {
    /// Where the records come from, without a password.
    pub source: String,
    /// What the source held when the copy began, to tell whether it was served since.
    pub stamp: String,
    /// Which kind is being copied; `None` when only the counts are left to be compared.
    pub kind: Option<RecordKind>,
    /// Where its export goes on.
    pub after: Option<Cursor>,
    /// How many of this kind were copied.
    pub copied: u64,
}

/// How much there is of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census {
    /// Documents.
    pub documents: u64,
    /// Disabled backends.
    pub disabled: u64,
    /// Tickets.
    pub tickets: u64,
    /// Lines of their histories.
    pub notes: u64,
    /// Tickets that wait for their delivery.
    pub deliveries: u64,
    /// Dead letters.
    pub dead_letters: u64,
    /// Sessions.
    pub sessions: u64,
    /// Records of contacts.
    #[serde(default)]
    pub contacts: u64,
    /// Timers.
    pub timers: u64,
    /// Dedup marks; a store may count one twice.
    pub marks: u64,
    /// Waiting events.
    pub events: u64,
    /// Waiting replies.
    pub replies: u64,
}

impl Census {
    /// The counts with their names.
    pub fn rows(&self) -> [(&'static str, u64); 12] {
        [
            ("documents", self.documents),
            ("disabled backends", self.disabled),
            ("tickets", self.tickets),
            ("notes in their histories", self.notes),
            ("waiting deliveries", self.deliveries),
            ("dead letters", self.dead_letters),
            ("sessions", self.sessions),
            ("contacts", self.contacts),
            ("timers", self.timers),
            ("dedup marks", self.marks),
            ("waiting events", self.events),
            ("waiting replies", self.replies),
        ]
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// How many records of a kind there are; `None` for channels, which are not counted.
    pub fn of(&self, kind: RecordKind) -> Option<u64> {
        Some(match kind {
            RecordKind::Document => self.documents,
            RecordKind::Disabled => self.disabled,
            RecordKind::Channel => return None,
            RecordKind::Ticket => self.tickets,
            RecordKind::DeadLetter => self.dead_letters,
            RecordKind::Session => self.sessions,
            RecordKind::Contact => self.contacts,
            RecordKind::Timer => self.timers,
            RecordKind::Mark => self.marks,
            RecordKind::Event => self.events,
            RecordKind::Reply => self.replies,
        })
    }
}
