//! Numbers and points.

use super::Heard;
use crate::{answer::Answer, turn::Input, understand::number, words::Word};

/// A number within its bounds.
pub(super) fn hear(input: &Input<'_>, min: Option<f64>, max: Option<f64>, whole: bool) -> Heard {
    let Some(value) = number::value(&input.folded) else {
        return Heard::wrong(Word::RetryNumber);
    };
    if whole && value.fract() != 0.0 {
        return Heard::wrong(Word::RetryNumberWhole);
    }
    let low = min.is_some_and(|min| value < min);
    let high = max.is_some_and(|max| value > max);
    let place =
        |name: &'static str, bound: Option<f64>| bound.map(|bound| (name, bound.to_string()));
    if low || high {
        let word = match (min, max) {
            (Some(_), Some(_)) => Word::RetryNumberRange,
            (Some(_), None) => Word::RetryNumberLow,
            _ => Word::RetryNumberHigh,
        };
        return Heard::Wrong(
            word,
            [place("min", min), place("max", max)]
                .into_iter()
                .flatten()
                .collect(),
        );
    }
    Heard::Answer(Answer::Number(value))
}

/// Points from one to `max`: a number, `4 sao`, `4/5`, or stars.
pub(super) fn rating(input: &Input<'_>, max: u8) -> Heard {
    let wrong = || Heard::Wrong(Word::RetryRating, vec![("max", max.to_string())]);
    let stars = input
        .text
        .chars()
        .filter(|character| matches!(character, '⭐' | '★' | '🌟'))
        .count();
    let value = if stars > 0 {
        u8::try_from(stars).ok()
    } else {
        let folded = input.key();
        let suffix = format!("/{max}");
        let text = folded.strip_suffix(suffix.as_str()).unwrap_or(folded);
        let whole = number::value(text).filter(|value| value.fract() == 0.0);
        whole.and_then(|value| (1..=max).find(|point| (f64::from(*point) - value).abs() < 0.5))
    };
    match value.filter(|value| (1..=max).contains(value)) {
        Some(value) => Heard::Answer(Answer::Number(f64::from(value))),
        None => wrong(),
    }
}
