//! Time within an operation that waits.

use std::time::Duration;

use langnghe_model::Timestamp;
use tokio::time::Instant;

/// Counts from the moment that the caller named.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    began: Instant,
    from: Timestamp,
    wait: Duration,
}

impl Waiting {
    pub(super) fn new(from: Timestamp, wait: Duration) -> Self {
        Self {
            began: Instant::now(),
            from,
            wait,
        }
    }

    /// What the caller's clock shows by now.
    pub(super) fn now(&self) -> Timestamp {
        self.from + self.began.elapsed()
    }

    /// Whether the time is over.
    pub(super) fn is_over(&self) -> bool {
        self.began.elapsed() >= self.wait
    }

    /// Waits for `sign`, for `next` or for the end of the time, whichever is first.
    pub(super) async fn pause(&self, sign: impl Future<Output = ()>, next: Option<Timestamp>) {
        let rest = self.wait.saturating_sub(self.began.elapsed());
        // One millisecond more, as a moment is rounded down to one.
        let next = next.map(|next| next.since(self.now()) + Duration::from_millis(1));
        let rest = next.map_or(rest, |next| rest.min(next));
        // Either outcome means: look again.
        drop(tokio::time::timeout(rest, sign).await);
    }
}
