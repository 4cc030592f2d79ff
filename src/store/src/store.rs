//! The trait that every store implements.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use langnghe_model::{BackendId, ChannelId, ConversationId, EventId, Timestamp};

use crate::{
    Accepted, Bus, Claim, Commit, Committed, Contact, DeadKind, DeadLetter, Delivery,
    DeliverySettlement, Depths, Disabled, Epoch, Erased, NewEvent, OutboxReply, OwnerId, Ownership,
    Purged, Retention, Settlement, StoreError, StoredTicket, TicketFilter, TicketNote,
};

/// Where everything is kept.
///
/// The contract, which [`contract`](crate) tests hold every implementation to:
/// - What an operation acknowledged survives `kill -9` at the next instant.
/// - A batch is applied in its order; each item is all or nothing; one transaction may carry many.
/// - Events of a conversation are claimed in the order in which they were accepted, by one holder of
///   the lease at a time. A lease that ran out lets another claim; the token of the first is then
///   refused.
/// - Replies of a conversation that are in one [`Lane`](crate::Lane) are claimed in the order in which
///   they were committed; one that waits (retry, parked) holds back those behind it in its lane, and
///   none in another lane or of another conversation.
/// - Conversations, tickets and dead letters are ordered among each other by time; what happened in
///   the same millisecond may come in any order, but always in the same. Where conversations are
///   spread over a cluster, a claim orders what it brings, and what it leaves behind may have waited
///   longer; its partitions take turns, so that none starves.
/// - [`StoreError::Unavailable`] may also mean that it happened and the answer was lost. Whoever tries
///   again learns so: a duplicate, a lease that is gone.
/// - "Waits up to `wait`" returns as soon as there is something, with what there is, and with
///   nothing when the time is over. Cancelling the future loses nothing.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// Takes events in: dedup mark, inbox, readiness, in one. An answer for each, in order; two equal
    /// keys in one batch are a duplicate too. Equal keys are always of one conversation.
    ///
    /// # Errors
    /// [`StoreError::Full`] or [`StoreError::Unavailable`]; then none was taken, but on a cluster, where
    /// other partitions may have taken theirs: a redelivery finds those to be duplicates.
    async fn accept(
        &self,
        events: Vec<NewEvent>,
        now: Timestamp,
    ) -> Result<Vec<Accepted>, StoreError>;

    /// Takes the lease on up to `max` conversations with waiting events, those that wait longest
    /// first. Waits up to `wait`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn claim(
        &self,
        max: usize,
        lease: Duration,
        now: Timestamp,
        wait: Duration,
    ) -> Result<Vec<Claim>, StoreError>;

    /// Applies what workers did; an answer for each, in order.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; then none was applied, and the leases run out by themselves.
    async fn commit(
        &self,
        commits: Vec<Commit>,
        now: Timestamp,
    ) -> Result<Vec<Committed>, StoreError>;

    /// Gives a claimed conversation back unprocessed; it is ready again at `at`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn release(
        &self,
        conversation: &ConversationId,
        token: crate::LeaseToken,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Takes or renews the sole right to send on channels, over all replicas; an answer for each, in
    /// order. It is for the time of `lease` from the moment of the call, by the store's own clock. A
    /// renewal keeps the epoch; one that comes after the lease ran out is none, and begins a later
    /// epoch even where nobody else came.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; then nothing is known of any.
    async fn own(
        &self,
        owner: &OwnerId,
        channels: &[ChannelId],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Ownership>, StoreError>;

    /// Lets go of channels, so that another may own them at once; those of another owner are passed
    /// over.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; then the leases run out by themselves.
    async fn disown(&self, owner: &OwnerId, channels: &[ChannelId]) -> Result<(), StoreError>;

    /// Takes the lease on up to `max` replies of `channel` that are due, each the first of its
    /// conversation in its lane: answers, then notices, then broadcasts, and in each lane oldest first.
    /// While as many answers are due as are claimed, notices wait, however long that is. (On a cluster all
    /// this holds within each partition, and what a claim brings is sorted again.) Waits up to `wait`, and less where one comes due before. The first
    /// claim of a later `epoch` takes the leases of earlier ones away.
    ///
    /// # Errors
    /// [`StoreError::NotOwner`] when a claim of a later epoch came before, and
    /// [`StoreError::Unavailable`].
    async fn claim_outbox(
        &self,
        channel: &ChannelId,
        epoch: Epoch,
        max: usize,
        lease: Duration,
        now: Timestamp,
        wait: Duration,
    ) -> Result<Vec<OutboxReply>, StoreError>;

    /// Says what became of claimed replies. A lost lease is passed over: somebody else has it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; then none was applied.
    async fn settle(&self, settlements: Vec<Settlement>, now: Timestamp) -> Result<(), StoreError>;

    /// What was kept of a reply that the provider took under this id; see [`SettleResult::SentFor`](crate::SettleResult::SentFor).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn sent(
        &self,
        conversation: &ConversationId,
        message: &EventId,
    ) -> Result<Option<Vec<u8>>, StoreError>;

    /// Makes the parked replies of a conversation due, as the citizen is there; so also its notices and
    /// broadcasts that wait for a moment.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn wake(&self, conversation: &ConversationId) -> Result<(), StoreError>;

    /// What is known of a citizen beside what waits.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn contact(&self, conversation: &ConversationId) -> Result<Contact, StoreError>;

    /// Takes the lease on up to `max` tickets due for `backend`, those that came due first first; none while the backend
    /// is disabled. Waits up to `wait`, and less where one comes due before.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn claim_deliveries(
        &self,
        backend: &BackendId,
        max: usize,
        lease: Duration,
        now: Timestamp,
        wait: Duration,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// Says what became of claimed deliveries. A lost lease is passed over.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; then none was applied.
    async fn settle_deliveries(
        &self,
        settlements: Vec<DeliverySettlement>,
    ) -> Result<(), StoreError>;

    /// Moves up to `max` timers that are due into their conversations' inboxes; says how many. A
    /// timer's event passes the bound of its conversation's inbox. Waits up to `wait`, and less where
    /// one comes due before.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn fire_timers(
        &self,
        max: usize,
        now: Timestamp,
        wait: Duration,
    ) -> Result<usize, StoreError>;

    /// Finds a ticket by its id or its code.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn ticket(&self, id_or_code: &str) -> Result<Option<StoredTicket>, StoreError>;

    /// Lists tickets, newest first, without their history.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn tickets(&self, filter: TicketFilter) -> Result<Vec<StoredTicket>, StoreError>;

    /// Adds a line to a ticket's history; false when no ticket has this code.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn note(&self, code: &str, note: TicketNote) -> Result<bool, StoreError>;

    /// Lists dead letters, newest first, from before `before` on. Those that died by one call are in no
    /// order that is promised: on a cluster each partition numbers its own.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn dead_letters(
        &self,
        kind: Option<DeadKind>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError>;

    /// Finds one dead letter.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn dead_letter(&self, id: u64) -> Result<Option<DeadLetter>, StoreError>;

    /// Puts a dead letter back on its way; false when there is none of that id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn retry_dead(&self, id: u64, now: Timestamp) -> Result<bool, StoreError>;

    /// Removes a dead letter for ever (a ticket itself stays); false when there is none of that id.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn drop_dead(&self, id: u64, now: Timestamp) -> Result<bool, StoreError>;

    /// Stops (`Some`) or enables (`None`) deliveries to a backend.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn set_disabled(
        &self,
        backend: &BackendId,
        disabled: Option<Disabled>,
    ) -> Result<(), StoreError>;

    /// Whether deliveries to a backend are stopped.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn disabled(&self, backend: &BackendId) -> Result<Option<Disabled>, StoreError>;

    /// Keeps a document under a name until it is removed: the texts of flow versions, so that running
    /// sessions can finish on theirs; media that are still to be fetched.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn keep_document(&self, name: &str, body: &[u8]) -> Result<(), StoreError>;

    /// Puts `body` in the place of the document `name` if that holds exactly `expected` now (`None`:
    /// if there is none); says whether it did. Of several who exchange the same at once, one does. As
    /// durable as what [`accept`](Self::accept) acknowledges.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; then it may have happened: read the document.
    async fn exchange_document(
        &self,
        name: &str,
        expected: Option<&[u8]>,
        body: &[u8],
    ) -> Result<bool, StoreError>;

    /// All documents whose names begin with `prefix`, by name.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn documents(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError>;

    /// The document of this name.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn document(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Removes a document; false where there is none of that name.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn remove_document(&self, name: &str) -> Result<bool, StoreError>;

    /// Removes everything held of a conversation: session, contact, waiting events and replies, what was
    /// kept of sent ones, timers, dead letters; its tickets lose their personal part and their tie to it. Dedup marks stay: they
    /// are hashes. A ticket that still has to be delivered is delivered without its personal part;
    /// a dead letter of a delivery stays with its ticket, without the conversation.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn erase(
        &self,
        conversation: &ConversationId,
        now: Timestamp,
    ) -> Result<Erased, StoreError>;

    /// Removes what is older than `retention` allows, in bounded steps.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn purge(&self, retention: Retention, now: Timestamp) -> Result<Purged, StoreError>;

    /// How much waits. Cheap enough to be asked every second.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn depths(&self) -> Result<Depths, StoreError>;

    /// How replicas that share the store speak to each other; `None` when it is never shared.
    fn bus(&self) -> Option<Arc<dyn Bus>> {
        None
    }

    /// Whether the store can be written right now.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] with the reason.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Finishes what is under way and closes; later operations are refused.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    async fn close(&self) -> Result<(), StoreError>;
}
