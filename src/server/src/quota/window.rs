//! What was sent lately, counted so that the provider can never have counted more.
//!
//! When the provider counts a message is not known: at some moment between our asking and its answer.
//! So a message counts from the moment we begin to send it until `per` after its answer. While that
//! count stays within the capacity, no window of the length `per` on the provider's clock can hold
//! more, however late anything arrives: take the message of a full window that began last; every other one of
//! that window began before it, and was either still unanswered then or answered less than `per` ago.

use std::{collections::VecDeque, time::Duration};

/// Of a window that holds more than so many, those that ended close together are kept as one.
const EXACT: usize = 64;
/// How close together, as a part of `per`: what it costs of the pace, at most.
const CLOSE: u32 = 2048;

/// What was sent within the last `per`.
#[derive(Debug, Default)]
pub(super) struct Window {
    ended: VecDeque<Ended>,
    /// All that is in `ended`.
    counted: u32,
    in_flight: u32,
}

/// Some that ended together.
#[derive(Clone, Copy, Debug)]
struct Ended {
    first: Duration,
    last: Duration,
    count: u32,
}

/// When there is room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// Now.
    Now,
    /// At this time, at the earliest.
    At(Duration),
    /// When one that is under way ends, at the earliest.
    AfterAnEnd,
}

impl Window {
    /// How many count now.
    pub(super) fn used(&mut self, now: Duration, per: Duration) -> u32 {
        while let Some(oldest) = self.ended.front().filter(|oldest| oldest.last + per <= now) {
            self.counted -= oldest.count;
            self.ended.pop_front();
        }
        self.counted + self.in_flight
    }

    /// How many will count at `by`, if nothing else begins or ends.
    pub(super) fn used_by(&self, by: Duration, per: Duration) -> u32 {
        let over = self.ended.iter().take_while(|ended| ended.last + per <= by);
        let over: u32 = over.map(|ended| ended.count).sum();
        self.counted - over + self.in_flight
    }

    /// Whether nothing counts.
    pub(super) fn is_empty(&mut self, now: Duration, per: Duration) -> bool {
        self.used(now, per) == 0
    }

    /// When `wanted` more fit under `capacity`. Where they never would, they go alone.
    pub(super) fn room(
        &mut self,
        wanted: u32,
        capacity: u32,
        now: Duration,
        per: Duration,
    ) -> Room {
        let used = self.used(now, per);
        let limit = capacity.saturating_sub(wanted);
        if used <= limit {
            return Room::Now;
        }
        let mut left = used;
        for ended in &self.ended {
            left -= ended.count;
            if left <= limit {
                return Room::At(ended.last + per);
            }
        }
        Room::AfterAnEnd
    }

    /// Begins to send so many.
    pub(super) fn begin(&mut self, count: u32) {
        self.in_flight += count;
    }

    /// So many that were begun have ended, well or not.
    pub(super) fn end(&mut self, count: u32, now: Duration, per: Duration) {
        self.in_flight = self.in_flight.saturating_sub(count);
        self.note(count, now, per);
    }

    /// So many that were begun were never asked of the provider.
    pub(super) fn cancel(&mut self, count: u32) {
        self.in_flight = self.in_flight.saturating_sub(count);
    }

    /// How many are under way.
    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// What has ended, in pieces no longer than `piece`: when each piece's last one did, and how many.
    pub(super) fn pieces(&self, piece: Duration) -> Vec<(Duration, u32)> {
        let mut pieces: Vec<(Duration, Duration, u32)> = Vec::new();
        for ended in &self.ended {
            match pieces.last_mut() {
                Some((first, last, count)) if ended.last.saturating_sub(*first) <= piece => {
                    *last = ended.last.max(*last);
                    *count += ended.count;
                }
                _ => pieces.push((ended.first, ended.last, ended.count)),
            }
        }
        let end = |(_, last, count)| (last, count);
        pieces.into_iter().map(end).collect()
    }

    /// So many count as ended at a time that is not before those noted already.
    pub(super) fn note(&mut self, count: u32, at: Duration, per: Duration) {
        self.counted += count;
        if self.ended.len() >= EXACT
            && let Some(newest) = self.ended.back_mut()
            && at.saturating_sub(newest.first) <= per / CLOSE
        {
            newest.last = newest.last.max(at);
            newest.count += count;
            return;
        }
        self.ended.push_back(Ended {
            first: at,
            last: at,
            count,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_message_counts_from_its_begin_until_a_window_after_its_end() {
        let mut window = Window::default();
        window.begin(1);
        assert_eq!(window.room(1, 1, at(5000), SECOND), Room::AfterAnEnd);
        window.end(1, at(7000), SECOND);
        assert_eq!(window.room(1, 1, at(7999), SECOND), Room::At(at(8000)));
        assert_eq!(window.room(1, 1, at(8000), SECOND), Room::Now);
        assert!(window.is_empty(at(8000), SECOND));
    }

    #[test]
    fn what_is_larger_than_the_limit_goes_alone() {
        let mut window = Window::default();
        assert_eq!(window.room(5, 2, at(0), SECOND), Room::Now);
        window.begin(5);
        window.end(5, at(10), SECOND);
        assert_eq!(window.room(5, 2, at(10), SECOND), Room::At(at(1010)));
        assert_eq!(window.room(1, 2, at(10), SECOND), Room::At(at(1010)));
    }

    #[test]
    fn a_large_window_takes_little_memory_and_errs_to_the_safe_side() {
        let mut window = Window::default();
        let minute = Duration::from_mins(1);
        for milliseconds in 0..60_000 {
            window.begin(1);
            window.end(1, at(milliseconds), minute);
        }
        assert!(window.ended.len() <= EXACT + CLOSE as usize);
        assert_eq!(window.used(at(59_999), minute), 60_000);
        let gone = 60_000 - window.used(at(90_000), minute);
        assert!((29_900..=30_001).contains(&gone), "{gone}");
        assert!(window.is_empty(at(120_000), minute));
    }
}
