//! Counts calls as a provider does.

use std::time::{Duration, Instant};

/// How much later than it was sent a call may be counted. A sender spaces its calls evenly at its own
/// end; one that is late by so much on a busy machine (two cores for everything, the stand-in's own
/// threads included) comes together with those behind it, and makes the fullest window fuller by what
/// is sent in this time. Two senders at once, each at its own pace, fill it twice: that is far beyond.
pub const LATENESS: Duration = Duration::from_millis(150);

/// The most calls in any window of one second, wherever it begins, and when that window begins; the
/// calls are in order.
pub fn fullest_second(calls: &[Instant]) -> Option<(usize, Instant)> {
    fullest_window(calls, Duration::from_secs(1))
}

/// The same of windows that are `per` long.
pub fn fullest_window(calls: &[Instant], per: Duration) -> Option<(usize, Instant)> {
    let mut first = 0;
    let mut fullest: Option<(usize, Instant)> = None;
    for (place, call) in calls.iter().enumerate() {
        while call.duration_since(calls[first]) >= per {
            first += 1;
        }
        let count = place + 1 - first;
        if fullest.is_none_or(|(most, _)| count > most) {
            fullest = Some((count, calls[first]));
        }
    }
    fullest
}

/// The most calls that may be counted in one second at a quota of `a_second`: one more where an
/// interval begins and ends within it, and those that [`LATENESS`] adds.
pub fn allowed(a_second: u32) -> usize {
    let late = f64::from(a_second) * LATENESS.as_secs_f64();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small number, not below zero"
    )]
    let late = late.ceil() as usize;
    a_second as usize + 1 + late
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_counted_wherever_they_begin() {
        let begin = Instant::now();
        let at = |milliseconds: u64| begin + Duration::from_millis(milliseconds);
        // Even, ten a second.
        let even: Vec<Instant> = (0..50).map(|call| at(call * 100)).collect();
        assert_eq!(fullest_second(&even), Some((10, begin)));
        // Two halves of two seconds of a clock, full together.
        let halves: Vec<Instant> = (0..10)
            .map(|call| at(600 + call * 40))
            .chain((0..10).map(|call| at(1000 + call * 40)))
            .collect();
        assert_eq!(fullest_second(&halves), Some((20, at(600))));
        assert_eq!(fullest_second(&[]), None);
        assert_eq!(allowed(40), 47);
    }
}
