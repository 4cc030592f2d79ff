//! When something that failed is tried again.

use std::time::Duration;

use crate::RetrySchedule;

/// The longest that a provider's or backend's own hint is followed.
const LONGEST_HINT: Duration = Duration::from_hours(24);

/// How long to wait before the next attempt, or `None` to give up.
///
/// `failures` is how often it has failed now (at least one), `hint` what the other side asked for,
/// `random` a number from 0 up to 1. The wait is the schedule's, varied by its jitter, and never
/// shorter than the hint (as far as a day).
pub fn next_delay(
    schedule: &RetrySchedule,
    failures: u32,
    hint: Option<Duration>,
    random: f64,
) -> Option<Duration> {
    let index = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
    let wait = *schedule.waits.get(index)?;
    let spread = f64::from(schedule.jitter_percent.min(100)) / 100.0;
    let factor = 1.0 + spread * (2.0 * random.clamp(0.0, 1.0) - 1.0);
    let jittered = wait.mul_f64(factor);
    Some(hint.map_or(jittered, |hint| jittered.max(hint.min(LONGEST_HINT))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_schedule_ends() {
        let schedule = RetrySchedule::deliveries();
        assert_eq!(
            next_delay(&schedule, 1, None, 0.5),
            Some(Duration::from_secs(5))
        );
        assert_eq!(
            next_delay(&schedule, 7, None, 0.5),
            Some(Duration::from_hours(10))
        );
        assert_eq!(next_delay(&schedule, 8, None, 0.5), None);
    }

    proptest! {
        #[test]
        fn the_wait_keeps_its_bounds_and_honours_the_hint(
            failures in 1_u32..12,
            hint in proptest::option::of(0_u64..200_000),
            random in 0.0_f64..1.0,
        ) {
            let schedule = RetrySchedule::deliveries();
            let hint = hint.map(Duration::from_secs);
            let delay = next_delay(&schedule, failures, hint, random);
            prop_assert_eq!(delay.is_some(), failures <= 7);
            if let Some(delay) = delay {
                let wait = schedule.waits[failures as usize - 1];
                let honoured = hint.unwrap_or_default().min(LONGEST_HINT);
                prop_assert!(delay >= wait.mul_f64(0.8).max(honoured));
                prop_assert!(delay <= wait.mul_f64(1.2).max(honoured));
            }
        }
    }
}
