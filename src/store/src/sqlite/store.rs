//! The operations, as callers see them.

use std::time::Duration;

use async_trait::async_trait;
use langnghe_model::{BackendId, ChannelId, ConversationId, EventId, Timestamp};

use super::{
    SqliteStore, contacts, dead,
    documents::{self, DocumentExchange},
    held::Held,
    join, outbox, sent, tickets,
    turn::ClaimedConversation,
    visit::Request,
    waiting::Waiting,
    writer::Failure,
};
use crate::{
    Accepted, Claim, Commit, Committed, Contact, DeadKind, DeadLetter, Delivery,
    DeliverySettlement, Depths, Disabled, Epoch, Erased, LeaseToken, NewEvent, OutboxReply,
    OwnerId, Ownership, Purged, Retention, Settlement, Store, StoreError, StoredTicket,
    TicketFilter, TicketNote,
};

#[async_trait]
impl Store for SqliteStore {
    async fn accept(
        &self,
        events: Vec<NewEvent>,
        now: Timestamp,
    ) -> Result<Vec<Accepted>, StoreError> {
        match &self.handle {
            Some(handle) => handle.write(move |state| state.accept(&events, now)).await,
            None => self.ask_to_accept(events, now).await,
        }
    }

    async fn claim(
        &self,
        max: usize,
        lease: Duration,
        now: Timestamp,
        wait: Duration,
    ) -> Result<Vec<Claim>, StoreError> {
        let handle = self.writer()?;
        let waiting = Waiting::new(now, wait);
        loop {
            let sign = self.wakers.inbox.notified();
            tokio::pin!(sign);
            sign.as_mut().enable();
            let now = waiting.now();
            let own = handle.clone();
            let (held, next) = handle
                .after(move |state| {
                    let claimed = state.claim(max, now + lease, now);
                    let held = (!claimed.is_empty()).then(|| {
                        Held::new(claimed, own.clone(), |state, back| {
                            give_conversations_back(state, back);
                        })
                    });
                    Ok((held, state.inbox.next_ready_at()))
                })
                .await?;
            if let Some(held) = held {
                let claims = self.fetch_claims(held).await?;
                if !claims.is_empty() {
                    return Ok(claims);
                }
            }
            if waiting.is_over() {
                return Ok(Vec::new());
            }
            waiting.pause(sign, next).await;
        }
    }

    async fn commit(
        &self,
        commits: Vec<Commit>,
        now: Timestamp,
    ) -> Result<Vec<Committed>, StoreError> {
        self.writer()?
            .write(move |state| {
                let answers = commits.iter().map(|commit| state.commit(commit, now));
                Ok(answers.collect::<Result<_, _>>()?)
            })
            .await
    }

    async fn release(
        &self,
        conversation: &ConversationId,
        token: LeaseToken,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let conversation = conversation.clone();
        self.writer()?
            .after(move |state| {
                state.release(&conversation, token.0, Some(at));
                Ok(())
            })
            .await
    }

    async fn own(
        &self,
        owner: &OwnerId,
        channels: &[ChannelId],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Ownership>, StoreError> {
        let (owner, channels) = (owner.clone(), channels.to_vec());
        self.writer()?
            .after(move |state| Ok(state.own(&owner, &channels, lease, now)))
            .await
    }

    async fn disown(&self, owner: &OwnerId, channels: &[ChannelId]) -> Result<(), StoreError> {
        let (owner, channels) = (owner.clone(), channels.to_vec());
        self.writer()?
            .after(move |state| {
                state.disown(&owner, &channels);
                Ok(())
            })
            .await
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
        let handle = self.writer()?;
        let waiting = Waiting::new(now, wait);
        let waker = self.wakers.channel(channel);
        loop {
            let sign = waker.notified();
            tokio::pin!(sign);
            sign.as_mut().enable();
            let now = waiting.now();
            let (own, channel) = (handle.clone(), channel.clone());
            let (held, next) = handle
                .after(move |state| {
                    if !state.admit(&channel, epoch) {
                        return Err(Failure::Refused(StoreError::NotOwner));
                    }
                    let (claimed, next) = state.claim_outbox(&channel, max, now + lease, now)?;
                    let held = (!claimed.is_empty()).then(|| {
                        Held::new(claimed, own.clone(), |state, back| {
                            give_replies_back(state, back);
                        })
                    });
                    Ok((held, next))
                })
                .await?;
            if let Some(held) = held {
                let replies = self.fetch_replies(held).await?;
                if !replies.is_empty() {
                    return Ok(replies);
                }
            }
            if waiting.is_over() {
                return Ok(Vec::new());
            }
            waiting.pause(sign, next).await;
        }
    }

    async fn settle(&self, settlements: Vec<Settlement>, now: Timestamp) -> Result<(), StoreError> {
        self.writer()?
            .write(move |state| {
                settlements
                    .iter()
                    .try_for_each(|settled| state.settle(settled, now))?;
                Ok(())
            })
            .await
    }

    async fn wake(&self, conversation: &ConversationId) -> Result<(), StoreError> {
        let conversation = conversation.clone();
        self.writer()?
            .write(move |state| Ok(state.wake(&conversation)?))
            .await
    }

    async fn claim_deliveries(
        &self,
        backend: &BackendId,
        max: usize,
        lease: Duration,
        now: Timestamp,
        wait: Duration,
    ) -> Result<Vec<Delivery>, StoreError> {
        let handle = self.writer()?;
        let waiting = Waiting::new(now, wait);
        let waker = self.wakers.backend(backend);
        loop {
            let sign = waker.notified();
            tokio::pin!(sign);
            sign.as_mut().enable();
            let now = waiting.now();
            let (own, backend) = (handle.clone(), backend.clone());
            let (held, next) = handle
                .after(move |state| {
                    let until = now + lease;
                    let (claimed, next) = state.claim_deliveries(&backend, max, until, now)?;
                    let claimed = (backend.clone(), claimed);
                    Ok((Held::new(claimed, own.clone(), give_deliveries_back), next))
                })
                .await?;
            let (_, deliveries) = held.hand_over().ok_or_else(super::writer::closed)?;
            if !deliveries.is_empty() || waiting.is_over() {
                return Ok(deliveries);
            }
            waiting.pause(sign, next).await;
        }
    }

    async fn settle_deliveries(
        &self,
        settlements: Vec<DeliverySettlement>,
    ) -> Result<(), StoreError> {
        self.writer()?
            .write(move |state| {
                settlements
                    .iter()
                    .try_for_each(|settled| state.settle_delivery(settled))?;
                Ok(())
            })
            .await
    }

    async fn fire_timers(
        &self,
        max: usize,
        now: Timestamp,
        wait: Duration,
    ) -> Result<usize, StoreError> {
        let handle = self.writer()?;
        let waiting = Waiting::new(now, wait);
        loop {
            let sign = self.wakers.timers.notified();
            tokio::pin!(sign);
            sign.as_mut().enable();
            let next = handle.after(|state| Ok(state.next_timer)).await?;
            let now = waiting.now();
            if next.is_some_and(|next| next <= now) {
                match handle
                    .write(move |state| state.fire_timers(max, now))
                    .await?
                {
                    Some(0) => {}
                    Some(fired) => return Ok(fired),
                    None => continue,
                }
            }
            if waiting.is_over() {
                return Ok(0);
            }
            waiting.pause(sign, next).await;
        }
    }

    async fn ticket(&self, id_or_code: &str) -> Result<Option<StoredTicket>, StoreError> {
        let wanted = id_or_code.to_owned();
        self.readers()?
            .read(move |connection| tickets::find(connection, &wanted))
            .await
    }

    async fn tickets(&self, filter: TicketFilter) -> Result<Vec<StoredTicket>, StoreError> {
        self.readers()?
            .read(move |connection| tickets::list(connection, &filter))
            .await
    }

    async fn note(&self, code: &str, note: TicketNote) -> Result<bool, StoreError> {
        let code = code.to_owned();
        match &self.handle {
            Some(handle) => {
                handle
                    .write(move |state| Ok(state.note_by_code(&code, &note)?))
                    .await
            }
            None => self.ask(Request::note(code, note)).await,
        }
    }

    async fn contact(&self, conversation: &ConversationId) -> Result<Contact, StoreError> {
        let conversation = conversation.clone();
        self.readers()?
            .read(move |connection| contacts::get(connection, &conversation))
            .await
    }

    async fn sent(
        &self,
        conversation: &ConversationId,
        message: &EventId,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let (conversation, message) = (conversation.clone(), message.clone());
        self.readers()?
            .read(move |connection| sent::get(connection, &conversation, &message))
            .await
    }

    async fn dead_letters(
        &self,
        kind: Option<DeadKind>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.readers()?
            .read(move |connection| dead::list(connection, kind, before, limit))
            .await
    }

    async fn dead_letter(&self, id: u64) -> Result<Option<DeadLetter>, StoreError> {
        self.readers()?
            .read(move |connection| dead::find(connection, id.cast_signed()))
            .await
    }

    async fn retry_dead(&self, id: u64, now: Timestamp) -> Result<bool, StoreError> {
        let id = id.cast_signed();
        match &self.handle {
            Some(handle) => {
                handle
                    .write(move |state| Ok(state.retry_dead(id, now)?))
                    .await
            }
            None => self.ask(Request::Retry { id, now }).await,
        }
    }

    async fn drop_dead(&self, id: u64, now: Timestamp) -> Result<bool, StoreError> {
        let id = id.cast_signed();
        match &self.handle {
            Some(handle) => {
                handle
                    .write(move |state| Ok(state.drop_dead(id, now)?))
                    .await
            }
            None => self.ask(Request::Drop { id, now }).await,
        }
    }

    async fn set_disabled(
        &self,
        backend: &BackendId,
        disabled: Option<Disabled>,
    ) -> Result<(), StoreError> {
        let backend = backend.clone();
        match (&self.handle, disabled) {
            (None, None) => self.ask(Request::Enable { backend }).await.map(drop),
            (_, disabled) => {
                self.writer()?
                    .write(move |state| Ok(state.set_disabled(&backend, disabled.as_ref())?))
                    .await
            }
        }
    }

    async fn disabled(&self, backend: &BackendId) -> Result<Option<Disabled>, StoreError> {
        let backend = backend.clone();
        self.readers()?
            .read(move |connection| dead::disabled(connection, backend.as_str()))
            .await
    }

    async fn keep_document(&self, name: &str, body: &[u8]) -> Result<(), StoreError> {
        let (name, body) = (name.to_owned(), body.to_vec());
        self.writer()?
            .write(move |state| Ok(documents::keep(&state.connection, &name, &body)?))
            .await
    }

    async fn exchange_document(
        &self,
        name: &str,
        expected: Option<&[u8]>,
        body: &[u8],
    ) -> Result<bool, StoreError> {
        let exchange = DocumentExchange {
            name: name.to_owned(),
            expected: expected.map(<[u8]>::to_vec),
            body: body.to_vec(),
        };
        match &self.handle {
            Some(handle) => {
                handle
                    .write(move |state| Ok(exchange.apply(&state.connection)?))
                    .await
            }
            None => self.ask(Request::Exchange(exchange)).await,
        }
    }

    async fn documents(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let prefix = prefix.to_owned();
        self.readers()?
            .read(move |connection| documents::list(connection, &prefix))
            .await
    }

    async fn document(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let name = name.to_owned();
        self.readers()?
            .read(move |connection| documents::find(connection, &name))
            .await
    }

    async fn remove_document(&self, name: &str) -> Result<bool, StoreError> {
        let name = name.to_owned();
        self.writer()?
            .write(move |state| Ok(documents::remove(&state.connection, &name)?))
            .await
    }

    async fn erase(
        &self,
        conversation: &ConversationId,
        now: Timestamp,
    ) -> Result<Erased, StoreError> {
        let conversation = conversation.clone();
        self.writer()?
            .write(move |state| Ok(state.erase(&conversation, now)?))
            .await
    }

    async fn purge(&self, retention: Retention, now: Timestamp) -> Result<Purged, StoreError> {
        self.purge_in_steps(retention, now).await
    }

    async fn depths(&self) -> Result<Depths, StoreError> {
        self.writer()?.after(|state| Ok(state.depths()?)).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.writer()?
            .write(|state| {
                state
                    .connection
                    .prepare_cached(
                        "INSERT INTO meta (name, value) VALUES ('ping', 1)
                         ON CONFLICT (name) DO UPDATE SET value = value + 1",
                    )?
                    .execute([])?;
                Ok(())
            })
            .await
    }

    async fn close(&self) -> Result<(), StoreError> {
        if let Some(handle) = &self.handle {
            handle.close(false);
        }
        let threads = self.take_threads();
        tokio::task::spawn_blocking(move || join(threads))
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))
    }
}

fn give_conversations_back(state: &mut super::State, claimed: &[ClaimedConversation]) {
    for claim in claimed {
        state.release(&claim.conversation, claim.token, None);
    }
}

fn give_replies_back(state: &mut super::State, claimed: &[outbox::ClaimedReply]) {
    for reply in claimed {
        state.give_reply_back(reply);
    }
}

fn give_deliveries_back(state: &mut super::State, claimed: &(BackendId, Vec<Delivery>)) {
    let tokens: Vec<u64> = claimed.1.iter().map(|delivery| delivery.token.0).collect();
    if !tokens.is_empty() {
        state.give_deliveries_back(&claimed.0, &tokens);
    }
}
