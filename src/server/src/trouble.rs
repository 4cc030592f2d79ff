//! Trouble that comes with every request while it lasts: the log has a line when it begins, one a minute
//! with how often, and one when it has not come for a while, so that an outage does not fill the disk with itself.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// So often it is told again.
const AGAIN: Duration = Duration::from_mins(1);
/// It is over when it did not come for so long: what only some requests meet begins and ends otherwise
/// with each of them.
const OVER: Duration = Duration::from_secs(10);

/// One kind of trouble.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    /// Whether it lasts: what goes well looks at this only.
    lasts: AtomicBool,
    spell: Mutex<Option<Spell>>,
}

#[derive(Clone, Copy, Debug)]
struct Spell {
    times: u64,
    told: Instant,
    last: Instant,
}

impl Trouble {
    /// It happened. How often it did in this spell, if that is to be told now.
    pub(crate) fn happened(&self, now: Instant) -> Option<u64> {
        let mut spell = self.spell.lock().unwrap_or_else(PoisonError::into_inner);
        self.lasts.store(true, Ordering::Relaxed);
        // Nothing went through since that could have ended it.
        spell.take_if(|spell| now.saturating_duration_since(spell.last) >= AGAIN);
        match &mut *spell {
            None => {
                *spell = Some(Spell {
                    times: 1,
                    told: now,
                    last: now,
                });
                Some(1)
            }
            Some(spell) => {
                spell.times += 1;
                spell.last = now;
                let due = now.saturating_duration_since(spell.told) >= AGAIN;
                due.then(|| {
                    spell.told = now;
                    spell.times
                })
            }
        }
    }

    /// It went well. How often it did not, if there was a spell that is over by this.
    pub(crate) fn over(&self, now: impl FnOnce() -> Instant) -> Option<u64> {
        if !self.lasts.load(Ordering::Relaxed) {
            return None;
        }
        let mut spell = self.spell.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now();
        let ended = spell.take_if(|spell| now.saturating_duration_since(spell.last) >= OVER)?;
        self.lasts.store(false, Ordering::Relaxed);
        Some(ended.times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_at_its_begin_once_a_minute_and_at_its_end() {
        let trouble = Trouble::default();
        let begin = Instant::now();
        assert_eq!(trouble.over(|| begin), None, "nothing was wrong");
        assert_eq!(trouble.happened(begin), Some(1));
        for second in 1..60 {
            let now = begin + Duration::from_secs(second);
            assert_eq!(trouble.happened(now), None, "second {second}");
            assert_eq!(trouble.over(|| now), None, "one that went well, {second}");
        }
        assert_eq!(trouble.happened(begin + AGAIN), Some(61));
        let last = begin + AGAIN + Duration::from_secs(1);
        assert_eq!(trouble.happened(last), None);
        assert_eq!(trouble.over(|| last + OVER), Some(62));
        assert_eq!(trouble.over(|| last + OVER), None);
        assert_eq!(trouble.happened(begin), Some(1), "another spell");
        assert_eq!(trouble.happened(begin + AGAIN), Some(1), "and another");
    }
}
