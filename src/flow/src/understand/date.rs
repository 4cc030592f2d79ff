//! Days as people write them, in Vietnam's time (UTC+7 all year).

use jiff::{Timestamp, ToSpan, civil::Date, tz};
use langnghe_model::Timestamp as Moment;

use super::trim;

/// The day that it is in Vietnam.
pub(crate) fn today(now: Moment) -> Date {
    Timestamp::from_millisecond(now.as_milliseconds())
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_zoned(tz::TimeZone::fixed(tz::offset(7)))
        .date()
}

const WORDS: [(&str, i32); 17] = [
    ("hom nay", 0),
    ("bua nay", 0),
    ("sang nay", 0),
    ("chieu nay", 0),
    ("toi nay", 0),
    ("today", 0),
    ("hom qua", -1),
    ("toi qua", -1),
    ("dem qua", -1),
    ("yesterday", -1),
    ("hom kia", -2),
    ("ngay mai", 1),
    ("mai", 1),
    ("tomorrow", 1),
    ("ngay kia", 2),
    ("ngay mot", 2),
    ("vua xong", 0),
];

/// The day that a folded message names: `hom qua`, `21/11`, `21-11-2026`, `2026-11-21`,
/// `ngay 21 thang 11`, `3 ngay truoc`. Without a year the nearest such day is meant.
pub(crate) fn parse(folded: &str, today: Date) -> Option<Date> {
    let text = trim(folded);
    let word = WORDS.iter().find(|(word, _)| *word == text).or_else(|| {
        WORDS
            .iter()
            .filter(|(word, _)| word.len() > 5)
            .find(|(word, _)| super::has_words(text, word))
    });
    if let Some((_, days)) = word {
        return today.checked_add(days.days()).ok();
    }
    let numbers = numbers(text)?;
    if let ([days], true) = (
        numbers.as_slice(),
        text.contains("ngay truoc") || text.contains("days ago"),
    ) {
        return today.checked_sub(i32::try_from(*days).ok()?.days()).ok();
    }
    match numbers.as_slice() {
        [year, month, day] if *year > 31 => date(*year, *month, *day),
        [day, month, year] => {
            let year = if *year < 100 { 2000 + year } else { *year };
            date(year, *month, *day)
        }
        [day, month] => {
            let this_year = i64::from(today.year());
            (this_year - 1..=this_year + 1)
                .filter_map(|year| date(year, *month, *day))
                .min_by_key(|date| {
                    date.since(today)
                        .map_or(i64::MAX, |span| i64::from(span.get_days()).abs())
                })
        }
        _ => None,
    }
}

fn date(year: i64, month: i64, day: i64) -> Option<Date> {
    Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
    )
    .ok()
    .filter(|date| (1900..=2200).contains(&date.year()))
}

/// Up to three numbers of a text that holds nothing but a date.
fn numbers(text: &str) -> Option<Vec<i64>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(|character: char| character.is_ascii_digit()) {
        let digits = &rest[start..];
        let end = digits
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(digits.len());
        if end > 4 || found.len() == 3 {
            return None;
        }
        found.push(digits[..end].parse().ok()?);
        rest = &digits[end..];
    }
    let letters = text
        .chars()
        .filter(|character| character.is_alphabetic())
        .count();
    (!found.is_empty() && letters <= 24).then_some(found)
}

/// A day as people read it: `21/11/2026`.
pub(crate) fn show(date: Date) -> String {
    format!("{:02}/{:02}/{}", date.day(), date.month(), date.year())
}

#[cfg(test)]
mod tests {
    use langnghe_model::fold::fold;

    use super::*;

    #[test]
    fn days() {
        let today = Date::constant(2026, 11, 21);
        for (text, expected) in [
            ("hôm nay", Some((2026, 11, 21))),
            ("dạ hôm qua ạ", Some((2026, 11, 20))),
            ("21/11", Some((2026, 11, 21))),
            ("21-11-2026", Some((2026, 11, 21))),
            ("21.11.26", Some((2026, 11, 21))),
            ("2026-11-20", Some((2026, 11, 20))),
            ("5/1", Some((2027, 1, 5))),
            ("ngày 3 tháng 9", Some((2026, 9, 3))),
            ("3 ngày trước", Some((2026, 11, 18))),
            ("today", Some((2026, 11, 21))),
            ("31/2", None),
            ("không nhớ", None),
            ("0912345678", None),
        ] {
            let expected = expected.map(|(year, month, day)| Date::constant(year, month, day));
            assert_eq!(parse(&fold(text), today), expected, "{text:?}");
        }
    }

    #[test]
    fn a_day_begins_in_vietnam() {
        // 2026-11-20 17:30 UTC is 00:30 of the 21st.
        assert_eq!(
            today(Moment::from_seconds(1_795_195_800)),
            Date::constant(2026, 11, 21)
        );
    }
}
