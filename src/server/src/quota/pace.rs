//! How far a channel stays below its limits after its provider complained: pure, so that the law can be
//! tested.
//!
//! A throttling answer, or a use of 80 % and more that the provider tells, halves the pace at once,
//! never below 5 %. Without news it rises by 5 points every 10 seconds. What a send brings that began before
//! the last change says nothing of the changed pace and changes nothing.

use std::time::Duration;

/// The slowest pace, in percent.
pub(super) const SLOWEST: u32 = 5;
/// By how much the pace rises …
const STEP: u32 = 5;
/// … in what time.
const EVERY: Duration = Duration::from_secs(10);

/// The pace of one channel as a share of its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// What it was set to, in percent.
    percent: u32,
    /// When.
    since: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            percent: 100,
            since: Duration::ZERO,
        }
    }
}

impl Pace {
    /// The pace that another replica had.
    pub(super) fn taken_over(percent: u32, now: Duration) -> Self {
        Self {
            percent: percent.clamp(SLOWEST, 100),
            since: now,
        }
    }

    /// In percent.
    pub(super) fn percent(&self, now: Duration) -> u32 {
        risen(self.percent, now.saturating_sub(self.since))
    }

    /// A send that began at `began` was throttled.
    pub(super) fn throttled(&mut self, began: Duration, now: Duration) {
        self.slow_down(50, began, now);
    }

    /// A send that began at `began` brought the news that much of our allowance is used.
    pub(super) fn much_used(&mut self, began: Duration, now: Duration) {
        // It is told with each answer, so it needs time to take effect.
        let recent = self.percent < 100 && now.saturating_sub(self.since) < EVERY;
        if !recent {
            self.slow_down(50, began, now);
        }
    }

    /// What is left of an allowance lasts only at this share of the limits.
    pub(super) fn at_most(&mut self, percent: u32, began: Duration, now: Duration) {
        if percent < self.percent(now) && (began >= self.since || self.percent == 100) {
            *self = Self::taken_over(percent, now);
        }
    }

    fn slow_down(&mut self, share: u32, began: Duration, now: Duration) {
        let untouched = self.percent == 100;
        if untouched || began >= self.since {
            *self = Self::taken_over(self.percent(now) * share / 100, now);
        }
    }
}

/// What becomes of a pace after `time` without news.
pub(super) fn risen(percent: u32, time: Duration) -> u32 {
    let steps = u32::try_from(time.as_nanos() / EVERY.as_nanos()).unwrap_or(u32::MAX);
    percent.saturating_add(steps.saturating_mul(STEP)).min(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn throttling_halves_at_once_and_rises_slowly() {
        let mut pace = Pace::default();
        assert_eq!(pace.percent(at(5)), 100);
        pace.throttled(at(5), at(6));
        assert_eq!(pace.percent(at(6)), 50);
        // Others that were under way meanwhile say the same thing once more.
        pace.throttled(at(5), at(7));
        assert_eq!(pace.percent(at(7)), 50);
        assert_eq!(pace.percent(at(15)), 50);
        assert_eq!(pace.percent(at(16)), 55);
        assert_eq!(pace.percent(at(106)), 100);
        assert_eq!(pace.percent(at(9999)), 100);
        pace.throttled(at(17), at(17));
        assert_eq!(pace.percent(at(17)), 27);
        for second in 18..40 {
            pace.throttled(at(second), at(second));
        }
        assert_eq!(pace.percent(at(40)), SLOWEST);
    }

    #[test]
    fn much_use_halves_once_in_ten_seconds() {
        let mut pace = Pace::default();
        for second in 20..30 {
            pace.much_used(at(second), at(second));
        }
        assert_eq!(pace.percent(at(29)), 50);
        pace.much_used(at(30), at(30));
        assert_eq!(pace.percent(at(30)), 27);
    }

    #[test]
    fn what_is_left_is_spread() {
        let mut pace = Pace::default();
        pace.at_most(200, at(1), at(1));
        assert_eq!(pace.percent(at(1)), 100);
        pace.at_most(30, at(1), at(1));
        assert_eq!(pace.percent(at(1)), 30);
        pace.at_most(0, at(2), at(2));
        assert_eq!(pace.percent(at(2)), SLOWEST);
    }
}
