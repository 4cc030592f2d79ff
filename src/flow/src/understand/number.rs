//! Numbers as people write them: list positions, decimals with a comma, units, words.

use super::{lexicon::strip_politeness, trim};

const UNITS: [(&str, u32); 22] = [
    ("khong", 0),
    ("mot", 1),
    ("hai", 2),
    ("ba", 3),
    ("bon", 4),
    ("tu", 4),
    ("nam", 5),
    ("lam", 5),
    ("sau", 6),
    ("bay", 7),
    ("tam", 8),
    ("chin", 9),
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
];

/// The position in a printed list that a folded message names, from one: `1`, `1.`, `(1)`, `so 1`,
/// `cau 1`, `mot`, `nhat`.
pub(crate) fn position(folded: &str) -> Option<usize> {
    let text = strip_politeness(folded);
    let text = trim(text);
    let mut rest = text;
    for word in [
        "chon", "chon so", "so", "cau", "muc", "thu", "lua chon", "number", "option", "no",
    ] {
        if let Some(after) = text
            .strip_prefix(word)
            .and_then(|after| after.strip_prefix([' ', '.']))
        {
            rest = trim(after);
        }
    }
    if rest.len() <= 3 && !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return rest.parse().ok();
    }
    if rest == "nhat" || rest == "first" || rest == "dau tien" {
        return Some(1);
    }
    UNITS
        .iter()
        .find(|(word, value)| *word == rest && *value > 0)
        .and_then(|(_, value)| usize::try_from(*value).ok())
}

/// The positions of `1,3`, `1 va 3`, `1 3`, from one; `None` when anything else is in it.
pub(crate) fn positions(folded: &str) -> Option<Vec<usize>> {
    let mut found = Vec::new();
    let text = strip_politeness(folded);
    let parts = text.split([',', ';', '+', '&', '/', ' ', '.']);
    for part in parts.map(trim).filter(|part| !part.is_empty()) {
        if ["va", "and", "voi", "so", "cau", "muc", "chon"].contains(&part) {
            continue;
        }
        let number = position(part)?;
        if !found.contains(&number) {
            found.push(number);
        }
    }
    (!found.is_empty()).then_some(found)
}

/// The one number in a folded message: `20`, `20cm`, `1,5`, `1.500`, `khoang 20 cm`, `hai muoi`,
/// `20k`. `None` when there is none or more than one.
pub(crate) fn value(folded: &str) -> Option<f64> {
    let mut found = None;
    let mut rest = folded;
    while let Some(start) = rest.find(|character: char| character.is_ascii_digit()) {
        let negative = rest[..start].ends_with('-')
            && !rest[..start - 1].ends_with(|character: char| character.is_alphanumeric());
        let digits = &rest[start..];
        let end = digits
            .find(|character: char| {
                !character.is_ascii_digit() && character != '.' && character != ','
            })
            .unwrap_or(digits.len());
        let written = digits[..end].trim_end_matches(['.', ',']);
        let after = &digits[written.len()..];
        let factor = multiplier(after);
        let number = decimal(written)? * factor;
        if found
            .replace(if negative { -number } else { number })
            .is_some()
        {
            return None;
        }
        rest = &digits[end..];
    }
    found
        .or_else(|| spelled(strip_politeness(folded)))
        .filter(|value| value.is_finite())
}

/// What "k", "nghìn", "triệu" right after a number make of it.
fn multiplier(after: &str) -> f64 {
    let word: String = after
        .trim_start()
        .chars()
        .take_while(|character| character.is_alphabetic())
        .collect();
    match word.as_str() {
        "k" | "nghin" | "ngan" => 1e3,
        "tr" | "trieu" => 1e6,
        "ty" => 1e9,
        _ => 1.0,
    }
}

/// A number in Vietnamese or English punctuation: `1,5`, `1.5`, `1.500`, `1.500,5`, `1,500.5`.
fn decimal(written: &str) -> Option<f64> {
    if written.len() > 24 {
        return None;
    }
    let dots = written.matches('.').count();
    let commas = written.matches(',').count();
    let groups_of_three = |mark: char| {
        let mut parts = written.split(mark);
        let first = parts.next().unwrap_or_default();
        !first.is_empty() && first.len() <= 3 && first != "0" && parts.all(|part| part.len() == 3)
    };
    let plain = match (dots, commas) {
        (0, 0) => written.to_owned(),
        (0, 1) if !groups_of_three(',') || written.len() <= 5 => written.replace(',', "."),
        (0, _) if groups_of_three(',') => written.replace(',', ""),
        (1, 0) if !groups_of_three('.') => written.to_owned(),
        (_, 0) if groups_of_three('.') => written.replace('.', ""),
        (_, 1) if written.rfind('.') < written.rfind(',') => {
            written.replace('.', "").replace(',', ".")
        }
        (1, _) => written.replace(',', ""),
        _ => return None,
    };
    plain.parse().ok()
}

/// A number in words, up to the hundreds: `hai muoi lam`, `muoi`, `mot tram`.
fn spelled(text: &str) -> Option<f64> {
    let mut total: u32 = 0;
    let mut last: Option<u32> = None;
    let mut any = false;
    for word in text.split(' ').map(trim).filter(|word| !word.is_empty()) {
        if let Some((_, unit)) = UNITS.iter().find(|(name, _)| *name == word) {
            if last.is_some() {
                return None;
            }
            last = Some(*unit);
        } else if word == "muoi" {
            total = total.checked_add(last.take().unwrap_or(1).checked_mul(10)?)?;
        } else if word == "tram" {
            total = total.checked_add(last.take()?.checked_mul(100)?)?;
        } else if ["linh", "le", "khoang", "tam", "chung"].contains(&word) {
            continue;
        } else if any {
            // A unit after the number: "hai mươi phân".
            break;
        } else {
            return None;
        }
        any = true;
    }
    any.then(|| f64::from(total + last.unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use langnghe_model::fold::fold;

    use super::*;

    #[test]
    fn positions_in_a_list() {
        for (text, expected) in [
            ("1", Some(1)),
            ("1.", Some(1)),
            ("(1)", Some(1)),
            ("số 1", Some(1)),
            ("câu 2", Some(2)),
            ("một", Some(1)),
            ("1️⃣", Some(1)),
            ("nhất", Some(1)),
            ("dạ 3 ạ", Some(3)),
            ("chọn số 12", Some(12)),
            ("0", Some(0)),
            ("1234", None),
            ("ổ gà", None),
            ("", None),
            ("１", Some(1)),
        ] {
            assert_eq!(position(&fold(text)), expected, "{text:?}");
        }
        assert_eq!(positions("1,3"), Some(vec![1, 3]));
        assert_eq!(positions("1 va 3"), Some(vec![1, 3]));
        assert_eq!(positions("so 1, 2 va 2"), Some(vec![1, 2]));
        assert_eq!(positions("1 va rac"), None);
    }

    #[test]
    fn values() {
        for (text, expected) in [
            ("20", Some(20.0)),
            ("20cm", Some(20.0)),
            ("khoảng 20 cm", Some(20.0)),
            ("1,5", Some(1.5)),
            ("1.5", Some(1.5)),
            ("1.500", Some(1500.0)),
            ("1.500,5", Some(1500.5)),
            ("-3", Some(-3.0)),
            ("20k", Some(20000.0)),
            ("hai mươi", Some(20.0)),
            ("hai mươi lăm phân", Some(25.0)),
            ("mười", Some(10.0)),
            ("một trăm", Some(100.0)),
            ("0,25 m", Some(0.25)),
            ("từ 10 đến 20", None),
            ("nhiều lắm", None),
            ("", None),
            ("1,500.5", Some(1500.5)),
        ] {
            assert_eq!(value(&fold(text)), expected, "{text:?}");
        }
    }
}
