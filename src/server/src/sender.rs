//! One sender a channel: replies leave in order per conversation, at the channel's pace. Over all
//! replicas too: it sends only while this replica owns the channel.

mod attempt;
mod outlook;
mod rest;
#[cfg(test)]
mod tests;

use std::{
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, Instant},
};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use langnghe_connector::Host;
use langnghe_http::Permission;
use langnghe_store::{OutboxReply, SettleResult, Settlement, Store, StoreError};
use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;

use self::{attempt::Attempted, outlook::Refusals, rest::Rest};
use crate::{
    ChannelParts, RetrySchedule, clock,
    crash::{self, Point},
    metrics::ChannelMetrics,
    notices::Fallback,
    ownership::{Guard, Tenure, while_held},
    pause::{Backoff, pause},
};

const CLAIM_WAIT: Duration = Duration::from_secs(10);
/// Longer than any connector's own time-out, so that a reply in flight is not claimed again.
const SEND_LEASE: Duration = Duration::from_secs(90);
/// How long a connector may take to end what it does besides sending, such as to take leave of a line.
const TENDING_ENDS: Duration = Duration::from_secs(5);
/// How long what became of a reply is told to a store that does not answer.
const SETTLE_TIME: Duration = Duration::from_secs(30);

/// The sender of one channel.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) channel: ChannelParts,
    /// What the connector may ask of the program while this replica owns the channel.
    pub(crate) host: Arc<dyn Host>,
    pub(crate) metrics: ChannelMetrics,
    pub(crate) retries: RetrySchedule,
    pub(crate) at_once: usize,
    guard: Arc<Guard>,
    pace: Option<DefaultDirectRateLimiter>,
    rest: Rest,
    refusals: Refusals,
    /// Where notices go whose citizens agreed to it.
    pub(crate) fallback: Option<Fallback>,
}

impl Sender {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        channel: ChannelParts,
        host: Arc<dyn Host>,
        guard: Arc<Guard>,
        metrics: ChannelMetrics,
        retries: RetrySchedule,
        at_once: usize,
    ) -> Self {
        let pace = channel
            .replies_a_second
            .and_then(NonZeroU32::new)
            .map(|a_second| {
                // One at a time, evenly: a burst would pass the provider's bound in some window.
                RateLimiter::direct(Quota::per_second(a_second).allow_burst(NonZeroU32::MIN))
            });
        let rest = Rest::new(channel.id.clone(), store.bus());
        Self {
            store,
            channel,
            host,
            metrics,
            retries,
            at_once,
            guard,
            pace,
            rest,
            refusals: Refusals::default(),
            fallback: None,
        }
    }

    /// Sends while this replica owns the channel, until `stop`; what is on its way by then is
    /// finished.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        tokio::select! {
            () = self.serve(&stop) => {}
            () = self.rest.listen() => {}
        }
    }

    async fn serve(self: &Arc<Self>, stop: &CancellationToken) {
        let mut on_their_way = JoinSet::new();
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        while !stop.is_cancelled() {
            let tenure = tokio::select! {
                tenure = self.guard.held() => tenure,
                () = stop.cancelled() => break,
            };
            let over = stop.child_token();
            let watch = async {
                tokio::select! {
                    () = tenure.over() => over.cancel(),
                    () = over.cancelled() => {}
                }
            };
            let work = async {
                self.work(&tenure, &over, &mut on_their_way, &mut backoff)
                    .await;
                over.cancel();
            };
            // In a task of its own: a connector that does not end must not keep the channel from its next
            // reign, and what it does must not wait for sends.
            let connector = Arc::clone(&self.channel.connector);
            let (host, ended) = (Arc::clone(&self.host), over.clone());
            let mut tending = tokio::spawn(async move { connector.tend(host, ended).await });
            tokio::join!(work, watch);
            if tokio::time::timeout(TENDING_ENDS, &mut tending)
                .await
                .is_err()
            {
                tending.abort();
            }
        }
        while on_their_way.join_next().await.is_some() {}
    }

    /// Sends under one reign, until `over`.
    async fn work(
        self: &Arc<Self>,
        tenure: &Tenure,
        over: &CancellationToken,
        on_their_way: &mut JoinSet<()>,
        backoff: &mut Backoff,
    ) {
        if let Some(pace) = &self.pace {
            // Another replica may have sent a moment ago: the first reply keeps its distance too.
            drop(pace.check());
        }
        let places = Arc::new(Semaphore::new(self.at_once));
        while !over.is_cancelled() {
            pause(self.rest.until().since(clock::now()), over).await;
            let Some(first_place) = self.free_place(&places, over).await else {
                break;
            };
            let free = 1 + places.available_permits();
            let claimed = self.store.claim_outbox(
                &self.channel.id,
                tenure.epoch(),
                free,
                SEND_LEASE,
                clock::now(),
                CLAIM_WAIT,
            );
            let claimed = tokio::select! {
                claimed = claimed => claimed,
                () = over.cancelled() => break,
            };
            drop(first_place);
            match claimed {
                Ok(replies) => {
                    backoff.reset();
                    for reply in replies {
                        if !self.keep_pace(over).await {
                            // The next reign's first claim takes the lease away.
                            break;
                        }
                        let place = Arc::clone(&places).acquire_owned().await;
                        let (sender, tenure) = (Arc::clone(self), tenure.clone());
                        on_their_way.spawn(async move {
                            sender.send(reply, &tenure).await;
                            drop(place);
                        });
                    }
                }
                Err(StoreError::NotOwner) => {
                    tenure.end();
                    break;
                }
                Err(error) => {
                    tracing::warn!(%error, channel = %self.channel.id, "a sender waits for the store");
                    backoff.wait(over).await;
                    if self.store.bus().is_some() {
                        // Perhaps it was claimed, and only the answer was lost on its way: the replies
                        // would wait until their lease is over. Another reign takes it away.
                        tokio::select! {
                            all = places.acquire_many(u32::try_from(self.at_once).unwrap_or(u32::MAX)) => drop(all),
                            () = over.cancelled() => {}
                        }
                        tenure.begin_anew();
                        break;
                    }
                }
            }
            while on_their_way.try_join_next().is_some() {}
        }
    }

    async fn free_place(
        &self,
        places: &Arc<Semaphore>,
        over: &CancellationToken,
    ) -> Option<tokio::sync::OwnedSemaphorePermit> {
        tokio::select! {
            place = Arc::clone(places).acquire_owned() => place.ok(),
            () = over.cancelled() => None,
        }
    }

    /// Waits for the channel's pace; false when the reign ended or a stop came before.
    async fn keep_pace(&self, over: &CancellationToken) -> bool {
        let Some(pace) = &self.pace else {
            return !over.is_cancelled();
        };
        tokio::select! {
            biased;
            () = over.cancelled() => false,
            () = pace.until_ready() => true,
        }
    }

    async fn send(&self, reply: OutboxReply, tenure: &Tenure) {
        // The channel may have begun to rest after this reply was claimed.
        let rests_until = self.rest.until();
        let attempt = async {
            if rests_until > clock::now() {
                return Attempted {
                    result: SettleResult::Retry {
                        at: rests_until,
                        counts: false,
                    },
                    waits_with: None,
                };
            }
            self.attempt(&reply).await
        };
        let Attempted { result, waits_with } = match while_held(tenure, attempt).await {
            Ok(attempted) => attempted,
            Err(lost) => {
                // Nothing is said of it: the next reign's first claim takes the lease away.
                self.metrics.send_failed("not_owner");
                tracing::info!(channel = %self.channel.id, reason = %lost,
                    conversation = reply.conversation.tag(), "a send was dropped");
                return;
            }
        };
        self.settle(&reply, result, tenure).await;
        crash::point(Point::Settled);
        if let Some(outlook) = waits_with {
            self.wake_if_heard(&reply, &outlook).await;
        }
    }

    /// Tells the store what became of a reply, again and again while that may help: a reply that was
    /// sent and is not settled goes out once more.
    async fn settle(&self, reply: &OutboxReply, result: SettleResult, tenure: &Tenure) {
        let settlement = Settlement {
            id: reply.id,
            conversation: reply.conversation.clone(),
            token: reply.token,
            result,
        };
        let began = Instant::now();
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(1));
        loop {
            let settled = self.store.settle(vec![settlement.clone()], clock::now());
            let Err(error) = settled.await else { return };
            if !tenure.holds() || began.elapsed() > SETTLE_TIME {
                tracing::warn!(%error, channel = %self.channel.id,
                    conversation = reply.conversation.tag(), "a reply could not be settled");
                return;
            }
            backoff.wait(&CancellationToken::new()).await;
        }
    }
}
