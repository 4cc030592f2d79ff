//! The bound on what one citizen may send.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use governor::{Quota, RateLimiter, clock::DefaultClock, state::keyed::DashMapStateStore};
use langnghe_model::{ConversationId, Timestamp};

use crate::Flood;

/// The most citizens that are remembered as told; beyond, they may be told twice.
const MOST_TOLD: usize = 10_000;

/// How long after a refusal nothing is cut, at the least: providers send again within minutes.
const SUSPENSION: Duration = Duration::from_mins(15);

/// Whether a message is within its citizen's bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is.
    Within,
    /// It is cut, and the citizen is to be told.
    CutAndTell,
    /// It is cut; the citizen knows.
    Cut,
}

/// Counts what each citizen sends. A citizen who floods costs one look-up a message, the others
/// nothing.
#[derive(Debug)]
pub(crate) struct FloodGuard {
    limiter: RateLimiter<ConversationId, DashMapStateStore<ConversationId>, DefaultClock>,
    /// Until when each cut citizen needs no further notice.
    told: Mutex<HashMap<ConversationId, Timestamp>>,
    /// Until when nothing is cut, in milliseconds; see [`Self::suspend`].
    suspended_until: AtomicI64,
    bound: Flood,
}

impl FloodGuard {
    pub(crate) fn new(bound: Flood) -> Self {
        let messages = NonZeroU32::new(bound.messages).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(bound.per / messages.get())
            .unwrap_or_else(|| Quota::per_second(messages))
            .allow_burst(messages);
        Self {
            limiter: RateLimiter::dashmap(quota),
            told: Mutex::default(),
            suspended_until: AtomicI64::new(0),
            bound,
        }
    }

    /// Counts one message.
    pub(crate) fn check(&self, conversation: &ConversationId, now: Timestamp) -> Verdict {
        let suspended_until = self.suspended_until.load(Ordering::Relaxed);
        if self.limiter.check_key(conversation).is_ok() || now.as_milliseconds() < suspended_until {
            return Verdict::Within;
        }
        self.cut(conversation, now)
    }

    /// Cuts nothing for a while: what we refused comes again, and its citizen has not flooded us. The
    /// bound of their inbox still holds.
    pub(crate) fn suspend(&self, now: Timestamp) {
        let until = now + SUSPENSION.max(self.bound.per);
        self.suspended_until
            .store(until.as_milliseconds(), Ordering::Relaxed);
    }

    /// Says whether a citizen whose message is cut is to be told: once in the bound's time.
    pub(crate) fn cut(&self, conversation: &ConversationId, now: Timestamp) -> Verdict {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.get(conversation).is_some_and(|until| now < *until) {
            return Verdict::Cut;
        }
        if told.len() < MOST_TOLD {
            told.insert(conversation.clone(), now + self.bound.per);
        }
        Verdict::CutAndTell
    }

    /// Forgets citizens who have been quiet.
    pub(crate) fn sweep(&self, now: Timestamp) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
        self.told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, until| now < *until);
    }
}

#[cfg(test)]
mod tests {
    use langnghe_model::{ChannelId, CitizenId};

    use super::*;

    #[test]
    fn a_flood_is_cut_and_told_once_and_others_are_free() {
        let guard = FloodGuard::new(Flood {
            messages: 3,
            per: Duration::from_mins(1),
        });
        let page = ChannelId::new("page").expect("a good id");
        let loud = ConversationId::new(page.clone(), CitizenId::new("1"));
        let calm = ConversationId::new(page, CitizenId::new("2"));
        let now = Timestamp::from_seconds(1000);
        let verdicts: Vec<_> = (0..5).map(|_| guard.check(&loud, now)).collect();
        assert_eq!(
            verdicts,
            [
                Verdict::Within,
                Verdict::Within,
                Verdict::Within,
                Verdict::CutAndTell,
                Verdict::Cut
            ]
        );
        assert_eq!(guard.check(&calm, now), Verdict::Within);
        let later = now + Duration::from_secs(61);
        assert_eq!(guard.cut(&loud, later), Verdict::CutAndTell);
        guard.sweep(later + Duration::from_secs(61));
        assert!(guard.told.lock().expect("no panic while held").is_empty());
    }

    #[test]
    fn what_was_refused_and_comes_again_is_no_flood() {
        let guard = FloodGuard::new(Flood {
            messages: 1,
            per: Duration::from_mins(1),
        });
        let page = ChannelId::new("page").expect("a good id");
        let citizen = ConversationId::new(page, CitizenId::new("1"));
        let now = Timestamp::from_seconds(1000);
        assert_eq!(guard.check(&citizen, now), Verdict::Within);
        guard.suspend(now);
        assert_eq!(guard.check(&citizen, now), Verdict::Within);
        assert_eq!(guard.check(&citizen, now + SUSPENSION), Verdict::CutAndTell);
    }
}
