//! One channel's quotas at this replica: what the sender asks, what the API shows, and what the replica
//! that sends tells the others.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use governor::clock::MonotonicClock;
use langnghe_connector::QuotaRule;
use langnghe_model::ChannelId;
use langnghe_store::{Bus, Epoch};
use tokio::{sync::mpsc, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::{Book, ChannelQuotas, Journal, Rest, pace};
use crate::{clock, metrics::ChannelMetrics};

/// How often the replica that sends tells how the quotas stand, where that changed.
const OFTEN: Duration = Duration::from_secs(1);
/// How often it does so though nothing changed, for replicas that have just started: every so manieth time.
const ANYWAY: u32 = 30;
/// The longest that telling the others may take.
const TELLING: Duration = Duration::from_secs(1);

/// One channel's quotas at this replica.
#[derive(Debug)]
pub(crate) struct Keeper {
    channel: ChannelId,
    /// How this replica is called.
    replica: String,
    /// What may be sent.
    pub(crate) book: Arc<Book>,
    /// When nothing may be.
    pub(crate) rest: Rest,
    metrics: ChannelMetrics,
    bus: Option<Arc<dyn Bus>>,
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    /// What the replica that sends told last, this one included.
    state: Option<ChannelQuotas>,
    /// The last reign of this replica.
    epoch: Option<Epoch>,
}

impl Keeper {
    pub(crate) fn new(
        channel: ChannelId,
        replica: String,
        rules: Vec<QuotaRule>,
        metrics: ChannelMetrics,
        bus: Option<Arc<dyn Bus>>,
    ) -> Self {
        Self {
            rest: Rest::new(channel.clone(), bus.clone()),
            channel,
            replica,
            book: Book::new(rules, MonotonicClock),
            metrics,
            bus,
            heard: Mutex::default(),
        }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This replica sends from now on. Where another may have sent since it last did, what that one
    /// could have sent counts, and the journal has to be read.
    pub(crate) fn begin_reign(&self, epoch: Epoch, journal: &Journal) {
        let mut heard = self.heard();
        let before = heard.epoch.replace(epoch);
        let ours = before.is_some_and(|before| before.0.checked_add(1) == Some(epoch.0));
        if ours && !journal.is_stale() {
            return;
        }
        journal.forget();
        let pace = heard.state.as_ref().map(|state| {
            let age = clock::now().as_milliseconds().saturating_sub(state.at_ms);
            let age = Duration::from_millis(u64::try_from(age).unwrap_or(0));
            pace::risen(state.pace_percent, age)
        });
        self.book.take_over(pace);
    }

    /// How the quotas stand; of a channel that another replica sends on, as that one told last.
    pub(crate) fn state(&self, sends_here: bool) -> Option<ChannelQuotas> {
        if sends_here {
            return Some(self.here());
        }
        self.heard().state.clone()
    }

    fn here(&self) -> ChannelQuotas {
        let now = clock::now();
        let (until, why) = self.rest.shown(now).unzip();
        ChannelQuotas {
            channel: self.channel.as_str().to_owned(),
            replica: self.replica.clone(),
            at_ms: now.as_milliseconds(),
            pace_percent: self.book.pace(),
            paused_until_ms: until.map(langnghe_model::Timestamp::as_milliseconds),
            why,
            quotas: self.book.states(),
            allowances: self.book.allowances(),
        }
    }

    /// Shows how the quotas stand to the metrics and to other replicas, until `over`.
    pub(crate) async fn tell(&self, over: &CancellationToken) {
        let mut interval = tokio::time::interval(OFTEN);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told: Option<ChannelQuotas> = None;
        let mut same = 0;
        while over.run_until_cancelled(interval.tick()).await.is_some() {
            let state = self.here();
            self.metrics.observe_quotas(&state);
            let changed = told.as_ref().is_none_or(|told| !told.is_like(&state));
            same = if changed { 0 } else { same + 1 };
            if changed || same % ANYWAY == 0 {
                over.run_until_cancelled(self.publish(&state)).await;
                told = Some(state);
            }
        }
        // What counts from here on is another's.
        self.metrics.forget_quotas(&self.here());
    }

    fn topic(&self) -> String {
        format!("quotas:{}", self.channel)
    }

    async fn publish(&self, state: &ChannelQuotas) {
        let Some(bus) = &self.bus else { return };
        let Ok(message) = serde_json::to_vec(state) else {
            return;
        };
        let topic = self.topic();
        let told = tokio::time::timeout(TELLING, bus.publish(&topic, message));
        if !matches!(told.await, Ok(Ok(()))) {
            tracing::debug!(channel = %self.channel, "other replicas were not told how quotas stand");
        }
    }

    /// Keeps what other replicas tell, for ever.
    pub(crate) async fn listen(&self) {
        let states = async {
            let told = self.bus.as_ref().map(|bus| bus.subscribe(&self.topic()));
            let mut told: mpsc::Receiver<Vec<u8>> = match told {
                Some(told) => told,
                None => return std::future::pending().await,
            };
            while let Some(message) = told.recv().await {
                // One of another version may be written otherwise; the next one of ours is not.
                if let Ok(state) = serde_json::from_slice(&message) {
                    self.heard().state = Some(state);
                }
            }
            std::future::pending::<()>().await;
        };
        tokio::join!(self.rest.listen(), states);
    }
}
