//! Days.

use jiff::civil::Date;

use super::Heard;
use crate::{answer::Answer, flow::DateBound, turn::Input, understand::date, words::Word};

/// A day within its bounds.
pub(super) fn hear(
    input: &Input<'_>,
    min: Option<DateBound>,
    max: Option<DateBound>,
    today: Date,
) -> Heard {
    let Some(mut day) = date::parse(&input.folded, today) else {
        return Heard::wrong(Word::RetryDate);
    };
    let bound = |bound: DateBound| match bound {
        DateBound::Today => today,
        DateBound::Day(day) => day,
    };
    let (min, max) = (min.map(bound), max.map(bound));
    // "25/12" said in November of something that lies behind means last year's.
    let year_said = input.folded.bytes().filter(u8::is_ascii_digit).count() > 4;
    if max.is_some_and(|max| day > max)
        && !year_said
        && let Ok(earlier) = Date::new(day.year() - 1, day.month(), day.day())
    {
        day = earlier;
    }
    if let Some(min) = min.filter(|min| day < *min) {
        return Heard::Wrong(Word::RetryDateEarly, vec![("min", date::show(min))]);
    }
    if let Some(max) = max.filter(|max| day > *max) {
        return Heard::Wrong(Word::RetryDateLate, vec![("max", date::show(max))]);
    }
    Heard::Answer(Answer::Date(day.to_string()))
}
