//! How fast a bot may speak: 30 messages a second, one a second in a chat, of which short bursts pass.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

const SECOND: Duration = Duration::from_secs(1);
/// Over all chats in any second.
const BULK: usize = 30;
/// How many pass in a chat after a rest.
const BURST: f64 = 5.0;
/// How early after a `retry_after` a call may come: the caller's clock began before our answer.
const EARLY: Duration = Duration::from_millis(300);

/// What was sent lately.
#[derive(Debug, Default)]
pub(super) struct Limits {
    all: VecDeque<Instant>,
    chats: HashMap<i64, Bucket>,
    pub(super) throttled: usize,
}

#[derive(Debug)]
struct Bucket {
    left: f64,
    at: Instant,
    closed_until: Option<Instant>,
}

/// What becomes of a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Passes,
    /// Wait so many seconds; true when the caller was told before and did not.
    Wait(u64, bool),
}

impl Limits {
    pub(super) fn check(&mut self, chat: i64) -> Verdict {
        let now = Instant::now();
        while self.all.front().is_some_and(|at| now - *at >= SECOND) {
            self.all.pop_front();
        }
        let bucket = self.chats.entry(chat).or_insert(Bucket {
            left: BURST,
            at: now,
            closed_until: None,
        });
        bucket.left = (bucket.left + (now - bucket.at).as_secs_f64()).min(BURST);
        bucket.at = now;
        let ignored = bucket.closed_until.is_some_and(|until| now + EARLY < until);
        if ignored || bucket.left < 1.0 - EARLY.as_secs_f64() || self.all.len() >= BULK {
            bucket.closed_until = Some(now + SECOND);
            self.throttled += 1;
            return Verdict::Wait(1, ignored);
        }
        bucket.closed_until = None;
        bucket.left -= 1.0;
        self.all.push_back(now);
        Verdict::Passes
    }
}
