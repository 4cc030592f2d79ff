//! Lengths of time as people write them in files.

use std::time::Duration;

/// Reads `"500ms"`, `"30s"`, `"30m"`, `"24h"` or `"7d"`; `None` for anything else.
pub fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let seconds = match unit.trim() {
        "ms" => return Some(Duration::from_millis(number)),
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    number
        .checked_mul(seconds)
        .filter(|total| u32::try_from(*total).is_ok())
        .map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn lengths_of_time() {
        for (text, seconds) in [
            ("30s", Some(30)),
            ("4000ms", Some(4)),
            ("30 m", Some(1800)),
            ("24h", Some(86_400)),
            ("7d", Some(604_800)),
            ("7", None),
            ("h", None),
            ("", None),
            ("99999999999d", None),
        ] {
            assert_eq!(
                parse(text).map(|duration| duration.as_secs()),
                seconds,
                "{text:?}"
            );
        }
    }
}
