//! The one place that reads the wall clock.

use std::time::{Duration, Instant, SystemTime};

use langnghe_model::Timestamp;

/// Now.
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this is the clock module")]
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::default() + since_epoch.unwrap_or(Duration::ZERO)
}

/// A moment by both clocks: the steady one may stand still while the machine sleeps, the wall clock
/// may be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) steady: Instant,
    pub(crate) wall: Timestamp,
}

impl Moment {
    /// Now.
    pub(crate) fn now() -> Self {
        Self {
            steady: Instant::now(),
            wall: now(),
        }
    }

    /// The moment that lies `time` later.
    pub(crate) fn after(self, time: Duration) -> Self {
        Self {
            steady: self.steady + time,
            wall: self.wall + time,
        }
    }

    /// How long it is from `now` to this moment, by the clock that comes to it first; zero when
    /// either clock has come to it.
    pub(crate) fn rest(self, now: Self) -> Duration {
        let steady = self.steady.saturating_duration_since(now.steady);
        steady.min(self.wall.since(now.wall))
    }
}
