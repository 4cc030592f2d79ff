//! One sender a channel: replies leave in order per conversation, at the channel's pace. Over all
//! replicas too: it sends only while this replica owns the channel.

mod attempt;
mod held;
mod outlook;
#[cfg(test)]
mod tests;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use langnghe_connector::{Host, QuotaScope};
use langnghe_http::Permission;
use langnghe_store::{Lane, OutboxReply, SettleResult, Settlement, Store, StoreError};
use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;

use self::{attempt::Attempted, held::Held, outlook::Refusals};
use crate::{
    ChannelParts, RetrySchedule, Settings, clock,
    crash::{self, Point},
    envelope::Envelope,
    metrics::ChannelMetrics,
    notices::Fallback,
    ownership::{Guard, Tenure, while_held},
    pause::{Backoff, pause},
    quota::{Journal, Keeper, Later, Ticket},
};

const CLAIM_WAIT: Duration = Duration::from_secs(10);
/// Longer than any connector's own time-out, so that a reply in flight is not claimed again.
const SEND_LEASE: Duration = Duration::from_secs(90);
/// How long a connector may take to end what it does besides sending, such as to take leave of a line.
const TENDING_ENDS: Duration = Duration::from_secs(5);
/// How long what became of a reply is told to a store that does not answer.
const SETTLE_TIME: Duration = Duration::from_secs(30);
/// A reply that is claimed and may not go for longer than this is given back to the store meanwhile.
const HOLD: Duration = Duration::from_secs(2);
/// The longest that a claimed reply waits for the channel's own limits; well within its lease.
const HOLD_CHANNEL: Duration = Duration::from_secs(30);
/// How often a wait for a limit looks whether the pace has changed.
const LOOK: Duration = Duration::from_secs(1);
/// So much before a limit lets a reply go it is claimed: the store takes some time to hand it over, and a limit
/// that is reached would lose that time with each of its windows.
const AHEAD: Duration = Duration::from_millis(30);

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
    quotas: Arc<Keeper>,
    journal: Journal,
    counts_parts: bool,
    refusals: Refusals,
    /// Where notices go whose citizens agreed to it.
    pub(crate) fallback: Option<Fallback>,
}

/// What the sender works with during one reign.
struct Reign<'a> {
    tenure: &'a Tenure,
    over: &'a CancellationToken,
    places: Arc<Semaphore>,
    on_their_way: &'a mut JoinSet<()>,
    held: Held,
}

impl Sender {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        channel: ChannelParts,
        host: Arc<dyn Host>,
        guard: Arc<Guard>,
        quotas: Arc<Keeper>,
        metrics: ChannelMetrics,
        settings: &Settings,
    ) -> Self {
        let at_once = channel.connector.sends_at_once();
        let book = Arc::clone(&quotas.book);
        let journal = Journal::new(Arc::clone(&store), channel.id.clone(), book);
        Self {
            store,
            channel,
            host,
            metrics,
            retries: settings.reply_retries.clone(),
            at_once: at_once.unwrap_or(settings.sends_at_once),
            guard,
            journal,
            counts_parts: quotas.book.counts_parts(),
            quotas,
            refusals: Refusals::default(),
            fallback: None,
        }
    }

    /// Sends while this replica owns the channel, until `stop`; what is on its way by then is
    /// finished.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        tokio::select! {
            () = self.serve(&stop) => {}
            () = self.quotas.listen() => {}
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
            tokio::join!(work, watch, self.quotas.tell(&over));
            if tokio::time::timeout(TENDING_ENDS, &mut tending)
                .await
                .is_err()
            {
                tending.abort();
            }
        }
        while on_their_way.join_next().await.is_some() {}
        self.journal.give_back().await;
    }

    /// Sends under one reign, until `over`.
    async fn work(
        self: &Arc<Self>,
        tenure: &Tenure,
        over: &CancellationToken,
        on_their_way: &mut JoinSet<()>,
        backoff: &mut Backoff,
    ) {
        self.quotas.begin_reign(tenure.epoch(), &self.journal);
        while self.journal.is_stale() && !over.is_cancelled() {
            if self.journal.read().await.is_err() {
                backoff.wait(over).await;
            }
        }
        let mut reign = Reign {
            tenure,
            over,
            places: Arc::new(Semaphore::new(self.at_once)),
            on_their_way,
            held: Held::default(),
        };
        while !over.is_cancelled() {
            pause(self.quotas.rest.until().since(clock::now()), over).await;
            let Some(first_place) = self.free_place(&reign.places, over).await else {
                break;
            };
            let free = 1 + reign.places.available_permits();
            drop(first_place);
            // Only what may go at once, or nearly, is claimed: what comes meanwhile may be more urgent.
            let room = match self.quotas.book.room(free, AHEAD) {
                Ok(room) => room,
                Err(mut later) => {
                    if !later.or_an_end {
                        later.wait = later.wait.saturating_sub(AHEAD);
                    }
                    self.wait(&later, over).await;
                    continue;
                }
            };
            match self.dispatch_due(&mut reign).await {
                Some(true) => continue,
                Some(false) => {}
                None => break,
            }
            let Some(claimed) = self.claim(room, &mut reign).await else {
                break;
            };
            match claimed {
                Ok(replies) => {
                    backoff.reset();
                    for reply in replies {
                        if !self.dispatch(reply, &mut reign).await {
                            break;
                        }
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
                        let all = u32::try_from(self.at_once).unwrap_or(u32::MAX);
                        tokio::select! {
                            all = reign.places.acquire_many(all) => drop(all),
                            () = over.cancelled() => {}
                        }
                        tenure.begin_anew();
                        break;
                    }
                }
            }
            while reign.on_their_way.try_join_next().is_some() {}
        }
        for (_, later) in reign.held.drain() {
            self.quotas.book.count_waiting(&later, false);
        }
    }

    /// Claims replies; those that are held leave at their moments meanwhile, however long the store takes.
    /// `None` when the reign ended or a stop came before.
    async fn claim(
        self: &Arc<Self>,
        room: usize,
        reign: &mut Reign<'_>,
    ) -> Option<Result<Vec<OutboxReply>, StoreError>> {
        let (epoch, over) = (reign.tenure.epoch(), reign.over);
        let mut claim = std::pin::pin!(self.store.claim_outbox(
            &self.channel.id,
            epoch,
            room,
            SEND_LEASE,
            clock::now(),
            CLAIM_WAIT,
        ));
        loop {
            let next_held = async {
                match reign.held.next() {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                claimed = &mut claim => return Some(claimed),
                () = next_held => {}
                () = over.cancelled() => return None,
            }
            self.dispatch_due(reign).await?;
        }
    }

    /// Sends the reply whose recipient has waited longest, if it may go; says whether there was one. `None`
    /// when the reign ended or a stop came before: then the next reign's first claim takes the lease away.
    async fn dispatch_due(self: &Arc<Self>, reign: &mut Reign<'_>) -> Option<bool> {
        let Some((reply, later)) = reign.held.due(Instant::now()) else {
            return Some(false);
        };
        self.quotas.book.count_waiting(&later, false);
        self.dispatch(reply, reign).await.then_some(true)
    }

    /// Sends a claimed reply as soon as the channel's limits let it. Where its recipient has to wait,
    /// it waits aside and holds up nobody. False when the reign ended or a stop came before.
    async fn dispatch(self: &Arc<Self>, reply: OutboxReply, reign: &mut Reign<'_>) -> bool {
        let parts = self.parts(&reply);
        let give_up = Instant::now() + HOLD_CHANNEL;
        let later = loop {
            if reign.over.is_cancelled() {
                return false;
            }
            let later = match self.quotas.book.offer(&reply.conversation, parts) {
                Ok(ticket) => {
                    let place = Arc::clone(&reign.places).acquire_owned().await;
                    let (sender, tenure) = (Arc::clone(self), reign.tenure.clone());
                    reign.on_their_way.spawn(async move {
                        sender.send(reply, ticket, &tenure).await;
                        drop(place);
                    });
                    return true;
                }
                Err(later) => later,
            };
            let long = Instant::now() + later.wait > give_up;
            // Only an answer waits here longer than it was claimed ahead: what else waits would go before
            // answers that come meanwhile.
            let may_wait = reply.lane == Lane::Answer || later.wait <= AHEAD;
            if later.scope == QuotaScope::Recipient || long || !may_wait {
                break later;
            }
            self.quotas.book.count_waiting(&later, true);
            self.wait(&later, reign.over).await;
            self.quotas.book.count_waiting(&later, false);
        };
        let refused = if later.wait <= HOLD && reply.lane == Lane::Answer {
            reign.held.hold(reply, later)
        } else {
            Some(reply)
        };
        if let Some(reply) = refused {
            let (sender, tenure) = (Arc::clone(self), reign.tenure.clone());
            let at = clock::now() + later.wait;
            reign.on_their_way.spawn(async move {
                let later = SettleResult::Retry { at, counts: false };
                sender.settle(&reply, later, &tenure).await;
            });
        } else {
            self.quotas.book.count_waiting(&later, true);
        }
        true
    }

    /// Waits for what a limit makes us wait for.
    async fn wait(&self, later: &Later, over: &CancellationToken) {
        let an_end = async {
            if later.or_an_end {
                self.quotas.book.an_end().await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = pause(later.wait.min(LOOK), over) => {}
            () = an_end => {}
        }
    }

    /// How much of the quotas that count parts a reply uses.
    fn parts(&self, reply: &OutboxReply) -> u32 {
        if !self.counts_parts {
            return 1;
        }
        let decoded = Envelope::decode(&reply.body);
        decoded.map_or(1, |envelope| self.channel.connector.parts(&envelope.reply))
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

    async fn send(&self, reply: OutboxReply, ticket: Ticket, tenure: &Tenure) {
        let began = ticket.began;
        // The channel may have begun to rest after this reply was claimed.
        let rests_until = self.quotas.rest.until();
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
            let attempted = self.attempt(&reply, ticket).await;
            self.heed_hints(began).await;
            attempted
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
        if self.journal.is_stale() {
            tenure.begin_anew();
        }
        if let Some(outlook) = waits_with {
            self.wake_if_heard(&reply, &outlook).await;
        }
    }

    /// Follows what the provider told of our allowance beside its answer.
    async fn heed_hints(&self, began: Duration) {
        let hints = self.channel.connector.hints();
        if let Some((rest, why)) = self.quotas.book.told(hints, began, clock::now()) {
            tracing::warn!(channel = %self.channel.id, reason = why, wait_s = rest.as_secs(),
                "the channel rests");
            self.quotas.rest.begin(rest, &why).await;
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
