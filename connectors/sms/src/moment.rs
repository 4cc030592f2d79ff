//! Moments as providers write them.

use langnghe_model::Timestamp;

/// Vietnam's distance from UTC in seconds; it keeps no summer time.
const VIETNAM: i64 = 7 * 60 * 60;

/// `2026-11-21T08:00:00.000+07:00`, also without the colon in the offset, or with `Z`.
pub(crate) fn rfc3339(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.split_once(['T', ' '])?;
    let at = rest.find(['Z', '+', '-'])?;
    let (time, zone) = rest.split_at(at);
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let digits: String = date
        .chars()
        .chain(clock.chars())
        .filter(|one| !matches!(one, '-' | ':'))
        .collect();
    let seconds = civil(&digits)?;
    let offset = match zone {
        "Z" => 0,
        _ => {
            let digits: String = zone[1..].chars().filter(|one| *one != ':').collect();
            let number: i64 = digits.parse().ok().filter(|_| digits.len() == 4)?;
            let seconds = (number / 100 * 60 + number % 100) * 60;
            if zone.starts_with('-') {
                -seconds
            } else {
                seconds
            }
        }
    };
    let thousandths = format!("{fraction:0<3}");
    let milliseconds: i64 = thousandths.get(..3)?.parse().ok()?;
    Some(Timestamp::from_milliseconds(
        (seconds - offset) * 1000 + milliseconds,
    ))
}

/// `yyyyMMddHHmmss` by the clock in Vietnam.
pub(crate) fn compact(text: &str) -> Option<Timestamp> {
    Some(Timestamp::from_seconds(civil(text)? - VIETNAM))
}

/// Seconds since 1970 of fourteen digits, as if they were of UTC.
fn civil(digits: &str) -> Option<i64> {
    if digits.len() != 14 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| digits[from..to].parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(8, 10)?, number(10, 12)?, number(12, 14)?);
    if !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    // Days from the era's beginning, years that begin in March (Hinnant).
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read() {
        let seconds = |text: &str| rfc3339(text).map(Timestamp::as_seconds);
        assert_eq!(
            seconds("2026-11-21T08:00:00.000+07:00"),
            Some(1_795_222_800)
        );
        assert_eq!(seconds("2026-11-21T01:00:00.000+0000"), Some(1_795_222_800));
        assert_eq!(seconds("2026-11-21T01:00:00Z"), Some(1_795_222_800));
        assert_eq!(
            rfc3339("2026-11-21T08:00:00.5+07:00").map(Timestamp::as_milliseconds),
            Some(1_795_222_800_500)
        );
        assert_eq!(
            compact("20261121080000"),
            Some(Timestamp::from_seconds(1_795_222_800))
        );
        assert_eq!(
            compact("20240229000000").map(Timestamp::as_seconds),
            Some(1_709_139_600)
        );
        for bad in [
            "",
            "2026-11-21",
            "20261321080000",
            "2026-11-21T08:00:00",
            "2026112108000é",
        ] {
            assert_eq!(rfc3339(bad), None, "{bad}");
            assert_eq!(compact(bad), None, "{bad}");
        }
    }
}
