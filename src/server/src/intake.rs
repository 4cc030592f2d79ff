//! Events on their way in: what is stored, what is only counted, what is cut.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use langnghe_connector::{Acceptance, Unavailable};
use langnghe_model::{Event, EventId, EventKind, Timestamp, event::Receipt};
use langnghe_store::{Accepted, NewEvent, Store, StoreError};

use crate::{
    clock,
    crash::{self, Point},
    flood::{FloodGuard, Verdict},
    metrics::ChannelMetrics,
    trouble::Trouble,
};

/// Takes events in for all channels.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) flood: FloodGuard,
    retry_after: Duration,
    store_away: Trouble,
    inbox_full: Trouble,
}

/// What is to be done with an event before the store sees it.
enum Way {
    Store,
    CountOnly,
    Cut,
}

impl Intake {
    /// What is refused may come again after `retry_after`.
    pub(crate) fn new(store: Arc<dyn Store>, flood: FloodGuard, retry_after: Duration) -> Self {
        Self {
            store,
            flood,
            retry_after,
            store_away: Trouble::default(),
            inbox_full: Trouble::default(),
        }
    }

    /// Takes events in; when it returns, those `Stored` are durable. The answer has one entry for each
    /// event, in order.
    pub(crate) async fn accept(
        &self,
        channel: &ChannelMetrics,
        mut events: Vec<Event>,
    ) -> Result<Vec<Acceptance>, Unavailable> {
        let now = clock::now();
        for event in &mut events {
            self.find_whose(event).await.map_err(|error| {
                channel.rejected("store");
                tracing::warn!(%error, "events refused: the store does not say whose they are");
                self.unavailable()
            })?;
        }
        let mut acceptances = vec![Acceptance::Stored; events.len()];
        let mut to_store = Vec::with_capacity(events.len());
        // The place of each stored event in `acceptances`; a flood notice has none.
        let mut places = Vec::with_capacity(events.len());
        for (place, event) in events.iter().enumerate() {
            channel.received(event.kind.name());
            if let EventKind::AccountNews { name } = &event.kind {
                channel.all().news.count(&event.conversation.channel, name);
            }
            match self.way(event, now) {
                (Way::Store, _) => {
                    to_store.push(encode(event));
                    places.push(Some(place));
                }
                (Way::CountOnly, _) => {}
                (Way::Cut, notice) => {
                    channel.rejected("flood");
                    acceptances[place] = Acceptance::Flooded;
                    if let Some(notice) = notice {
                        to_store.push(encode(&notice));
                        places.push(None);
                    }
                }
            }
        }
        if to_store.is_empty() {
            return Ok(acceptances);
        }
        crash::point(Point::Received);
        let accepted = self.store.accept(to_store, now).await.map_err(|error| {
            channel.rejected("store");
            self.flood.suspend(now);
            if let Some(times) = self.store_away.happened(Instant::now()) {
                tracing::warn!(%error, times, "events refused: the store does not take them");
            }
            self.unavailable()
        })?;
        if let Some(times) = self.store_away.over(Instant::now) {
            tracing::info!(times, "the store takes events again");
        }
        crash::point(Point::Accepted);
        let mut inbox_full = false;
        for (accepted, place) in accepted.into_iter().zip(places) {
            let acceptance = match accepted {
                Accepted::Stored => {
                    channel.accepted.inc();
                    Acceptance::Stored
                }
                Accepted::Duplicate => {
                    channel.duplicates.inc();
                    Acceptance::Duplicate
                }
                Accepted::InboxFull => {
                    channel.rejected("inbox_full");
                    inbox_full |= place.is_some();
                    Acceptance::Flooded
                }
            };
            if let Some(place) = place {
                acceptances[place] = acceptance;
            }
        }
        if inbox_full {
            // Not the citizen's doing: the bound on floods is met first. Turns are behind, so all of
            // it is to come again; what was stored is a duplicate then.
            if let Some(times) = self.inbox_full.happened(Instant::now()) {
                tracing::warn!(
                    times,
                    "events refused: their conversations have too many waiting"
                );
            }
            return Err(self.unavailable());
        }
        if let Some(times) = self.inbox_full.over(Instant::now) {
            tracing::info!(times, "conversations have room for events again");
        }
        Ok(acceptances)
    }

    fn unavailable(&self) -> Unavailable {
        Unavailable {
            retry_after: self.retry_after,
        }
    }

    /// Puts feedback that names no citizen into the conversation of the ticket that it is about, so that it is
    /// erased with everything else of theirs. Where nobody knows any more whose ticket it is, it stays
    /// where it came.
    async fn find_whose(&self, event: &mut Event) -> Result<(), StoreError> {
        if let EventKind::Feedback(feedback) = &event.kind
            && let Some(code) = &feedback.ticket
            && let Some(ticket) = self.store.ticket(code).await?
            && let Some(conversation) = ticket.conversation
        {
            event.conversation = conversation;
        }
        Ok(())
    }

    fn way(&self, event: &Event, now: Timestamp) -> (Way, Option<Event>) {
        match &event.kind {
            // News of our own sends, and of the account, changes no conversation.
            EventKind::AccountNews { .. }
            | EventKind::Receipt(Receipt::Delivered { .. } | Receipt::Read { .. })
            | EventKind::Echo {
                by_staff: false, ..
            } => (Way::CountOnly, None),
            EventKind::Message(_)
            | EventKind::Postback { .. }
            | EventKind::Edit { .. }
            | EventKind::Reaction { .. } => match self.flood.check(&event.conversation, now) {
                Verdict::Within => (Way::Store, None),
                Verdict::CutAndTell => (Way::Cut, Some(notice(event, now))),
                Verdict::Cut => (Way::Cut, None),
            },
            _ => (Way::Store, None),
        }
    }
}

/// The event that makes the engine tell a citizen, once, that they were cut.
fn notice(event: &Event, now: Timestamp) -> Event {
    Event {
        id: EventId::new(format!(
            "flood:{}:{}",
            event.conversation.tag(),
            now.as_milliseconds()
        )),
        conversation: event.conversation.clone(),
        sent_at: now,
        received_at: now,
        kind: EventKind::Flood,
    }
}

fn encode(event: &Event) -> NewEvent {
    NewEvent {
        conversation: event.conversation.clone(),
        dedup: event.dedup_key(),
        body: serde_json::to_vec(event).expect("an event has only string keys"),
    }
}
