//! One limit for one who is counted: the channel, or one recipient.
//!
//! `governor` spaces what is sent, so that it goes evenly; the [`Window`] keeps the limit, however
//! unevenly it arrives.

use std::{num::NonZeroU32, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use langnghe_connector::QuotaRule;

use super::window::{Room, Window};

/// So much lateness of a timer or the store is caught up with: at an even pace alone every wait that
/// ends late would cost its time for good.
const CATCH_UP: Duration = Duration::from_millis(50);
/// How long what another replica sent last may take to arrive.
const ARRIVAL: Duration = Duration::from_millis(100);
/// A rule whose presumed use would silence it for longer than this after a change of owner begins
/// afresh.
const LONGEST_PRESUMPTION: Duration = Duration::from_mins(1);

/// A rule at a share of its pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    per: Duration,
    /// From one to the next, spaced evenly.
    interval: Duration,
    /// How many may go at once after a rest, catching up included.
    cells: NonZeroU32,
    /// The most that any window of `per` may hold.
    capacity: u32,
}

impl Terms {
    pub(super) fn new(rule: &QuotaRule, percent: u32) -> Self {
        let limit = rule.limit.max(1);
        let share = |count: u32| {
            let share = u64::from(count) * u64::from(percent) / 100;
            u32::try_from(share).unwrap_or(u32::MAX).max(1)
        };
        let interval = rule.per.max(Duration::from_nanos(1)) / limit;
        let interval = (interval * 100 / percent.max(1)).max(Duration::from_nanos(1));
        let behind = CATCH_UP.as_nanos().div_ceil(interval.as_nanos());
        let behind = u32::try_from(behind).unwrap_or(u32::MAX).min(limit);
        let burst = share(rule.burst);
        // A burst within the limit changes only the spacing. A larger one is what the rule wants.
        let capacity = if rule.burst <= limit {
            share(limit)
        } else {
            share(limit.saturating_add(rule.burst - 1))
        };
        Self {
            per: rule.per,
            interval,
            cells: NonZeroU32::MIN.saturating_add(burst.saturating_add(behind) - 1),
            capacity,
        }
    }

    /// How long a lane takes to be as if nothing had ever been sent, the window apart.
    fn rest(&self) -> Duration {
        self.interval.saturating_mul(self.cells.get())
    }
}

/// Why not now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    /// For so long, at the least.
    pub(super) time: Duration,
    /// A send that ends may make it shorter.
    pub(super) or_an_end: bool,
}

/// How long it may take at the most until one that is under way ends.
const UNDER_WAY: Duration = Duration::from_secs(1);

/// One limit for one who is counted.
#[derive(Debug)]
pub(super) struct Lane<C: Clock> {
    pace: RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<C::Instant>>,
    /// What the pace gave and nobody used yet.
    purse: u32,
    window: Window,
    /// When something was last sent or presumed.
    last: Duration,
}

impl<C: Clock> Lane<C> {
    /// Nothing was ever sent.
    pub(super) fn new(terms: &Terms, clock: C, now: Duration) -> Self {
        let quota = Quota::with_period(terms.interval).expect("no interval is zero");
        Self {
            pace: RateLimiter::direct_with_clock(quota.allow_burst(terms.cells), clock),
            purse: 0,
            window: Window::default(),
            last: now,
        }
    }

    /// Others may have sent as much as the terms allow until `handover`, which is not after `now`.
    pub(super) fn presuming(terms: &Terms, clock: C, handover: Duration, now: Duration) -> Self {
        let mut lane = Self::new(terms, clock, now);
        if terms.rest() > LONGEST_PRESUMPTION {
            return lane;
        }
        let handover = handover + ARRIVAL;
        lane.last = handover;
        // All at once in the end, after all went evenly: no window can hold more of what they sent.
        let at_once = terms.cells.get().min(terms.capacity);
        let before = terms.capacity - at_once;
        for count in (1..=before).rev() {
            let at = handover.saturating_sub(terms.interval.saturating_mul(count));
            lane.window.note(1, at, terms.per);
        }
        lane.window.note(at_once, handover, terms.per);
        let refilled = now.saturating_sub(handover).as_nanos() / terms.interval.as_nanos();
        let refilled = u32::try_from(refilled).unwrap_or(u32::MAX);
        lane.spend_pace(terms.cells.get().saturating_sub(refilled));
        lane
    }

    /// The same lane at another pace, which begins without a burst.
    pub(super) fn change(&mut self, terms: &Terms, clock: C, now: Duration) {
        let fresh = Self::new(terms, clock, now);
        self.pace = fresh.pace;
        self.purse = 0;
        self.spend_pace(terms.cells.get());
    }

    fn spend_pace(&self, cells: u32) {
        if let Some(cells) = NonZeroU32::new(cells) {
            // They are there: it was just made.
            drop(self.pace.check_n(cells));
        }
    }

    /// How many may go now, up to `most`.
    pub(super) fn ready(&mut self, most: u32, terms: &Terms, now: Duration) -> u32 {
        while self.purse < most && self.pace.check().is_ok() {
            self.purse += 1;
        }
        let used = self.window.used(now, terms.per);
        self.purse
            .min(terms.capacity.saturating_sub(used))
            .min(most)
    }

    /// Whether `count` may go now; nothing is spent.
    ///
    /// # Errors
    /// [`Wait`].
    pub(super) fn offer(
        &mut self,
        count: u32,
        terms: &Terms,
        clock: &C,
        now: Duration,
    ) -> Result<(), Wait> {
        while self.purse < count {
            if let Err(refused) = self.pace.check() {
                return Err(Wait {
                    time: refused.wait_time_from(clock.now()),
                    or_an_end: false,
                });
            }
            self.purse += 1;
        }
        match self.window.room(count, terms.capacity, now, terms.per) {
            Room::Now => Ok(()),
            Room::At(at) => Err(Wait {
                time: at.saturating_sub(now),
                or_an_end: false,
            }),
            Room::AfterAnEnd => Err(Wait {
                time: UNDER_WAY,
                or_an_end: true,
            }),
        }
    }

    /// Sends what was offered.
    pub(super) fn begin(&mut self, count: u32, now: Duration) {
        self.purse = self.purse.saturating_sub(count);
        self.window.begin(count);
        self.last = self.last.max(now);
    }

    /// A send has ended.
    pub(super) fn end(&mut self, count: u32, terms: &Terms, now: Duration) {
        self.window.end(count, now, terms.per);
    }

    /// How many count now.
    pub(super) fn used(&mut self, terms: &Terms, now: Duration) -> u32 {
        self.window.used(now, terms.per)
    }

    /// Whether it is as if nothing had ever been sent.
    pub(super) fn rests(&mut self, terms: &Terms, now: Duration) -> bool {
        self.window.is_empty(now, terms.per) && self.last + terms.rest() <= now
    }

    /// When something was last sent.
    pub(super) fn last(&self) -> Duration {
        self.last
    }
}
