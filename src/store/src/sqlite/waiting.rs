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

    /// What the caller's clock shows by now. Who does not wait asks about the moment that was named,
    /// however long the answer takes.
    pub(super) fn now(&self) -> Timestamp {
        if self.wait.is_zero() {
            return self.from;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_wait_asks_about_the_moment_that_was_named() {
        let named = Timestamp::from_seconds(2_500_000_000);
        let late = Duration::from_secs(3);
        let began = Instant::now().checked_sub(late).expect("a clock that runs");
        let asked = |wait| Waiting {
            began,
            from: named,
            wait,
        };
        assert_eq!(asked(Duration::ZERO).now(), named);
        assert!(asked(Duration::from_secs(10)).now() >= named + late);
    }
}
