//! Telephone numbers in E.164, from the ways in which people and providers write them.

/// The prefixes of before 2018-09-15, of numbers with eleven digits, and what they became. The last
/// seven digits stayed.
const OLD_PREFIXES: [(&str, &str); 21] = [
    ("0120", "070"),
    ("0121", "079"),
    ("0122", "077"),
    ("0126", "076"),
    ("0128", "078"),
    ("0123", "083"),
    ("0124", "084"),
    ("0125", "085"),
    ("0127", "081"),
    ("0129", "082"),
    ("0162", "032"),
    ("0163", "033"),
    ("0164", "034"),
    ("0165", "035"),
    ("0166", "036"),
    ("0167", "037"),
    ("0168", "038"),
    ("0169", "039"),
    ("0186", "056"),
    ("0188", "058"),
    ("0199", "059"),
];

/// A Vietnamese number in E.164 (`+84912345678`), from its digits with or without country code:
/// `0912345678`, `84912345678`, `+84912345678`, `0084912345678`, and the old ones of eleven digits.
///
/// Networks get new prefixes and numbers move between networks, so which network a number is of is
/// not looked at.
pub fn vietnamese(digits: &str) -> Option<String> {
    let with_code = digits
        .strip_prefix("+84")
        .or_else(|| digits.strip_prefix("0084"))
        .or_else(|| digits.strip_prefix("84").filter(|rest| rest.len() >= 9));
    let national = match with_code {
        Some(rest) => format!("0{}", rest.strip_prefix('0').unwrap_or(rest)),
        None => digits.to_owned(),
    };
    if !national.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let national = if national.len() == 11 && national.starts_with("01") {
        let (old, new) = OLD_PREFIXES
            .iter()
            .find(|(old, _)| national.starts_with(old))?;
        format!("{new}{}", &national[old.len()..])
    } else {
        national
    };
    let good = match national.as_bytes() {
        // Land lines keep eleven digits.
        [b'0', b'2', ..] => national.len() == 11,
        [b'0', b'3' | b'5' | b'7' | b'8' | b'9', ..] => national.len() == 10,
        _ => false,
    };
    good.then(|| format!("+84{}", &national[1..]))
}

/// The number in E.164 of who sent a message, as a provider wrote it; `None` for what is no number
/// that one could answer to: short codes (`8088`), names (`Viettel`).
pub fn sender(written: &str) -> Option<String> {
    let digits: String = written
        .chars()
        .filter(|one| !matches!(one, ' ' | '-' | '.' | '(' | ')' | '\u{a0}'))
        .collect();
    let number = digits.strip_prefix('+').unwrap_or(&digits);
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if let Some(number) = vietnamese(&digits) {
        return Some(number);
    }
    // A number of another country has at most 15 digits by the standard. Without its plus it could be
    // a hotline (`1900…`) of up to ten; what begins with 84 and is no number of ours is none at all.
    let fewest = if digits.starts_with('+') { 8 } else { 11 };
    let foreign = (fewest..=15).contains(&number.len())
        && !number.starts_with('0')
        && !number.starts_with("84");
    foreign.then(|| format!("+{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senders_in_every_spelling() {
        for (written, number) in [
            ("0912345678", Some("+84912345678")),
            ("84912345678", Some("+84912345678")),
            ("+84912345678", Some("+84912345678")),
            ("+84 91-234 5678", Some("+84912345678")),
            ("0084912345678", Some("+84912345678")),
            ("02923812345", Some("+842923812345")),
            ("+12025550100", Some("+12025550100")),
            ("12025550100", Some("+12025550100")),
            ("1900561234", None),
            // A prefix that was given out after this was written.
            ("0312345678", Some("+84312345678")),
            ("8088", None),
            ("1022", None),
            ("Viettel", None),
            ("UBND_XA", None),
            ("+8491234567", None),
            ("091234567", None),
            ("0412345678", None),
            ("+8491234567a", None),
            ("", None),
            ("+", None),
        ] {
            assert_eq!(sender(written).as_deref(), number, "{written:?}");
        }
    }

    /// The table of the reference, last seven digits kept.
    #[test]
    fn numbers_of_eleven_digits_become_ten() {
        for (old, new) in [
            ("0120", "070"),
            ("0121", "079"),
            ("0122", "077"),
            ("0126", "076"),
            ("0128", "078"),
            ("0123", "083"),
            ("0124", "084"),
            ("0125", "085"),
            ("0127", "081"),
            ("0129", "082"),
            ("0162", "032"),
            ("0169", "039"),
            ("0186", "056"),
            ("0188", "058"),
            ("0199", "059"),
        ] {
            let number = format!("+84{}1234567", &new[1..]);
            assert_eq!(vietnamese(&format!("{old}1234567")), Some(number.clone()));
            assert_eq!(vietnamese(&format!("84{}1234567", &old[1..])), Some(number));
        }
        assert_eq!(vietnamese("01111234567"), None);
    }
}
