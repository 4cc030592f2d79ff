//! One sender a channel: replies leave in order per conversation, at the channel's pace.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use langnghe_connector::{Outgoing, SendError, ThrottleScope};
use langnghe_model::{Reply, Timestamp};
use langnghe_store::{Epoch, OutboxReply, SettleResult, Settlement, Store};
use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    ChannelParts, RetrySchedule, clock,
    crash::{self, Point},
    metrics::ChannelMetrics,
    pause::Backoff,
    retry::next_delay,
};

const CLAIM_WAIT: Duration = Duration::from_secs(5);
/// Longer than any connector's own time-out, so that a reply in flight is not claimed again.
const SEND_LEASE: Duration = Duration::from_secs(90);
/// A "typing" that is older than this says nothing.
const TYPING_AGE: Duration = Duration::from_secs(5);
/// A reply that attempts which do not count (throttling, our credentials) held up for so long is
/// given up: the citizen is no longer waiting for it.
const LONGEST_HOLD: Duration = Duration::from_hours(24);
/// How long a channel rests when the provider throttles it without saying for how long.
const THROTTLE_REST: Duration = Duration::from_secs(5);
/// How long a channel rests when the provider refuses our credentials.
const CREDENTIALS_REST: Duration = Duration::from_mins(1);

/// The sender of one channel.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) channel: ChannelParts,
    pub(crate) metrics: ChannelMetrics,
    pub(crate) retries: RetrySchedule,
    pub(crate) at_once: usize,
    pace: Option<DefaultDirectRateLimiter>,
    /// The channel rests until then.
    rest_until: Mutex<Timestamp>,
}

impl Sender {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        channel: ChannelParts,
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
        let rest_until = Mutex::new(Timestamp::default());
        Self {
            store,
            channel,
            metrics,
            retries,
            at_once,
            pace,
            rest_until,
        }
    }

    /// Sends until `stop`; what is on its way by then is finished.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let places = Arc::new(Semaphore::new(self.at_once));
        let mut on_their_way = JoinSet::new();
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        while !stop.is_cancelled() {
            self.rest(&stop).await;
            let Some(first_place) = self.free_place(&places, &stop).await else {
                break;
            };
            let free = 1 + places.available_permits();
            let claimed = self.store.claim_outbox(
                &self.channel.id,
                Epoch(1),
                free,
                SEND_LEASE,
                clock::now(),
                CLAIM_WAIT,
            );
            let claimed = tokio::select! {
                claimed = claimed => claimed,
                () = stop.cancelled() => break,
            };
            drop(first_place);
            match claimed {
                Ok(replies) => {
                    backoff.reset();
                    for reply in replies {
                        let paced = self.keep_pace(&stop).await;
                        let place = Arc::clone(&places).acquire_owned().await;
                        let sender = Arc::clone(&self);
                        on_their_way.spawn(async move {
                            if paced {
                                sender.send(reply).await;
                            } else {
                                sender.give_back(&reply, clock::now()).await;
                            }
                            drop(place);
                        });
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, channel = %self.channel.id, "a sender waits for the store");
                    backoff.wait(&stop).await;
                }
            }
            while on_their_way.try_join_next().is_some() {}
        }
        while on_their_way.join_next().await.is_some() {}
    }

    async fn free_place(
        &self,
        places: &Arc<Semaphore>,
        stop: &CancellationToken,
    ) -> Option<tokio::sync::OwnedSemaphorePermit> {
        tokio::select! {
            place = Arc::clone(places).acquire_owned() => place.ok(),
            () = stop.cancelled() => None,
        }
    }

    /// Waits for the channel's pace; false when a stop came before.
    async fn keep_pace(&self, stop: &CancellationToken) -> bool {
        let Some(pace) = &self.pace else { return true };
        tokio::select! {
            biased;
            () = stop.cancelled() => false,
            () = pace.until_ready() => true,
        }
    }

    async fn rest(&self, stop: &CancellationToken) {
        let until = *self
            .rest_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        crate::pause::pause(until.since(clock::now()), stop).await;
    }

    fn resting_until(&self) -> Option<Timestamp> {
        let until = *self
            .rest_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        (until > clock::now()).then_some(until)
    }

    fn rest_for(&self, time: Duration) {
        let mut until = self
            .rest_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *until = (*until).max(clock::now() + time);
    }

    async fn send(&self, reply: OutboxReply) {
        // The channel may have begun to rest after this reply was claimed.
        if let Some(at) = self.resting_until() {
            return self.give_back(&reply, at).await;
        }
        let result = self.attempt(&reply).await;
        self.settle(&reply, result).await;
        crash::point(Point::Settled);
    }

    /// Gives a claimed reply back unsent, to be due at `at`.
    async fn give_back(&self, reply: &OutboxReply, at: Timestamp) {
        let result = SettleResult::Retry { at, counts: false };
        self.settle(reply, result).await;
    }

    async fn settle(&self, reply: &OutboxReply, result: SettleResult) {
        let settlement = Settlement {
            id: reply.id,
            conversation: reply.conversation.clone(),
            token: reply.token,
            result,
        };
        if let Err(error) = self.store.settle(vec![settlement], clock::now()).await {
            // The lease runs out and the reply goes out again: the one repetition a crash may cost.
            tracing::warn!(%error, channel = %self.channel.id, "a sent reply could not be settled");
        }
    }

    async fn attempt(&self, outgoing: &OutboxReply) -> SettleResult {
        let Ok(reply) = serde_json::from_slice::<Reply>(&outgoing.body) else {
            return SettleResult::Bury {
                reason: "not a reply of a known version".to_owned(),
            };
        };
        let now = clock::now();
        let typing = matches!(reply, Reply::Typing);
        if typing && now.since(outgoing.queued_at) > TYPING_AGE {
            return SettleResult::Drop;
        }
        if outgoing.window_until.is_some_and(|until| until < now) {
            self.metrics.send_failed("window_closed");
            return SettleResult::Park;
        }
        let id = outgoing.id.to_string();
        crash::point(Point::Send);
        let sent = self
            .channel
            .connector
            .send(&Outgoing {
                id: &id,
                citizen: &outgoing.conversation.citizen,
                reply: &reply,
            })
            .await;
        crash::point(Point::Sent);
        match sent {
            Ok(_) => {
                self.metrics.sent.inc();
                SettleResult::Sent
            }
            Err(error) => {
                self.metrics.send_failed(error.class());
                // A "typing" is worth no second attempt, but what it tells of the channel counts.
                let rests = matches!(
                    error,
                    SendError::Throttled { .. } | SendError::Credentials { .. }
                );
                if typing && !rests {
                    return SettleResult::Drop;
                }
                let result = self.after(&error, outgoing, now);
                if typing { SettleResult::Drop } else { result }
            }
        }
    }

    /// What happens to a reply that was not sent.
    fn after(&self, error: &SendError, reply: &OutboxReply, now: Timestamp) -> SettleResult {
        let bury = || {
            tracing::error!(channel = %self.channel.id, conversation = reply.conversation.tag(),
                %error, attempts = reply.attempts + 1, "a reply became a dead letter");
            SettleResult::Bury {
                reason: error.to_string(),
            }
        };
        let held_too_long = now.since(reply.queued_at) > LONGEST_HOLD;
        let later = |wait: Duration| SettleResult::Retry {
            at: now + wait,
            counts: false,
        };
        match error {
            SendError::Throttled { .. } | SendError::Credentials { .. } if held_too_long => bury(),
            SendError::Throttled { after, scope, .. } => {
                let wait = after.unwrap_or(THROTTLE_REST);
                if *scope == ThrottleScope::Channel {
                    tracing::warn!(channel = %self.channel.id, %error, wait_s = wait.as_secs(),
                        "the provider throttles the channel");
                    self.rest_for(wait);
                }
                later(wait)
            }
            SendError::Credentials { .. } => {
                tracing::error!(channel = %self.channel.id, %error,
                    "the provider refuses our credentials; check the channel's configuration");
                self.rest_for(CREDENTIALS_REST);
                later(CREDENTIALS_REST)
            }
            SendError::Away | SendError::WindowClosed { .. } => SettleResult::Park,
            SendError::RecipientGone { .. } | SendError::Rejected { .. } => bury(),
            SendError::Transport { .. } => {
                let failures = reply.attempts + 1;
                match next_delay(&self.retries, failures, None, rand::random()) {
                    Some(wait) => SettleResult::Retry {
                        at: now + wait,
                        counts: true,
                    },
                    None => bury(),
                }
            }
        }
    }
}
