//! One forwarder a backend: tickets are delivered at least once under a stable key, or become dead
//! letters that an operator sees.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use langnghe_desk::{Backend, DeliveryError, Handover, MediaAtDelivery, media_of, ticket};
use langnghe_store::{Delivery, DeliveryResult, DeliverySettlement, Disabled, Store, StoreError};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    RetrySchedule, clock,
    crash::{self, Point},
    media::MediaKeeper,
    metrics::Metrics,
    pause::Backoff,
    retry::next_delay,
};

const CLAIM_WAIT: Duration = Duration::from_secs(10);
/// How long what became of a delivery is told to a store that does not answer.
const SETTLE_TIME: Duration = Duration::from_secs(30);

/// The forwarder of one backend.
#[derive(Debug)]
pub(crate) struct Forwarder {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) media: Arc<MediaKeeper>,
    pub(crate) retries: RetrySchedule,
    pub(crate) at_once: usize,
    /// How long a delivery is ours.
    pub(crate) lease: Duration,
}

impl Forwarder {
    /// Forwards until `stop`; what is on its way by then is finished.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut on_their_way = JoinSet::new();
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        while !stop.is_cancelled() {
            if on_their_way.len() >= self.at_once {
                on_their_way.join_next().await;
                continue;
            }
            let claimed = self.store.claim_deliveries(
                self.backend.id(),
                self.at_once - on_their_way.len(),
                self.lease,
                clock::now(),
                CLAIM_WAIT,
            );
            let claimed = tokio::select! {
                claimed = claimed => claimed,
                () = stop.cancelled() => break,
            };
            match claimed {
                Ok(deliveries) => {
                    backoff.reset();
                    for delivery in deliveries {
                        let forwarder = Arc::clone(&self);
                        on_their_way.spawn(async move { forwarder.deliver(delivery).await });
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, backend = %self.backend.id(),
                        "a forwarder waits for the store");
                    backoff.wait(&stop).await;
                }
            }
            while on_their_way.try_join_next().is_some() {}
        }
        while on_their_way.join_next().await.is_some() {}
    }

    async fn deliver(&self, delivery: Delivery) {
        let media = self.media_of(&delivery).await;
        crash::point(Point::Deliver);
        let delivered = match &media {
            Ok(media) => {
                let now = clock::now();
                let delivery = &delivery;
                let handover = Handover {
                    delivery,
                    media,
                    now,
                };
                self.backend.deliver(handover).await
            }
            Err(error) => Err(DeliveryError::Retry {
                after: None,
                reason: error.to_string(),
            }),
        };
        crash::point(Point::Delivered);
        let now = clock::now();
        let result = match delivered {
            Ok(receipt) => {
                self.metrics.delivered(self.backend.id().as_str());
                DeliveryResult::Delivered {
                    reference: receipt.reference,
                }
            }
            Err(error) => self.after(&error, &delivery, now).await,
        };
        let settlement = DeliverySettlement {
            ticket: delivery.ticket.clone(),
            token: delivery.token,
            at: now,
            result,
        };
        self.settle(settlement).await;
        crash::point(Point::DeliverySettled);
    }

    /// What is known of the ticket's media; nothing of a ticket that cannot be read, which the backend
    /// then says.
    async fn media_of(&self, delivery: &Delivery) -> Result<MediaAtDelivery, StoreError> {
        let Ok(ticket) = ticket::merge(&delivery.body, delivery.personal.as_deref()) else {
            return Ok(MediaAtDelivery::new());
        };
        let media = media_of(&ticket);
        self.media.at_delivery(&media, delivery.created_at).await
    }

    /// Tells the store what became of a delivery, again and again while that may help.
    async fn settle(&self, settlement: DeliverySettlement) {
        let began = Instant::now();
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(1));
        loop {
            let settled = self.store.settle_deliveries(vec![settlement.clone()]);
            let Err(error) = settled.await else { return };
            if began.elapsed() > SETTLE_TIME.min(self.lease) {
                // The lease runs out and the ticket goes out again under the same key.
                tracing::warn!(%error, ticket = %settlement.ticket,
                    "a delivery could not be settled");
                return;
            }
            backoff.wait(&CancellationToken::new()).await;
        }
    }

    async fn after(
        &self,
        error: &DeliveryError,
        delivery: &Delivery,
        now: langnghe_model::Timestamp,
    ) -> DeliveryResult {
        let backend = self.backend.id();
        let (class, hint) = match error {
            DeliveryError::Retry { after, .. } => ("retry", *after),
            DeliveryError::Rejected { .. } => ("rejected", None),
            DeliveryError::Disabled { .. } => ("disabled", None),
        };
        self.metrics.delivery_failed(backend.as_str(), class);
        let reason = error.to_string();
        match error {
            DeliveryError::Rejected { .. } => self.bury(delivery, reason),
            DeliveryError::Disabled { .. } => {
                tracing::error!(%backend, %error,
                    "the backend wants no more tickets: they wait until `langnghe dead enable`");
                let disabled = Disabled {
                    at: now,
                    reason: reason.clone(),
                };
                if let Err(error) = self.store.set_disabled(backend, Some(disabled)).await {
                    tracing::warn!(%error, %backend, "the backend could not be disabled");
                }
                DeliveryResult::Retry { at: now, reason }
            }
            DeliveryError::Retry { .. } => {
                let failures = delivery.attempts + 1;
                match next_delay(&self.retries, failures, hint, rand::random()) {
                    Some(wait) => {
                        tracing::warn!(%backend, ticket = %delivery.ticket, %error, failures,
                            wait_s = wait.as_secs(), "a ticket was not delivered; it is tried again");
                        DeliveryResult::Retry {
                            at: now + wait,
                            reason,
                        }
                    }
                    None => self.bury(delivery, reason),
                }
            }
        }
    }

    fn bury(&self, delivery: &Delivery, reason: String) -> DeliveryResult {
        tracing::error!(backend = %self.backend.id(), ticket = %delivery.ticket, reason,
            attempts = delivery.attempts + 1, "a ticket became a dead letter: see `langnghe dead`");
        DeliveryResult::Bury { reason }
    }
}
