//! The operations, as callers see them.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use langnghe_model::{BackendId, ChannelId, ConversationId, EventId, Timestamp};

use super::{
    RedisStore, closed, dead, deliveries, inbox, listener::RedisBus, outbox, rest, tickets, waiting,
};
use crate::{
    Accepted, Bus, Claim, Commit, Committed, Contact, DeadKind, DeadLetter, Delivery,
    DeliverySettlement, Depths, Disabled, Epoch, Erased, LeaseToken, NewEvent, OutboxReply,
    OwnerId, Ownership, Purged, Retention, Settlement, Store, StoreError, StoredTicket,
    TicketFilter, TicketNote,
};

#[async_trait]
impl Store for RedisStore {
    async fn accept(
        &self,
        events: Vec<NewEvent>,
        now: Timestamp,
    ) -> Result<Vec<Accepted>, StoreError> {
        let gather = self
            .accepts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        gather.ok_or_else(closed)?.ask((events, now)).await
    }

    async fn claim(
        &self,
        max: usize,
        lease: Duration,
        now: Timestamp,
        wait: Duration,
    ) -> Result<Vec<Claim>, StoreError> {
        let claiming = inbox::Conversations { lease };
        let topic = self.shared.topics.get("i");
        waiting::claim(&self.shared, &topic, &claiming, max, now, wait).await
    }

    async fn commit(
        &self,
        commits: Vec<Commit>,
        now: Timestamp,
    ) -> Result<Vec<Committed>, StoreError> {
        inbox::commit(&self.shared, &commits, now).await
    }

    async fn release(
        &self,
        conversation: &ConversationId,
        token: LeaseToken,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        inbox::release(&self.shared, conversation, token, at).await
    }

    async fn own(
        &self,
        owner: &OwnerId,
        channels: &[ChannelId],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Ownership>, StoreError> {
        let lease = lease.max(Duration::from_millis(1));
        rest::own(&self.shared, owner, channels, lease, Some(now)).await
    }

    async fn disown(&self, owner: &OwnerId, channels: &[ChannelId]) -> Result<(), StoreError> {
        rest::own(&self.shared, owner, channels, Duration::ZERO, None).await?;
        Ok(())
    }

    async fn claim_outbox(
        &self,
        channel: &ChannelId,
        epoch: Epoch,
        max: usize,
        lease: Duration,
        now: Timestamp,
        wait: Duration,
    ) -> Result<Vec<OutboxReply>, StoreError> {
        let topic = self.shared.topics.get(&format!("o:{channel}"));
        let claiming = outbox::Replies {
            channel: channel.clone(),
            epoch,
            lease,
        };
        waiting::claim(&self.shared, &topic, &claiming, max, now, wait).await
    }

    async fn settle(&self, settlements: Vec<Settlement>, now: Timestamp) -> Result<(), StoreError> {
        let gather = self
            .settles
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        gather.ok_or_else(closed)?.ask((settlements, now)).await
    }

    async fn sent(
        &self,
        conversation: &ConversationId,
        message: &EventId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        outbox::sent(&self.shared, conversation, message).await
    }

    async fn wake(&self, conversation: &ConversationId) -> Result<(), StoreError> {
        outbox::wake(&self.shared, conversation).await
    }

    async fn contact(&self, conversation: &ConversationId) -> Result<Contact, StoreError> {
        rest::contact(&self.shared, conversation).await
    }

    async fn note(&self, code: &str, note: TicketNote) -> Result<bool, StoreError> {
        tickets::add_note(&self.shared, code, &note).await
    }

    async fn claim_deliveries(
        &self,
        backend: &BackendId,
        max: usize,
        lease: Duration,
        now: Timestamp,
        wait: Duration,
    ) -> Result<Vec<Delivery>, StoreError> {
        let topic = self.shared.topics.get(&format!("d:{backend}"));
        let claiming = deliveries::Deliveries {
            backend: backend.clone(),
            lease,
        };
        waiting::claim(&self.shared, &topic, &claiming, max, now, wait).await
    }

    async fn settle_deliveries(
        &self,
        settlements: Vec<DeliverySettlement>,
    ) -> Result<(), StoreError> {
        deliveries::settle(&self.shared, &settlements).await
    }

    async fn fire_timers(
        &self,
        max: usize,
        now: Timestamp,
        wait: Duration,
    ) -> Result<usize, StoreError> {
        let topic = self.shared.topics.get("t");
        let fired = waiting::claim(&self.shared, &topic, &rest::Timers, max, now, wait).await?;
        Ok(fired.len())
    }

    async fn ticket(&self, id_or_code: &str) -> Result<Option<StoredTicket>, StoreError> {
        tickets::find(&self.shared, id_or_code).await
    }

    async fn tickets(&self, filter: TicketFilter) -> Result<Vec<StoredTicket>, StoreError> {
        tickets::list(&self.shared, &filter).await
    }

    async fn dead_letters(
        &self,
        kind: Option<DeadKind>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        dead::list(&self.shared, kind, before, limit).await
    }

    async fn dead_letter(&self, id: u64) -> Result<Option<DeadLetter>, StoreError> {
        dead::find(&self.shared, id).await
    }

    async fn retry_dead(&self, id: u64, now: Timestamp) -> Result<bool, StoreError> {
        dead::take(&self.shared, id, true, now).await
    }

    async fn drop_dead(&self, id: u64, now: Timestamp) -> Result<bool, StoreError> {
        dead::take(&self.shared, id, false, now).await
    }

    async fn set_disabled(
        &self,
        backend: &BackendId,
        disabled: Option<Disabled>,
    ) -> Result<(), StoreError> {
        deliveries::set_disabled(&self.shared, backend, disabled.as_ref()).await
    }

    async fn disabled(&self, backend: &BackendId) -> Result<Option<Disabled>, StoreError> {
        deliveries::disabled(&self.shared, backend).await
    }

    async fn keep_document(&self, name: &str, body: &[u8]) -> Result<(), StoreError> {
        rest::keep_document(&self.shared, name, body).await
    }

    async fn exchange_document(
        &self,
        name: &str,
        expected: Option<&[u8]>,
        body: &[u8],
    ) -> Result<bool, StoreError> {
        rest::exchange_document(&self.shared, name, expected, body).await
    }

    async fn documents(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        rest::documents(&self.shared, prefix).await
    }

    async fn document(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        rest::document(&self.shared, name).await
    }

    async fn remove_document(&self, name: &str) -> Result<bool, StoreError> {
        rest::remove_document(&self.shared, name).await
    }

    async fn erase(
        &self,
        conversation: &ConversationId,
        now: Timestamp,
    ) -> Result<Erased, StoreError> {
        rest::erase(&self.shared, conversation, now).await
    }

    async fn purge(&self, retention: Retention, now: Timestamp) -> Result<Purged, StoreError> {
        rest::purge(&self.shared, retention, now).await
    }

    async fn depths(&self) -> Result<Depths, StoreError> {
        rest::depths(&self.shared).await
    }

    fn bus(&self) -> Option<Arc<dyn Bus>> {
        Some(Arc::new(RedisBus {
            shared: Arc::clone(&self.shared),
        }))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        rest::ping(&self.shared).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.finish().await;
        Ok(())
    }
}
