//! How long the account rests after the message centre said that we are too fast.

use std::time::Duration;

use tokio::time::Instant;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// A rest that doubles while refusals go on, and halves when they do not.
#[derive(Debug, Default)]
pub(crate) struct SlowDown {
    rest: Option<Duration>,
    until: Option<Instant>,
}

impl SlowDown {
    /// A message was refused; gives for how long to rest. All that were under way together are refused
    /// together, and count as one.
    pub(crate) fn refused(&mut self, now: Instant) -> Duration {
        match (self.rest, self.until) {
            (Some(_), Some(until)) if now < until => until - now,
            (rest, _) => {
                let rest = rest.map_or(FIRST, |rest| (rest * 2).min(LONGEST));
                self.rest = Some(rest);
                self.until = Some(now + rest);
                rest
            }
        }
    }

    /// A message was taken.
    pub(crate) fn taken(&mut self, now: Instant) {
        let (Some(rest), Some(until)) = (self.rest, self.until) else {
            return;
        };
        // After twice the rest without a refusal.
        if now >= until + rest {
            self.rest = Some(rest / 2).filter(|rest| *rest >= FIRST);
            self.until = self.rest.map(|_| now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_doubles_and_halves() {
        let (mut slow_down, began) = (SlowDown::default(), Instant::now());
        let at = |seconds: u64| began + Duration::from_secs(seconds);
        let seconds = Duration::from_secs;
        assert_eq!(slow_down.refused(at(0)), seconds(1));
        assert_eq!(slow_down.refused(at(0)), seconds(1), "of the same window");
        for (now, rest) in [(1, 2), (3, 4), (7, 8), (15, 16), (31, 30), (61, 30)] {
            assert_eq!(slow_down.refused(at(now)), seconds(rest), "{now}");
        }
        slow_down.taken(at(92));
        assert_eq!(
            slow_down.refused(at(91)),
            seconds(30),
            "too early to be better"
        );
        slow_down.taken(at(200));
        slow_down.taken(at(300));
        assert_eq!(
            slow_down.refused(at(301)),
            seconds(14) + Duration::from_secs(1)
        );
    }
}
