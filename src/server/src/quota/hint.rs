//! What a provider's word about our allowance means for the pace: pure.

use std::time::Duration;

use langnghe_connector::Hint;
use langnghe_model::Timestamp;

use super::state::Allowance;

/// From this use on the pace is halved.
const MUCH: u8 = 80;
/// From this use on the channel rests …
const ALL_BUT: u8 = 95;
/// … for so long; then the next answer tells more.
const REST: Duration = Duration::from_mins(1);
/// What is left until a time further off than this is shown only: such an allowance is for one kind
/// of message or one purchase, not for the channel's pace.
const NEAR: Duration = Duration::from_hours(1);
/// The most allowances of one channel that are remembered, by the provider's words.
const MOST_ALLOWANCES: usize = 16;

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Advice {
    Nothing,
    Halve,
    /// No faster than this share of the limits, in percent.
    AtMost(u32),
    /// Send nothing for so long, and why.
    Rest(Duration, String),
}

/// What `hint` advises, where the tightest rule of the channel allows `rate` messages a second.
pub(super) fn advice(hint: &Hint, rate: Option<f64>, now: Timestamp) -> Advice {
    match hint {
        Hint::Used { allowance, percent } if *percent >= ALL_BUT => Advice::Rest(
            REST,
            format!("the provider says {percent} % of its allowance \"{allowance}\" is used"),
        ),
        Hint::Used { percent, .. } if *percent >= MUCH => Advice::Halve,
        Hint::Remaining {
            allowance,
            remaining,
            until: Some(until),
            ..
        } => {
            let time = until.since(now);
            if time.is_zero() || time > NEAR {
                return Advice::Nothing;
            }
            if *remaining == 0 {
                let why =
                    format!("the provider says nothing is left of its allowance \"{allowance}\"");
                return Advice::Rest(time, why);
            }
            let possible = rate.map(|rate| rate * time.as_secs_f64());
            possible.map_or(Advice::Nothing, |possible| share(*remaining, possible))
        }
        Hint::Used { .. } | Hint::Remaining { .. } => Advice::Nothing,
    }
}

/// The share of `possible` messages that are left.
fn share(remaining: u64, possible: f64) -> Advice {
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more")]
    let percent = remaining as f64 / possible * 100.0;
    if percent >= 100.0 {
        return Advice::Nothing;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 100"
    )]
    let percent = percent as u32;
    Advice::AtMost(percent)
}

/// The newest word on each allowance.
#[derive(Debug, Default)]
pub(super) struct Allowances(Vec<Allowance>);

impl Allowances {
    pub(super) fn note(&mut self, hint: Hint, at: Timestamp) {
        let word = Allowance::new(hint, at);
        if let Some(known) = self.0.iter_mut().find(|known| known.name == word.name) {
            *known = word;
        } else if self.0.len() < MOST_ALLOWANCES {
            self.0.push(word);
        }
    }

    pub(super) fn show(&self) -> Vec<Allowance> {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(percent: u8) -> Hint {
        Hint::Used {
            allowance: "app",
            percent,
        }
    }

    fn left(remaining: u64, seconds: u64) -> Hint {
        Hint::Remaining {
            allowance: "day".to_owned(),
            remaining,
            total: None,
            until: Some(Timestamp::default() + Duration::from_secs(seconds)),
        }
    }

    #[test]
    fn much_use_slows_down_and_nearly_all_of_it_stops() {
        let advise = |hint| advice(&hint, Some(10.0), Timestamp::default());
        assert_eq!(advise(used(79)), Advice::Nothing);
        assert_eq!(advise(used(80)), Advice::Halve);
        assert_eq!(advise(used(94)), Advice::Halve);
        assert!(matches!(advise(used(95)), Advice::Rest(REST, why) if why.contains("95 %")));
        assert!(matches!(advise(used(255)), Advice::Rest(..)));
        // 10 a second for a minute would be 600.
        assert_eq!(advise(left(600, 60)), Advice::Nothing);
        assert_eq!(advise(left(150, 60)), Advice::AtMost(25));
        assert!(matches!(advise(left(0, 60)), Advice::Rest(time, _) if time == REST));
        assert_eq!(advise(left(0, 7200)), Advice::Nothing);
        assert_eq!(advise(left(5, 0)), Advice::Nothing);
        assert_eq!(
            advice(&left(1, 60), None, Timestamp::default()),
            Advice::Nothing
        );
    }

    #[test]
    fn the_words_that_are_remembered_are_bounded() {
        let mut allowances = Allowances::default();
        for number in 0..100 {
            let hint = Hint::Remaining {
                allowance: format!("a{number}"),
                remaining: number,
                total: None,
                until: None,
            };
            allowances.note(hint, Timestamp::default());
        }
        allowances.note(used(3), Timestamp::default());
        assert_eq!(allowances.show().len(), MOST_ALLOWANCES);
    }
}
