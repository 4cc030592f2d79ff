//! Vietnamese telephone numbers, from every way of writing them to E.164.

/// The prefixes of 2018: old ones of eleven digits and what they became.
const OLD_PREFIXES: [(&str, &str); 19] = [
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
];
const OLD_PREFIXES_REST: [(&str, &str); 2] = [("0188", "058"), ("0199", "059")];

/// The number in E.164 (`+84912345678`), found in a text that holds just one.
pub(crate) fn parse(text: &str) -> Option<String> {
    let mut found = None;
    for candidate in candidates(text) {
        if let Some(number) = normal(&candidate) {
            if found.as_ref().is_some_and(|other| *other != number) {
                return None;
            }
            found = Some(number);
        }
    }
    found
}

/// Runs of digits with what people put between them.
fn candidates(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut current = String::new();
    for character in text.chars().chain(std::iter::once('\n')) {
        match character {
            '0'..='9' => current.push(character),
            '+' if current.is_empty() => current.push(character),
            ' ' | '.' | '-' | '(' | ')' | '\u{a0}' => {}
            _ => {
                if current.len() >= 9 {
                    all.push(std::mem::take(&mut current));
                }
                current.clear();
            }
        }
    }
    all
}

fn normal(digits: &str) -> Option<String> {
    let national = if let Some(rest) = digits
        .strip_prefix("+84")
        .or_else(|| digits.strip_prefix("0084"))
    {
        format!("0{}", rest.strip_prefix('0').unwrap_or(rest))
    } else if let Some(rest) = digits.strip_prefix("84").filter(|rest| rest.len() >= 9) {
        format!("0{rest}")
    } else if digits.starts_with('0') {
        digits.to_owned()
    } else {
        return None;
    };
    let national = if national.len() == 11 && national.starts_with("01") {
        let (old, new) = OLD_PREFIXES
            .iter()
            .chain(&OLD_PREFIXES_REST)
            .find(|(old, _)| national.starts_with(old))?;
        format!("{new}{}", &national[old.len()..])
    } else {
        national
    };
    let bytes = national.as_bytes();
    let good = match bytes {
        [b'0', b'2', ..] => bytes.len() == 11,
        [b'0', ..] => bytes.len() == 10 && mobile(&national[1..4]),
        _ => false,
    };
    good.then(|| format!("+84{}", &national[1..]))
}

/// Whether the first three digits after the zero are a mobile network's.
fn mobile(start: &str) -> bool {
    let bytes = start.as_bytes();
    matches!(
        (bytes[0], bytes[1], bytes[2]),
        (b'3', _, _)
            | (b'7', b'0' | b'6'..=b'9', _)
            | (b'5', b'1' | b'6' | b'8' | b'9', _)
            | (b'5', b'2', b'2' | b'3' | b'8')
            | (b'5', b'5', b'9')
            | (b'8', b'1'..=b'8', _)
            | (b'8', b'9', b'6'..=b'9')
            | (b'9', b'0'..=b'8', _)
            | (b'9', b'9', b'0' | b'1' | b'3'..=b'9')
    )
}

/// A number as people read it: `0912 345 678`.
pub(crate) fn show(number: &str) -> String {
    let Some(rest) = number.strip_prefix("+84") else {
        return number.to_owned();
    };
    if rest.len() == 9 && rest.is_ascii() {
        return format!("0{} {} {}", &rest[..3], &rest[3..6], &rest[6..]);
    }
    format!("0{rest}")
}

/// True for an e-mail address that could exist; gives it without what stood around it.
pub(crate) fn email(text: &str) -> Option<String> {
    let mut found = text
        .split(|character: char| {
            character.is_whitespace() || matches!(character, ',' | ';' | '<' | '>')
        })
        .map(|word| word.trim_matches(|character: char| !character.is_alphanumeric()))
        .filter(|word| word.contains('@'));
    let address = found.next()?;
    if found.next().is_some() || address.len() > 254 || !address.is_ascii() {
        return None;
    }
    let (name, domain) = address.split_once('@')?;
    let name_good = !name.is_empty()
        && name.len() <= 64
        && !name.contains("..")
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._%+-'".contains(&byte));
    let labels: Vec<&str> = domain.split('.').collect();
    let domain_good = labels.len() >= 2
        && labels.iter().all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
        && labels.last().is_some_and(|last| {
            last.len() >= 2 && last.bytes().all(|byte| byte.is_ascii_alphabetic())
        });
    (name_good && domain_good).then(|| format!("{name}@{}", domain.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (text, expected) in [
            ("0912345678", Some("+84912345678")),
            ("091.234.5678", Some("+84912345678")),
            ("84912345678", Some("+84912345678")),
            ("+84 91 234 56 78", Some("+84912345678")),
            ("0084912345678", Some("+84912345678")),
            ("số của tôi là 0912-345-678 ạ", Some("+84912345678")),
            ("01201234567", Some("+84701234567")),
            ("01691234567", Some("+84391234567")),
            ("02923812345", Some("+842923812345")),
            ("01111234567", None),
            ("091234567", None),
            ("1022", None),
            ("0412345678", None),
            ("0912345678 hoặc 0987654321", None),
            ("chín một hai", None),
        ] {
            assert_eq!(parse(text).as_deref(), expected, "{text:?}");
        }
        assert_eq!(show("+84912345678"), "0912 345 678");
        assert_eq!(email("mail: A.b@Vidu.VN.").as_deref(), Some("A.b@vidu.vn"));
        for bad in [
            "a@b",
            "@vidu.vn",
            "a b",
            "a@vidu..vn",
            "a@b@c.vn",
            "á@vidu.vn",
        ] {
            assert_eq!(email(bad), None, "{bad:?}");
        }
    }
}
