//! Waiting between attempts, cut short by a stop.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Waits that double from a first to a longest, with jitter.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            next: first,
        }
    }

    /// All is well again: the next wait is the first one.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }

    /// Waits, or returns at once when `stop` is cancelled.
    pub(crate) async fn wait(&mut self, stop: &CancellationToken) {
        let jittered = self.next.mul_f64(rand::random_range(0.5..1.0));
        self.next = (self.next * 2).min(self.longest);
        pause(jittered, stop).await;
    }
}

/// Waits for `time`, or returns at once when `stop` is cancelled.
pub(crate) async fn pause(time: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = stop.cancelled() => {}
    }
}
