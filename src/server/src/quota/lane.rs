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
use langnghe_connector::{QuotaRule, QuotaScope};

use super::window::{Room, Window};

/// So much lateness of a timer, the store or a busy machine is caught up with, and at most a quarter of
/// the window: at an even pace alone every wait that ends late would cost its time for good. The window
/// keeps the limit all the same.
const CATCH_UP: Duration = Duration::from_secs(1);
/// How long what another replica sent last may take to arrive.
const ARRIVAL: Duration = Duration::from_millis(100);
/// What an earlier owner may have used of a rule is presumed where that silences nobody for longer than
/// this; of other rules the use is recorded in the store. A dead owner's channel is silent for about as
/// long anyway, until its lease is over.
const LONGEST_PRESUMPTION: Duration = Duration::from_secs(10);
/// Of a recorded rule this part is reserved by one write to the store: what a dead owner wastes at most …
const CHANNEL_BLOCK: u32 = 100;
/// … and of a recipient's, where there is hardly a second write to save.
const RECIPIENT_BLOCK: u32 = 10;
/// Use is recorded in pieces of this part of `per`: what a change of owner costs at most, once.
const PIECES: u32 = 256;

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
    /// How many are reserved at once in the store, where use is recorded there.
    block: u32,
}

/// Whether the use of a rule is recorded in the store.
pub(super) fn is_recorded(rule: &QuotaRule) -> bool {
    Terms::new(rule, 100).rest() > LONGEST_PRESUMPTION
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
        let behind = CATCH_UP.min(rule.per / 4).as_nanos();
        let behind = behind.div_ceil(interval.as_nanos());
        let behind = u32::try_from(behind).unwrap_or(u32::MAX).min(limit);
        let burst = share(rule.burst);
        // A burst within the limit changes only the spacing. A larger one is what the rule wants.
        let capacity = if rule.burst <= limit {
            share(limit)
        } else {
            share(limit.saturating_add(rule.burst - 1))
        };
        let part = match rule.scope {
            QuotaScope::Channel => CHANNEL_BLOCK,
            QuotaScope::Recipient => RECIPIENT_BLOCK,
        };
        Self {
            per: rule.per,
            interval,
            cells: NonZeroU32::MIN.saturating_add(burst.saturating_add(behind) - 1),
            capacity,
            block: (capacity / part).max(1),
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

/// Whether a record is to cover what will be sent next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Covers {
    /// Where somebody waits for it.
    More,
    /// This replica stops.
    NoMore,
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
    /// When the pace would be whole again by what was sent.
    owed: Duration,
    /// Of what is under way, how many are covered by the record.
    reserved: u32,
    /// How many more the record covers.
    credit: u32,
    /// Whether the record may count something as sent when it is read, whenever that is.
    open: bool,
}

/// What was recorded of a lane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// When pieces of what was sent ended, and how many each holds.
    pub(super) ended: Vec<(Duration, u32)>,
    /// When the pace is whole again.
    pub(super) owed: Duration,
    /// How many more may have been sent until the record was read.
    pub(super) ahead: u32,
    /// For how many of these the pace is charged already.
    pub(super) charged: u32,
}

impl<C: Clock> Lane<C> {
    /// Nothing was ever sent.
    pub(super) fn new(terms: &Terms, clock: C, now: Duration) -> Self {
        let quota = Quota::with_period(terms.interval).expect("no interval is zero");
        Self {
            pace: RateLimiter::direct_with_clock(quota.allow_burst(terms.cells), clock),
            purse: 0,
            window: Window::default(),
            owed: now,
            reserved: 0,
            credit: 0,
            open: false,
        }
    }

    /// An earlier owner has sent what was recorded.
    pub(super) fn recorded(terms: &Terms, clock: C, record: &Record, now: Duration) -> Self {
        let mut lane = Self::new(terms, clock, now);
        lane.open = record.ahead > 0;
        for (at, count) in &record.ended {
            lane.window.note(*count, *at, terms.per);
        }
        if record.ahead > 0 {
            lane.window.note(record.ahead, now + ARRIVAL, terms.per);
        }
        let uncharged = record.ahead.saturating_sub(record.charged);
        lane.owed = record.owed.max(now) + terms.interval.saturating_mul(uncharged);
        let cells = lane
            .owed
            .saturating_sub(now)
            .as_nanos()
            .div_ceil(terms.interval.as_nanos());
        let cells = u32::try_from(cells).unwrap_or(u32::MAX);
        lane.spend_pace(cells.min(terms.cells.get()));
        lane
    }

    /// Others may have sent as much as the terms allow until `handover`, which is not after `now`.
    pub(super) fn presuming(terms: &Terms, clock: C, handover: Duration, now: Duration) -> Self {
        let mut lane = Self::new(terms, clock, now);
        let handover = handover + ARRIVAL;
        lane.owed = handover + terms.rest();
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

    /// How many may go within `ahead`, up to `most`; nothing is spent.
    ///
    /// # Errors
    /// [`Wait`] where none may.
    pub(super) fn soon(
        &mut self,
        most: u32,
        terms: &Terms,
        clock: &C,
        now: Duration,
        ahead: Duration,
    ) -> Result<u32, Wait> {
        let mut refilled = 0;
        while self.purse < most {
            if let Err(refused) = self.pace.check() {
                let time = refused.wait_time_from(clock.now());
                if let Some(rest) = ahead.checked_sub(time) {
                    refilled = 1 + rest.as_nanos() / terms.interval.as_nanos();
                } else if self.purse == 0 {
                    return Err(Wait {
                        time,
                        or_an_end: false,
                    });
                }
                break;
            }
            self.purse += 1;
        }
        let refilled = u32::try_from(refilled).unwrap_or(u32::MAX);
        let paced = self.purse.saturating_add(refilled);
        let used = self.window.used_by(now + ahead, terms.per);
        let room = terms.capacity.saturating_sub(used);
        if room > 0 {
            return Ok(room.min(paced).min(most));
        }
        match self.window.room(1, terms.capacity, now, terms.per) {
            Room::Now => Ok(1),
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
    pub(super) fn begin(&mut self, count: u32, terms: &Terms, now: Duration) {
        self.purse = self.purse.saturating_sub(count);
        self.window.begin(count);
        self.owed = self.owed.max(now) + terms.interval.saturating_mul(count);
    }

    /// A send that was asked of the provider has ended, well or not.
    pub(super) fn end(&mut self, count: u32, terms: &Terms, now: Duration) {
        self.reserved = self.reserved.saturating_sub(count);
        self.window.end(count, now, terms.per);
    }

    /// What was begun was never asked of the provider.
    pub(super) fn cancel(&mut self, count: u32) {
        self.window.cancel(count);
    }

    /// Whether the record may count something as sent when it is read, whenever that is.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Whether the record covers so many more.
    pub(super) fn has_credit(&self, count: u32) -> bool {
        self.credit >= count
    }

    /// So many of what is under way are about to be asked of the provider; the record covers them.
    pub(super) fn reserve(&mut self, count: u32) {
        self.credit = self.credit.saturating_sub(count);
        self.reserved += count;
    }

    /// What is to be recorded, and by how much that raises the credit once it is.
    pub(super) fn record(&mut self, covers: Covers, terms: &Terms, now: Duration) -> (Record, u32) {
        self.window.used(now, terms.per);
        let wanted = self.window.in_flight().saturating_sub(self.reserved);
        let credit = match covers {
            Covers::More if wanted > self.credit => self.credit.max(wanted).max(terms.block),
            Covers::More => self.credit,
            Covers::NoMore => {
                self.credit = 0;
                0
            }
        };
        let record = Record {
            ended: self.window.pieces(terms.per / PIECES),
            owed: self.owed,
            ahead: self.reserved + credit,
            charged: self.reserved + wanted.min(credit),
        };
        self.open = record.ahead > 0;
        (record, credit - self.credit)
    }

    /// What was recorded covers so many more.
    pub(super) fn grant(&mut self, more: u32) {
        self.credit += more;
    }

    /// How many count now.
    pub(super) fn used(&mut self, terms: &Terms, now: Duration) -> u32 {
        self.window.used(now, terms.per)
    }

    /// Whether it is as if nothing had ever been sent.
    pub(super) fn rests(&mut self, terms: &Terms, now: Duration) -> bool {
        self.window.is_empty(now, terms.per) && self.owed <= now
    }
}
