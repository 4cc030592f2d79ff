//! The replicas under load, as one.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::process;
use crate::{Replica, metrics::Metrics, wait};

/// The longest that a replica may take to stop.
const STOP: Duration = Duration::from_mins(1);

/// Without progress for so long, an empty inbox ends the wait: a replica that lost sight of the store at a
/// commit does not count what was processed by it.
const QUIET: Duration = Duration::from_secs(30);

/// The replicas under load, as one.
#[derive(Debug)]
pub struct Replicas<'a>(pub Vec<Replica<'a>>);

impl Replicas<'_> {
    /// Waits until they have processed `messages` since their start.
    ///
    /// # Panics
    /// When they make no progress for a minute.
    pub async fn processed(&self, messages: usize) {
        let mut last = (0, Instant::now());
        loop {
            let metrics = join_all(self.0.iter().map(Replica::metrics)).await;
            let done = metrics
                .iter()
                .map(|metrics| count(metrics.sum("langnghe_events_processed_total", &[])))
                .sum::<usize>();
            if done >= messages {
                return;
            }
            if done > last.0 {
                last = (done, Instant::now());
            }
            let inbox =
                |metrics: &Metrics| metrics.sum("langnghe_queue_depth", &[("queue", "inbox")]);
            if last.1.elapsed() > QUIET && metrics.iter().all(|metrics| inbox(metrics) < 1.0) {
                return;
            }
            let stuck = last.1.elapsed() > Duration::from_mins(1);
            assert!(!stuck, "only {done} of {messages} messages were processed");
            wait::pause().await;
        }
    }

    /// The processor time that all have taken so far.
    pub fn processor_time(&self) -> Duration {
        let ids = self.0.iter().map(Replica::id);
        ids.filter_map(process::processor_time).sum()
    }

    /// The memory of the one that has most, in bytes: now, and at most so far.
    pub fn memory(&self) -> (u64, u64) {
        let ids = self.0.iter().map(Replica::id);
        ids.filter_map(process::memory)
            .fold((0, 0), |most, one| (most.0.max(one.0), most.1.max(one.1)))
    }

    /// Stops all in order.
    ///
    /// # Panics
    /// When one does not.
    pub async fn stop(mut self) {
        for replica in &mut self.0 {
            replica.terminate(STOP).await;
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a counter is a whole number, not below zero"
)]
fn count(sample: f64) -> usize {
    sample as usize
}
